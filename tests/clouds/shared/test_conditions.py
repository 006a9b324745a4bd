"""Conditions of statements: what they say, and which admits which (IAM user guide, condition operators)."""

from __future__ import annotations

from typing import Any

import pytest

from upgrade_gate.clouds.shared.conditions import condition_admits, condition_tests, conditions_exclude, shown


def on(operator: str, value: Any, key: str = "aws:k") -> dict[str, Any]:
    return {operator: {key: value}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (on("Bool", True), on("Bool", "true")),
        (on("Bool", "TRUE"), on("Bool", ["true"])),
        (on("BoolIfExists", "False"), on("BoolIfExists", False)),
        (on("Null", "True"), on("Null", True)),
        (on("StringEquals", True), on("StringEquals", "true")),
        (on("StringEquals", False), on("StringEquals", "false")),
        (on("NumericEquals", 1), on("NumericEquals", "1")),
        (on("StringEquals", "a"), on("StringEquals", ["a"])),
        (on("StringEquals", ["a", "b"]), on("StringEquals", ["b", "a", "a"])),
        (on("StringEquals", "a", "AWS:K"), on("StringEquals", "a")),
        (None, {}),
    ],
)
def test_what_is_written_in_another_way_is_the_same(one: Any, other: Any) -> None:
    assert condition_tests(one) == condition_tests(other)


def test_texts_count_with_case_and_every_operator_by_itself() -> None:
    assert condition_tests(on("StringEquals", "A")) != condition_tests(on("StringEquals", "a"))
    assert condition_tests(on("StringEquals", "a")) != condition_tests(on("StringLike", "a"))
    both = {"Bool": {"b": True, "a": True}, "StringLike": {"c": "x"}}
    assert condition_tests(both) == (("Bool", "a", ("true",)), ("Bool", "b", ("true",)), ("StringLike", "c", ("x",)))


UNREAD: list[Any] = [
    "Bool",
    [],
    7,
    {7: {"k": "v"}},
    {"Bool": "k"},
    {"Bool": {}},
    {"Bool": None},
    {"Bool": {7: "v"}},
    {"Bool": {"k": []}},
    {"Bool": {"k": [None]}},
    {"Bool": {"k": {"x": 1}}},
]


@pytest.mark.parametrize("condition", UNREAD, ids=str)
def test_what_is_not_understood_admits_nothing_and_is_admitted_by_what_has_no_condition(condition: Any) -> None:
    assert condition_tests(condition) is None
    assert not condition_admits(condition, None)
    assert not condition_admits(condition, condition)
    assert not condition_admits(on("Bool", True), condition)
    assert condition_admits(None, condition)
    assert not conditions_exclude(condition, on("Bool", True))
    assert not conditions_exclude(on("Bool", True), condition)


@pytest.mark.parametrize(
    ("held", "needed", "admits"),
    [
        (None, on("Bool", True), True),
        (on("Bool", True), None, False),
        (on("Bool", True), on("Bool", True), True),
        (on("Bool", True), on("Bool", False), False),
        (on("Bool", True), on("Bool", True, "aws:other"), False),
        # more values of a positive operator are looser, of a negated one they are not
        (on("StringEquals", ["a", "b"]), on("StringEquals", "a"), True),
        (on("StringEquals", "a"), on("StringEquals", ["a", "b"]), False),
        (on("IpAddress", ["10.0.0.0/8", "1.1.1.1/32"]), on("IpAddress", "10.0.0.0/8"), True),
        (on("StringNotEquals", "a"), on("StringNotEquals", "a"), True),
        (on("StringNotEquals", ["a", "b"]), on("StringNotEquals", "a"), False),
        (on("StringNotEquals", "a"), on("StringNotEquals", ["a", "b"]), False),
        # forms that hold where the plain one does, and more often
        (on("StringEqualsIfExists", "a"), on("StringEquals", "a"), True),
        (on("StringEquals", "a"), on("StringEqualsIfExists", "a"), False),
        (on("ForAllValues:StringEquals", "a"), on("StringEquals", "a"), True),
        (on("ForAnyValue:StringEquals", "a"), on("StringEquals", "a"), False),
        (on("StringEqualsIfExists", ["a", "b"]), on("StringEquals", "a"), True),
        (on("StringLike", "a"), on("StringEquals", "a"), False),
        (on("NullIfExists", True), on("Null", True), False),
        # a condition holds only where all of its tests do
        (on("Bool", True), {**on("Bool", True), **on("StringEquals", "a")}, True),
        ({**on("Bool", True), **on("StringEquals", "a")}, on("Bool", True), False),
    ],
)
def test_a_condition_admits_another_where_it_holds_whenever_that_does(held: Any, needed: Any, *, admits: bool) -> None:
    assert condition_admits(held, needed) is admits


@pytest.mark.parametrize(
    ("held", "needed", "exclude"),
    [
        (on("Bool", False), on("Bool", True), True),
        (on("BoolIfExists", "false"), on("Bool", True), True),
        (on("Bool", True), on("Bool", "FALSE"), True),
        (on("Bool", True), on("Bool", True), False),
        (on("Bool", ["true", "false"]), on("Bool", True), False),
        (on("Bool", False), on("Bool", ["true", "false"]), False),
        (on("Bool", False), on("Bool", True, "aws:other"), False),
        (on("Bool", False), on("BoolIfExists", True), False),
        (on("StringEquals", "false"), on("Bool", True), False),
        (on("Bool", False), on("StringEquals", "true"), False),
        (on("Bool", False), None, False),
        (None, on("Bool", True), False),
    ],
)
def test_two_conditions_exclude_each_other_only_by_true_and_false_of_one_key(
    held: Any, needed: Any, *, exclude: bool
) -> None:
    """A key that may be absent (`…IfExists` in what is needed) excludes nothing."""
    assert conditions_exclude(held, needed) is exclude


def test_a_condition_is_shown_in_one_order_and_in_its_own_letters() -> None:
    assert shown({"b": {"ü": 1}, "a": {"k": True}}) == '{"a": {"k": true}, "b": {"ü": 1}}'
    assert shown({"a": {1}}) == '{"a": "{1}"}', "whatever stands there"

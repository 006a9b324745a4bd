"""Decide the condition of a statement in three values, for one request whose keys are known only in part.

Source: the IAM user guide, condition operators, multivalued keys, policy variables. Operators and keys are ANDed, the
values of a test ORed; for a negated operator none of them may match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.clouds.aws.operators import OPERATORS, Operator
from upgrade_gate.clouds.aws.variables import KeyValue, Text, fill
from upgrade_gate.clouds.shared.conditions import condition_admits, condition_tests, conditions_exclude
from upgrade_gate.clouds.shared.three_values import FALSE, TRUE, Answer, Truth, all_of, any_of, not_, undecided

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.clouds.aws.variables import Keys

_WITHOUT_VARIABLES = ("Numeric", "Date", "Bool", "Binary", "IpAddress", "NotIpAddress")


class _Test(Struct, frozen=True):
    """One operator on one key, taken apart."""

    key: str
    values: tuple[str, ...]
    operator: str
    """Its name without what stands before and behind it."""
    quantifier: str
    """`ForAllValues`, `ForAnyValue`, or empty."""
    if_exists: bool


def decide_condition(condition: Any, keys: Keys, *, variables: bool, granted: Any = None) -> Answer:
    """Return whether a statement's condition holds in a request.

    `variables` says whether the document's version knows policy variables. `granted` is the condition of the
    required grant: its keys are what the request will have, and are compared as one condition with another.
    """
    tests = condition_tests(condition)
    if tests is None:
        return undecided("the condition is not understood")
    asked = {key for _, key, _ in condition_tests(granted) or ()}
    return all_of(_decide(one, keys, variables=variables, asked=asked, granted=granted) for one in _each(condition))


def _each(condition: Any) -> Iterator[tuple[str, str, Any]]:
    for operator, tests in (condition or {}).items():
        for key, values in tests.items():
            yield operator, key, values


def _decide(one: tuple[str, str, Any], keys: Keys, *, variables: bool, asked: set[str], granted: Any) -> Answer:
    operator, key, values = one
    if key.casefold() in asked:
        alone = {operator: {key: values}}
        if condition_admits(alone, granted):
            return TRUE
        if conditions_exclude(alone, granted):
            return FALSE
    return _decide_test(_take_apart(operator, key, values), keys, variables=variables)


def _take_apart(operator: str, key: str, values: Any) -> _Test:
    quantifier, _, bare = operator.rpartition(":")
    name = bare.removesuffix("IfExists")
    listed = values if isinstance(values, list | tuple) else [values]
    texts = tuple(v if isinstance(v, str) else str(v).casefold() for v in listed)
    return _Test(key, texts, name, quantifier, name != bare)


def _decide_test(test: _Test, keys: Keys, *, variables: bool) -> Answer:
    found = keys(test.key)
    if test.operator == "Null" and not test.quantifier and not test.if_exists:
        return any_of(_null(value, found) for value in test.values)
    operator = OPERATORS.get(test.operator)
    if operator is None or test.quantifier not in ("", "ForAllValues", "ForAnyValue"):
        return undecided(f"the operator {test.operator} is not understood")
    filled = variables and not test.operator.startswith(_WITHOUT_VARIABLES)
    texts = [fill(value, keys) if filled else Text(value) for value in test.values]
    if all(text.void is not None for text in texts):
        return FALSE  # even of a negated operator: the statement is passed over
    answer = _compare(test, operator, found, [text for text in texts if text.void is None])
    waits = [
        *(f"{text.void} has no value" for text in texts if text.void is not None),
        *(why for text in texts for why in text.open),
    ]
    return undecided(*waits) if waits and not answer.false else answer


def _null(value: str, found: Fact[KeyValue]) -> Answer:
    if value.casefold() not in ("true", "false"):
        return undecided(f"Null cannot be {value}")
    match found:
        case Unknown(reason=why):
            return undecided(why)
        case Known(value=known):
            return _answer(value.casefold() == "false", known.rests_on)
        case Absent():
            return _answer(value.casefold() == "true")


def _compare(test: _Test, operator: Operator, found: Fact[KeyValue], texts: Sequence[Text]) -> Answer:
    match found:
        case Unknown(reason=why):
            return undecided(why)
        case Absent() if test.if_exists and test.quantifier == "ForAnyValue":  # the one says true, the other false
            return undecided(f"{test.key} is absent, and ForAnyValue and IfExists contradict each other about that")
        case Absent():
            return _answer(test.if_exists or _holds_without_value(test, operator))
        case Known(value=known):
            each = (_meets(value, known.rests_on, operator, texts) for value in known.values)
            return any_of(each) if test.quantifier == "ForAnyValue" else all_of(each)


def _holds_without_value(test: _Test, operator: Operator) -> bool:
    match test.quantifier:
        case "ForAllValues":
            return True
        case "ForAnyValue":
            return False
        case _:
            return operator.negated


def _meets(value: str, rests_on: str, operator: Operator, texts: Sequence[Text]) -> Answer:
    """Return whether one value of the request meets the test: one of the policy's values, or, negated, none."""
    matched = any_of(_matches(value, rests_on, operator, text) for text in texts)
    return not_(matched) if operator.negated else matched


def _matches(value: str, rests_on: str, operator: Operator, text: Text) -> Answer:
    if text.open:
        return undecided(*text.open)
    try:
        matched = operator.compare(value, text.pattern)
    except ValueError:
        return undecided(f"{value} and {text.pattern} cannot be compared")
    return _answer(matched, rests_on, *text.rests_on)


def _answer(holds: bool, *rests_on: str) -> Answer:
    return Answer(Truth.TRUE if holds else Truth.FALSE, rests_on=frozenset(rests_on) - {""})

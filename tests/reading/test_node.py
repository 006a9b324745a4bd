"""Careful access: a wrong type is an error that names the place, nothing, or None, never a wrong value."""

from typing import Any

import pytest

from upgrade_gate.base.facts import Known, Unknown
from upgrade_gate.reading import node
from upgrade_gate.reading.node import Malformed, Part, attempt

BODY = {"spec": {"names": ["a", 7], "flag": "yes", "empty": " ", "nothing": None}}


def part() -> Part:
    return Part(BODY, "Thing one")


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda p: p["spec"]["names"].texts(), "spec.names[1] of Thing one is a number, not a string"),
        (lambda p: p["spec"]["names"].mapping(), "spec.names of Thing one is a list, not a mapping"),
        (lambda p: p["spec"]["flag"].items(), "spec.flag of Thing one is a string, not a list"),
        (lambda p: p["spec"]["flag"].flag(), "spec.flag of Thing one is a string, not true or false"),
        (lambda p: p["spec"]["flag"]["deeper"], "spec.flag of Thing one is a string, not a mapping"),
        (lambda p: p["spec"]["empty"].some_text(), "spec.empty of Thing one is empty"),
        (lambda p: p["spec"]["empty"].maybe_text(), "spec.empty of Thing one is empty"),
        (lambda p: p["spec"]["absent"].some_text(), "spec.absent of Thing one is missing"),
        (lambda p: p.text(), "Thing one is a mapping, not a string"),
    ],
)
def test_a_wrong_type_names_the_place(read: Any, words: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(part())
    assert str(caught.value) == words


def test_null_and_absence_are_the_same() -> None:
    spec = part()["spec"]
    for key in ("nothing", "absent"):
        assert spec[key].missing
        assert (spec[key].text(), spec[key].maybe_text(), spec[key].flag(), spec[key].number()) == (
            "",
            None,
            None,
            None,
        )
        assert (spec[key].mapping(), spec[key].items(), spec[key].texts(), spec[key].labels()) == ({}, (), (), {})


def test_what_is_malformed_is_unknown_with_its_place() -> None:
    assert attempt(lambda: Known(part()["spec"]["flag"].text())) == Known("yes")
    found = attempt(lambda: Known(part()["spec"]["names"].text()))
    assert found == Unknown("spec.names of Thing one is a list, not a string")


@pytest.mark.parametrize("value", [None, 7, True, {}, [], "", object()])
def test_where_something_else_stands_there_is_nothing(value: Any) -> None:
    assert node.text(value) == ""
    assert node.mapping(value) == {}
    assert node.objects(value) == []
    assert tuple(node.strings(value)) in ((), ("",))


def test_what_takes_away_is_none_where_it_cannot_be_read() -> None:
    assert node.readable_strings(None) == ()
    assert node.readable_strings("a") == ("a",)
    assert node.readable_strings(["a", "b"]) == ("a", "b")
    for unreadable in (["a", 7], {"a": "b"}, 7):
        assert node.readable_strings(unreadable) is None
    assert node.one_or_more({"a": 1}) == [{"a": 1}]
    assert node.one_or_more([1]) == [1]
    for value in ("text", None, 7):
        assert node.one_or_more(value) is None
        assert node.sequence(value) is None
    assert node.objects([{"a": 1}, "b", None]) == [{"a": 1}]
    assert node.strings(["a", 7, "b"]) == ("a", "b")


@pytest.mark.parametrize("written", ["Flag", "FLAG", "flag ", " flag", "flg", "flagg", "flsg", "falg"])
def test_a_key_that_is_one_slip_away_is_not_absence(written: str) -> None:
    assert node.slip_of("flag", {written: 1}) == written
    assert str(node.limiting({written: 1}, "flag")) == f"(under {written!r}, which is not a field)"
    with pytest.raises(Malformed, match="which is not a field of it: flag is meant"):
        Part({"spec": {written: True}}, "Thing one")["spec"]["flag"]


@pytest.mark.parametrize("written", ["flags2", "lag s", "unflag", "gafl", "f", 7])
def test_other_keys_are_other_fields(written: Any) -> None:
    assert node.slip_of("flag", {written: 1}) is None
    assert node.limiting({written: 1}, "flag") is None
    assert Part({written: 1}, "Thing one")["flag"].missing


def test_a_key_that_is_there_counts_whatever_stands_beside_it() -> None:
    assert Part({"flag": True, "Flag": False}, "Thing one")["flag"].flag() is True
    assert node.limiting({"flag": None, "Flag": False}, "flag") is None


def test_short_keys_slip_by_case_and_space_alone() -> None:
    assert node.slip_of("id", {"ID": 1}) == "ID"
    assert node.slip_of("id", {"ip": 1}) is None

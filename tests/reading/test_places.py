"""Where values stand in YAML and JSON text."""

import json

import pytest

from upgrade_gate.reading.places import Place, locate

TEXT = """\
# a comment
Statement:
- Effect: Allow
  Action:
  - ec2:One  # why
  - "ec2:Two"
  Resource: '*'
---
{"a": ["b",
  "c"], "d": {}}
"""


def _root(text: str, number: int = 0) -> Place:
    found = locate(text)
    assert found is not None
    root = found[number]
    assert root is not None
    return root


def test_values_of_block_and_flow_style_have_their_lines() -> None:
    actions = _root(TEXT).at(("Statement", 0, "Action"))
    assert actions is not None
    assert [(item.line, TEXT[item.start : item.end]) for item in actions.items] == [(5, "ec2:One"), (6, '"ec2:Two"')]
    assert (actions.kind, actions.flow, actions.column) == ("list", False, 2)
    second = _root(TEXT, 1).at(("a", 1))
    assert second is not None
    assert (second.line, TEXT[second.start : second.end]) == (10, '"c"')


def test_what_is_not_there_is_answered_by_what_it_would_stand_in() -> None:
    root = _root(TEXT)
    assert root.at(("Statement", 1)) is None
    assert root.at(("Statement", "Action")) is None
    assert root.nearest(("Statement", 0, "Condition", "x")) is root.at(("Statement", 0))


@pytest.mark.parametrize("indent", [None, 1, 2, "\t"])
def test_json_is_found_however_it_is_indented(indent: int | str | None) -> None:
    text = json.dumps({"ä": [{"x": "\u20ac"}, True]}, indent=indent, ensure_ascii=False)
    place = _root(text).at(("ä", 0, "x"))
    assert place is not None
    assert text[place.start : place.end] == '"\u20ac"'


def test_what_an_anchor_or_a_tag_makes_is_marked() -> None:
    root = _root("a: &x [1]\nb: *x\nc: !Sub d\ne: f\n")
    assert {key: place.anchored for key, place in root.values.items()} == {"a": True, "b": True, "c": True, "e": False}


def test_text_that_yaml_does_not_read_has_no_places() -> None:
    assert locate('{"a": "\\ud800"}') is None
    assert locate("a: [") is None
    assert locate("") == ()

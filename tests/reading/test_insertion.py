"""Putting values into a list of a text in its own style."""

import json
from typing import Any

import pytest

from upgrade_gate.reading import yaml
from upgrade_gate.reading.insertion import Edit, apply, insert
from upgrade_gate.reading.places import locate

ACTIONS = ("Statement", 0, "Action")
STATEMENT = {"Effect": "Allow", "Action": ["x:y"], "Resource": "*", "Condition": {"Bool": {"a:b": ["true"]}}}


def _put(text: str, path: tuple[str | int, ...], *values: Any) -> str | None:
    roots = locate(text)
    assert roots is not None
    assert roots[0] is not None
    edits = insert(text, roots[0], path, values)
    return None if edits is None else apply(text, edits)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"Statement":[{"Action":["a:b","c:d"]}]}', '{"Statement":[{"Action":["a:b","c:d","e:f"]}]}'),
        ('{"Statement": [{"Action": ["a:b"]}]}', '{"Statement": [{"Action": ["a:b", "e:f"]}]}'),
        ('{"Statement": [{"Action": "a:b"}]}', '{"Statement": [{"Action": ["a:b", "e:f"]}]}'),
        ('{"Statement": [{"Action": []}]}', '{"Statement": [{"Action": ["e:f"]}]}'),
        (
            '{"Statement": [{"Action": [\r\n\t"a:b"\r\n]}]}\r\n',
            '{"Statement": [{"Action": [\r\n\t"a:b",\r\n\t"e:f"\r\n]}]}\r\n',
        ),
        (
            "Statement:\n- Action:\n  - a:b  # why\n  # more\n  Resource: x\n",
            "Statement:\n- Action:\n  - a:b  # why\n  - e:f\n  # more\n  Resource: x\n",
        ),
        ("Statement:\n- Action:\n    - 'a:b'", "Statement:\n- Action:\n    - 'a:b'\n    - 'e:f'"),
        ("Statement:\n- Action: a:*  # all\n", "Statement:\n- Action: [a:*, e:f]  # all\n"),
        ("Statement:\n- Action: [a:b, c:d]\n", "Statement:\n- Action: [a:b, c:d, e:f]\n"),
        (
            "Statement:\n- Action: [\n    a:b,  # hm\n    c:d,\n  ]\n",
            "Statement:\n- Action: [\n    a:b,  # hm\n    c:d,\n    e:f,\n  ]\n",
        ),
    ],
)
def test_an_action_is_put_behind_the_last_one_in_the_same_style(before: str, after: str) -> None:
    assert _put(before, ACTIONS, "e:f") == after


@pytest.mark.parametrize("indent", [None, 1, 2, 4, "\t"])
@pytest.mark.parametrize("single", [True, False])
def test_a_statement_is_put_behind_the_last_one_of_json(indent: int | str | None, single: bool) -> None:
    old = {"Effect": "Allow", "Action": "a:b", "Resource": "*"}
    text = json.dumps({"Statement": old if single else [old]}, indent=indent)
    changed = _put(text, ("Statement",), STATEMENT)
    assert changed is not None
    assert json.loads(changed) == {"Statement": [old, STATEMENT]}
    if not single and indent is not None:
        assert changed == json.dumps({"Statement": [old, STATEMENT]}, indent=indent)


def test_a_statement_is_put_behind_the_last_one_of_yaml() -> None:
    text = "Statement:\n  - Action: a:b\n    Resource: '*'\n\n# the end\nVersion: x\n"
    changed = _put(text, ("Statement",), STATEMENT)
    assert changed is not None
    assert yaml.parse(changed.encode(), "x")[0].body["Statement"][1] == STATEMENT
    assert changed.startswith(text[: text.index("\n# the end")])
    assert changed.endswith("\n# the end\nVersion: x\n")


@pytest.mark.parametrize("word", ["yes", "1", "a b", "a: b", "x#y", "", "*", "-a", "ünï"])
def test_what_yaml_would_read_otherwise_is_quoted(word: str) -> None:
    changed = _put("Statement:\n- Action:\n  - a:b\n", ACTIONS, word)
    assert changed is not None
    assert yaml.parse(changed.encode(), "x")[0].body["Statement"][0]["Action"] == ["a:b", word]


@pytest.mark.parametrize(
    "text",
    [
        "Statement:\n- &a\n  Action: [x:y]\n- *a\n",
        "Statement:\n- Action: &l [x:y]\n",
        "Statement:\n- Action: !Ref X\n",
        "Statement:\n- Resource: x\n",
        "Statement: x\n",
    ],
)
def test_what_stands_in_several_places_or_nowhere_is_left_alone(text: str) -> None:
    assert _put(text, ACTIONS, "e:f") is None


def test_a_lone_statement_of_lines_is_left_alone() -> None:
    assert _put("Statement:\n  Action: a:b\n", ("Statement",), STATEMENT) is None


def test_edits_are_applied_from_front_to_back() -> None:
    assert apply("abc", [Edit(3, "!"), Edit(0, "<"), Edit(1, "-"), Edit(1, "+")]) == "<a-+bc!"

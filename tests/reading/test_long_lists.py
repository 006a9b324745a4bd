"""The lists of a large export, kept as text: the same elements, the same faults, and what chooses among them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from upgrade_gate.reading import exports
from upgrade_gate.reading.long_lists import LongList, briefs

LISTS = {"Roles": ("Name", "Arn")}
ROLES = [
    {"Name": "a", "Arn": "arn:a", "Tags": [{"Key": "x"}]},
    {"Arn": 7, "Name": "b"},
    {"Name": "ü"},
    ["no object"],
    {"Name": "c", "Arn": "arn:c", "Deep": {"er": [1, 2, {"x": None}]}},
]
BODY = {"Users": [{"Name": "u"}], "Roles": ROLES, "Marker": "m"}
DEEP = '{"Roles": [' + '{"a":' * 300 + "1" + "}" * 300 + "]}"


def read(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *, large: int) -> exports.ExportFile:
    monkeypatch.setattr(exports, "LARGE", large)
    (folder / "x.json").write_text(text, encoding="utf-8")
    (file,) = exports.read(folder / "x.json", LISTS)
    return file


def whole(value: Any) -> Any:
    """Return a body with its long lists as plain ones."""
    if isinstance(value, dict):
        return {key: whole(entry) for key, entry in value.items()}
    return list(value) if isinstance(value, LongList) else value


def test_a_long_list_has_the_elements_of_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (body,) = read(json.dumps(BODY, indent=1), tmp_path, monkeypatch, large=0).bodies
    kept = body["Roles"]
    assert isinstance(kept, LongList)
    assert isinstance(kept, Sequence)
    assert (len(kept), list(kept), kept[2], kept[-1], kept[1:3]) == (5, ROLES, ROLES[2], ROLES[-1], ROLES[1:3])
    assert type(body["Users"]) is list, "only the named lists are kept as text"
    assert whole(body) == BODY


def test_its_elements_are_chosen_by_the_texts_among_some_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (body,) = read(json.dumps(BODY), tmp_path, monkeypatch, large=0).bodies
    assert list(briefs(body["Roles"])) == [
        {"Name": "a", "Arn": "arn:a"},
        {"Name": "b", "Arn": None},
        {"Name": "ü", "Arn": None},
        None,
        {"Name": "c", "Arn": "arn:c"},
    ]
    assert list(briefs(ROLES)) == [entry if isinstance(entry, dict) else None for entry in ROLES]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(BODY),
        "{}",
        '{"Roles": []}',
        ' {"Roles" : [ ] , "a" : 1 } ',
        '{"Roles": {}}',
        '{"Roles": null}',
        '[{"Roles": []}]',
        '{"Roles": []}{"Roles": [1]}',
        '{"Roles": []} x',
        '{"Roles": [1, 2]',
        '{"Roles": [1 2]}',
        '{"Roles": [1,]}',
        '{"Roles": [',
        '{"Roles": [1], "Roles": [2]}',
        '{"Roles": [1], "Roles": [1]}',
        '{"Roles": [{"a": 1, "a": 2}]}',
        '{"Roles": [{"a": 1, "a": 1}]}',
        '{"a": {"b": 1, "b": 2}, "Roles": []}',
        '{"Roles" []}',
        '{"Roles": [],}',
        '{1: []}',
        '{"Roles": [{"a": "\\ud800"}], "b": NaN}',
        DEEP,
        DEEP.replace("Roles", "Others"),
    ],
)  # fmt: skip
def test_a_large_file_says_what_a_small_one_does(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = read(text, tmp_path, monkeypatch, large=10**9)
    large = read(text, tmp_path, monkeypatch, large=0)
    assert repr([whole(body) for body in large.bodies]) == repr(list(small.bodies))
    assert large.problem == small.problem


def test_without_named_lists_nothing_is_kept_as_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "LARGE", 0)
    (tmp_path / "x.json").write_text(json.dumps(BODY))
    assert exports.read(tmp_path / "x.json")[0].bodies == (BODY,)

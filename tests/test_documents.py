"""YAML and JSON from outside: what is read, and what is refused with its name."""

import pytest

from upgrade_gate import documents
from upgrade_gate.errors import ManifestError
from upgrade_gate.source import Limits


def test_plain_equals_sign_is_a_string_and_dates_stay_text() -> None:
    (found,) = documents.parse(b"a: =\nb: 2024-01-02\nc: yes\n", "x.yaml")
    assert found.body == {"a": "=", "b": "2024-01-02", "c": True}


def test_documents_have_numbers_and_lines() -> None:
    found = documents.parse(b"---\n---\na: 1\n---\n# words\nb: 2\n", "x.yaml")
    assert [(d.body, d.line) for d in found] == [({"a": 1}, 3), ({"b": 2}, 6)]


def test_repeated_keys_with_differing_values_are_named_and_the_last_wins() -> None:
    (found,) = documents.parse(b"a: {b: 1, b: 2}\nc: 1\nc: 1\n", "x.yaml")
    assert found.body["a"] == {"b": 2}
    assert found.duplicate_keys == ("a.b",)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_encodings_of_other_shells(encoding: str) -> None:
    (found,) = documents.parse('{"a": "\N{SNOWMAN}"}'.encode(encoding), "x.json")
    assert found.body == {"a": "\N{SNOWMAN}"}


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n".encode() for i in range(9)
)


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 60_000,
        b"{" * 60_000,
        b'{"a":' * 5_000,
        b"- " * 5_000 + b"x",
        BOMB,
        b"a: !!python/object/apply:os.system [ls]\n",
        b"a: !custom x\n",
        b"a: [1\n",
        b'{"a": 1',
        b"\xff\xfe\xfa",
        b"a: \x00\n",
    ],
    ids=[
        "deep-list",
        "deep-map",
        "deep-json",
        "deep-block",
        "bomb",
        "python",
        "tag",
        "cut",
        "cut-json",
        "bytes",
        "nul",
    ],
)
def test_hostile_or_broken_text_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(ManifestError, match=r"x\.yaml"):
        documents.parse(data, "x.yaml")


def test_file_over_the_cap_is_refused() -> None:
    with pytest.raises(ManifestError):
        documents.parse(b"a: " + b"x" * 100, "x.yaml", limits=Limits(file=50))

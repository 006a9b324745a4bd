"""YAML and JSON from outside: what is read, as upstream reads it, and what is refused by file and line."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from upgrade_gate.base.errors import ManifestError
from upgrade_gate.reading import yaml as documents
from upgrade_gate.reading.limits import Limits
from upgrade_gate.reading.yaml import DocumentError, Parsed

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
)


def one(text: str | bytes, name: str = "file.yaml") -> Parsed:
    return documents.parse_one(text if isinstance(text, bytes) else text.encode(), name)


def body(text: str) -> object:
    return one(text).body


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("=", "="),  # tag:yaml.org,2002:value, as in 4.12.0's prometheus rules
        ("yes", True),
        ("Off", False),
        ("on", True),
        ("y", "y"),
        ("~", None),
        ("null", None),
        ("", None),
        ("12", 12),
        ("-1_000", -1000),
        ("010", 8),
        ("0x1F", 31),
        ("0b11", 3),
        ("08", 8.0),  # Go reads no octal here and falls back to a float
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1e999", "1e999"),  # more than float64 holds is text in Go, as the first digits of a hash may be
        ("-7e1234567", "-7e1234567"),
        ("12:30:45", "12:30:45"),  # base 60 in YAML 1.1, not in Go
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01T00:00:00Z", "2024-05-01T00:00:00Z"),
        ("1.2.3", "1.2.3"),
        ("'true'", "true"),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ("!!int '12'", 12),
        ("!!float 1", 1.0),
        ("!!timestamp 2024-05-01", "2024-05-01"),
        ("!!value =", "="),
        ("+", "+"),
        ("-", [None]),
        (".", "."),
        ("a<<b", "a<<b"),
        ("<<", "<<"),
    ],
)
def test_scalars_resolve_as_upstream_reads_them(text: str, value: object) -> None:
    found = body(f"key: {text}") if text != "-" else {"key": body("-")}
    assert found == {"key": value}
    assert isinstance(found, dict)
    assert type(found["key"]) is type(value)


def test_every_document_says_where_it_begins() -> None:
    text = "# a comment\n---\n# more\nkind: A\n---\n---\n\nkind: B\n...\n---\n- c\n---\ntext\n"
    assert [(p.document, p.line, p.body) for p in documents.parse(text.encode(), "f")] == [
        (0, 4, {"kind": "A"}),
        (2, 8, {"kind": "B"}),
        (3, 11, ["c"]),
        (4, 13, "text"),
    ]


def test_json_values_may_follow_one_another() -> None:
    found = documents.parse(b'{"a": 1}\n\n{"b": [true, null]} null [1]\n', "f.json")
    assert [(p.document, p.line, p.body) for p in found] == [
        (0, 1, {"a": 1}),
        (1, 3, {"b": [True, None]}),
        (3, 3, [1]),
    ]


def test_flow_style_yaml_is_no_broken_json() -> None:
    assert body("{a: 1, b: [x]}") == {"a": 1, "b": ["x"]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_byte_order_marks_are_honoured(encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    assert one(f"{mark}kind: Grün\n".encode(encoding)).body == {"kind": "Grün"}
    assert one(f'{mark}{{"kind": "Grün"}}'.encode(encoding)).body == {"kind": "Grün"}


def test_aliases_and_merges() -> None:
    text = "base: &b {x: 1, y: 2}\nlist: [*b]\nmerged: {<<: *b, y: 3}\nfirst: {<<: [{x: 9}, *b], '<<': q}\n"
    assert body(text) == {
        "base": {"x": 1, "y": 2},
        "list": [{"x": 1, "y": 2}],
        "merged": {"x": 1, "y": 3},
        "first": {"x": 9, "y": 2, "<<": "q"},
    }


def test_keys_become_text_as_in_json() -> None:
    assert body("1: a\ntrue: b\n1.5: c\n? d\n: e\n") == {"1": "a", "true": "b", "1.5": "c", "d": "e"}


@pytest.mark.parametrize("name", ["f.yaml", "f.json"])
def test_last_of_two_keys_wins_and_differing_ones_are_named(name: str) -> None:
    text = '{"a": 1, "a": 2, "same": [1], "same": [1], "s": {"l": [{}, {"k": {"x": 1}, "k": {"x": 2}}]}}'
    found = one(text, name)
    assert found.body == {"a": 2, "same": [1], "s": {"l": [{}, {"k": {"x": 2}}]}}
    assert found.duplicate_keys == ("a", "s.l[1].k")


def test_keys_that_a_merge_brings_are_no_duplicates() -> None:
    assert one("b: &b {x: 1}\nm: {<<: *b, x: 2}\n").duplicate_keys == ()


def test_third_key_that_repeats_the_first_is_still_a_difference() -> None:
    assert one("a: 1\na: 2\na: 1\n").duplicate_keys == ("a",)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: [\n", 3, ""),
        ("a: 1\n b: 2\n", 2, "not allowed"),
        ("a: 1\nb: *nowhere\n", 2, "no anchor"),
        ("a: &a\n  b: *a\n", 2, "inside its own anchor"),
        ("a: 1\nb: !!python/object/apply:os.system ['true']\n", 2, "not allowed"),
        ("a: !custom x\n", 1, "not allowed"),
        ("a: !!binary eA==\n", 1, "not allowed"),
        ("a: !!set {x, y}\n", 1, "not allowed"),
        ("a: !!omap [x: 1]\n", 1, "not allowed"),
        ("a: !!int x\n", 1, "no int"),
        ("a: 1\nb: .inf\n", 2, "not a JSON number"),
        ("a: -.INF\n", 1, "not a JSON number"),
        ("a: .nan\n", 1, "not a JSON number"),
        (f"a: {'9' * 5000}\n", 1, "digits"),
        ("a: !!float 1e999\n", 1, "no float"),
        ("? [a]\n: 1\n", 1, "as a key"),
        ("~: 1\n", 1, "as a key"),
        ("a: {<<: 1}\n", 1, "mapping"),
        ("a: 1\n---\nb: [\n", 4, ""),
        ("a: \x07\n", 1, "not YAML"),
        ("a: 1\nb: \0\n", 2, "NUL"),
    ],
)
def test_what_is_refused_is_named_by_file_and_line(text: str, line: int, words: str) -> None:
    with pytest.raises(DocumentError, match=words or "did not find") as error:
        documents.parse(text.encode(), "0000_50_x.yaml")
    assert error.value.message.startswith(f"0000_50_x.yaml:{line}: ")
    assert error.value.line == line
    assert isinstance(error.value, ManifestError)


@pytest.mark.parametrize(
    "text", ['{"a": ', '{"a": NaN}', '{"a": -Infinity}', '{"a": 1}}', '{"a": "\\ud800"}', f'{{"a": {"9" * 5000}}}']
)
def test_broken_json_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match=r"f\.json:1: "):
        documents.parse(text.encode(), "f.json")


def test_bytes_that_are_no_text_are_refused_with_their_line() -> None:
    with pytest.raises(DocumentError, match="byte 9 is not UTF-8") as error:
        documents.parse(b"a: 1\nb: \xff\n"[:8] + b" \xff\n", "f.yaml")
    assert error.value.line == 2
    with pytest.raises(DocumentError, match="UTF-16"):
        documents.parse(b"\xff\xfea", "f.yaml")


@pytest.mark.parametrize("style", ["flow", "block", "dashes", "json", "unclosed", "aliases", "keys"])
@pytest.mark.parametrize("depth", [201, 100_000])
def test_deep_nesting_is_refused_before_it_can_hurt(style: str, depth: int) -> None:
    block = min(depth, 2000)
    text = {
        "flow": f"a: {'[' * depth}{']' * depth}",
        "block": "".join(f"{' ' * i}a:\n" for i in range(block)) + " " * block + "b",
        "dashes": "- " * depth + "x",
        "json": '{"a":' * depth + "1" + "}" * depth,
        "unclosed": "[" * depth,
        "aliases": "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, block)),
        "keys": "? " * depth + "x",
    }[style]
    with pytest.raises(DocumentError) as error:
        documents.parse(text.encode(), "f.json" if style == "json" else "f.yaml")
    assert "200 levels" in error.value.message or "as a key" in error.value.message


@pytest.mark.parametrize("text", [f"a: {'[' * 199}{']' * 199}", "[" * 200 + "]" * 200, '{"a":' * 200 + "1" + "}" * 200])
def test_as_deep_as_is_allowed(text: str) -> None:
    assert one(text).body


@pytest.mark.parametrize(
    "text", [LAUGHS, LAUGHS + "m: {<<: [*a9]}", "a: &a {x: 1}\n" + "b: &b {<<: [" + ", ".join(["*a"] * 9) + "]}\n"]
)
def test_aliases_that_explode_are_refused(text: str) -> None:
    with pytest.raises(DocumentError, match="more than 20 nodes once its aliases are expanded"):
        documents.parse(text.encode(), "f.yaml", limits=Limits(nodes=20))


def test_billion_laughs_stop_at_the_usual_budget() -> None:
    with pytest.raises(DocumentError, match=r"f\.yaml:\d+: more than 1000000 nodes"):
        documents.parse(LAUGHS.encode(), "f.yaml")


def test_nodes_without_aliases_have_no_budget_of_their_own() -> None:
    assert len(documents.parse(b"[x]\n---\n" + b"- x\n" * 50, "f", limits=Limits(nodes=3))) == 2


def test_over_large_file_is_named() -> None:
    with pytest.raises(DocumentError, match=r"large\.yaml:1: 11 bytes, more than the 10"):
        documents.parse(b"a: 12345678", "large.yaml", limits=Limits(file=10))


def test_exactly_one_document() -> None:
    assert one("---\n---\na: 1\n---\n").body == {"a": 1}
    with pytest.raises(DocumentError, match="holds no document"):
        one("# nothing\n")
    with pytest.raises(DocumentError, match=r"file\.yaml:3: a second document"):
        one("a: 1\n---\nb: 2\n")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=4),
    max_leaves=25,
)


@given(st.dictionaries(st.sampled_from("abc"), PLAIN, min_size=1))
def test_what_a_writer_wrote_is_what_is_read(value: dict[str, object]) -> None:
    assert one(json.dumps(value), "f.json").body == value
    assert one(json.dumps(value, ensure_ascii=False), "f.json").body == value
    assert one(yaml.safe_dump(value, default_style='"')).body == value


@given(st.binary(max_size=200) | st.text(alphabet="ab:-?[]{}&*!|>'\"#%,\n \t<=~\\0", max_size=80).map(str.encode))
def test_any_bytes_give_documents_or_a_document_error(data: bytes) -> None:
    try:
        found = documents.parse(data, "f.yaml")
    except DocumentError:
        return
    json.dumps([p.body for p in found]).encode()


@given(st.text(alphabet="ab:-[]{}'\"#,\n |>", max_size=60))
def test_structure_is_what_pyyaml_makes_of_it(text: str) -> None:
    """The alphabet spells no scalar that resolves differently on purpose."""
    try:
        found = [p.body for p in documents.parse(text.encode(), "f.yaml")]
    except DocumentError:
        return
    assert found == [d for d in yaml.load_all(text, yaml.CSafeLoader) if d is not None]

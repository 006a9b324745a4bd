"""The short reading of a file: equal to the full one wherever it does not give up, and never fooled."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from upgrade_gate.reading import yaml
from upgrade_gate.reading.manifest_index import Outline, outline
from upgrade_gate.reading.yaml import DocumentError

SMALL = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"
WORDY = """kind: A
metadata:

  # about
  annotations:

    a/b: "true"
    c: 'x y'
    d: plain text
    e: 1
    g: ""
    h: ''
    f:
  labels: {x: y}
  name: b
  namespace: c
apiVersion: v1
"""
LARGE = "data:\n  text: |\n" + "    some text\n" * 6000


def full(text: bytes) -> list[Outline]:
    return [
        Outline(p.document, p.line, p.body["apiVersion"], p.body["kind"], p.body["metadata"])
        for p in yaml.parse(text, "f.yaml")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        SMALL,
        f"---\n{SMALL}",
        f"# about\n\n--- # here\n# more\n{SMALL}---\n{SMALL}---\n",
        f"{SMALL}---\n\n---\n# only a comment\n---\n{SMALL}",
        f"{SMALL}rules:\n- a\n-\n  - b\ndata:\n  kind: Secret\n  metadata: x\n",
        "kind: 'A'\napiVersion: \"g/v1\" # quoted\nmetadata: # here\n  name: b\n",
        WORDY,
        SMALL + '  annotations:\n    long: >-\n      folded\n      text\n    q: "a\\nb"\n  namespace: x\n',
        'kind: A\napiVersion: v1\nmetadata:\n    name: x\n    annotations:\n      a: "b"\n',
        "kind: A\napiVersion: v1\nmetadata:\n  name: x # a comment\n  annotations:\n  labels:\n",
        f"{SMALL}data:\n  script: |\n    ---\n    kind: Other\n",
        f"{SMALL}{LARGE}",
        "kind: A\napiVersion: v1\nmetadata:\n  name: Grün\n",
    ],
)
def test_known_shape_gives_what_the_full_reading_gives(text: str) -> None:
    found = outline(text.encode())
    assert found is not None
    assert list(found) == full(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "{}\n",
        '{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}}',
        f"{SMALL}kind: Other\n",
        f'{SMALL}"kind": Other\n',
        f"{SMALL}? kind\n: Other\n",
        f"{SMALL}<<: {{kind: Other}}\n",
        f"%YAML 1.1\n---\n{SMALL}",
        f"--- !!map\n{SMALL}",
        f"--- &a\n{SMALL}",
        f"{SMALL}...\n{SMALL}",
        f"--- {{kind: Hidden}}\n---\n{SMALL}",
        f"---\n  kind: Indented\n---\n{SMALL}",
        f"---\n- kind: Listed\n---\n{SMALL}",
        SMALL.replace("\n", "\r\n"),
        SMALL + "data: 'x\u2028---\u2028kind: Hidden'\n",
        SMALL + "data: 'x\u0085'\n",
        "\ufeff" + SMALL,
        SMALL.replace("ConfigMap", '"Config\\x4dap"'),
        SMALL.replace("ConfigMap", "*kind"),
        SMALL.replace("ConfigMap", "!!str ConfigMap"),
        SMALL.replace("ConfigMap", ""),
        SMALL.replace("ConfigMap", "ConfigMapList"),
        SMALL.replace("metadata:\n  name: a", "metadata: {name: a}"),
        SMALL.replace("metadata:\n  name: a", "metadata: &m\n  name: a"),
        SMALL.replace("name: a", "name: *a"),
        SMALL.replace("name: a", "name: [a"),
        SMALL.replace("name: a", "name: .inf"),
        SMALL.replace("name: a", "name: a: b"),
        SMALL.replace("name: a", "name: a:"),
        SMALL.replace("  name: a", "- name: a"),
        SMALL.replace("apiVersion: v1\n", ""),
        f"{SMALL}items:\n- kind: Other\n",
        f"{SMALL}data: 'open\n",
        f"{SMALL}data: {{\nkind: Hidden}}\n",
        f'{SMALL}data: "\nother"\n',
        f"{SMALL}{'data: '}{'[' * 5000}{']' * 5000}\n",
        f"{SMALL}{LARGE}".rstrip("\n"),
        f"{SMALL}{LARGE}    \x07\n",
        f"{SMALL}\tdata: x\n",
    ],
)
def test_any_other_shape_is_left_to_the_full_reading(text: str) -> None:
    assert outline(text.encode()) is None


def test_bytes_that_are_no_utf8_are_left_to_the_full_reading() -> None:
    assert outline(SMALL.encode() + b"data: \xff\n") is None
    assert outline(f"{SMALL}{LARGE}".encode() + b"    \xff\n") is None
    assert outline(SMALL.replace("name: a", "name: \xff").encode("latin-1")) is None


LINES = st.sampled_from(
    [
        "apiVersion: v1", "kind: A", "kind: 'B'", "metadata:", "  name: n", "  annotations:", '    a: "b"', "    c: d",
        "    a: 'x", "  labels: {}", "---", "--- # c", "...", "spec:", "- x", "  - y", "  kind: Z", "# c", "  # c", "",
        "data: |", "data: >-", 'q: "', '"', "'", "  '", "kind: C # d", "  k: v # w", "k: {", "}", "  e:", "    f: 1",
        "- name: n", "  name: [n]", "  g: x: y", "  h: yes", "    yes: no", "  name: n", "\t", "  \tx",
    ]
)  # fmt: skip


@given(
    st.tuples(st.sampled_from(["", SMALL, "kind: A\napiVersion: v1\nmetadata:\n"]), st.lists(LINES, max_size=12)).map(
        lambda parts: parts[0] + "\n".join(parts[1])
    )
)
@example("kind: A\napiVersion: v1\nmetadata:\n  a: b\n   c\n")
@example("kind: A\napiVersion: v1\nmetadata:\n  a: b\n    c: d\n")
def test_whatever_it_reads_the_full_reading_reads_too(text: str) -> None:
    found = outline(text.encode())
    if found is None:
        return
    try:
        expected = full(text.encode())
    except DocumentError as error:
        pytest.fail(f"accepted what is not YAML: {error}")
    assert list(found) == expected


def test_real_payload_is_read_alike_both_ways(shared: Path) -> None:
    given_up = []
    for path in sorted((shared / "corpus" / "releases" / "4.12.0").glob("*.yaml")):
        data = path.read_bytes()
        if (found := outline(data)) is None:
            given_up.append(path.name)
        else:
            assert list(found) == full(data), path.name
    assert len(given_up) < 10, given_up

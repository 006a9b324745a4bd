"""What a payload lacks where no digest proves it whole."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.payloads.test_payload import METADATA, REQUEST, SERVICE
from upgrade_gate.payloads import payload
from upgrade_gate.payloads.completeness import gaps
from upgrade_gate.payloads.payload import Payload
from upgrade_gate.payloads.reference import ReleaseFiles

NAMES = ("ant-operator", "bee-operator", "cluster-cat-operator", "dog-operator", "eel-operator", "fox-operator")
REFERENCES = json.dumps({"kind": "ImageStream", "spec": {"tags": [{"name": name} for name in NAMES]}}).encode()
FILES = {
    "0000_30_ant-operator_01.yaml": SERVICE,
    "0000_30_bee-operator_01.yaml": REQUEST,
    "0000_50_cat-operator_01.yaml": SERVICE,
    "0000_50_dog-operator_01.yaml": SERVICE,
    "0000_50_eel-operator_01.yaml": SERVICE,
    "0000_70_fox-operator_01.yaml": SERVICE,
    "0000_70_other_01.yaml": SERVICE,
}
WHOLE = tuple(FILES)


def release(
    files: Sequence[str] = WHOLE,
    *,
    whole: bool = False,
    references: bytes | None = REFERENCES,
    more: dict[str, bytes] | None = None,
) -> Payload:
    """Return a release of these files."""
    contents = {"release-metadata": METADATA, **{name: FILES[name].encode() for name in files}, **(more or {})}
    if references is not None:
        contents["image-references"] = references
    return payload.load(ReleaseFiles("dir:x", contents, whole=whole))


def without(*parts: str) -> list[str]:
    return [name for name in FILES if not any(part in name for part in parts)]


@pytest.mark.parametrize(
    ("gone", "missing"),
    [
        (("bee",), ["bee-operator"]),  # it carried a request
        (("ant",), []),  # one component more or less is the release's own affair
        (("ant", "cat", "dog"), []),
        (("ant", "cat", "dog", "eel"), ["ant-operator", "cat-operator", "dog-operator", "eel-operator"]),
        (("fox", "other"), ["fox-operator"]),  # cut off: all that comes behind
        (("eel", "fox", "other"), ["eel-operator", "fox-operator"]),
        (("fox",), []),  # something comes behind it
        (("other",), []),  # image-references names no such image
        (("ant", "fox", "other"), []),
    ],
)
def test_components_that_image_references_names_are_missed(gone: Sequence[str], missing: list[str]) -> None:
    found = list(gaps(release(without(*gone)), release()))
    assert [gap.name for gap in found] == missing
    assert {gap.what for gap in found} <= {"component"}
    assert not list(gaps(release(without(*gone), whole=True), release()))
    assert not list(gaps(release(), release(without(*gone))))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        *((blank, "is empty") for blank in (b"", b"\n", b" \n \r\n", b"---\n", b"---\n---\n", b"\xef\xbb\xbf")),
        *((nothing, "is empty") for nothing in (b"null\n", b"~\n", b"%YAML 1.1\n---\n")),
        *((other, "holds no object") for other in (b"text\n", b"\t\n", b"{}\n", b"[]\n", b"- a\n", b"7\n---\n{}\n")),
    ],
)
def test_empty_manifest_is_a_gap(content: bytes, words: str) -> None:
    (gap,) = gaps(release(more={"0000_50_x.yaml": content}), release())
    assert (gap.what, gap.name, gap.text) == ("empty", "0000_50_x.yaml", f"0000_50_x.yaml {words}")
    assert not list(gaps(release(whole=True, more={"0000_50_x.yaml": content}), release()))


@pytest.mark.parametrize(
    "content", [b"# nothing yet\n", b"--- # nothing\n# yet\n", SERVICE.encode() + b"---\ntext\n", b"a: [\n", b"a: 1\n"]
)
def test_file_with_words_alone_or_with_an_object_however_spoilt_is_not_empty(content: bytes) -> None:
    assert not list(gaps(release(more={"0000_50_x.yaml": content}), release()))


@pytest.mark.parametrize(
    "references", [None, b"", b"{", b"[]", b"\xff", b'{"spec": {"tags": 3}}', b'{"spec": {"tags": [{"name": null}]}}']
)
def test_image_references_that_cannot_be_read_are_a_gap(references: bytes | None) -> None:
    found = gaps(release(references=references), release())
    assert [(gap.what, gap.name) for gap in found] == [("file", "image-references")]


OPERATOR = """apiVersion: config.openshift.io/v1
kind: ClusterOperator
metadata:
  name: ant
spec: {{}}
status:
  versions:
  - name: operator
    version: {}
  - name: operand
    version: {}
"""


@pytest.mark.parametrize(
    ("stated", "wanted"),
    [
        (("4.18.7", '"4.18.7"', "'4.18.7'"), {}),
        (("4.18.7", "4.17.9"), {"4.17.9": "0000_60_1.yaml"}),
        (('"4.17.9"', "4.17.9", '"4.18.7"', "4.16.1"), {"4.16.1": "0000_60_3.yaml", "4.17.9": "0000_60_0.yaml"}),
        (("4.17.9", "4.16.1"), {"4.16.1": "0000_60_1.yaml", "4.17.9": "0000_60_0.yaml"}),
        (("4.17.9", "4.17.9"), {}),  # one release, given another name
    ],
)
def test_a_folder_with_operators_of_several_releases_is_not_whole(
    stated: Sequence[str], wanted: dict[str, str]
) -> None:
    """Such is a release that was extracted over another one, above all where that was cut off."""
    operators = {f"0000_60_{n}.yaml": OPERATOR.format(v, "1.2.3").encode() for n, v in enumerate(stated)}
    mixed = release(more=operators)
    assert {gap.name: gap.file for gap in gaps(mixed, release()) if gap.what == "version"} == wanted
    assert all(gap.name in gap.text and gap.file in gap.text for gap in gaps(mixed, release()))
    assert not list(gaps(release(more=operators, whole=True), release()))


def test_only_operators_tell_and_only_where_the_release_says_which_it_is() -> None:
    old, new = (OPERATOR.format(version, "1.2.3").encode() for version in ("4.17.9", "4.18.7"))
    other = release(more={"0000_60_0.yaml": old.replace(b"ClusterOperator", b"ConfigMap"), "0000_60_1.yaml": new})
    assert not list(gaps(other, release()))
    nameless = release(more={"0000_60_0.yaml": old, "0000_60_1.yaml": new, "release-metadata": b"{}"})
    assert not list(gaps(nameless, release()))
    assert [(u.location.file, u.harmless) for u in nameless.unreadable] == [("release-metadata", False)], "unknown"


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "0000_60_1.yaml says"), (2, "0000_60_1.yaml and 1 more file say"), (3, "0000_60_1.yaml and 2 more files say")],
)
def test_how_many_files_another_release_has_is_said(number: int, said: str) -> None:
    stated = ("4.18.7", *["4.17.9"] * number)
    operators = {f"0000_60_{n}.yaml": OPERATOR.format(v, "1.2.3").encode() for n, v in enumerate(stated)}
    (gap,) = (gap for gap in gaps(release(more=operators), release()) if gap.what == "version")
    assert gap.text.startswith(f"{said} 4.17.9:")


def test_what_lies_behind_the_end_is_a_gap() -> None:
    loaded = payload.load(ReleaseFiles("archive:x", {"image-references": REFERENCES}, damage=("data follows",)))
    assert [(gap.what, gap.text) for gap in gaps(loaded, loaded)] == [("data", "data follows")]


@pytest.mark.parametrize(("metadata", "called"), [(METADATA, "4.18.7"), (b"{}", "dir:x")])
def test_the_other_release_is_called_by_its_version_else_by_its_reference(metadata: bytes, called: str) -> None:
    (gap,) = gaps(release(without("bee")), release(more={"release-metadata": metadata}))
    assert gap.text == f"image-references names bee-operator, of which {called} has manifests"


def test_requests_and_nothing_else_are_recognised() -> None:
    bare = payload.load(ReleaseFiles("dir:x", {"a.yaml": REQUEST.encode()}))
    assert bare.requests_only
    assert not payload.load(ReleaseFiles("dir:x", {"a.yaml": SERVICE.encode()})).requests_only
    assert not release(references=None).requests_only
    assert not payload.load(
        ReleaseFiles("dir:x", {"a.yaml": REQUEST.encode(), "image-references": REFERENCES})
    ).requests_only

"""Export files: whatever shell wrote them, the same documents come out, and what is broken is said."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from upgrade_gate.base.errors import EntitlementError, UsageError
from upgrade_gate.reading import exports, yaml
from upgrade_gate.reading.limits import Limits

BODY = {"RoleName": "r", "PolicyName": "p", "PolicyDocument": {"Statement": []}, "Grüße": "ü"}
TEXT = json.dumps(BODY, ensure_ascii=False)


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        json.dumps(BODY).encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        b"\xff\xfe" + TEXT.encode("utf-16-le"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\r\n  " + TEXT.encode() + b"\r\n",
        b"RoleName: r\nPolicyName: p\nPolicyDocument: {Statement: []}\nGr\xc3\xbc\xc3\x9fe: \xc3\xbc\n",
        gzip.compress(TEXT.encode()),
        gzip.compress(TEXT[:9].encode()) + gzip.compress(TEXT[9:].encode()),
        gzip.compress(b"\xff\xfe" + TEXT.encode("utf-16-le")),
    ],
    ids=[
        "utf-8",
        "escaped",
        "utf-8 mark",
        "utf-16-le mark",
        "utf-16-be mark",
        "utf-16-le",
        "utf-16-be",
        "crlf",
        "yaml",
        "gzip",
        "gzip in two members",
        "gzip of utf-16",
    ],
)
def test_every_encoding_gives_the_same_document(data: bytes) -> None:
    assert exports.parse(data) == ((BODY,), None)


@pytest.mark.parametrize("between", ["", "\n", "\r\n\r\n", ",\n", "\x1e"])
def test_documents_one_after_the_other_are_pages(between: str) -> None:
    assert exports.parse((TEXT + between + TEXT).encode()) == ((BODY, BODY), None)


def test_a_value_after_a_document_is_a_document() -> None:
    assert exports.parse(f'{TEXT} "x" 7'.encode()) == ((BODY, "x", 7), None)


def test_yaml_keeps_dates_and_equal_signs_as_text() -> None:
    data = b"etag: =\ncreated: 2026-11-24\n---\nstage: GA\n"
    assert exports.parse(data) == (({"etag": "=", "created": "2026-11-24"}, {"stage": "GA"}), None)


def test_yaml_scalars_mean_the_same_as_in_a_payload() -> None:
    text = b"a: 12:30\nb: 0o17\nc: 010\nd: yes\ne: 1_000\nf: '12:30'\ng: 0x1f\n"
    bodies, _ = exports.parse(text)
    assert bodies == tuple(document.body for document in yaml.parse(text, "x"))
    assert bodies == ({"a": "12:30", "b": 15, "c": 8, "d": True, "e": 1000, "f": "12:30", "g": 31},)


def test_flow_yaml_is_read_although_it_begins_like_json() -> None:
    assert exports.parse(b"{stage: GA}") == (({"stage": "GA"},), None)


@pytest.mark.parametrize("data", [b"", b" \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_no_answer(data: bytes) -> None:
    bodies, problem = exports.parse(data)
    assert bodies == ()
    assert problem is not None
    assert problem.startswith("empty: ")
    assert "--format=json" in problem, "gcloud prints an empty list as nothing, unless it is asked for JSON"


def test_gzip_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MAX_BYTES", 1000)
    assert exports.parse(gzip.compress(b" " * 1000 + b"{}")) == ((), "larger than 1000 bytes when unpacked")


@pytest.mark.parametrize("before", ["WARNING: something: odd\n", "Listed 1 items.\n", "warn\nwarn: again\n\n"])
@pytest.mark.parametrize("exported", [TEXT, "name: x\nrules:\n- denyRule:\n    deniedPrincipals:\n    - a\n"])
def test_an_export_behind_a_commands_own_words_is_damaged_and_no_note(before: str, exported: str) -> None:
    bodies, problem = exports.parse((before + exported).encode())
    assert bodies == ()
    assert "other text" in str(problem)


def test_a_script_is_a_document_that_nobody_knows() -> None:
    script = "#!/bin/sh\nset -e: 'x\n"
    assert exports.parse(script.encode()) == ((script,), None)


@pytest.mark.parametrize(
    ("data", "read", "problem"),
    [
        (TEXT.encode()[:-4], (), "begins in line 1"),
        ((TEXT + "\n" + TEXT[:-4]).encode(), (BODY,), "begins in line 2"),
        (b"[" * 100_000, (), "nested too deep"),
        (b"[" * 500 + b"]" * 500, (), "nested deeper than 200"),
        (TEXT.encode() + b'{"a":' * 300 + b"[]" + b"}" * 300, (BODY,), "nested deeper than 200"),
        (b"\x89PNG\r\n\x1a\n\x00\x01", (), "neither UTF-8 nor UTF-16"),
        (b'{"a": "\xff"}', (), "neither UTF-8 nor UTF-16"),
        (gzip.compress(TEXT.encode())[:-9], (), "gzip that is cut off"),
        (gzip.compress(TEXT.encode())[:10] + b"\xff" * 40, (), "gzip that cannot be unpacked"),
        (b'{"a"\x00: 1, "b": 2}', (), "neither UTF-8 nor UTF-16"),
        (b"bindings:\n- role: r\netag: x\nvers", (), "cut off"),
        (b"bindings:\n- role: r\n  members: [a\n", (), "cut off"),
        (b"bindings:\n- role: r\netag: 'abc", (), "cut off"),
        (b"bindings:\n- role: r\netag: *x\n", (), "alias"),
        (b'{"Effect": "Deny", "Effect": "Allow"}', (), "the key 'Effect' appears twice"),
        ((TEXT + '\n[{"a": {"b": 1, "b": 2}}]').encode(), (BODY,), "the key 'b' appears twice"),
        (b"Statement:\n- Effect: Deny\n  Effect: Allow\n", (), "the key 'Statement[0].Effect' appears twice"),
        (b"{a: 1, a: 2}", (), "the key 'a' appears twice"),
    ],
    ids=[
        "cut off",
        "second cut off",
        "deep",
        "deep lists",
        "deep objects",
        "binary",
        "not utf-8",
        "gzip cut off",
        "gzip broken",
        "zero byte",
        "yaml cut in a key",
        "yaml cut in a list",
        "yaml cut in quotes",
        "yaml alias",
        "a key twice",
        "a key twice in the second",
        "yaml key twice",
        "flow yaml key twice",
    ],
)
def test_what_is_broken_is_said_and_what_came_before_is_kept(data: bytes, read: Any, problem: str) -> None:
    bodies, fault = exports.parse(data)
    assert bodies == read
    assert fault is not None
    assert problem in fault


@pytest.mark.parametrize(
    "text",
    ["a: &x 1\nb: *x\n", "a: " + "[" * 300 + "]" * 300 + "\n", "a: !!python/object:os.system {}\n"],
    ids=["alias", "deep", "tag"],
)
def test_hostile_yaml_is_not_constructed(text: str) -> None:
    assert exports.parse(text.encode()) == ((text,), None)


@pytest.mark.parametrize(
    "text", ["Note: these are\nexport files: of: c1\n", "*Note*: see 'below\n", "- a\n- b: c: d\n"]
)
def test_a_note_is_a_document_that_nobody_knows(text: str) -> None:
    assert exports.parse(text.encode()) == ((text,), None)


def test_a_link_that_leads_nowhere_or_to_a_folder_is_a_problem_of_that_file(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.json").write_text("{}")
    export = tmp_path / "export"
    export.mkdir()
    (export / "a.json").symlink_to(tmp_path / "elsewhere" / "x.json")
    (export / "b.json").symlink_to(tmp_path / "nowhere")
    (export / "c").symlink_to(tmp_path / "elsewhere")
    (export / "..data").symlink_to(tmp_path / "elsewhere")
    good, dangling, folder = exports.read(export)
    assert (good.bodies, good.problem) == (({},), None)
    assert dangling.problem is not None
    assert dangling.problem.startswith("b.json: ")
    assert folder.problem == "c: a link to a folder, which is not followed"


def test_a_folder_is_read_whole_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.json").write_text("[1]")
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("{}")
    found = exports.read(tmp_path)
    assert [(f.name, f.bodies) for f in found] == [("a.json", ({},)), ("b/two.json", ([1],))]
    assert found[0].sha256 == hashlib.sha256(b"{}").hexdigest()


def test_a_single_file_goes_by_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert [f.name for f in exports.read(tmp_path / "x.json")] == ["x.json"]


def test_a_path_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nowhere.*no such file"):
        exports.read(tmp_path / "nowhere")


def test_an_empty_folder_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(EntitlementError, match="holds no file"):
        exports.read(tmp_path)


def test_a_file_too_large_is_a_problem_of_that_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MAX_BYTES", 10)
    (tmp_path / "x.json").write_text("[1, 2, 3, 4]")
    (file,) = exports.read(tmp_path)
    assert file.bodies == ()
    assert file.problem == "x.json: larger than 10 bytes"


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MAX_FILES", 1)
    for name in ("a", "b"):
        (tmp_path / name).write_text("{}")
    with pytest.raises(EntitlementError, match="holds 2 files"):
        exports.read(tmp_path)


def test_yaml_too_large_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "_LIMITS", Limits(file=3, nodes=0))
    assert exports.parse(b"a: bc") == (("a: bc",), None)


def test_a_file_that_cannot_be_opened_is_a_problem_of_that_file(tmp_path: Path) -> None:
    link = tmp_path / "x.json"
    link.write_text("{}")
    link.chmod(0)
    (file,) = exports.read(tmp_path)
    if file.problem is None:
        pytest.skip("this user may read any file")
    assert file.problem.startswith("x.json: ")

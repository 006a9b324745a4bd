"""What the command line refuses before any work: options given twice, wrong paths, outputs that cannot be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds.running import run
from upgrade_gate.base.errors import OutputError, UsageError
from upgrade_gate.cli import completes, stdout

BOTH = ("check", "--from", "dir:a", "--to", "dir:b", "--no-cluster", "--platform", "AWS")


@pytest.mark.parametrize(
    "twice",
    [
        *(("--to", "x"), ("--to=dir:b",), ("--platform", "AWS"), ("--from", "dir:a")),
        *(("--mode", "mint", "--mode", "manual"), ("--fail-on", "warning", "--fail-on", "blocker")),
        *(("--config", "/dev/null", "--config", "/dev/null"), ("--now", "2026-01-01", "--now", "2026-01-02")),
        ("-a", "/dev/null", "--registry-config", "/dev/null"),
    ],
)
def test_an_option_that_takes_one_value_is_given_once(twice: tuple[str, ...]) -> None:
    result = run(*BOTH, *twice)
    assert result.code == 2
    assert f"{twice[-2] if len(twice) > 1 else '--to'} is given more than once" in result.err.splitlines()[0]


@pytest.mark.parametrize("again", [("--label", "a=1", "--label", "b=2"), ("-v", "-v"), ("--no-cache", "--no-cache")])
def test_what_may_be_repeated_is(again: tuple[str, ...]) -> None:
    assert "more than once" not in run(*BOTH, *again).err


@pytest.mark.parametrize(
    "command", [("ack", "--owner", "a"), ("remediate", "-d", "a"), ("init", "github", "--to", "a")]
)
def test_every_command_refuses_it(command: tuple[str, ...]) -> None:
    result = run(*command, *command[-2:])
    assert result.code == 2
    assert "is given more than once" in result.err.splitlines()[0]


@pytest.mark.parametrize("value", ["bash_source", "zsh_source", "bash_complete", "zz", "1"])
def test_a_completion_variable_that_was_left_behind_replaces_no_run(value: str) -> None:
    result = run("explain", "no-such-rule", env={"_UPGRADE_GATE_COMPLETE": value})
    assert result.code == 2
    assert "no verdict was reached" in result.err


@pytest.mark.parametrize(
    ("value", "asks"), [("bash_source", True), ("zz", False), ("bash_complete", False), ("", False)]
)
def test_only_a_shell_that_asks_is_answered(value: str, asks: bool) -> None:
    os.environ.pop("COMP_WORDS", None)
    assert completes(value) is asks


def _place(folder: Path, name: str) -> Path:
    (folder / "file").write_text("")
    (folder / "folder").mkdir()
    (folder / "link").symlink_to("file")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "away").symlink_to("folder")
    os.mkfifo(folder / "pipe")
    return folder / name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *(("gone/x", "is not there"), ("file/x", "is not there"), ("folder", "is a folder"), ("link", "is a link")),
        *(("dangling", "is a link"), ("away", "is a link"), ("pipe", "is a pipe"), ("a" * 300, "too long")),
        ("nul\0", "a NUL is in its name"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path, name: str, why: str) -> None:
    place = _place(tmp_path, name)
    with pytest.raises(OutputError, match=why):
        stdout.check_file(place)
    with pytest.raises(OutputError, match=why):
        stdout.write_file(place, "x")
    assert (tmp_path / "file").read_text() == ""


@pytest.mark.parametrize("name", ["file", "new", "folder/new", "away/new", "/dev/null", "/dev/stderr", "/dev/fd/2"])
def test_an_output_that_can_be_written_is_taken(tmp_path: Path, name: str) -> None:
    stdout.check_file(_place(tmp_path, name))


@pytest.mark.parametrize(
    ("name", "good"), [("folder", True), ("new/er", True), ("file", False), ("file/x", False), ("dangling", False)]
)
def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path, name: str, good: bool) -> None:
    place = _place(tmp_path, name)
    if good:
        stdout.check_folder(place)
        return
    with pytest.raises(UsageError, match=r"is not a folder|it is a link"):
        stdout.check_folder(place)


def test_a_folder_whose_name_none_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="File name too long"):
        stdout.check_folder(tmp_path / ("x" * 5000))


@pytest.mark.parametrize("output", ["gone/x.json", "link", "pipe"])
def test_outputs_are_checked_before_anything_is_read(tmp_path: Path, output: str) -> None:
    place = _place(tmp_path, output)
    result = run(*BOTH, "-o", f"json={place}")
    assert result.code == 1
    assert str(place) in result.err.splitlines()[0]


def test_a_report_does_not_lie_in_the_folder_of_the_bundle(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    result = run(*BOTH, "-o", f"json={tmp_path}/b/r.json", "--bundle", str(tmp_path / "b"))
    assert result.code == 2
    assert "lies in the folder of the bundle" in result.err


@pytest.mark.parametrize(
    ("form", "make", "told"),
    [
        ("must-gather", lambda path: path.mkdir(), "the folder is empty"),
        ("must-gather", lambda path: (path / "a" / "b").mkdir(parents=True), "the folder is empty"),
        ("must-gather", lambda path: path.mkdir() or (path / "notes.txt").write_text("x"), "no object"),
        ("must-gather", lambda path: path.mkdir() or (path / "values.yaml").write_text("a: 1\n"), "no object"),
        ("snapshot", lambda path: path.mkdir(), "given as must-gather:"),
    ],
)
def test_a_path_that_holds_no_cluster_is_a_usage_error(tmp_path: Path, form: str, make: object, told: str) -> None:
    assert callable(make)
    make(tmp_path / "x")
    result = run("check", "--from", "dir:a", "--to", "dir:b", "--cluster", f"{form}:{tmp_path}/x")
    assert result.code == 2
    assert told in result.err.splitlines()[0]
    assert f"{form}:{tmp_path}/x" in result.err.splitlines()[0]


@pytest.mark.parametrize("flags", [(), ("-P",)])
def test_the_module_form_imports_nothing_from_the_working_folder(tmp_path: Path, flags: tuple[str, ...]) -> None:
    for name in ("click", "msgspec", "yaml", "gc", "json", "requests", "pathlib"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('planted')")
    done = subprocess.run(
        [sys.executable, *flags, "-m", "upgrade_gate", "rules"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "permission-added" in done.stdout

"""Where the program finds itself: homes, temporary folders, streams, disks, locales. No surroundings make a pass.

Root may do everything, so what is about rights runs without root's capabilities where the tests run as root.
"""

from __future__ import annotations

import functools
import json
import os
import resource
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.test_interruption import packed
from tests.worlds.components import require

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NO_VERDICT = "error: no verdict was reached: "
PASS, BLOCKED = "4.19.2", "4.18.7"
"""From which release to 4.19.2: the one has nothing to ask for, the other has."""
SURROUNDINGS: dict[str, dict[str, str | None]] = {
    "a home that is not there": {"HOME": "/nonexistent"},
    "no home": {"HOME": None},
    "an empty home": {"HOME": ""},
    "a home that is a file": {"HOME": "/etc/passwd"},
    "nothing of XDG": {"XDG_CACHE_HOME": None, "XDG_CONFIG_HOME": None, "XDG_RUNTIME_DIR": None},
    "XDG that leads nowhere": {"XDG_CACHE_HOME": "/nonexistent/x", "XDG_CONFIG_HOME": "/dev/null/x"},
    "a temporary folder that is not there": {"TMPDIR": "/nonexistent"},
    "a temporary folder that is a file": {"TMPDIR": "/etc/passwd"},
    "the C locale": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "POSIX": {"LC_ALL": "POSIX", "LANG": None},
    "Turkish": {"LC_ALL": "tr_TR.UTF-8"},
    "a locale that does not exist": {"LC_ALL": "xx_YY.KOI-9"},
    "ASCII streams": {"PYTHONIOENCODING": "ascii"},
    "Latin streams": {"PYTHONIOENCODING": "latin-1:strict", "PYTHONUTF8": "0"},
    "no assertions and no docstrings": {"PYTHONOPTIMIZE": "2"},
    "warnings are errors": {"PYTHONWARNINGS": "error"},
    "development mode": {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "error"},
    "another hash seed": {"PYTHONHASHSEED": "4711"},
    "no colours, dumb terminal": {"TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "1"},
    "absurd columns": {"COLUMNS": "-7"},
}


def command_line(fixtures: Path, *more: str | Path, old: str = BLOCKED) -> list[str]:
    """Return a check of the fixtures' releases."""
    releases = fixtures / "releases"
    given = ("--from", f"dir:{releases / old}", "--to", f"dir:{releases / '4.19.2'}", "--no-cluster")
    return [sys.executable, "-m", "upgrade_gate", "check", *given, "--platform", "AWS", *map(str, more)]


def start(
    command: Sequence[str],
    folder: Path,
    changes: dict[str, str | None] | None = None,
    before: Callable[[], None] | None = None,
    **streams: Any,
) -> subprocess.CompletedProcess[bytes]:
    """Run a command line in a folder, with some variables set or (None) taken away; `before` runs in its process."""
    fixed: dict[str, str | None] = {"HOME": str(folder), "SOURCE_DATE_EPOCH": "1790000000", "KUBECONFIG": None}
    values = {**os.environ, **fixed, **(changes or {})}
    return subprocess.run(
        command,
        cwd=folder,
        env={name: value for name, value in values.items() if value is not None},
        timeout=120,
        check=False,
        preexec_fn=before,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
    )


def bound_by_modes(command: Sequence[str]) -> list[str]:
    """Return a command line that modes of files bind, also where root starts it."""
    if os.geteuid() != 0:
        return list(command)
    return [str(require("setpriv")), "--bounding-set=-all", "--inh-caps=-all", "--", *command]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory, fixtures: Path) -> Callable[[str, str], bytes]:
    """A function that gives what a format says in usual surroundings, and checks the exit code once."""

    @functools.cache
    def report(form: str, old: str) -> bytes:
        command = command_line(fixtures, "-o", form, "--now", "2026-11-02", old=old)
        done = start(command, tmp_path_factory.mktemp("usual"))
        assert done.returncode == (0 if old == PASS else 3), done.stderr.decode()
        return done.stdout

    return report


@pytest.mark.parametrize("old", [PASS, BLOCKED])
@pytest.mark.parametrize("changes", SURROUNDINGS.values(), ids=SURROUNDINGS)
def test_surroundings_change_neither_verdict_nor_report(
    changes: dict[str, str | None], old: str, tmp_path: Path, fixtures: Path, usual: Callable[[str, str], bytes]
) -> None:
    other = start(command_line(fixtures, "-o", "json", "--now", "2026-11-02", old=old), tmp_path, changes)
    assert other.returncode == (0 if old == PASS else 3), other.stderr.decode()
    assert other.stdout == usual("json", old)


@pytest.mark.parametrize("form", ["text", "html", "markdown", "sarif", "junit", "codequality", "github"])
@pytest.mark.parametrize("name", ["ASCII streams", "no assertions and no docstrings"])
def test_formats_have_the_same_bytes_everywhere(
    name: str, form: str, tmp_path: Path, fixtures: Path, usual: Callable[[str, str], bytes]
) -> None:
    command = command_line(fixtures, "-o", form, "--now", "2026-11-02")
    assert start(command, tmp_path, SURROUNDINGS[name]).stdout == usual(form, BLOCKED)


@pytest.mark.parametrize(
    "words", [("--help",), ("rules",), ("explain", "permission-added"), ("schema",), ("completion", "bash"), ("demo",)]
)
@pytest.mark.parametrize("name", ["the C locale", "ASCII streams", "Latin streams", "no assertions and no docstrings"])
def test_what_is_printed_can_be_printed_everywhere(name: str, words: Sequence[str], tmp_path: Path) -> None:
    done = start([sys.executable, "-m", "upgrade_gate", *words], tmp_path, SURROUNDINGS[name])
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.strip()


def test_no_rule_stands_on_an_assertion(tmp_path: Path, fixtures: Path) -> None:
    """Every command refuses, blocks and passes alike with assertions off; so no rule can be carried by one."""
    for words in (
        command_line(fixtures, "--to", "x"),
        command_line(fixtures, "--config", "/nonexistent"),
        [*command_line(fixtures)[:3], "explain", "no-such-rule"],
        [*command_line(fixtures)[:3], "ack", "--report", "/dev/null", "0" * 16, "--reason", "r", "--owner", "o"],
        [*command_line(fixtures)[:3], "nothing"],
    ):
        plain, bare = (start(words, tmp_path, {"PYTHONOPTIMIZE": level}) for level in ("", "2"))
        assert (plain.returncode, plain.stderr) == (bare.returncode, bare.stderr)
        assert plain.returncode == 2


def test_a_home_that_cannot_be_written_only_costs_the_cache(tmp_path: Path, fixtures: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o555)
    done = start(bound_by_modes(command_line(fixtures)), tmp_path, {"HOME": str(home)})
    assert done.returncode == 3, done.stderr.decode()
    assert not list(home.iterdir())


@pytest.mark.parametrize(
    ("words", "object_"),
    [
        (("-o", "json=closed/r.json"), "closed"),
        (("-o", "json=closed/there.json"), "closed"),
        (("--bundle", "closed/b"), "closed"),
        (("--bundle", "closed"), "closed"),
    ],
)
def test_a_folder_that_may_not_be_written_is_refused_before_the_work(
    words: Sequence[str], object_: str, tmp_path: Path, fixtures: Path
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed" / "there.json").write_text("mine")
    if words[-1] == "closed":
        (tmp_path / "closed" / "there.json").unlink()
    (tmp_path / "closed").chmod(0o555)
    done = start(bound_by_modes(command_line(fixtures, *words)), tmp_path)
    assert done.returncode == 1, done.stderr.decode()
    first = done.stderr.decode().splitlines()[0]
    assert first.startswith(NO_VERDICT)
    assert object_ in first
    assert not done.stdout


@pytest.mark.parametrize("option", ["--config", "--acknowledgements"])
def test_a_file_that_may_not_be_read_is_named(option: str, tmp_path: Path, fixtures: Path) -> None:
    (tmp_path / "closed.yaml").write_text("{}")
    (tmp_path / "closed.yaml").chmod(0)
    done = start(bound_by_modes(command_line(fixtures, option, "closed.yaml")), tmp_path)
    assert done.returncode == 2, done.stderr.decode()
    assert b"closed.yaml" in done.stderr.splitlines()[0]


CLOSINGS = ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- 2>&-", "<&- >&- 2>&-"]


@pytest.mark.parametrize("output", ["", "-o json", "-o json=r.json", "-o json=/dev/stdout", "-o json=/dev/stderr"])
@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_report_that_nobody_could_get_is_no_pass(closing: str, output: str, tmp_path: Path, fixtures: Path) -> None:
    line = f"{shlex.join(command_line(fixtures, *output.split(), old=PASS))} {closing}"
    done = start(["/bin/sh", "-c", line], tmp_path)
    to_stdout = output in ("", "-o json", "-o json=/dev/stdout")
    lost = (to_stdout and " >&-" in f" {closing}") or (output.endswith("stderr") and "2>&-" in closing)
    assert done.returncode == (1 if lost else 0), done.stderr.decode()
    if output == "-o json=r.json":
        json.loads((tmp_path / "r.json").read_bytes())
    else:
        assert not list(tmp_path.glob("*.json"))
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"no verdict" not in path.read_bytes(), "a message went into a file"


@pytest.mark.parametrize("closing", CLOSINGS)
def test_a_cache_that_is_written_with_closed_streams_is_whole(closing: str, tmp_path: Path, fixtures: Path) -> None:
    """What is opened first may get the number of a closed stream: nothing of ours is written there."""
    command = command_line(
        fixtures, "-v", "--cache-dir", tmp_path / "cache", "-o", "json=r.json", "--now", "2026-11-02"
    )
    assert start(["/bin/sh", "-c", f"{shlex.join(command)} {closing}"], tmp_path).returncode == 3
    first = (tmp_path / "r.json").read_bytes()
    again = start(command, tmp_path)
    assert again.returncode == 3
    assert b"damaged" not in again.stderr
    assert (tmp_path / "r.json").read_bytes() == first


@pytest.mark.parametrize("words", [("--report", "-", "0" * 16), ("--report", "/dev/stdin", "0" * 16)])
def test_closed_stdin_that_is_to_be_read_is_named(words: Sequence[str], tmp_path: Path) -> None:
    given = ("ack", *words, "--reason", "r", "--owner", "o", "--expires", "2999-01-01")
    done = start(["/bin/sh", "-c", f"{shlex.join([sys.executable, '-m', 'upgrade_gate', *given])} <&-"], tmp_path)
    assert done.returncode == 2, done.stderr.decode()
    assert done.stderr.startswith(NO_VERDICT.encode())


@pytest.mark.parametrize("form", ["text", "json", "html", "markdown", "sarif", "junit", "github"])
@pytest.mark.parametrize("old", [PASS, BLOCKED])
def test_a_reader_that_goes_away_is_no_verdict(old: str, form: str, tmp_path: Path, fixtures: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = start(command_line(fixtures, "-o", form, old=old), tmp_path, stdout=write)
    finally:
        os.close(write)
    assert done.returncode == 1
    assert done.stderr.startswith(NO_VERDICT.encode())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is not on this system")
@pytest.mark.parametrize("output", ["", "-o json", "-o json=/dev/stdout", "-o json=/dev/full"])
@pytest.mark.parametrize("old", [PASS, BLOCKED])
def test_a_full_disk_under_stdout_is_no_verdict(old: str, output: str, tmp_path: Path, fixtures: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = start(command_line(fixtures, *output.split(), old=old), tmp_path, stdout=full)
    assert done.returncode == 1, done.stderr.decode()
    first, *rest = done.stderr.decode().splitlines()
    assert first.startswith(NO_VERDICT)
    assert "No space left on device" in first
    assert any(line.startswith("hint: ") for line in rest)


def limited(most: int) -> Callable[[], None]:
    """Return a function that makes every file end at `most` bytes, as a full disk does."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


@pytest.mark.parametrize("most", [0, 1, 4096])
@pytest.mark.parametrize("words", [("-o", "json=r.json"), ("-o", "html=r.html"), ("--bundle", "b")], ids=" ".join)
@pytest.mark.parametrize("old", [PASS, BLOCKED])
def test_a_full_disk_is_no_verdict_and_leaves_nothing_half(
    old: str, words: Sequence[str], most: int, tmp_path: Path, fixtures: Path
) -> None:
    done = start(command_line(fixtures, "--no-cache", *words, old=old), tmp_path, before=limited(most))
    assert done.returncode == 1, done.stderr.decode()
    first, *rest = done.stderr.decode().splitlines()
    assert first.startswith(NO_VERDICT)
    assert words[1].rpartition("=")[2] in first
    assert any(line.startswith("hint: ") for line in rest)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith((".r.", ".b."))]
    assert not (tmp_path / "r.json").exists()
    assert not (tmp_path / "r.html").exists()


def test_a_full_disk_under_the_cache_only_costs_the_cache(tmp_path: Path, fixtures: Path) -> None:
    done = start(command_line(fixtures, "--cache-dir", tmp_path / "c"), tmp_path, before=limited(100))
    assert done.returncode == 3, done.stderr.decode()
    assert b"cannot be written" in done.stderr
    assert not [path for path in (tmp_path / "c").rglob("*") if path.is_file()]


def test_no_room_for_temporary_files_is_named(tmp_path: Path, fixtures: Path) -> None:
    for version in (PASS, BLOCKED):
        packed(fixtures / "releases" / version, tmp_path / f"{version}.tar.gz")
    line = command_line(fixtures, "--no-cache", "-o", "json")
    for place in [n for n, word in enumerate(line) if word.startswith("dir:")]:
        line[place] = f"archive:{Path(line[place]).name}.tar.gz"
    assert start(line, tmp_path).returncode == 3
    done = start(line, tmp_path, {"TMPDIR": str(tmp_path)}, limited(0))
    assert done.returncode == 4, done.stderr.decode()
    report = json.loads(done.stdout)
    assert "temporary" in report["findings"][0]["headline"]
    assert "TMPDIR" in json.dumps(report["findings"][0]["remedy"])

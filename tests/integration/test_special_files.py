"""Pipes, devices, sockets and links where a file is read or written: a word and an exit code, never an endless run."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from tests.integration.conftest import VARIABLES
from tests.worlds.faulty_registry import REPOSITORY, TAG, FaultHandler, faulty_registry
from tests.worlds.release_image import build
from upgrade_gate.reading.http.tls import BUNDLE_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.worlds.certificates import Certificates

IMAGE = build("4.15.3")

DEADLINE = 30.0
"""Seconds after which a run counts as one that waits for ever."""


def start(*arguments: str | Path, cwd: Path, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run the program with no stdin; return exit code and what it says, stderr first."""
    done = subprocess.run(
        [sys.executable, "-m", "upgrade_gate", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "HOME": str(cwd), **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    return done.returncode, done.stderr + done.stdout


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with something of each kind that is no file."""
    for name in (*VARIABLES, *BUNDLE_VARIABLES, "KUBECONFIG"):
        monkeypatch.delenv(name, raising=False)
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)  # the name of a socket may have 107 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        (tmp_path / "device").symlink_to("/dev/zero")
        yield tmp_path


def pair(fixtures: Path) -> tuple[str, ...]:
    """Return options that name two releases without a cluster."""
    releases = fixtures / "releases"
    return (
        *("--from", f"dir:{releases / '4.18.7'}", "--to", f"dir:{releases / '4.19.2'}"),
        *("--no-cluster", "--platform", "AWS", "--no-cache"),
    )


INPUTS: dict[str, Sequence[str]] = {
    "--config": ("check", "PAIR", "--config", "INPUT"),
    "--acknowledgements": ("check", "PAIR", "--acknowledgements", "INPUT"),
    "--identities": ("check", "PAIR", "--identities", "export:INPUT"),
    "--registry-config": ("check", "LOCKED", "-a", "INPUT"),
    "--certificate-authority": ("check", "TLS", "--certificate-authority", "INPUT"),
    "--idms-file": ("check", "IMAGE", "--idms-file", "INPUT"),
    "--icsp-file": ("check", "IMAGE", "--icsp-file", "INPUT"),
    "--signatures": ("check", "IMAGE", "--signatures", "INPUT"),
    "--graph": ("check", "VERSION", "--graph", "INPUT", "--channel", "stable-4.19"),
    "--kubeconfig": ("check", "--to", "4.19.2", "--kubeconfig", "INPUT"),
    "snapshot:": ("check", "--to", "4.19.2", "--cluster", "snapshot:INPUT"),
    "must-gather:": ("check", "--to", "4.19.2", "--cluster", "must-gather:INPUT"),
    "dir:": ("diff", "dir:INPUT", "dir:INPUT", "--platform", "AWS"),
    "archive:": ("diff", "archive:INPUT", "archive:INPUT", "--platform", "AWS"),
    "oci:": ("diff", "oci:INPUT", "oci:INPUT", "--platform", "AWS"),
    "mirror:": ("diff", "mirror:INPUT", "mirror:INPUT", "--platform", "AWS"),
    "a path alone": ("diff", "./INPUT", "./INPUT", "--platform", "AWS"),
    "ack --report": (
        *("ack", "--report", "INPUT", "0123456789abcdef"),
        *("--reason", "r", "--owner", "o", "--expires", "2999-01-01"),
    ),
}


Lines: TypeAlias = "Callable[[Sequence[str], str], tuple[str, ...]]"


def locked(handler: FaultHandler, _: int) -> bool:
    """Ask everybody for a password."""
    asked = {"WWW-Authenticate": 'Basic realm="x"', "Content-Length": "0"}
    if "Authorization" not in handler.headers:
        handler.answer(401, b"", asked)
        return True
    return False


@pytest.fixture(scope="module")
def lines(fixtures: Path, certificates: Certificates) -> Iterator[Lines]:
    """A function that writes a row of INPUTS out as a command line whose input has the given name."""
    both = ("--no-cluster", "--platform", "AWS", "--no-cache", "--timeout", "10")

    def named(host: str) -> tuple[str, ...]:
        return ("--from", f"{host}/{REPOSITORY}:{TAG}", "--to", f"{host}/{REPOSITORY}:{TAG}", *both)

    with (
        faulty_registry(IMAGE) as (plain, _),
        faulty_registry(IMAGE, locked) as (barred, _),
        faulty_registry(IMAGE, certificates=certificates) as (tls, _),
    ):
        places = {
            "PAIR": pair(fixtures),
            "IMAGE": (*named(plain), "--insecure", plain),
            "LOCKED": (*named(barred), "--insecure", barred),
            "TLS": named(tls),
            "VERSION": ("--from", "4.18.7", "--to", "4.19.2", *both),
        }
        yield lambda words, name: tuple(
            text for word in words for text in places.get(word, (word.replace("INPUT", name),))
        )


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
@pytest.mark.parametrize("words", INPUTS.values(), ids=INPUTS)
def test_an_input_that_is_no_file_is_refused_with_a_word(
    words: Sequence[str], kind: str, place: Path, lines: Lines
) -> None:
    code, told = start(*lines(words, kind), cwd=place)
    assert code in ((3,) if "export:INPUT" in words else (2, 4)), told
    told = " ".join(told.split())
    assert kind in told, told
    assert any(
        word in told
        for word in ("no file", "not a file", "not a regular file", "not a folder", "neither file nor folder")
    ), told


@pytest.mark.parametrize("kind", ["pipe", "socket", "device"])
@pytest.mark.parametrize("variable", ["KUBECONFIG", "REGISTRY_AUTH_FILE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_an_input_that_the_environment_names_does_not_wait(variable: str, kind: str, place: Path, lines: Lines) -> None:
    words = {
        "KUBECONFIG": ("check", "--to", "4.19.2"),
        "REGISTRY_AUTH_FILE": ("check", "LOCKED"),
    }.get(variable, ("check", "TLS"))
    code, err = start(*lines(words, ""), cwd=place, env={variable: kind})
    assert code in (2, 4), err
    assert kind in err, err


@pytest.mark.parametrize("name", [".docker/config.json", ".config/containers/auth.json", ".kube/config"])
def test_a_file_of_the_home_that_is_a_pipe_does_not_wait(name: str, place: Path, lines: Lines) -> None:
    (place / name).parent.mkdir(parents=True)
    os.mkfifo(place / name)
    code, err = start(*lines(("check", "LOCKED"), ""), cwd=place)
    assert code == 4, err


def test_process_substitution_is_read(tmp_path: Path, fixtures: Path) -> None:
    words = " ".join(f"'{word}'" for word in ("check", *pair(fixtures)))
    script = f"'{sys.executable}' -m upgrade_gate {words} --config <(echo 'timeout: none')"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False
    )
    assert done.returncode == 2
    assert "/dev/fd/" in done.stderr.splitlines()[0]
    assert "timeout" in done.stderr.splitlines()[0]


FOLDERS = {
    "dir:": ("diff", "dir:X", "dir:X", "--platform", "AWS", "--no-cache"),
    "must-gather:": ("check", "--to", "dir:RELEASE", "--cluster", "must-gather:X", "--no-cache"),
    "--identities": ("check", "PAIR", "--identities", "export:X"),
    "--signatures": ("check", "IMAGE", "--signatures", "X", "--verify", "require"),
}


@pytest.mark.parametrize("words", FOLDERS.values(), ids=FOLDERS)
def test_a_pipe_inside_a_folder_is_not_waited_for(
    words: Sequence[str], place: Path, fixtures: Path, lines: Lines
) -> None:
    source = fixtures / ("clusters/aws-sts" if any("must-gather" in w for w in words) else "releases/4.19.2")
    shutil.copytree(source, place / "X")
    for folder in [place / "X", *filter(Path.is_dir, (place / "X").rglob("*"))]:
        for name in ("0000_00_pipe.yaml", "pipe.json", "signature-1"):
            os.mkfifo(folder / name)
    made = lines(words, "")
    code, err = start(*(w.replace("RELEASE", str(fixtures / "releases" / "4.19.2")) for w in made), cwd=place)
    assert code in (2, 3, 4), err


OUTPUTS: dict[str, Sequence[str]] = {
    "check -o": ("check", "PAIR", "-o", "json=OUT"),
    "diff -o": ("diff", "FROM", "TO", "--platform", "AWS", "--no-cache", "-o", "json=OUT"),
    "check --bundle": ("check", "PAIR", "--bundle", "OUT"),
    "remediate -d": ("remediate", "PAIR", "-d", "OUT"),
    "extract -d": ("extract", "--to", "TO", "--platform", "AWS", "--no-cache", "-d", "OUT"),
    "snapshot": ("snapshot", "--to", "TO", "--cluster", "DUMP", "--no-cache", "OUT"),
    "ack --write": (
        *("ack", "--report", "gone", "0123456789abcdef"),
        *("--reason", "r", "--owner", "o", "--expires", "2999-01-01", "--write", "OUT"),
    ),
    "init --write": ("init", "github", "--write", "OUT"),
}

FILES = [name for name, words in OUTPUTS.items() if "-d" not in words and "--bundle" not in words]


def make_place(folder: Path) -> None:
    """Put into a folder what an output may meet there."""
    (folder / "file").write_text("mine")
    (folder / "other").write_text("mine")
    os.link(folder / "other", folder / "hard-link")
    (folder / "link").symlink_to("file")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "target").mkdir()
    (folder / "folder-link").symlink_to("target")
    (folder / "dangling-folder").symlink_to("no-folder")
    (folder / "away").mkdir()


def output_line(words: Sequence[str], name: str, fixtures: Path) -> tuple[str, ...]:
    releases = fixtures / "releases"
    named = {
        "PAIR": pair(fixtures),
        "FROM": (f"dir:{releases / '4.18.7'}",),
        "TO": (f"dir:{releases / '4.19.2'}",),
        "DUMP": (f"must-gather:{fixtures / 'clusters' / 'aws-sts'}",),
    }
    return tuple(text for word in words for text in named.get(word, (word.replace("OUT", name),)))


def content(folder: Path) -> dict[str, str]:
    """Return what stands in a folder: names with their kind and content."""
    return {
        str(path.relative_to(folder)): f"{path.lstat().st_mode:o} {path.read_text() if path.is_file() else ''}"
        for path in sorted(folder.rglob("*"))
        if not path.name.startswith(".")
    }


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *(("link", "is a link"), ("dangling", "is a link"), ("hard-link", "has other names")),
        *(("pipe", "is a pipe"), ("device", "is a link"), ("/dev/zero", "is a device")),
        *(("target", "is a "), ("gone/x", "is not there"), ("/dev/fd/../../etc/x", "is not there")),
    ],
)
@pytest.mark.parametrize("command", FILES)
def test_a_file_is_not_written_there(command: str, name: str, why: str, place: Path, fixtures: Path) -> None:
    if "/x" in name and command == "init --write":
        pytest.skip("it makes the folders that it needs")
    make_place(place)
    before = content(place)
    code, err = start(*output_line(OUTPUTS[command], name, fixtures), cwd=place)
    assert code in (1, 2), err
    assert name in err.splitlines()[0], err
    assert why in err, err
    assert content(place) == before


@pytest.mark.parametrize("name", ["file", "link", "folder-link", "dangling-folder", "pipe", "socket", "/dev/null"])
@pytest.mark.parametrize("command", [name for name in OUTPUTS if name not in FILES])
def test_a_folder_is_not_made_there(command: str, name: str, place: Path, fixtures: Path) -> None:
    make_place(place)
    before = content(place)
    code, err = start(*output_line(OUTPUTS[command], name, fixtures), cwd=place)
    assert code in (1, 2), err
    assert name in err.splitlines()[0], err
    assert content(place) == before


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("check", "PAIR", "--acknowledgements", "mine.yaml", "-o", "json=OUT"), "mine.yaml"),
        (("check", "PAIR", "--config", "mine.yaml", "-o", "json=OUT"), "mine.yaml"),
        (("check", "PAIR", "--identities", "export:mine", "-o", "json=OUT"), "mine/a.json"),
        (("check", "PAIR", "--identities", "export:mine/a.json", "-o", "json=OUT"), "mine/a.json"),
        (("snapshot", "--to", "TO", "--cluster", "must-gather:mine", "--no-cache", "OUT"), "mine/a.json"),
        (("remediate", "PAIR", "--identities", "export:mine", "-d", "OUT"), "mine"),
        (("diff", "dir:mine", "TO", "--platform", "AWS", "--no-cache", "-o", "json=OUT"), "mine/a.json"),
        (("check", "PAIR", "--bundle", "mine", "-o", "json=OUT"), "mine/r.json"),
        (("check", "PAIR", "-o", "html=./mine/new", "-o", "json=OUT"), "mine/../mine/new"),
    ],
)
def test_an_output_is_no_input_and_no_other_output(
    words: Sequence[str], name: str, tmp_path: Path, fixtures: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.json").write_text("{}")
    (tmp_path / "mine.yaml").write_text("acknowledgements: []\n" if "--acknowledgements" in words else "timeout: 9\n")
    before = content(tmp_path)
    code, err = start(*output_line(words, name, fixtures), cwd=tmp_path)
    assert code == 2, err
    assert Path(os.path.normpath(name)).name in err.splitlines()[0], err
    assert content(tmp_path) == before

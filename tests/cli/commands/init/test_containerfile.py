"""`init containerfile`: pinned, not root, and what is copied is what is installed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.worlds.ready_files import IMAGE, check_shell, made, refused
from tests.worlds.running import run, run_process
from upgrade_gate import __version__


def instructions(*options: str) -> list[tuple[str, str]]:
    """Return the instructions with their arguments, continued lines joined."""
    text = re.sub(r"(?m)^#.*\n", "", made("containerfile", *options)).replace("\\\n", "")
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in text.splitlines() if line]


def last(name: str, *options: str) -> str:
    return [argument for word, argument in instructions(*options) if word == name][-1]


def test_both_stages_are_of_one_image_by_digest() -> None:
    bases = [argument.split()[0] for word, argument in instructions() if word == "FROM"]
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", bases[0])
    assert [a.split()[0] for w, a in instructions("--base", IMAGE) if w == "FROM"] == [IMAGE, IMAGE]
    assert "--base" in refused("containerfile", "--base", "registry.access.redhat.com/ubi9/python-312:latest").first


def test_it_ends_as_a_user_that_is_not_root() -> None:
    assert last("USER") == "1001", "a number: the kubelet cannot prove a name not to be root"
    assert last("ENTRYPOINT") == '["upgrade-gate"]'


def test_it_is_labelled_and_installs_its_own_version() -> None:
    assert f'org.opencontainers.image.version="{__version__}"' in last("LABEL")
    words = shlex.split(last("RUN"))
    assert f"upgrade-gate[verify]=={__version__}" in words
    assert words[words.index("--only-binary") + 1] == ":all:"


@pytest.mark.parametrize("file", ["dist/upgrade_gate-0.1.0-py3-none-any.whl", "requirements.txt"])
def test_a_file_is_copied_and_installed(file: str) -> None:
    copies = [argument.split() for word, argument in instructions("--install", file) if word == "COPY"]
    assert copies[0] == [file, f"/tmp/{Path(file).name}"]
    assert f"/tmp/{Path(file).name}" in shlex.split(last("RUN", "--install", file))
    assert ("--require-hashes" in last("RUN", "--install", file)) is file.endswith(".txt")


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    check_shell(last("RUN"), "sh", tmp_path)


def test_nothing_unpinned_is_installed() -> None:
    for wrong in ("upgrade-gate", "upgrade-gate>=0.1", "https://example.com/x.whl", "x.whl && id"):
        assert "--install" in refused("containerfile", "--install", wrong).first


def test_a_pipe_is_written_to_and_never_read() -> None:
    assert run_process("init", "containerfile", "--write", "/dev/stdout").out == run("init", "containerfile").out

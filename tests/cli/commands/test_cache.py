"""`cache prune`: what it removes, what it says, and what it refuses."""

from __future__ import annotations

import io
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from upgrade_gate.cli.commands.cache import command
from upgrade_gate.payloads.cache import Cache

if TYPE_CHECKING:
    from pathlib import Path

DATA = b"layer"
DIGEST = f"sha256:{sha256(DATA).hexdigest()}"


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


def test_prune_empties_the_cache_and_says_how_much(tmp_path: Path) -> None:
    Cache(tmp_path).store_blob(DIGEST, io.BytesIO(DATA))

    assert run("prune", "--older-than", "0", "--cache-dir", str(tmp_path)) == (
        0,
        f"{tmp_path}: removed 1 files, 5 bytes\n",
    )
    assert Cache(tmp_path).open_blob(DIGEST) is None


def test_prune_keeps_what_was_used_lately(tmp_path: Path) -> None:
    Cache(tmp_path).store_blob(DIGEST, io.BytesIO(DATA))

    assert run("prune", "--cache-dir", str(tmp_path)) == (0, f"{tmp_path}: removed 0 files, 0 bytes\n")


def test_prune_looks_after_the_platforms_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Cache(tmp_path / "upgrade-gate").store_blob(DIGEST, io.BytesIO(DATA))

    assert run("prune", "--older-than", "0") == (0, f"{tmp_path / 'upgrade-gate'}: removed 1 files, 5 bytes\n")


def test_prune_of_no_cache_removes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "absent"

    assert run("prune", "--cache-dir", str(folder)) == (0, f"{folder}: removed 0 files, 0 bytes\n")


@pytest.mark.parametrize("days", ["-1", "soon"])
def test_prune_refuses_what_is_no_number_of_days(days: str, tmp_path: Path) -> None:
    assert run("prune", "--older-than", days, "--cache-dir", str(tmp_path))[0] == 2

"""`completion`: scripts that the shells themselves accept."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds.components import require
from tests.worlds.running import run


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_the_program(shell: str) -> None:
    result = run("completion", shell)
    assert (result.code, result.err) == (0, "")
    assert f"_UPGRADE_GATE_COMPLETE={shell}_complete" in result.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_accepts_the_script(shell: str, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text(run("completion", shell).out)
    subprocess.run([require(shell), "-n", script], check=True, timeout=60)


def test_bash_completes_a_command(tmp_path: Path) -> None:
    (tmp_path / "script").write_text(run("completion", "bash").out)
    program = tmp_path / "upgrade-gate"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m upgrade_gate "$@"\n')
    program.chmod(0o755)
    lines = [
        "source ./script",
        "COMP_WORDS=(upgrade-gate exp) COMP_CWORD=1",
        "_upgrade_gate_completion upgrade-gate",
        'echo "${COMPREPLY[@]}"',
    ]
    done = subprocess.run(
        [require("bash"), "-c", "\n".join(lines)],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "explain", done.stderr


def test_another_shell_is_a_usage_error() -> None:
    assert run("completion", "tcsh").code == 2

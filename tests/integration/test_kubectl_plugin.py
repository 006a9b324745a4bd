"""`kubectl upgrade-gate`, run by the real kubectl: found, named as its user calls it, and completed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.worlds.components import require

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.kubectl


@pytest.fixture
def installed(repository: Path, tmp_path: Path) -> Path:
    """A folder with the programs that pip makes."""
    scripts: Mapping[str, str] = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["scripts"]
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, place in scripts.items():
        module, _, function = place.partition(":")
        text = f"#!{sys.executable}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n"
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return folder


def kubectl(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = require("kubectl")
    environment = {"PATH": f"{installed}:/usr/bin:/bin", "HOME": str(installed), "LC_ALL": "C.UTF-8"}
    environment["PYTHONPATH"] = ":".join(entry for entry in sys.path if entry)
    return subprocess.run(
        [program, *arguments], capture_output=True, text=True, timeout=60, check=False, env=environment
    )


def test_kubectl_lists_the_plugin(installed: Path) -> None:
    assert f"{installed / 'kubectl-upgrade_gate'}\n" in kubectl(installed, "plugin", "list").stdout


def test_kubectl_runs_it_under_its_name(installed: Path) -> None:
    shown = kubectl(installed, "upgrade-gate", "check", "--help")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("Usage: kubectl upgrade-gate check [OPTIONS]")
    wrong = kubectl(installed, "upgrade-gate", "chek")
    assert "kubectl upgrade-gate --help tells more" in wrong.stderr
    assert "Usage: kubectl upgrade-gate " in wrong.stderr


def test_kubectl_hands_the_exit_code_on(installed: Path, fixtures: Path) -> None:
    releases = fixtures / "releases"
    old, new = f"dir:{releases / '4.18.7'}", f"dir:{releases / '4.19.2'}"
    alone = ("--no-cluster", "--platform", "AWS")
    assert kubectl(installed, "upgrade-gate", "check", "--from", old, "--to", new, *alone).returncode == 3
    assert kubectl(installed, "upgrade-gate", "check", "--from", old, "--to", old, *alone).returncode == 0
    assert kubectl(installed, "upgrade-gate", "check", "--nonsense").returncode == 2
    unproven = ("--require-proof", *alone)
    assert kubectl(installed, "upgrade-gate", "check", "--from", old, "--to", old, *unproven).returncode == 4


@pytest.mark.parametrize(
    ("words", "candidates", "directive"),
    [
        (("exp",), {"explain"}, 4),
        (("init", "git"), {"github", "gitlab"}, 4),
        (("check", "--fail-on", ""), {"blocker", "warning"}, 4),
        (("check", "--cluster", "snap"), {"snapshot:"}, 4 | 2),
        (("check", "--acknow"), {"--acknowledgements"}, 4),
        (("check", "--kubeconfig", ""), set(), 0),
        (("check", "--bundle", ""), set(), 16),
        (("rules", "--nothing-of-this-name"), set(), 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_kubectl_completes_it(installed: Path, words: tuple[str, ...], candidates: set[str], directive: int) -> None:
    answer = kubectl(installed, "__complete", "upgrade-gate", *words)
    *lines, last = answer.stdout.splitlines()
    assert {line.split("\t")[0] for line in lines} == candidates, answer.stderr
    assert last == f":{directive}"


def test_oc_asks_a_program_that_answers_alike(installed: Path) -> None:
    """oc carries kubectl's code under its own name."""
    command = [str(installed / "oc_complete-upgrade_gate"), "rul"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == ":4"
    assert done.stdout.startswith("rules")

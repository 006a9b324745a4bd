"""Make ready files, judge them, and run the scripts in them with the real upgrade-gate on the fixtures."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from tests.worlds.components import require
from tests.worlds.running import run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.worlds.running import Result

IMAGE = f"registry.example.com/tools/upgrade-gate:0.1@sha256:{'0123456789abcdef' * 4}"
VERDICTS = (("pass", 0), ("blocked", 3), ("undetermined", 4))
REPORTS = ("html", "json", "junit.xml", "sarif")
"""Endings of the reports that every pipeline keeps."""


@cache
def made(kind: str, *options: str) -> str:
    """Return a ready file."""
    result = run("init", kind, *options)
    assert (result.code, result.err) == (0, ""), result.err
    return result.out


def refused(kind: str, *options: str) -> Result:
    """Return the run that made none."""
    result = run("init", kind, *options)
    assert (result.code, result.out) == (2, ""), result
    return result


def loaded(text: str) -> Any:
    """Return a YAML document; a boolean key is `on`, which YAML 1.1 takes for one."""
    return yaml.safe_load(re.sub(r"(?m)^on:", '"on":', text))


def check_builtin_schema(name: str, path: Path) -> None:
    """Hold a file against a public schema that check-jsonschema carries."""
    require("python:check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", name, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check_shell(script: str, shell: str, folder: Path) -> None:
    """Have shellcheck read a script."""
    path = folder / "script"
    path.write_text(script)
    command = [str(require("shellcheck")), "--shell", shell, "--severity", "style", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout


@dataclass(frozen=True)
class Workspace:
    """A folder as a pipeline checks it out, and a machine with upgrade-gate on its PATH."""

    folder: Path
    fixtures: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        programs = self.folder / ".programs"
        programs.mkdir()
        (programs / "upgrade-gate").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m upgrade_gate "$@"\n')
        (programs / "upgrade-gate").chmod(0o755)

    @property
    def cluster(self) -> str:
        """The cluster of the fixtures, as the pipelines' variable has it."""
        return f"must-gather:{self.fixtures / 'clusters' / 'aws-sts'}"

    def target(self, verdict: str) -> str:
        """Arrange for a verdict and return the target that leads to it."""
        settings = [f"from: dir:{self.fixtures / 'releases' / '4.18.7'}"]
        if verdict == "undetermined":
            settings.append("require-proof: true")
        (self.folder / "upgrade-gate.yaml").write_text("\n".join(settings))
        return f"dir:{self.fixtures / 'releases' / ('4.19.2' if verdict == 'blocked' else '4.18.7')}"

    def run(self, command: Sequence[str | Path], **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script of a pipeline there."""
        path = f"{self.folder / '.programs'}:/usr/bin:/bin"
        environment = {"HOME": str(self.folder), "PATH": path, "LC_ALL": "C.UTF-8"}
        environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
        return subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            env={**environment, **self.variables, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def settled(lines: str) -> Mapping[str, str]:
    """Return `key=value` lines as a mapping."""
    return dict(line.split("=", 1) for line in lines.splitlines())

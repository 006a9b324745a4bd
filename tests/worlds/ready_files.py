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
from tests.worlds.forge import TOKEN
from tests.worlds.running import run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.worlds.forge import Forge
    from tests.worlds.running import Result

IMAGE = f"registry.example.com/tools/upgrade-gate:0.1@sha256:{'0123456789abcdef' * 4}"
VERDICTS = (("pass", 0), ("blocked", 3), ("undetermined", 4))
REPORTS = ("html", "json", "junit.xml", "sarif")
"""Endings of the reports that every pipeline keeps."""

VARIABLES = tuple(f"UPGRADE_GATE_{name}" for name in ("VIA", "IDENTITIES", "CONFIG", "ACKNOWLEDGEMENTS", "ARGUMENTS"))
"""What every pipeline takes besides target and cluster."""


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

    @property
    def environment(self) -> dict[str, str]:
        """What every script finds there."""
        path = f"{self.folder / '.programs'}:/usr/bin:/bin"
        found = os.pathsep.join(entry for entry in sys.path if entry)
        return {"HOME": str(self.folder), "PATH": path, "LC_ALL": "C.UTF-8", "PYTHONPATH": found, **self.variables}

    def run(self, command: Sequence[str | Path], **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a script of a pipeline there."""
        return subprocess.run(
            [str(word) for word in command],
            cwd=self.folder,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


RUN = "https://git.example.com/a/b/actions/runs/7"
GITHUB = {"GITHUB_SERVER_URL": "https://git.example.com", "GITHUB_REPOSITORY": "a/b", "GITHUB_RUN_ID": "7"}
SHELLS = {"github": ("bash", "--noprofile", "--norc", "-eo", "pipefail")}
"""What runs the scripts of an engine, where it is not sh."""


def step(kind: str, name: str = "check", *options: str) -> str:
    """Return the script of a ready file that runs the gate, or the one that comments."""
    file = made(kind, *options)
    match kind:
        case "github":
            job = {"check": "gate"}.get(name, name)
            return str(next(one["run"] for one in loaded(file)["jobs"][job]["steps"] if one["name"].lower() == name))
        case "gitlab":
            (script,) = loaded(file)["upgrade-gate"]["script" if name == "check" else "after_script"]
            return str(script)
        case "tekton":
            return str(next(one["script"] for one in loaded(file)["spec"]["steps"] if one["name"] == name))
        case _:
            job = next(body for body in yaml.safe_load_all(file) if body["kind"] == "Job")
            return str(job["spec"]["template"]["spec"]["containers"][0]["command"][2])


def gate(workspace: Workspace, kind: str, *options: str, **given: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a ready file that runs the gate, as its engine does, with what its variables hold.

    TO and CLUSTER are the target and the cluster of each kind.
    """
    folder = workspace.folder
    to, cluster = given.get("TO", ""), given.get("CLUSTER", "live")
    variables = {
        "github": {"CLUSTER": "live", "KUBECONFIG_TEXT": "", "PULL_SECRET_TEXT": "", **GITHUB},
        "gitlab": {"UPGRADE_GATE_TO": to, "UPGRADE_GATE_CLUSTER": cluster, "CI_JOB_URL": RUN},
        "tekton": {"CLUSTER": "live", "RUN": "run-7", "REPORTS": str(folder), "PULL_SECRET": "", "SETTINGS": ""},
        "kubernetes-job": {"POD_NAME": "pod-7", "REPORTS": str(folder / "pod-7")},
    }[kind]
    if kind == "github":
        variables |= {name: str(folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        variables["REPORT_ONLY"] = str("--report-only" in options).lower()
    words = ["upgrade-gate", "--to", to, "--cluster", cluster] if kind == "kubernetes-job" else []
    return workspace.run(
        [*SHELLS.get(kind, ("sh",)), "-c", step(kind, "check", *options), *words], **{**variables, **given}
    )


def comment(
    workspace: Workspace, kind: str, forge: Forge, token: str = TOKEN, **given: str
) -> subprocess.CompletedProcess[str]:
    """Run the script that writes the comment on request 7, in a folder where the gate has run."""
    variables = {
        "github": {"NUMBER": "7", "HEAD_REPOSITORY": "a/b", "GITHUB_API_URL": forge.url, "TOKEN": token, **GITHUB},
        "gitlab": {
            "CI_MERGE_REQUEST_IID": "7",
            "CI_MERGE_REQUEST_PROJECT_ID": "42",
            "CI_PROJECT_ID": "43",
            "CI_API_V4_URL": forge.url,
            "CI_JOB_URL": RUN,
            "UPGRADE_GATE_COMMENT_TOKEN": token,
        },
    }[kind]
    return workspace.run([*SHELLS.get(kind, ("sh",)), "-c", step(kind, "comment")], **{**variables, **given})


def settled(lines: str) -> Mapping[str, str]:
    """Return `key=value` lines as a mapping."""
    return dict(line.split("=", 1) for line in lines.splitlines())

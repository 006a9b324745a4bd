"""`init github --policies` and `init gitlab --policies`: the gate of a policy repository, with no cluster at all."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.components import require
from tests.worlds.policies import NEW, OLD, policy
from tests.worlds.ready_files import (
    GITHUB,
    Workspace,
    check_builtin_schema,
    check_shell,
    loaded,
    made,
    refused,
    settled,
)
from tests.worlds.rules import payload

pytestmark = pytest.mark.slow

WHOLE, HALF = policy("ec2:DescribeVolumes", "ec2:CreateTags"), policy("ec2:DescribeVolumes")


def _script(kind: str, *options: str) -> str:
    file = loaded(made(kind, *options))
    if kind == "gitlab":
        return str(file["upgrade-gate-policies"]["script"][0])
    return str(next(step["run"] for step in file["jobs"]["gate"]["steps"] if step.get("id") == "check"))


def _check(workspace: Workspace, kind: str, document: Any, *options: str, **given: str) -> tuple[int, str]:
    """Run the script that checks, in a repository of one policy; return its exit code and its log."""
    folder = workspace.folder
    if not (folder / "../releases").exists():
        payload(folder / "../releases/old", "4.14.1", OLD)
        payload(folder / "../releases/new", "4.15.0", NEW)
    (folder / "iam").mkdir(exist_ok=True)
    (folder / "iam/openshift-storage-cloud.json").write_text(json.dumps(document, indent=2))
    told = {"FROM": "dir:../releases/old", "TO": "dir:../releases/new", "PLATFORM": "AWS", **given}
    variables = {f"UPGRADE_GATE_{name}": value for name, value in told.items()} | {"UPGRADE_GATE_POLICIES": "iam"}
    if kind == "github":
        files = {name: str(folder / name.lower()) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        reading = {"REPORT_ONLY": str("--report-only" in options).lower(), "PULL_SECRET_TEXT": ""}
        variables = {**told, **files, **reading, **GITHUB, "UPGRADE_GATE_IDENTITIES": "policies:iam"}
    shell = ("bash", "--noprofile", "--norc", "-eo", "pipefail") if kind == "github" else ("sh",)
    done = workspace.run([*shell, "-c", _script(kind, "--policies", *options)], **variables)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_the_public_schema_takes_it(kind: str, tmp_path: Path) -> None:
    (tmp_path / "file.yml").write_text(made(kind, "--policies", "iam", "--to", "4.19.5", "--report-only"))
    check_builtin_schema(
        {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}[kind], tmp_path / "file.yml"
    )


def test_zizmor_finds_nothing_in_it(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("zizmor")
    if not program.exists():
        program = require("zizmor")
    (tmp_path / "workflow.yml").write_text(made("github", "--policies", "iam", "--to", "4.19.5"))
    command = [str(program), "--offline", "--pedantic", "--no-progress", str(tmp_path / "workflow.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    check_shell(_script("github", "--policies"), "bash", tmp_path)
    check_shell(_script("gitlab", "--policies"), "sh", tmp_path)


def test_it_runs_where_policies_or_what_weighs_them_change_and_with_no_right_to_write() -> None:
    workflow = loaded(made("github", "--policies=iam"))
    assert list(workflow["on"]) == ["pull_request", "workflow_dispatch"]
    assert workflow["on"]["pull_request"]["paths"][:3] == ["iam/**", "upgrade-gate.yaml", "acknowledgements.yaml"]
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["gate"]["permissions"] == {"contents": "read"}
    job = loaded(made("gitlab", "--policies"))["upgrade-gate-policies"]
    assert "**/*.json" in job["rules"][0]["changes"]
    for text in (made("github", "--policies"), made("gitlab", "--policies")):
        assert "KUBECONFIG" not in text
        assert re.search(r"@\{|\$\{\{ *inputs", text) is None
    for step in workflow["jobs"]["gate"]["steps"]:
        assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("kind", ["github", "gitlab"])
@pytest.mark.parametrize(("document", "code", "verdict"), [(WHOLE, 0, "pass"), (HALF, 3, "blocked")])
def test_it_ends_with_the_verdict_and_keeps_the_patch(
    workspace: Workspace, kind: str, document: Any, code: int, verdict: str
) -> None:
    ended, log = _check(workspace, kind, document)
    assert ended == code, log
    reports = workspace.folder / "upgrade-gate-reports"
    assert json.loads((reports / "gate.json").read_text())["verdict"]["basis"] == "declared"
    assert (reports / "bundle/policies.patch").exists() is (code == 3)
    said = (workspace.folder / "github_output" if kind == "github" else reports / "gate.env").read_text()
    assert verdict in dict(settled(said)).values()
    if kind == "github" and code == 3:
        assert "::error file=iam/openshift-storage-cloud.json,line=6," in log


@pytest.mark.parametrize("kind", ["github", "gitlab"])
@pytest.mark.parametrize("name", ["FROM", "TO", "PLATFORM"])
def test_what_is_not_set_is_no_verdict(workspace: Workspace, kind: str, name: str) -> None:
    ended, log = _check(workspace, kind, WHOLE, **{name: ""})
    assert (ended, f"the variable UPGRADE_GATE_{name} is not set" in log) == (2, True)


def test_a_report_only_run_goes_on(workspace: Workspace) -> None:
    assert _check(workspace, "github", HALF, "--report-only")[0] == 0


@pytest.mark.parametrize("folder", ["../x", "a b", "$(id)", "/etc"])
def test_a_folder_that_could_mean_something_else_is_refused(folder: str) -> None:
    assert "--policies" in refused("github", f"--policies={folder}").first

"""`init github`: a workflow that GitHub takes, that can do no more than it must, and ends with the gate's exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.components import find, require
from tests.worlds.ready_files import (
    REPORTS,
    VERDICTS,
    Workspace,
    check_builtin_schema,
    check_shell,
    gate,
    loaded,
    made,
    refused,
    settled,
)
from upgrade_gate import __version__

pytestmark = pytest.mark.slow

FORMS = ((), ("--to", "4.19.5"), ("--report-only",), ("--install", "tools/requirements.txt"))


def steps(workflow: Any, job: str = "gate") -> dict[str, Any]:
    return {step["name"]: step for step in workflow["jobs"][job]["steps"]}


def check(workspace: Workspace, *options: str, **variables: str) -> tuple[int, dict[str, str], str]:
    """Run the step as the runner does; return its exit code, its outputs and the summary."""
    files = {name: workspace.folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        path.write_text("")
    done = gate(workspace, "github", *options, **{"CLUSTER": workspace.cluster, **variables})
    workspace.variables["log"] = done.stdout + done.stderr
    outputs = dict(settled(files["GITHUB_OUTPUT"].read_text()))
    return done.returncode, outputs, files["GITHUB_STEP_SUMMARY"].read_text()


@pytest.mark.parametrize("options", FORMS, ids=" ".join)
def test_the_public_schema_takes_it(options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "workflow.yml").write_text(made("github", *options))
    check_builtin_schema("vendor.github-workflows", tmp_path / "workflow.yml")


def test_zizmor_finds_nothing_in_it(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("zizmor")
    if not program.exists():
        program = require("zizmor")
    (tmp_path / "workflow.yml").write_text(made("github", "--to", "4.19.5"))
    command = [str(program), "--offline", "--pedantic", "--no-progress", str(tmp_path / "workflow.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_is_run_is_pinned() -> None:
    text = made("github")
    uses = re.findall(r"uses: (.*)", text)
    assert len(uses) == 7
    for action in uses:
        assert re.fullmatch(r"[a-z-]+/[a-z/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    assert f"'upgrade-gate[verify]=={__version__}'" in text
    assert "ubuntu-latest" not in text


def test_no_job_may_both_read_the_cluster_and_write() -> None:
    workflow = loaded(made("github"))
    assert workflow["permissions"] == {}
    assert workflow["jobs"]["gate"]["permissions"] == {"contents": "read"}
    assert workflow["jobs"]["code-scanning"]["permissions"] == {"actions": "read", "security-events": "write"}
    assert workflow["jobs"]["comment"]["permissions"] == {"pull-requests": "write"}
    for job in ("code-scanning", "comment"):
        assert "secrets." not in json.dumps(workflow["jobs"][job])
    assert steps(workflow)["Check out the settings"]["with"] == {"persist-credentials": False}


def test_no_value_reaches_a_script_as_text() -> None:
    workflow = loaded(made("github", "--to", "4.19.5"))
    for step in (step for job in workflow["jobs"] for step in steps(workflow, job).values()):
        assert "${{" not in step.get("run", ""), "an expression in a script is code of whoever starts the run"


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    workflow = loaded(made("github"))
    for name, step in (entry for job in workflow["jobs"] for entry in steps(workflow, job).items()):
        if "run" in step:
            check_shell(step["run"], "bash", tmp_path)
            assert step.get("shell", "bash") == "bash", name


@pytest.mark.parametrize(("verdict", "code"), VERDICTS)
def test_it_ends_with_the_verdict_and_keeps_the_reports(workspace: Workspace, verdict: str, code: int) -> None:
    ended, outputs, summary = check(workspace, TO=workspace.target(verdict))
    assert (ended, outputs) == (code, {"exit-code": str(code), "verdict": verdict}), workspace.variables["log"]
    for ending in (*REPORTS, "md"):
        assert (workspace.folder / "upgrade-gate-reports" / f"gate.{ending}").stat().st_size, ending
    assert summary == (workspace.folder / "upgrade-gate-reports" / "gate.md").read_text()
    report = json.loads((workspace.folder / "upgrade-gate-reports" / "gate.json").read_text())
    assert report["labels"] == {"run": "https://git.example.com/a/b/actions/runs/7"}
    assert ("::error" in workspace.variables["log"]) is (code != 0)


@pytest.mark.parametrize(("verdict", "code"), VERDICTS)
def test_a_report_only_run_goes_on_and_says_what_it_found(workspace: Workspace, verdict: str, code: int) -> None:
    ended, outputs, _ = check(workspace, "--report-only", TO=workspace.target(verdict))
    assert (ended, outputs["exit-code"], outputs["verdict"]) == (0, str(code), verdict)
    assert (f"::warning title=upgrade-gate::{verdict}" in workspace.variables["log"]) is (code != 0)


@pytest.mark.parametrize("options", [(), ("--report-only",)], ids=" ".join)
@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"TO": ""}, "the target release is not filled in"),
        ({"TO": "<FILL_ME: TARGET_RELEASE>"}, "the target release is not filled in"),
        ({"TO": "4.19.5", "CLUSTER": "live"}, "the secret UPGRADE_GATE_KUBECONFIG is not set"),
        ({"TO": "dir:/does-not-exist"}, "no such folder"),
    ],
    ids=["empty", "unfilled", "no kubeconfig", "no release"],
)
def test_without_a_verdict_it_fails(
    workspace: Workspace, options: tuple[str, ...], variables: dict[str, str], reason: str
) -> None:
    ended, outputs, _ = check(workspace, *options, **variables)
    assert (ended, outputs) == (2, {"exit-code": "2", "verdict": "none"})
    assert reason in workspace.variables["log"]
    assert "no verdict was reached" in workspace.variables["log"]


def test_a_killed_run_has_no_verdict(workspace: Workspace) -> None:
    (workspace.folder / ".programs" / "upgrade-gate").write_text("#!/bin/sh\nkill -9 $$\n")
    ended, outputs, summary = check(workspace, "--report-only", TO="4.19.5")
    assert (ended, outputs) == (137, {"exit-code": "137", "verdict": "none"})
    assert "no verdict was reached" in summary


def test_credentials_are_files_for_the_length_of_the_run(workspace: Workspace) -> None:
    seen = workspace.folder / "seen"
    program = workspace.folder / ".programs" / "upgrade-gate"
    program.write_text(
        "#!/bin/sh\n"
        'while [ $# -gt 0 ]; do case "$1" in --kubeconfig | --registry-config) stat -c "%a %n" "$2"; cat "$2" ;; esac; '
        f"shift; done > {seen}\nexit 3\n"
    )
    credentials = {"KUBECONFIG_TEXT": "kind: Config", "PULL_SECRET_TEXT": '{"auths": {}}'}
    assert check(workspace, TO="4.19.5", CLUSTER="live", **credentials)[0] == 3
    first, config, second, secret = seen.read_text().splitlines()
    assert (config, secret) == ("kind: Config", '{"auths": {}}')
    for mode, _, path in (first.partition(" "), second.partition(" ")):
        assert mode == "600"
        assert not Path(path).exists()
        assert not path.startswith(str(workspace.folder)), "reports are uploaded from there"


def test_acknowledgements_of_the_repository_count(workspace: Workspace) -> None:
    target = workspace.target("blocked")
    assert check(workspace, TO=target)[0] == 3
    blockers = [
        finding["fingerprint"]
        for finding in json.loads((workspace.folder / "upgrade-gate-reports" / "gate.json").read_text())["findings"]
        if finding["rule"] == "permission-added"
    ]
    (workspace.folder / "acknowledgements.yaml").write_text(
        json.dumps(
            {
                "acknowledgements": [
                    {"fingerprint": name, "reason": "by hand", "owner": "team", "expires": "2099-01-01"}
                    for name in blockers
                ]
            }
        )
    )
    _, _, summary = check(workspace, TO=target)
    assert "1 acknowledged" in summary


@pytest.mark.parametrize(
    "options",
    [
        ("--to", "${{ secrets.TOKEN }}"),
        ("--to", "4.19.5\npermissions: write-all"),
        ("--to", "$(id)"),
        ("--install", "upgrade-gate"),
        ("--install", "upgrade-gate>=0.1"),
        ("--install", "x==1; curl example.com"),
    ],
    ids=lambda value: value[1],
)
def test_what_could_mean_something_else_there_is_refused(options: tuple[str, str]) -> None:
    assert options[0] in refused("github", *options).first


def test_a_report_that_is_not_there_fails_no_upload_and_hides_nothing() -> None:
    workflow = loaded(made("github"))
    keep = steps(workflow)["Keep the reports"]
    assert keep["with"]["path"] == "upgrade-gate-reports/"
    assert "!cancelled()" in keep["if"], "reports are kept when the gate fails"
    assert "needs.gate.outputs.verdict" in workflow["jobs"]["code-scanning"]["if"]


def test_the_judge_of_scripts_is_awake(tmp_path: Path) -> None:
    if find("shellcheck") is None:
        pytest.skip("shellcheck is not here")
    with pytest.raises(AssertionError):
        check_shell("rm -rf $unquoted", "bash", tmp_path)

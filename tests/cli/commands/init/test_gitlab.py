"""`init gitlab`: a job that GitLab takes, whose verdict cannot be mistaken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.ready_files import (
    IMAGE,
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

FORMS = ((), ("--to", "4.19.5"), ("--report-only",), ("--image", IMAGE), ("--install", "wheels/upgrade_gate.whl"))


def job(*options: str) -> Any:
    return loaded(made("gitlab", *options))["upgrade-gate"]


def check(workspace: Workspace, *options: str, **variables: str) -> tuple[int, dict[str, str], str]:
    """Run the script; return its exit code, what later jobs get, and its log."""
    done = gate(workspace, "gitlab", *options, **{"UPGRADE_GATE_CLUSTER": workspace.cluster, **variables})
    passed_on = (workspace.folder / "upgrade-gate-reports" / "gate.env").read_text()
    return done.returncode, dict(settled(passed_on)), done.stdout + done.stderr


@pytest.mark.parametrize("options", FORMS, ids=" ".join)
def test_the_public_schema_takes_it(options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "gitlab.yml").write_text(made("gitlab", *options))
    check_builtin_schema("vendor.gitlab-ci", tmp_path / "gitlab.yml")


def test_what_is_run_is_pinned() -> None:
    assert re.search(r"@sha256:[0-9a-f]{64}$", job()["image"]["name"])
    assert f"'upgrade-gate[verify]=={__version__}' || exit 1" in job()["before_script"][0]
    with_image = job("--image", IMAGE)
    assert with_image["image"] == {"name": IMAGE, "entrypoint": [""]}
    assert "before_script" not in with_image


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    check_shell(job()["script"][0], "sh", tmp_path)
    check_shell(job()["after_script"][0], "sh", tmp_path)
    check_shell(job()["before_script"][0], "sh", tmp_path)


def test_only_a_broken_runner_is_tried_again() -> None:
    again = job()["retry"]
    assert set(again["when"]) == {"runner_system_failure", "stuck_or_timeout_failure"}
    assert "exit_codes" not in again


def test_undetermined_is_allowed_to_fail_only_where_the_job_only_reports() -> None:
    assert job()["allow_failure"] is False
    assert job("--report-only")["allow_failure"] == {"exit_codes": [3, 4]}


def test_reports_are_kept_whatever_happens() -> None:
    artifacts = job()["artifacts"]
    assert artifacts["when"] == "always"
    assert set(artifacts["reports"]) == {"junit", "codequality", "dotenv"}


@pytest.mark.parametrize(("verdict", "code"), VERDICTS)
def test_it_ends_with_the_verdict_and_keeps_the_reports(workspace: Workspace, verdict: str, code: int) -> None:
    ended, passed_on, log = check(workspace, UPGRADE_GATE_TO=workspace.target(verdict))
    assert (ended, passed_on) == (code, {"UPGRADE_GATE_EXIT_CODE": str(code), "UPGRADE_GATE_VERDICT": verdict}), log
    for ending in (*REPORTS, "codequality.json", "md"):
        assert (workspace.folder / "upgrade-gate-reports" / f"gate.{ending}").stat().st_size, ending
    assert (workspace.folder / job()["artifacts"]["reports"]["codequality"]).exists()
    assert (workspace.folder / job()["artifacts"]["reports"]["junit"]).exists()
    assert "harbour-7k2xp" in log, "the text report is in the log"


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"UPGRADE_GATE_TO": ""}, "UPGRADE_GATE_TO is not filled in"),
        ({"UPGRADE_GATE_TO": "<FILL_ME: X>"}, "UPGRADE_GATE_TO is not filled in"),
        ({"UPGRADE_GATE_TO": "4.19.5", "UPGRADE_GATE_CLUSTER": "live"}, "UPGRADE_GATE_KUBECONFIG is not set"),
        ({"UPGRADE_GATE_TO": "dir:/does-not-exist"}, "no such folder"),
    ],
    ids=["empty", "unfilled", "no kubeconfig", "no release"],
)
def test_without_a_verdict_it_fails(workspace: Workspace, variables: dict[str, str], reason: str) -> None:
    ended, passed_on, log = check(workspace, "--report-only", **variables)
    assert (ended, passed_on) == (2, {"UPGRADE_GATE_EXIT_CODE": "2", "UPGRADE_GATE_VERDICT": "none"})
    assert reason in log
    assert ended not in job("--report-only")["allow_failure"]["exit_codes"]


def test_pip_s_own_exit_codes_are_no_verdicts(workspace: Workspace) -> None:
    """pip has exit codes 3 and 4 of its own."""
    (workspace.folder / ".programs" / "python").write_text("#!/bin/sh\nexit 4\n")
    (workspace.folder / ".programs" / "python").chmod(0o755)
    assert workspace.run(["sh", "-c", job("--report-only")["before_script"][0]]).returncode == 1


def test_credentials_are_the_files_that_gitlab_makes(workspace: Workspace) -> None:
    seen = workspace.folder / "seen"
    program = workspace.folder / ".programs" / "upgrade-gate"
    program.write_text(f'#!/bin/sh\necho "$*" > {seen}\nexit 3\n')
    files = {"UPGRADE_GATE_KUBECONFIG": "/builds/kubeconfig", "UPGRADE_GATE_PULL_SECRET": "/builds/pull-secret"}
    assert check(workspace, UPGRADE_GATE_TO="4.19.5", UPGRADE_GATE_CLUSTER="live", **files)[0] == 3
    assert "--kubeconfig /builds/kubeconfig --registry-config /builds/pull-secret" in seen.read_text()


@pytest.mark.parametrize("options", [("--to", "$CI_JOB_TOKEN"), ("--image", "upgrade-gate:latest")], ids=" ".join)
def test_what_is_not_pinned_or_means_something_else_is_refused(options: tuple[str, str]) -> None:
    assert options[0] in refused("gitlab", *options).first

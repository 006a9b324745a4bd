"""`init tekton`: a Task of tekton.dev/v1 that keeps its results when it fails."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.ready_files import IMAGE, REPORTS, VERDICTS, Workspace, check_shell, loaded, made, refused

pytestmark = pytest.mark.slow

# fields of Task and Step in tekton.dev/v1 (tektoncd/pipeline, pkg/apis/pipeline/v1, task_types.go, container_types.go)
TASK = {"description", "displayName", "params", "results", "sidecars", "stepTemplate", "steps", "volumes", "workspaces"}
STEP = {
    "name", "image", "command", "args", "workingDir", "env", "envFrom", "computeResources", "imagePullPolicy",
    "onError", "params", "ref", "results", "script", "securityContext", "stderrConfig", "stdoutConfig", "timeout",
    "volumeDevices", "volumeMounts", "when", "workspaces",
}  # fmt: skip
TEMPLATE = {
    "args", "command", "computeResources", "env", "envFrom", "image", "imagePullPolicy", "securityContext",
    "volumeDevices", "volumeMounts", "workingDir",
}  # fmt: skip
FIELDS = {
    "params": {"name", "type", "description", "default", "enum", "properties"},
    "results": {"name", "type", "description", "properties", "value"},
    "workspaces": {"name", "description", "mountPath", "optional", "readOnly"},
}


def task(*options: str) -> Any:
    return loaded(made("tekton", *options))


def step(name: str, *options: str) -> Any:
    return next(one for one in task(*options)["spec"]["steps"] if one["name"] == name)


def run_task(workspace: Workspace, **variables: str) -> tuple[int, dict[str, str], str]:
    """Run both steps as Tekton does with `onError: continue`; return the end, the results and the log."""
    tekton = workspace.folder / "tekton"
    tekton.mkdir()
    paths = {
        "$(steps.step-check.exitCode.path)": tekton / "exitCode",
        "$(results.verdict.path)": tekton / "verdict",
        "$(results.exit-code.path)": tekton / "exit-code",
        "$(workspaces.reports.path)": tekton / "reports",
        "$(workspaces.settings.path)": workspace.folder,
    }
    plain = {"$(context.taskRun.name)": "run-7", "$(workspaces.pull-secret.path)": ""}
    known = {**plain, **{name: str(path) for name, path in paths.items()}}
    log = ""
    for name in ("check", "decide"):
        one = step(name)
        environment = {entry["name"]: known.get(entry["value"], "") for entry in one["env"]}
        (tekton / name).write_text(one["script"])
        (tekton / name).chmod(0o755)
        done = workspace.run([tekton / name], **{**environment, **variables})
        if name == "check":
            (tekton / "exitCode").write_text(str(done.returncode if done.returncode >= 0 else 128 - done.returncode))
        log += done.stdout + done.stderr
    results = {name: (tekton / name).read_text() for name in ("verdict", "exit-code")}
    return done.returncode, results, log


def test_it_has_only_fields_that_the_api_has() -> None:
    for options in ((), ("--to", "4.19.5"), ("--image", IMAGE)):
        body = task(*options)
        assert (body["apiVersion"], body["kind"]) == ("tekton.dev/v1", "Task")
        spec = body["spec"]
        assert set(spec) <= TASK
        assert set(spec["stepTemplate"]) <= TEMPLATE
        for one in spec["steps"]:
            assert set(one) <= STEP
        for part, fields in FIELDS.items():
            for one in spec[part]:
                assert set(one) <= fields, one
        mounted = {mount["name"] for mount in spec["stepTemplate"]["volumeMounts"]}
        assert mounted == {volume["name"] for volume in spec["volumes"]}


def test_what_a_step_names_is_declared() -> None:
    spec = task()["spec"]
    text = made("tekton")
    for part, kind in (("params", "params"), ("workspaces", "workspaces"), ("results", "results")):
        for one in spec[part]:
            assert f"$({kind}.{one['name']}" in text, one["name"]
    assert not re.search(r"\$\((?!cat |\n)", "".join(one["script"] for one in spec["steps"])), (
        "values come by variables"
    )


def test_the_pod_fits_the_restricted_standard() -> None:
    context = task()["spec"]["stepTemplate"]["securityContext"]
    assert context == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_without_an_image_it_holds_a_placeholder_that_no_node_can_pull() -> None:
    assert task()["spec"]["stepTemplate"]["image"] == "<FILL_ME: IMAGE>"
    assert task("--image", IMAGE)["spec"]["stepTemplate"]["image"] == IMAGE
    assert "--image" in refused("tekton", "--image", "upgrade-gate:0.1").first


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    for one in task()["spec"]["steps"]:
        assert one["script"].startswith("#!/bin/sh\n")
        check_shell(one["script"], "sh", tmp_path)


@pytest.mark.parametrize(("verdict", "code"), VERDICTS)
def test_it_fails_with_the_exit_code_and_has_its_results(workspace: Workspace, verdict: str, code: int) -> None:
    ended, results, log = run_task(workspace, TO=workspace.target(verdict), CLUSTER=workspace.cluster)
    assert (ended, results) == (code, {"verdict": verdict, "exit-code": str(code)}), log
    for ending in (*REPORTS, "md"):
        assert (workspace.folder / "tekton" / "reports" / "run-7" / f"gate.{ending}").stat().st_size, ending


@pytest.mark.parametrize("target", ["", "<FILL_ME: TARGET_RELEASE>", "dir:/does-not-exist"])
def test_without_a_verdict_it_says_none(workspace: Workspace, target: str) -> None:
    ended, results, log = run_task(workspace, TO=target, CLUSTER=workspace.cluster)
    assert (ended, results) == (2, {"verdict": "none", "exit-code": "2"})
    assert "no verdict was reached" in log


def test_a_killed_step_is_no_verdict(workspace: Workspace) -> None:
    (workspace.folder / ".programs" / "upgrade-gate").write_text("#!/bin/sh\nkill -9 $$\n")
    ended, results, _ = run_task(workspace, TO="4.19.5", CLUSTER="live")
    assert (ended, results["verdict"]) == (137, "none")

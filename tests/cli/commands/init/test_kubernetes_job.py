"""`init kubernetes-job`: a Job that the API takes, restricted, and never run again because of a verdict."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.worlds.ready_files import IMAGE, REPORTS, VARIABLES, VERDICTS, Workspace, check_shell, made, refused
from tests.worlds.running import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

FORMS = (
    (),
    ("--to", "4.19.5", "--image", IMAGE),
    ("--schedule", "30 5 * * 1", "--to", "4.19.5"),
    ("--schedule", "@daily", "--config-map", "settings", "--no-pull-secret"),
)


def documents(*options: str) -> dict[str, Any]:
    return {body["kind"]: body for body in yaml.safe_load_all(made("kubernetes-job", *options))}


def job(*options: str) -> Any:
    """Return the spec of the Job."""
    found = documents(*options)
    return found["CronJob"]["spec"]["jobTemplate"]["spec"] if "CronJob" in found else found["Job"]["spec"]


def container(*options: str) -> Any:
    (one,) = job(*options)["template"]["spec"]["containers"]
    return one


@pytest.mark.parametrize("options", FORMS, ids=" ".join)
def test_the_api_s_own_types_take_it(options: tuple[str, ...]) -> None:
    """The client's models are made from the API's OpenAPI and refuse fields that it does not have."""
    from kubernetes import client

    models: dict[str, Any] = {
        "PersistentVolumeClaim": client.V1PersistentVolumeClaim,
        "Job": client.V1Job,
        "CronJob": client.V1CronJob,
    }
    found = documents(*options)
    assert len(found) == 2
    for kind, body in found.items():
        models[kind].model_validate(body)
    with pytest.raises(ValueError, match="bogus"):
        models["PersistentVolumeClaim"].model_validate({**found["PersistentVolumeClaim"], "bogus": 1})


@pytest.mark.parametrize("options", FORMS, ids=" ".join)
def test_no_exit_code_of_ours_starts_the_pod_again(options: tuple[str, ...]) -> None:
    spec = job(*options)
    fail, ignore = spec["podFailurePolicy"]["rules"]
    assert fail["action"] == "FailJob"
    assert fail["onExitCodes"] == {"containerName": "upgrade-gate", "operator": "In", "values": [1, 2, 3, 4]}
    assert (ignore["action"], ignore["onPodConditions"][0]["type"]) == ("Ignore", "DisruptionTarget")
    assert spec["template"]["spec"]["restartPolicy"] == "Never", "podFailurePolicy holds only with it"
    assert fail["onExitCodes"]["containerName"] == container(*options)["name"]
    assert spec["backoffLimit"] > 0, "a lost node is not a verdict"


def test_the_pod_fits_the_restricted_standard() -> None:
    pod = job()["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    allowed = {"configMap", "downwardAPI", "emptyDir", "persistentVolumeClaim", "projected", "secret"}
    for volume in pod["volumes"]:
        assert set(volume) - {"name"} <= allowed


def test_its_account_is_that_of_the_roles_and_its_token_ends(fixtures: Path) -> None:
    found = documents("--to", "4.19.5")
    pod = found["Job"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    (projected,) = (volume["projected"] for volume in pod["volumes"] if "projected" in volume)
    token, authority, namespace = projected["sources"]
    assert token["serviceAccountToken"]["path"] == "token"
    assert authority["configMap"]["items"][0]["path"] == "ca.crt"
    assert namespace["downwardAPI"]["items"][0]["path"] == "namespace"
    roles = run("init", "rbac", "--to", f"dir:{fixtures / 'releases' / '4.19.2'}", "--platform", "AWS")
    subjects = [
        (subject["namespace"], subject["name"])
        for body in yaml.safe_load_all(roles.out)
        for subject in body.get("subjects", ())
    ]
    assert set(subjects) == {(found["Job"]["metadata"]["namespace"], pod["serviceAccountName"])}


def test_another_account_runs_it_in_its_own_namespace() -> None:
    text = made("kubernetes-job", "--service-account", "ci/reader", "--to", "4.19.5")
    for body in yaml.safe_load_all(text):
        assert body["metadata"]["namespace"] == "ci"
    assert job("--service-account", "ci/reader")["template"]["spec"]["serviceAccountName"] == "reader"
    assert "init rbac --to RELEASE --service-account ci/reader | oc apply" in text


def test_every_mount_is_of_a_volume_and_every_volume_is_mounted() -> None:
    for options in FORMS:
        volumes = {volume["name"] for volume in job(*options)["template"]["spec"]["volumes"]}
        assert {mount["name"] for mount in container(*options)["volumeMounts"]} == volumes


def test_without_an_image_or_a_target_nothing_runs() -> None:
    assert container()["image"] == "<FILL_ME: IMAGE>", "no node can pull that"
    target = container()["args"][container()["args"].index("--to") + 1]
    assert target == "<FILL_ME: TARGET_RELEASE>"
    result = run("check", "--to", target, "--no-cluster", "--platform", "AWS", "--from", target)
    assert result.code == 2, "and upgrade-gate takes it for no release"


@pytest.mark.parametrize(("verdict", "code"), VERDICTS)
def test_its_command_ends_with_the_verdict_and_writes_the_reports(
    workspace: Workspace, verdict: str, code: int
) -> None:
    one = container("--to", "4.19.5", "--config-map", "settings", "--no-pull-secret")
    target = workspace.target(verdict)
    settings = "/etc/upgrade-gate/settings"
    words = [word.replace(settings, str(workspace.folder)) for word in (*one["command"], *one["args"])]
    words[words.index("live")] = workspace.cluster
    words[words.index("4.19.5")] = target
    fixed = {entry["name"]: entry["value"] for entry in one["env"] if "value" in entry}
    reports = fixed["REPORTS"].replace("/reports", str(workspace.folder)).replace("$(POD_NAME)", "pod-7")
    done = workspace.run(words, POD_NAME="pod-7", REPORTS=reports)
    assert done.returncode == code, done.stderr
    for ending in (*REPORTS, "md"):
        assert (workspace.folder / f"pod-7.{ending}").stat().st_size, ending
    assert code == 0 or code in job()["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"]


def test_shellcheck_has_nothing_to_say(tmp_path: Path) -> None:
    for options in FORMS:
        check_shell(container(*options)["command"][2], "sh", tmp_path)


def test_the_cluster_expands_nothing_in_the_script() -> None:
    """The kubelet replaces `$(NAME)` of a variable and `$$` in command and args; all else stays as it is."""
    script = container()["command"][2]
    assert "$$" not in script
    assert not re.search(r"\$\([A-Za-z_][A-Za-z0-9_]*\)", script)


def test_variables_come_from_a_config_map_that_need_not_be_there() -> None:
    read = {entry["name"]: entry["valueFrom"]["configMapKeyRef"] for entry in container()["env"][2:7]}
    assert read == {name: {"name": "upgrade-gate", "key": name, "optional": True} for name in VARIABLES}


def test_the_config_map_is_named_so_it_may_hold_what_a_found_file_may_not() -> None:
    named = "UPGRADE_GATE_CONFIG=${UPGRADE_GATE_CONFIG:-/etc/upgrade-gate/settings/upgrade-gate.yaml}\n"
    assert named in container("--config-map", "settings")["command"][2]
    assert named not in container()["command"][2]
    assert "--registry-config" in container()["args"]
    assert "--registry-config" not in container("--no-pull-secret")["args"]


@pytest.mark.parametrize("name", ["my.settings", "a" * 253])
def test_a_config_map_may_have_every_name_that_the_cluster_takes(name: str) -> None:
    (settings,) = (v for v in job("--config-map", name)["template"]["spec"]["volumes"] if v["name"] == "settings")
    assert settings["configMap"] == {"name": name}


def test_each_target_has_a_job_of_its_own_name() -> None:
    targets = ("4.19.5", "4.19.6", f"quay.io/openshift-release-dev/ocp-release@sha256:{'a' * 64}")
    names = [documents("--to", target)["Job"]["metadata"]["name"] for target in targets]
    assert names[:2] == ["upgrade-gate-4-19-5", "upgrade-gate-4-19-6"]
    for name in names:
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name), name
    assert documents("--schedule", "@daily", "--to", "4.19.5")["CronJob"]["metadata"]["name"] == "upgrade-gate"


def test_a_scheduled_run_waits_for_the_one_before() -> None:
    assert documents("--schedule", "30 5 * * 1")["CronJob"]["spec"]["concurrencyPolicy"] == "Forbid"
    assert documents("--schedule", "30 5 * * 1")["CronJob"]["spec"]["schedule"] == "30 5 * * 1"


@pytest.mark.parametrize(
    "options",
    [
        ("--image", "upgrade-gate:latest"),
        ("--schedule", "every day"),
        ("--service-account", "reader"),
        ("--config-map", "a/b"),
        ("--config-map", "a..b"),
        ("--config-map", "-a"),
        ("--service-account", "ci.x/reader"),
        ("--to", "$(POD_NAME)"),
    ],
    ids=" ".join,
)
def test_what_the_cluster_would_refuse_is_refused_here(options: tuple[str, str]) -> None:
    assert options[0] in refused("kubernetes-job", *options).first

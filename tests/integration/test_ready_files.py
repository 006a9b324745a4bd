"""The ready files against an API server: kubectl takes the manifests, and a pipeline reads a live cluster."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.worlds.components import require
from tests.worlds.kubernetes_server import KubernetesServer, objects_of
from tests.worlds.ready_files import IMAGE, Workspace, loaded, made, settled

if TYPE_CHECKING:
    from pathlib import Path

    from tests.worlds.certificates import Certificates


@pytest.mark.kubectl
@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        (
            ("kubernetes-job", "--to", "4.19.5"),
            ["persistentvolumeclaim/upgrade-gate-reports", "job.batch/upgrade-gate-4-19-5"],
        ),
        (
            ("kubernetes-job", "--schedule", "@daily"),
            ["persistentvolumeclaim/upgrade-gate-reports", "cronjob.batch/upgrade-gate"],
        ),
        (
            ("fleet-job", "hub"),
            [
                "namespace/upgrade-gate",
                "serviceaccount/upgrade-gate-fleet",
                "role.rbac.authorization.k8s.io/upgrade-gate-fleet",
                "rolebinding.rbac.authorization.k8s.io/upgrade-gate-fleet",
                "persistentvolumeclaim/upgrade-gate-fleet",
                "job.batch/upgrade-gate-fleet",
                "job.batch/upgrade-gate-fleet-merge",
            ],
        ),
    ],
    ids=["Job", "CronJob", "fleet"],
)
def test_kubectl_takes_the_job(
    options: tuple[str, ...], kinds: list[str], certificates: Certificates, tmp_path: Path
) -> None:
    (tmp_path / "job.yaml").write_text(made(*options, "--image", IMAGE))
    with KubernetesServer(certificates, []).run() as server:
        config = server.kubeconfig(tmp_path / "kubeconfig")
        create = ("create", "--dry-run=client", "--validate=false", "-o", "name", "-f", tmp_path / "job.yaml")
        command = [str(word) for word in (require("kubectl"), "--kubeconfig", config, *create)]
        environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
    assert done.stdout.split() == kinds, done.stderr


@pytest.mark.parametrize("token", ["token-of-the-test", "another"])
def test_the_workflow_reads_a_live_cluster_by_its_secret(
    token: str, certificates: Certificates, fixtures: Path, tmp_path: Path
) -> None:
    """With the right token the verdict is the cluster's; with a wrong one there is none, and the job fails."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    workspace = Workspace(folder, fixtures)
    target = workspace.target("blocked")
    (step,) = (one for one in loaded(made("github"))["jobs"]["gate"]["steps"] if one.get("id") == "check")
    with KubernetesServer(certificates, objects_of(fixtures / "clusters" / "aws-sts")).run() as server:
        kubeconfig = server.kubeconfig(tmp_path / "kubeconfig", user={"token": token}).read_text()
        done = workspace.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            TO=target,
            CLUSTER="live",
            KUBECONFIG_TEXT=kubeconfig,
            PULL_SECRET_TEXT="",
            REPORT_ONLY="false",
            GITHUB_OUTPUT=str(folder / "output"),
            GITHUB_STEP_SUMMARY=str(folder / "summary"),
            GITHUB_SERVER_URL="https://git.example.com",
            GITHUB_REPOSITORY="a/b",
            GITHUB_RUN_ID="7",
        )
        asked = {request.method for request in server.requests}
    outputs = settled((folder / "output").read_text())
    assert asked == {"GET"}
    assert token not in done.stdout + done.stderr
    if token == server.token:
        assert (done.returncode, outputs["verdict"]) == (3, "blocked"), done.stderr
        report = json.loads((folder / "upgrade-gate-reports" / "gate.json").read_text())
        assert report["cluster"]["id"] == "5b0d6f2e-0000-4000-8000-0000000000de"
    else:
        assert done.returncode not in {0, 3}
        assert outputs["verdict"] in {"undetermined", "none"}
        assert "no verdict was reached" in done.stderr

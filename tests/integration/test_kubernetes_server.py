"""The stand-in API server is one that kubectl accepts."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.worlds.cluster_objects import STORAGE, sample
from tests.worlds.components import require
from tests.worlds.kubernetes_server import Fault, KubernetesServer
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import observe
from upgrade_gate.cluster.readers import live, snapshot
from upgrade_gate.cluster.rows import rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.worlds.certificates import Certificates
    from upgrade_gate.cluster.facts_table import Cluster

SECRET = SecretRef(STORAGE, "ebs-cloud-credentials")


def kubectl(folder: Path, server: KubernetesServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run kubectl against the server."""
    program = require("kubectl")
    path = server.kubeconfig(folder / "kubeconfig")
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    command = [str(program), "--kubeconfig", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def observed(server: KubernetesServer, folder: Path) -> Cluster:
    """Read both waves."""
    reader = live.open_cluster(kubeconfig=server.kubeconfig(folder / "kubeconfig"), timeout=10.0)
    return observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [SECRET])


@pytest.mark.kubectl
def test_kubectl_reads_objects_lists_and_tables(certificates: Certificates, tmp_path: Path) -> None:
    with KubernetesServer(certificates, list(sample().values()), page=1).run() as server:
        whole = kubectl(tmp_path, server, "get", "clusterversion", "version", "-o", "json")
        assert json.loads(whole.stdout)["status"]["desired"]["version"] == "4.14.3", whole.stderr
        listed = kubectl(tmp_path, server, "get", "secrets", "-A", "-o", "json")
        assert len(json.loads(listed.stdout)["items"]) == 2, listed.stderr
        table = kubectl(tmp_path, server, "get", "credentialsrequests", "-A")
        assert table.stdout.split() == ["NAMESPACE", "NAME", "openshift-cloud-credential-operator", "storage"]
        missing = kubectl(tmp_path, server, "get", "clusteroperators", "etcd")
        assert "NotFound" in missing.stderr


@pytest.mark.kubectl
def test_kubectl_reads_a_cluster_behind_the_proxy_of_its_hub(certificates: Certificates, tmp_path: Path) -> None:
    behind = KubernetesServer(certificates, list(sample().values()))
    with KubernetesServer(certificates, [], managed={"a": behind}).run() as proxy:
        read = kubectl(tmp_path, proxy, "get", "clusterversion", "version", "-o", "json", "--server", f"{proxy.url}/a")
        assert json.loads(read.stdout)["status"]["desired"]["version"] == "4.14.3", read.stderr
    assert behind.asked() == {("get", "config.openshift.io", "clusterversions", None, "version")}


@pytest.mark.kubectl
def test_kubectl_understands_refusals(certificates: Certificates, tmp_path: Path) -> None:
    with KubernetesServer(certificates, list(sample().values()), rules=[]).run() as server:
        refused = kubectl(tmp_path, server, "get", "clusterversion", "version")
        assert "Forbidden" in refused.stderr
        server.faults["*"] = Fault("unauthorized")
        assert "must be logged in" in kubectl(tmp_path, server, "get", "clusterversion", "version").stderr


def test_a_snapshot_of_a_live_cluster_is_the_live_cluster(certificates: Certificates, tmp_path: Path) -> None:
    with KubernetesServer(certificates, list(sample().values())).run() as server:
        reader = live.open_cluster(kubeconfig=server.kubeconfig(tmp_path / "k"), timeout=10.0)
        recorder = snapshot.Recorder(reader)
        alive = observe.observe_secrets(observe.observe(recorder), recorder, [STORAGE], [SECRET])
    content = snapshot.encode(recorder.answers, source=reader.description, taken="2026-11-01T00:00:00Z", tool="0")
    (tmp_path / "s.json").write_bytes(content)
    replayed = snapshot.open_snapshot(tmp_path / "s.json")
    found = observe.observe_secrets(observe.observe(replayed), replayed, [STORAGE], [SECRET])
    assert rows_of(found) == rows_of(alive)
    assert found.secrets == alive.secrets
    assert found.requests == alive.requests

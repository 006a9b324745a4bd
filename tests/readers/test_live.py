"""The live cluster: only GET, no Secret value, and nothing that was not read is known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration import certificates as certificate_files
from tests.integration.kubernetes_server import Fault, KubernetesServer, objects_of
from upgrade_gate import cluster as clusters
from upgrade_gate import plugins
from upgrade_gate.cluster import Cluster, SecretRef
from upgrade_gate.errors import ClusterError, UsageError
from upgrade_gate.facts import Absent, Known, Unknown

DEMO = Path(__file__).resolve().parents[2] / "upgrade_gate" / "data" / "demo" / "cluster"
REF = SecretRef("openshift-beacon", "aws-cloud-credentials")
MISSING = SecretRef("openshift-beacon", "nowhere")
live = plugins.load("readers", "live")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> certificate_files.Certificates:
    return certificate_files.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def server(certificates: certificate_files.Certificates) -> Iterator[KubernetesServer]:
    with KubernetesServer(certificates, objects_of(DEMO)).run() as running:
        yield running


def _observe(server: KubernetesServer, folder: Path, *, timeout: float = 10.0, **changes: Any) -> Cluster:
    kubeconfig = server.kubeconfig(folder / "kubeconfig", **changes)
    reader = live.open_cluster(kubeconfig=kubeconfig, timeout=timeout)
    seen = clusters.observe(reader)
    return clusters.observe_secrets(seen, reader, [REF.namespace], [REF, MISSING])


def test_live_facts_equal_those_of_a_dump(server: KubernetesServer, tmp_path: Path) -> None:
    dump = clusters.observe(plugins.load("readers", "must_gather").open_dump(DEMO))
    seen = _observe(server, tmp_path)
    for name in ("id", "version", "platform", "mode", "annotation", "operator", "issuer", "capabilities", "offers"):
        assert getattr(seen, name) == getattr(dump, name), name
    assert isinstance(seen.secrets[REF], Known)
    assert seen.secrets[MISSING] == Absent()


def test_only_get_is_used_and_no_secret_value_is_asked_for(server: KubernetesServer, tmp_path: Path) -> None:
    _observe(server, tmp_path)
    assert {request.method for request in server.requests} == {"GET"}
    secrets = [request for request in server.requests if "/secrets/" in request.path]
    assert secrets
    for request in secrets:
        assert "as=PartialObjectMetadata" in request.accept
        assert "application/json," not in request.accept.replace(" ", "")
        assert not request.accept.endswith(",application/json")


def test_server_that_sends_whole_secrets_all_the_same_is_not_believed(server: KubernetesServer, tmp_path: Path) -> None:
    path = f"/api/v1/namespaces/{REF.namespace}/secrets/{REF.name}"
    server.faults[path] = Fault("ignores-accept")
    assert isinstance(_observe(server, tmp_path).secrets[REF], Unknown)


@pytest.mark.parametrize("kind", ["forbidden", "garbage", "cut"])
def test_read_that_fails_is_unknown_and_named(kind: str, server: KubernetesServer, tmp_path: Path) -> None:
    server.faults["/apis/config.openshift.io/v1/infrastructures/cluster"] = Fault(kind)
    seen = _observe(server, tmp_path)
    assert isinstance(seen.platform, Unknown)
    row = next(row for row in seen.rows if row.name == "Infrastructure cluster")
    assert row.state == "unknown"
    assert row.reason
    assert isinstance(seen.version, Known)


def test_two_clusters_are_not_mixed_up(certificates: certificate_files.Certificates, tmp_path: Path) -> None:
    other = objects_of(DEMO)
    for body in other:
        if body["kind"] == "ClusterVersion":
            body["spec"]["clusterID"] = "another"
    first = KubernetesServer(certificates, objects_of(DEMO))
    second = KubernetesServer(certificates, other)
    with first.run(), second.run():
        (tmp_path / "b").mkdir()
        assert _observe(second, tmp_path / "b").id == Known("another")
        assert not first.requests
        assert second.requests


def test_wrong_token_and_missing_files_end_early(server: KubernetesServer, tmp_path: Path) -> None:
    with pytest.raises((ClusterError, UsageError)):
        live.open_cluster(kubeconfig=tmp_path / "missing")
    kubeconfig = server.kubeconfig(
        tmp_path / "kubeconfig",
        user={
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": "no-such-plugin",
                "interactiveMode": "Never",
            }
        },
    )
    with pytest.raises(ClusterError, match="no-such-plugin"):
        live.open_cluster(kubeconfig=kubeconfig)

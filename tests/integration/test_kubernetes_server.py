"""The stand-in API server is one that kubectl accepts, and the roles that `init rbac` writes are what reading needs."""

from __future__ import annotations

import copy
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.cluster_objects import STORAGE, sample
from tests.components import require
from tests.integration.kubernetes_server import Fault, KubernetesServer
from upgrade_gate import cluster
from upgrade_gate.cluster import SecretRef
from upgrade_gate.commands.init._roles import rbac_manifests
from upgrade_gate.readers import live, snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.integration.certificates import Certificates
    from upgrade_gate.cluster import Cluster

SECRET = SecretRef(STORAGE, "ebs-cloud-credentials")
Rules = list[tuple[str | None, dict[str, Any]]]


def kubectl(folder: Path, server: KubernetesServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run kubectl against the server."""
    program = require("kubectl")
    path = server.kubeconfig(folder / "kubeconfig")
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    command = [str(program), "--kubeconfig", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def rules_of(manifests: Sequence[dict[str, Any]]) -> Rules:
    """Return the rules of roles with the namespace they hold in."""
    return [
        (body["metadata"].get("namespace"), rule)
        for body in manifests
        if body["kind"] in {"Role", "ClusterRole"}
        for rule in body["rules"]
    ]


def without_secret() -> list[dict[str, Any]]:
    """Return the sample without its Secret, which would prove its namespace by itself."""
    return [body for key, body in sample().items() if key != f"Secret/{SECRET.name}"]


def observe(server: KubernetesServer, folder: Path) -> Cluster:
    """Read both waves."""
    reader = live.open_cluster(kubeconfig=server.kubeconfig(folder / "kubeconfig"), timeout=10.0)
    return cluster.observe_secrets(cluster.observe(reader), reader, [STORAGE], [SECRET])


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
def test_kubectl_understands_refusals(certificates: Certificates, tmp_path: Path) -> None:
    with KubernetesServer(certificates, list(sample().values()), rules=[]).run() as server:
        refused = kubectl(tmp_path, server, "get", "clusterversion", "version")
        assert "Forbidden" in refused.stderr
        server.faults["*"] = Fault("unauthorized")
        assert "must be logged in" in kubectl(tmp_path, server, "get", "clusterversion", "version").stderr


@pytest.mark.kubectl
def test_kubectl_and_we_agree_on_what_the_roles_allow(certificates: Certificates, tmp_path: Path) -> None:
    rules = rules_of(rbac_manifests([SECRET], platform="AWS"))
    with KubernetesServer(certificates, list(sample().values()), rules=rules).run() as server:
        asked = {
            ("get", "clusterversions.config.openshift.io/version"): "yes",
            ("list", "clusterversions.config.openshift.io"): "no",
            ("list", "credentialsrequests.cloudcredential.openshift.io"): "yes",
            ("get", f"secrets/{SECRET.name}", "-n", STORAGE): "yes",
            ("get", "secrets/other", "-n", STORAGE): "no",
            ("list", "secrets", "-n", STORAGE): "no",
            ("get", "secrets/aws-creds", "-n", "kube-system"): "yes",
        }
        for question, answer in asked.items():
            assert kubectl(tmp_path, server, "auth", "can-i", *question).stdout.strip() == answer, question


def test_the_roles_allow_exactly_what_is_read(certificates: Certificates, tmp_path: Path) -> None:
    rules = rules_of(rbac_manifests([SECRET], platform="AWS"))
    with KubernetesServer(certificates, without_secret(), rules=rules).run() as server:
        assert "unknown" not in {line.state for line in observe(server, tmp_path).rows}
        for number in range(len(rules)):
            server.rules = [rule for place, rule in enumerate(rules) if place != number]
            lines = observe(server, tmp_path).rows
            assert any("403" in (line.reason or "") for line in lines), f"{rules[number]} is not needed"


def test_no_name_in_a_rule_is_more_than_what_is_read(certificates: Certificates, tmp_path: Path) -> None:
    rules = rules_of(rbac_manifests([SECRET], platform="AWS"))
    with KubernetesServer(certificates, without_secret(), rules=rules).run() as server:
        for place, (_, rule) in enumerate(rules):
            for name in rule.get("resourceNames", []):
                server.rules = copy.deepcopy(rules)
                server.rules[place][1]["resourceNames"].remove(name)
                lines = observe(server, tmp_path).rows
                refused = [line for line in lines if "403" in (line.reason or "")]
                if not any(name in line.name for line in refused):
                    assert any(name in (line.reason or "") for line in refused), name


def test_without_secrets_no_rule_names_one_and_the_rest_is_still_known(
    certificates: Certificates, tmp_path: Path
) -> None:
    rules = rules_of(rbac_manifests([SECRET], with_secrets=False))
    assert not any("secrets" in rule["resources"] for _, rule in rules)
    with KubernetesServer(certificates, list(sample().values()), rules=rules).run() as server:
        unknown = {line.name for line in observe(server, tmp_path).rows if line.state == "unknown"}
        assert unknown == {f"Secrets of {STORAGE}", "Secret kube-system/aws-creds"}


def test_no_role_can_write_or_list_secrets() -> None:
    every = rbac_manifests([SECRET], with_mirrors=True, with_signatures=True, with_pull_secret=True)
    for _, rule in rules_of(every):
        assert set(rule["verbs"]) <= {"get", "list"}
        assert "*" not in rule["resources"] + rule["apiGroups"]
        if rule["resources"] == ["secrets"]:
            assert rule["verbs"] == ["get"]
            assert rule["resourceNames"]


def test_every_role_has_its_binding() -> None:
    manifests = rbac_manifests([SECRET], account=("ci", "reader"))
    roles = [body for body in manifests if body["kind"] in {"Role", "ClusterRole"}]
    bindings = [body for body in manifests if body["kind"].endswith("Binding")]
    assert [b["metadata"] for b in bindings] == [r["metadata"] for r in roles]
    assert {b["subjects"][0]["name"] for b in bindings} == {"reader"}
    assert all(b["roleRef"]["kind"] == r["kind"] for b, r in zip(bindings, roles, strict=True))


def test_the_queries_on_request_are_allowed_only_on_request(certificates: Certificates, tmp_path: Path) -> None:
    queries = [*cluster.MIRROR_POLICIES, cluster.SIGNATURE_CONFIGMAPS, cluster.VERIFICATION_CONFIGMAP]
    for asked in (False, True):
        rules = rules_of(rbac_manifests([], with_mirrors=asked, with_signatures=asked, with_pull_secret=asked))
        with KubernetesServer(certificates, list(sample().values()), rules=rules).run() as server:
            reader = live.open_cluster(kubeconfig=server.kubeconfig(tmp_path / "k"), timeout=10.0)
            answers = [*reader.read(queries).values(), reader.pull_secret()]
            assert any("403" in getattr(answer, "reason", "") for answer in answers) is not asked


def test_a_snapshot_of_a_live_cluster_is_the_live_cluster(certificates: Certificates, tmp_path: Path) -> None:
    with KubernetesServer(certificates, list(sample().values())).run() as server:
        reader = live.open_cluster(kubeconfig=server.kubeconfig(tmp_path / "k"), timeout=10.0)
        recorder = snapshot.Recorder(reader)
        alive = cluster.observe_secrets(cluster.observe(recorder), recorder, [STORAGE], [SECRET])
    content = snapshot.encode(recorder.answers, source=reader.description, taken="2026-11-01T00:00:00Z", tool="0")
    (tmp_path / "s.json").write_bytes(content)
    replayed = snapshot.open_snapshot(tmp_path / "s.json")
    found = cluster.observe_secrets(cluster.observe(replayed), replayed, [STORAGE], [SECRET])
    assert found.rows == alive.rows
    assert found.secrets == alive.secrets
    assert found.requests == alive.requests

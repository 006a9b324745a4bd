"""How a payload defines its requests."""

from pathlib import Path
from typing import Any

import pytest

from tests.worlds.rules import NS, Cluster, found, judge, one, request

A = request("a")
WIDER = request("a", "ec2:DescribeVolumes", "ec2:CreateTags")


def override(
    name: str = "a",
    *,
    kind: str = "CredentialsRequest",
    group: str = "cloudcredential.openshift.io",
    namespace: str = NS,
    unmanaged: bool = True,
) -> dict[str, Any]:
    return {"kind": kind, "group": group, "namespace": namespace, "name": name, "unmanaged": unmanaged}


def overridden(mode: str, *overrides: dict[str, Any]) -> Cluster:
    """Return a cluster of that mode with its overrides."""
    cluster = Cluster(mode=mode, root=mode != "Manual", issuer="" if mode != "Manual" else "https://o.example.com/c")
    cluster.objects["ClusterVersion"]["spec"]["overrides"] = list(overrides)
    return cluster


@pytest.mark.parametrize("mode", ["Manual", "Mint"])
def test_request_that_cvo_leaves_alone_is_judged_and_named(mode: str, tmp_path: Path) -> None:
    outcome = judge(tmp_path / "1", [A], [WIDER], overridden(mode, override()))
    assert one(outcome, "request-overridden").severity == "warning"
    assert one(outcome, "permission-added").severity == "blocker"
    assert [need.kind for need in one(outcome, "permission-added").needs] == ["grants"]
    moved = [request("a", secret="other")]
    assert one(judge(tmp_path / "2", [A], moved, overridden(mode, override())), "secret-moved").severity == "blocker"
    fresh = judge(tmp_path / "3", [A], [A, request("b", secret="b")], overridden(mode, override("b")))
    assert one(fresh, "request-added").severity == "blocker"


def test_passthrough_copies_the_root_credential_for_the_old_object_alone(tmp_path: Path) -> None:
    fresh = judge(tmp_path / "1", [A], [A, request("b", secret="b")], overridden("Passthrough", override("b")))
    assert one(fresh, "request-added").severity == "blocker"
    wider = judge(tmp_path / "2", [A], [WIDER], overridden("Passthrough", override()))
    assert one(wider, "permission-added").severity == "blocker"


def test_request_without_profile_stays_what_it_is_under_an_override(tmp_path: Path) -> None:
    bare = [request("a", annotations={"x": "y"})]
    outcome = judge(tmp_path, bare, bare, overridden("Manual", override()))
    assert one(outcome, "request-unannotated").severity == "warning"
    assert not found(outcome, "request-overridden")


@pytest.mark.parametrize(
    "other",
    [
        override(unmanaged=False),
        override(namespace="openshift-ingress"),
        override(group="config.openshift.io"),
        override("cluster-monitoring-operator", kind="Deployment", group="apps", namespace="openshift-monitoring"),
        override("cloud-credential-operator", kind="Deployment", group="apps", unmanaged=False),
        override("cloud-credential-operator", kind="Deployment", group="apps", namespace="default"),
        override("cloud-credential-operator", kind="ServiceMonitor", group="monitoring.coreos.com"),
    ],
)
def test_override_of_something_else_says_nothing_here(other: dict[str, Any], tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], [WIDER], overridden("Mint", other))
    assert one(outcome, "permission-added").severity == "info"
    assert not found(outcome, "request-overridden")
    assert not found(outcome, "cco-overridden")


@pytest.mark.parametrize(
    "own",
    [
        override("cloud-credential-operator", kind="Deployment", group="apps"),
        override("cloud-credential-operator", kind="ServiceAccount", group=""),
        override(NS, kind="Namespace", group="", namespace=""),
        override("cloud-credential-operator-role", kind="ClusterRole", group="rbac.authorization.k8s.io", namespace=""),
        override(
            "credentialsrequests.cloudcredential.openshift.io",
            kind="CustomResourceDefinition",
            group="apiextensions.k8s.io",
            namespace="",
        ),
    ],
)
def test_override_of_cco_itself_is_unknown_where_cco_must_work(own: dict[str, Any], tmp_path: Path) -> None:
    for mode, severity in (("Mint", "unknown"), ("Passthrough", "unknown"), ("Manual", "warning")):
        assert one(judge(tmp_path / mode, [A], [A], overridden(mode, own)), "cco-overridden").severity == severity


def test_request_without_profile_is_named(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], [request("a", annotations={"x": "y"})], Cluster())
    assert one(outcome, "request-unannotated").severity == "warning"
    assert not outcome.comparison.hops[0].changes


def test_equal_definitions_are_one_and_contradicting_ones_a_conflict(tmp_path: Path) -> None:
    assert one(judge(tmp_path / "1", [A], [A, A], Cluster()), "request-duplicate").severity == "warning"
    outcome = judge(tmp_path / "2", [A], [A, request("a", "ec2:CreateTags")], Cluster())
    finding = one(outcome, "request-conflict")
    assert (finding.severity, finding.acknowledgeable) == ("blocker", False)
    assert not found(outcome, "permission-added")

"""How a payload defines its requests."""

from pathlib import Path
from typing import Any

import pytest

from tests.worlds.rules import NS, Cluster, about, found, hosted, judge, one, payload, request
from upgrade_gate.cluster.credentials_mode import Mode

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


FIRST, SECOND = "0000_50_component_00.yaml 0 1", "0000_50_component_01.yaml 0 1"
CLOUD = "openshift-storage/cloud"


def test_a_conflict_names_its_release_and_every_document(tmp_path: Path) -> None:
    other = request("a", "ec2:CreateTags")
    via = payload(tmp_path / "via", "4.14.9", [A])
    later = one(judge(tmp_path / "1", [A], [A, other], Cluster(), via=(f"dir:{via}",)), "request-conflict")
    assert about(later) == {
        "request": f"{NS}/a",
        "hop": 1,
        "guard": "missed",
        "needs": {"decision": "unmet"},
        "evidence": [f"to {FIRST}", f"to {SECOND}"],
    }
    left = one(judge(tmp_path / "2", [A, other], [A], Cluster()), "request-conflict")
    assert about(left)["evidence"] == [f"from {FIRST}", f"from {SECOND}"]


def test_a_definition_is_told_once_on_a_path_and_each_request_by_itself(tmp_path: Path) -> None:
    bare = request("b", secret="two", annotations={"x": "y"})
    bad = [A, A, bare, request("c"), request("c", "ec2:CreateTags"), request("d"), request("d", "ec2:CreateTags")]
    via = payload(tmp_path / "via", "4.14.9", bad)
    outcome = judge(tmp_path / "1", [A], bad, Cluster(), via=(f"dir:{via}",))
    told = [(j.finding.subject, j.finding.hop) for j in found(outcome, "request-conflict")]
    assert told == [(f"{NS}/c", 0), (f"{NS}/d", 0)]
    twice = one(outcome, "request-duplicate")
    assert about(twice) == {"request": f"{NS}/a", "secret": CLOUD, "evidence": [f"to {FIRST}", f"to {SECOND}"]}
    assert about(one(outcome, "request-unannotated")) == {
        "request": f"{NS}/b",
        "secret": "openshift-storage/two",
        "evidence": ["to 0000_50_component_02.yaml 0 1"],
    }
    later = payload(tmp_path / "later", "4.14.9", [A])
    second = judge(tmp_path / "2", [A], [A, A], Cluster(), via=(f"dir:{later}",))
    assert about(one(second, "request-duplicate"))["hop"] == 1


def test_overrides_of_cco_are_named_together_with_what_is_left_to_look_at(tmp_path: Path) -> None:
    own = [
        override(NS, kind="Namespace", group="", namespace=""),
        override("cloud-credential-operator", kind="Deployment", group="apps"),
    ]
    finding = one(judge(tmp_path / "1", [A], [A], overridden("Mint", *own)), "cco-overridden")
    assert f" Deployment cloud-credential-operator, Namespace {NS}" in finding.headline
    assert about(finding) == {"needs": {"decision": "unmet"}, "evidence": ["cluster clusterversions/version 0 1"]}
    assert finding.subject == "overrides"


RBAC = "rbac.authorization.k8s.io"


@pytest.mark.parametrize(
    "other",
    [
        override("pod-identity-webhook", kind="Deployment", group="apps"),
        override("machine-api-operator", kind="ClusterRole", group=RBAC, namespace=""),
        override("cloud-credential-operator-role", kind="Role", group=RBAC, namespace="openshift-monitoring"),
    ],
)
def test_what_cco_does_not_run_by_may_be_left_alone(other: dict[str, Any], tmp_path: Path) -> None:
    assert not found(judge(tmp_path, [A], [A], overridden("Mint", other)), "cco-overridden")


def test_override_of_cco_is_unknown_where_the_mode_is_and_nothing_where_there_is_no_cco(tmp_path: Path) -> None:
    own = override("cloud-credential-operator", kind="Deployment", group="apps")
    unread = overridden("Manual", own)
    unread.unread = ["CloudCredential"]
    assert one(judge(tmp_path / "1", [A], [A], unread), "cco-overridden").severity == "unknown"
    absent = hosted()
    absent.objects["ClusterVersion"]["spec"]["overrides"] = [own]
    outcome = judge(tmp_path / "2", [A], [A], absent)
    assert outcome.situation.mode is Mode.ABSENT
    assert not found(outcome, "cco-overridden")

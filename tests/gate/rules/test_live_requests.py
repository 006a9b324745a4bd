"""Requests as the cluster holds them."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.worlds.rules import NS, Cluster, about, found, judge, one, payload, request
from upgrade_gate.gate.rules import live_requests

A = [request("a")]
FAILING = {"type": "InsufficientCloudCreds", "status": "True", "reason": "CloudCredsInsufficient", "message": "m"}
FALSE = {"Upgradeable": ("False", "MissingUpgradeableAnnotation")}


def test_requests_in_the_cluster_that_differ_or_are_in_no_payload(tmp_path: Path) -> None:
    same = {"metadata": {"name": "a", "namespace": NS}, "spec": A[0]["spec"]}
    edited = {"metadata": {"name": "a", "namespace": NS}, "spec": request("a", "s3:*")["spec"]}
    extra = {"metadata": {"name": "olm", "namespace": "x"}, "spec": A[0]["spec"]}
    outcome = judge(tmp_path / "1", A, A, Cluster(requests=[edited, extra]))
    assert one(outcome, "live-request-drift").severity == "warning"
    assert one(outcome, "live-request-extra").severity == "info"
    quiet = judge(tmp_path / "2", A, A, Cluster(requests=[same]))
    assert not found(quiet, "live-request-drift") + found(quiet, "live-request-extra")


@pytest.mark.parametrize(
    ("mode", "name", "status", "severity"),
    [
        ("Mint", "a", {"conditions": [FAILING]}, "blocker"),
        ("Passthrough", "a", {"conditions": [FAILING]}, "blocker"),
        ("Mint", "a", {"provisioned": False}, "blocker"),
        ("Manual", "a", {"conditions": [FAILING]}, "warning"),
        ("Mint", "olm", {"conditions": [FAILING]}, "warning"),
        ("Mint", "a", {"conditions": [{**FAILING, "status": "False"}], "provisioned": True}, None),
        ("Mint", "a", {"conditions": [{**FAILING, "type": "Ignored"}], "provisioned": False}, None),
        ("Manual", "a", {"provisioned": False}, None),
        ("Mint", "a", {}, None),
    ],
)
def test_a_request_that_cco_cannot_serve(
    tmp_path: Path, mode: str, name: str, status: dict[str, Any], severity: str | None
) -> None:
    live = [{"metadata": {"name": one, "namespace": NS}, "spec": A[0]["spec"]} for one in dict.fromkeys(("a", name))]
    live[-1]["status"] = status
    outcome = judge(tmp_path, A, A, Cluster(mode=mode, root=True, requests=live))
    hits = found(outcome, "live-request-failing")
    assert [hit.finding.severity for hit in hits] == ([severity] if severity else [])
    assert not found(outcome, "fact-unknown")


@pytest.mark.parametrize("mode", ["Mint", "Passthrough"])
def test_where_cco_grants_its_requests_must_be_seen(tmp_path: Path, mode: str) -> None:
    for number, cluster in enumerate(
        (Cluster(mode=mode, root=True, unread=["CredentialsRequest"]), Cluster(mode=mode, root=True))
    ):
        outcome = judge(tmp_path / str(number), A, A, cluster)
        assert one(outcome, "fact-unknown").subject == "CredentialsRequests"
        assert outcome.verdict.exit_code == 4


def live(name: str = "a", namespace: str = NS, spec: Any = A[0]["spec"], **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace, **more.pop("metadata", {})}
    return {"metadata": metadata, "spec": spec, **more}


def test_a_failing_request_says_what_cco_says_and_where_to_look(tmp_path: Path) -> None:
    both = [{"type": "CredentialsProvisionFailure", "status": "True", "reason": "R", "message": "text"}, FAILING]
    held = [live(status={"conditions": both})]
    finding = one(judge(tmp_path, A, A, Cluster(mode="Mint", root=True, requests=held)), "live-request-failing")
    assert finding.headline == "CCO cannot serve a: InsufficientCloudCreds (CloudCredsInsufficient, m)"
    assert finding.subject == f"{NS}/a"
    assert about(finding) == {
        "request": f"{NS}/a",
        "guard": "missed",
        "needs": {"decision": "unmet"},
        "evidence": [f"cluster credentialsrequests/{NS}/a 0 1"],
        "remedy": [f"oc -n {NS} describe credentialsrequest a"],
    }


@pytest.mark.parametrize(
    ("kind", "told"), [("AWSProviderSpec", True), ("GCPProviderSpec", False), (None, True), (7, True)]
)
def test_a_request_of_another_cloud_fails_for_nobody(kind: Any, told: bool, tmp_path: Path) -> None:
    other = live("b", spec={**A[0]["spec"], "providerSpec": {"kind": kind}}, status={"conditions": [FAILING]})
    outcome = judge(tmp_path, A, A, Cluster(requests=[live(), other]))
    assert [j.finding.subject for j in found(outcome, "live-request-failing")] == [f"{NS}/b"] * told


def test_on_a_platform_that_nobody_knows_a_failing_request_of_any_cloud_is_told(tmp_path: Path) -> None:
    """Whether it is this cluster's cannot be told, so it is not passed over."""
    held = [live(spec={**A[0]["spec"], "providerSpec": {"kind": "GCPProviderSpec"}}, status={"conditions": [FAILING]})]
    outcome = judge(tmp_path, A, A, Cluster(platform="Moon", requests=held))
    assert one(outcome, "live-request-failing").subject == f"{NS}/a"


def test_a_request_that_only_the_target_or_a_release_between_has_is_of_the_path(tmp_path: Path) -> None:
    b, c = request("b", secret="b"), request("c", secret="c")
    status = {"conditions": [FAILING]}
    held = [live("b", spec=b["spec"], status=status), live("c", spec=c["spec"], status=status), live()]
    via = payload(tmp_path / "via", "4.14.9", [*A, c])
    cluster = Cluster(mode="Mint", root=True, requests=held)
    outcome = judge(tmp_path / "1", A, [*A, b], cluster, via=(f"dir:{via}",))
    told = [(j.finding.subject, j.finding.severity) for j in found(outcome, "live-request-failing")]
    assert told == [(f"{NS}/b", "blocker"), (f"{NS}/c", "blocker")]
    assert not found(outcome, "live-request-extra"), "a release of the path carries it"
    assert not found(outcome, "live-request-drift"), "against the release that runs"


def test_a_request_that_was_edited_says_in_which_fields(tmp_path: Path) -> None:
    edited = request("a", "s3:*", secret="other", cloudTokenPath="/t")["spec"]
    finding = one(judge(tmp_path / "1", A, A, Cluster(requests=[live(spec=edited)])), "live-request-drift")
    assert finding.headline == (
        "a in the cluster differs from 4.14.1: cloudTokenPath, providerSpec.statementEntries, secretRef"
    )
    assert about(finding) == {
        "request": f"{NS}/a",
        "secret": "openshift-storage/cloud",
        "evidence": [f"cluster credentialsrequests/{NS}/a 0 1"],
    }
    assert finding.subject == f"{NS}/a"
    spoilt = {**A[0]["spec"], "providerSpec": "text"}
    plain = one(judge(tmp_path / "2", A, A, Cluster(requests=[live(spec=spoilt)])), "live-request-drift")
    assert plain.headline.endswith(": providerSpec")


@pytest.mark.parametrize(
    ("edited", "fields"),
    [
        (request("a", secret="other")["spec"], "secretRef"),
        ({**A[0]["spec"], "providerSpec": {**A[0]["spec"]["providerSpec"], "more": 1}}, "providerSpec.more"),
    ],
)
def test_only_the_fields_that_were_edited_are_named(edited: dict[str, Any], fields: str, tmp_path: Path) -> None:
    finding = one(judge(tmp_path, A, A, Cluster(requests=[live(spec=edited)])), "live-request-drift")
    assert finding.headline == f"a in the cluster differs from 4.14.1: {fields}"


def test_a_request_that_cvo_leaves_alone_may_differ_for_ever_and_is_told(tmp_path: Path) -> None:
    cluster = Cluster(requests=[live(spec=request("a", "s3:*")["spec"])])
    alone = {"kind": "CredentialsRequest", "group": "cloudcredential.openshift.io", "namespace": NS, "name": "a"}
    cluster.objects["ClusterVersion"]["spec"]["overrides"] = [{**alone, "unmanaged": True}]
    assert one(judge(tmp_path, A, A, cluster), "live-request-drift").subject == f"{NS}/a"


def test_a_request_that_no_release_applies_is_compared_with_none(tmp_path: Path) -> None:
    """CVO never wrote it, so whoever did may say in it what they like."""
    bare = [*A, request("b", secret="b", annotations={"x": "y"})]
    cluster = Cluster(requests=[live(), live("b", spec=request("b", "s3:*")["spec"])])
    outcome = judge(tmp_path, bare, bare, cluster)
    assert one(outcome, "request-unannotated").request == f"{NS}/b"
    assert not found(outcome, "live-request-drift") + found(outcome, "live-request-extra")


def test_members_that_are_empty_make_no_difference(tmp_path: Path) -> None:
    padded = {**A[0]["spec"], "cloudTokenPath": "", "x": None, "y": [], "z": {"inner": {}}}
    assert not found(judge(tmp_path, A, A, Cluster(requests=[live(spec=padded)])), "live-request-drift")


def test_a_request_of_no_payload_names_its_owner_and_one_that_a_payload_leaves_out_is_known(tmp_path: Path) -> None:
    owned = live("olm", "x", metadata={"ownerReferences": [{"kind": "ClusterServiceVersion", "name": "efs"}]})
    finding = one(judge(tmp_path / "1", A, A, Cluster(requests=[owned])), "live-request-extra")
    assert finding.headline == "x/olm is in none of the releases, owned by ClusterServiceVersion/efs"
    nobodys = one(judge(tmp_path / "3", A, A, Cluster(requests=[live("olm", "x")])), "live-request-extra")
    assert nobodys.headline == "x/olm is in none of the releases"
    assert finding.subject == "x/olm"
    assert about(finding) == {"request": "x/olm", "evidence": ["cluster credentialsrequests/x/olm 0 1"]}
    elsewhere = request("g", secret="g", kind="GCPProviderSpec")
    gone = request(
        "d", secret="d", annotations={**A[0]["metadata"]["annotations"], "release.openshift.io/delete": "true"}
    )
    held = [live("g", spec=elsewhere["spec"]), live("d", spec=gone["spec"])]
    outcome = judge(tmp_path / "2", [*A, elsewhere], [*A, gone], Cluster(requests=held))
    assert not found(outcome, "live-request-extra")


def test_what_is_passed_over_hides_no_request_behind_it(tmp_path: Path) -> None:
    ignored = live("a", status={"conditions": [{**FAILING, "type": "Ignored"}]})
    cluster = Cluster(requests=[ignored, live("b", status={"conditions": [FAILING]})])
    assert one(judge(tmp_path, A, A, cluster), "live-request-failing").subject == f"{NS}/b"


def test_without_a_cluster_or_a_release_nothing_is_said_about_its_requests(tmp_path: Path) -> None:
    rules = {j.finding.rule for j in judge(tmp_path / "1", A, A).judged}
    assert not any(rule.startswith("live-request") for rule in rules)
    situation = judge(tmp_path / "2", A, A, Cluster(requests=[live("olm", "x")])).situation
    assert list(live_requests.evaluate(situation))
    assert not list(live_requests.evaluate(replace(situation, hops=())))

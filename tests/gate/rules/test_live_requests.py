"""Requests as the cluster holds them."""

from pathlib import Path
from typing import Any

import pytest

from tests.worlds.rules import NS, Cluster, found, judge, one, request

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

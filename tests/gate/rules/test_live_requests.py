"""Requests as the cluster holds them."""

from pathlib import Path

from tests.worlds.rules import NS, Cluster, found, judge, one, request

A = [request("a")]
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

"""Secrets that both releases read."""

from pathlib import Path
from typing import Any

import pytest

from tests.worlds.rules import NS, Cluster, found, judge, needs, one, payload, request
from upgrade_gate.requests.update import Given

A = [request("a")]


def test_missing_secret_blocks(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, A, A, Cluster(secrets=())), "secret-missing")
    assert (finding.severity, finding.guard, needs(finding)) == ("blocker", "missed", {"secret": "unmet"})


def test_incomplete_secret_blocks_and_its_existence_cannot_be_accepted_on_aws(tmp_path: Path) -> None:
    cluster = Cluster(keys=frozenset({"other"}))
    assert needs(one(judge(tmp_path / "1", A, A, cluster), "secret-incomplete")) == {"keys": "unmet"}
    assert found(judge(tmp_path / "2", A, A, cluster, accept_secret_exists=True), "secret-incomplete")


def test_complete_secret_and_mint_mode_raise_nothing(tmp_path: Path) -> None:
    assert not found(judge(tmp_path / "1", A, A, Cluster()), "secret-missing")
    assert not found(judge(tmp_path / "2", A, A, Cluster(mode="Mint", root=True, secrets=())), "secret-missing")


def test_a_finding_about_a_secret_names_who_reads_it_and_where_that_is_said(tmp_path: Path) -> None:
    between = payload(tmp_path / "between", "4.14.2", A)
    missing = one(judge(tmp_path / "1", A, A, Cluster(secrets=()), via=(f"dir:{between}",)), "secret-missing")
    incomplete = one(judge(tmp_path / "2", A, A, Cluster(keys=frozenset({"other"}))), "secret-incomplete")
    for finding, hop in ((missing, 1), (incomplete, 0)):
        assert (finding.request, finding.secret, finding.hop) == (f"{NS}/a", "openshift-storage/cloud", hop)
        assert [(place.side, place.file) for place in finding.evidence] == [("to", "0000_50_component_00.yaml")]
        assert ([step.when for step in finding.remedy], finding.guard) == (["before"], "missed")


def test_a_request_that_changes_otherwise_still_needs_the_secret_that_is_missing(tmp_path: Path) -> None:
    """Its new permission asks for grants; that there is no Secret is a fault of its own."""
    outcome = judge(tmp_path, A, [request("a", "ec2:DescribeVolumes", "ec2:CreateTags")], Cluster(secrets=()))
    assert needs(one(outcome, "permission-added")) == {"grants": "unknown"}
    assert one(outcome, "secret-missing").secret == "openshift-storage/cloud"


def test_a_secret_that_a_new_request_takes_over_is_asked_for_once(tmp_path: Path) -> None:
    """The component that read it reads another one now, and the new one's own finding asks for it."""
    new = [request("a", secret="two"), request("b")]
    outcome = judge(tmp_path / "1", A, new, Cluster(secrets=["openshift-storage/two"]))
    assert needs(one(outcome, "request-added"))["secret"] == "unmet"
    assert not found(outcome, "secret-missing")
    both = judge(tmp_path / "2", A, [request("0"), *A], Cluster(secrets=()))
    assert one(both, "secret-missing").request == f"{NS}/a", "one that has not changed reads it too"


def test_a_secret_that_two_requests_read_is_missing_once(tmp_path: Path) -> None:
    both = [*A, request("b")]
    assert one(judge(tmp_path, both, both, Cluster(secrets=())), "secret-missing").request == f"{NS}/a"


def test_the_secret_of_a_request_that_cannot_be_understood_today_is_no_finding_of_its_own(tmp_path: Path) -> None:
    odd = request("a", statements=[{"effect": "Allow", "action": {"x": 1}, "resource": "*"}])
    outcome = judge(tmp_path, [odd], A, Cluster(secrets=()))
    assert not found(outcome, "secret-missing")
    assert outcome.verdict.exit_code == 4


@pytest.mark.parametrize(
    ("vcenters", "lacking"),
    [
        ([{"server": "one"}], None),
        ([{"server": "one"}, {"server": "two"}], "two.username, two.password"),
        ("one", None),
        (0, None),
        ({}, None),
    ],
)
def test_a_secret_of_vsphere_must_serve_every_vcenter(vcenters: Any, lacking: str | None, tmp_path: Path) -> None:
    body = [request("a", kind="VSphereProviderSpec")]
    body[0]["spec"]["providerSpec"] = {"kind": "VSphereProviderSpec"}
    cluster = Cluster(platform="VSphere", keys=frozenset({"one.username", "one.password"}))
    cluster.objects["Infrastructure"]["spec"] = {"platformSpec": {"type": "VSphere", "vsphere": {"vcenters": vcenters}}}
    outcome = judge(tmp_path, body, body, cluster)
    told = [j.finding.needs[0].detail for j in found(outcome, "secret-incomplete")]
    assert told == ([f"Secret openshift-storage/cloud lacks {lacking}"] if lacking else [])
    assert outcome.verdict.exit_code == (3 if lacking else 0 if isinstance(vcenters, list) else 4)


def test_vcenters_that_nobody_read_are_no_matter_on_another_platform(tmp_path: Path) -> None:
    cluster = Cluster(unread=["Infrastructure"], keys=frozenset({"other"}))
    assert found(judge(tmp_path, A, A, cluster, given=Given(platform="AWS")), "secret-incomplete")

"""Secrets that both releases read."""

from pathlib import Path

from tests.worlds.rules import NS, Cluster, found, judge, needs, one, payload, request

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
        assert [step.when for step in finding.remedy] == ["before"]

"""Secrets that both releases read."""

from pathlib import Path

from tests.worlds.rules import Cluster, found, judge, needs, one, request

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

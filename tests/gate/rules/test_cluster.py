"""What ClusterVersion and Infrastructure say."""

from pathlib import Path

from tests.worlds.rules import Cluster, found, judge, one, request

A = [request("a")]
FALSE = {"Upgradeable": ("False", "MissingUpgradeableAnnotation")}


def test_update_under_way(tmp_path: Path) -> None:
    other = Cluster(history=(("Partial", "4.14.9"), ("Completed", "4.14.1")))
    same = Cluster(history=(("Partial", "4.15.0"), ("Completed", "4.14.1")))
    assert one(judge(tmp_path / "1", A, A, other), "update-in-progress").severity == "blocker"
    assert one(judge(tmp_path / "2", A, A, same), "update-in-progress").severity == "warning"
    assert not found(judge(tmp_path / "3", A, A, Cluster()), "update-in-progress")


def test_target_that_is_not_offered(tmp_path: Path) -> None:
    assert one(judge(tmp_path / "1", A, A, Cluster(offers=())), "target-not-offered").severity == "warning"
    assert not found(judge(tmp_path / "2", A, A, Cluster()), "target-not-offered")


def test_another_operator_holds_the_cluster_back(tmp_path: Path) -> None:
    assert one(judge(tmp_path / "1", A, A, Cluster(held="PoolUpdating")), "cluster-not-upgradeable")
    own = Cluster(held="MissingUpgradeableAnnotation", conditions=FALSE, annotation=None)
    assert not found(judge(tmp_path / "2", A, A, own), "cluster-not-upgradeable")


def test_hosted_control_plane_cannot_be_told(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(topology="External"))
    assert one(outcome, "hosted-control-plane").acknowledgeable is False
    assert outcome.verdict.exit_code == 4

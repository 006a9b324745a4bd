"""What ClusterVersion and Infrastructure say."""

from pathlib import Path

from tests.worlds.rules import Cluster, found, judge, one, request
from upgrade_gate.requests.update import Given

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


def test_a_hosted_cluster_runs_no_cco_and_none_is_missed(tmp_path: Path) -> None:
    cluster = Cluster(topology="External", mode="")
    del cluster.objects["ClusterOperator"]
    outcome = judge(tmp_path, A, A, cluster)
    assert [j.finding.rule for j in outcome.judged if j.finding.rule.startswith("cco-")] == []
    assert outcome.verdict.exit_code == 4


def test_the_profile_of_hosted_control_planes_says_it_without_a_cluster_too(tmp_path: Path) -> None:
    given = Given(platform="AWS", profile="ibm-cloud-managed")
    listed = [request("a", annotations={"include.release.openshift.io/ibm-cloud-managed": "true"})]
    assert one(judge(tmp_path, listed, listed, given=given), "hosted-control-plane").acknowledgeable

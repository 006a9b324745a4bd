"""What ClusterVersion and Infrastructure say."""

from pathlib import Path

import pytest

from tests.worlds.rules import Cluster, found, judge, needs, one, payload, request
from upgrade_gate.gate.findings import fingerprint
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
    assert one(judge(tmp_path / "1", A, A, Cluster(offers=("4.14.2",))), "target-not-offered").severity == "warning"
    assert not found(judge(tmp_path / "2", A, A, Cluster(offers=("4.15.0",))), "target-not-offered")


def test_another_operator_holds_the_cluster_back(tmp_path: Path) -> None:
    assert one(judge(tmp_path / "1", A, A, Cluster(held="PoolUpdating")), "cluster-not-upgradeable")
    own = Cluster(held="MissingUpgradeableAnnotation", conditions=FALSE, annotation=None)
    assert not found(judge(tmp_path / "2", A, A, own), "cluster-not-upgradeable")


def conditions(cluster: Cluster, *rows: tuple[str, str, str]) -> Cluster:
    """Let ClusterVersion have these conditions: type, status, reason."""
    cluster.objects["ClusterVersion"]["status"]["conditions"] = [
        {"type": kind, "status": status, "reason": reason, "message": "words"} for kind, status, reason in rows
    ]
    return cluster


def test_an_update_under_way_asks_for_a_decision_and_says_from_what_it_was_judged(tmp_path: Path) -> None:
    other = Cluster(history=(("Partial", "4.14.9"), ("Completed", "4.14.1")))
    finding = one(judge(tmp_path / "1", A, A, other), "update-in-progress")
    assert needs(finding) == {"decision": "unmet"}
    assert finding.headline.endswith("and has not completed; judged from 4.14.1")
    assert finding.fingerprint == fingerprint("update-in-progress", "update", ["4.14.1", "4.14.9"])
    same = Cluster(history=(("Partial", "4.15.0"), ("Completed", "4.14.1")))
    assert one(judge(tmp_path / "2", A, A, same), "update-in-progress").headline == "the update to 4.15.0 is under way"
    assert not found(judge(tmp_path / "3", A, A, same), "target-not-offered")


@pytest.mark.parametrize("versions", [("4.14.1", "4.14.1"), ("4.14.1", "4.14.0")])
def test_what_is_no_update_forward_need_not_be_offered(versions: tuple[str, str], tmp_path: Path) -> None:
    assert not found(judge(tmp_path, A, A, Cluster(offers=()), versions=versions), "target-not-offered")


@pytest.mark.parametrize(
    ("condition", "severity"),
    [
        (("RetrievedUpdates", "False", "RemoteFailed"), "info"),
        (("RetrievedUpdates", "Unknown", "NoChannel"), "info"),
        (("RetrievedUpdates", "True", ""), "warning"),
        (("Other", "False", "x"), "warning"),
    ],
)
def test_updates_that_could_not_be_retrieved_offer_nothing(
    condition: tuple[str, str, str], severity: str, tmp_path: Path
) -> None:
    finding = one(judge(tmp_path, A, A, conditions(Cluster(offers=()), condition)), "target-not-offered")
    assert finding.severity == severity
    assert ("could not retrieve updates" in finding.headline) is (severity == "info")


@pytest.mark.parametrize(
    ("conditioned", "versions", "told"),
    [
        ((("Upgradeable", "False", "PoolUpdating"),), ("4.14.1", "4.15.0"), True),
        ((("Upgradeable", "False", "PoolUpdating"),), ("4.14.1", "4.14.2"), False),
        ((("Upgradeable", "True", "AsExpected"),), ("4.14.1", "4.15.0"), False),
        ((("Upgradeable", "Unknown", "Odd"),), ("4.14.1", "4.15.0"), False),
        ((("Failing", "False", "PoolUpdating"),), ("4.14.1", "4.15.0"), False),
        ((("Failing", "True", "x"), ("Upgradeable", "False", "PoolUpdating")), ("4.14.1", "4.15.0"), True),
    ],
)
def test_cvo_is_held_back_only_before_a_minor_update_and_only_where_it_says_false(
    conditioned: tuple[tuple[str, str, str], ...], versions: tuple[str, str], *, told: bool, tmp_path: Path
) -> None:
    cluster = conditions(Cluster(), *conditioned)
    assert bool(found(judge(tmp_path, A, A, cluster, versions=versions), "cluster-not-upgradeable")) is told


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (("False", "MissingUpgradeableAnnotation"), False),
        (("False", "Other"), True),
        (("True", "MissingUpgradeableAnnotation"), True),
        (None, True),
    ],
)
def test_what_cco_itself_holds_back_is_no_second_finding(
    own: tuple[str, str] | None, *, told: bool, tmp_path: Path
) -> None:
    stated, unread = ({"Upgradeable": own}, ()) if own else ({}, ("ClusterOperator",))
    cluster = Cluster(held="MissingUpgradeableAnnotation", conditions=stated, unread=unread, annotation=None)
    assert bool(found(judge(tmp_path, A, A, cluster), "cluster-not-upgradeable")) is told


def test_each_finding_about_the_cluster_shows_its_object_and_how_to_look(tmp_path: Path) -> None:
    cluster = Cluster(offers=(), history=(("Partial", "4.14.9"), ("Completed", "4.14.1")), held="PoolUpdating")
    outcome = judge(tmp_path, A, A, cluster)
    for rule in ("update-in-progress", "target-not-offered", "cluster-not-upgradeable"):
        finding = one(outcome, rule)
        assert [(place.side, place.file) for place in finding.evidence] == [("cluster", "clusterversions/version")]
        assert [step.when for step in finding.remedy] == ["before"]
        assert finding.remedy[0].commands


def test_on_a_path_cvo_is_held_back_at_its_first_minor_update(tmp_path: Path) -> None:
    between = payload(tmp_path / "between", "4.14.2", A)
    outcome = judge(tmp_path, A, A, Cluster(held="PoolUpdating"), via=(f"dir:{between}",))
    assert one(outcome, "cluster-not-upgradeable").hop == 1


def test_a_hosted_control_plane_asks_to_look_at_its_own_roles(tmp_path: Path) -> None:
    finding = one(judge(tmp_path / "1", A, A, Cluster(topology="External")), "hosted-control-plane")
    assert needs(finding) == {"decision": "unmet"}
    assert finding.headline.endswith("give --profile")
    assert [place.file for place in finding.evidence] == ["infrastructures/cluster"]
    given = Given(profile="self-managed-high-availability")
    told = one(judge(tmp_path / "2", A, A, Cluster(topology="External"), given=given), "hosted-control-plane")
    assert (told.acknowledgeable, told.headline.endswith("--profile self-managed-high-availability")) == (True, True)
    assert not found(judge(tmp_path / "3", A, A, Cluster()), "hosted-control-plane")


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
    finding = one(judge(tmp_path, listed, listed, given=given), "hosted-control-plane")
    assert (finding.acknowledgeable, finding.evidence) == (True, ())

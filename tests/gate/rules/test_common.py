"""What every finding about a change says, whichever rule found it."""

from pathlib import Path

import pytest

from tests.worlds.rules import NS, Cluster, judge, one, payload, request
from upgrade_gate.cluster.model import Condition
from upgrade_gate.gate.findings import Evidence
from upgrade_gate.gate.rules._common import count, words_of
from upgrade_gate.requests.credentials_request import API_GROUP

OLD, NEW = request("a", "ec2:Old"), request("a", "ec2:Old", "iam:PassRole")


def test_a_change_names_request_secret_grants_and_both_documents(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, [request("z"), OLD], [NEW, request("z")], Cluster()), "permission-added")
    assert (finding.subject, finding.request, finding.component) == (f"{NS}/a", f"{NS}/a", "a")
    assert (finding.secret, finding.hop) == ("openshift-storage/cloud", 0)
    (grant,) = finding.grants
    assert grant.grant.permission == "iam:PassRole"
    assert grant.rating.risk
    assert finding.evidence == (
        Evidence("from", "0000_50_component_01.yaml", 0, 1),
        Evidence("to", "0000_50_component_00.yaml", 0, 1),
    )


def test_what_came_or_went_has_the_secret_and_the_document_of_its_side(tmp_path: Path) -> None:
    other = request("b", secret="other")
    added = one(judge(tmp_path / "1", [OLD], [OLD, other], Cluster()), "request-added")
    assert (added.secret, [place.side for place in added.evidence]) == ("openshift-storage/other", ["to"])
    removed = one(judge(tmp_path / "2", [OLD, other], [OLD], Cluster()), "request-removed")
    assert (removed.secret, [place.side for place in removed.evidence]) == ("openshift-storage/other", ["from"])
    moved = one(judge(tmp_path / "3", [other], [request("b", secret="moved")], Cluster()), "secret-moved")
    assert moved.secret == "openshift-storage/moved"


def test_a_change_of_a_later_hop_says_so(tmp_path: Path) -> None:
    between = payload(tmp_path / "between", "4.14.2", [OLD])
    assert one(judge(tmp_path, [OLD], [NEW], Cluster(), via=(f"dir:{between}",)), "permission-added").hop == 1


def test_cco_mints_only_what_cvo_hands_it(tmp_path: Path) -> None:
    cluster = Cluster(mode="Mint", root=True)
    assert one(judge(tmp_path / "1", [OLD], [NEW], cluster), "permission-added").severity == "info"
    overridden = Cluster(mode="Mint", root=True)
    overridden.objects["ClusterVersion"]["spec"]["overrides"] = [
        {
            "group": API_GROUP,
            "kind": "CredentialsRequest",
            "namespace": NS,
            "name": "a",
            "unmanaged": True,
        }
    ]
    assert one(judge(tmp_path / "2", [OLD], [NEW], overridden), "permission-added").severity == "blocker"


@pytest.mark.parametrize(("number", "words"), [(0, "0 grants"), (1, "1 grant"), (2, "2 grants")])
def test_one_is_singular(number: int, words: str) -> None:
    assert count(number, "grant") == words


@pytest.mark.parametrize(
    ("reason", "message", "words"),
    [("A", "b", "A, b"), ("A", "", "A"), ("", "b", "b"), ("", "", "Upgradeable says nothing")],
)
def test_a_condition_speaks_by_reason_and_message(reason: str, message: str, words: str, tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.objects["ClusterVersion"]["status"]["conditions"] = [
        {"type": "Upgradeable", "status": "False", "reason": reason, "message": message}
    ]
    headline = one(judge(tmp_path, [OLD], [OLD], cluster), "cluster-not-upgradeable").headline
    assert headline == f"CVO will refuse a minor update: {words}"


def test_what_a_condition_says_can_stand_within_a_sentence() -> None:
    assert words_of(Condition("Upgradeable", "False", "Missing", "It needs updating.")) == "Missing, It needs updating"
    assert words_of(Condition("Upgradeable", "False")) == "Upgradeable says nothing"

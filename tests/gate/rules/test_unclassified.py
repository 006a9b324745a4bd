"""The net under every other rule."""

from pathlib import Path

from tests.worlds import flows
from tests.worlds.rules import Cluster, about, found, judge, needs, one, request
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.requests.update import Given


def test_unknown_field_that_differs_asks_for_a_decision(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [request("a")], [request("a", novelty={"deep": 1})], Cluster())
    finding = one(outcome, "unclassified-change")
    assert (finding.severity, needs(finding)) == ("blocker", {"decision": "unmet"})
    assert "spec.novelty" in finding.headline
    assert finding.guard == "missed"


def test_another_change_before_it_hides_none(tmp_path: Path) -> None:
    old, new = [request("a"), request("b")], [request("a", "ec2:CreateTags"), request("b", novelty="x")]
    assert one(judge(tmp_path, old, new, Cluster()), "unclassified-change").component == "b"


def test_a_field_that_is_known_to_be_harmless_asks_for_nothing(tmp_path: Path) -> None:
    """`skipServiceCheck` of Google Cloud (docs/contract.md#grants)."""
    old, new = flows.request("GCP"), flows.request("GCP")
    new["spec"]["providerSpec"]["skipServiceCheck"] = True
    outcome = judge(tmp_path, [old], [new], given=Given(platform="GCP"))
    assert not found(outcome, "unclassified-change")
    assert outcome.comparison.hops[0].changes, "it is a change all the same"


def test_added_deny_is_unclassified(tmp_path: Path) -> None:
    allow = {"effect": "Allow", "action": ["ec2:CreateTags"], "resource": "*"}
    plain = [request("a", statements=[allow])]
    denying = [request("a", statements=[allow, {**allow, "effect": "Deny", "action": ["ec2:DeleteTags"]}])]
    outcome = judge(tmp_path / "1", plain, denying, Cluster())
    finding = one(outcome, "unclassified-change")
    deny = Grant("action", "ec2:DeleteTags", "Deny", "*")
    assert (finding.severity, finding.content) == ("blocker", [deny.as_dict()])
    assert [grant.grant for grant in finding.grants] == [deny]
    assert not found(outcome, "permission-added")
    lifted = one(judge(tmp_path / "2", denying, plain, Cluster()), "unclassified-change")
    assert (lifted.content, lifted.grants) == ([["removed", deny.as_dict()]], ())
    assert about(lifted)["guard"] == "missed"
    gone = judge(tmp_path / "3", [*denying, request("b")], [request("b")], Cluster())
    assert not found(gone, "unclassified-change"), "a request that went has a finding of its own"


def test_known_fields_are_no_unclassified_change(tmp_path: Path) -> None:
    assert not found(judge(tmp_path, [request("a")], [request("a", "ec2:X")], Cluster()), "unclassified-change")

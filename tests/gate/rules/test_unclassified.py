"""The net under every other rule."""

from pathlib import Path

from tests.worlds.rules import Cluster, found, judge, needs, one, request


def test_unknown_field_that_differs_asks_for_a_decision(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [request("a")], [request("a", novelty={"deep": 1})], Cluster())
    finding = one(outcome, "unclassified-change")
    assert (finding.severity, needs(finding)) == ("blocker", {"decision": "unmet"})
    assert "spec.novelty" in finding.headline


def test_added_deny_is_unclassified(tmp_path: Path) -> None:
    allow = {"effect": "Allow", "action": ["ec2:CreateTags"], "resource": "*"}
    new = [request("a", statements=[allow, {**allow, "effect": "Deny", "action": ["ec2:DeleteTags"]}])]
    outcome = judge(tmp_path, [request("a", statements=[allow])], new, Cluster())
    assert one(outcome, "unclassified-change").severity == "blocker"
    assert not found(outcome, "permission-added")


def test_known_fields_are_no_unclassified_change(tmp_path: Path) -> None:
    assert not found(judge(tmp_path, [request("a")], [request("a", "ec2:X")], Cluster()), "unclassified-change")

"""How a payload defines its requests."""

from pathlib import Path

from tests.worlds.rules import Cluster, found, judge, one, request

A = request("a")


def test_request_without_profile_is_named(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], [request("a", annotations={"x": "y"})], Cluster())
    assert one(outcome, "request-unannotated").severity == "warning"
    assert not outcome.comparison.hops[0].changes


def test_equal_definitions_are_one_and_contradicting_ones_a_conflict(tmp_path: Path) -> None:
    assert one(judge(tmp_path / "1", [A], [A, A], Cluster()), "request-duplicate").severity == "warning"
    outcome = judge(tmp_path / "2", [A], [A, request("a", "ec2:CreateTags")], Cluster())
    finding = one(outcome, "request-conflict")
    assert (finding.severity, finding.acknowledgeable) == ("blocker", False)
    assert not found(outcome, "permission-added")

"""Facts that could change the verdict and were not read."""

from pathlib import Path

import pytest

from tests.worlds.rules import Cluster, found, judge, request

A = [request("a")]
NEEDED = [
    "ClusterVersion",
    "ClusterOperator",
    "Infrastructure",
    "FeatureGate",
    "CloudCredential",
    "Deployment",
    "Secret",
]


@pytest.mark.parametrize("kind", NEEDED)
def test_needed_fact_that_was_not_read_is_never_a_pass(kind: str, tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(unread=[kind]))
    assert found(outcome, "fact-unknown")
    assert outcome.verdict.status != "pass"


@pytest.mark.parametrize("kind", ["DNS", "CredentialsRequest"])
def test_fact_that_changes_nothing_is_not_asked_for(kind: str, tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(unread=[kind]))
    assert not found(outcome, "fact-unknown")
    assert outcome.verdict.status == "pass"


def test_unknown_mode_cannot_be_acknowledged(tmp_path: Path) -> None:
    hits = found(judge(tmp_path, A, A, Cluster(unread=["CloudCredential"])), "fact-unknown")
    assert hits
    assert not any(j.finding.acknowledgeable for j in hits)

"""Facts that could change the verdict and were not read."""

from pathlib import Path

import pytest

from tests.worlds.rules import Cluster, found, judge, request
from upgrade_gate.gate.findings import Severity
from upgrade_gate.gate.verdict import Weights

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


@pytest.mark.parametrize(
    ("weights", "status"),
    [
        (Weights(), "pass"),
        (Weights(policy={"live-request-drift": Severity.INFO}), "pass"),
        (Weights(policy={"policy-too-large": Severity.BLOCKER}), "pass"),
        (Weights(fail_on_warning=True), "undetermined"),
        (Weights(policy={"live-request-drift": Severity.BLOCKER}), "undetermined"),
        (Weights(policy={"live-request-extra": Severity.UNKNOWN}), "undetermined"),
    ],
)
def test_what_a_raised_rule_rests_on_is_needed(tmp_path: Path, weights: Weights, status: str) -> None:
    outcome = judge(tmp_path, A, A, Cluster(unread=["CredentialsRequest"]), weighing=weights)
    assert outcome.verdict.status == status

"""Acknowledgements, matched by the gate."""

from datetime import date
from pathlib import Path

import pytest

from tests.worlds.rules import TODAY, Cluster, found, judge, one, request
from upgrade_gate.gate.acknowledgements import Acknowledgement
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.requests.credentials_request import API_GROUP

A, NEW = [request("a")], [request("a", "ec2:DescribeVolumes", "ec2:New")]


def _weighing(fingerprint: str, expires: date) -> Weights:
    return Weights((Acknowledgement(fingerprint, "reason", "owner", expires),), today=TODAY)


@pytest.mark.parametrize(
    ("expires", "exit_code", "rule"),
    [
        (date(2026, 10, 31), 3, "acknowledgement-expired"),
        (date(2026, 11, 1), 0, "acknowledgement-expiring"),
        (date(2027, 3, 1), 0, None),
    ],
)
def test_expiry(expires: date, exit_code: int, rule: str | None, tmp_path: Path) -> None:
    fingerprint = one(judge(tmp_path / "1", A, NEW, Cluster()), "permission-added").fingerprint
    outcome = judge(tmp_path / "2", A, NEW, Cluster(), weighing=_weighing(fingerprint, expires))
    assert outcome.verdict.exit_code == exit_code
    told = {j.finding.rule for j in outcome.judged if j.finding.rule.startswith("acknowledgement-")}
    assert told == ({rule} if rule else set())


def test_entry_that_matches_nothing_is_told(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(), weighing=_weighing("0" * 16, date(2027, 3, 1)))
    assert one(outcome, "acknowledgement-unused").severity == "info"


@pytest.mark.parametrize(
    ("kind", "exit_code", "closed"), [("ConfigMap", 0, "acknowledged"), ("CredentialsRequest", 4, "open")]
)
def test_a_file_that_was_not_read_can_be_accepted_only_where_it_holds_nothing_that_matters(
    kind: str, exit_code: int, closed: str, tmp_path: Path
) -> None:
    """docs/contract.md#acknowledgements: `manifest-unreadable` where it is unknown."""
    broken = f"apiVersion: {API_GROUP if kind == 'CredentialsRequest' else 'v1'}\nkind: {kind}\nmetadata: [\n"
    fingerprint = one(judge(tmp_path / "1", A, [*A, broken], Cluster()), "manifest-unreadable").fingerprint
    outcome = judge(tmp_path / "2", A, [*A, broken], Cluster(), weighing=_weighing(fingerprint, date(2027, 3, 1)))
    (judged,) = found(outcome, "manifest-unreadable")
    assert (outcome.verdict.exit_code, judged.status) == (exit_code, closed)


def test_what_can_never_be_acknowledged_stays_open(tmp_path: Path) -> None:
    cluster = Cluster(mode="Mint")
    fingerprint = one(judge(tmp_path / "1", A, A, cluster), "root-credential-missing").fingerprint
    outcome = judge(tmp_path / "2", A, A, cluster, weighing=_weighing(fingerprint, date(2027, 3, 1)))
    assert outcome.verdict.exit_code == 3
    assert found(outcome, "acknowledgement-unused")

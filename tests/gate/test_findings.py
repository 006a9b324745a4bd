"""A finding: where it stands by its needs, what names it, and what is said of accepting its rule."""

import hashlib
import json

import pytest

from upgrade_gate.gate.findings import Finding, Need, NeedKind, NeedStatus, Rule, Severity, Status

GRANTS, DECISION, TRUST = NeedKind.GRANTS, NeedKind.DECISION, NeedKind.TRUST
MET, DECLARED, UNKNOWN, UNMET = NeedStatus.MET, NeedStatus.DECLARED, NeedStatus.UNKNOWN, NeedStatus.UNMET


@pytest.mark.parametrize(
    ("needs", "settled"),
    [
        ([], None),
        ([(GRANTS, MET)], Status.PROVEN),
        ([(GRANTS, MET), (TRUST, MET)], Status.PROVEN),
        ([(GRANTS, MET), (TRUST, DECLARED)], Status.DECLARED),
        ([(GRANTS, DECLARED)], Status.DECLARED),
        ([(GRANTS, DECLARED), (TRUST, UNKNOWN)], None),
        ([(GRANTS, MET), (TRUST, UNMET)], None),
        ([(DECISION, MET)], None),
        ([(GRANTS, MET), (DECISION, MET)], None),
    ],
)
def test_needs_settle_a_finding_where_all_are_met_and_none_is_for_a_person_to_decide(
    needs: list[tuple[NeedKind, NeedStatus]], settled: Status | None
) -> None:
    """docs/contract.md#needs."""
    all_of = tuple(Need(kind, status) for kind, status in needs)
    assert Finding("request-added", Severity.BLOCKER, "h", None, "ns/name", needs=all_of).settled is settled


def test_a_fingerprint_is_the_beginning_of_a_digest_over_rule_subject_and_content() -> None:
    """docs/contract.md#fingerprints: 16 hex digits of SHA-256 over compact JSON with sorted keys, as UTF-8."""
    content = [{"type": "action", "permission": "ec2:Ä"}]
    text = json.dumps(
        ["permission-added", "ns/name", content], sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    found = Finding("permission-added", Severity.BLOCKER, "h", content, "ns/name").fingerprint
    assert found == hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Rule("r", Severity.BLOCKER, "t", "e"), "It can be acknowledged."),
        (Rule("r", Severity.BLOCKER, "t", "e", never_where="on a minor update"), ", but not on a minor update."),
        (Rule("r", Severity.BLOCKER, "t", "e", acknowledgeable=False), "It can never be acknowledged."),
        (Rule("r", Severity.INFO, "t", "e"), "there is nothing to acknowledge."),
        (Rule("r", Severity.INFO, "t", "e", acknowledgeable=False), "It can never be acknowledged."),
    ],
)
def test_a_rule_says_whether_its_findings_can_be_acknowledged(rule: Rule, said: str) -> None:
    assert rule.acceptance.endswith(said)


def test_another_severity_is_the_same_finding_and_without_a_request_there_is_no_component() -> None:
    found = Finding("request-added", Severity.BLOCKER, "h", None, "ns/name", request="ns/name")
    lowered = found.with_severity(Severity.INFO)
    assert (lowered.severity, lowered.fingerprint, lowered.component) == (Severity.INFO, found.fingerprint, "name")
    assert Finding("fact-unknown", Severity.UNKNOWN, "h", None, "platform").component is None

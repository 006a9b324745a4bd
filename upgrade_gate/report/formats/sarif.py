"""The report as SARIF 2.1.0, shaped for code scanning: one run, a place for every result.

GitHub refuses a whole file when one result lacks a relative URI or a line, when a run holds more than 25,000 results
or rules, or a result more than 1,000 locations (docs.github.com, SARIF support for code scanning).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from upgrade_gate.report import closing, evidence, view
from upgrade_gate.report.formats import _plain
from upgrade_gate.report.formats._harmless import harmless_report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.gate.findings import Rule
    from upgrade_gate.report.document import EvidenceView, FindingView, Report
    from upgrade_gate.report.render_options import RenderOptions

MAX_RESULTS = 25_000
MAX_LOCATIONS = 100
"""Code scanning takes 1,000 for a result and shows 100."""

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_SIDES = {"policy": "policy file", "from": "current release", "to": "target release", "cluster": "cluster"}
_PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 (one signature for every format)
    """Return one SARIF log with one run in UTF-8."""
    report = harmless_report(report)
    findings = view.sections(report.findings).all
    kept = findings[:MAX_RESULTS]
    rules = sorted({f.rule for f in kept})
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "rules": [_rule(rule, kept, report) for rule in rules],
            }
        },
        "automationDetails": {"id": _category(report)},
        "columnKind": "utf16CodeUnits",
        "invocations": [_invocation(report, left_out=len(findings) - len(kept))],
        "results": [_result(f, rules.index(f.rule), report) for f in kept],
        "properties": {
            "schema": report.schema,
            "labels": report.labels,
            "path": view.path_of(report),
            "platform": report.platform,
            "factsRead": view.facts_read(report.cluster),
            "basis": report.verdict.basis if report.verdict else None,
            "proof": list(evidence.proof_lines(report)),
            "tables": evidence.tables_line(report),
            "rollback": list(view.rollback_lines(report)),
        },
    }
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _category(report: Report) -> str:
    """Name the series of runs whose results replace each other: one cluster's."""
    cluster = report.cluster
    subject = (cluster.id or cluster.name or "cluster") if cluster else report.platform
    return f"upgrade-gate/{subject.replace('/', '-')}/"


def _invocation(report: Report, *, left_out: int) -> dict[str, Any]:
    verdict = report.verdict
    notes = []
    if verdict:
        level = {"pass": "note", "blocked": "error", "undetermined": "error"}[verdict.status]
        text = f"{view.state_of(report)}: {view.sentence(report)} {closing.next_in_one_line(report)}"
        notes.append({"level": level, "message": {"text": _text(text)}})
    if left_out:
        text = f"{left_out} milder findings are left out: code scanning takes {MAX_RESULTS:,} results"
        notes.append({"level": "warning", "message": {"text": text}})
    known: dict[str, Any] = {"executionSuccessful": verdict is None or verdict.status != "undetermined"}
    if verdict:
        known["exitCode"] = verdict.exit_code
    if notes:
        known["toolExecutionNotifications"] = notes
    return known


def _rule(rule: str, findings: Sequence[FindingView], report: Report) -> dict[str, Any]:
    level = min((_level(f, report) for f in findings if f.rule == rule), key=list(_PROBLEM).index)
    known = _catalogue().get(rule)
    title = known.title if known else rule.replace("-", " ")
    text = known.explanation if known else f"upgrade-gate explain {rule} tells what this means."
    return {
        "id": rule,
        "name": "".join(word.capitalize() for word in rule.split("-")),
        "shortDescription": {"text": title},
        "fullDescription": {"text": text},
        "help": {"text": text, "markdown": f"**{title}**\n\n{text}\n\n`upgrade-gate explain {rule}` tells the same."},
        "defaultConfiguration": {"level": level},
        "properties": {"tags": ["openshift", "permissions", "upgrade"], "problem.severity": _PROBLEM[level]},
    }


def _catalogue() -> Mapping[str, Rule]:
    from upgrade_gate.gate.findings import catalogue

    return catalogue()


def _level(finding: FindingView, report: Report) -> str:
    """Return error for whatever keeps the gate shut when open, so that a later acknowledgement changes no level."""
    match finding.severity:
        case "blocker" | "unknown":
            return "error"
        case "warning":
            return "error" if report.verdict and report.verdict.fail_on == "warning" else "warning"
        case "info":
            return "note"


def _result(finding: FindingView, index: int, report: Report) -> dict[str, Any]:
    places = _locations(finding)
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _level(finding, report),
        "message": {"text": _text("\n".join(_plain.describe(finding)))},
        "locations": places[:1],
        "partialFingerprints": {"upgradeGate/v1": finding.fingerprint},
        "properties": {
            "severity": finding.severity,
            "status": finding.status,
            "guard": finding.guard,
            "request": finding.request,
            "secret": finding.secret,
            "hop": finding.hop,
        },
    }
    if places[1:]:
        result["relatedLocations"] = [{"id": n, **place} for n, place in enumerate(places[1:], 1)]
    if finding.status != "open":
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": _justification(finding)}]
    return result


def _locations(finding: FindingView) -> list[dict[str, Any]]:
    """Return the places of a finding, those in policy files first, then the target's; at least one."""
    sides = ("policy", "to", "from", "cluster")
    ordered = sorted(finding.evidence, key=lambda e: (sides.index(e.side), e.file, e.line))[:MAX_LOCATIONS]
    return [_location(finding, e) for e in ordered] or [_location(finding, None)]


def _location(finding: FindingView, evidence: EvidenceView | None) -> dict[str, Any]:
    uri, line = (_plain.relative_path(evidence.file), _plain.line_of(evidence)) if evidence else (_plain.ELSEWHERE, 1)
    location: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}},
        "logicalLocations": [{"fullyQualifiedName": finding.subject, "kind": "object"}],
    }
    if evidence:
        location["message"] = {"text": _SIDES[evidence.side]}
    return location


def _justification(finding: FindingView) -> str:
    accepted = finding.acknowledgement
    if finding.status == "acknowledged" and accepted:
        ticket = f", {accepted.reference}" if accepted.reference else ""
        return f"{accepted.reason} ({accepted.owner}, valid through {accepted.expires}{ticket})"
    return "; ".join(f"{need.kind}: {need.detail}" for need in finding.needs) or "every need is met"


def _text(text: str) -> str:
    """Escape what a SARIF viewer would take for a link in plain text (SARIF 2.1.0, 3.11.6)."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")

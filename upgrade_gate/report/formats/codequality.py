"""The report as GitLab reads code quality: a list of issues, shown on every tier.

GitLab wants description, check_name, fingerprint, severity, location.path and location.lines.begin of each.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from upgrade_gate.report import evidence, view
from upgrade_gate.report.formats import _plain
from upgrade_gate.report.formats._harmless import harmless_report
from upgrade_gate.report.view import Stance

if TYPE_CHECKING:
    from upgrade_gate.report.document import FindingView, Report
    from upgrade_gate.report.render_options import RenderOptions

_SEVERITIES = {
    Stance.BLOCKS: "blocker",
    Stance.OPEN: "critical",
    Stance.WARNS: "minor",
    Stance.ACCEPTED: "info",
    Stance.SAYS: "info",
}


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 (one signature for every format)
    """Return a JSON list in UTF-8, empty when there is no finding."""
    report = harmless_report(report)
    issues = [_issue(finding, report) for finding in view.sections(report.findings).all]
    return (json.dumps(issues, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _issue(finding: FindingView, report: Report) -> dict[str, Any]:
    path, line = _plain.place_of(finding)
    return {
        "type": "issue",
        "categories": ["Security"],
        "check_name": finding.rule,
        "description": _plain.standing(finding),
        "content": {
            "body": "\n".join([*_plain.describe(finding), *(evidence.proof_lines(report) if finding.identity else ())])
        },
        "fingerprint": finding.fingerprint,
        "severity": _SEVERITIES[view.stance(finding, report)],
        "location": {"path": path, "lines": {"begin": line}},
    }

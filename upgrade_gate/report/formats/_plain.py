"""One finding as plain lines, for formats that keep a finding's text in one field."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from upgrade_gate.base.shell import words
from upgrade_gate.report import origins, view

if TYPE_CHECKING:
    from upgrade_gate.report.document import EvidenceView, FindingView

ELSEWHERE = "upgrade-gate.yaml"
"""Where a finding is placed that no file shows: platforms that annotate sources want a file for each."""

_STANDING = {"open": "", "acknowledged": "acknowledged: ", "proven": "proven: ", "declared": "declared: "}


def standing(finding: FindingView) -> str:
    """Return the headline, preceded by where the finding stands unless it is open."""
    return f"{_STANDING[finding.status]}{finding.headline}"


def describe(finding: FindingView) -> list[str]:
    """Return everything a reader needs to act, one fact a line, the headline first."""
    lines = [standing(finding), f"{finding.severity} {finding.rule} {finding.fingerprint}"]
    accepted = finding.acknowledgement
    if accepted:
        ticket = f", {accepted.reference}" if accepted.reference else ""
        word = "expired" if accepted.expired else "valid through"
        lines.append(f"acknowledged by {accepted.owner}, {word} {accepted.expires}{ticket}: {accepted.reason}")
    if finding.guard:
        lines.append(": ".join(view.guard_line(finding)))
    if finding.secret:
        lines.append(f"Secret {finding.secret}")
    lines += [f"holds {line}" for line in view.held_lines(finding)]
    for grant in sorted((g for g in finding.grants if g.held_by is None), key=view.grant_order):
        covered = f" (covered already by {grant.covered_by})" if grant.covered_by else ""
        lines.append(f"+ {view.marked(grant)}{covered}")
    lines += origins.lines(view.asked(finding))
    lines += [f"needs {need.kind}: {need.status}. {view.need_detail(need)}".rstrip(". ") for need in finding.needs]
    if finding.identity:
        lines.append(f"identity {finding.identity.id}, found through {view.source_of(finding.identity)}")
    lines += [f"caveat: {caveat}" for caveat in finding.caveats]
    for step in finding.remedy:
        number = f" (step {step.number})" if step.number else ""
        lines.append(f"{step.moment}{number}: {step.step}")
        if step.argv:
            lines.append(f"  {words(*step.argv)}")
    lines += [f"seen in {_SIDES[e.side]} {e.file}:{line_of(e)}" for e in finding.evidence]
    return lines


_SIDES = {
    "policy": "the policy file",
    "from": "the current release,",
    "to": "the target release,",
    "cluster": "the cluster,",
}


def place_of(finding: FindingView) -> tuple[str, int]:
    """Return the file and line that show a finding best: in a policy file, in the target, anywhere, or a stand-in."""
    for side in ("policy", "to", "from", "cluster"):
        for evidence in finding.evidence:
            if evidence.side == side:
                return relative_path(evidence.file), line_of(evidence)
    return ELSEWHERE, 1


def line_of(evidence: EvidenceView) -> int:
    """Return the line, counted from one."""
    return max(evidence.line, 1)


def relative_path(file: str) -> str:
    """Return a relative, never empty URI reference that stays below its root, whatever a payload calls its files."""
    steps = [step for step in file.replace("\\", "/").split("/") if step not in {"", ".", ".."}]
    return quote("/".join(steps), safe="/~", errors="replace") or ELSEWHERE

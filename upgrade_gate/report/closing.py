"""What ends a verdict: the next step in words, and its command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.shell import words
from upgrade_gate.report.view import Stance, stance

if TYPE_CHECKING:
    from upgrade_gate.report.document import Report

_UNREAD = frozenset({"identity-unknown", "manifest-unreadable"})
"""Findings that end when something becomes readable that is no fact of the cluster."""


def next_step(report: Report) -> str:
    """Return the step that ends a verdict, in words; the closing command of a pass is `verdict.command`."""
    verdict = report.verdict
    if verdict is None:
        return ""
    match verdict.next:
        case "remediate":
            files = "; this writes the files that the steps name:" if verdict.remediate else "."
            return f"Close each blocker as said with it, then check again{files}"
        case "annotate":
            return "Only the annotation is left: do as said with the finding, then check again."
        case "retry" if verdict.status == "blocked":
            return "Wait until CCO has seen the annotation (oc wait, as said with the finding), then check again."
        case "retry":
            return _retry(report)
        case "upgrade" if verdict.command:
            return "Start the upgrade:"
        case "upgrade":
            return "Start the upgrade by the target's digest: the cluster does not offer its version."
        case "check-cluster":
            return "Check the cluster itself (--cluster instead of --no-cluster) before anything is upgraded."
        case "none":
            return "Nothing to do."


def closing_command(report: Report) -> list[str]:
    """Return the command that `next_step` announces, word by word; empty where it announces none."""
    verdict = report.verdict
    if verdict is None:
        return []
    return verdict.command or (verdict.remediate if verdict.next == "remediate" else [])


def next_in_one_line(report: Report) -> str:
    """Return the step that ends a verdict together with its command."""
    return " ".join(part for part in (next_step(report), words(*closing_command(report))) if part)


def _retry(report: Report) -> str:
    """Return what ends an open question: each kind of doubt has a step of its own."""
    rules = {f.rule for f in report.findings if stance(f, report) is Stance.OPEN}
    steps = ["supply what is listed under Not read"] if "fact-unknown" in rules else []
    steps += ["supply what could not be read"] if rules & _UNREAD else []
    steps += ["widen what is granted in a narrower form than needed"] if "identity-narrower" in rules else []
    steps += ["clear up what is uncertain"] if rules - _UNREAD - {"fact-unknown", "identity-narrower"} else []
    if not steps:
        return "Bring the proof that is asked for (--identities), then check again."
    text = ", ".join(steps)
    return f"{text[:1].upper()}{text[1:]}, as said with each finding, then check again."

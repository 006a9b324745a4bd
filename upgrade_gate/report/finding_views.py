"""Findings as the report shows them, with the steps that the plan has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from upgrade_gate.gate.findings import NeedKind, Status
from upgrade_gate.report import document
from upgrade_gate.report.change_views import grant_view, introduced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.base.steps import Step
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.gate.findings import Evidence, Finding, Need
    from upgrade_gate.gate.outcome import Outcome
    from upgrade_gate.gate.verdict import WeighedFinding
    from upgrade_gate.report.grant_document import Introduction
    from upgrade_gate.requests.update import Hop


def views(outcome: Outcome) -> list[document.FindingView]:
    """Return every finding, the open ones with the commands and files of the remediation bundle."""
    from upgrade_gate.remedy.plan import steps_for

    hops = outcome.comparison.hops
    return [
        _finding(hops, judged, steps_for(outcome.plan, judged.finding) if judged.open else judged.finding.remedy)
        for judged in outcome.judged
    ]


def _finding(hops: Sequence[Hop], judged: WeighedFinding, remedy: Iterable[Step]) -> document.FindingView:
    finding = judged.finding
    severity: Any = finding.severity.value
    status: Any = judged.status.value
    guard: Any = finding.guard.value if finding.guard else None
    return document.FindingView(
        rule=finding.rule,
        severity=severity,
        status=status,
        guard=guard,
        guard_reason=finding.guarded[1] if finding.guarded else None,
        fingerprint=finding.fingerprint,
        headline=finding.headline + _way(hops, finding),
        hop=finding.hop,
        request=finding.request,
        component=finding.component,
        secret=finding.secret,
        grants=[
            grant_view(
                g.grant,
                covered_by=g.covered_by,
                rating=g.rating,
                held_by=g.held_by,
                introduced=_introduced(hops, finding, g.grant),
            )
            for g in finding.grants
        ],
        needs=[_need(finding, n, acknowledged=judged.status is Status.ACKNOWLEDGED) for n in finding.needs],
        caveats=list(finding.caveats),
        identity=document.IdentityView(id=finding.identity.id, source=finding.identity.source)
        if finding.identity
        else None,
        evidence=[_evidence(e) for e in finding.evidence],
        remedy=[entry for step in remedy for entry in _remedy(step)],
        acknowledgement=_acknowledgement(judged),
        subject=finding.subject,
        acknowledgeable=finding.acknowledgeable,
    )


def _way(hops: Sequence[Hop], finding: Finding) -> str:
    """Return on the way to which release a request's finding is, where there is more than one."""
    if len(hops) < 2 or not finding.request:
        return ""
    return "".join(f", on the way to {hop.new.version}" for hop in hops if hop.index == finding.hop)


def _introduced(hops: Sequence[Hop], finding: Finding, grant: Grant) -> Introduction | None:
    """Return by what a grant came, where it is one that the update of the finding newly asks for."""
    for hop in hops[finding.hop : finding.hop + 1]:
        for change in hop.changes:
            if change.request == finding.request:
                return introduced(hop, change, grant)
    return None


def _need(finding: Finding, need: Need, *, acknowledged: bool) -> document.NeedView:
    """Return a need; a decision is met once it is acknowledged (docs/contract.md#needs)."""
    status: Any = "met" if acknowledged and need.kind is NeedKind.DECISION else need.status.value
    return document.NeedView(kind=need.kind.value, status=status, detail=need.detail, in_short=in_short(finding, need))


def in_short(finding: Finding, need: Need) -> str:
    """Return what is said about a need, equal reasons once; grants that all share one are not listed again."""
    asked = {required.grant.permission for required in finding.grants}
    lacking = {name for names, _ in need.parts for name in names}
    if need.kind is not NeedKind.GRANTS or not lacking <= asked:
        return need.detail
    reasons: dict[str, list[str]] = {}
    for names, what in need.parts:
        reasons.setdefault(what, []).extend(names)
    if len(reasons) == 1 and lacking == asked:
        return next(iter(reasons))
    return "; ".join(f"{', '.join(names)}: {what}" for what, names in reasons.items()) or need.said


def _evidence(evidence: Evidence) -> document.EvidenceView:
    side: Any = evidence.side
    return document.EvidenceView(side=side, file=evidence.file, document=evidence.document, line=evidence.line)


def _remedy(step: Step) -> Iterator[document.RemedyView]:
    """Yield a step as the report shows it: one entry per command, each with the file that it reads.

    A command says when it is meant: a reader who runs it anyway would get an error.
    """
    first = step.files[0].name if step.files else None
    if not step.commands:
        yield document.RemedyView(
            step=step.title, when=step.when, argv=[], placeholders=[], file=first, number=step.number
        )
    for command in step.commands:
        parts = set(command.line.parts)
        yield document.RemedyView(
            step=f"{step.title}, where {command.condition}" if command.condition else step.title,
            when=step.when,
            argv=list(command.line.argv),
            placeholders=[str(one) for one in step.placeholders if one in parts],
            file=next((file.name for file in step.files if file in parts), first),
            number=step.number,
            condition=command.condition or UNSET,
        )


def _acknowledgement(judged: WeighedFinding) -> document.AcknowledgementView | None:
    if judged.match is None:
        return None
    entry = judged.match.acknowledgement
    return document.AcknowledgementView(
        reason=entry.reason,
        owner=entry.owner,
        expires=entry.expires.isoformat(),
        reference=entry.reference,
        expired=judged.match.expired,
    )

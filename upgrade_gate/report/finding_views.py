"""Findings as the report shows them, with the steps that the plan has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import UNSET

from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.gate.findings import NeedKind, Status
from upgrade_gate.report import change_views, document
from upgrade_gate.report.change_views import grant_view, introduced
from upgrade_gate.requests import in_between

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.base.steps import Step
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.gate.findings import Evidence, Finding, Need, RequiredGrant
    from upgrade_gate.gate.outcome import Outcome
    from upgrade_gate.gate.rollback import Rollback
    from upgrade_gate.gate.verdict import WeighedFinding
    from upgrade_gate.report.grant_document import GrantView, Introduction
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.update import Hop


def views(outcome: Outcome) -> list[document.FindingView]:
    """Return every finding, the open ones with the commands and files of the remediation bundle."""
    from upgrade_gate.remedy.plan import steps_for

    hops = outcome.comparison.hops
    kept = outcome.rollback if outcome.verdict.status == "pass" else None
    return [
        _finding(
            hops,
            judged,
            steps_for(outcome.plan, judged.finding) if judged.open else judged.finding.remedy,
            keep=_keep(judged.finding, kept),
        )
        for judged in outcome.judged
    ]


_GOES: Final = frozenset({"permission-removed", "request-removed", "service-accounts-removed"})
"""Rules about what only an earlier release asks for."""


def _keep(finding: Finding, found: Rollback | None) -> str:
    """Return until when what goes must stay, in words that follow a headline: a pass must not read as leave to tidy."""
    if found is None or finding.rule not in _GOES:
        return ""
    secrets = {str(one.request.secret) for one in found.kept if not one.goes_by_itself}
    goes = f"; keep it until a rollback to {found.start} is out of the question"
    return goes if finding.secret in secrets else ""


def _finding(hops: Sequence[Hop], judged: WeighedFinding, remedy: Iterable[Step], *, keep: str) -> document.FindingView:
    finding = judged.finding
    severity: Any = finding.severity.value
    status: Any = judged.status.value
    guard: Any = finding.guard.value if finding.guard else None
    request = _request(hops, finding)
    grants = [
        grant_view(
            g.grant,
            covered_by=g.covered_by,
            rating=g.rating,
            held_by=g.held_by,
            introduced=_introduced(hops, finding, g.grant),
            needed_until=change_views.until(hops, finding.hop, request, g.grant) if _asks(finding, g) else None,
        )
        for g in finding.grants
    ]
    until = _until(hops, finding, request, grants)
    return document.FindingView(
        rule=finding.rule,
        severity=severity,
        status=status,
        guard=guard,
        guard_reason=finding.guarded[1] if finding.guarded else None,
        fingerprint=finding.fingerprint,
        headline=finding.headline + _way(hops, finding) + _only(grants, until) + keep,
        hop=finding.hop,
        request=finding.request,
        component=finding.component,
        secret=finding.secret,
        grants=grants,
        needs=[_need(finding, n, acknowledged=judged.status is Status.ACKNOWLEDGED) for n in finding.needs],
        caveats=list(finding.caveats),
        identity=document.IdentityView(id=finding.identity.id, source=finding.identity.source)
        if finding.identity
        else None,
        evidence=[_evidence(e) for e in finding.evidence],
        remedy=[entry for step in remedy for entry in _remedy(hops, finding, step)],
        acknowledgement=_acknowledgement(judged),
        subject=finding.subject,
        acknowledgeable=finding.acknowledgeable,
        needed_until=until,
    )


def _way(hops: Sequence[Hop], finding: Finding) -> str:
    """Return on the way to which release a request's finding is, where there is more than one."""
    if len(hops) < 2 or not finding.request:
        return ""
    return "".join(f", on the way to {hop.new.version}" for hop in hops if hop.index == finding.hop)


_ASKS_GRANTS: Final = frozenset({"permission-added", "permission-widened"})
_ASKS_IDENTITY: Final = frozenset({"request-added", "secret-moved", "provider-kind-changed"})


def _request(hops: Sequence[Hop], finding: Finding) -> CredentialsRequest | None:
    """Return the request of a finding that asks for something new, where a later update may end that again."""
    if finding.hop >= len(hops) - 1 or finding.rule not in _ASKS_GRANTS | _ASKS_IDENTITY | {"service-accounts-added"}:
        return None
    selected = hops[finding.hop].new_selection.requests.get(finding.request or "")
    return selected.request if selected else None


def _asks(finding: Finding, grant: RequiredGrant) -> bool:
    return grant.covered_by is None and finding.rule in _ASKS_GRANTS | _ASKS_IDENTITY


def _until(
    hops: Sequence[Hop], finding: Finding, request: CredentialsRequest | None, grants: Iterable[GrantView]
) -> str | None:
    """Return the version from which on nothing that a finding asks for is needed; None where the last needs any."""
    if request is None:
        return None
    if finding.rule in _ASKS_GRANTS:
        ends = [g.needed_until for g in grants if g.covered_by is None]
        path = [hop.new.version for hop in hops]
        return max((e for e in ends if e), key=path.index) if ends and all(ends) else None
    if finding.rule in _ASKS_IDENTITY:
        end = in_between.of_secret(hops, finding.hop, request.secret)
    else:
        accounts = finding.content if isinstance(finding.content, list) else ()
        end = in_between.of_accounts(hops, finding.hop, request.secret, accounts)
    return None if end is None else hops[end].new.version


def _only(grants: Sequence[GrantView], until: str | None) -> str:
    """Return what of a finding a path needs only in between, in words that follow its headline."""
    if until is not None:
        return f", needed only in between: {until} no longer asks for it"
    some = sum(g.needed_until is not None for g in grants)
    if not some:
        return ""
    asked = sum(g.covered_by is None for g in grants)
    return f", {some} of {asked} needed only in between"


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
    each: dict[str, Any] = dict.fromkeys(need.declared, "declared")
    for lack in need.lacks:
        each.update(dict.fromkeys(lack.names, "unknown" if lack.coverage is Coverage.UNKNOWN else "unmet"))
    return document.NeedView(
        kind=need.kind.value,
        status=status,
        detail=need.detail,
        in_short=in_short(finding, need),
        of_each=each or UNSET,
    )


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


def _remedy(hops: Sequence[Hop], finding: Finding, step: Step) -> Iterator[document.RemedyView]:
    """Yield a step as the report shows it: one entry per command, each with the file that it reads.

    A command says when it is meant: a reader who runs it anyway would get an error.
    """
    first = step.files[0].name if step.files else None
    update = None
    if len(hops) > 1:
        update = hops[min(finding.hop if step.serves is None else step.hop, len(hops) - 1)].new.version
    if not step.commands:
        yield document.RemedyView(
            step=step.title, when=step.when, argv=[], placeholders=[], file=first, number=step.number, update=update
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
            update=update,
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

"""Assemble the report from what each stage found; the document's types are in `report.py`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from upgrade_gate import __version__
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.facts import Unknown, known_or
from upgrade_gate.clouds.contract.grants import cloud_of
from upgrade_gate.clouds.contract.risk import rate
from upgrade_gate.cluster.credentials_mode import Credentials, Mode
from upgrade_gate.cluster.facts_table import TITLES
from upgrade_gate.cluster.rows import rows_of
from upgrade_gate.gate.findings import Severity, Status
from upgrade_gate.report import document
from upgrade_gate.requests.capabilities import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from upgrade_gate.base.steps import Step
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.risk import Rating
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.outcome import Comparison, Outcome
    from upgrade_gate.gate.verdict import Verdict, WeighedFinding
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.requests.diff import Change
    from upgrade_gate.requests.update import Hop, UnreadRelease

__all__ = ["of_outcome", "of_survey"]


def of_outcome(
    outcome: Outcome, *, labels: Mapping[str, str], now: str | None, notes: Iterable[str] = ()
) -> document.Report:
    """Return the report of a gate run; `notes` are what else its reader must know, such as a policy in force."""
    situation = outcome.situation
    return _report(
        outcome.survey,
        mode=situation.mode.value if situation.mode is not Mode.ABSENT else Mode.MANUAL.value,
        credentials=situation.credentials.value,
        behaviour=situation.behaviour.value,
        cluster=_cluster(situation.cluster) if situation.cluster else None,
        identities=_identities(outcome),
        findings=_findings(outcome),
        verdict=_verdict(outcome),
        labels=labels,
        now=now,
        notes=(*situation.proof.notes(), *_not_evaluated(outcome), *notes),
    )


_RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "requests": ("live-request-drift", "live-request-extra"),
    "offers": ("target-not-offered",),
    "version_conditions": ("cluster-not-upgradeable",),
}
"""Warning and info rules whose fact is no part of any verdict: unread, they are not evaluated (design section 3.2)."""


def _not_evaluated(outcome: Outcome) -> list[str]:
    """Return a note for each fact that was not read and on which only warnings and infos rest."""
    cluster = outcome.situation.cluster
    if cluster is None:
        return []
    return [
        f"not evaluated, since {TITLES[name]} could not be read: {', '.join(rules)}"
        for name, rules in _RESTS_ON.items()
        if isinstance(getattr(cluster, name), Unknown)
    ]


def of_survey(survey: Comparison, *, labels: Mapping[str, str] | None = None) -> document.Report:
    """Return the document of a diff: no cluster, no findings, no verdict."""
    return _report(
        survey,
        mode=Mode.UNKNOWN.value,
        credentials=Credentials.UNKNOWN.value,
        behaviour="unknown",
        cluster=None,
        identities=None,
        findings=[],
        verdict=None,
        labels=labels or {},
        now=None,
        notes=(),
    )


def generated() -> str:
    """Return the stamp of a report: SOURCE_DATE_EPOCH where it is set, else the clock; UTC, whole seconds."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        moment = datetime.now(UTC)
    else:
        try:
            moment = datetime.fromtimestamp(int(epoch), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise UsageError(f"SOURCE_DATE_EPOCH is {epoch!r}, not seconds since 1970") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _report(
    survey: Comparison,
    *,
    mode: str,
    credentials: str,
    behaviour: str,
    cluster: document.ClusterView | None,
    identities: document.IdentitiesView | None,
    findings: list[document.FindingView],
    verdict: document.VerdictView | None,
    labels: Mapping[str, str],
    now: str | None,
    notes: Iterable[str],
) -> document.Report:
    hops = survey.hops
    return document.Report(
        schema=document.SCHEMA,
        tool=document.Tool(name="upgrade-gate", version=__version__),
        generated=generated(),
        labels=dict(sorted(labels.items())),
        hops=[_hop(hop) for hop in hops] or [_unread_hop(survey)],
        platform=survey.context.platform,
        mode=mode,
        credentials=credentials,
        cco_behaviour=behaviour,
        selection=_selection(survey),
        requests=document.Requests(
            from_=sorted(hops[0].old_selection.requests) if hops else [],
            to=sorted(hops[-1].new_selection.requests) if hops else [],
        ),
        changes=[_change(hop, change) for hop in hops for change in hop.changes],
        cluster=cluster,
        identities=identities,
        findings=findings,
        verdict=verdict,
        now=now,
        tables=sorted(
            [document.Table(name="capabilities", date=table().date), *_cloud_tables(hops)],
            key=lambda t: (t.name, t.date),
        ),
        notes=sorted({*notes, *(note for hop in hops for payload in (hop.old, hop.new) for note in payload.notes)}),
    )


def _cloud_tables(hops: Sequence[Hop]) -> list[document.Table]:
    """Return the dated tables that the clouds of these changes rest on."""
    kinds = {change.provider_kind for hop in hops for change in hop.changes}
    found: dict[str, str] = {}
    for kind in kinds:
        found.update(getattr(cloud_of(kind), "TABLES", {}))
    return [document.Table(name=name, date=date) for name, date in found.items()]


def _release(payload: Payload) -> document.Release:
    return document.Release(
        version=payload.version,
        reference=payload.reference,
        digest=payload.digest,
        verified=payload.verified,
        verification=payload.verification,
        pullspec=payload.pullspec,
    )


def _hop(hop: Hop) -> document.Hop:
    return document.Hop(from_=_release(hop.old), to=_release(hop.new), kind=hop.kind)


def _unread_hop(survey: Comparison) -> document.Hop:
    """Return a hop for a path of which a release could not be read: references, no versions."""
    unread: dict[str, UnreadRelease] = {release.reference: release for release in survey.unread}

    def release(reference: str) -> document.Release:
        why = unread[reference].reason if reference in unread else "not looked at: another release could not be read"
        return document.Release(
            version="", reference=reference, digest=None, verified=False, verification=why, pullspec=None
        )

    return document.Hop(from_=release(survey.references[0]), to=release(survey.references[-1]), kind="none")


def _selection(survey: Comparison) -> document.Selection:
    last = survey.hops[-1] if survey.hops else None
    capabilities = last.new_filters.capabilities if last else None
    excluded = []
    for hop in survey.hops:
        sides: list[tuple[Any, Any]] = [("to", hop.new_selection)]
        if hop.index == 0:
            sides.insert(0, ("from", hop.old_selection))
        for side, selection in sides:
            excluded += [
                document.Excluded(
                    side=side,
                    request=d.request,
                    reason=d.reason,
                    detail=d.detail,
                    file=d.location.file,
                    hop=hop.index,
                )
                for d in selection.decisions
            ]
    return document.Selection(
        profile=survey.context.profile,
        feature_set=last.feature_set if last else survey.context.feature_set or "Default",
        feature_gates=sorted(last.new_filters.gates or ()) if last else [],
        capabilities=document.CapabilitySelection(
            enabled=sorted(capabilities.enabled) if capabilities else [],
            implicit=list(last.implicit) if last else [],
        ),
        excluded=excluded,
    )


def _grant(
    grant: Grant, *, covered_by: str | None = None, still: str | None = None, rating: Rating | None = None
) -> document.GrantView:
    return document.GrantView(
        type=grant.type,
        permission=grant.permission,
        effect=grant.effect,
        resource=grant.resource,
        condition=grant.condition,
        scope=grant.scope,
        covered_by=covered_by,
        still_covered_by=still,
        risk=list(rating.risk) if rating else [],
        access=rating.access if rating else None,
        completes=list(rating.completes) if rating else [],
    )


def _change(hop: Hop, change: Change) -> document.ChangeView:
    kind, held = change.provider_kind, hop.held_with(change)
    added = [_grant(a.grant, covered_by=a.covered_by, rating=rate(kind, a.grant, held)) for a in change.added]
    removed = [_grant(r.grant, still=r.still_covered_by) for r in change.removed]
    other = [
        document.OtherChange(
            path=leaf.path,
            from_=leaf.before,
            to=leaf.after,
            class_="harmless" if leaf.harmless else "unclassified",
        )
        for leaf in change.other
    ]
    return document.ChangeView(
        request=change.request,
        kind=change.kind,
        was=change.renamed_from,
        hop=hop.index,
        provider=change.provider_kind,
        selection=document.ChangeSelection(from_=change.status_before, to=change.status_after, why=change.why),
        secret=_pair(change.secret_before, change.secret_after),
        service_accounts=document.Names(added=list(change.accounts_added), removed=list(change.accounts_removed)),
        token_path=document.Pair(from_=change.token_paths[0], to=change.token_paths[1]),
        permissions=document.GrantDiff(added=added, removed=removed),
        other=other,
        files=document.Pair(
            from_=change.before.locations[0].file if change.before else None,
            to=change.after.locations[0].file if change.after else None,
        ),
    )


def _pair(before: object, after: object) -> document.Pair:
    return document.Pair(from_=str(before) if before else None, to=str(after) if after else None)


def _cluster(cluster: Cluster) -> document.ClusterView:
    states: dict[str, Any] = {"known": "known", "absent": "absent", "unknown": "unknown"}
    return document.ClusterView(
        id=known_or(cluster.id, None),
        version=known_or(cluster.newest_completed, None),
        name=known_or(cluster.name, None),
        api_url=known_or(cluster.api_url, None),
        source=cluster.description,
        collected=cluster.collected,
        facts=[
            document.FactView(
                name=row.name, state=states[row.state], value=row.value, reason=row.reason, remedy=row.remedy
            )
            for row in rows_of(cluster)
        ],
    )


def _identities(outcome: Outcome) -> document.IdentitiesView | None:
    source = outcome.situation.proof.source()
    if source is None:
        return None
    return document.IdentitiesView(
        source=source.kind,
        account=source.account,
        collected=source.collected,
        files=[document.ExportView(file=name, sha256=digest) for name, digest in source.files],
        caveats=sorted({*outcome.situation.caveats(), *(c for j in outcome.judged for c in j.finding.caveats)}),
    )


def _findings(outcome: Outcome) -> list[document.FindingView]:
    """Return every finding, the open ones with the commands and files of the remediation bundle."""
    from upgrade_gate.remedy.plan import steps_for

    return [
        _finding(judged, steps_for(outcome.plan, judged.finding) if judged.open else judged.finding.remedy)
        for judged in outcome.judged
    ]


def _finding(judged: WeighedFinding, remedy: Iterable[Step]) -> document.FindingView:
    finding = judged.finding
    severity: Any = finding.severity.value
    status: Any = judged.status.value
    guard: Any = finding.guard.value if finding.guard else None
    return document.FindingView(
        rule=finding.rule,
        severity=severity,
        status=status,
        guard=guard,
        guard_reason=finding.guard_reason,
        fingerprint=finding.fingerprint,
        headline=finding.headline,
        hop=finding.hop,
        request=finding.request,
        component=finding.component,
        secret=finding.secret,
        grants=[_grant(g.grant, covered_by=g.covered_by, rating=g.rating) for g in finding.grants],
        needs=_needs(finding, acknowledged=judged.status is Status.ACKNOWLEDGED),
        caveats=list(finding.caveats),
        identity=document.IdentityView(id=finding.identity[0], source=finding.identity[1])
        if finding.identity
        else None,
        evidence=[_evidence(e) for e in finding.evidence],
        remedy=[entry for step in remedy for entry in _remedy(step)],
        acknowledgement=_acknowledgement(judged),
        subject=finding.subject,
        acknowledgeable=finding.acknowledgeable,
    )


def _needs(finding: Finding, *, acknowledged: bool) -> list[document.NeedView]:
    """Return the needs; a decision is met once it is acknowledged (design 16.4)."""
    views = []
    for need in finding.needs:
        status: Any = "met" if acknowledged and need.kind == "decision" else need.status.value
        views.append(document.NeedView(kind=need.kind.value, status=status, detail=need.detail))
    return views


def _evidence(evidence: Any) -> document.EvidenceView:
    return document.EvidenceView(side=evidence.side, file=evidence.file, document=evidence.document, line=evidence.line)


def _remedy(step: Step) -> Iterator[document.RemedyView]:
    """Yield a step as the report shows it: one entry per command, each with the file that it reads.

    A command that has an alternative for what is there already says when which of the two is meant: the report has no
    `unless`, and a reader who runs the first one anyway would get an error.
    """
    first = step.files[0].name if step.files else None
    if not step.commands:
        yield document.RemedyView(step=step.title, when=step.when, argv=[], placeholders=[], file=first)
    for command in step.commands:
        for line, condition in command.variants:
            parts = set(line.parts)
            yield document.RemedyView(
                step=f"{step.title}, where {condition}" if condition else step.title,
                when=step.when,
                argv=list(line.argv),
                placeholders=[str(one) for one in step.placeholders if one in parts],
                file=next((file.name for file in step.files if file in parts), first),
                condition=condition or UNSET,
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


def _verdict(outcome: Outcome) -> document.VerdictView:
    verdict = outcome.verdict
    basis: Any = "proven" if verdict.basis.proven else "assumed"
    return document.VerdictView(
        status=verdict.status,
        exit_code=int(verdict.exit_code),
        basis=basis,
        assumptions=list(verdict.basis.assumptions),
        next=verdict.next,
        counts={
            severity.value: document.Count(**{status.value: verdict.counts[severity][status] for status in Status})
            for severity in Severity
        },
        summary=verdict.summary,
        command=_command(outcome, verdict),
        fail_on=verdict.fail_on,
    )


def _command(outcome: Outcome, verdict: Verdict) -> list[str]:
    """Return the closing command, pinned to the digest that was judged where the payload's form has one."""
    if verdict.status != "pass" or verdict.next != "upgrade":
        return []
    from upgrade_gate.remedy import bundle

    lines = bundle.upgrade_commands(outcome.situation)
    return list(lines[0].argv) if lines else []

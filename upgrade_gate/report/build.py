"""Assemble the report from what each stage found; the document's types are in `document.py`."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from upgrade_gate import __version__
from upgrade_gate.base import plugins, tables
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.facts import Unknown, known_or
from upgrade_gate.cluster.credentials_mode import Behaviour, Credentials, Mode
from upgrade_gate.cluster.facts_table import TITLES
from upgrade_gate.cluster.rows import rows_of
from upgrade_gate.gate.findings import Severity, Status
from upgrade_gate.gate.served import served_identities
from upgrade_gate.report import document, finding_views, identities_document, rollback_document
from upgrade_gate.report.change_views import change_view, grant_view
from upgrade_gate.requests.history import table as history

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.gate.outcome import Outcome
    from upgrade_gate.gate.verdict import Verdict
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.requests.comparison import Comparison
    from upgrade_gate.requests.update import Hop, UnreadRelease


def of_outcome(
    outcome: Outcome,
    *,
    labels: Mapping[str, str],
    now: str | None,
    notes: Iterable[str] = (),
    remediate: Sequence[str] = (),
) -> document.Report:
    """Return the report of a gate run.

    `notes` are what else its reader must know, such as a policy in force; `remediate` is the command that writes the
    bundle of this run, where none is written with it.
    """
    situation = outcome.situation
    return _report(
        outcome.comparison,
        mode=situation.mode.value if situation.mode is not Mode.ABSENT else Mode.MANUAL.value,
        credentials=situation.credentials.value,
        behaviour=situation.behaviour.value,
        cluster=_cluster(situation.cluster) if situation.cluster else None,
        identities=_identities(outcome),
        findings=finding_views.views(outcome),
        verdict=_verdict(outcome, remediate if outcome.plan.steps else ()),
        rollback=_rollback(outcome),
        labels=labels,
        now=now,
        notes=(*situation.proof.notes(), *_not_evaluated(outcome), *notes),
    )


_OLD_AFTER_DAYS = 180
"""A dated table older than this may lack what its source has gained since."""
_RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "requests": ("live-request-drift", "live-request-extra"),
    "offers": ("target-not-offered",),
    "version_conditions": ("cluster-not-upgradeable",),
}
"""Warning and info rules whose fact is no part of any verdict: unread, they are not evaluated.

See docs/contract.md#cluster-facts.
"""


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


def of_comparison(compared: Comparison) -> document.Report:
    """Return the document of a diff: no cluster, no findings, no verdict."""
    return _report(compared)


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
    compared: Comparison,
    *,
    mode: str = Mode.UNKNOWN.value,
    credentials: str = Credentials.UNKNOWN.value,
    behaviour: str = Behaviour.UNKNOWN.value,
    cluster: document.ClusterView | None = None,
    identities: identities_document.IdentitiesView | None = None,
    findings: Sequence[document.FindingView] = (),
    verdict: document.VerdictView | None = None,
    rollback: rollback_document.RollbackView | None = None,
    labels: Mapping[str, str] = MappingProxyType({}),
    now: str | None = None,
    notes: Iterable[str] = (),
) -> document.Report:
    hops = compared.hops
    dated = _tables(hops)
    return document.Report(
        schema=document.SCHEMA,
        tool=document.Tool(name="upgrade-gate", version=__version__),
        generated=generated(),
        labels=dict(sorted(labels.items())),
        hops=[_hop(hop) for hop in hops] or [_unread_hop(compared)],
        platform=compared.context.platform,
        mode=mode,
        credentials=credentials,
        cco_behaviour=behaviour,
        selection=_selection(compared),
        requests=document.Requests(
            from_=sorted(hops[0].old_selection.requests) if hops else [],
            to=sorted(hops[-1].new_selection.requests) if hops else [],
        ),
        changes=[change_view(hops, hop, change) for hop in hops for change in hop.changes],
        cluster=cluster,
        identities=identities,
        findings=list(findings),
        verdict=verdict,
        rollback=rollback,
        now=now,
        tables=dated,
        notes=sorted(
            {*notes, *_aged(dated, now), *(n for hop in hops for payload in (hop.old, hop.new) for n in payload.notes)}
        ),
    )


def _tables(hops: Sequence[Hop]) -> list[document.Table]:
    """Return the dated tables that the report rests on.

    They are that of capabilities, those of the requests' clouds, and the history where something new is asked for.
    """
    selections = [selection for hop in hops for selection in (hop.old_selection, hop.new_selection)]
    kinds = {selected.request.provider_kind for s in selections for selected in s.requests.values()}
    clouds = sorted({cloud for kind in kinds if (cloud := plugins.cloud_of_kind(kind)) is not None})
    files = [("data", "capabilities")]
    for cloud in clouds:
        files += [(f"clouds.{cloud}", name) for name in getattr(plugins.load("clouds", cloud), "TABLES", ())]
    found = []
    for place, name in files:
        table = tables.read(f"upgrade_gate.{place}", f"{name}.json")
        shown = name if place == "data" else f"{place.removeprefix('clouds.')}/{name}"
        found.append(document.Table(name=shown, date=table["date"], source=table["source"]))
    if any(change.added for hop in hops for change in hop.changes):
        found.append(document.Table(name="history", date=history.table().date, source=history.table().source))
    return sorted(found, key=lambda t: (t.name, t.date))


def _aged(dated: Sequence[document.Table], now: str | None) -> Iterator[str]:
    """Yield a note for each table that is old enough to lack what its source has gained since."""
    today = date.fromisoformat(now[:10]) if now else datetime.now(UTC).date()
    for table in dated:
        days = (today - date.fromisoformat(table.date)).days
        if days > _OLD_AFTER_DAYS:
            yield f"the table {table.name} is of {table.date}, {days} days old: what is newer is not in it"


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


def _unread_hop(compared: Comparison) -> document.Hop:
    """Return a hop for a path of which a release could not be read: references, no versions."""
    unread: dict[str, UnreadRelease] = {release.reference: release for release in compared.unread}

    def release(reference: str) -> document.Release:
        why = unread[reference].reason if reference in unread else "not looked at: another release could not be read"
        return document.Release(
            version="", reference=reference, digest=None, verified=False, verification=why, pullspec=None
        )

    return document.Hop(from_=release(compared.references[0]), to=release(compared.references[-1]), kind="none")


def _selection(compared: Comparison) -> document.Selection:
    last = compared.hops[-1] if compared.hops else None
    capabilities = last.new_filters.capabilities if last else None
    excluded = []
    for hop in compared.hops:
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
        profile=compared.context.profile,
        feature_set=last.feature_set if last else compared.context.feature_set or "Default",
        feature_gates=sorted(last.new_filters.gates or ()) if last else [],
        capabilities=document.CapabilitySelection(
            enabled=sorted(capabilities.enabled) if capabilities else [],
            implicit=list(last.implicit) if last else [],
        ),
        excluded=excluded,
    )


def _cluster(cluster: Cluster) -> document.ClusterView:
    return document.ClusterView(
        id=known_or(cluster.id, None),
        version=known_or(cluster.newest_completed, None),
        name=known_or(cluster.name, None),
        api_url=known_or(cluster.api_url, None),
        source=cluster.description,
        collected=cluster.collected,
        facts=[
            document.FactView(name=row.name, state=row.state, value=row.value, reason=row.reason, remedy=row.remedy)
            for row in rows_of(cluster)
        ],
    )


def _identities(outcome: Outcome) -> identities_document.IdentitiesView | None:
    source = outcome.situation.proof.source()
    if source is None:
        return None
    return identities_document.IdentitiesView(
        source=source.kind,
        account=source.account,
        collected=source.collected,
        files=[identities_document.ExportView(file=name, sha256=digest) for name, digest in source.files],
        vendor_sets=_vendor_sets(outcome),
        caveats=sorted({*outcome.situation.caveats(), *(c for j in outcome.judged for c in j.finding.caveats)}),
    )


def _vendor_sets(outcome: Outcome) -> list[identities_document.VendorSetView]:
    """Return which policies of the identities a vendor publishes, and what each lacks of what the target asks for."""
    situation = outcome.situation
    if situation.mode is Mode.MINT:
        return []
    return [
        identities_document.VendorSetView(
            identity=served.id,
            policy=known.policy,
            published=known.published,
            name=known.name,
            dated=known.dated,
            lacks=list(known.lacks),
        )
        for served in served_identities(situation)
        for known in situation.proof.vendor_sets(served.first, served.releases)
    ]


def _verdict(outcome: Outcome, remediate: Sequence[str]) -> document.VerdictView:
    verdict = outcome.verdict
    return document.VerdictView(
        status=verdict.status,
        exit_code=int(verdict.exit_code),
        basis=verdict.basis.name,
        assumptions=list(verdict.basis.assumptions),
        next=verdict.next,
        counts={
            severity.value: document.Count(**{status.value: verdict.counts[severity][status] for status in Status})
            for severity in Severity
        },
        summary=verdict.summary,
        command=_command(outcome, verdict),
        fail_on=verdict.fail_on,
        remediate=list(remediate),
        guesses=list(verdict.basis.guesses),
    )


def _rollback(outcome: Outcome) -> rollback_document.RollbackView | None:
    """Return what must stay for a rollback, for the report of a pass."""
    found = outcome.rollback if outcome.verdict.status == "pass" else None
    if found is None:
        return None
    return rollback_document.RollbackView(
        version=found.start,
        until=found.until,
        kept=[
            rollback_document.KeptView(
                request=one.request.id,
                component=one.request.component,
                secret=str(one.request.secret),
                asked_by=one.asked_by,
                whole=one.whole,
                deleted_by_cco=one.goes_by_itself,
                grants=[grant_view(grant) for grant in one.grants],
                service_accounts=list(one.accounts),
            )
            for one in found.kept
        ],
    )


def _command(outcome: Outcome, verdict: Verdict) -> list[str]:
    """Return the closing command, pinned to the digest that was judged where the payload's form has one."""
    if verdict.status != "pass" or verdict.next != "upgrade":
        return []
    from upgrade_gate.remedy import bundle

    lines = bundle.upgrade_commands(outcome.situation)
    return list(lines[0].argv) if lines else []

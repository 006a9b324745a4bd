"""From the reports of all clusters to one document: a row for each cause, the matrix, and what is new."""

from __future__ import annotations

from collections import Counter
from sys import intern  # one text for what thousands of clusters have in common
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate import __version__
from upgrade_gate.base.errors import UsageError
from upgrade_gate.fleet import document, results

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from upgrade_gate.fleet.document import Standing, Status

_SEVERITIES: Final = ("blocker", "unknown", "warning")
_STANDINGS: Final[tuple[Standing, ...]] = ("open", "unknown", "acknowledged", "declared", "proven")
"""Worst first."""
_ANNOTATION: Final = "cco-not-upgradeable"
"""Ends with the annotation, which is the last step where anything else is open."""
_UNUSED: Final = "acknowledgement-unused"
_UNJUDGED: Final = "nothing-to-judge"


class _Cause(Struct):
    """A cause while it is counted."""

    finding: results.Finding
    guards: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)


def summarise(
    rows: Iterable[tuple[results.Row, str, results.Report]],
    before: document.Fleet | None,
    given: Iterable[document.Acknowledgement] = (),
) -> document.Fleet:
    """Return the document of a fleet; `before` is that of the last run, `given` are its acknowledgements.

    Raises UsageError where two rows are about one cluster: one of them is not the cluster that somebody thinks it is.
    """
    causes: dict[str, _Cause] = {}
    clusters: list[document.Cluster] = []
    owners: dict[str, str] = {}
    unused: Counter[str] = Counter()
    entries = {_key(entry.fingerprint, entry): _Entry(entry) for entry in given}
    for row, folder, report in rows:
        standings = _count(report, causes)
        cluster = _cluster(row, folder, report, standings)
        refuse_twice(owners, cluster.name, cluster.id)
        clusters.append(cluster)
        for finding in report.findings:
            accepted = finding.acknowledgement
            entry = entries.get(_key(finding.fingerprint, accepted)) if accepted else None
            if accepted and entry:
                entry.clusters.add(cluster.name)
                entry.expired = entry.expired or accepted.expired
        unused.update({f.subject for f in report.findings if f.rule == _UNUSED})
    clusters.sort(key=lambda cluster: cluster.name)
    verdicts = Counter(cluster.status for cluster in clusters)
    status: Status = next((each for each in document.EXIT_CODES if verdicts[each]), "undetermined")
    alone = Counter(one for cluster in clusters if (one := _alone(cluster, causes)) is not None)
    ordered = sorted((_cause(cause, alone[name]) for name, cause in causes.items()), key=_order)
    generated = max((cluster.generated for cluster in clusters), default="")
    return document.Fleet(
        schema=document.SCHEMA,
        tool=__version__,
        generated=generated,
        status=status,
        exit_code=int(document.EXIT_CODES[status]),
        verdicts={each: verdicts[each] for each in ("pass", "blocked", "undetermined")},
        causes=ordered,
        clusters=clusters,
        acknowledgements=[entry.shown() for _, entry in sorted(entries.items())],
        unused_acknowledgements=sorted(name for name, count in unused.items() if count == len(clusters)),
        since=_since(before, clusters, ordered) if before else None,
    )


def owners_of(claimed: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Return whose ID each is that clusters, by name, claim to have; raises UsageError where two claim one."""
    owners: dict[str, str] = {}
    for name, cluster_id in claimed:
        refuse_twice(owners, name, cluster_id)
    return owners


class _Entry(Struct):
    """An entry of the acknowledgements while its clusters are gathered."""

    entry: document.Acknowledgement
    expired: bool = False
    clusters: set[str] = field(default_factory=set)

    def shown(self) -> document.Acknowledgement:
        """Return the entry with what was gathered."""
        return replace(self.entry, expired=self.expired, clusters=sorted(self.clusters))


def _key(fingerprint: str, entry: document.Acknowledgement | results.Accepted) -> tuple[str, ...]:
    """Return what tells entries apart: all that a report says of them."""
    return fingerprint, entry.owner, entry.expires, entry.reason, entry.reference or ""


def refuse_twice(owners: dict[str, str], name: str, cluster_id: str | None) -> None:
    """Note whose ID this is; raises UsageError where another row has it."""
    if cluster_id is None:
        return
    other = owners.setdefault(cluster_id, name)
    if other != name:
        first, second = sorted((other, name))
        raise UsageError(
            f"{first!r} and {second!r} are one cluster: both have the ID {cluster_id}",
            hint="leave one of them out of the inventories",
        )


def _count(report: results.Report, causes: dict[str, _Cause]) -> dict[str, Standing]:
    """Count the findings of one cluster; return how each stands there, the worst where it is found twice."""
    standings: dict[str, Standing] = {}
    for finding in report.findings:
        if finding.severity == "info":
            continue
        cause = causes.setdefault(finding.fingerprint, _Cause(finding))
        if _SEVERITIES.index(finding.severity) < _SEVERITIES.index(cause.finding.severity):
            cause.finding = finding
        elif finding.severity == cause.finding.severity and finding.headline != cause.finding.headline:
            cause.finding = replace(cause.finding, headline=_common(finding.headline, cause.finding.headline))
        if finding.guard:
            cause.guards.add(finding.guard)
        known = (standings.get(finding.fingerprint), _standing(finding))
        standings[intern(finding.fingerprint)] = next(each for each in _STANDINGS if each in known)
    for fingerprint, standing in standings.items():
        causes[fingerprint].counts[standing] += 1
    return dict(sorted(standings.items()))


def _common(*headlines: str) -> str:
    """Return what is alike where clusters word one finding differently: of `nothing was judged: WHY` the first part."""
    heads = {headline.partition(": ")[0] for headline in headlines}
    return heads.pop() if len(heads) == 1 else min(headlines)


def _standing(finding: results.Finding) -> Standing:
    if finding.status != "open":
        return finding.status
    needs = {need.status for need in finding.needs}
    if "unmet" in needs:
        return "open"
    return "unknown" if finding.severity == "unknown" or "unknown" in needs else "open"


def _alone(cluster: document.Cluster, causes: Mapping[str, _Cause]) -> str | None:
    """Return what alone keeps a cluster from a pass; CCO's refusal counts only where nothing else does."""
    found = [
        name
        for name, standing in cluster.causes.items()
        if standing in ("open", "unknown") and causes[name].finding.severity in ("blocker", "unknown")
    ]
    work = [name for name in found if causes[name].finding.rule != _ANNOTATION]
    alone = work or found
    return alone[0] if len(alone) == 1 else None


def _cause(cause: _Cause, alone: int) -> document.Cause:
    found = cause.finding
    assert found.severity != "info"  # noqa: S101 - those are not counted
    return document.Cause(
        fingerprint=found.fingerprint,
        rule=found.rule,
        severity=found.severity,
        headline=found.headline,
        request=found.request,
        guard="missed" if "missed" in cause.guards else "stopped" if cause.guards else None,
        counts=document.Counts(**{standing: cause.counts[standing] for standing in _STANDINGS}),
        alone=alone,
    )


def _order(cause: document.Cause) -> tuple[bool, bool, int, int, str, str]:
    """Those that stand open first, what waits for the others after them, the gravest, those of most clusters."""
    standing = cause.counts.open + cause.counts.unknown
    return (
        not standing,
        cause.rule == _ANNOTATION,
        _SEVERITIES.index(cause.severity),
        -standing,
        cause.rule,
        cause.fingerprint,
    )


def _cluster(row: results.Row, folder: str, report: results.Report, standings: dict[str, Standing]) -> document.Cluster:
    first, last, cluster = report.hops[0].from_, report.hops[-1].to, report.cluster
    unjudged = [finding.headline for finding in report.findings if finding.rule == _UNJUDGED]
    return document.Cluster(
        name=row.name,
        source=row.source,
        labels=row.labels,
        report=f"{results.CLUSTERS}/{folder}/{results.REPORT}",
        id=cluster.id if cluster else None,
        api_url=cluster.api_url if cluster else None,
        platform=intern(report.platform),
        mode=intern(report.mode),
        version=intern((cluster.version if cluster else None) or first.version),
        to=intern(last.version or last.reference),
        digest=last.digest,
        status=report.verdict.status,
        basis=report.verdict.basis,
        next=report.verdict.next,
        summary="; ".join([report.verdict.summary, *unjudged]),
        generated=intern(report.generated),
        collected=cluster.collected if cluster else None,
        causes=standings,
    )


def _since(before: document.Fleet, clusters: list[document.Cluster], causes: list[document.Cause]) -> document.Since:
    was = {cluster.name: cluster.status for cluster in before.clusters}
    now = {cluster.name: cluster.status for cluster in clusters}
    stood, stand = _standing_open(before.causes), _standing_open(causes)
    return document.Since(
        generated=before.generated,
        verdicts=[
            document.Changed(name=name, from_=was[name], to=status)
            for name, status in now.items()
            if was.get(name, status) != status
        ],
        appeared=sorted(now.keys() - was.keys()),
        gone=sorted(was.keys() - now.keys()),
        new_causes=sorted(stand - stood),
        closed_causes=sorted(stood - stand),
    )


def _standing_open(causes: Iterable[document.Cause]) -> set[str]:
    return {cause.fingerprint for cause in causes if cause.counts.open + cause.counts.unknown}

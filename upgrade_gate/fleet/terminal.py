"""The fleet on a terminal: the verdicts, what they come from, and the clusters that cannot go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from upgrade_gate.fleet.document import Acknowledgement, Cause, Cluster, Fleet, Since, Standing

WORDS: Final[Mapping[Standing, str]] = {
    "open": "open",
    "unknown": "not shown",
    "acknowledged": "acknowledged",
    "declared": "declared",
    "proven": "proven",
}


def render(fleet: Fleet, *, changed_only: bool = False) -> str:
    """Return the text; `changed_only` leaves out the clusters whose verdict is that of the last run."""
    return "".join(f"{one_line(line)}\n" if line else "\n" for line in _lines(fleet, changed_only))


def counts(cause: Cause) -> str:
    """Return in how many clusters a cause stands how: `143 not shown, 41 proven`."""
    known = {standing: getattr(cause.counts, standing) for standing in WORDS}
    return ", ".join(f"{count} {WORDS[standing]}" for standing, count in known.items() if count)


def stands(cause: Cause) -> bool:
    """Return whether a cause stands open in any cluster."""
    return bool(cause.counts.open or cause.counts.unknown)


def headline(fleet: Fleet) -> str:
    """Return the verdicts as a sentence."""
    return ", ".join(f"{count} {status}" for status, count in fleet.verdicts.items())


def _lines(fleet: Fleet, changed_only: bool) -> Iterator[str]:
    yield f"{len(fleet.clusters)} clusters: {headline(fleet)}"
    if fleet.causes:
        yield ""
        yield "Causes"
    for cause in fleet.causes:
        yield f"  {cause.severity.upper():<8} {cause.headline}: {counts(cause)}"
        yield f"           {cause.rule} {cause.fingerprint}"
    yield from _news(fleet)
    shown = _shown(fleet, changed_only)
    if shown:
        yield ""
        yield _title(fleet, changed_only)
    width = min(max((len(cluster.name) for cluster in shown), default=0), 40)
    for cluster in shown:
        yield f"  {cluster.status.upper():<12} {cluster.name:<{width}}  {cluster.version or '?'} -> {cluster.to}"
        if not changed_only:
            yield f"               {cluster.summary}"
    yield from _accepted(fleet)


def _accepted(fleet: Fleet) -> Iterator[str]:
    if not fleet.acknowledgements:
        return
    yield ""
    yield "Acknowledgements"
    headlines = {cause.fingerprint: cause.headline for cause in fleet.causes}
    for entry in fleet.acknowledgements:
        yield f"  {entry.fingerprint} {headlines.get(entry.fingerprint, '')}".rstrip()
        yield f"           {touches(fleet, entry)}"
        yield f"           by {entry.owner}, {until(entry)}: {entry.reason}{of_record(entry)}"


def until(entry: Acknowledgement) -> str:
    """Return how long an entry counts."""
    return f"expired {entry.expires}, so the finding is open again" if entry.expired else f"until {entry.expires}"


def of_record(entry: Acknowledgement) -> str:
    """Return where the decision is recorded, in brackets; empty where that is not said."""
    return f" ({entry.reference})" if entry.reference else ""


def touches(fleet: Fleet, entry: Acknowledgement, most: int = 8) -> str:
    """Return which clusters an entry touches, in words."""
    names = entry.clusters
    if not names:
        every = entry.fingerprint in fleet.unused_acknowledgements
        return "matches nothing in any cluster" if every else "matches nothing in the clusters that were judged"
    listed = f"{', '.join(names[:most])}{f' and {len(names) - most} more' if len(names) > most else ''}"
    return f"{'1 cluster' if len(names) == 1 else f'{len(names)} clusters'}: {listed}"


def _title(fleet: Fleet, changed_only: bool) -> str:
    if not changed_only:
        return "Clusters that cannot go"
    return "Clusters with another verdict" if fleet.since else "All clusters: there is no earlier run to compare with"


def _shown(fleet: Fleet, changed_only: bool) -> list[Cluster]:
    if not changed_only or fleet.since is None:
        return [cluster for cluster in fleet.clusters if changed_only or cluster.status != "pass"]
    names = {*fleet.since.appeared, *(changed.name for changed in fleet.since.verdicts)}
    return [cluster for cluster in fleet.clusters if cluster.name in names]


def _news(fleet: Fleet) -> Iterator[str]:
    since = fleet.since
    if since is None:
        return
    yield ""
    yield f"Since {since.generated}"
    for changed in since.verdicts:
        yield f"  {changed.name}: {changed.from_} -> {changed.to}"
    told = news(since)
    for words, names in told:
        yield f"  {len(names)} {words}: {', '.join(names[:8])}{', …' if len(names) > 8 else ''}"
    if not (since.verdicts or told):
        yield "  nothing changed"


def news(since: Since) -> list[tuple[str, list[str]]]:
    """Return what came and went, in words and by name."""
    known = (
        ("new clusters", since.appeared),
        ("clusters gone", since.gone),
        ("new causes", since.new_causes),
        ("closed causes", since.closed_causes),
    )
    return [(words, names) for words, names in known if names]

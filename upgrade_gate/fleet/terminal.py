"""The fleet on a terminal: the verdicts, what they come from, and the clusters that cannot go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from upgrade_gate.fleet.document import Acknowledgement, Cause, Cluster, Fleet, Standing, Status

WORDS: Final[Mapping[Standing, str]] = {
    "open": "open",
    "unknown": "not shown",
    "acknowledged": "acknowledged",
    "declared": "declared",
    "proven": "proven",
}


VERDICTS: Final[Mapping[Status, str]] = {"pass": "pass", "blocked": "blocked", "undetermined": "cannot tell"}


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
    return ", ".join(f"{fleet.verdicts[status]} {word}" for status, word in VERDICTS.items())


def best(fleet: Fleet) -> str:
    """Return which one cause keeps most clusters from a pass, as a sentence; empty where none does so alone."""
    most = max(fleet.causes, key=lambda cause: cause.alone, default=None)
    if most is None or not most.alone:
        return ""
    return f"One cause alone keeps {_clusters(most.alone)} from a pass: {most.headline}"


def _clusters(number: int) -> str:
    return "1 cluster" if number == 1 else f"{number} clusters"


def _lines(fleet: Fleet, changed_only: bool) -> Iterator[str]:
    yield f"{len(fleet.clusters)} clusters: {headline(fleet)}"
    if found := best(fleet):
        yield found
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
        verdict = VERDICTS[cluster.status].upper()
        yield f"  {verdict:<12} {cluster.name:<{width}}  {cluster.version or '?'} -> {cluster.to}"
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
    return f"{_clusters(len(names))}: {listed}"


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
    if fleet.since is None:
        return
    yield ""
    yield f"Since {fleet.since.generated}"
    told = news(fleet)
    for words, names in told:
        yield f"  {len(names)} {words}: {', '.join(names[:8])}{', …' if len(names) > 8 else ''}"
    if not told:
        yield "  nothing changed"


def news(fleet: Fleet) -> list[tuple[str, list[str]]]:
    """Return what is otherwise than in the last run, in words and by name: a line for each way that verdicts went."""
    since = fleet.since
    if since is None:
        return []
    moved: dict[str, list[str]] = {}
    for changed in since.verdicts:
        moved.setdefault(f"{VERDICTS[changed.from_]} before, {VERDICTS[changed.to]} now", []).append(changed.name)
    headlines = {cause.fingerprint: f"{cause.headline} ({cause.fingerprint})" for cause in fleet.causes}
    known = (
        *((words, words, names) for words, names in sorted(moved.items())),
        ("new cluster", "new clusters", since.appeared),
        ("cluster gone", "clusters gone", since.gone),
        ("new cause", "new causes", [headlines.get(name, name) for name in since.new_causes]),
        ("closed cause", "closed causes", [headlines.get(name, name) for name in since.closed_causes]),
    )
    return [(one if len(names) == 1 else several, names) for one, several, names in known if names]

"""One run of `plan`: which updates there are, the releases that they need, and the gate over every way."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate import pipeline
from upgrade_gate.base import versions
from upgrade_gate.base.errors import ClusterError, ReadError, UpgradeGateError, UsageError
from upgrade_gate.base.facts import Known, Unknown, known_or
from upgrade_gate.base.text import without_credentials
from upgrade_gate.cli import run
from upgrade_gate.cli.options import ReleaseOptions
from upgrade_gate.cli.release_folders import Library
from upgrade_gate.cluster.credentials_mode import Credentials, Mode, credentials_of, mode_of
from upgrade_gate.cluster.remembered import Remembered
from upgrade_gate.gate.findings import Severity
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.payloads import graph, resolve
from upgrade_gate.payloads.shelf import Shelf
from upgrade_gate.report import plan_build, plan_document
from upgrade_gate.requests import routes
from upgrade_gate.requests.comparison import Comparison
from upgrade_gate.requests.selection_context import selection_context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from upgrade_gate.cli.options import ClusterOptions, GateOptions, RegistryOptions
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.gate.outcome import Judgement
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.payloads.reference import Settings
    from upgrade_gate.requests.selection_context import SelectionContext

_MINOR = re.compile(r"(0|[1-9]\d{0,4})\.(0|[1-9]\d{0,4})", re.ASCII)


class Updates(Struct, frozen=True):
    """The updates that were asked about."""

    graph: graph.Graph
    targets: tuple[str, ...]
    nothing: str
    """Why there may be no target, for a plan without any."""
    notes: tuple[str, ...] = ()


class Start(Struct, frozen=True):
    """The release before every update."""

    version: str
    reference: str
    payload: Payload | None
    failure: UpgradeGateError | None = None


def minor(text: str) -> tuple[int, int]:
    """Return the minor that `--to-minor` names; raises UsageError for what is none."""
    found = _MINOR.fullmatch(text)
    if found is None:
        raise UsageError(f"--to-minor {text}: not a minor release", hint="write it as 4.16")
    return int(found[1]), int(found[2])


def answer(
    *,
    from_: str | None,
    to_minor: tuple[int, int] | None,
    releases: Sequence[Path],
    cluster: ClusterOptions,
    gate: GateOptions,
    registry: RegistryOptions,
) -> plan_document.Plan:
    """Return the plan; raises UsageError and ReadError where there is nothing to plan from."""
    inputs, weights = run.gate_run(ReleaseOptions("cluster", from_), cluster, gate, registry)
    claims = inputs.claims
    inputs = replace(
        inputs,
        reader=Remembered(inputs.reader) if inputs.reader is not None else None,
        claims=functools.cache(claims) if callable(claims) else claims,
        shelf=Shelf(),
    )
    seen = pipeline.observed(inputs.reader)
    context = selection_context(seen, inputs.given, resolve.graph_edges(seen, inputs.settings))
    library = Library(releases, inputs)
    start = _start(inputs, seen, library)
    updates = _updates(start.version, to_minor, seen, inputs.settings)
    wanted = routes.relevant(start.version, updates.targets, updates.graph.edges)
    payloads, unread = _read(wanted, start, updates, library)
    found = routes.find(
        start.version, updates.targets, updates.graph.edges, payloads, context, conditional=updates.graph.risks.keys()
    )
    references = {version: payload.reference for version, payload in payloads.items()}
    judge = _Gate(inputs, weights, context)
    judged = [
        plan_build.Judged(target, way, judge.judge(way, references))
        for target, ways in found.ways.items()
        for way in ways
    ]
    asked = plan_build.Asked(
        question=plan_document.Question(to_minor=_dotted(to_minor) if to_minor else None, source=updates.graph.name),
        start=plan_document.Start(
            version=start.version,
            reference=start.reference,
            digest=start.payload.digest if start.payload else None,
        ),
        **_about(seen, context, inputs, start.version),
        cluster=seen,
        risks=updates.graph.risks,
        unread=unread,
        notes=(*updates.notes, *run.policy_notes(gate)),
        labels=gate.labels,
        now=gate.now.text if gate.now else None,
        nothing=updates.nothing,
    )
    return plan_build.build(asked, found, judged, weights)


def untold(
    error: ReadError, *, from_: str | None, to_minor: tuple[int, int] | None, cluster: ClusterOptions, gate: GateOptions
) -> plan_document.Plan:
    """Return the answer where there is nothing to plan from, which says why."""
    asked = plan_build.Asked(
        question=plan_document.Question(
            to_minor=_dotted(to_minor) if to_minor else None, source="nothing that was read"
        ),
        start=plan_document.Start(version="", reference=from_ or "cluster", digest=None),
        platform=cluster.platform or "",
        mode=Mode.UNKNOWN.value,
        credentials=Credentials.UNKNOWN.value,
        cluster=None,
        risks={},
        notes=run.policy_notes(gate),
        labels=gate.labels,
        now=gate.now.text if gate.now else None,
        nothing=str(error),
    )
    return plan_build.build(asked, routes.Routes({}, {}, {}), (), Weights())


def _about(cluster: Cluster | None, context: SelectionContext, inputs: pipeline.Inputs, version: str) -> dict[str, str]:
    mode, _ = mode_of(cluster, context.platform, inputs.given.mode)
    release = versions.minor_of(version) or (0, 0)
    credentials = credentials_of(cluster, context.platform, release, mode)
    shown = Mode.MANUAL if mode is Mode.ABSENT else mode
    return {"platform": context.platform, "mode": shown.value, "credentials": credentials.value}


def _start(inputs: pipeline.Inputs, cluster: Cluster | None, library: Library) -> Start:
    """Read the release before every update; where that fails, its version must be known all the same."""
    own = known_or(cluster.newest_completed, None) if cluster else None
    named = inputs.from_ or own or ""
    reference = library.place(named) or resolve.resolve(inputs.from_ or "cluster", cluster, inputs.settings)
    result = pipeline.read_all([reference], inputs)[reference]
    if not isinstance(result, UpgradeGateError):
        if versions.parse(result.version) is None:
            raise ClusterError(f"{reference} does not say its version", hint="give a whole release with --from")
        return Start(result.version, result.reference, result)
    version = named.removeprefix("v")
    if versions.parse(version) is None:
        raise result
    return Start(version, reference, None, result)


def _updates(start: str, to_minor: tuple[int, int] | None, cluster: Cluster | None, settings: Settings) -> Updates:
    """Return what is asked about: the offers of the cluster, or everything on the way to a minor release."""
    offered = _offers(start, cluster)
    if to_minor is None:
        return _offered(start, cluster, offered, settings)
    current = versions.minor_of(start)
    if current is not None and to_minor < current:
        raise UsageError(f"--to-minor {_dotted(to_minor)} is older than {start}", hint="name a later minor release")
    upstream = known_or(cluster.upstream, None) if cluster else None
    channel = known_or(cluster.channel, None) if cluster else None
    found = graph.between(start, to_minor, settings, upstream=upstream, channel=channel)
    known = {version for version in found.payloads if versions.minor_of(version) == to_minor}
    if not known:
        raise UsageError(
            f"the update graph has no release of {_dotted(to_minor)} ({found.name})",
            hint="name another --channel or --graph",
        )
    if start not in found.payloads and not offered.edges:
        raise UsageError(
            f"version {start} is not in the update graph ({found.name})", hint="name another --channel or --graph"
        )
    joined = _joined(offered, found)
    minor = _dotted(to_minor)
    nothing = f"no path leads from {start} to {minor} in {found.name}; another --channel or --graph may have one"
    return Updates(joined, tuple(sorted(known)), nothing, _left_out(found))


def _left_out(found: graph.Graph) -> tuple[str, ...]:
    """Return the note on what a graph has and nobody can follow; none where that is nothing."""
    text = f"conditional updates of the graph that cannot be read, and are left out: {found.unread}"
    return (text,) if found.unread else ()


def _dotted(of: tuple[int, int]) -> str:
    return f"{of[0]}.{of[1]}"


def _offers(start: str, cluster: Cluster | None) -> graph.Graph:
    """Return the cluster's own offers as a graph; empty where it has none, or starts elsewhere."""
    own = cluster.offers if cluster is not None else Unknown("no cluster was read")
    if not isinstance(own, Known) or cluster is None or cluster.newest_completed != Known(start):
        return graph.Graph("the cluster", {}, frozenset())
    return graph.Graph(
        "the cluster",
        {offer.version: offer.image for offer in own.value if offer.image},
        frozenset((start, offer.version) for offer in own.value),
        {(start, offer.version): offer.risks for offer in own.value if offer.risks},
    )


def _offered(start: str, cluster: Cluster | None, offered: graph.Graph, settings: Settings) -> Updates:
    """Return each update that the cluster offers; without a cluster, each that a graph has from the release on."""
    if cluster is None:
        if settings.graph is None:
            raise UsageError(
                "without a cluster nothing is offered", hint="give --graph, with --to-minor for the ways to a minor"
            )
        found = graph.of_version(start, settings)
        direct = replace(found, edges=frozenset(edge for edge in found.edges if edge[0] == start))
        targets = tuple(sorted(new for _, new in direct.edges))
        return Updates(direct, targets, f"{found.name} has no update from {start}", _left_out(found))
    match cluster.offers:
        case Known(value=offers):
            strange = sorted(offer.version for offer in offers if versions.parse(offer.version) is None)
            notes = tuple(f"the offer {name!r} is no version, and is left out" for name in strange)
            return Updates(
                offered, tuple(sorted({new for _, new in offered.edges})), _none_offered(start, cluster), notes
            )
        case Unknown(reason=reason, remedy=remedy):
            raise ClusterError(f"what the cluster offers is not known: {reason}", hint=remedy)
        case _:
            return Updates(offered, (), _none_offered(start, cluster))


def _none_offered(start: str, cluster: Cluster) -> str:
    running = known_or(cluster.newest_completed, None)
    if running != start:
        return f"the cluster runs {running or 'a release that is not known'}, and offers nothing for {start}"
    retrieved = next((c for c in known_or(cluster.version_conditions, ()) if c.type == "RetrievedUpdates"), None)
    if retrieved is not None and retrieved.status != "True":
        why = ", ".join(part for part in (retrieved.reason, retrieved.message) if part) or "it does not say why"
        return f"the cluster could not retrieve updates: {why}"
    return f"the cluster is offered no update from {start}"


def _joined(first: graph.Graph, second: graph.Graph) -> graph.Graph:
    """Return two graphs as one; the first knows better where both speak of an update."""
    risks = {edge: told for edge, told in second.risks.items() if edge not in first.edges}
    return graph.Graph(
        second.name, {**second.payloads, **first.payloads}, first.edges | second.edges, {**risks, **first.risks}
    )


def _read(
    wanted: Sequence[str], start: Start, updates: Updates, library: Library
) -> tuple[dict[str, Payload], tuple[plan_document.Unread, ...]]:
    """Read every release that lies on a path, and no other."""
    payloads = {start.version: start.payload} if start.payload is not None else {}
    places: dict[str, str] = {}
    unread: list[plan_document.Unread] = []

    def failed(version: str, reference: str, reason: str, hint: str | None) -> None:
        unread.append(
            plan_document.Unread(version=version, reference=without_credentials(reference), reason=reason, hint=hint)
        )

    if start.failure is not None:
        failed(start.version, start.reference, start.failure.message, start.failure.hint)
    for version in wanted:
        if version == start.version:
            continue
        place = library.place(version) or updates.graph.payloads.get(version)
        if not place:
            failed(version, version, "nothing that offers it names its image", library.how_to_give())
        else:
            places[version] = place
    answers = library.read(list(places.values()))
    for version, place in places.items():
        result = answers[place]
        if isinstance(result, UpgradeGateError):
            failed(version, place, result.message, result.hint)
        elif result.version != version:
            said = f"it says that it is {result.version}" if result.version else "it does not say its version"
            failed(version, place, said, "give the right release with --releases")
        else:
            payloads[version] = result
    return payloads, tuple(sorted(unread, key=lambda one: wanted.index(one.version) if one.version in wanted else -1))


class _Gate:
    """Judges ways; those to several targets of which it must say the same are judged once."""

    def __init__(self, inputs: pipeline.Inputs, weights: Weights, context: SelectionContext) -> None:
        self._inputs, self._weights, self._context = inputs, weights, context
        self._known: dict[object, Judgement] = {}
        under_way = context.cluster is not None and isinstance(context.cluster.updating_to, Known)
        self._each = under_way or any(entry.to is not None for entry in weights.acknowledgements)
        """Whether the version of the target itself may matter."""

    def judge(self, way: routes.Way, references: Mapping[str, str]) -> Judgement | None:
        """Return what the gate makes of a way; None where a release on it was not read."""
        if way.unread:
            return None
        key = (way.alike, way.stops[-1]) if self._each else way.alike
        if key in self._known:
            return self._known[key]
        path = tuple(references[stop] for stop in way.stops)
        compared = Comparison(self._context.cluster, path, way.hops, (), self._context)
        compared = pipeline.with_secrets(compared, self._inputs.reader, proof=self._inputs.asks_for_proof)
        found = pipeline.judge(compared, replace(self._inputs, to=path[-1]), self._weights)
        if not _speaks_of(way.stops[1:], found):
            self._known[key] = found
        return found


def _speaks_of(stops: Sequence[str], judgement: Judgement) -> bool:
    """Return whether a finding that may weigh names a release of the path: then it is about this path alone."""
    told = (one.finding for one in judgement.judged if one.finding.severity is not Severity.INFO)
    return any(stop in f"{finding.headline}{finding.content!r}{finding.subject}" for finding in told for stop in stops)

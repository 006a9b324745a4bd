"""Every path of an update graph from one release to others, those on which the same changes counted as one way.

What a path asks for is decided by what each release on it selects, and by which changes lead from one selection to the
next (docs/contract.md#paths). Patch releases rarely change either, so thousands of paths are a handful of ways. A
release that could not be read leaves every path through it unknown.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.base import versions
from upgrade_gate.base.facts import known_or
from upgrade_gate.clouds.contract.grants import canonical
from upgrade_gate.payloads import completeness
from upgrade_gate.requests import upgrade_path
from upgrade_gate.requests.credentials_request import is_credentials_request
from upgrade_gate.requests.frame import frame_of_start, frame_of_target
from upgrade_gate.requests.inclusion import capability_names
from upgrade_gate.requests.selection import select
from upgrade_gate.requests.selection_context import check_names
from upgrade_gate.requests.update import kind_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.requests.frame import Frame
    from upgrade_gate.requests.selection import Selection
    from upgrade_gate.requests.selection_context import SelectionContext
    from upgrade_gate.requests.update import Hop

MOST_WAYS = 100
"""So many ways to one release are kept; of more, those with the fewest changes and stops."""

Edge: TypeAlias = "tuple[str, str]"
Transition: TypeAlias = "tuple[Any, ...]"
"""From which selection to which, and whatever else of the step a finding may rest on."""


class Way(Struct, frozen=True):
    """Paths to one release on which the same changes."""

    stops: tuple[str, ...]
    """Versions from start to target, of the path that stands for all: fewest conditional updates, then stops."""
    paths: int
    """How many there are."""
    hops: tuple[Hop, ...]
    """Of the path that stands for all; empty where a release on it was not read."""
    alike: object = None
    """Equal for ways, to whatever release, on which releases that ask for the same follow each other."""
    unread: tuple[str, ...] = ()
    """Versions on any of them that were not read."""


class Routes(Struct, frozen=True):
    """All ways to each target."""

    ways: Mapping[str, tuple[Way, ...]]
    """By version, fewest stops first; a target that no path leads to is not among them."""
    paths: Mapping[str, int]
    """How many paths lead to each target."""
    left_out: Mapping[str, int]
    """How many of these are in none of its ways, since there were too many; targets without any are not among them."""


class _Node(Struct, frozen=True):
    """A release as it is selected on the way; `number` is equal for equal selections."""

    frame: Frame
    selection: Selection
    number: int


class _State(Struct, frozen=True):
    """Paths to one release that need not be told apart."""

    stops: tuple[str, ...]
    """Of its best path, from the start."""
    nodes: tuple[_Node, ...]
    """Of these stops; empty where one was not read."""
    unread: frozenset[str] = frozenset()
    changes: frozenset[Transition] = frozenset()
    paths: int = 1
    conditional: int = 0
    """Conditional updates on its best path."""
    path: tuple[versions.Version, ...] = ()
    """What these updates lead to."""

    @property
    def key(self) -> object:
        """What tells it from another state of the same release."""
        return (self.nodes[-1].number, self.changes) if self.nodes else None


def relevant(start: str, targets: Collection[str], edges: Collection[Edge]) -> tuple[str, ...]:
    """Return the versions that lie on any path from `start` to a target, both ends included, oldest first.

    Updates only lead upwards, so there is no circle: an edge to an older or to no version is none.
    """
    upward = _upward(edges)
    onward, back = _reached({start}, upward), _reached(set(targets), [(new, old) for old, new in upward])
    return tuple(sorted(onward & back, key=versions.of))


def _upward(edges: Collection[Edge]) -> list[Edge]:
    found = []
    for old, new in edges:
        before, after = versions.parse(old), versions.parse(new)
        if before is not None and after is not None and before < after:
            found.append((old, new))
    return sorted(found)


def _reached(seeds: set[str], edges: Iterable[Edge]) -> set[str]:
    onward: dict[str, list[str]] = {}
    for old, new in edges:
        onward.setdefault(old, []).append(new)
    reached, open_ = set(seeds), list(seeds)
    while open_:
        fresh = set(onward.get(open_.pop(), ())) - reached
        reached |= fresh
        open_ += fresh
    return reached


def find(
    start: str,
    targets: Collection[str],
    edges: Collection[Edge],
    payloads: Mapping[str, Payload],
    context: SelectionContext,
    *,
    conditional: Collection[Edge] = (),
    most: int = MOST_WAYS,
) -> Routes:
    """Return every way from `start` to each target; a version that `payloads` lacks was not read.

    At most `most` ways are followed at each release. Raises UsageError as `upgrade_path.compare` does.
    """
    places = relevant(start, targets, edges)
    if not places:
        return Routes({}, {}, {})
    check_names([payloads[place] for place in places if place in payloads], context)
    steps: dict[str, list[str]] = {place: [] for place in places}
    for old, new in _upward(edges):
        if old in steps and new in steps:
            steps[old].append(new)
    walk = _Walk(payloads, context, frozenset(conditional))
    totals = dict.fromkeys(places, 0) | {start: 1}
    states: dict[str, dict[object, _State]] = {place: {} for place in places}
    begin = walk.begin(start)
    states[start][begin.key] = begin
    for place in places:
        kept = sorted(states[place].values(), key=lambda s: (bool(s.unread), len(s.changes), _rank(s)))[:most]
        states[place] = {state.key: state for state in kept}
        for following in steps[place]:
            totals[following] += totals[place]
            for state in kept:
                _join(states[following], walk.step(state, place, following))
    reached = [target for target in places if target in targets and target != start]
    ways = {target: tuple(walk.way(s) for s in sorted(states[target].values(), key=_rank)) for target in reached}
    missing = {target: totals[target] - sum(way.paths for way in ways[target]) for target in reached}
    return Routes(ways, {t: totals[t] for t in reached}, {t: number for t, number in missing.items() if number})


def _rank(state: _State) -> tuple[int, int, tuple[versions.Version, ...]]:
    """Return by what the best of several paths is found: fewest conditional updates, then stops, then versions."""
    return state.conditional, len(state.stops), state.path


def _join(states: dict[object, _State], state: _State) -> None:
    """Add paths to those of the same state; the better path stands for all."""
    known = states.get(state.key)
    if known is not None:
        best = min(known, state, key=_rank)
        state = replace(best, paths=known.paths + state.paths, unread=known.unread | state.unread)
    states[state.key] = state


class _Walk:
    """Goes from release to release; each is selected, and each pair compared, once for everything that is the same."""

    def __init__(
        self, payloads: Mapping[str, Payload], context: SelectionContext, conditional: frozenset[Edge]
    ) -> None:
        self._payloads = payloads
        self._context = context
        self._conditional = conditional
        offers = known_or(context.cluster.offers, ()) if context.cluster else ()
        self._offered = frozenset(offer.version for offer in offers)
        self._numbers: dict[object, int] = {}
        self._nodes: dict[object, _Node] = {}
        self._selections: dict[object, Selection] = {}
        self._hops: dict[object, Hop] = {}
        self._gaps: dict[Edge, bool] = {}

    def begin(self, start: str) -> _State:
        """Return the state before any update."""
        payload = self._payloads.get(start)
        if payload is None:
            return _State((start,), (), frozenset({start}))
        return _State((start,), (self._node(frame_of_start(payload, self._context)),))

    def step(self, state: _State, old: str, new: str) -> _State:
        """Return the state after one more update."""
        onward = replace(
            state,
            stops=(*state.stops, new),
            conditional=state.conditional + ((old, new) in self._conditional),
            path=(*state.path, versions.of(new)),
        )
        payload = self._payloads.get(new)
        if payload is None:
            return replace(onward, nodes=(), unread=state.unread | {new})
        if not state.nodes:
            return onward
        before, after = state.nodes[-1], self._after(state.nodes[-1], old, payload)
        change = self._transition(before, after, offered=None if state.path else new in self._offered)
        changes = state.changes | {change} if change else state.changes
        return replace(onward, nodes=(*state.nodes, after), changes=changes)

    def way(self, state: _State) -> Way:
        """Return the way of a state, its best path compared step by step."""
        hops = tuple(self._hop(i, old, new) for i, (old, new) in enumerate(pairwise(state.nodes)))
        return Way(state.stops, state.paths, hops, state.key, tuple(sorted(state.unread, key=versions.of)))

    def _hop(self, index: int, old: _Node, new: _Node) -> Hop:
        key = (index, id(old), id(new))  # nodes are kept here, so an identity is never used twice
        if key not in self._hops:
            before, after = (old.frame, old.selection), (new.frame, new.selection)
            self._hops[key] = upgrade_path.hop(index, before, after, self._context)
        return self._hops[key]

    def _after(self, node: _Node, old: str, payload: Payload) -> _Node:
        key = (old, node.number, payload.version)
        if key not in self._nodes:
            self._nodes[key] = self._node(frame_of_target(payload, node.frame, self._context))
        return self._nodes[key]

    def _node(self, frame: Frame) -> _Node:
        key = (frame.payload.version, frame.filters)
        if key not in self._selections:
            self._selections[key] = select(frame.payload, self._context.platform, frame.filters)
        selection = self._selections[key]
        seen = _seen(frame, selection)
        return _Node(frame, selection, self._numbers.setdefault(seen, len(self._numbers)))

    def _transition(self, old: _Node, new: _Node, *, offered: bool | None) -> Transition | None:
        """Return what of one update a finding may rest on; versions only where they do themselves.

        None for a later patch update after which all is as it was: nothing rests on that.
        """
        before, after = old.frame.payload, new.frame.payload
        kind = kind_of(before.version, after.version)
        gone = old.selection.requests.keys() - new.selection.requests.keys()
        own = kind not in ("patch", "minor") or (gone and not after.whole) or self._lacks(before, after)
        names = (before.version, after.version) if own else ()
        if offered is None and kind == "patch" and old.number == new.number and not names:
            return None
        return (old.number, new.number, before.minor, after.minor, kind, names, offered)

    def _lacks(self, before: Payload, after: Payload) -> bool:
        """Return whether one of two releases seems not to be whole beside the other."""
        pair = (before.version, after.version)
        if pair not in self._gaps:
            found = (gap for one, other in ((before, after), (after, before)) for gap in completeness.gaps(one, other))
            self._gaps[pair] = next(found, None) is not None
        return self._gaps[pair]


def _seen(frame: Frame, selection: Selection) -> object:
    """Return all of a release that a finding may rest on, but for places in files."""
    payload = frame.payload
    wrong = (payload.unreadable, payload.empty, payload.damage, payload.foreign, frame.unknowns)
    spoilt = any((*wrong, selection.uncertain, selection.gated))
    asked = [(m, f"{m.namespace}/{m.name}") for m in payload.manifests if is_credentials_request(m)]
    return (
        frame.filters,
        frame.feature_set,
        frame.implicit,
        payload.verified,
        payload.whole,
        payload.version if spoilt else "",
        tuple(
            (n, s.status, len(s.locations), canonical(s.request.spec), canonical(s.request.annotations))
            for n, s in selection.requests.items()
        ),
        tuple((d.request, d.status, d.reason, d.detail, d.kind, d.unrecognised) for d in selection.decisions),
        selection.deleted,
        tuple(sorted((name, capability_names(m.annotations)) for m, name in asked)),
    )

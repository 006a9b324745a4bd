"""The path of updates: by what each release is selected on this cluster, and what each hop changes.

The running release is judged by the cluster's own status, the target by its own tables, gates and the capabilities
that the update enables by itself (docs/contract.md#selection). A later hop starts from what the earlier one leaves.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Unknown, known_or
from upgrade_gate.requests import diff
from upgrade_gate.requests.frame import frame_of_start, frame_of_target
from upgrade_gate.requests.selection import select
from upgrade_gate.requests.selection_context import check_names
from upgrade_gate.requests.update import Hop, kind_of, support

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.requests.frame import Frame
    from upgrade_gate.requests.selection import Selection
    from upgrade_gate.requests.selection_context import SelectionContext
    from upgrade_gate.requests.update import HopKind


def compare(payloads: Sequence[Payload], context: SelectionContext) -> tuple[Hop, ...]:
    """Judge each step of the path; `payloads` are from, via and to, at least two of them.

    Raises UsageError where an option names a profile, feature set or capability that none of the releases knows: a
    slip of the pen there would leave requests out without a word.
    """
    check_names(payloads, context)
    frames = [frame_of_start(payloads[0], context)]
    for payload in payloads[1:]:
        frames.append(frame_of_target(payload, frames[-1], context))
    selected = [(frame, select(frame.payload, context.platform, frame.filters)) for frame in frames]
    return tuple(hop(index, old, new, context) for index, (old, new) in enumerate(pairwise(selected)))


def hop(index: int, before: tuple[Frame, Selection], after: tuple[Frame, Selection], context: SelectionContext) -> Hop:
    """Judge one step of a path, the first being 0: from a release to the next, each with what it is selected by."""
    (old, old_selection), (new, new_selection) = before, after
    kind = _kind(old.payload, new.payload)
    supported, reason = _support(kind, old.payload, new.payload, context)
    unknowns = {**(old.unknowns if index == 0 else {}), **new.unknowns}
    for selection, payload in ((old_selection, old.payload), (new_selection, new.payload)):
        if selection.gated:
            unknowns[f"feature gates of {payload.version}"] = Unknown(
                f"{', '.join(selection.gated)} depend on feature gates, and the release has no FeatureGate "
                f"manifest for profile {context.profile} and feature set {new.feature_set}",
                "give the whole release",
            )
    return Hop(
        index=index,
        kind=kind,
        supported=supported,
        unsupported_reason=reason,
        old=old.payload,
        new=new.payload,
        old_selection=old_selection,
        new_selection=new_selection,
        old_filters=old.filters,
        new_filters=new.filters,
        feature_set=new.feature_set,
        implicit=new.implicit,
        newly_implicit=tuple(n for n in new.implicit if n not in old.implicit),
        changes=diff.compare(old_selection, new_selection),
        unknowns=unknowns,
    )


def _support(kind: HopKind, old: Payload, new: Payload, context: SelectionContext) -> tuple[bool, str]:
    named = kind == "major" and _names(old, new, context)
    return support(kind, old.version, new.version, named=named, came_from=_came_from(old.version, context))


def _names(old: Payload, new: Payload, context: SelectionContext) -> bool:
    """Return whether the release itself, the cluster's offers for what it runs, or the update graph has an update."""
    offers = known_or(context.cluster.offers, ()) if context.cluster else ()
    return (
        old.version in new.previous
        or (old.version == context.running and any(offer.version == new.version for offer in offers))
        or (context.has_edge is not None and context.has_edge(old.version, new.version))
    )


def _came_from(version: str, context: SelectionContext) -> str | None:
    """Return what the cluster ran right before a version that it runs, None where its history does not say."""
    history = known_or(context.cluster.history, ()) if context.cluster else ()
    if version != context.running or not history or history[0].version != version:
        return None
    return next((entry.version for entry in history if entry.version != version), None)


def _kind(old: Payload, new: Payload) -> HopKind:
    """Return the kind of a hop; where a payload hides its version (and is unreadable for it), the strict reading."""
    try:
        return kind_of(old.version, new.version)
    except ValueError:
        return "minor"

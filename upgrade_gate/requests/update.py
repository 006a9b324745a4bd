"""One update of a path: its kind, whether CVO can make it, and what it changes for the requests of this cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct, field

from upgrade_gate.base import versions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.base.facts import Unknown
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.cluster.credentials_mode import Mode
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.requests.diff import Change
    from upgrade_gate.requests.inclusion import Filters
    from upgrade_gate.requests.selection import MalformedRequest, Selection

HopKind: TypeAlias = Literal["patch", "minor", "major", "skip", "downgrade", "none"]
GUARDED_HOPS: frozenset[HopKind] = frozenset({"minor", "major", "skip"})
"""Hops before which the CVO asks whether the cluster is Upgradeable; it lets a patch through unasked."""


class Given(Struct, frozen=True):
    """What the user says about the cluster; None where nothing was said."""

    platform: str | None = None
    mode: Mode | None = None
    profile: str | None = None
    feature_set: str | None = None
    capabilities: tuple[str, ...] | None = None


class UnreadRelease(Struct, frozen=True):
    """A release that exists and could not be read; no verdict can rest on it."""

    side: Literal["from", "to"]
    reference: str
    reason: str
    hint: str | None = None


class Hop(Struct, frozen=True):
    """One update of the path, judged."""

    index: int
    kind: HopKind
    supported: bool
    """False for a skipped minor, a downgrade, or a major hop that nothing says is possible."""
    unsupported_reason: str
    old: Payload
    new: Payload
    old_selection: Selection
    new_selection: Selection
    old_filters: Filters
    new_filters: Filters
    feature_set: str
    implicit: tuple[str, ...]
    """Capabilities that this update enables by itself, those already implicit included."""
    newly_implicit: tuple[str, ...]
    changes: tuple[Change, ...]
    unknowns: Mapping[str, Unknown] = field(default_factory=dict)
    """What selection could not find out, by name: `capabilities of 5.3`, `feature gates of 4.22.1`."""

    @property
    def malformed(self) -> tuple[tuple[Literal["from", "to"], MalformedRequest], ...]:
        """Requests that cannot be understood, by side."""
        sides: tuple[tuple[Literal["from", "to"], Selection], ...]
        sides = (("from", self.old_selection), ("to", self.new_selection))
        return tuple((side, one) for side, selection in sides for one in selection.malformed)

    def held_with(self, change: Change) -> tuple[Grant, ...]:
        """Return everything that the identity of a change has to hold, before or after: one Secret, one identity."""
        taken = (*self.old_selection.requests.values(), *self.new_selection.requests.values())
        identity = change.secret_after, change.provider_kind
        sharing = [one.request for one in taken if (one.request.secret, one.request.provider_kind) == identity]
        requests = (change.request_before, change.request_after, *sharing)
        return tuple(dict.fromkeys(g for request in requests if request is not None for g in request.grants))


def kind_of(old: str, new: str) -> HopKind:
    """Return what kind of update leads from one version to another.

    Raises ValueError where either is no version: the caller must have said before that it is unknown.
    """
    before, after = versions.parse(old), versions.parse(new)
    if before is None or after is None:
        raise ValueError(f"{(old if before is None else new)!r} is not a version")
    if before == after:
        return "none"
    if after < before:
        return "downgrade"
    if after.release == before.release:
        return "patch"
    if after.major != before.major:
        return "major"
    return "minor" if after.minor == before.minor + 1 else "skip"


def support(kind: HopKind, old: str, new: str, *, named: bool, came_from: str | None = None) -> tuple[bool, str]:
    """Return whether CVO can make this update, and in one sentence why not.

    `named` tells whether the target, the update graph or the cluster's offers name the current version as one to
    update from (docs/contract.md#kinds-of-update). `came_from` is what the cluster's history names right before it.
    """
    match kind:
        case "patch" | "minor" | "none":
            return True, ""
        case "major":
            if named:
                return True, ""
            return False, f"neither {new} nor the update graph names {old} as a version to update from"
        case "skip":
            return False, f"{old} to {new} skips a minor release: name the one between with --via"
        case "downgrade":
            return _back(old, new, came_from)


ROLLBACK_SINCE = (4, 14)
"""First release whose CVO goes back to the patch release before it
(docs/facts/releases.md#rollback)."""


def _back(old: str, new: str, came_from: str | None) -> tuple[bool, str]:
    """Return whether CVO goes back: only to what the history names right before, within the minor."""
    minor = versions.of(old).release
    if minor != versions.of(new).release or minor < ROLLBACK_SINCE:
        return False, f"{new} is older than {old}: CVO does not go back"
    if new == came_from:
        return True, ""
    before = f", which is {came_from}" if came_from else "; no history names one here"
    return (
        False,
        f"{new} is older than {old}: CVO goes back only to the release that its history names right before{before}",
    )

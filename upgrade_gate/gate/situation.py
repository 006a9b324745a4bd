"""Everything a rule may look at: the hops with their changes, the cluster's facts, and what was proven.

Built by the pipeline once every stage has run; nothing here reads, writes or decides.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct, field

from upgrade_gate.base.platforms import Platform, by_name
from upgrade_gate.clouds.contract.grants import canonical, cloud_of
from upgrade_gate.requests.diff import grants_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from upgrade_gate.base.facts import Unknown
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.cluster.observe import Cluster
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.proof.proof import Proof
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.diff import Change
    from upgrade_gate.requests.inclusion import Filters
    from upgrade_gate.requests.selection import Malformed, Selected, Selection

__all__ = ["GUARDED_HOPS", "Behaviour", "Credentials", "Given", "Hop", "HopKind", "Mode", "Situation", "UnreadRelease"]

HopKind: TypeAlias = Literal["patch", "minor", "major", "skip", "downgrade", "none"]
GUARDED_HOPS: frozenset[HopKind] = frozenset({"minor", "major", "skip"})
"""Hops before which the CVO asks whether the cluster is Upgradeable; it lets a patch through unasked."""


class Mode(StrEnum):
    """How CCO works on this cluster; `absent` when the CloudCredential capability is off."""

    MANUAL = "manual"
    MINT = "mint"
    PASSTHROUGH = "passthrough"
    ABSENT = "absent"
    UNKNOWN = "unknown"

    @property
    def by_hand(self) -> bool:
        """Whether people keep the credentials; an unknown mode is judged as manual (design section 6)."""
        return self in (Mode.MANUAL, Mode.ABSENT, Mode.UNKNOWN)


class Credentials(StrEnum):
    """The form of the components' credentials; drives whether trust is needed."""

    KEYS = "keys"
    TOKEN = "token"  # noqa: S105
    NONE = "none"
    UNKNOWN = "unknown"

    @property
    def may_need_trust(self) -> bool:
        """Whether a service account may need trust; what is not known may."""
        return self in (Credentials.TOKEN, Credentials.UNKNOWN)


class Behaviour(StrEnum):
    """What CCO does with Secrets and finalizers here (cco.md section 6)."""

    PLAIN = "plain"
    TIMED_TOKEN = "timed-token"  # noqa: S105
    NON_MANUAL = "non-manual"
    NO_OP = "no-op platform"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Given(Struct, frozen=True):
    """What the user says about the cluster; None where nothing was said."""

    platform: str | None = None
    mode: str | None = None
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
    malformed: tuple[tuple[Literal["from", "to"], Malformed], ...]
    unknowns: Mapping[str, Unknown] = field(default_factory=dict)
    """What selection could not find out, by name: `capabilities of 5.3`, `feature gates of 4.22.1`."""

    def held_with(self, change: Change) -> tuple[Grant, ...]:
        """Return everything that the identity of a change has to hold, before or after: one Secret, one identity."""
        requests = [change.request_before, change.request_after]
        for selection in (self.old_selection, self.new_selection):
            requests += [
                selected.request
                for selected in selection.requests.values()
                if change.secret_after is not None
                and selected.request.secret == change.secret_after
                and selected.request.provider_kind == change.provider_kind
            ]
        return tuple(dict.fromkeys(g for request in requests if request is not None for g in grants_of(request)))


class Situation(Struct, frozen=True):
    """What the rules judge."""

    hops: tuple[Hop, ...]
    platform: str
    mode: Mode
    mode_reason: str
    credentials: Credentials
    behaviour: Behaviour
    profile: str
    cluster: Cluster | None
    proof: Proof
    given: Given
    """What the user said about the cluster on the command line."""
    accept_secret_exists: bool = False
    """`policy: {accept: [secret-exists]}`: a Secret's existence stands for its keys."""
    require_signature: bool = False
    check_signature: bool = True
    unread: tuple[UnreadRelease, ...] = ()

    @property
    def platform_traits(self) -> Platform | None:
        """The platform's row, None for a platform nobody knows."""
        return by_name(self.platform)

    @property
    def profile_given(self) -> bool:
        """Whether --profile was given; a hosted control plane needs it."""
        return self.given.profile is not None

    @property
    def target(self) -> Payload | None:
        """The last release of the path."""
        return self.hops[-1].new if self.hops else None

    def changes(self) -> Iterator[tuple[Hop, Change]]:
        """Yield each change with its hop, in order; requests in conflict are left out (design 16.14)."""
        for hop in self.hops:
            conflicts = {c.request for s in (hop.old_selection, hop.new_selection) for c in s.conflicts}
            for change in hop.changes:
                if change.request not in conflicts and change.renamed_from not in conflicts:
                    yield hop, change

    def requirements(self) -> Iterator[tuple[str, Selected]]:
        """Yield every request that any release of the path needs, by name; the last release's first.

        A request that an earlier hop requires with the same spec is the same requirement (design section 7: the
        requirement of a path is the union).
        """
        seen: set[tuple[str, str]] = set()
        for hop in reversed(self.hops):
            for name, selected in hop.new_selection.requests.items():
                key = (name, canonical(selected.request.spec))
                if key not in seen:
                    seen.add(key)
                    yield name, selected

    def permission_model(self, request: CredentialsRequest) -> bool:
        """Whether this request's cloud lists permissions; otherwise the Secret is the requirement."""
        cloud = cloud_of(request.provider_kind)
        return cloud is not None and cloud.HAS_PERMISSIONS

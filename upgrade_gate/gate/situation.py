"""Everything a rule may look at: the hops with their changes, the cluster's facts, and what was proven.

Built by the pipeline once every stage has run; nothing here reads, writes or decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base.platforms import Platform, by_name
from upgrade_gate.clouds.contract.grants import canonical, cloud_of
from upgrade_gate.cluster.credentials_mode import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.cluster.credentials_mode import Behaviour, Credentials
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.proof.proof import Proof
    from upgrade_gate.requests.credentials_request import CredentialsRequest
    from upgrade_gate.requests.diff import Change
    from upgrade_gate.requests.selection import Selected
    from upgrade_gate.requests.update import Given, Hop, UnreadRelease


class Situation(Struct, frozen=True):
    """What the rules judge."""

    hops: tuple[Hop, ...]
    platform: str
    mode: Mode
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
    asked: str = ""
    """The target as the user named it, without a password."""
    raised: frozenset[str] = frozenset()
    """Rules that stop the upgrade here though they need not: by `--fail-on warning`, or by the policy."""

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
        """Yield each change with its hop, in order.

        Where a request is not certain on one side nobody knows what changed, and its own finding says so
        (docs/contract.md#selection).
        """
        for hop in self.hops:
            uncertain = hop.old_selection.uncertain | hop.new_selection.uncertain
            for change in hop.changes:
                if change.request not in uncertain and change.renamed_from not in uncertain:
                    yield hop, change

    def requirements(self) -> Iterator[tuple[str, Selected]]:
        """Yield every request that any release of the path needs, by name; the last release's first.

        A request that an earlier hop requires with the same spec is the same requirement (docs/contract.md#paths: the
        requirement of a path is the union).
        """
        seen: set[tuple[str, str]] = set()
        for hop in reversed(self.hops):
            for name, selected in hop.new_selection.requests.items():
                key = (name, canonical(selected.request.spec))
                if key not in seen:
                    seen.add(key)
                    yield name, selected

    def request(self, name: str | None) -> CredentialsRequest | None:
        """Return a required request by name, the last release's; None where no release requires it."""
        return next((selected.request for known, selected in self.requirements() if known == name), None)

    def caveats(self) -> tuple[str, ...]:
        """Return what no export can show about all that is required, one line each, sorted.

        None in mint mode, where CCO grants what is required by itself.
        """
        if self.mode is Mode.MINT:
            return ()
        asked = (selected.request for _, selected in self.requirements())
        return tuple(sorted({line for r in asked for line in self.proof.caveats(r, r.grants, r.service_accounts)}))

    def permission_model(self, request: CredentialsRequest) -> bool:
        """Whether this request's cloud lists permissions; otherwise the Secret is the requirement."""
        cloud = cloud_of(request.provider_kind)
        return cloud is not None and cloud.HAS_PERMISSIONS

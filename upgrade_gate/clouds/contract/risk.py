"""How closely a reviewer should look at a grant: risk classes, access level, and known pairs. It decides nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, cast

from msgspec import Struct

from upgrade_gate.base import plugins

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.clouds.contract.grants import Grant

Risk: TypeAlias = Literal["ESCALATE", "IMPERSONATE", "DATA", "DESTROY", "COST", "NETWORK-EXPOSE", "BREADTH"]
Access: TypeAlias = Literal["list", "read", "tagging", "write", "permissions-management"]
"""What a permission lets its holder do, weakest first."""


class Rating(Struct, frozen=True):
    """How closely a reviewer should look at a grant."""

    risk: tuple[Risk, ...] = ()
    access: Access | None = None
    completes: tuple[str, ...] = ()
    """What stands beside it and makes, with it, a known pair."""


class Ratings(Protocol):
    """What a cloud's `risk` knows. Every function is pure."""

    def risks(self, grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
        """Return the risk classes of a grant, a known pair that it completes with `held` included.

        See docs/facts/risks.md#classes.
        """
        ...

    def completes(self, grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
        """Return the permissions in `held` that make a known pair with a grant, sorted."""
        ...

    def access(self, grant: Grant) -> Access | None:
        """Return what a grant lets its holder do, None where nothing says (a whole role, a Deny)."""
        ...


def rate(kind: str, grant: Grant, beside: Sequence[Grant] = ()) -> Rating:
    """Return how closely to look at a grant of a providerSpec kind; `beside` is what its identity has as well."""
    cloud = cast("Ratings | None", plugins.for_kind("risk", kind))
    if cloud is None:
        return Rating()
    others = [g for g in beside if g != grant]
    return Rating(cloud.risks(grant, others), cloud.access(grant), cloud.completes(grant, others))

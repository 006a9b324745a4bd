"""Azure scopes: which contain which, compared by `/` segments and without case.

A scope is a management group, a subscription, a resource group or a resource. Needed scopes are resource groups,
given as IDs or by name; where none is given, some resource group of the subscription, nobody knows which.

Source of what a request must reach: ccoctl, `azure create-managed-identities`.
"""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.clouds.azure.shapes import fold, subscription_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.clouds.contract.scopes import Place

_MANAGEMENT_GROUPS = "/providers/microsoft.management/managementgroups/"


_PLACES: Mapping[str, tuple[Place, ...]] = {
    "openshift-image-registry-azure": ("network",),
    "openshift-ingress-azure": ("network", "zone"),
    "openshift-machine-api-azure": ("network",),
    "azure-file-csi-driver-operator": ("network",),
    "openshift-cloud-network-config-controller-azure": ("network",),
    "openshift-azure-cloud-controller-manager": ("network",),
}
"""Requests that get more than the installation's resource group."""


def places(request: str) -> tuple[Place, ...]:
    """Return the places that the grants of a request must cover beside the installation's resource group."""
    return _PLACES.get(request, ())


class Reach(Enum):
    """How the scope of an assignment stands to a needed scope."""

    WHOLE = auto()
    """It is the needed scope or contains it."""
    PART = auto()
    """It lies inside."""
    NONE = auto()
    UNCERTAIN = auto()
    """It could be the needed one: its place, or the needed scope's, is not known."""


class Needed(Struct, frozen=True):
    """One scope that a grant must cover."""

    spelt: str
    """As given, for reasons."""
    subscription: str
    """Folded; empty where it is not known."""
    group: str
    """Resource group, folded; empty for a whole subscription, or where none is known."""
    rest: tuple[str, ...] = ()
    """Segments below the resource group, folded."""
    known: bool = True
    """False: some resource group of the subscription, nobody knows which."""
    placed: bool = True
    """False: no scope of Azure's is spelt like it, so nobody knows where it is."""
    above: str = ""
    """Folded scope above subscriptions: a management group, or `/` for the whole tenant."""


def needed_scopes(scopes: tuple[str, ...], subscription: str) -> tuple[Needed, ...]:
    """Read the needed scopes; an empty list becomes one scope that is not known."""
    return tuple(dict.fromkeys(_needed(scope, subscription) for scope in scopes or ("",)))


def _needed(scope: str, subscription: str) -> Needed:
    segments = _segments(scope)
    if scope.strip() == "/" or _is_management_group(fold(scope)):
        return Needed(scope, "", "", above="/" + "/".join(segments))
    if not scope.startswith("/") and len(segments) == 1:
        return Needed(scope, subscription, segments[0])
    if len(segments) >= 2 and segments[0] == "subscriptions":
        if len(segments) == 2:
            return Needed(scope, segments[1], "")
        if len(segments) >= 4 and segments[2] == "resourcegroups":
            return Needed(scope, segments[1], segments[3], segments[4:])
        return Needed(scope, segments[1], "", known=False)
    spelt = scope.strip() or "the cluster's resource groups (not known)"
    return Needed(spelt, subscription, "", known=False, placed=not segments)


def _is_management_group(folded: str) -> bool:
    return folded.startswith(_MANAGEMENT_GROUPS) and folded.rstrip("/").count("/") == 4


def is_above_subscriptions(scope: str) -> bool:
    """Return whether a scope is a management group or the whole tenant."""
    return fold(scope) == "/" or _is_management_group(fold(scope))


def is_at_subscription_or_above(scope: str) -> bool:
    """Return whether a scope is no resource group, and nothing in one."""
    return is_above_subscriptions(scope) or (scope != "" and len(_segments(scope)) <= 2)


def _segments(scope: str) -> tuple[str, ...]:
    return tuple(s for s in fold(scope).split("/") if s)


@lru_cache(maxsize=65_536)
def reach(scope: str, needed: Needed) -> Reach:
    """Return how an assignment's scope stands to a needed one.

    A management group counts as an ancestor: Azure lists its assignments only for the subscriptions below it.
    """
    folded = fold(scope)
    if not folded.startswith("/"):
        return Reach.UNCERTAIN
    if not needed.placed:
        return Reach.WHOLE if folded == "/" else Reach.UNCERTAIN
    if needed.above:
        return _reach_above(folded, needed.above)
    if is_above_subscriptions(folded):
        return Reach.WHOLE
    subscription = subscription_of(folded)
    if not subscription or (needed.subscription and subscription != needed.subscription):
        return Reach.NONE
    held = _segments(folded)[2:]
    if not held:
        return Reach.WHOLE
    if held[0] != "resourcegroups" or len(held) < 2:
        return Reach.PART if not needed.group else Reach.NONE
    group, rest = held[1], held[2:]
    if not needed.known:
        return Reach.PART if rest else Reach.UNCERTAIN
    if not needed.group:
        return Reach.PART
    if group != needed.group:
        return Reach.NONE
    shared = min(len(rest), len(needed.rest))
    if rest[:shared] != needed.rest[:shared]:
        return Reach.NONE
    return Reach.WHOLE if len(rest) <= len(needed.rest) else Reach.PART


def _reach_above(folded: str, above: str) -> Reach:
    """Return how a scope stands to a needed management group or tenant: which groups contain which is not known."""
    if folded == "/" or folded.rstrip("/") == above:
        return Reach.WHOLE
    return Reach.UNCERTAIN if _is_management_group(folded) and above != "/" else Reach.PART


def is_at(scope: str, needed: Needed) -> bool:
    """Return whether a scope is exactly a needed one, or could be."""
    where = reach(scope, needed)
    if needed.above:
        return where is Reach.UNCERTAIN or (fold(scope).rstrip("/") or "/") == needed.above
    if where is Reach.WHOLE:
        group = _segments(scope)[3:4]
        return tuple(g for g in (needed.group,) if g) == group and _segments(scope)[4:] == needed.rest
    return where is not Reach.NONE

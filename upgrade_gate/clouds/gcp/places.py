"""Where on Google Cloud a permission must hold, so that this cluster's component can use it.

Sources: cluster-ingress-operator `pkg/dns/gcp/provider.go` (a zone's own project); the installer's documentation of
shared VPC (firewall rules, networks and subnets of the host project); IAM documentation of
`iam.serviceAccounts.actAs` (it is checked on the account that a machine runs as).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.clouds.gcp.members import home_of
from upgrade_gate.clouds.gcp.wants import ACT_AS, PermissionWant, Want

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.gcp.roles import RoleBook

_DNS_ROLES = "roles/dns."
_NETWORK = ("compute.firewalls.", "compute.networks.")
_SUBNETS = frozenset({"compute.subnetworks.use", "compute.subnetworks.useExternalIp"})
_TAKEN = "the project of {} was not read and is taken to be the cluster's own ({})"


class Place(Struct, frozen=True):
    """One place where something must be held."""

    project: str = ""
    """Empty for the cluster's own project."""
    account: str = ""
    """The service account on which it must be held, where a service account's policy may grant it."""

    @property
    def label(self) -> str:
        """Name the place in a sentence."""
        return f"service account {self.account}" if self.account else f"project {self.project}"


OWN = Place()


def places(need: Want, context: Context | None, own: str, roles: RoleBook) -> tuple[tuple[Place, Want], ...]:
    """Return what must be held where; a role is taken apart only where its permissions must hold in several places.

    `own` is the ID of the cluster's own project, empty where it is not known. What the context does not know is asked
    for in the cluster's own project, as without a context.
    """
    if context is None:
        return ((OWN, need),)
    if isinstance(need, PermissionWant):
        return tuple((place, need) for place in _of(need.name, context, own))
    if need.name.startswith(_DNS_ROLES):  # what else is in them serves the zones too
        return tuple((place, need) for place in _of("dns.", context, own))
    if not need.permissions:
        return ((OWN, need),)
    if need.on_accounts and ACT_AS in need.permissions:
        return tuple((place, need) for place in _of(ACT_AS, context, own))
    by_place: dict[Place, list[str]] = {}
    for name in need.permissions:
        for place in _of(name, context, own):
            by_place.setdefault(place, []).append(name)
    return tuple(pair for place, names in by_place.items() for pair in _of_role(need, place, names, roles))


class Doubt(Struct, frozen=True):
    """Why a place is not certain: what would say where was not read."""

    text: str
    settles: bool
    """Whether nothing can be said without it; otherwise what most clusters have is taken, and said."""
    more: bool = False
    """Whether some places are known and there may be more, in the cluster's own project."""


def doubts_of(need: Want, context: Context | None, own: str) -> tuple[Doubt, ...]:
    """Return what makes the places of a need uncertain: the cluster could not tell, or nobody knows what a role has."""
    if context is None:
        return ()
    unread, names = context.unread, need.permissions or (need.name,)
    found: list[Doubt] = []
    homes = [home_of(account) for account in context.node_service_accounts or ()]
    elsewhere = {*(context.dns_projects or ()), context.network_project or "", *homes} - {own, ""}
    if elsewhere and not need.permissions and not need.name.startswith(_DNS_ROLES):
        listed = ", ".join(sorted(elsewhere))
        found.append(Doubt(f"whether {need.name} must hold in project {listed} too is not known", settles=True))
    if "dns_projects" in unread and any(name.startswith(("dns.", _DNS_ROLES)) for name in names):
        found.append(Doubt(f"the projects of the DNS zones are not known ({unread['dns_projects']})", settles=True))
    if "network_project" in unread and any(_is_network(name) for name in names):
        found.append(Doubt(_TAKEN.format("the network", unread["network_project"]), settles=False))
    if "node_service_accounts" in unread and ACT_AS in names:
        some = bool(context.node_service_accounts)
        whose = "other nodes' accounts" if some else "the nodes' accounts"
        found.append(Doubt(_TAKEN.format(whose, unread["node_service_accounts"]), settles=False, more=some))
    if context.node_service_accounts and ACT_AS in names:
        nameless = ", ".join(a for a in _each(context.node_service_accounts) if not home_of(a))
        if nameless:
            found.append(Doubt(_TAKEN.format("the nodes' accounts", f"{nameless} names no project"), settles=False))
    return tuple(found)


def _of_role(need: Want, place: Place, names: Sequence[str], roles: RoleBook) -> Iterable[tuple[Place, Want]]:
    """Yield the role itself at home and where all that is known of it belongs, else the permissions that do."""
    if place == OWN or len(names) == len(need.permissions):
        yield place, need
    else:
        yield from ((place, PermissionWant(name, roles)) for name in names)


def _of(permission: str, context: Context, own: str) -> tuple[Place, ...]:
    """Return where one permission must hold."""
    if permission == ACT_AS and context.node_service_accounts:
        return tuple(_at(home_of(a), own, account=a.casefold()) for a in _each(context.node_service_accounts))
    if permission.startswith("dns.") and context.dns_projects:
        return tuple(_at(project, own) for project in _each(context.dns_projects))
    if _is_network(permission) and context.network_project:
        return (_at(context.network_project, own),)
    return (OWN,)


def _is_network(permission: str) -> bool:
    return permission in _SUBNETS or permission.startswith(_NETWORK)


def _at(project: str, own: str, *, account: str = "") -> Place:
    return Place("" if project == own else project, account)


def _each(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))

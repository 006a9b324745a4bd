"""Where the grants of a remedy are given: the cluster's project, another project, the accounts of the nodes.

`iam.serviceAccounts.actAs` is never given for a whole project: it would cover every account there
(docs/facts/gcp.md#coverage).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from upgrade_gate.clouds.gcp import shapes
from upgrade_gate.clouds.gcp.places import doubts_of, places
from upgrade_gate.clouds.gcp.roles import RoleBook
from upgrade_gate.clouds.gcp.wants import ACT_AS, PermissionWant, RoleWant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames
    from upgrade_gate.clouds.gcp.wants import Want

ACCOUNT_USER = "roles/iam.serviceAccountUser"
"""The role that is bound on an account so that one may act as it."""


@dataclass(slots=True)
class Share:
    """What is given in one project."""

    permissions: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Placed:
    """Grants by the place where they are given."""

    projects: dict[str, Share] = field(default_factory=dict)
    """By ID; empty for the cluster's own."""
    accounts: dict[str, list[str]] = field(default_factory=dict)
    """Roles by the account that they are bound on."""
    act_as: list[str] = field(default_factory=list)
    """Roles to be bound on the accounts of the nodes, which nobody named."""
    doubts: dict[str, None] = field(default_factory=dict)

    @property
    def own(self) -> Share:
        """What is given in the cluster's own project."""
        return self.projects.get("", Share())


def placed(grants: Iterable[Grant], names: ClusterNames) -> Placed:
    """Sort grants by where they must be given."""
    roles = RoleBook([shapes.role(entry) for entry in shapes.DIALECT.read(names.documents).of("roles")])
    own = names.scopes[0] if names.scopes else names.account or ""
    found = Placed()
    for one in grants:
        role = one.type == "predefinedRole"
        need: Want = RoleWant(one.permission, roles) if role else PermissionWant(one.permission, roles)
        found.doubts.update(dict.fromkeys(doubt.text for doubt in doubts_of(need, names.context, own)))
        for place, want in places(need, names.context, own, roles):
            bound = want.name if isinstance(want, RoleWant) else ACCOUNT_USER
            if place.account:
                _add(found.accounts.setdefault(place.account, []), bound)
            elif want.name == ACT_AS or (want.on_accounts and ACT_AS in want.permissions):
                _add(found.act_as, bound)
            else:
                share = found.projects.setdefault(place.project, Share())
                _add(share.roles if isinstance(want, RoleWant) else share.permissions, want.name)
    for share in found.projects.values():
        share.permissions.sort()
        share.roles.sort()
    return found


def _add(listed: list[str], name: str) -> None:
    if name not in listed:
        listed.append(name)

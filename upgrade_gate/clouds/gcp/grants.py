"""GCP requests: permissions and predefined roles, which are compared with case and have no patterns.

Sources: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_gcp.go`; `roles.json`, which says for the
permissions that payloads ask for in which roles they stand, with its date.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base import tables
from upgrade_gate.clouds.contract.grants import Cover, Grant
from upgrade_gate.clouds.shared import spec

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

HAS_PERMISSIONS = True
FIELDS: Mapping[str, frozenset[str] | None] = {"permissions": None, "predefinedRoles": None}
HARMLESS = frozenset({"skipServiceCheck"})


class Role(Struct, frozen=True):
    """What is known of a predefined role: its size, and which of the permissions that payloads ask for it has."""

    total: int
    contains: frozenset[str]


class RoleTable(Struct, frozen=True):
    """The dated table. A permission outside `asked` is unknown to it: absence proves nothing there."""

    date: str
    asked: frozenset[str]
    roles: Mapping[str, Role]


@cache
def role_table() -> RoleTable:
    """Return the table of predefined roles."""
    table = tables.read(__package__, "roles.json")
    asked: list[str] = table["permissions"]
    roles = {
        name: Role(role["total"], frozenset(asked[n] for n in role["contains"]))
        for name, role in table["roles"].items()
    }
    return RoleTable(table["date"], frozenset(asked), roles)


def read_grants(kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return permissions and predefined roles; raises ValueError naming a malformed field."""
    del kind
    fields = spec.read(provider_spec, FIELDS)
    grants = spec.named(fields, "permissions", "permission")
    return spec.fold((*grants, *spec.named(fields, "predefinedRoles", "predefinedRole")), identity)


def identity(grant: Grant) -> Hashable:
    """Return the name, with case."""
    return (grant.type, grant.permission)


def permission_key(grant: Grant) -> Hashable:
    """Return the name: a GCP grant has nothing else."""
    return identity(grant)


def covering(held: Sequence[Grant], needed: Grant) -> Cover | None:
    """Return the held permission or role that contains the needed grant.

    A role is covered by itself alone: the table knows only the permissions that payloads ask for, so it cannot
    show that other roles hold all of it.
    """
    if any(identity(g) == identity(needed) for g in held):
        return Cover(needed.permission)
    if needed.type != "permission":
        return None
    table = role_table()
    for grant in held:
        role = table.roles.get(grant.permission) if grant.type == "predefinedRole" else None
        if role is not None and needed.permission in role.contains:
            return Cover(grant.permission, table.date)
    return None

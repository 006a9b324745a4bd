"""GCP requests: permissions and predefined roles, which are compared with case and have no patterns.

Sources: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_gcp.go`; `data/gcp_roles.json`, which says for the
permissions that payloads ask for in which roles they stand, with its date.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate import data
from upgrade_gate.clouds.contract.grants import Cover, Grant
from upgrade_gate.clouds.shared import access as _access
from upgrade_gate.clouds.shared import risk as _risk
from upgrade_gate.clouds.shared.names import fold, named

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Access, Risk

KINDS = frozenset({"GCPProviderSpec"})
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
    table = json.loads(data.read("gcp_roles.json"))
    asked: list[str] = table["permissions"]
    roles = {
        name: Role(role["total"], frozenset(asked[n] for n in role["contains"]))
        for name, role in table["roles"].items()
    }
    return RoleTable(table["date"], frozenset(asked), roles)


def read_grants(kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return permissions and predefined roles; raises ValueError naming a malformed field."""
    del kind
    grants = named(provider_spec, "permissions", "permission")
    return fold((*grants, *named(provider_spec, "predefinedRoles", "predefinedRole")), identity)


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


def missing_keys(keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return `service_account.json` where it is missing."""
    return tuple(k for k in secret_keys(token=token, release=release) if k not in keys)


def secret_keys(*, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return the one key: a key file, or the external account configuration in token form."""
    del token, release
    return ("service_account.json",)


def conflicting_keys(keys: frozenset[str]) -> tuple[str, ...]:
    """Return keys that must not stand together: none."""
    del keys
    return ()


def risks(grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
    """Return the risk classes of a permission; a role is BREADTH, with the classes of what it is known to hold."""
    names = _names(held)
    if grant.type != "predefinedRole":
        return _risk.classify("GCP", grant.permission, names)
    role = role_table().roles.get(grant.permission)
    inside = [_risk.classify("GCP", name, names) for name in sorted(role.contains)] if role else []
    return _risk.ordered({"BREADTH", *(risk for risks_ in inside for risk in risks_)})


def _names(held: Sequence[Grant]) -> list[str]:
    """Return the permissions of grants, those that the table knows to be in a role included."""
    found = {g.permission for g in held if g.type == "permission"}
    for grant in held:
        role = role_table().roles.get(grant.permission) if grant.type == "predefinedRole" else None
        found |= role.contains if role is not None else set()
    return sorted(found)


def completes(grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
    """Return the permissions that make a known pair with this one; of a role nothing is said."""
    return _risk.partners("GCP", grant.permission, _names(held)) if grant.type == "permission" else ()


def access(grant: Grant) -> Access | None:
    """Return the permission's access level; a whole role has none of its own."""
    return _access.of_gcp(grant.permission) if grant.type == "permission" else None

"""Azure requests: role bindings by name, operations of the control and of the data plane.

Sources: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_azure.go`; Azure's definition of the built-in
role Contributor (`roles.json`, with its date and source).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base import tables
from upgrade_gate.clouds.contract.grants import Cover, Grant
from upgrade_gate.clouds.shared import spec
from upgrade_gate.clouds.shared.patterns import Patterns, covered, intersects

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

HAS_PERMISSIONS = True
FIELDS: Mapping[str, frozenset[str] | None] = {
    "roleBindings": frozenset({"role", "scope"}),
    "permissions": None,
    "dataPermissions": None,
}
HARMLESS: frozenset[str] = frozenset()


class BuiltInRole(Struct, frozen=True):
    """The definition of a built-in role, both planes."""

    name: str
    id: str
    actions: Patterns
    data_actions: Patterns
    dated: str


@cache
def built_in_roles() -> Mapping[str, BuiltInRole]:
    """Return the built-in roles that payloads bind, by folded name; patterns are folded too."""
    table = tables.read(__package__, "roles.json")

    def part(role: Mapping[str, Any], allows: str, excepts: str) -> Patterns:
        return Patterns(tuple(a.casefold() for a in role[allows]), tuple(e.casefold() for e in role[excepts]))

    return {
        name.casefold(): BuiltInRole(
            name,
            role["id"],
            part(role, "actions", "notActions"),
            part(role, "dataActions", "notDataActions"),
            table["date"],
        )
        for name, role in table["roles"].items()
    }


def read_grants(kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return role bindings, permissions and data permissions; raises ValueError naming a malformed field."""
    del kind
    fields = spec.read(provider_spec, FIELDS)
    grants = spec.named(fields, "permissions", "permission")
    grants += spec.named(fields, "dataPermissions", "dataPermission")
    for binding in fields["roleBindings"].items():
        scope = binding.required("a mapping")["scope"].text()
        grants.append(Grant("roleBinding", binding["role"].some_text(), scope=scope or None))
    return spec.fold(grants, identity)


def identity(grant: Grant) -> Hashable:
    """Return operation or role without case, plane, and scope."""
    return (*_key(grant), grant.canonical_scope.casefold())


def permission_key(grant: Grant) -> Hashable:
    """Return operation or role without case, and plane: the same role at another scope is the same permission."""
    return _key(grant)


def _key(grant: Grant) -> tuple[str, str]:
    return (grant.type, grant.permission.casefold())


def covering(held: Sequence[Grant], needed: Grant) -> Cover | None:
    """Return what held contains the needed grant, the two planes apart.

    Operations compare without case, and `*` matches across `/`. A role counts by its definition, so only the roles
    of the table; of any other role nothing is known but its name.
    """
    wanted = identity(needed)
    same = next((g for g in held if identity(g) == wanted), None)
    if same is not None:
        return Cover(same.permission)
    if needed.type == "roleBinding":
        return _covering_role(held, needed)
    return _covering_operation(held, needed.permission.casefold(), needed.type)


def _covering_role(held: Sequence[Grant], needed: Grant) -> Cover | None:
    """Cover a role only by operations that contain every operation of its definition, at no narrower scope."""
    role = built_in_roles().get(needed.permission.casefold())
    if role is None:
        return None
    unscoped = next((g for g in held if _key(g) == _key(needed) and g.scope is None), None)
    if unscoped is not None:
        return Cover(unscoped.permission)
    if role.data_actions.allows or needed.scope is not None:
        return None
    by: set[str] = set()
    for action in role.actions.allows:
        cover = _covering_operation(held, action, "permission")
        if cover is None:
            return None
        by.add(cover.by)
    return Cover(", ".join(sorted(by)), role.dated)


def _covering_operation(held: Sequence[Grant], operation: str, plane: str) -> Cover | None:
    operations = {g.permission: Patterns((g.permission.casefold(),)) for g in held if g.type == plane}
    single = next((name for name, part in operations.items() if covered(operation, [part], single=False)), None)
    if single is not None:
        return Cover(single)
    roles: dict[str, Patterns] = {}
    dated = None
    for grant in held:
        role = built_in_roles().get(grant.permission.casefold()) if grant.type == "roleBinding" else None
        if role is not None and grant.scope is None:
            roles[grant.permission] = role.actions if plane == "permission" else role.data_actions
            dated = role.dated
    for name, part in roles.items():
        if covered(operation, [part], single=False):
            return Cover(name, dated)
    together = {**operations, **roles}
    if covered(operation, list(together.values()), single=False):
        parts = (n for n, p in together.items() if any(intersects(a, operation, single=False) for a in p.allows))
        return Cover(", ".join(sorted(parts)), dated)
    return None

"""What an Azure principal is given, operation by operation, as its roles are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgrade_gate.clouds.azure import grants
from upgrade_gate.clouds.azure.cover import denied, want_of
from upgrade_gate.clouds.azure.scopes import needed_scopes
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, HeldGrant, HeldGrants
from upgrade_gate.clouds.shared.patterns import Patterns, covered, overlapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.clouds.azure.cover import Held
    from upgrade_gate.clouds.azure.shapes import Deny, Permissions
    from upgrade_gate.clouds.contract.grants import GrantType

PLANES: tuple[GrantType, GrantType] = ("permission", "dataPermission")


def in_roles(assigned: Iterable[Held], denies: Sequence[tuple[Deny, bool | None]] = ()) -> HeldGrants:
    """Return each operation of the assigned roles once; a built-in role that payloads bind is told by its name.

    What a deny assignment forbids wherever the role is assigned is not held.
    """
    found: dict[str, HeldGrant] = {}
    unseen: list[str] = []
    for one in assigned:
        if one.member is None:
            unseen.append(f"a group may give {one.assignment.label}: its members are not in the export")
            continue
        if not one.role.whole:
            unseen.append(f"{one.role.why}; it is assigned as {one.assignment.label}")
        place = needed_scopes((one.assignment.scope,), one.assignment.subscription)[0]
        for grant, parts, more in _of(one):
            forbidden = [denied(want_of(grant.permission, part, kind), denies, place) for kind, part in parts]
            if all(found is not None and found.verdict is Coverage.DENIED for found in forbidden):
                continue
            unseen += [found.reason for found in forbidden if found is not None and found.verdict is Coverage.UNKNOWN]
            key = grant.canonical.casefold()
            by = f"{one.assignment.label}{more}"
            before = found.get(key)
            found[key] = HeldGrant(grant, f"{before.by} and {by}") if before is not None else HeldGrant(grant, by)
    return HeldGrants(tuple(found.values()), tuple(dict.fromkeys(unseen)))


def _of(one: Held) -> Iterator[tuple[Grant, Sequence[tuple[GrantType, Patterns]], str]]:
    """Yield what an assigned role gives, with the operations of each plane that this means, and what it excepts."""
    if any(one.role.id == role.id for role in grants.built_in_roles().values()):
        given = [(kind, part) for p in one.role.permissions for kind, part, _ in _planes(p) if part.allows]
        yield Grant("roleBinding", one.role.name), given or [(kind, Patterns(("*",))) for kind in PLANES], ""
        return
    for permissions in one.role.permissions:
        for kind, part, named in _planes(permissions):
            for pattern in named or part.allows:
                folded = pattern.casefold()
                if covered(folded, (Patterns(part.excepts),), single=False):
                    continue
                touched = [e for e in part.excepts if overlapping(folded, (Patterns((e,)),), single=False)]
                own = [(kind, Patterns((folded,), part.excepts))]
                yield Grant(kind, pattern), own, f", which excepts {', '.join(touched)}" if touched else ""


def _planes(one: Permissions) -> Iterator[tuple[GrantType, Patterns, tuple[str, ...]]]:
    yield PLANES[0], one.control, one.named[0]
    yield PLANES[1], one.data, one.named[1]


def asks_for(required: Sequence[Grant], held: Grant) -> bool:
    """Return whether what is required contains a held operation or role, whatever scope is required."""
    plain = [replace(g, scope=None) for g in required]
    if grants.covering(plain, held) is not None:
        return True
    known = grants.built_in_roles()
    # of a required role nobody knows the operations: any of them may be its own
    return any(g.type == "roleBinding" and g.permission.casefold() not in known for g in plain)

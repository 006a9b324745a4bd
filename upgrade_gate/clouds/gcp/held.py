"""What a service account is given on Google Cloud: roles as they are bound, and the permissions of custom ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, HeldGrant, HeldGrants
from upgrade_gate.clouds.gcp.roles import Has

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeAlias

    from upgrade_gate.clouds.contract.holdings import CoverageResult
    from upgrade_gate.clouds.gcp.roles import Contents, RoleBook
    from upgrade_gate.clouds.gcp.wants import ServingBinding

    Forbids: TypeAlias = Callable[[ServingBinding, Sequence[str], Contents | None], CoverageResult | None]
    """What deny policies say of the permissions of a binding, and of the whole role that they are of."""

_PREDEFINED = "roles/"


def in_bindings(sources: Iterable[ServingBinding], roles: RoleBook, forbids: Forbids) -> HeldGrants:
    """Return what the bindings of an account give, each once; a role of Google's by its name.

    What `forbids` says is DENIED is not held, what it cannot tell is said.
    """
    found: dict[str, HeldGrant] = {}
    unseen: list[str] = []
    for source in sources:
        by = f"{source.label}, under a condition: {source.condition}" if source.condition else source.label
        for grant in _of(source, roles, unseen):
            contents = roles.contents(grant.permission) if grant.type == "predefinedRole" else None
            forbidden = forbids(source, sorted(contents.permissions) if contents else (grant.permission,), contents)
            if forbidden is not None and forbidden.verdict is Coverage.DENIED:
                continue
            unseen += [forbidden.reason] if forbidden is not None and forbidden.verdict is Coverage.UNKNOWN else []
            before = found.get(grant.canonical)
            found[grant.canonical] = HeldGrant(grant, f"{before.by} and {by}" if before is not None else by)
    return HeldGrants(tuple(found.values()), tuple(dict.fromkeys(unseen)))


def _of(source: ServingBinding, roles: RoleBook, unseen: list[str]) -> Iterator[Grant]:
    contents = roles.contents(source.role)
    if contents.works is False:
        return
    if source.role.startswith(_PREDEFINED):
        yield Grant("predefinedRole", source.role)
        return
    if contents.asked is not None:
        unseen.append(f"{source.label}: {contents.why}")
    yield from (Grant("permission", name) for name in sorted(contents.permissions))


def asks_for(required: Sequence[Grant], held: Grant, roles: RoleBook) -> bool:
    """Return whether what is required contains a held permission or role, or may for all that is known of roles."""
    if any((g.type, g.permission) == (held.type, held.permission) for g in required):
        return True
    contents = [roles.contents(g.permission) for g in required if g.type == "predefinedRole"]
    if held.type == "permission":
        return any(one.has(held.permission) is not Has.NO for one in contents)
    own = roles.contents(held.permission)
    if own.asked is not None or not own.permissions:
        return False
    named = {g.permission for g in required}
    return all(p in named or any(one.has(p) is not Has.NO for one in contents) for p in own.permissions)

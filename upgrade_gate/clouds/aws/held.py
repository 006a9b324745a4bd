"""What an AWS identity is given, statement by statement, as its policies are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgrade_gate.clouds.aws import grants
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import HeldGrant
from upgrade_gate.clouds.shared.patterns import covered, overlapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.clouds.aws.policies import Policy, Statement

EVERYTHING_EXCEPT = "everything except "
"""How a NotAction is told: no list of actions says what it gives."""


def in_policies(policies: Iterable[Policy], boundary: Policy | None) -> tuple[HeldGrant, ...]:
    """Return each allowed action once, without what a Deny takes away everywhere and what the boundary shuts out."""
    statements = [s for policy in policies for s in policy.statements]
    denied = [s.actions for s in statements if _denies_everywhere(s)]
    limits = None
    if boundary is not None:
        denied += [s.actions for s in boundary.statements if _denies_everywhere(s)]
        limits = [s.actions for s in boundary.statements if s.allow]
    found: dict[str, HeldGrant] = {}
    for statement in statements if limits != [] else ():
        for grant in _of(statement):
            name = grant.permission.casefold()
            if not grant.permission.startswith(EVERYTHING_EXCEPT) and (
                covered(name, denied) or (limits is not None and overlapping(name, limits) is None)
            ):
                continue
            key = grant.canonical.casefold()
            before = found.get(key)
            by = f"{before.by} and {statement.label}" if before is not None else statement.label
            found[key] = HeldGrant(before.grant if before is not None else grant, by)
    return tuple(found.values())


def _denies_everywhere(statement: Statement) -> bool:
    whole = covered("*", (statement.resources,)) and not statement.opaque
    return not statement.allow and whole and statement.unconditional


def _of(statement: Statement) -> Iterator[Grant]:
    if not statement.allow:
        return
    excepted = bool(statement.actions.excepts)
    names = (f"{EVERYTHING_EXCEPT}{', '.join(statement.named)}",) if excepted else dict.fromkeys(statement.named)
    for name in names:
        yield Grant("action", name, "Allow", statement.shown, statement.condition or None)


def asks_for(required: Sequence[Grant], held: Grant) -> bool:
    """Return whether what is required contains a held action, whatever the resources and conditions of both."""
    plain = [replace(g, resource="*", condition=None) for g in required if g.allows]
    return grants.covering(plain, held) is not None

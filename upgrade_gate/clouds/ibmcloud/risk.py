"""IBM Cloud and Power VS: which roles a reviewer should look at twice, and what a role lets its holder do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from upgrade_gate.clouds.ibmcloud.grants import target_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.risk import Access, Risk

_LEVELS: Mapping[str, Access] = {
    "Viewer": "read",
    "Reader": "read",
    "Operator": "write",
    "Editor": "write",
    "Writer": "write",
    "Manager": "write",
    "Administrator": "permissions-management",
}
"""IBM's own roles; Administrator assigns access."""


def risks(grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
    """Return ESCALATE for Administrator (it assigns access), BREADTH for Manager and for a policy without a target."""
    del held
    name = grant.permission.rpartition(":")[2]
    classes: list[Risk] = ["ESCALATE"] if name == "Administrator" else []
    if name in ("Administrator", "Manager") or not target_of(grant):
        classes.append("BREADTH")
    return tuple(classes)


def completes(grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
    """Return what makes a known pair with a role: nothing, no pair of roles is known to."""
    del grant, held
    return ()


def access(grant: Grant) -> Access | None:
    """Return the level of one of IBM's own roles (CRN), None for a custom one."""
    return _LEVELS.get(grant.permission.rpartition(":")[2])

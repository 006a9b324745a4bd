"""What an IBM Cloud service ID is given: the roles of its access policies, each within the policy's attributes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import HeldGrant, HeldGrants
from upgrade_gate.clouds.ibmcloud.grants import covering

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.clouds.ibmcloud.shapes import AccessPolicy


def in_policies(policies: Iterable[tuple[AccessPolicy, bool]]) -> HeldGrants:
    """Return each role of the policies that are the service ID's; with each policy, whether it surely is."""
    found: dict[str, HeldGrant] = {}
    unseen: list[str] = []
    for policy, sure in policies:
        if not sure:
            unseen.append(f"{policy.label} may be the service ID's: whose it is is not in the export")
        elif policy.placeholder or policy.unread:
            unseen.append(f"{policy.label}: {policy.unread or 'only v2 can show what it gives'}")
        else:
            for role in policy.roles:
                grant = Grant("role", role, scope={"attributes": _attributes(policy)})
                before = found.get(grant.canonical)
                by = f"{before.by} and {policy.label}" if before is not None else policy.label
                found[grant.canonical] = HeldGrant(grant, by)
    return HeldGrants(tuple(found.values()), tuple(dict.fromkeys(unseen)))


def _attributes(policy: AccessPolicy) -> list[dict[str, str]]:
    """Return a policy's attributes as a grant has them; an operator stands before the value unless it is plain."""
    told = [
        {"name": a.name, "value": a.value if a.operator == "stringEquals" else a.label.removeprefix(f"{a.name} ")}
        for a in policy.attributes
    ]
    return sorted(told, key=lambda one: (one["name"], one["value"]))


def asks_for(required: Sequence[Grant], held: Grant) -> bool:
    """Return whether a required role is the held one, with no attribute that the held policy lacks.

    What a policy has besides narrows it: its account, its resource group.
    """
    return covering(required, held) is not None

"""Azure: which operations a reviewer should look at twice, and what an operation lets its holder do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.shared.risk import RiskPair, RiskTable, entries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.risk import Access, Risk

_AZURE_RBAC = "learn.microsoft.com, Azure role-based access control"

TABLE = RiskTable(
    entries=(
        *entries(
            "ESCALATE",
            "assigns roles",
            _AZURE_RBAC,
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleDefinitions/write",
            "Microsoft.Authorization/elevateAccess/action",
        ),
        *entries(
            "IMPERSONATE",
            "puts an identity on a machine, or lets a token stand for it",
            _AZURE_RBAC,
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        ),
        *entries(
            "IMPERSONATE",
            "runs code on a machine, with its identity",
            _AZURE_RBAC,
            "Microsoft.Compute/virtualMachines/runCommand/action",
            "Microsoft.Compute/virtualMachines/runCommands/write",
            "Microsoft.Compute/virtualMachines/extensions/write",
        ),
        *entries(
            "DATA",
            "gives keys to the data",
            _AZURE_RBAC,
            "Microsoft.Storage/storageAccounts/listKeys/action",
            "Microsoft.Storage/storageAccounts/listAccountSas/action",
            "Microsoft.Storage/storageAccounts/listServiceSas/action",
            "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
            "Microsoft.Compute/disks/beginGetAccess/action",
            "Microsoft.Compute/snapshots/beginGetAccess/action",
        ),
        *entries(
            "DATA",
            "reads stored data",
            _AZURE_RBAC,
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
            "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read",
        ),
        *entries(
            "NETWORK-EXPOSE",
            "opens ports",
            _AZURE_RBAC,
            "Microsoft.Network/networkSecurityGroups/write",
            "Microsoft.Network/networkSecurityGroups/securityRules/write",
        ),
    ),
    pairs=(
        RiskPair(
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
            "Microsoft.Compute/virtualMachines/write",
            "ESCALATE",
            "starts a machine with another identity",
            _AZURE_RBAC,
        ),
    ),
    destroys=("*/delete",),
)


def risks(grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
    """Return the risk classes of an operation; a whole role is BREADTH."""
    return ("BREADTH",) if grant.type == "roleBinding" else TABLE.classify(grant.permission, _operations(held))


def completes(grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
    """Return the operations that make a known pair with this one; of a role nothing is said."""
    return () if grant.type == "roleBinding" else TABLE.partners(grant.permission, _operations(held))


def _operations(held: Sequence[Grant]) -> list[str]:
    return [g.permission for g in held if g.type != "roleBinding"]


def access(grant: Grant) -> Access | None:
    """Return the operation's level: `read`, else a write; what assigns roles or identities manages permissions.

    A whole role has none of its own.
    """
    if grant.type == "roleBinding":
        return None
    folded = grant.permission.casefold()
    if folded.rpartition("/")[2] == "read":
        return "read"
    if folded.startswith("microsoft.authorization/") or folded.endswith("/userassignedidentities/assign/action"):
        return "permissions-management"
    return "write"

"""Azure risks: the classes of operations, known pairs, and access levels by the verb.

See docs/facts/risks.md#access-levels and docs/facts/risks.md#classes.
"""

import pytest

from upgrade_gate.clouds.azure import risk
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.risk import Access

CONTRIBUTOR = Grant("roleBinding", "Contributor")
BLOB_READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
LEVELS = [
    ("Microsoft.Compute/disks/read", "read"),
    ("Microsoft.Compute/virtualMachines/*/Read", "read"),
    ("Microsoft.Compute/disks/write", "write"),
    ("Microsoft.Compute/disks/delete", "write"),
    ("Microsoft.Network/virtualNetworks/subnets/join/action", "write"),
    ("Microsoft.Compute/disks/*", "write"),
    ("Microsoft.Authorization/roleAssignments/write", "permissions-management"),
    ("Microsoft.Authorization/roleAssignments/read", "read"),
    ("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", "permissions-management"),
]


def permission(name: str) -> Grant:
    return Grant("permission", name)


@pytest.mark.parametrize(
    ("grant", "held", "risks"),
    [
        (CONTRIBUTOR, [], ("BREADTH",)),
        (permission("Microsoft.Authorization/roleAssignments/write"), [], ("ESCALATE",)),
        (permission("microsoft.storage/storageaccounts/LISTKEYS/action"), [], ("DATA",)),
        (permission("Microsoft.Compute/virtualMachines/write"), [], ()),
        (
            permission("Microsoft.Compute/virtualMachines/write"),
            [permission("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action")],
            ("ESCALATE",),
        ),
        (permission("Microsoft.Compute/disks/delete"), [], ("DESTROY",)),
        (permission("Microsoft.Compute/disks/*"), [], ("DATA", "DESTROY", "BREADTH")),
        (Grant("dataPermission", BLOB_READ), [], ("DATA",)),
        (permission("Microsoft.Compute/disks/read"), [CONTRIBUTOR], ()),
    ],
)
def test_risks(grant: Grant, held: list[Grant], risks: tuple[str, ...]) -> None:
    assert risk.risks(grant, held) == risks


@pytest.mark.parametrize(("operation", "level"), LEVELS)
def test_access(operation: str, level: Access) -> None:
    assert risk.access(permission(operation)) == level

"""GCP risks: the classes of permissions and roles, known pairs, and access levels by the verb.

See docs/facts/risks.md#access-levels and docs/facts/risks.md#classes.
"""

import pytest

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.risk import Access
from upgrade_gate.clouds.gcp import risk

LEVELS = [
    ("compute.disks.get", "read"),
    ("compute.disks.list", "list"),
    ("resourcemanager.tagValues.listEffectiveTags", "list"),
    ("compute.images.getFromFamily", "read"),
    ("compute.disks.getIamPolicy", "read"),
    ("compute.disks.use", "write"),
    ("compute.images.useReadOnly", "write"),
    ("compute.disks.delete", "write"),
    ("compute.disks.setIamPolicy", "permissions-management"),
    ("iam.roles.update", "permissions-management"),
    ("iam.roles.get", "read"),
    ("iam.serviceAccounts.getAccessToken", "write"),
]


def permission(name: str) -> Grant:
    return Grant("permission", name)


def role(name: str) -> Grant:
    return Grant("predefinedRole", name)


@pytest.mark.parametrize(
    ("grant", "held", "risks"),
    [
        (permission("iam.serviceAccounts.actAs"), [], ("IMPERSONATE",)),
        (permission("compute.instances.create"), [permission("iam.serviceAccounts.actAs")], ("ESCALATE",)),
        (permission("compute.instances.create"), [], ()),
        (permission("resourcemanager.projects.setIamPolicy"), [], ("ESCALATE",)),
        (permission("compute.disks.delete"), [], ("DESTROY",)),
        (permission("compute.disks.get"), [], ()),
        (role("roles/unheard.of"), [], ("BREADTH",)),
        (role("roles/iam.serviceAccountUser"), [], ("IMPERSONATE", "BREADTH")),
    ],
)
def test_risks(grant: Grant, held: list[Grant], risks: tuple[str, ...]) -> None:
    assert risk.risks(grant, held) == risks


@pytest.mark.parametrize(("name", "level"), LEVELS)
def test_access(name: str, level: Access) -> None:
    assert risk.access(permission(name)) == level

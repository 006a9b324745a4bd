"""Azure grants: two planes that never mix, Contributor by its definition, patterns that cross `/`."""

from typing import Any

import pytest

from upgrade_gate.clouds.azure import grants as azure
from upgrade_gate.clouds.contract.grants import Grant, cloud_of

CONTRIBUTOR = Grant("roleBinding", "Contributor")
BLOB_READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"


def permission(name: str) -> Grant:
    return Grant("permission", name)


def data(name: str) -> Grant:
    return Grant("dataPermission", name)


def test_the_three_lists_become_three_types() -> None:
    spec = {
        "roleBindings": [{"role": "Contributor"}, {"role": "Reader", "scope": "/subscriptions/S"}],
        "permissions": ["Microsoft.Compute/disks/read"],
        "dataPermissions": [BLOB_READ],
    }
    grants = azure.read_grants("AzureProviderSpec", spec)
    assert set(grants) == {
        CONTRIBUTOR,
        Grant("roleBinding", "Reader", scope="/subscriptions/S"),
        permission("Microsoft.Compute/disks/read"),
        data(BLOB_READ),
    }
    assert [g.canonical for g in grants] == sorted(g.canonical for g in grants)
    assert cloud_of("AzureProviderSpec") is not None


def test_operations_that_differ_in_case_alone_fold() -> None:
    names = ["Microsoft.Compute/locations/diskOperations/read", "Microsoft.Compute/locations/DiskOperations/read"]
    assert [g.permission for g in azure.read_grants("AzureProviderSpec", {"permissions": names})] == names[:1]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"permissions": "a/b"}, "permissions is str"),
        ({"permissions": [None]}, r"permissions\[0\] is NoneType"),
        ({"dataPermissions": [" "]}, r"dataPermissions\[0\] is empty"),
        ({"roleBindings": ["Contributor"]}, r"roleBindings\[0\] is str"),
        ({"roleBindings": [{}]}, r"roleBindings\[0\].role is NoneType"),
        ({"roleBindings": [{"role": "R", "scope": []}]}, r"roleBindings\[0\].scope is list"),
    ],
)
def test_half_a_requirement_is_an_error_that_names_the_field(spec: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        azure.read_grants("AzureProviderSpec", spec)


def test_plane_and_scope_make_another_grant() -> None:
    assert azure.identity(permission("A/b/Read")) == azure.identity(permission("a/B/read"))
    assert azure.identity(permission("A/b/read")) != azure.identity(data("A/b/read"))
    scoped = Grant("roleBinding", "contributor", scope="/subscriptions/S")
    assert azure.identity(CONTRIBUTOR) != azure.identity(scoped)
    assert azure.permission_key(CONTRIBUTOR) == azure.permission_key(scoped)
    assert azure.identity(scoped) == azure.identity(Grant("roleBinding", "Contributor", scope="/SUBSCRIPTIONS/s"))


@pytest.mark.parametrize(
    ("held", "needed", "by"),
    [
        ([CONTRIBUTOR], permission("Microsoft.Compute/disks/read"), "Contributor"),
        ([Grant("roleBinding", "contributor")], permission("Microsoft.Compute/disks/read"), "contributor"),
        ([CONTRIBUTOR], permission("Microsoft.Authorization/roleAssignments/write"), None),
        ([CONTRIBUTOR], permission("microsoft.authorization/roleassignments/DELETE"), None),
        ([CONTRIBUTOR], permission("Microsoft.Authorization/roleAssignments/read"), "Contributor"),
        ([CONTRIBUTOR], permission("Microsoft.Authorization/elevateAccess/action"), None),
        ([CONTRIBUTOR], permission("Microsoft.Compute/galleries/share/action"), None),
        ([CONTRIBUTOR], permission("Microsoft.Resources/deploymentStacks/manageDenySetting/action"), None),
        ([CONTRIBUTOR], data(BLOB_READ), None),
        ([CONTRIBUTOR], permission("Microsoft.Compute/disks/*"), "Contributor"),
        ([CONTRIBUTOR], permission("Microsoft.Authorization/*"), None),
        ([CONTRIBUTOR], permission("*/write"), None),
        ([CONTRIBUTOR, permission("Microsoft.Authorization/*/write")], permission("Microsoft.Authorization/a/write"),
         "Microsoft.Authorization/*/write"),
        ([Grant("roleBinding", "Contributor", scope="/s")], permission("Microsoft.Compute/disks/read"), None),
        ([Grant("roleBinding", "My Role")], permission("Microsoft.Compute/disks/read"), None),
        ([permission("Microsoft.Compute/virtualMachines/*/read")], permission(
            "Microsoft.Compute/virtualMachines/instanceView/deep/read"), "Microsoft.Compute/virtualMachines/*/read"),
        ([permission("Microsoft.Compute/virtualMachines/*/read")], permission("Microsoft.Compute/virtualMachines/read"),
         None),
        ([permission("Microsoft.Compute/disk?/read")], permission("Microsoft.Compute/disks/read"), None),
        ([permission("Microsoft.Compute/disks/read")], permission("Microsoft.Compute/disks/*"), None),
        ([data("Microsoft.Storage/*")], data(BLOB_READ), "Microsoft.Storage/*"),
        ([data("*")], permission("Microsoft.Compute/disks/read"), None),
        ([permission("*")], data(BLOB_READ), None),
        ([permission("a/*"), permission("b/*")], permission("a/b/read"), "a/*"),
        ([CONTRIBUTOR], CONTRIBUTOR, "Contributor"),
        ([CONTRIBUTOR], Grant("roleBinding", "Contributor", scope="/s"), "Contributor"),
        ([Grant("roleBinding", "Contributor", scope="/s")], CONTRIBUTOR, None),
        ([permission("*")], CONTRIBUTOR, "*"),
        ([permission("*")], Grant("roleBinding", "Contributor", scope="/s"), None),
        ([permission("Microsoft.Compute/*")], CONTRIBUTOR, None),
        ([permission("*")], Grant("roleBinding", "Owner"), None),
        ([], CONTRIBUTOR, None),
        ([data("*")], CONTRIBUTOR, None),
        ([permission("Contributor")], permission("Microsoft.Compute/disks/read"), None),
        ([CONTRIBUTOR, permission("Microsoft.Authorization/ab/Writ?")], permission("Microsoft.Authorization/a*/Writ?"),
         "Contributor"),
    ],
)  # fmt: skip
def test_covering(held: list[Grant], needed: Grant, by: str | None) -> None:
    cover = azure.covering(held, needed)
    assert (cover.by if cover else None) == by


def test_two_sources_cover_together_what_neither_does_alone() -> None:
    held = [CONTRIBUTOR, permission("Microsoft.Authorization/*")]
    cover = azure.covering(held, permission("Microsoft.*"))
    assert cover is None, "Purview consents are still excepted"
    held += [permission(p) for p in ("Microsoft.Blueprint/*", "Microsoft.Compute/*", "Microsoft.Purview/*")]
    held.append(permission("Microsoft.Resources/*"))
    cover = azure.covering([*held, permission("Other/*"), permission("Microsof?.Compute/*")], permission("Microsoft.*"))
    assert cover is not None
    assert cover.by == ", ".join(g.permission for g in held)
    assert cover.dated == "2026-08-22"

"""Clouds without a permission model: their requests list nothing, but for the privileges of vSphere."""

from typing import Any

import pytest

from upgrade_gate.clouds.contract.grants import Cloud, cloud_of


def cloud(kind: str) -> Cloud:
    found = cloud_of(kind)
    assert found is not None, kind
    return found


KINDS = (
    "VSphereProviderSpec",
    "NutanixProviderSpec",
    "OpenStackProviderSpec",
    "OvirtProviderSpec",
    "KubevirtProviderSpec",
    "Metal3ProviderSpec",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_lists_no_permissions(kind: str) -> None:
    found = cloud(kind)
    assert not found.HAS_PERMISSIONS
    assert found.read_grants(kind, {"kind": kind}) == ()


def test_privileges_of_a_vsphere_request_are_grants_that_only_equal_ones_cover() -> None:
    found = cloud("VSphereProviderSpec")
    spec = {"permissions": [{"privileges": ["StorageProfile.View", "Sessions.ValidateSession"]}, {}]}
    grants = found.read_grants("VSphereProviderSpec", spec)
    assert [g.permission for g in grants] == ["Sessions.ValidateSession", "StorageProfile.View"]
    assert {g.type for g in grants} == {"privilege"}
    assert found.covering(grants, grants[0]) is not None
    assert found.covering(grants[1:], grants[0]) is None
    assert found.permission_key(grants[0]) == found.identity(grants[0])


@pytest.mark.parametrize(
    ("permissions", "field"),
    [
        ("x", "permissions is str"),
        (["x"], r"permissions\[0\] is str"),
        ([{"privileges": "x"}], r"permissions\[0\].privileges is str"),
        ([{"privileges": [1]}], r"permissions\[0\].privileges\[0\] is int"),
    ],
)
def test_half_a_requirement_is_an_error_that_names_the_field(permissions: Any, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        cloud("VSphereProviderSpec").read_grants("VSphereProviderSpec", {"permissions": permissions})


def test_a_kind_that_nobody_knows_has_no_cloud() -> None:
    assert cloud_of("MoonProviderSpec") is None
    assert cloud_of("awsproviderspec") is None

"""GCP grants: names with case, predefined roles by the dated table."""

from typing import Any

import pytest

from upgrade_gate.clouds.contract.grants import Grant, cloud_of
from upgrade_gate.clouds.gcp import grants


def permission(name: str) -> Grant:
    return Grant("permission", name)


def role(name: str) -> Grant:
    return Grant("predefinedRole", name)


def test_the_two_lists_become_two_types() -> None:
    spec = {"predefinedRoles": ["roles/dns.admin"], "permissions": ["dns.changes.get", "dns.changes.get"]}
    assert set(grants.read_grants("GCPProviderSpec", spec)) == {permission("dns.changes.get"), role("roles/dns.admin")}
    assert len(grants.read_grants("GCPProviderSpec", spec)) == 2
    assert cloud_of("GCPProviderSpec") is not None
    assert frozenset({"skipServiceCheck"}) == grants.HARMLESS


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"permissions": {"a": 1}}, "permissions is dict"),
        ({"predefinedRoles": [3]}, r"predefinedRoles\[0\] is int"),
    ],
)
def test_half_a_requirement_is_an_error_that_names_the_field(spec: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=field):
        grants.read_grants("GCPProviderSpec", spec)


def test_case_makes_another_grant() -> None:
    assert grants.identity(permission("compute.disks.get")) != grants.identity(permission("compute.Disks.get"))
    assert grants.permission_key(role("roles/a")) == grants.identity(role("roles/a"))


@pytest.mark.parametrize(
    ("held", "needed", "by", "dated"),
    [
        ([role("roles/compute.admin")], permission("compute.disks.create"), "roles/compute.admin", "2026-08-22"),
        ([role("roles/dns.admin")], permission("compute.disks.create"), None, None),
        ([role("roles/owner")], permission("storage.buckets.get"), None, None),
        ([role("roles/owner")], permission("compute.disks.create"), "roles/owner", "2026-08-22"),
        ([role("roles/compute.admin")], permission("compute.brandNew.get"), None, None),
        ([role("roles/unheard.of")], permission("compute.disks.create"), None, None),
        ([role("roles/Compute.admin")], permission("compute.disks.create"), None, None),
        ([permission("compute.disks.get")], permission("compute.disks.get"), "compute.disks.get", None),
        ([permission("roles/compute.admin")], permission("compute.disks.create"), None, None),
        ([permission("compute.disks.*")], permission("compute.disks.get"), None, None),
        ([role("roles/dns.admin")], role("roles/dns.admin"), "roles/dns.admin", None),
        ([role("roles/compute.admin")], role("roles/compute.instanceAdmin"), None, None),
        ([], role("roles/dns.admin"), None, None),
    ],
)
def test_covering(held: list[Grant], needed: Grant, by: str | None, dated: str | None) -> None:
    cover = grants.covering(held, needed)
    assert ((cover.by, cover.dated) if cover else (None, None)) == (by, dated)


def test_the_table_is_the_one_of_the_facts(shared: Any) -> None:
    import json

    facts = json.loads((shared / "facts" / "gcp_roles.json").read_text())
    table = grants.role_table()
    assert table.asked == set(facts["asked_by_payloads"])
    assert table.date in facts["source"]
    assert {n: (r.total, sorted(r.contains)) for n, r in table.roles.items()} == {
        n: (r["total"], sorted(r["contains"])) for n, r in facts["roles"].items()
    }

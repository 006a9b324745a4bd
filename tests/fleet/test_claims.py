"""What a cluster claims spares a read only where it cannot pass (whole runs: tests/cli/commands/test_fleet_hub.py)."""

import pytest

from upgrade_gate.cluster import hub
from upgrade_gate.cluster.hub import ManagedCluster
from upgrade_gate.fleet import claims


def spared(target: str | None = "4.17.0", *, may_accept: bool = False, **found: str) -> bool:
    managed = ManagedCluster("a", {}, {getattr(hub, name.upper()): value for name, value in found.items()})
    return claims.ruled_out(managed, target, may_accept=may_accept) is not None


def test_another_product_is_spared_unless_it_claims_a_release() -> None:
    assert spared(product="AKS")
    assert not spared(product="AKS", version="4.16.3")
    assert not spared(product="Other")


@pytest.mark.parametrize(
    ("version", "target", "expected"),
    [
        ("4.16.3", "4.17.0", False),
        ("4.17.0", "4.17.0", False),
        ("4.17.1", "4.17.0", False),
        ("4.13.9", "4.13.2", True),
        ("4.18.0-rc.1", "4.17.9", True),
        ("4.15.9", "4.17.0", True),
        ("4.23.1", "5.0.0", False),
        ("5.0.0", "4.23.1", True),
    ],
)
def test_a_version_is_spared_where_no_update_leads_to_the_target(version: str, target: str, expected: bool) -> None:
    assert spared(target, version=version) is expected
    assert not spared(target, version=version, may_accept=True)
    assert not spared(None, version=version)

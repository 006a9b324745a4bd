"""Azure scopes: what a request must reach, and which scope contains which."""

import pytest

from upgrade_gate.clouds.azure.scopes import Reach, is_at, needed_scopes, reach
from upgrade_gate.clouds.contract.scopes import Place, places_of


@pytest.mark.parametrize(
    ("kind", "request_name", "places"),
    [
        ("AzureProviderSpec", "openshift-ingress-azure", ("network", "zone")),
        ("AzureProviderSpec", "openshift-machine-api-azure", ("network",)),
        ("AzureProviderSpec", "azure-disk-csi-driver-operator", ()),
        ("GCPProviderSpec", "openshift-ingress-azure", ()),
        ("UnheardOfProviderSpec", "openshift-ingress-azure", ()),
    ],
)
def test_some_requests_must_reach_more_than_the_installation(
    kind: str, request_name: str, places: tuple[Place, ...]
) -> None:
    assert places_of(kind, request_name) == places


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("/subscriptions/S1", Reach.WHOLE),
        ("/subscriptions/s1/resourceGroups/RG", Reach.WHOLE),
        ("/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v", Reach.PART),
        ("/subscriptions/s1/resourceGroups/rg-other", Reach.NONE),
        ("/subscriptions/s2", Reach.NONE),
        ("/providers/Microsoft.Management/managementGroups/m", Reach.WHOLE),
        ("nowhere", Reach.UNCERTAIN),
    ],
)
def test_scopes_compare_by_segments_and_without_case(scope: str, expected: Reach) -> None:
    (needed,) = needed_scopes(("rg",), "s1")
    assert reach(scope, needed) is expected
    assert is_at(scope, needed) is (scope.endswith("RG") or expected in (Reach.PART, Reach.UNCERTAIN))

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


VNET = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"
GROUPS = "/providers/Microsoft.Management/managementGroups"


@pytest.mark.parametrize(
    ("scope", "needed", "expected", "exactly"),
    [
        ("/subscriptions/s1/resourceGroups/rg", VNET, Reach.WHOLE, False),
        (VNET, VNET, Reach.WHOLE, True),
        (VNET.upper(), VNET, Reach.WHOLE, True),
        (f"{VNET}/subnets/x", VNET, Reach.PART, True),
        (VNET[:-1] + "w", VNET, Reach.NONE, False),
        (VNET.replace("Network/", "Compute/"), VNET, Reach.NONE, False),
        ("/", "/", Reach.WHOLE, True),
        (f"{GROUPS}/a", "/", Reach.PART, False),
        (f"{GROUPS}/a", f"{GROUPS}/a", Reach.WHOLE, True),
        (f"{GROUPS}/a/", f"{GROUPS}/a", Reach.WHOLE, True),
        (f"{GROUPS}/b", f"{GROUPS}/a", Reach.UNCERTAIN, True),
        ("/", f"{GROUPS}/a", Reach.WHOLE, False),
        ("/subscriptions/s1", f"{GROUPS}/a", Reach.PART, False),
    ],
)
def test_a_scope_below_or_above_the_groups(scope: str, needed: str, expected: Reach, *, exactly: bool) -> None:
    """Which management groups contain which is not known, so that another one may be or contain the needed one."""
    (wanted,) = needed_scopes((needed,), "s1")
    assert reach(scope, wanted) is expected
    assert is_at(scope, wanted) is exactly


def test_a_group_whose_subscription_is_not_known_is_told_by_its_name() -> None:
    (needed,) = needed_scopes(("rg",), "")
    assert reach("/subscriptions/s1/resourceGroups/rg", needed) is Reach.WHOLE
    assert reach("/subscriptions/s1/resourceGroups/other", needed) is Reach.NONE


@pytest.mark.parametrize(
    ("scope", "subscription", "group", "rest"),
    [
        ("RG", "own", "rg", ()),
        ("/subscriptions/S1", "s1", "", ()),
        ("/subscriptions/S1/resourceGroups/RG", "s1", "rg", ()),
        (VNET, "s1", "rg", ("providers", "microsoft.network", "virtualnetworks", "v")),
    ],
)
def test_a_needed_scope_is_a_group_of_the_own_subscription_by_name_else_what_its_id_says(
    scope: str, subscription: str, group: str, rest: tuple[str, ...]
) -> None:
    (needed,) = needed_scopes((scope,), "own")
    assert (needed.subscription, needed.group, needed.rest) == (subscription, group, rest)

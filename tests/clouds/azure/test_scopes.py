"""Azure scopes: what a request must reach, and which scope contains which."""

import pytest

from upgrade_gate.clouds.azure.scopes import (
    Reach,
    is_above_subscriptions,
    is_at,
    is_at_subscription_or_above,
    needed_scopes,
    reach,
)
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
        ("/subscriptions/s1", "/subscriptions/s1", Reach.WHOLE, True),
        (f"{GROUPS}/a/providers/Microsoft.Blueprint/blueprints/b", "rg", Reach.NONE, False),
        # what lies in the subscription beside its groups, and no whole name of a group
        ("/subscriptions/s1/providers/rg", "rg", Reach.NONE, False),
        ("/subscriptions/s1/providers/Microsoft.Blueprint/blueprints/b", "/subscriptions/s1", Reach.PART, True),
        ("/subscriptions/s1/resourceGroups", "rg", Reach.NONE, False),
        ("/subscriptions/s1/resourceGroups", "/subscriptions/s1", Reach.PART, True),
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
    assert reach("/providers/Microsoft.Capacity", needed) is Reach.NONE


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
    assert needed.known


@pytest.mark.parametrize(
    "scope",
    ["", "/subscriptions/own/resourceGroups", "/subscriptions/own/providers/P/t/n"],
)
def test_a_needed_scope_that_names_no_group_stands_for_one_that_is_not_known(scope: str) -> None:
    (needed,) = needed_scopes((scope,), "own")
    assert (needed.known, needed.group) == (False, "")
    assert reach(VNET.replace("s1", "own"), needed) is Reach.PART
    assert reach("/subscriptions/own/resourceGroups/rg", needed) is Reach.UNCERTAIN


@pytest.mark.parametrize("kind", ["resourceGroups", "providers/P/t/n"])
def test_what_lies_in_another_subscription_is_not_reached_from_the_own_one(kind: str) -> None:
    (needed,) = needed_scopes((f"/subscriptions/S2/{kind}",), "own")
    assert reach("/subscriptions/own", needed) is Reach.NONE
    assert reach("/subscriptions/S2", needed) is Reach.WHOLE


@pytest.mark.parametrize("scope", ["/rg", "rg/more", "/subscriptions", "/foo/bar"])
def test_nobody_knows_whether_a_scope_that_is_spelt_like_none_is_reached(scope: str) -> None:
    (needed,) = needed_scopes((scope,), "own")
    for held in ("/subscriptions/own", "/subscriptions/own/resourceGroups/rg", f"{GROUPS}/a"):
        assert reach(held, needed) is Reach.UNCERTAIN
    assert reach("/", needed) is Reach.WHOLE


@pytest.mark.parametrize(
    ("scope", "above", "at"),
    [
        ("/", True, True),
        (f"{GROUPS}/a", True, True),
        ("/subscriptions/s1", False, True),
        ("/subscriptions/s1/resourceGroups/rg", False, False),
        (VNET, False, False),
        ("", False, False),
    ],
)
def test_a_scope_lies_above_subscriptions_or_is_one_or_neither(scope: str, *, above: bool, at: bool) -> None:
    assert (is_above_subscriptions(scope), is_at_subscription_or_above(scope)) == (above, at)


def test_where_no_scope_is_given_it_is_some_group_that_nobody_knows() -> None:
    (needed,) = needed_scopes((), "s1")
    assert reach("/subscriptions/s1/resourceGroups/rg", needed) is Reach.UNCERTAIN
    assert reach("/subscriptions/s1", needed) is Reach.WHOLE

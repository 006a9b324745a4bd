"""Where on a cluster the grants of one request must hold."""

from __future__ import annotations

from tests.worlds.cluster_objects import (
    changed,
    observed,
    sample,
)
from upgrade_gate.base.facts import Known, Unknown
from upgrade_gate.cluster import scopes


def test_ingress_on_azure_must_reach_the_network_and_the_zones_too() -> None:
    # ccoctl, azure create-managed-identities: the lists of docs/facts/azure.md#scopes
    objects = sample()
    azure = {"resourceGroupName": "rg", "networkResourceGroupName": "net"}
    objects["Infrastructure/cluster"]["status"]["platformStatus"] = {"type": "Azure", "azure": azure}
    objects["DNS/cluster"]["spec"].update(
        publicZone={"id": "/subscriptions/s/resourceGroups/zones/providers/Microsoft.Network/dnszones/c1"},
        privateZone={"id": "/subscriptions/s/resourceGroups/RG/providers/Microsoft.Network/privateDnsZones/c1"},
    )
    found = observed(objects)
    assert scopes.request_scopes(found, "AzureProviderSpec", "openshift-ingress-azure") == Known(("rg", "net", "zones"))
    assert scopes.request_scopes(found, "AzureProviderSpec", "openshift-machine-api-azure") == Known(("rg", "net"))
    assert scopes.request_scopes(found, "AzureProviderSpec", "azure-disk-csi-driver-operator") == Known(("rg",))


def test_unknown_scopes_stay_unknown() -> None:
    found = changed("Infrastructure/cluster", lambda b: b["status"].update(platformStatus={"type": "AWS", "gcp": 7}))
    assert isinstance(scopes.request_scopes(found, "AzureProviderSpec", "x"), Unknown)

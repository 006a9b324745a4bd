"""Which cloud judges which requests, and how ccoctl names identities there."""

import pytest

from upgrade_gate.base import plugins
from upgrade_gate.clouds.contract.holdings import ccoctl_name, provider_of_kind


def test_each_kind_with_permissions_has_its_provider() -> None:
    kinds = {
        kind: plugins.load("clouds", cloud).PROVIDER
        for cloud in plugins.clouds("holdings")
        for kind in plugins.load("clouds", cloud).KINDS
    }
    assert kinds == {
        "AWSProviderSpec": "AWS",
        "AzureProviderSpec": "Azure",
        "GCPProviderSpec": "GCP",
        "IBMCloudProviderSpec": "IBMCloud",
        "IBMCloudPowerVSProviderSpec": "IBMCloud",
    }
    assert all(provider_of_kind(kind) is not None for kind in kinds)
    assert provider_of_kind("VSphereProviderSpec") is None


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("AWSProviderSpec", "c1-openshift-cloud-credential-operator-cloud-credential-operator-iam-ro-creds"[:64]),
        ("AzureProviderSpec", "c1-openshift-cloud-credential-operator-cloud-credential-operator-iam-ro-creds"),
        ("GCPProviderSpec", "c1-cloud-credential-operator-iam-ro"),
        ("IBMCloudProviderSpec", "c1-openshift-cloud-credential-operator-cloud-credential-operator-iam-ro-creds"),
    ],
)
def test_the_name_that_ccoctl_gives(kind: str, name: str) -> None:
    given = ccoctl_name(
        kind,
        "c1",
        "openshift-cloud-credential-operator",
        "cloud-credential-operator-iam-ro-creds",
        "cloud-credential-operator-iam-ro",
    )
    assert given == name


def test_ccoctl_cuts_where_its_cloud_does() -> None:
    long = "x" * 200
    lengths = {
        "AWSProviderSpec": 64,
        "AzureProviderSpec": 128,
        "GCPProviderSpec": 50 + 1 + 49,
        "IBMCloudProviderSpec": 200 + len("-ns-secret"),
        "AlibabaCloudProviderSpec": 200 + len("-ns-secret"),
    }
    assert {kind: len(ccoctl_name(kind, long, "ns", "secret", long)) for kind in lengths} == lengths

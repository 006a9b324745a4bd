"""Requests that are known to have gone without a manifest that deletes them."""

import json
from pathlib import Path

import pytest

from tests.generators import retirements as generator
from upgrade_gate.requests.retirements import retired

NS = "openshift-cloud-credential-operator"


@pytest.mark.parametrize(
    ("kind", "name", "old", "new", "gone"),
    [
        ("AWSProviderSpec", "cloud-credential-operator-s3", "4.6.3", "4.7.0", True),
        ("AWSProviderSpec", "cloud-credential-operator-s3", "4.6.3", "4.6.20", True),
        ("AWSProviderSpec", "cloud-credential-operator-s3", "4.6.3", "4.6.9", False),
        ("AWSProviderSpec", "cloud-credential-operator-s3", "4.14.0", "4.15.0", False),
        ("AWSProviderSpec", "aws-ebs-csi-driver-operator", "4.14.0", "4.15.0", False),
        ("KubevirtProviderSpec", "openshift-machine-api-kubevirt", "4.9.30", "4.10.0-rc.1", True),
        ("KubevirtProviderSpec", "openshift-machine-api-kubevirt", "4.8.30", "4.9.0", False),
        ("OvirtProviderSpec", "openshift-machine-api-ovirt", "4.15.40", "4.15.47", True),
        ("OvirtProviderSpec", "openshift-machine-api-ovirt", "4.15.40", "4.15.46", False),
        ("OvirtProviderSpec", "openshift-machine-api-ovirt", "4.15.40", "4.16.38", True),
        ("OvirtProviderSpec", "openshift-machine-api-ovirt", "4.15.40", "4.16.37", False),
        ("OvirtProviderSpec", "openshift-machine-api-ovirt", "4.18.1", "4.19.0", True),
        ("OvirtProviderSpec", "openshift-machine-api-ovirt", "4.13.9", "4.14.99", False),
        ("OvirtProviderSpec", "ovirt-csi-driver-operator", "4.14.60", "4.14.68", True),
        ("AlibabaCloudProviderSpec", "alibaba-disk-csi-driver-operator", "4.15.9", "4.16.0", True),
        ("AlibabaCloudProviderSpec", "alibaba-disk-csi-driver-operator", "4.14.9", "4.15.0", False),
        ("OpenStackProviderSpec", "openshift-cluster-csi-drivers", "4.18.9", "4.19.1", True),
        ("GCPProviderSpec", "openshift-cluster-csi-drivers", "4.18.9", "4.19.1", False),
        ("AWSProviderSpec", "cloud-credential-operator-s3", "4.7.0", "4.7.9", False),
        ("OvirtProviderSpec", "openshift-machine-api-ovirt", "4.15.48", "4.15.50", False),
        ("OvirtProviderSpec", "openshift-machine-api-ovirt", "", "4.19.1", False),
        ("OvirtProviderSpec", "openshift-machine-api-ovirt", "4.18.1", "", False),
    ],
)
def test_known_retirements(kind: str, name: str, old: str, new: str, *, gone: bool) -> None:
    assert retired(kind, f"{NS}/{name}", old, new) is gone


@pytest.mark.shared
def test_table_is_what_the_history_gives(shared: Path) -> None:
    history = json.loads((shared / "facts" / "history.json").read_text(encoding="utf-8"))
    assert generator.text(generator.retirements(history)) == generator.TABLE.read_text(encoding="utf-8")

"""Names of components as the product's documentation says them."""

import pytest

from upgrade_gate.requests.names import spoken

NS = "openshift-cloud-credential-operator"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (f"{NS}/aws-ebs-csi-driver-operator", "EBS CSI driver"),
        ("aws-ebs-csi-driver-operator", "EBS CSI driver"),
        (f"{NS}/openshift-ingress", "Ingress operator"),
        (f"{NS}/openshift-ingress-azure", "Ingress operator"),
        (f"{NS}/openshift-network", "Network operator"),
        (f"{NS}/openshift-networking-tools", "openshift-networking-tools"),
        (f"{NS}/openshift-azure-cloud-controller-manager", "Cloud controller manager"),
        (f"{NS}/somebody-s-own", "somebody-s-own"),
    ],
)
def test_a_component_is_called_as_people_call_it_and_one_that_nobody_named_by_its_own_name(
    request_: str, said: str
) -> None:
    assert spoken(request_) == said

"""Ratings: what nobody can say is not said."""

import pytest

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.risk import rate


@pytest.mark.parametrize(
    ("kind", "grant"),
    [
        ("AWSProviderSpec", Grant("action", "ec2:RunInstances", "Deny", "*")),
        ("AlibabaCloudProviderSpec", Grant("action", "ecs:DescribeDisks", "Deny", "*")),
        ("AzureProviderSpec", Grant("roleBinding", "Contributor")),
        ("GCPProviderSpec", Grant("predefinedRole", "roles/compute.admin")),
        ("VSphereProviderSpec", Grant("privilege", "VirtualMachine.Config.AddNewDisk")),
        ("UnheardOfProviderSpec", Grant("permission", "x")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.permission,
)
def test_what_nobody_can_say_has_no_level_and_completes_nothing(kind: str, grant: Grant) -> None:
    rating = rate(kind, grant, [Grant("action", "iam:PassRole", "Allow", "*")])
    assert (rating.access, rating.completes) == (None, ())
    assert kind != "VSphereProviderSpec" or rating.risk == ()

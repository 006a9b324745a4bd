"""Access levels: what AWS's reference says, our own list where sources disagree, and the verb elsewhere (iam.md 5)."""

import pytest

from upgrade_gate.clouds.aws import grants
from upgrade_gate.clouds.azure import grants as azure
from upgrade_gate.clouds.contract.grants import Access, Grant, rate
from upgrade_gate.clouds.gcp import grants as gcp
from upgrade_gate.clouds.ibmcloud import grants as ibmcloud
from upgrade_gate.clouds.shared import access

AWS = [
    ("ec2:DescribeVolumeStatus", "list"),
    ("ec2:CopyVolumes", "write"),
    ("EC2:copyvolumes", "write"),
    ("kms:GenerateDataKeyWithoutPlainText", "write"),
    ("kms:ReEncrypt*", "write"),
    ("kms:CreateGrant", "permissions-management"),
    ("s3:PutBucketPublicAccessBlock", "permissions-management"),
    ("iam:PassRole", "permissions-management"),
    ("iam:CreateServiceLinkedRole", "permissions-management"),
    ("ec2:CreateTags", "tagging"),
    ("ec2:Describe*", "list"),
    ("ec2:Get*", "read"),
    ("ec2:*", "permissions-management"),
    ("s3:HeadBucket", "read"),
    ("newservice:ListThings", "list"),
    ("newservice:GetThing", "read"),
    ("newservice:TagResource", "tagging"),
    ("newservice:CreateThing", "write"),
    ("newservice:*", "write"),
]
AZURE = [
    ("Microsoft.Compute/disks/read", "read"),
    ("Microsoft.Compute/virtualMachines/*/Read", "read"),
    ("Microsoft.Compute/disks/write", "write"),
    ("Microsoft.Compute/disks/delete", "write"),
    ("Microsoft.Network/virtualNetworks/subnets/join/action", "write"),
    ("Microsoft.Compute/disks/*", "write"),
    ("Microsoft.Authorization/roleAssignments/write", "permissions-management"),
    ("Microsoft.Authorization/roleAssignments/read", "read"),
    ("Microsoft.ManagedIdentity/userAssignedIdentities/assign/action", "permissions-management"),
]
GCP = [
    ("compute.disks.get", "read"),
    ("compute.disks.list", "list"),
    ("resourcemanager.tagValues.listEffectiveTags", "list"),
    ("compute.images.getFromFamily", "read"),
    ("compute.disks.getIamPolicy", "read"),
    ("compute.disks.use", "write"),
    ("compute.images.useReadOnly", "write"),
    ("compute.disks.delete", "write"),
    ("compute.disks.setIamPolicy", "permissions-management"),
    ("iam.roles.update", "permissions-management"),
    ("iam.roles.get", "read"),
    ("iam.serviceAccounts.getAccessToken", "write"),
]
IBM = [
    ("crn:v1:bluemix:public:iam::::role:Viewer", "read"),
    ("crn:v1:bluemix:public:iam::::serviceRole:Manager", "write"),
    ("crn:v1:bluemix:public:iam::::role:Administrator", "permissions-management"),
    ("crn:v1:bluemix:public:iam-access-management::::customRole:Own", None),
]


@pytest.mark.parametrize(("action", "level"), AWS)
def test_aws(action: str, level: Access) -> None:
    assert grants.access(Grant("action", action, "Allow", "*")) == level


@pytest.mark.parametrize(("operation", "level"), AZURE)
def test_azure(operation: str, level: Access) -> None:
    assert azure.access(Grant("permission", operation)) == level


@pytest.mark.parametrize(("permission", "level"), GCP)
def test_gcp(permission: str, level: Access) -> None:
    assert gcp.access(Grant("permission", permission)) == level


@pytest.mark.parametrize(("role", "level"), IBM)
def test_ibm(role: str, level: Access | None) -> None:
    assert ibmcloud.access(Grant("role", role, scope={"attributes": []})) == level


def test_alibaba_is_read_by_the_verb_alone() -> None:
    assert access.of_statement("kms:CreateGrant", catalogue=False) == "write"


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

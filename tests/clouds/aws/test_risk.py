"""AWS risks: the classes of actions, known pairs, and access levels by the reference.

See docs/facts/risks.md#access-levels and docs/facts/risks.md#classes.
"""

import pytest

from upgrade_gate.clouds.aws import risk
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.risk import Access

LEVELS = [
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


def allow(action: str) -> Grant:
    return Grant("action", action, "Allow", "*")


def deny(action: str) -> Grant:
    return Grant("action", action, "Deny", "*")


@pytest.mark.parametrize(
    ("grant", "held", "risks"),
    [
        (allow("iam:PassRole"), [], ("ESCALATE",)),
        (allow("IAM:passrole"), [], ("ESCALATE",)),
        (allow("ec2:RunInstances"), [], ()),
        (allow("ec2:RunInstances"), [allow("iam:PassRole")], ("ESCALATE",)),
        (allow("ec2:RunInstances"), [deny("iam:PassRole")], ()),
        (allow("ec2:StartInstances"), [allow("ec2:Modify*")], ("ESCALATE",)),
        (allow("sts:AssumeRole"), [], ("IMPERSONATE",)),
        (allow("kms:Decrypt"), [], ("DATA",)),
        (allow("kms:ReEncrypt*"), [], ("DATA", "BREADTH")),
        (allow("ec2:EnableFastSnapshotRestores"), [], ("COST",)),
        (allow("route53:ChangeResourceRecordSets"), [], ("NETWORK-EXPOSE",)),
        (allow("ec2:TerminateInstances"), [], ("DESTROY",)),
        (allow("ec2:DeleteTags"), [], ()),
        (allow("ec2:DescribeVolumes"), [], ()),
        (allow("ec2:*"), [], ("ESCALATE", "DESTROY", "COST", "NETWORK-EXPOSE", "BREADTH")),
        (deny("iam:PassRole"), [], ()),
    ],
)
def test_risks(grant: Grant, held: list[Grant], risks: tuple[str, ...]) -> None:
    assert risk.risks(grant, held) == risks


@pytest.mark.parametrize(("action", "level"), LEVELS)
def test_access(action: str, level: Access) -> None:
    assert risk.access(allow(action)) == level

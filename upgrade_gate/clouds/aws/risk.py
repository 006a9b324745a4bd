"""AWS: which actions a reviewer should look at twice, and what an action lets its holder do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.aws.actions import levels
from upgrade_gate.clouds.shared.patterns import has_wildcard, matches
from upgrade_gate.clouds.shared.risk import RiskPair, StatementTable, access_by_verb, entries, strongest

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.risk import Access

_RHINO_AWS = "Rhino Security Labs, AWS IAM privilege escalation methods"
_CLOUDSPLAINING = "cloudsplaining (MIT), privilege escalation and credential lists"
_AWS_REFERENCE = "AWS service authorization reference"
_KMS = "AWS KMS developer guide, grant authorization"

_POLICY_EDIT = (
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:PutUserPolicy",
    "iam:PutRolePolicy",
    "iam:PutGroupPolicy",
    "iam:AttachUserPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachGroupPolicy",
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:AddUserToGroup",
)

TABLE = StatementTable(
    entries=(
        *entries("ESCALATE", "hands a role's rights to a service", _RHINO_AWS, "iam:PassRole"),
        *entries("ESCALATE", "makes a role for an AWS service", _AWS_REFERENCE, "iam:CreateServiceLinkedRole"),
        *entries("ESCALATE", "can give itself other rights", _CLOUDSPLAINING, *_POLICY_EDIT),
        *entries("ESCALATE", "controls who may use a key", _KMS, "kms:CreateGrant", "kms:RevokeGrant"),
        *entries("ESCALATE", "controls who may use a key", _KMS, "kms:PutKeyPolicy"),
        *entries("IMPERSONATE", "takes on other roles", _CLOUDSPLAINING, "sts:AssumeRole*"),
        *entries("DATA", "reads encrypted data", _AWS_REFERENCE, "kms:Decrypt", "kms:ReEncrypt*"),
        *entries("DATA", "reads stored data", _CLOUDSPLAINING, "s3:GetObject", "s3:GetObjectVersion"),
        *entries("DATA", "reads secrets", _CLOUDSPLAINING, "secretsmanager:GetSecretValue", "ssm:GetParameter*"),
        *entries(
            "NETWORK-EXPOSE",
            "can open a bucket to the public",
            _AWS_REFERENCE,
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketPolicy",
            "s3:PutBucketAcl",
            "s3:PutObjectAcl",
        ),
        *entries("NETWORK-EXPOSE", "redirects names", _AWS_REFERENCE, "route53:ChangeResourceRecordSets"),
        *entries("NETWORK-EXPOSE", "opens ports", _AWS_REFERENCE, "ec2:AuthorizeSecurityGroupIngress"),
        *entries("COST", "reserves whole hosts", _AWS_REFERENCE, "ec2:AllocateHosts"),
        *entries("COST", "billed per zone and hour", _AWS_REFERENCE, "ec2:EnableFastSnapshotRestores"),
        *entries("COST", "a locked snapshot cannot be deleted", _AWS_REFERENCE, "ec2:LockSnapshot"),
    ),
    pairs=(
        RiskPair("iam:PassRole", "ec2:RunInstances", "ESCALATE", "starts a machine with any passed role", _RHINO_AWS),
        RiskPair(
            "ec2:ModifyInstanceAttribute",
            "ec2:StartInstances",
            "ESCALATE",
            "changes a machine's start script and restarts it",
            _CLOUDSPLAINING,
        ),
    ),
    destroys=("delete*", "terminate*"),
)

risks = TABLE.risks
completes = TABLE.completes


def access(grant: Grant) -> Access | None:
    """Return the action's level; of a pattern, the strongest of what it stands for. A Deny has none.

    An action that the table does not know is read by its verb: a new one comes before the table does.
    """
    if not grant.allows:
        return None
    action = grant.permission.casefold()
    if has_wildcard(action):
        known = strongest(level for name, level in levels().items() if matches(action, name))
    else:
        known = levels().get(action)
    return known or access_by_verb(action)

"""Which permissions a reviewer should look at twice, why, and who says so.

An own short list, made 2026-11-24 from public sources (each entry names its own). It classes what was added; it
never decides a verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from msgspec import Struct

from upgrade_gate.clouds.contract.grants import Risk
from upgrade_gate.clouds.shared.patterns import has_wildcard, intersects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["DATED", "ENTRIES", "PAIRS", "Entry", "Pair", "classify", "entries_for", "ordered", "partners"]

DATED = "2026-11-24"

_RHINO_AWS = "Rhino Security Labs, AWS IAM privilege escalation methods"
_CLOUDSPLAINING = "cloudsplaining (MIT), privilege escalation and credential lists"
_RHINO_GCP = "Rhino Security Labs, privilege escalation in Google Cloud"
_SONAR = "Sonar rule S6408"
_AZURE_RBAC = "learn.microsoft.com, Azure role-based access control"
_AWS_REFERENCE = "AWS service authorization reference"
_KMS = "AWS KMS developer guide, grant authorization"


class Entry(Struct, frozen=True):
    """One permission (or a pattern of them) and its class."""

    cloud: str
    pattern: str
    risk: Risk
    reason: str
    source: str


class Pair(Struct, frozen=True):
    """Two permissions that together give more than each alone."""

    cloud: str
    first: str
    second: str
    risk: Risk
    reason: str
    source: str


def _entries(cloud: str, risk: Risk, reason: str, source: str, *patterns: str) -> tuple[Entry, ...]:
    return tuple(Entry(cloud, pattern, risk, reason, source) for pattern in patterns)


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

ENTRIES: tuple[Entry, ...] = (
    *_entries("AWS", "ESCALATE", "hands a role's rights to a service", _RHINO_AWS, "iam:PassRole"),
    *_entries("AWS", "ESCALATE", "makes a role for an AWS service", _AWS_REFERENCE, "iam:CreateServiceLinkedRole"),
    *_entries("AWS", "ESCALATE", "can give itself other rights", _CLOUDSPLAINING, *_POLICY_EDIT),
    *_entries("AWS", "ESCALATE", "controls who may use a key", _KMS, "kms:CreateGrant", "kms:RevokeGrant"),
    *_entries("AWS", "ESCALATE", "controls who may use a key", _KMS, "kms:PutKeyPolicy"),
    *_entries("AWS", "IMPERSONATE", "takes on other roles", _CLOUDSPLAINING, "sts:AssumeRole*"),
    *_entries("AWS", "DATA", "reads encrypted data", _AWS_REFERENCE, "kms:Decrypt", "kms:ReEncrypt*"),
    *_entries("AWS", "DATA", "reads stored data", _CLOUDSPLAINING, "s3:GetObject", "s3:GetObjectVersion"),
    *_entries("AWS", "DATA", "reads secrets", _CLOUDSPLAINING, "secretsmanager:GetSecretValue", "ssm:GetParameter*"),
    *_entries(
        "AWS",
        "NETWORK-EXPOSE",
        "can open a bucket to the public",
        _AWS_REFERENCE,
        "s3:PutBucketPublicAccessBlock",
        "s3:PutBucketPolicy",
        "s3:PutBucketAcl",
        "s3:PutObjectAcl",
    ),
    *_entries("AWS", "NETWORK-EXPOSE", "redirects names", _AWS_REFERENCE, "route53:ChangeResourceRecordSets"),
    *_entries("AWS", "NETWORK-EXPOSE", "opens ports", _AWS_REFERENCE, "ec2:AuthorizeSecurityGroupIngress"),
    *_entries("AWS", "COST", "reserves whole hosts", _AWS_REFERENCE, "ec2:AllocateHosts"),
    *_entries("AWS", "COST", "billed per zone and hour", _AWS_REFERENCE, "ec2:EnableFastSnapshotRestores"),
    *_entries("AWS", "COST", "a locked snapshot cannot be deleted", _AWS_REFERENCE, "ec2:LockSnapshot"),
    *_entries(
        "Azure",
        "ESCALATE",
        "assigns roles",
        _AZURE_RBAC,
        "Microsoft.Authorization/roleAssignments/write",
        "Microsoft.Authorization/roleDefinitions/write",
        "Microsoft.Authorization/elevateAccess/action",
    ),
    *_entries(
        "Azure",
        "IMPERSONATE",
        "puts an identity on a machine, or lets a token stand for it",
        _AZURE_RBAC,
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
    ),
    *_entries(
        "Azure",
        "IMPERSONATE",
        "runs code on a machine, with its identity",
        _AZURE_RBAC,
        "Microsoft.Compute/virtualMachines/runCommand/action",
        "Microsoft.Compute/virtualMachines/runCommands/write",
        "Microsoft.Compute/virtualMachines/extensions/write",
    ),
    *_entries(
        "Azure",
        "DATA",
        "gives keys to the data",
        _AZURE_RBAC,
        "Microsoft.Storage/storageAccounts/listKeys/action",
        "Microsoft.Storage/storageAccounts/listAccountSas/action",
        "Microsoft.Storage/storageAccounts/listServiceSas/action",
        "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
        "Microsoft.Compute/disks/beginGetAccess/action",
        "Microsoft.Compute/snapshots/beginGetAccess/action",
    ),
    *_entries(
        "Azure",
        "DATA",
        "reads stored data",
        _AZURE_RBAC,
        "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read",
        "Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read",
    ),
    *_entries(
        "Azure",
        "NETWORK-EXPOSE",
        "opens ports",
        _AZURE_RBAC,
        "Microsoft.Network/networkSecurityGroups/write",
        "Microsoft.Network/networkSecurityGroups/securityRules/write",
    ),
    *_entries(
        "GCP",
        "IMPERSONATE",
        "acts as a service account",
        _SONAR,
        "iam.serviceAccounts.actAs",
        "iam.serviceAccounts.getAccessToken",
        "iam.serviceAccounts.getOpenIdToken",
        "iam.serviceAccounts.implicitDelegation",
        "iam.serviceAccounts.signBlob",
        "iam.serviceAccounts.signJwt",
        "iam.serviceAccountKeys.create",
    ),
    *_entries("GCP", "ESCALATE", "can give itself other rights", _SONAR, "*.setIamPolicy", "iam.roles.update"),
    *_entries(
        "GCP", "ESCALATE", "deploys as the project's own agent", _RHINO_GCP, "deploymentmanager.deployments.create"
    ),
    *_entries(
        "GCP",
        "IMPERSONATE",
        "runs code on a machine, or changes its identity",
        _RHINO_GCP,
        "compute.instances.setMetadata",
        "compute.instances.setServiceAccount",
        "compute.projects.setCommonInstanceMetadata",
    ),
    *_entries("GCP", "DATA", "reads stored data", _RHINO_GCP, "storage.objects.get", "secretmanager.versions.access"),
    *_entries(
        "GCP", "NETWORK-EXPOSE", "opens ports", _RHINO_GCP, "compute.firewalls.create", "compute.firewalls.update"
    ),
    *_entries(
        "AlibabaCloud",
        "ESCALATE",
        "can give itself other rights",
        "Alibaba Cloud RAM documentation",
        "ram:PassRole",
        "ram:AttachPolicyTo*",
        "ram:CreatePolicyVersion",
        "ram:CreateAccessKey",
    ),
    *_entries(
        "AlibabaCloud", "IMPERSONATE", "takes on other roles", "Alibaba Cloud RAM documentation", "sts:AssumeRole"
    ),
    *_entries("AlibabaCloud", "DATA", "reads stored data", "Alibaba Cloud OSS documentation", "oss:GetObject"),
)

PAIRS: tuple[Pair, ...] = (
    Pair("AWS", "iam:PassRole", "ec2:RunInstances", "ESCALATE", "starts a machine with any passed role", _RHINO_AWS),
    Pair(
        "AWS",
        "ec2:ModifyInstanceAttribute",
        "ec2:StartInstances",
        "ESCALATE",
        "changes a machine's start script and restarts it",
        _CLOUDSPLAINING,
    ),
    Pair(
        "Azure",
        "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
        "Microsoft.Compute/virtualMachines/write",
        "ESCALATE",
        "starts a machine with another identity",
        _AZURE_RBAC,
    ),
    Pair(
        "GCP",
        "iam.serviceAccounts.actAs",
        "compute.instances.create",
        "ESCALATE",
        "starts a machine as another service account",
        _RHINO_GCP,
    ),
)

_DESTROYS: dict[str, tuple[str, ...]] = {
    "AWS": ("delete*", "terminate*"),
    "AlibabaCloud": ("delete*", "release*"),
    "Azure": ("*/delete",),
    "GCP": ("*.delete",),
}
"""Operations that delete; on AWS and Alibaba what follows the service's prefix."""
_TAGS = ("deletetags", "untag*", "removetags")
"""Taking a tag off deletes nothing."""
_ORDER: tuple[Risk, ...] = get_args(Risk)


def ordered(risks: Iterable[Risk]) -> tuple[Risk, ...]:
    """Return the classes once each, worst first (the order of `permissions.Risk`)."""
    found = set(risks)
    return tuple(risk for risk in _ORDER if risk in found)


def _single(cloud: str) -> bool:
    return cloud in ("AWS", "AlibabaCloud")


def _hits(pattern: str, name: str, cloud: str) -> bool:
    return intersects(pattern.casefold(), name.casefold(), single=_single(cloud))


def entries_for(cloud: str, permission: str, held: Sequence[str] = ()) -> tuple[Entry | Pair, ...]:
    """Return the table's entries that a permission (or some name of its pattern) meets, with completed pairs."""
    found: list[Entry | Pair] = [e for e in ENTRIES if e.cloud == cloud and _hits(e.pattern, permission, cloud)]
    for pair in PAIRS:
        if pair.cloud != cloud:
            continue
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if _hits(one, permission, cloud) and any(_hits(other, h, cloud) for h in (*held, permission)):
                found.append(pair)
                break
    return tuple(found)


def partners(cloud: str, permission: str, held: Sequence[str]) -> tuple[str, ...]:
    """Return what in `held` makes a known pair with a permission, sorted."""
    found: set[str] = set()
    for pair in PAIRS:
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if pair.cloud == cloud and _hits(one, permission, cloud):
                found.update(h for h in held if _hits(other, h, cloud))
    return tuple(sorted(found))


def classify(cloud: str, permission: str, held: Sequence[str] = ()) -> tuple[Risk, ...]:
    """Return the classes of a permission: the table's, DESTROY for deletions, BREADTH for a pattern."""
    classes: set[Risk] = {e.risk for e in entries_for(cloud, permission, held)}
    broad = has_wildcard(permission, single=_single(cloud))
    if broad:
        classes.add("BREADTH")
    operation = permission.rpartition(":")[2] if _single(cloud) else permission
    tag = not broad and any(_hits(t, operation, cloud) for t in _TAGS)
    if not tag and any(_hits(d, operation, cloud) for d in _DESTROYS.get(cloud, ())):
        classes.add("DESTROY")
    return ordered(classes)

"""Small AWS exports in the shapes that `aws` prints, for the tests beside this file."""

import json
from typing import Any
from urllib.parse import quote

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/c1-ebs"
USER = f"arn:aws:iam::{ACCOUNT}:user/c1-ebs"
MANAGED = f"arn:aws:iam::{ACCOUNT}:policy/managed"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/limits"
ISSUER = "https://oidc.example.com/c1"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example.com/c1"


def statement(effect: str = "Allow", **fields: Any) -> dict[str, Any]:
    """Return a statement; a field of None is left out, `Resource` is `*` unless said otherwise."""
    whole = {"Effect": effect, "Resource": None if "NotResource" in fields else "*", **fields}
    return {k: v for k, v in whole.items() if v is not None}


def allow(*actions: str, **fields: Any) -> dict[str, Any]:
    return statement(Action=list(actions), **fields)


def deny(*actions: str, **fields: Any) -> dict[str, Any]:
    return statement("Deny", Action=list(actions), **fields)


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def encoded(body: dict[str, Any]) -> str:
    """Return a document as it stands on the wire."""
    return quote(json.dumps(body), safe="")


def inline(*statements: Any) -> list[dict[str, Any]]:
    return [{"PolicyName": "p", "PolicyDocument": document(*statements)}] if statements else []


def attached(*arns: str) -> list[dict[str, str]]:
    return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns]


def role(*statements: Any, arn: str = ROLE, **fields: Any) -> dict[str, Any]:
    return {
        "RoleName": arn.rpartition("/")[2],
        "Arn": arn,
        "AssumeRolePolicyDocument": trust("driver"),
        "RolePolicyList": inline(*statements),
        "AttachedManagedPolicies": [],
        **fields,
    }


def user(*statements: Any, **fields: Any) -> dict[str, Any]:
    return {
        "UserName": "c1-ebs",
        "Arn": USER,
        "UserPolicyList": inline(*statements),
        "GroupList": [],
        "AttachedManagedPolicies": [],
        **fields,
    }


def group(name: str, *statements: Any, **fields: Any) -> dict[str, Any]:
    return {
        "GroupName": name,
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/{name}",
        "GroupPolicyList": inline(*statements),
        "AttachedManagedPolicies": [],
        **fields,
    }


def managed(arn: str, *statements: Any, **fields: Any) -> dict[str, Any]:
    return {
        "PolicyName": arn.rpartition("/")[2],
        "Arn": arn,
        "DefaultVersionId": "v1",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "Document": document(*statements)}],
        **fields,
    }


def details(*entries: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return what `get-account-authorization-details` prints about these roles, users, groups and policies."""
    return {
        "RoleDetailList": [e for e in entries if "RoleName" in e],
        "UserDetailList": [e for e in entries if "UserName" in e],
        "GroupDetailList": [e for e in entries if "GroupName" in e],
        "Policies": [e for e in entries if "PolicyVersionList" in e],
        **fields,
    }


def bounded(*limits: Any) -> dict[str, Any]:
    """Return a boundary's policy."""
    return managed(BOUNDARY, *limits)


def boundary() -> dict[str, str]:
    return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": BOUNDARY}


def organisation(*statements: Any, kind: Any = "SERVICE_CONTROL_POLICY", name: str = "guard") -> dict[str, Any]:
    """Return what `organizations describe-policy` prints."""
    summary = {"Id": "p-1", "Arn": "arn:aws:organizations::999988887777:policy/o-1/x/p-1", "Name": name, "Type": kind}
    return {"Policy": {"PolicySummary": summary, "Content": json.dumps(document(*statements))}}


def subject(account: str) -> str:
    return f"system:serviceaccount:openshift-cluster-csi-drivers:{account}"


def trusting(condition: Any, **fields: Any) -> dict[str, Any]:
    """Return one statement of a trust policy."""
    whole = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": PROVIDER},
        "Condition": condition,
        **fields,
    }
    return {k: v for k, v in whole.items() if v is not None}


def trust(*accounts: str) -> dict[str, Any]:
    """Return a trust policy as ccoctl writes it."""
    return document(trusting({"StringEquals": {"oidc.example.com/c1:sub": [subject(a) for a in accounts]}}))

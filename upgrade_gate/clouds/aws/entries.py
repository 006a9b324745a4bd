"""The entries of an AWS account's lists: one role, user, group or managed policy each, taken into an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.aws.account import account_of
from upgrade_gate.reading.long_lists import LongList
from upgrade_gate.reading.node import limiting, mapping, objects, text

if TYPE_CHECKING:
    from upgrade_gate.clouds.aws.account import Account, Principal

DETAIL_LISTS = ("RoleDetailList", "UserDetailList", "GroupDetailList")
ORGANISATION_TYPES = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
OTHER_ORGANISATION_TYPES = frozenset(
    {
        "AISERVICES_OPT_OUT_POLICY",
        "BACKUP_POLICY",
        "BEDROCK_POLICY",
        "CHATBOT_POLICY",
        "DECLARATIVE_POLICY_EC2",
        "INSPECTOR_POLICY",
        "NETWORK_SECURITY_DIRECTOR_POLICY",
        "S3_POLICY",
        "SECURITYHUB_POLICY",
        "TAG_POLICY",
        "UPGRADE_ROLLOUT_POLICY",
    }
)
"""Types of an organisation's policies that say nothing about who may do what (Organizations API, PolicySummary)."""


def take_list(account: Account, listed: Any, *, policies: bool) -> None:
    """Take every entry of a list; of a long one, those that say whom they are about wait until somebody asks."""
    take = managed_policy if policies else detail
    if not isinstance(listed, LongList):
        for entry in objects(listed):
            take(account, entry)
        return
    for number, brief in enumerate(listed.briefs()):
        told = brief or {}
        kind, arn = kind_of(told), text(told.get("Arn"))
        owner = account_of(arn)
        if policies and arn:
            account.wait_for_policy(arn, (take, listed, number))
        elif kind is not None and owner is not None:
            account.wait(kind.lower(), told[f"{kind}Name"], owner, (take, listed, number))
        elif brief is not None:
            take(account, listed[number])


def kind_of(entry: Mapping[str, Any]) -> str | None:
    """Return what an entry is about: a `Role`, a `User`, a `Group`."""
    return next((kind for kind in ("Role", "User", "Group") if text(entry.get(f"{kind}Name"))), None)


def detail(account: Account, entry: Mapping[str, Any]) -> None:
    """Take what `get-account-authorization-details` says about a role, user or group."""
    kind = kind_of(entry)
    if kind is None:
        _dispute(account, text(entry.get("Arn")), "an entry without a name has the ARN of this identity")
        return
    principal = account.principal(kind.lower(), entry[f"{kind}Name"], text(entry.get("Arn")))
    _take_arn(account, principal, entry)
    if (inline := limiting(entry, f"{kind}PolicyList")) is not None:
        _take_inline(principal, f"{kind}PolicyList", inline)
    if (attached := limiting(entry, "AttachedManagedPolicies")) is not None:
        principal.set_attached(attached, "AttachedManagedPolicies")
    if (given := limiting(entry, "GroupList")) is not None:
        names = [given] if isinstance(given, str) else given
        groups = [{"GroupName": name} for name in names] if isinstance(names, Sequence) else names
        principal.set_groups({g["GroupName"] for g in principal.listed(groups, "GroupList", "GroupName")})
    principal.boundary_seen = True
    _take_boundary_and_trust(principal, entry)


def bare(account: Account, entry: Mapping[str, Any], *, boundary_seen: bool) -> None:
    """Take what `get-role`, `get-user` and their lists say: no policies."""
    for kind in ("Role", "User"):
        name = text(entry.get(f"{kind}Name"))
        if name:
            principal = account.principal(kind.lower(), name, text(entry.get("Arn")))
            _take_arn(account, principal, entry)
            principal.boundary_seen = principal.boundary_seen or boundary_seen
            _take_boundary_and_trust(principal, entry)


def _take_inline(principal: Principal, key: str, value: Any) -> None:
    policies = principal.listed(value, key, "PolicyName")
    for policy in policies:
        principal.set_inline(policy["PolicyName"], policy.get("PolicyDocument"))
    principal.set_names({policy["PolicyName"] for policy in policies})


def _take_arn(account: Account, principal: Principal, entry: Mapping[str, Any]) -> None:
    arn = text(entry.get("Arn"))
    if not arn:
        return
    if arn.rpartition("/")[2] != principal.name:  # whose policies these are, nobody knows
        said = f"an entry of the {principal.kind} {principal.name} has the ARN {arn}"
        principal.conflicts.append(said)
        _dispute(account, arn, said)
    if principal.arn not in (None, arn):
        principal.conflicts.append(f"{principal.kind} {principal.name} has two ARNs: {principal.arn} and {arn}")
    principal.arn = arn


def _dispute(account: Account, arn: str, why: str) -> None:
    """Let nothing be proven of the identity with this ARN, if it is one's."""
    kind, _, path = arn.rpartition(":")[2].partition("/")
    if kind in ("role", "user", "group"):
        account.principal(kind, path.rpartition("/")[2], arn).conflicts.append(why)


def _take_boundary_and_trust(principal: Principal, entry: Mapping[str, Any]) -> None:
    boundary = limiting(entry, "PermissionsBoundary")
    arn = text(mapping(boundary).get("PermissionsBoundaryArn")) or text(boundary)
    if boundary is not None and not arn:
        arn = "a boundary without an ARN"
    principal.set_boundary(arn)
    if "Tags" in entry:
        principal.set_tags(entry["Tags"])
    principal.set_trust(entry.get("AssumeRolePolicyDocument"))


def managed_policy(account: Account, entry: Mapping[str, Any]) -> None:
    """Take what is said about a managed policy; an organisation's policy is none."""
    arn = text(entry.get("Arn"))
    if not arn or entry.get("Type") in ORGANISATION_TYPES:
        return
    label = f"policy {entry.get('PolicyName') or arn}"
    for version, document in _default_versions(entry):
        account.keep(arn, label, version, document)


def _default_versions(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return ID and document of the default version, which need not be the newest, then its ID as the policy says it.

    The policy names its default version and each version says whether it is the one: several IDs disagree.
    """
    versions = objects(entry.get("PolicyVersionList"))
    named = text(entry.get("DefaultVersionId"))
    chosen = [v for v in versions if v.get("IsDefaultVersion") is True or (named and v.get("VersionId") == named)]
    found = [(text(v.get("VersionId")), v.get("Document")) for v in chosen]
    return [*found, (named, None)]

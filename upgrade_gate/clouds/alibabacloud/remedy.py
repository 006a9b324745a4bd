"""Alibaba Cloud: RAM policies, and the commands of `aliyun` and `ccoctl alibabacloud`.

Source: cloud-credential-operator release-4.16 `pkg/cmd/provisioning/alibabacloud`
(docs/facts/other-clouds.md#alibaba-cloud); ccoctl has it from 4.10 to 4.16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.steps import Command, Placeholder, Shows, line
from upgrade_gate.clouds.contract.grants import canonical
from upgrade_gate.clouds.contract.remedy import (
    REQUESTS,
    CcoctlCommand,
    CloudLogin,
    Draft,
    file_name,
    fill,
    json_file,
    variable,
)
from upgrade_gate.clouds.shared.drafting import CCOCTL_NAME, components, create, grant, take

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.base.steps import Step
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

FOLDER = "alibabacloud"
FILES = (
    "*-policy.json is all that an identity must hold until the upgrade is complete, *-delta.json what is new, "
    "*-policy-after.json what is left after the clean-up"
)

_REGION = Placeholder("ALIBABA_REGION", "the region, such as us-east-1", "[a-z0-9-]+")
_UNSEEN = "EntityNotExist"
"""What RAM says while it does not know everywhere yet what was just made."""
_ACCOUNT = Placeholder("ALIBABA_ACCOUNT_ID", "the account's ID: aliyun sts GetCallerIdentity", "[0-9]+")


def draft(change: IdentityChange, names: ClusterNames) -> Draft:
    """Return the policy document and its commands for one RAM user."""
    user = _known(change) or _unnamed(change)
    base = f"{FOLDER}/{file_name(user) if isinstance(user, str) else change.label}"
    steps: list[Step] = []
    if change.create:
        steps.append(_created(change, user))
    if change.delta:
        steps.append(_granted(change, names, user, base))
    if change.gone:
        after = json_file(f"{base}-policy-after.json", _document(change.target))
        steps.append(take(change, files=(after,), scripted=False))
    return Draft(tuple(steps), ((base.partition("/")[2], _document(change.before)),) if change.before else ())


def _unnamed(change: IdentityChange) -> Placeholder:
    return Placeholder(variable("ALIBABA_USER", change.label), f"the RAM user behind Secret {change.secrets[0]}")


def _known(change: IdentityChange) -> str:
    """Return the user's name where anything gives it; RAM takes 64 characters."""
    return (change.identity or change.ccoctl or "")[:64]


def _document(grants: Iterable[Grant]) -> dict[str, Any]:
    """Return a policy document, keys sorted: what is sent and what is compared are one text."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in grants:
        groups.setdefault((one.effect or "Allow", one.resource or "*"), []).append(one.permission)
    statements = [
        {"Action": sorted(set(actions)), "Effect": effect, "Resource": resource}
        for (effect, resource), actions in sorted(groups.items())
    ]
    return {"Statement": statements, "Version": "1"}


def _created(change: IdentityChange, user: str | Placeholder) -> Step:
    made = Command(
        line("aliyun ram CreateUser", "--UserName", user), unless=line("aliyun ram GetUser", "--UserName", user)
    )
    return create(
        change,
        f"Create a RAM user for Secret {change.secrets[0]}",
        commands=(made,),
        notes=(f"aliyun ram CreateAccessKey --UserName {user} prints the key, once: it belongs in the Secret.",),
        unknown=(_unnamed(change),),
    )


def _policy_name(change: IdentityChange, names: ClusterNames) -> str:
    """Return a name that no other user's policy has: policies are the account's, and clusters may share it."""
    stem = file_name(_known(change) or f"{names.infrastructure or 'openshift'}-{change.label}")
    return f"{stem[:100]}-upgrade-gate"


def _granted(change: IdentityChange, names: ClusterNames, user: str | Placeholder, base: str) -> Step:
    """Return the step that puts what is needed into a policy of its own, beside those in place.

    It holds all of it: an earlier upgrade may have made the policy, and a new version replaces what stood there.
    """
    full = json_file(f"{base}-policy.json", _document(change.before))
    policy = ("--PolicyName", _policy_name(change, names))
    document = ("--PolicyDocument", canonical(_document(change.before)))
    there = line("aliyun ram GetPolicy", "--PolicyType", "Custom", *policy)
    made = Command(line("aliyun ram CreatePolicy", *policy, *document), unless=there, seen=there)
    written = Command(
        line(
            "aliyun ram CreatePolicyVersion",
            *(*policy, *document, "--SetAsDefault", "true"),
            *("--RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded"),
        ),
        unless=there,
        shows=full,
        inner="PolicyDocument",
        keeps=(full,),
        in_case="it exists already",
    )
    attached = Command(
        line("aliyun ram AttachPolicyToUser", "--PolicyType", "Custom", *policy, "--UserName", user),
        unless=line("aliyun ram ListPoliciesForUser", "--UserName", user),
        shows=policy[1],
        how=Shows.NAME,
        done="EntityAlreadyExists.User.Policy",
        passing=_UNSEEN if change.create else "",
    )
    held = full.name.rpartition("/")[2]
    return grant(
        change,
        commands=(made, written, attached),
        files=(full, json_file(f"{base}-delta.json", _document(change.delta))),
        notes=(f"The policy stands beside those in place and holds all that the user needs ({held}).",),
        unknown=(_unnamed(change),),
    )


def login(change: IdentityChange, names: ClusterNames) -> CloudLogin:
    """Return the account."""
    del change
    return CloudLogin("Alibaba Cloud account", line("aliyun sts GetCallerIdentity"), names.account or _ACCOUNT)


def secret_value(key: str, change: IdentityChange, names: ClusterNames) -> str | None:
    """Return the INI file of an access key."""
    del change, names
    if key != "credentials":
        return None
    return (
        f"[default]\ntype = access_key\naccess_key_id = {fill('access key ID')}\n"
        f"access_key_secret = {fill('access key secret')}\n"
    )


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return the policy document of each RAM user as local values."""
    return {"locals": {"upgrade_gate_alibabacloud_policies": dict(entries)}}


def ccoctl(changes: Sequence[IdentityChange], names: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl alibabacloud create-ram-users`, which 4.10 to 4.16 have."""
    if not changes or not (4, 10) <= names.release <= (4, 16):
        return None
    return CcoctlCommand(
        line(
            "ccoctl alibabacloud create-ram-users",
            name=names.ccoctl_name or CCOCTL_NAME,
            region=names.region or _REGION,
            credentials_requests_dir=REQUESTS,
            output_dir="ccoctl-output",
        ),
        traps=(
            "Each run makes a new access key for every user and deletes the oldest at the limit: apply every Secret.",
            f"{components(changes[0])} and all others get a new default version of their policy: exactly the target's.",
        ),
    )

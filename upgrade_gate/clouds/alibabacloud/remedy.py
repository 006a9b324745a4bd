"""Alibaba Cloud: RAM policies, and the commands of `aliyun` and `ccoctl alibabacloud`.

Source: cloud-credential-operator release-4.16 `pkg/cmd/provisioning/alibabacloud` (facts cco.md 2.2); ccoctl has it
from 4.10 to 4.16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.grants import canonical
from upgrade_gate.clouds.contract.remedy import (
    CcoctlCommand,
    Command,
    Draft,
    Placeholder,
    Serves,
    Step,
    argv,
    file_name,
    fill,
    json_file,
    variable,
)
from upgrade_gate.clouds.shared.phrases import CCOCTL_NAME, components, later, newcomer, permissions, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

KINDS = frozenset({"AlibabaCloudProviderSpec"})
FOLDER = "alibabacloud"

_REGION = Placeholder("ALIBABA_REGION", "the region, such as us-east-1", "[a-z0-9-]+")


def draft(work: IdentityChange, site: ClusterNames) -> Draft:
    """Return the policy document and its commands for one RAM user."""
    user, base, placeholders = _user(work)
    files: dict[str, bytes] = {}
    steps: list[Step] = []
    if work.create:
        steps.append(_created(work, user, placeholders))
    if work.delta:
        full, delta = f"{FOLDER}/{base}-policy.json", f"{FOLDER}/{base}-delta.json"
        files[full], files[delta] = json_file(_document(work.before)), json_file(_document(work.delta))
        steps.append(_granted(work, user, _policy_name(work, site), (full, delta), placeholders))
    if work.gone:
        after = f"{FOLDER}/{base}-policy-after.json"
        files[after] = json_file(_document(work.target))
        steps.append(
            Step(
                title=f"Take {permissions(work.gone)} from {work.who}",
                reason=later(work),
                when="after",
                serves=Serves.CLEAN_UP,
                secrets=work.names,
                files=(after,),
                placeholders=placeholders,
                scripted=False,
            )
        )
    return Draft(files, tuple(steps), ((base, _document(work.before)),) if work.before else ())


def _user(work: IdentityChange) -> tuple[str, str, tuple[Placeholder, ...]]:
    known = _known(work)
    if known:
        return known, file_name(known), ()
    one = Placeholder(variable("ALIBABA_USER", work.label), f"the RAM user behind Secret {work.secrets[0]}")
    return one.token, work.label, (one,)


def _known(work: IdentityChange) -> str:
    """Return the user's name where anything gives it; RAM takes 64 characters."""
    return (work.identity or work.ccoctl or "")[:64]


def _document(grants: Iterable[Grant]) -> dict[str, Any]:
    groups: dict[tuple[str, str], list[str]] = {}
    for grant in grants:
        groups.setdefault((grant.effect or "Allow", grant.resource or "*"), []).append(grant.permission)
    statements = [
        {"Effect": effect, "Action": sorted(set(actions)), "Resource": resource}
        for (effect, resource), actions in sorted(groups.items())
    ]
    return {"Version": "1", "Statement": statements}


def _created(work: IdentityChange, user: str, placeholders: tuple[Placeholder, ...]) -> Step:
    return Step(
        title=f"Create a RAM user for Secret {work.secrets[0]}",
        reason=newcomer(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        commands=(
            Command(
                argv("aliyun ram CreateUser", "--UserName", user), unless=argv("aliyun ram GetUser", "--UserName", user)
            ),
        ),
        notes=(f"aliyun ram CreateAccessKey --UserName {user} prints the key, once: it belongs into the Secret.",),
        placeholders=placeholders,
        first=True,
    )


def _policy_name(work: IdentityChange, site: ClusterNames) -> str:
    """Return a name that no other user's policy has: policies are the account's, and clusters may share it."""
    stem = file_name(_known(work) or f"{site.infrastructure or 'openshift'}-{work.label}")
    return f"{stem[:100]}-upgrade-gate"


def _granted(
    work: IdentityChange, user: str, name: str, files: tuple[str, str], placeholders: tuple[Placeholder, ...]
) -> Step:
    """Return the step that puts what is needed into a policy of its own, beside those in place.

    It holds all of it: an earlier upgrade may have made the policy, and a new version replaces what stood there.
    """
    full, _ = files
    document = canonical(_document(work.before))
    commands = (
        Command(
            argv("aliyun ram CreatePolicy", "--PolicyName", name, "--PolicyDocument", document),
            unless=argv("aliyun ram GetPolicy", "--PolicyType", "Custom", "--PolicyName", name),
            otherwise=argv(
                "aliyun ram CreatePolicyVersion",
                *("--PolicyName", name, "--PolicyDocument", document, "--SetAsDefault", "true"),
                *("--RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded"),
            ),
        ),
        Command(
            argv(
                "aliyun ram AttachPolicyToUser",
                "--PolicyType",
                "Custom",
                "--PolicyName",
                name,
                "--UserName",
                user,
            ),
            done="EntityAlreadyExists.User.Policy",
        ),
    )
    return Step(
        title=f"Grant {permissions(work.delta)} to {work.who}",
        reason=why(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        commands=commands,
        files=files,
        notes=(
            f"The policy stands beside those in place and holds all that the user needs ({full.rpartition('/')[2]}).",
        ),
        placeholders=placeholders,
    )


def secret_value(key: str, work: IdentityChange, site: ClusterNames) -> str | None:
    """Return the INI file of an access key."""
    del work, site
    if key != "credentials":
        return None
    return (
        f"[default]\ntype = access_key\naccess_key_id = {fill('access key ID')}\n"
        f"access_key_secret = {fill('access key secret')}\n"
    )


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return the policy document of each RAM user as local values."""
    return {"locals": {"upgrade_gate_alibabacloud_policies": dict(entries)}}


def ccoctl(works: Sequence[IdentityChange], site: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl alibabacloud create-ram-users`, which 4.10 to 4.16 have."""
    if not works or not (4, 10) <= site.release <= (4, 16):
        return None
    words = ((site.ccoctl_name or CCOCTL_NAME.token, CCOCTL_NAME), (site.region or _REGION.token, _REGION))
    return CcoctlCommand(
        argv=argv(
            "ccoctl alibabacloud create-ram-users",
            name=words[0][0],
            region=words[1][0],
            credentials_requests_dir="credentials-requests",
            output_dir="ccoctl-output",
        ),
        traps=(
            "Each run makes a new access key for every user and deletes the oldest at the limit: apply every Secret.",
            f"{components(works[0])} and all others get a new default version of their policy: exactly the target's.",
        ),
        placeholders=tuple(p for word, p in words if word == p.token),
    )

"""Alibaba Cloud: RAM policies, and the commands of `aliyun` and `ccoctl alibabacloud`.

Source: cloud-credential-operator release-4.16 `pkg/cmd/provisioning/alibabacloud` (facts cco.md 2.2); ccoctl has it
from 4.10 to 4.16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.permissions import canonical
from upgrade_gate.remedies._words import components, later, permissions, why
from upgrade_gate.remedy import (
    Command,
    Draft,
    Offer,
    Placeholder,
    Serves,
    Step,
    argv,
    file_name,
    fill,
    json_file,
    variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.permissions import Grant
    from upgrade_gate.remedy import Site, Work

KINDS = frozenset({"AlibabaCloudProviderSpec"})
FOLDER = "alibabacloud"

_CCOCTL_NAME = Placeholder("CCOCTL_NAME", "the --name that ccoctl was run with", "[A-Za-z0-9-]+")
_REGION = Placeholder("ALIBABA_REGION", "the region, such as us-east-1", "[a-z0-9-]+")


def draft(work: Work, site: Site) -> Draft:
    """Return the policy document and its commands for one RAM user."""
    del site
    user, base, placeholders = _user(work)
    files: dict[str, bytes] = {}
    steps: list[Step] = []
    if work.delta:
        full, delta = f"{FOLDER}/{base}-policy.json", f"{FOLDER}/{base}-delta.json"
        files[full], files[delta] = json_file(_document(work.before)), json_file(_document(work.delta))
        steps.append(_granted(work, user, base, (full, delta), placeholders))
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


def _user(work: Work) -> tuple[str, str, tuple[Placeholder, ...]]:
    known = (work.identity or work.ccoctl or "")[:64]
    if known:
        return known, file_name(known), ()
    one = Placeholder(variable("ALIBABA_USER", work.label), f"the RAM user behind Secret {work.secrets[0]}")
    return one.token, work.label, (one,)


def _document(grants: Iterable[Grant]) -> dict[str, Any]:
    groups: dict[tuple[str, str], list[str]] = {}
    for grant in grants:
        groups.setdefault((grant.effect or "Allow", grant.resource or "*"), []).append(grant.permission)
    statements = [
        {"Effect": effect, "Action": sorted(set(actions)), "Resource": resource}
        for (effect, resource), actions in sorted(groups.items())
    ]
    return {"Version": "1", "Statement": statements}


def _granted(work: Work, user: str, base: str, files: tuple[str, str], placeholders: tuple[Placeholder, ...]) -> Step:
    """Return the step that puts the missing permissions into a policy of their own, beside those in place."""
    name = f"{base[:100]}-upgrade-gate"
    full, _ = files
    commands = (
        Command(
            argv("aliyun ram CreatePolicy", "--PolicyName", name, "--PolicyDocument", canonical(_document(work.delta))),
            unless=argv("aliyun ram GetPolicy", "--PolicyType", "Custom", "--PolicyName", name),
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
            )
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
        notes=(f"The policy stands beside those in place; {full.rpartition('/')[2]} is all that the user needs.",),
        placeholders=placeholders,
    )


def secret_value(key: str, work: Work, site: Site) -> str | None:
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


def ccoctl(works: Sequence[Work], site: Site) -> Offer | None:
    """Return `ccoctl alibabacloud create-ram-users`, which 4.10 to 4.16 have."""
    if not works or not (4, 10) <= site.release <= (4, 16):
        return None
    words = ((site.ccoctl_name or _CCOCTL_NAME.token, _CCOCTL_NAME), (site.region or _REGION.token, _REGION))
    return Offer(
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

"""AWS: role and user policies, trust policies, and the commands of `aws` and `ccoctl aws` that apply them.

Sources: cloud-credential-operator `pkg/cmd/provisioning/aws` (names, documents, what a rerun does: facts cco.md 2.2
and 7), the IAM quotas.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from upgrade_gate.base.secret_ref import TOKEN_PATH
from upgrade_gate.clouds.aws import remedy_documents
from upgrade_gate.clouds.aws.policies import State, decide, decode
from upgrade_gate.clouds.aws.remedy_target import ACCOUNT, Target, find, partition_of
from upgrade_gate.clouds.contract.remedy import (
    CcoctlCommand,
    Command,
    Draft,
    Placeholder,
    Serves,
    Step,
    argv,
    fill,
    json_file,
    sentence,
    variable,
)
from upgrade_gate.clouds.shared.phrases import CCOCTL_NAME, components, later, merged, newcomer, permissions, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

KINDS = frozenset({"AWSProviderSpec"})
FOLDER = "aws"

TRUST_LIMIT = 2_048
_ATTACHED = 10

_ISSUER = Placeholder(
    "OIDC_ISSUER_HOST",
    "the cluster's service account issuer without https://: oc get authentication cluster "
    "-o jsonpath={.spec.serviceAccountIssuer}",
    "[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?",
)
_REGION = Placeholder("AWS_REGION", "the AWS region, such as eu-west-1", "[a-z0-9-]+")


def draft(work: IdentityChange, site: ClusterNames) -> Draft:
    """Return policies, trust and their commands for one role or user."""
    target = find(work, site)
    files: dict[str, bytes] = {}
    steps: list[Step] = []
    if work.delta:
        files[f"{FOLDER}/{target.base}-delta.json"] = json_file(remedy_documents.document(work.delta))
    if work.create:
        steps.append(_created(work, site, target, files))
    if work.delta:
        steps.append(_granted(work, target, files))
    if work.untrusted and not work.create:
        steps.append(_trusted(work, site, target, files))
    if work.gone:
        steps.append(_cleaned(work, target, files))
    if work.gone_subjects and not work.create:
        steps.append(_untrusted(work, target))
    return Draft(files, tuple(steps), ((target.base, remedy_documents.document(work.before)),) if work.before else ())


def _granted(work: IdentityChange, target: Target, files: dict[str, bytes]) -> Step:
    """Return the step that grants: one inline policy where it fits, else numbered managed policies."""
    found = target.inline
    if found is not None:
        name, body = found
        policy = remedy_documents.added(body, work.delta)
        notes = [f"The document is inline policy {name} as exported, with the delta added: nothing is lost."]
    else:
        name = target.policy_name
        policy = remedy_documents.document(work.before)
        notes = []
        if not work.create and target.shown is None:
            notes.append(
                f"Which policies it has was not seen. put-{target.kind}-policy replaces an inline policy of the name "
                "that --policy-name gives: what was added to that one by hand would be lost. Compare first, or run "
                "this again with --identities."
            )
    others = sum(
        remedy_documents.size(decode(body) or {})
        for other, body in (target.shown.inline if target.shown else {}).items()
        if other != name
    )
    if remedy_documents.size(policy) + others > target.limit:
        return _in_managed_policies(work, target, files)
    file = f"{FOLDER}/{target.base}-policy.json"
    files[file] = json_file(policy)
    command = Command(target.argv("put-{}-policy", policy_name=name, policy_document=f"file://{file}"))
    return Step(
        title=f"Grant {permissions(work.delta)} to {target.who}",
        reason=why(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        commands=(command,),
        files=(file, f"{FOLDER}/{target.base}-delta.json"),
        notes=(*notes, *_outside(work, target)),
        placeholders=target.placeholders,
    )


def _in_managed_policies(work: IdentityChange, target: Target, files: dict[str, bytes]) -> Step:
    grants = work.delta if target.shown is not None else work.before
    parts = remedy_documents.split(grants, remedy_documents.MANAGED_LIMIT)
    commands: list[Command] = []
    names: list[str] = []
    free = (n for n in count(1) if target.arn_of_policy(f"{target.managed}-upgrade-gate-{n}") not in target.taken)
    for number, part in zip(free, parts, strict=False):
        file = f"{FOLDER}/{target.base}-policy-{number}.json"
        files[file] = json_file(part)
        names.append(file)
        name = f"{target.managed}-upgrade-gate-{number}"
        arn = target.arn_of_policy(name)
        commands += [
            Command(
                argv("aws iam create-policy", policy_name=name, policy_document=f"file://{file}"),
                unless=argv("aws iam get-policy", policy_arn=arn),
                otherwise=argv(
                    "aws iam create-policy-version",
                    policy_arn=arn,
                    policy_document=f"file://{file}",
                    set_as_default=True,
                ),
            ),
            Command(target.argv("attach-{}-policy", policy_arn=arn)),
        ]
    attached = len(target.shown.attached) if target.shown else 0
    notes = [
        (
            f"A {target.kind} may hold {target.limit} characters of inline policies, which this exceeds, so it goes "
            f"into managed policies of at most {remedy_documents.MANAGED_LIMIT} characters each: {len(parts)}."
        ),
    ]
    if attached + len(parts) > _ATTACHED:
        notes.append(f"{attached} policies are attached already; more than {_ATTACHED} need a raised quota.")
    return Step(
        title=f"Grant {permissions(work.delta)} to {target.who}",
        reason=why(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        commands=tuple(commands),
        files=(*names, f"{FOLDER}/{target.base}-delta.json"),
        notes=(*notes, *_outside(work, target)),
        placeholders=merged(target.placeholders, *((ACCOUNT,) if target.account == ACCOUNT.token else ())),
    )


def _outside(work: IdentityChange, target: Target) -> Iterable[str]:
    """Yield what a permissions boundary keeps from taking effect, whatever is granted."""
    boundary = target.shown.boundary if target.shown else None
    if boundary is None:
        return
    if target.boundary is None:
        yield f"Permissions boundary {boundary} is not in the export: what it leaves out has no effect when granted."
        return
    outside = [g.permission for g in work.delta if decide([target.boundary], g).state is not State.ALLOWED]
    if outside:
        yield (
            f"Outside permissions boundary {boundary}, so without effect until the boundary is widened: "
            f"{', '.join(outside)}."
        )


def _created(work: IdentityChange, site: ClusterNames, target: Target, files: dict[str, bytes]) -> Step:
    if target.kind == "user":
        return Step(
            title=f"Create {target.who} with an access key",
            reason=newcomer(work),
            when="before",
            serves=Serves.GRANTS,
            secrets=work.names,
            commands=(Command(target.argv("create-{}"), unless=target.argv("get-{}")),),
            notes=("aws iam create-access-key prints the key, once: it belongs into the Secret and nowhere else.",),
            placeholders=target.placeholders,
            first=True,
        )
    provider, host, more = _provider(site, target)
    file = f"{FOLDER}/{target.base}-trust.json"
    files[file] = json_file(remedy_documents.trust(provider, host, work.untrusted or work.subjects))
    return Step(
        title=f"Create {target.who}",
        reason=f"{components(work)} asks for credentials of its own; "
        f"the role trusts {sentence(map(str, work.untrusted or work.subjects))}.",
        when="before",
        serves=Serves.TRUST,
        secrets=work.names,
        commands=(
            Command(
                target.argv("create-{}", assume_role_policy_document=f"file://{file}"), unless=target.argv("get-{}")
            ),
        ),
        files=(file,),
        notes=(
            (
                "Where the cluster's other roles have a path or a boundary, so should this one: --path, "
                "--permissions-boundary."
            ),
        ),
        placeholders=merged(target.placeholders, *more),
        first=True,
    )


def _trusted(work: IdentityChange, site: ClusterNames, target: Target, files: dict[str, bytes]) -> Step:
    """Return the step that adds subjects to the trust policy; a document that was not seen is never replaced."""
    provider, host, more = _provider(site, target)
    held = decode(target.shown.trust) if target.shown is not None else None
    title = f"Let {sentence(map(str, work.untrusted))} assume {target.who}"
    reason = "ccoctl never refreshes the trust of a role that exists, so nobody else does this."
    if held is not None:
        file = f"{FOLDER}/{target.base}-trust.json"
        policy = remedy_documents.trust_with(held, provider, host, work.untrusted)
        files[file] = json_file(policy)
        note = "The document is the trust policy as the export shows it, with the new subjects added: none is lost."
        size = remedy_documents.size(policy)
        notes = (
            (note,) if size <= TRUST_LIMIT else (note, f"It has {size} characters; over {TRUST_LIMIT} needs a quota.")
        )
        document = f"file://{file}"
    else:
        file = f"{FOLDER}/{target.base}-trust-delta.json"
        files[file] = json_file(remedy_documents.trust(provider, host, work.untrusted))
        whole = Placeholder(
            variable("TRUST_POLICY", work.label),
            f"a file with the whole trust policy of {target.who}, the statement of {file} added",
            path=True,
            mentions=tuple(map(str, work.untrusted)),
        )
        more = (*more, whole)
        document = f"file://{whole.token}"
        notes = (
            (
                "The trust policy in place was not seen, and writing one replaces it: aws iam get-role prints it. Add "
                "the statement of the delta to it, keep every subject that stands there, and name the file."
            ),
        )
    return Step(
        title=title,
        reason=reason,
        when="before",
        serves=Serves.TRUST,
        secrets=work.names,
        commands=(Command(target.argv("update-assume-role-policy", policy_document=document)),),
        files=(file,),
        notes=notes,
        placeholders=merged(target.placeholders, *more),
    )


def _provider(site: ClusterNames, target: Target) -> tuple[str, str, tuple[Placeholder, ...]]:
    """Return the OIDC provider's ARN, the issuer as condition keys spell it, and what of them must be filled in."""
    host = site.issuer.removeprefix("https://") if site.issuer else _ISSUER.token
    more = () if site.issuer else (_ISSUER,)
    return f"arn:{target.partition}:iam::{target.account}:oidc-provider/{host}", host, more


def _cleaned(work: IdentityChange, target: Target, files: dict[str, bytes]) -> Step:
    """Return the step after the upgrade that takes away what nothing needs."""
    found = target.inline
    name = found[0] if found is not None else target.policy_name
    if found is not None:
        held = remedy_documents.added(found[1], work.delta) if work.delta else found[1]
        policy = remedy_documents.without(held, work.gone)
    else:
        policy = remedy_documents.document(work.target)
    file = f"{FOLDER}/{target.base}-policy-after.json"
    files[file] = json_file(policy)
    fits = bool(policy["Statement"]) and remedy_documents.size(policy) <= target.limit and target.kind == "role"
    command = Command(target.argv("put-{}-policy", policy_name=name, policy_document=f"file://{file}"))
    return Step(
        title=f"Take {permissions(work.gone)} from {target.who}",
        reason=later(work),
        when="after",
        serves=Serves.CLEAN_UP,
        secrets=work.names,
        commands=(command,) if fits else (),
        files=(file,),
        notes=()
        if fits
        else ("How this identity's policies are cut is not known: take the actions away where they stand.",),
        placeholders=target.placeholders,
        scripted=fits,
    )


def _untrusted(work: IdentityChange, target: Target) -> Step:
    return Step(
        title=f"Take {sentence(map(str, work.gone_subjects))} out of the trust of {target.who}",
        reason="These service accounts no longer use the role; ccoctl leaves them.",
        when="after",
        serves=Serves.CLEAN_UP,
        secrets=work.names,
        placeholders=target.placeholders,
        scripted=False,
    )


def secret_value(key: str, work: IdentityChange, site: ClusterNames) -> str | None:
    """Return the INI file of a role in token form, of an access key otherwise."""
    if key != "credentials":
        return None
    if not site.token:
        return (
            f"[default]\naws_access_key_id = {fill('aws_access_key_id')}\n"
            f"aws_secret_access_key = {fill('aws_secret_access_key')}\n"
        )
    target = find(work, site)
    role = work.identity if work.identity and work.identity.startswith("arn:") else None
    arn = role or f"arn:{target.partition}:iam::{target.account}:role/{target.name}"
    named = f"ARN of {target.who}"
    return (
        "[default]\nsts_regional_endpoints = regional\n"
        f"role_arn = {fill(named if '<FILL_ME' in arn else arn)}\n"
        f"web_identity_token_file = {TOKEN_PATH}\n"
    )


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return `aws_iam_policy_document` data sources, one per identity."""
    found: dict[str, Any] = {}
    for name, body in entries:
        found[name] = {
            "version": remedy_documents.VERSION,
            "statement": [_as_block(statement) for statement in body["Statement"]],
        }
    return {"data": {"aws_iam_policy_document": found}}


def _as_block(statement: Mapping[str, Any]) -> dict[str, Any]:
    block: dict[str, Any] = {
        "effect": statement["Effect"],
        "actions": statement["Action"],
        "resources": [statement["Resource"]],
    }
    conditions = [
        {
            "test": operator,
            "variable": key,
            "values": [_text(v) for v in (values if isinstance(values, list) else [values])],
        }
        for operator, keys in statement.get("Condition", {}).items()
        if isinstance(keys, dict)
        for key, values in keys.items()
    ]
    return {**block, "condition": conditions} if conditions else block


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def ccoctl(works: Sequence[IdentityChange], site: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl aws create-iam-roles`, for clusters with roles."""
    if not site.token or site.release < (4, 8):
        return None
    account = site.account or next((p[4] for w in works if len(p := (w.identity or "").split(":")) > 4), "")
    host = site.issuer.removeprefix("https://") if site.issuer else _ISSUER.token
    words = (
        (site.ccoctl_name or CCOCTL_NAME.token, CCOCTL_NAME),
        (site.region or _REGION.token, _REGION),
        (account or ACCOUNT.token, ACCOUNT),
        (host, _ISSUER),
    )
    losing = [w.label for w in works if w.gone]
    traps = [
        "It replaces each role's inline policy by exactly what the target asks for."
        + (f" Before the upgrade that takes from {sentence(losing)} what the running release needs." if losing else ""),
        "It never refreshes the trust policy of a role that exists: new service accounts stay locked out.",
        "A permissions boundary and tags of a role that exists are not touched.",
    ]
    if site.release < (4, 14):
        traps.append("This ccoctl (4.9 to 4.13) writes no Secret file for a role that exists.")
    return CcoctlCommand(
        argv=argv(
            "ccoctl aws create-iam-roles",
            name=words[0][0],
            region=words[1][0],
            credentials_requests_dir="credentials-requests",
            identity_provider_arn=f"arn:{partition_of(site)}:iam::{words[2][0]}:oidc-provider/{host}",
            output_dir="ccoctl-output",
        ),
        traps=tuple(traps),
        placeholders=tuple(p for word, p in words if word == p.token),
    )

"""AWS: role and user policies, trust policies, and the commands of `aws` and `ccoctl aws` that apply them.

Sources: cloud-credential-operator `pkg/cmd/provisioning/aws` (names, documents, what a rerun does:
docs/facts/aws.md#ccoctl), the IAM quotas.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from upgrade_gate.base.secret_ref import TOKEN_PATH
from upgrade_gate.base.steps import Command, CommandLine, Placeholder, line, word
from upgrade_gate.base.text import sentence
from upgrade_gate.clouds.aws import remedy_documents, remedy_target, remedy_trust
from upgrade_gate.clouds.aws.policies import State, decide, decode
from upgrade_gate.clouds.aws.remedy_target import ACCOUNT, ISSUER, find, partition_of
from upgrade_gate.clouds.contract.remedy import REQUESTS, CcoctlCommand, CloudLogin, Draft, fill, variable
from upgrade_gate.clouds.shared.conditions import shown
from upgrade_gate.clouds.shared.drafting import (
    CCOCTL_NAME,
    clean_up,
    components,
    create,
    decision,
    grant,
    loosening,
    losing,
    take,
    trust,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.base.steps import BundleFile, Step
    from upgrade_gate.clouds.aws.remedy_target import Target
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

FOLDER = remedy_target.FOLDER
FILES = (
    "*-policy.json is all that an identity must hold until the upgrade is complete, *-delta.json what is new, "
    "*-policy-after.json what is left after the clean-up"
)

_ATTACHED = 10
_VERSIONS = 5
"""Of a managed policy (IAM quotas)."""
_VERSION = "v[0-9]+(\\.[A-Za-z0-9-]*)?"
_OLDEST = "sort_by(Versions[?!IsDefaultVersion], &CreateDate)[0].VersionId"
_UNSEEN = "NoSuchEntity"
"""What IAM says for some seconds about what was just made (IAM user guide: changes are not always visible at once)."""
_PATIENCE = 120

_REGION = Placeholder("AWS_REGION", "the AWS region, such as eu-west-1", "[a-z0-9-]+")


def draft(change: IdentityChange, names: ClusterNames) -> Draft:
    """Return policies, trust and their commands for one role or user."""
    target = find(change, names)
    steps: list[Step] = []
    if change.create:
        steps.append(_created(change, target))
    if change.delta:
        steps.append(_granted(change, target))
    loosened = target.file("loosened", remedy_documents.document(change.narrow)) if change.narrow else None
    steps += decision(change, target.who, loosened=loosened)
    if change.untrusted and not change.create:
        steps += remedy_trust.steps(change, target)
    if change.gone:
        steps.append(_cleaned(change, target))
    if change.gone_subjects and not change.create:
        gone = sentence(map(str, change.gone_subjects))
        title = f"Remove {gone} from the trust of {target.who}"
        reason = "These service accounts no longer use the role; ccoctl leaves them."
        steps.append(clean_up(change, title, reason, scripted=False))
    policy = remedy_documents.document(change.unwidened(change.before))
    return Draft(tuple(steps), ((target.base, policy),) if change.before else ())


def _granted(change: IdentityChange, target: Target) -> Step:
    """Return the step that grants: one inline policy where it fits, else numbered managed policies."""
    found = target.inline
    if found is not None:
        name, body = found
        policy = remedy_documents.added(body, change.delta)
        notes = [
            f"The document is inline policy {name} as exported, with the delta added: nothing is lost.",
            *_limits_of_the_rest(target, name),
        ]
    else:
        name = target.free_name
        policy = remedy_documents.document(_needed(change, target))
        notes = []
        if not change.create and target.shown is None:
            notes.append(
                f"Which policies it has was not seen. put-{target.kind}-policy replaces an inline policy of the name "
                "that --policy-name gives: what was added to that one or narrowed in it by hand would be lost. Compare "
                "first, or run this again with --identities."
            )
    others = sum(
        remedy_documents.size(decode(body) or {})
        for other, body in (target.shown.inline if target.shown else {}).items()
        if other != name
    )
    delta = target.file("delta", remedy_documents.document(change.delta))
    if remedy_documents.size(policy) + others > target.limit:
        return _in_managed_policies(change, target, delta)
    file = target.file("policy", policy)
    return grant(
        change,
        target.who,
        commands=(_put(target, name, file, new=change.create),),
        files=(file, delta),
        notes=(*notes, *_loosened(change, target), *_outside(change, target)),
        unknown=target.unknown,
    )


def _needed(change: IdentityChange, target: Target) -> Sequence[Grant]:
    """Return what a policy of its own must give: all that nobody narrowed, where nothing shows what is held."""
    return change.delta if target.shown is not None else change.unwidened(change.before)


def _loosened(change: IdentityChange, target: Target) -> Iterable[str]:
    """Yield what is held in a form that does not serve this cluster, and is granted without it."""
    for one in change.delta:
        outcome = decide(target.held, one)
        if outcome.state is State.PARTLY and not outcome.maybe_denied:
            yield f"{one.permission}: {outcome.reason}, which does not serve this cluster; the delta loosens that."


def _limits_of_the_rest(target: Target, name: str) -> Iterable[str]:
    """Yield by what every statement of a policy is limited, where what is added is not."""
    allows = [s for policy in target.held if policy.name == f"policy {name}" for s in policy.statements if s.allow]
    if not allows:
        return
    resources = {s.shown for s in allows}
    if "*" not in {pattern for s in allows for pattern in s.patterns} and len(resources) == 1:
        yield f"Every statement of policy {name} is limited to {resources.pop()}; what is added is not."
    conditions = {shown(s.condition) for s in allows if not s.unconditional}
    if len(conditions) == 1 and all(not s.unconditional for s in allows):
        limit = conditions.pop()
        yield f"Every statement of policy {name} holds only under {limit}; what is added has no such condition."


def _put(target: Target, name: str, file: BundleFile, *, new: bool, gone: BundleFile | None = None) -> Command:
    """Return the command that writes an inline policy, where it does not say the same already.

    What somebody has added to it since stops the script: writing it would take that away. `gone` may go.
    """
    held = target.line("get-{}-policy", policy_name=name, query="PolicyDocument", output="json")
    put = target.line("put-{}-policy", policy_name=name, policy_document=word("file://", file))
    keeps = (file, gone) if gone is not None else (file,)
    return Command(put, unless=held, shows=file, keeps=keeps, passing=_UNSEEN if new else "", patience=_PATIENCE)


def _in_managed_policies(change: IdentityChange, target: Target, delta: BundleFile) -> Step:
    parts = remedy_documents.split(_needed(change, target), remedy_documents.MANAGED_LIMIT)
    commands: list[Command] = []
    files: list[BundleFile] = []
    asked: list[Placeholder] = []
    free = (n for n in count(1) if str(target.arn_of_policy(f"{target.managed}-upgrade-gate-{n}")) not in target.taken)
    for number, part in zip(free, parts, strict=False):
        file = target.file(f"policy-{number}", part)
        files.append(file)
        name = f"{target.managed}-upgrade-gate-{number}"
        versions, more = _managed(target, f"{change.label}-{number}", name, file)
        commands += versions
        asked += more
    attached = len(target.shown.attached) if target.shown else 0
    notes = [
        (
            f"A {target.kind} may hold {target.limit} characters of inline policies, which this exceeds, so it goes "
            f"into managed policies of at most {remedy_documents.MANAGED_LIMIT} characters each: {len(parts)}."
        )
    ]
    notes.append(
        f"A managed policy has {_VERSIONS} versions: where there are as many, the script deletes the oldest that is "
        "not in force."
    )
    if attached + len(parts) > _ATTACHED:
        notes.append(f"{attached} policies are attached already; more than {_ATTACHED} need a raised quota.")
    return grant(
        change,
        target.who,
        commands=tuple(commands),
        files=(*files, delta),
        notes=(*notes, *_loosened(change, target), *_outside(change, target)),
        unknown=(*target.unknown, *asked),
    )


def _managed(target: Target, label: str, name: str, file: BundleFile) -> tuple[list[Command], list[Placeholder]]:
    """Return the commands that make a managed policy, or write the one that is there, and attach it.

    A policy has five versions: where there are as many, the oldest makes room that is not in force.
    """
    arn, document = target.arn_of_policy(name), word("file://", file)
    listed = line("aws iam list-policy-versions", policy_arn=arn)
    in_force = Placeholder(
        variable("AWS_POLICY_VERSION_IN_FORCE", label),
        f"the version of policy {name} that is in force",
        _VERSION,
        printed_by=line("aws iam get-policy", policy_arn=arn, query="Policy.DefaultVersionId", output="text"),
    )
    oldest = Placeholder(
        variable("AWS_POLICY_VERSION_OLDEST", label),
        f"the oldest version of policy {name} that is not in force",
        _VERSION,
        printed_by=CommandLine((*listed.words, *line("", query=_OLDEST, output="text").words)),
    )
    number = CommandLine((*listed.words, *line("", query="length(Versions)", output="text").words))
    said = line("aws iam get-policy-version", policy_arn=arn, version_id=in_force)
    same = CommandLine((*said.words, *line("", query="PolicyVersion.Document", output="json").words))
    attached = target.line(
        "list-attached-{}-policies", query=word("length(AttachedPolicies[?PolicyArn=='", arn, "'])"), output="text"
    )
    commands = [
        Command(
            line("aws iam create-policy", policy_name=name, policy_document=document),
            unless=line("aws iam get-policy", policy_arn=arn),
        ),
        Command(
            line("aws iam delete-policy-version", policy_arn=arn, version_id=oldest),
            unless=same,
            shows=file,
            keeps=(file,),
            where=number,
            prints=str(_VERSIONS),
            in_case=f"it has {_VERSIONS} versions",
        ),
        Command(
            line("aws iam create-policy-version", policy_arn=arn, policy_document=document, set_as_default=True),
            unless=same,
            shows=file,
            keeps=(file,),
            in_case="it says something else",
        ),
        Command(
            target.line("attach-{}-policy", policy_arn=arn),
            unless=attached,
            shows="1",
            passing=_UNSEEN,
            patience=_PATIENCE,
        ),
    ]
    return commands, [in_force, oldest]


def _outside(change: IdentityChange, target: Target) -> Iterable[str]:
    """Yield what a permissions boundary keeps from taking effect, whatever is granted."""
    boundary = target.shown.boundary if target.shown else None
    if boundary is None:
        return
    if target.boundary is None:
        yield f"Permissions boundary {boundary} is not in the export: what it leaves out has no effect when granted."
        return
    found = [(g.permission, decide([target.boundary], g)) for g in change.delta]
    outside = [name for name, outcome in found if outcome.state > State.PARTLY]
    if outside:
        yield (
            f"Outside permissions boundary {boundary}, so without effect until the boundary is widened: "
            f"{', '.join(outside)}."
        )
    for name, outcome in found:
        if outcome.state is State.PARTLY:
            yield f"Permissions boundary {boundary} lets {name} through only in part: {outcome.reason}."


def _created(change: IdentityChange, target: Target) -> Step:
    there = target.line("get-{}")
    if target.kind == "user":
        return create(
            change,
            f"Create {target.who} with an access key",
            commands=(Command(target.line("create-{}"), unless=there),),
            notes=("aws iam create-access-key prints the key, once: it belongs in the Secret and nowhere else.",),
            unknown=target.unknown,
        )
    trusted = change.untrusted or change.subjects
    file = target.file("trust", remedy_documents.trust(target.provider, target.issuer, trusted))
    step = trust(
        change,
        f"Create {target.who}",
        f"{components(change)} asks for credentials of its own; the role trusts {sentence(map(str, trusted))}.",
        commands=(Command(target.line("create-{}", assume_role_policy_document=word("file://", file)), unless=there),),
        files=(file,),
        notes=(
            (
                "Where the cluster's other roles have a path or a boundary, so should this one: --path, "
                "--permissions-boundary."
            ),
        ),
        unknown=target.unknown,
    )
    return replace(step, first=True)


def _cleaned(change: IdentityChange, target: Target) -> Step:
    """Return the step after the upgrade that takes away what nothing needs."""
    found = target.inline
    if found is not None:
        name, held = found
        policy = remedy_documents.without(
            remedy_documents.added(held, change.delta) if change.delta else held, change.gone, change.target
        )
    else:
        name, policy = target.policy_name, remedy_documents.document(change.unwidened(change.target))
    file = target.file("policy-after", policy)
    until = target.file("gone", remedy_documents.document(change.gone))
    known = found is not None or target.shown is None
    small = bool(policy["Statement"]) and remedy_documents.size(policy) <= target.limit
    fits = known and small and target.kind == "role"
    needed = {g.permission.casefold() for g in change.target}
    looser = sentence(dict.fromkeys(g.permission for g in change.gone if g.permission.casefold() in needed))
    notes = [f"{looser}: the target asks for it in a narrower form, which is for you to put in its place."] * bool(
        looser
    )
    if not fits:
        notes.append(
            "How this identity's policies are split is not known: remove the actions from the policies that list them."
        )
    return take(
        change,
        target.who,
        commands=(_put(target, name, file, new=change.create, gone=until),) if fits else (),
        files=(file, until) if fits else (file,),
        notes=tuple(notes),
        unknown=target.unknown,
        scripted=fits,
    )


def login(change: IdentityChange, names: ClusterNames) -> CloudLogin:
    """Return the account of the role or user, else the one that was given."""
    asked = line("aws sts get-caller-identity", query="Account", output="text")
    return CloudLogin("AWS account", asked, find(change, names).account)


def secret_value(key: str, change: IdentityChange, names: ClusterNames) -> str | None:
    """Return the INI file of a role in token form, of an access key otherwise."""
    if key != "credentials":
        return None
    if not names.token:
        return (
            f"[default]\naws_access_key_id = {fill('aws_access_key_id')}\n"
            f"aws_secret_access_key = {fill('aws_secret_access_key')}\n"
        )
    target = find(change, names)
    known = target.named and isinstance(target.account, str)
    arn = f"arn:{target.partition}:iam::{target.account}:role/{target.name}" if known else f"ARN of {target.who}"
    if change.identity and change.identity.startswith("arn:"):
        arn = change.identity
    return (
        "[default]\nsts_regional_endpoints = regional\n"
        f"role_arn = {fill(arn)}\n"
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


def ccoctl(changes: Sequence[IdentityChange], names: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl aws create-iam-roles`, for clusters with roles; one run works in one account."""
    if not names.token or names.release < (4, 8):
        return None
    account = names.account or next((p[4] for c in changes if len(p := (c.identity or "").split(":")) > 4), "")
    host = names.issuer.removeprefix("https://") if names.issuer else ISSUER
    traps = [
        "It replaces each role's inline policy by exactly what the target asks for."
        + losing(c for c in changes if c.gone)
        + loosening(changes),
        "It never refreshes the trust policy of a role that exists: new service accounts stay locked out.",
        "A permissions boundary and tags of a role that exists are not touched.",
    ]
    targets = [find(change, names) for change in changes]
    boundaries = {target.shown.boundary for target in targets if target.shown is not None}
    boundary = boundaries.pop() if len(boundaries) == 1 else None
    if boundaries:
        traps.append("The roles have different permissions boundaries: --permissions-boundary-arn takes one for all.")
    if len({str(target.account) for target in targets}) > 1:
        return None
    partitions = {target.partition for target in targets}
    partition = partitions.pop() if len(partitions) == 1 else partition_of(names)
    if names.release < (4, 14):
        traps.append("This ccoctl (4.9 to 4.13) writes no Secret file for a role that exists.")
    return CcoctlCommand(
        line(
            "ccoctl aws create-iam-roles",
            name=names.ccoctl_name or CCOCTL_NAME,
            region=names.region or _REGION,
            credentials_requests_dir=REQUESTS,
            identity_provider_arn=word("arn:", partition, ":iam::", account or ACCOUNT, ":oidc-provider/", host),
            permissions_boundary_arn=boundary,
            output_dir="ccoctl-output",
        ),
        tuple(traps),
    )

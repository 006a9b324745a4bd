"""GCP: custom roles, project bindings, workload identity, and the commands of `gcloud` and `ccoctl gcp`.

Sources: cloud-credential-operator `pkg/cmd/provisioning/gcp` (names, what a rerun does: docs/facts/gcp.md#ccoctl). A
custom role is shared by every cluster of the project, so permissions are added to it and never replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec.structs import replace

from upgrade_gate.base.steps import Command, CommandLine, Placeholder, Serves, Shows, Step, line, word
from upgrade_gate.base.text import sentence
from upgrade_gate.clouds.contract.remedy import REQUESTS, CcoctlCommand, CloudLogin, Draft, yaml_file
from upgrade_gate.clouds.gcp import remedy_trust
from upgrade_gate.clouds.gcp.members import home_of
from upgrade_gate.clouds.gcp.remedy_places import placed
from upgrade_gate.clouds.gcp.remedy_target import EMAIL, POOL, PROJECT, TRUST_ROLE, find
from upgrade_gate.clouds.gcp.wants import ACT_AS
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

    from upgrade_gate.base.steps import BundleFile, Word
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange, Subject
    from upgrade_gate.clouds.gcp.remedy_target import Target

FOLDER = "gcp"
FILES = (
    "*-role.yaml is all that an identity must hold until the upgrade is complete, *-delta.yaml what is new, "
    "*-bindings.yaml the project's bindings, *-role-after.yaml what replaces predefined roles in the clean-up"
)

_PROVIDER = Placeholder(
    "GCP_WORKLOAD_IDENTITY_PROVIDER",
    "the pool's provider: gcloud iam workload-identity-pools providers list --location=global",
    "[a-z0-9-]+",
)
_NODES = Placeholder("GCP_NODE_ACCOUNT", "the email of each service account that nodes run as", EMAIL)
_PATIENCE = 420
"""Seconds until a new account or binding is known everywhere (IAM documentation: two minutes, at times seven)."""
_PASSING = "(Service account|Role) .* does not exist|concurrent policy changes"
"""What Google Cloud says while it does not know yet what was just made, or somebody else writes the same policy."""
_CCOCTL_NAME = replace(CCOCTL_NAME, pattern="[a-z0-9-]{1,32}")


def draft(change: IdentityChange, names: ClusterNames) -> Draft:
    """Return the custom role, bindings, trust and their commands for one service account."""
    target = find(change, names)
    steps: list[Step] = []
    if change.create:
        steps.append(_created(change, target))
    steps += remedy_trust.enabled(change, names, target)
    if change.delta:
        steps += _granted(change, names, target)
    listed = sorted({p for share in placed(change.narrow, names).projects.values() for p in share.permissions})
    steps += decision(change, loosened=_role_file(target, "loosened", listed) if listed else None)
    if change.untrusted:
        steps.append(_trusted(change, names, target))
    if change.gone:
        steps.append(_cleaned(change, names, target))
    if change.gone_subjects:
        steps.append(_untrusted(change, target))
    everything = placed(change.unwidened(change.before), names)
    body = {"permissions": everything.own.permissions, "predefined_roles": everything.own.roles}
    return Draft(tuple(steps), ((target.base, body),) if change.before else ())


def _of(grants: Iterable[Grant], kind: str) -> list[str]:
    return sorted({g.permission for g in grants if g.type == kind})


def _granted(change: IdentityChange, names: ClusterNames, target: Target) -> list[Step]:
    """Return the steps that grant: in each project, and on the accounts of the nodes."""
    missing = placed(change.delta, names)
    needed = missing if change.sighted else placed(change.unwidened(change.before), names)
    files: list[BundleFile] = []
    commands: list[Command] = []
    notes = [f"{doubt[:1].upper()}{doubt[1:]}." for doubt in missing.doubts]
    bound: list[str] = []
    for project, share in sorted(missing.projects.items()):
        where = target.at(project)
        if share.permissions:
            everything = needed.projects.get(project, share).permissions
            files += [_role_file(where, "role", everything), _role_file(where, "delta", share.permissions)]
            commands += [*_custom(where, files[-2], share.permissions), _bind(where, "add", where.role_name)]
            bound.append(str(where.role_name))
            notes.append(
                f"Every cluster of project {where.project} shares the role, so a role that exists is only added to. "
                "A permission that a custom role cannot hold needs a predefined role instead. One that was deleted in "
                "the last seven days is brought back, with what it granted."
            )
        commands += [_bind(where, "add", role) for role in share.roles]
        bound += share.roles
    commands += [_use(target, "add", email, role) for email, roles in missing.accounts.items() for role in roles]
    steps: list[Step] = []
    if commands:
        listed = [{"role": role, "members": [str(target.member)]} for role in dict.fromkeys(bound)]
        files += [yaml_file(f"{FOLDER}/{target.base}-bindings.yaml", {"bindings": listed})] if listed else []
        steps.append(
            grant(change, commands=tuple(commands), files=tuple(files), notes=tuple(notes), unknown=target.unknown)
        )
    return [*steps, *([_act_as(change, names, target, missing.act_as)] if missing.act_as else [])]


def _act_as(change: IdentityChange, names: ClusterNames, target: Target, roles: Sequence[str]) -> Step:
    """Return the step to read which accounts the nodes have, and to bind on each of them."""
    shown = line(
        "gcloud compute instances list",
        project=target.project,
        filter=f"name~^{names.infrastructure}-" if names.infrastructure else None,
        format="value(serviceAccounts.email)",
    )
    return Step(
        f"Let {change.who} act as the service accounts of the nodes",
        "before",
        f"{components(change)} makes machines that run as these accounts ({ACT_AS}). Which they are was not read, and "
        "for the whole project nothing is granted: that would be every account in it.",
        Serves.GRANTS,
        change.secret_names,
        commands=(Command(shown), *(_use(target, "add", _NODES, role) for role in roles)),
        notes=("The MachineSets of the cluster name them too: with these in the data of the cluster, run this again.",),
        unknown=(*target.unknown, _NODES),
        scripted=False,
    )


def _custom(target: Target, file: BundleFile, listed: Sequence[str]) -> list[Command]:
    """Return the commands that make the custom role, or add permissions to the one that is there.

    For seven days a deleted role still has its name: it can be neither made nor written before it is brought back.
    """
    there = line("gcloud iam roles describe", target.role, project=target.project)
    update = line(
        "gcloud iam roles update",
        target.role,
        project=target.project,
        add_permissions=_as_list(listed),
        quiet=True,
    )
    undelete = Command(
        line("gcloud iam roles undelete", target.role, project=target.project, quiet=True),
        where=line("gcloud iam roles describe", target.role, project=target.project, format="value(deleted)"),
        prints="True",
        in_case="it was deleted",
    )
    made = Command(
        line("gcloud iam roles create", target.role, project=target.project, file=file, quiet=True),
        unless=there,
        seen=there,
        patience=_PATIENCE,
    )
    added = Command(
        update,
        unless=line(
            "gcloud iam roles describe",
            target.role,
            project=target.project,
            format="value(includedPermissions)",
        ),
        shows=";".join(listed),
        how=Shows.ALL,
        in_case="" if target.role_seen else "it exists already",
        passing=_PASSING,
        patience=_PATIENCE,
    )
    return [undelete, *([] if target.role_seen else [made]), added]


def _as_list(listed: Sequence[str]) -> str:
    """Return names as `gcloud` takes a list: apart at another character where one of them holds a comma."""
    if not any("," in name or name.startswith("^") for name in listed):
        return ",".join(listed)
    apart = next(c for c in (*";:|#~", *map(chr, range(0x2460, 0x3000))) if not any(c in name for name in listed))
    return f"^{apart}^{apart.join(listed)}"


def _role_file(target: Target, ending: str, listed: Sequence[str]) -> BundleFile:
    body = {
        "title": target.title,
        "description": "Made for an OpenShift component by its administrators",
        "stage": "GA",
        "includedPermissions": list(listed),
    }
    return yaml_file(f"{FOLDER}/{target.base}-{ending}.yaml", body)


def _bind(target: Target, verb: Literal["add", "remove"], role: str | Word) -> Command:
    bound = line(
        f"gcloud projects {verb}-iam-policy-binding",
        target.project,
        member=target.member,
        role=role,
        condition="None",
        quiet=True,
    )
    return _binding(bound, verb, line("gcloud projects get-iam-policy", target.project), role, target.member)


def _use(target: Target, verb: Literal["add", "remove"], email: str | Placeholder, role: str) -> Command:
    """Return the command that lets the identity use another service account."""
    home = home_of(email) if isinstance(email, str) else ""
    bound = line(
        f"gcloud iam service-accounts {verb}-iam-policy-binding",
        email,
        project=home or target.project,
        role=role,
        member=target.member,
        condition="None",
        quiet=True,
    )
    policy = line("gcloud iam service-accounts get-iam-policy", email, project=home or target.project)
    return _binding(bound, verb, policy, role, target.member)


def _binding(bound: CommandLine, verb: str, policy: CommandLine, role: str | Word, member: Word) -> Command:
    """Return a command that adds a binding without a condition where there is none, or removes one that is there."""
    chosen = word('bindings.role="', role, '" AND bindings.members="', member, '" AND NOT bindings.condition:*')
    shown = line(
        "",
        flatten="bindings[].members",
        filter=chosen,
        format="value(bindings.role)",
    )
    held = CommandLine((*policy.words, *shown.words))
    if verb == "remove":
        return Command(bound, where=held, prints=role, passing=_PASSING, patience=_PATIENCE)
    return Command(bound, unless=held, shows=role, passing=_PASSING, patience=_PATIENCE)


def _created(change: IdentityChange, target: Target) -> Step:
    there = line("gcloud iam service-accounts describe", target.email, project=target.project)
    made = Command(
        line(
            "gcloud iam service-accounts create",
            target.account_id,
            project=target.project,
            display_name=target.display_name,
            quiet=True,
        ),
        unless=there,
        seen=there,
        patience=_PATIENCE,
    )
    return create(
        change,
        f"Create service account {target.account_id}",
        commands=(made,),
        notes=("ccoctl finds it by its display name, which carries the request's name and not the Secret's.",),
        unknown=target.unknown,
    )


def _trusted(change: IdentityChange, names: ClusterNames, target: Target) -> Step:
    return trust(
        change,
        f"Let {sentence(map(str, change.untrusted))} act as {change.who}",
        "Each service account needs a binding of its own on the service account that it acts as.",
        commands=tuple(_trust(target, "add", subject) for subject in change.untrusted),
        notes=("A binding is added beside the others: none is lost.", *remedy_trust.barred(change, names, target)),
        unknown=target.unknown,
    )


def _trust(target: Target, verb: Literal["add", "remove"], subject: Subject) -> Command:
    member = word(target.pool, f"/subject/{subject}")
    bound = line(
        f"gcloud iam service-accounts {verb}-iam-policy-binding",
        target.email,
        project=target.project,
        role=TRUST_ROLE,
        member=member,
        condition="None",
        quiet=True,
    )
    policy = line("gcloud iam service-accounts get-iam-policy", target.email, project=target.project)
    return _binding(bound, verb, policy, TRUST_ROLE, member)


def _cleaned(change: IdentityChange, names: ClusterNames, target: Target) -> Step:
    """Return the step after the upgrade: what replaces a predefined role first, then its binding.

    No script does this: a service account may serve more than this cluster, and a custom role every cluster of the
    project.
    """
    gone, roles = _of(change.gone, "permission"), _of(change.gone, "predefinedRole")
    needed = placed(change.unwidened(change.target), names).own.permissions
    commands: list[Command] = []
    files: tuple[BundleFile, ...] = ()
    if roles and needed:
        files = (_role_file(target, "role-after", needed),)
        commands += [*_custom(target, files[0], needed), _bind(target, "add", target.role_name)]
    commands += [_bind(target, "remove", role) for role in roles]
    notes: list[str] = []
    if gone:
        listed = ",".join(gone)
        notes.append(
            f"The custom role is shared by every cluster of the project. Only when none of them runs the old release: "
            f"gcloud iam roles update {target.role} --project={target.project} --remove-permissions={listed}"
        )
    if roles:
        notes.append(
            "Remove a predefined role only when the permissions that replace it are held: check with --identities, "
            "and see that nothing else uses the service account."
        )
    return take(
        change, commands=tuple(commands), files=files, notes=tuple(notes), unknown=target.unknown, scripted=False
    )


def _untrusted(change: IdentityChange, target: Target) -> Step:
    return clean_up(
        change,
        f"Remove the bindings of {sentence(map(str, change.gone_subjects))}",
        "These service accounts no longer act as the service account; ccoctl leaves them.",
        commands=tuple(_trust(target, "remove", subject) for subject in change.gone_subjects),
        unknown=target.unknown,
    )


def login(change: IdentityChange, names: ClusterNames) -> CloudLogin:
    """Return the project; every command names it, so what is asked is whether this login sees it."""
    project = find(change, names).project
    return CloudLogin("GCP project", line("gcloud projects describe", project, format="value(projectId)"), project)


def secret_value(key: str, change: IdentityChange, names: ClusterNames) -> str | None:
    """Return None: the value is one JSON document, a key file or an external account configuration."""
    del key, change, names
    return None


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return permissions and predefined roles of each service account as local values."""
    return {"locals": {"upgrade_gate_gcp_roles": dict(entries)}}


def ccoctl(changes: Sequence[IdentityChange], names: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl gcp create-service-accounts`, for clusters with workload identity."""
    if not names.token or names.release < (4, 10):
        return None
    traps = [
        "It removes every project binding of these service accounts that the requests do not list, those given by "
        "hand included."
        + losing(c for c in changes if any(g.type == "predefinedRole" for g in c.gone))
        + loosening(changes),
        "It finds a service account by display name, which has the request's name: a renamed request gets a new one.",
        "To a custom role it only adds; what was added by hand stays."
        if names.release >= (4, 14)
        else "This ccoctl (4.12 and 4.13) replaces a custom role, which every cluster of the project shares.",
    ]
    traps += _of_places(changes, names)
    return CcoctlCommand(
        line(
            "ccoctl gcp create-service-accounts",
            name=names.ccoctl_name or _CCOCTL_NAME,
            project=(names.scopes[0] if names.scopes else names.account) or PROJECT,
            credentials_requests_dir=REQUESTS,
            workload_identity_pool=names.ccoctl_name or POOL,
            workload_identity_provider=names.ccoctl_name or _PROVIDER,
            output_dir="ccoctl-output",
        ),
        tuple(traps),
    )


def _of_places(changes: Sequence[IdentityChange], names: ClusterNames) -> Iterable[str]:
    """Yield what ccoctl grants more widely, or not where it must hold: it knows one project."""
    found = placed([one for change in changes for one in change.before], names)
    others = sorted(filter(None, found.projects))
    if found.accounts or found.act_as:
        yield f"It grants {ACT_AS} on the whole project, and not on the accounts of the nodes alone."
    if others:
        yield f"It binds in the cluster's project alone: what must hold in {sentence(others)} needs the steps above."

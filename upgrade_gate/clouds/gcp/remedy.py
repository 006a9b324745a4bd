"""GCP: custom roles, project bindings, workload identity, and the commands of `gcloud` and `ccoctl gcp`.

Sources: cloud-credential-operator `pkg/cmd/provisioning/gcp` (names, what a rerun does: docs/facts/gcp.md#ccoctl). A
custom role is shared by every cluster of the project, so permissions are added to it and never replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from msgspec.structs import replace

from upgrade_gate.base.steps import Command, Placeholder, line, word
from upgrade_gate.base.text import sentence
from upgrade_gate.clouds.contract.remedy import REQUESTS, CcoctlCommand, CloudLogin, Draft, yaml_file
from upgrade_gate.clouds.gcp.remedy_target import POOL, PROJECT, TRUST_ROLE, find
from upgrade_gate.clouds.shared.drafting import CCOCTL_NAME, clean_up, create, grant, losing, take, trust

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.base.steps import BundleFile, Step, Word
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
_CCOCTL_NAME = replace(CCOCTL_NAME, pattern="[a-z0-9-]{1,32}")


def draft(change: IdentityChange, names: ClusterNames) -> Draft:
    """Return the custom role, bindings, trust and their commands for one service account."""
    target = find(change, names)
    steps: list[Step] = []
    if change.create:
        steps.append(_created(change, target))
    if change.delta:
        steps.append(_granted(change, target))
    if change.untrusted:
        steps.append(_trusted(change, target))
    if change.gone:
        steps.append(_cleaned(change, target))
    if change.gone_subjects:
        steps.append(_untrusted(change, target))
    body = {"permissions": _of(change.before, "permission"), "predefined_roles": _of(change.before, "predefinedRole")}
    return Draft(tuple(steps), ((target.base, body),) if change.before else ())


def _of(grants: Iterable[Grant], kind: str) -> list[str]:
    return sorted({g.permission for g in grants if g.type == kind})


def _granted(change: IdentityChange, target: Target) -> Step:
    missing, roles = _of(change.delta, "permission"), _of(change.delta, "predefinedRole")
    files: list[BundleFile] = []
    commands: list[Command] = []
    notes: list[str] = []
    bindings = [{"role": role, "members": [str(target.member)]} for role in roles]
    if missing:
        files.append(_role_file(target, "role", _of(change.before, "permission")))
        files.append(_role_file(target, "delta", missing))
        commands += [_custom(target, files[0], missing), _bind(target, "add", target.role_name)]
        bindings.append({"role": str(target.role_name), "members": [str(target.member)]})
        notes.append(
            f"Every cluster of project {target.project} shares the role, so a role that exists is only added to. "
            "A permission that a custom role cannot hold needs a predefined role instead."
        )
    commands += [_bind(target, "add", role) for role in roles]
    files.append(yaml_file(f"{FOLDER}/{target.base}-bindings.yaml", {"bindings": bindings}))
    return grant(change, commands=tuple(commands), files=tuple(files), notes=tuple(notes), unknown=target.unknown)


def _custom(target: Target, file: BundleFile, listed: Sequence[str]) -> Command:
    """Return the command that makes the custom role, or adds permissions to the one that is there."""
    update = line(
        "gcloud iam roles update",
        target.role,
        project=target.project,
        add_permissions=_as_list(listed),
        quiet=True,
    )
    if target.role_seen:
        return Command(update)
    return Command(
        line("gcloud iam roles create", target.role, project=target.project, file=file, quiet=True),
        unless=line("gcloud iam roles describe", target.role, project=target.project),
        otherwise=update,
    )


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
    return Command(
        line(
            f"gcloud projects {verb}-iam-policy-binding",
            target.project,
            member=target.member,
            role=role,
            condition="None",
            quiet=True,
        )
    )


def _created(change: IdentityChange, target: Target) -> Step:
    made = Command(
        line(
            "gcloud iam service-accounts create",
            target.account_id,
            project=target.project,
            display_name=target.display_name,
            quiet=True,
        ),
        unless=line("gcloud iam service-accounts describe", target.email, project=target.project),
    )
    return create(
        change,
        f"Create service account {target.account_id}",
        commands=(made,),
        notes=("ccoctl finds it by its display name, which carries the request's name and not the Secret's.",),
        unknown=target.unknown,
    )


def _trusted(change: IdentityChange, target: Target) -> Step:
    return trust(
        change,
        f"Let {sentence(map(str, change.untrusted))} act as {change.who}",
        "Each service account needs a binding of its own on the service account that it acts as.",
        commands=tuple(_trust(target, "add", subject) for subject in change.untrusted),
        notes=("A binding is added beside the others: none is lost.",),
        unknown=target.unknown,
    )


def _trust(target: Target, verb: Literal["add", "remove"], subject: Subject) -> Command:
    return Command(
        line(
            f"gcloud iam service-accounts {verb}-iam-policy-binding",
            target.email,
            project=target.project,
            role=TRUST_ROLE,
            member=word(target.pool, f"/subject/{subject}"),
            condition="None",
            quiet=True,
        )
    )


def _cleaned(change: IdentityChange, target: Target) -> Step:
    """Return the step after the upgrade: what replaces a predefined role first, then its binding.

    No script does this: a service account may serve more than this cluster, and a custom role every cluster of the
    project.
    """
    gone, roles = _of(change.gone, "permission"), _of(change.gone, "predefinedRole")
    needed = _of(change.target, "permission")
    commands: list[Command] = []
    files: tuple[BundleFile, ...] = ()
    if roles and needed:
        files = (_role_file(target, "role-after", needed),)
        commands += [_custom(target, files[0], needed), _bind(target, "add", target.role_name)]
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
            "Take a predefined role away only when the permissions that replace it are held: check with --identities, "
            "and see that nothing else uses the service account."
        )
    return take(
        change, commands=tuple(commands), files=files, notes=tuple(notes), unknown=target.unknown, scripted=False
    )


def _untrusted(change: IdentityChange, target: Target) -> Step:
    return clean_up(
        change,
        f"Take the bindings of {sentence(map(str, change.gone_subjects))} away",
        "These service accounts no longer act as the service account; ccoctl leaves them.",
        commands=tuple(_trust(target, "remove", subject) for subject in change.gone_subjects),
        unknown=target.unknown,
    )


def login(changes: Sequence[IdentityChange], names: ClusterNames) -> CloudLogin:
    """Return the project; every command names it, so what is asked is whether this login sees it."""
    project = next((find(change, names).project for change in changes), PROJECT)
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
        "hand included." + losing(c for c in changes if any(g.type == "predefinedRole" for g in c.gone)),
        "It finds a service account by display name, which has the request's name: a renamed request gets a new one.",
        "To a custom role it only adds; what was added by hand stays."
        if names.release >= (4, 14)
        else "This ccoctl (4.12 and 4.13) replaces a custom role, which every cluster of the project shares.",
    ]
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

"""GCP: custom roles, project bindings, workload identity, and the commands of `gcloud` and `ccoctl gcp`.

Sources: cloud-credential-operator `pkg/cmd/provisioning/gcp` (names, what a rerun does: docs/facts/gcp.md#ccoctl). A
custom role is shared by every cluster of the project, so permissions are added to it and never replaced.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from msgspec.structs import replace

from upgrade_gate.base.steps import Command, Placeholder, Word, line, word
from upgrade_gate.base.text import sentence
from upgrade_gate.clouds.contract.remedy import REQUESTS, CcoctlCommand, Draft, file_name, variable, yaml_file
from upgrade_gate.clouds.gcp import shapes
from upgrade_gate.clouds.shared import pages
from upgrade_gate.clouds.shared.drafting import CCOCTL_NAME, clean_up, create, grant, losing, take, trust

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.base.steps import BundleFile, Step
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange, Subject

FOLDER = "gcp"
FILES = (
    "*-role.yaml is all that an identity must hold until the upgrade is complete, *-delta.yaml what is new, "
    "*-bindings.yaml the project's bindings, *-role-after.yaml what replaces predefined roles in the clean-up"
)

_TRUST_ROLE = "roles/iam.workloadIdentityUser"
_POOL_MEMBER = re.compile(r"^(principal://[^/]+/projects/[^/]+/locations/[^/]+/workloadIdentityPools/[^/]+)/subject/")
_PROJECT = Placeholder("GCP_PROJECT", "the project's ID: gcloud config get project", "[a-z][a-z0-9:.-]*[a-z0-9]")
_NUMBER = Placeholder(
    "GCP_PROJECT_NUMBER", "the project's number: gcloud projects describe --format='value(projectNumber)'", "[0-9]+"
)
_POOL = Placeholder(
    "GCP_WORKLOAD_IDENTITY_POOL",
    "the cluster's pool: gcloud iam workload-identity-pools list --location=global",
    "[a-z0-9-]+",
)
_PROVIDER = Placeholder(
    "GCP_WORKLOAD_IDENTITY_PROVIDER",
    "the pool's provider: gcloud iam workload-identity-pools providers list --location=global",
    "[a-z0-9-]+",
)
_CCOCTL_NAME = replace(CCOCTL_NAME, pattern="[a-z0-9-]{1,32}")


@dataclass(frozen=True, slots=True)
class _Target:
    """The service account that gets the permissions, and what an export shows of it."""

    email: str | Placeholder
    base: str
    project: str | Placeholder
    role: str
    """ID of the custom role that is made or extended."""
    title: str
    role_seen: bool
    """Whether the export shows that the account holds this role: then it is there, and only added to."""
    pool: Word
    """`principal://…` up to the pool."""
    account_id: str
    display_name: str
    unknown: tuple[Placeholder, ...]

    @property
    def member(self) -> Word:
        return word("serviceAccount:", self.email)

    @property
    def role_name(self) -> Word:
        return word("projects/", self.project, f"/roles/{self.role}")


def draft(change: IdentityChange, names: ClusterNames) -> Draft:
    """Return the custom role, bindings, trust and their commands for one service account."""
    reading = shapes.DIALECT.read(names.documents)
    target = _target(change, names, reading)
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


def _alnum(text: str, longest: int) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)[:longest]


def _target(change: IdentityChange, names: ClusterNames, reading: pages.Reading) -> _Target:
    email = (change.identity or "").removeprefix("serviceAccount:")
    project = names.scopes[0] if names.scopes else names.account or ""
    request = change.components[0] if change.components else change.label
    name = names.ccoctl_name or names.infrastructure or "openshift"
    display_name = change.ccoctl or f"{name[:50]}-{request[:49]}"
    account_id = f"{name[:12]}-{request[:11]}".strip("-") + f"-{_five(display_name)}"
    if not email and change.create and names.scopes:
        email = f"{account_id}@{project}.iam.gserviceaccount.com"
    unnamed = Placeholder(
        variable("GCP_SERVICE_ACCOUNT", change.label),
        f"email of the service account behind Secret {change.secrets[0]}",
        "[A-Za-z0-9._-]+@[A-Za-z0-9.-]+",
    )
    stem = project or "openshift"
    role_id = f"{_alnum(stem, 32)}_{_alnum(request, 31)}"
    role_title = f"{stem[:50]}-{request[:49]}"
    ccoctls = (role_id, role_title)
    role, title = _custom_role(email, project, ccoctls, reading) if email and project else ("", "")
    pool = _pool(reading)
    pools = ("principal://iam.googleapis.com/projects/", _NUMBER, "/locations/global/workloadIdentityPools/")
    return _Target(
        email=email or unnamed,
        base=file_name(email.partition("@")[0]) if email else change.label,
        project=project or _PROJECT,
        role=role or role_id,
        title=title or role_title,
        role_seen=bool(role),
        pool=word(pool) if pool else word(*pools, names.ccoctl_name or _POOL),
        account_id=account_id,
        display_name=display_name,
        unknown=(_PROJECT, unnamed, _NUMBER, _POOL),
    )


def _five(text: str) -> str:
    """Return five characters that stand for ccoctl's random ones: equal runs must make equal names."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:5]


def _custom_role(email: str, project: str, ccoctls: tuple[str, str], reading: pages.Reading) -> tuple[str, str]:
    """Return ID and title of the custom role of this project that may be added to, empty where none is seen.

    The account holds it, and it grants something. It is ccoctl's by its ID or title, which every cluster of the project
    shares, or no other account holds it: what is added to a role is added for all.
    """
    documents = {shapes.role(entry).name: shapes.role(entry) for entry in reading.of("roles")}
    members: dict[str, set[str]] = {}
    for entry in reading.of("policies"):
        for binding in shapes.to_policy(entry).bindings:
            members.setdefault(binding.role, set()).update(m.casefold() for m in binding.members)
    me = f"serviceAccount:{email}".casefold()
    found: list[tuple[bool, str, str]] = []
    for name, held_by in members.items():
        document = documents.get(name)
        title = document.title if document else ""
        if not name.startswith(f"projects/{project}/roles/") or me not in held_by or (document and document.dead):
            continue
        own = name.rpartition("/")[2] == ccoctls[0] or title == ccoctls[1]
        if own or held_by == {me}:
            found.append((not own, name.rpartition("/")[2], title))
    return min(found)[1:] if found else ("", "")


def _pool(reading: pages.Reading) -> str:
    """Return the one pool that service accounts of the export trust, empty where there is none or several."""
    found = {
        matched.group(1)
        for entry in reading.of("policies")
        for binding in shapes.to_policy(entry).bindings
        if binding.role == _TRUST_ROLE
        for member in binding.members
        if (matched := _POOL_MEMBER.match(member))
    }
    return found.pop() if len(found) == 1 else ""


def _granted(change: IdentityChange, target: _Target) -> Step:
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


def _custom(target: _Target, file: BundleFile, listed: Sequence[str]) -> Command:
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


def _role_file(target: _Target, ending: str, listed: Sequence[str]) -> BundleFile:
    body = {
        "title": target.title,
        "description": "Made for an OpenShift component by its administrators",
        "stage": "GA",
        "includedPermissions": list(listed),
    }
    return yaml_file(f"{FOLDER}/{target.base}-{ending}.yaml", body)


def _bind(target: _Target, verb: Literal["add", "remove"], role: str | Word) -> Command:
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


def _created(change: IdentityChange, target: _Target) -> Step:
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


def _trusted(change: IdentityChange, target: _Target) -> Step:
    return trust(
        change,
        f"Let {sentence(map(str, change.untrusted))} act as {change.who}",
        "Each service account needs a binding of its own on the service account that it acts as.",
        commands=tuple(_trust(target, "add", subject) for subject in change.untrusted),
        notes=("A binding is added beside the others: none is lost.",),
        unknown=target.unknown,
    )


def _trust(target: _Target, verb: Literal["add", "remove"], subject: Subject) -> Command:
    return Command(
        line(
            f"gcloud iam service-accounts {verb}-iam-policy-binding",
            target.email,
            project=target.project,
            role=_TRUST_ROLE,
            member=word(target.pool, f"/subject/{subject}"),
            condition="None",
            quiet=True,
        )
    )


def _cleaned(change: IdentityChange, target: _Target) -> Step:
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


def _untrusted(change: IdentityChange, target: _Target) -> Step:
    return clean_up(
        change,
        f"Take the bindings of {sentence(map(str, change.gone_subjects))} away",
        "These service accounts no longer act as the service account; ccoctl leaves them.",
        commands=tuple(_trust(target, "remove", subject) for subject in change.gone_subjects),
        unknown=target.unknown,
    )


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
            project=(names.scopes[0] if names.scopes else names.account) or _PROJECT,
            credentials_requests_dir=REQUESTS,
            workload_identity_pool=names.ccoctl_name or _POOL,
            workload_identity_provider=names.ccoctl_name or _PROVIDER,
            output_dir="ccoctl-output",
        ),
        tuple(traps),
    )

"""GCP: custom roles, project bindings, workload identity, and the commands of `gcloud` and `ccoctl gcp`.

Sources: cloud-credential-operator `pkg/cmd/provisioning/gcp` (names, what a rerun does: facts cco.md 2.2 and 7). A
custom role is shared by every cluster of the project, so permissions are added to it and never replaced.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.remedy import (
    CcoctlCommand,
    Command,
    Draft,
    Placeholder,
    Serves,
    Step,
    argv,
    file_name,
    sentence,
    variable,
    yaml_file,
)
from upgrade_gate.clouds.gcp import shapes
from upgrade_gate.clouds.shared import pages
from upgrade_gate.clouds.shared.phrases import later, merged, newcomer, permissions, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

KINDS = frozenset({"GCPProviderSpec"})
FOLDER = "gcp"

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
_CCOCTL_NAME = Placeholder("CCOCTL_NAME", "the --name that ccoctl was run with", "[a-z0-9-]{1,32}")


@dataclass(frozen=True, slots=True)
class _Target:
    """The service account that gets the permissions, and what an export shows of it."""

    email: str
    base: str
    project: str
    role: str
    """ID of the custom role that is made or extended."""
    title: str
    role_seen: bool
    """Whether the export shows that the account holds this role: then it is there, and only added to."""
    pool: str
    """`principal://…` up to the pool."""
    account_id: str
    display_name: str
    placeholders: tuple[Placeholder, ...]
    for_pool: tuple[Placeholder, ...]

    @property
    def member(self) -> str:
        return f"serviceAccount:{self.email}"

    @property
    def role_name(self) -> str:
        return f"projects/{self.project}/roles/{self.role}"


def draft(work: IdentityChange, site: ClusterNames) -> Draft:
    """Return the custom role, bindings, trust and their commands for one service account."""
    reading = shapes.DIALECT.read(site.documents)
    target = _target(work, site, reading)
    files: dict[str, bytes] = {}
    steps: list[Step] = []
    if work.create:
        steps.append(_created(work, target))
    if work.delta:
        steps.append(_granted(work, target, files))
    if work.untrusted:
        steps.append(_trusted(work, target))
    if work.gone:
        steps.append(_cleaned(work, target, files))
    if work.gone_subjects:
        steps.append(_untrusted(work, target))
    body = {"permissions": _of(work.before, "permission"), "predefined_roles": _of(work.before, "predefinedRole")}
    return Draft(files, tuple(steps), ((target.base, body),) if work.before else ())


def _of(grants: Iterable[Grant], kind: str) -> list[str]:
    return sorted({g.permission for g in grants if g.type == kind})


def _alnum(text: str, longest: int) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", text)[:longest]


def _target(work: IdentityChange, site: ClusterNames, reading: pages.Reading) -> _Target:
    email = (work.identity or "").removeprefix("serviceAccount:")
    project = site.scopes[0] if site.scopes else site.account or ""
    placeholders: list[Placeholder] = []
    if not project:
        placeholders.append(_PROJECT)
        project = _PROJECT.token
    request = work.components[0] if work.components else work.label
    name = site.ccoctl_name or site.infrastructure or "openshift"
    display_name = work.ccoctl or f"{name[:50]}-{request[:49]}"
    account_id = f"{name[:12]}-{request[:11]}".strip("-") + f"-{_five(display_name)}"
    if not email and work.create and site.scopes:
        email = f"{account_id}@{project}.iam.gserviceaccount.com"
    base = file_name(email.partition("@")[0]) if email else work.label
    if not email:
        one = Placeholder(
            variable("GCP_SERVICE_ACCOUNT", work.label),
            f"email of the service account behind Secret {work.secrets[0]}",
            "[A-Za-z0-9._-]+@[A-Za-z0-9.-]+",
        )
        placeholders.append(one)
        email = one.token
    stem = _alnum(project, 32) if project != _PROJECT.token else "openshift"
    role_id = f"{stem}_{_alnum(request, 31)}"
    role_title = f"{project[:50] if project != _PROJECT.token else 'openshift'}-{request[:49]}"
    role, title = _custom_role(email, project, (role_id, role_title), reading)
    pool = _pool(reading)
    number, pool_name = _NUMBER.token, site.ccoctl_name or _POOL.token
    return _Target(
        email=email,
        base=base,
        project=project,
        role=role or role_id,
        title=title or role_title,
        role_seen=bool(role),
        pool=pool
        or f"principal://iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{pool_name}",
        account_id=account_id,
        display_name=display_name,
        placeholders=tuple(placeholders),
        for_pool=() if pool else (_NUMBER, *(() if site.ccoctl_name else (_POOL,))),
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


def _granted(work: IdentityChange, target: _Target, files: dict[str, bytes]) -> Step:
    missing, roles = _of(work.delta, "permission"), _of(work.delta, "predefinedRole")
    names: list[str] = []
    commands: list[Command] = []
    notes: list[str] = []
    bindings = [{"role": role, "members": [target.member]} for role in roles]
    if missing:
        full, delta = f"{FOLDER}/{target.base}-role.yaml", f"{FOLDER}/{target.base}-delta.yaml"
        files[full] = yaml_file(_role_document(target, _of(work.before, "permission")))
        files[delta] = yaml_file(_role_document(target, missing))
        names += [full, delta]
        commands += [_custom(target, full, missing), _binding(target, target.role_name)]
        bindings.append({"role": target.role_name, "members": [target.member]})
        notes.append(
            f"Every cluster of project {target.project} shares the role, so a role that exists is only added to. "
            "A permission that a custom role cannot hold needs a predefined role instead."
        )
    commands += [_binding(target, role) for role in roles]
    file = f"{FOLDER}/{target.base}-bindings.yaml"
    files[file] = yaml_file({"bindings": bindings})
    return Step(
        title=f"Grant {permissions(work.delta)} to {work.who}",
        reason=why(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        commands=tuple(commands),
        files=(*names, file),
        notes=tuple(notes),
        placeholders=target.placeholders,
    )


def _custom(target: _Target, file: str, listed: Sequence[str]) -> Command:
    """Return the command that makes the custom role, or adds permissions to the one that is there."""
    update = argv(
        "gcloud iam roles update",
        target.role,
        project=target.project,
        add_permissions=_as_list(listed),
        quiet=True,
    )
    if target.role_seen:
        return Command(update)
    return Command(
        argv("gcloud iam roles create", target.role, project=target.project, file=file, quiet=True),
        unless=argv("gcloud iam roles describe", target.role, project=target.project),
        otherwise=update,
    )


def _as_list(listed: Sequence[str]) -> str:
    """Return names as `gcloud` takes a list: apart at another character where one of them holds a comma."""
    if not any("," in name or name.startswith("^") for name in listed):
        return ",".join(listed)
    apart = next(c for c in (*";:|#~", *map(chr, range(0x2460, 0x3000))) if not any(c in name for name in listed))
    return f"^{apart}^{apart.join(listed)}"


def _role_document(target: _Target, listed: Sequence[str]) -> dict[str, Any]:
    return {
        "title": target.title,
        "description": "Made for an OpenShift component by its administrators",
        "stage": "GA",
        "includedPermissions": list(listed),
    }


def _binding(target: _Target, role: str) -> Command:
    return Command(
        argv(
            "gcloud projects add-iam-policy-binding",
            target.project,
            member=target.member,
            role=role,
            condition="None",
            quiet=True,
        )
    )


def _created(work: IdentityChange, target: _Target) -> Step:
    return Step(
        title=f"Create service account {target.account_id}",
        reason=newcomer(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        commands=(
            Command(
                argv(
                    "gcloud iam service-accounts create",
                    target.account_id,
                    project=target.project,
                    display_name=target.display_name,
                    quiet=True,
                ),
                unless=argv("gcloud iam service-accounts describe", target.email, project=target.project),
            ),
        ),
        notes=("ccoctl finds it by its display name, which carries the request's name and not the Secret's.",),
        placeholders=target.placeholders,
        first=True,
    )


def _trusted(work: IdentityChange, target: _Target) -> Step:
    return Step(
        title=f"Let {sentence(map(str, work.untrusted))} act as {work.who}",
        reason="Each service account needs a binding of its own on the service account that it acts as.",
        when="before",
        serves=Serves.TRUST,
        secrets=work.names,
        commands=tuple(_trust(target, "add", str(subject)) for subject in work.untrusted),
        notes=("A binding is added beside the others: none is lost.",),
        placeholders=merged(target.placeholders, *target.for_pool),
    )


def _trust(target: _Target, verb: str, subject: str) -> Command:
    return Command(
        argv(
            f"gcloud iam service-accounts {verb}-iam-policy-binding",
            target.email,
            project=target.project,
            role=_TRUST_ROLE,
            member=f"{target.pool}/subject/{subject}",
            condition="None",
            quiet=True,
        )
    )


def _cleaned(work: IdentityChange, target: _Target, files: dict[str, bytes]) -> Step:
    """Return the step after the upgrade: what replaces a predefined role first, then its binding.

    No script does this: a service account may serve more than this cluster, and a custom role every cluster of the
    project.
    """
    gone, roles = _of(work.gone, "permission"), _of(work.gone, "predefinedRole")
    needed = _of(work.target, "permission")
    commands: list[Command] = []
    names: tuple[str, ...] = ()
    if roles and needed:
        names = (f"{FOLDER}/{target.base}-role-after.yaml",)
        files[names[0]] = yaml_file(_role_document(target, needed))
        commands += [_custom(target, names[0], needed), _binding(target, target.role_name)]
    commands += [
        Command(
            argv(
                "gcloud projects remove-iam-policy-binding",
                target.project,
                member=target.member,
                role=role,
                condition="None",
                quiet=True,
            )
        )
        for role in roles
    ]
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
    return Step(
        title=f"Take {permissions(work.gone)} from {work.who}",
        reason=later(work),
        when="after",
        serves=Serves.CLEAN_UP,
        secrets=work.names,
        commands=tuple(commands),
        files=names,
        notes=tuple(notes),
        placeholders=target.placeholders,
        scripted=False,
    )


def _untrusted(work: IdentityChange, target: _Target) -> Step:
    return Step(
        title=f"Take the bindings of {sentence(map(str, work.gone_subjects))} away",
        reason="These service accounts no longer act as the service account; ccoctl leaves them.",
        when="after",
        serves=Serves.CLEAN_UP,
        secrets=work.names,
        commands=tuple(_trust(target, "remove", str(subject)) for subject in work.gone_subjects),
        placeholders=merged(target.placeholders, *target.for_pool),
    )


def secret_value(key: str, work: IdentityChange, site: ClusterNames) -> str | None:
    """Return None: the value is one JSON document, a key file or an external account configuration."""
    del key, work, site
    return None


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return permissions and predefined roles of each service account as local values."""
    return {"locals": {"upgrade_gate_gcp_roles": dict(entries)}}


def ccoctl(works: Sequence[IdentityChange], site: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl gcp create-service-accounts`, for clusters with workload identity."""
    if not site.token or site.release < (4, 10):
        return None
    project = site.scopes[0] if site.scopes else site.account
    words = (
        (site.ccoctl_name or _CCOCTL_NAME.token, _CCOCTL_NAME),
        (project or _PROJECT.token, _PROJECT),
        (site.ccoctl_name or _POOL.token, _POOL),
        (site.ccoctl_name or _PROVIDER.token, _PROVIDER),
    )
    losing = [w.label for w in works if any(g.type == "predefinedRole" for g in w.gone)]
    traps = [
        "It removes every project binding of these service accounts that the requests do not list, those given by "
        "hand included."
        + (f" Before the upgrade that takes from {sentence(losing)} what the running release needs." if losing else ""),
        "It finds a service account by display name, which has the request's name: a renamed request gets a new one.",
    ]
    traps.append(
        "To a custom role it only adds; what was added by hand stays."
        if site.release >= (4, 14)
        else "This ccoctl (4.12 and 4.13) replaces a custom role, which every cluster of the project shares."
    )
    return CcoctlCommand(
        argv=argv(
            "ccoctl gcp create-service-accounts",
            name=words[0][0],
            project=words[1][0],
            credentials_requests_dir="credentials-requests",
            workload_identity_pool=words[2][0],
            workload_identity_provider=words[3][0],
            output_dir="ccoctl-output",
        ),
        traps=tuple(traps),
        placeholders=tuple(p for word, p in words if word == p.token),
    )

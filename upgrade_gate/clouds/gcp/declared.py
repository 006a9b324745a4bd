"""What files say that GCP identities should be granted: roles as YAML or JSON, a vendor's templates, Terraform's plans.

Shapes: what `gcloud iam roles create --file` takes and `describe` prints, `kind: WifTemplate` of managed OpenShift
(openshift/managed-cluster-config), `google_project_iam_custom_role`, `google_project_iam_member` and `_binding`. A role
does not say who gets it: it counts as bound to the identity, on the project that it names, else on the cluster's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from upgrade_gate.clouds.contract.declared import Addition, Declaration, Open, Part
from upgrade_gate.clouds.gcp.projects import project_of_role
from upgrade_gate.clouds.shared import terraform
from upgrade_gate.clouds.shared.placeholders import is_placeholder
from upgrade_gate.reading.node import limiting, mapping, readable_strings, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.declared import Path
    from upgrade_gate.clouds.contract.grants import Grant

_CUSTOM = ("google_project_iam_custom_role", "google_organization_iam_custom_role")
_MEMBERS = {"google_project_iam_member": "member", "google_project_iam_binding": "members"}
_TAKING = re.compile(
    r"google_(iam_deny_policy|project_iam_member_remove|(project|folder|organization)_iam_policy"
    r"|iam_principal_access_boundary_policy|iam_\w+_policy_binding)"
)
"""Types that take away what others give."""
_PROJECT = re.compile(r"projects(?:/|%2F)([a-z][^/%]*)$", re.IGNORECASE)
_LISTS = ("includedPermissions", "permissions")
_PLAIN = re.compile(r"[^A-Za-z0-9_.]+")


def declarations(body: Any) -> tuple[Declaration, ...]:
    """Return a declaration for each role of a document, for each account of a template, for each member of a plan."""
    if terraform.is_show(body):
        return terraform.doubted(body, _of_terraform(terraform.resources(body)))
    if isinstance(body, list):
        return tuple(
            Declaration((_role(one, (number,)),), _called(one))
            for number, one in enumerate(body)
            if isinstance(one, Mapping) and "includedPermissions" in one
        )
    if not isinstance(body, Mapping):
        return ()
    if body.get("kind") == "WifTemplate":
        listed = body.get("service_accounts")
        return tuple(
            _account(mapping(one), ("service_accounts", number))
            for number, one in enumerate(listed if isinstance(listed, list) else ())
        )
    if "includedPermissions" in body or ("title" in body and "stage" in body):
        return (Declaration((_role(body, ()),), _called(body)),)
    return ()


def _called(body: Mapping[str, Any]) -> tuple[str, ...]:
    names = (text(body.get("title")), text(body.get("name")).rpartition("/")[2], text(body.get("roleId")))
    return tuple(dict.fromkeys(name for name in names if name))


def _role(body: Mapping[str, Any], path: Path) -> Part:
    """Return a custom role, bound; what is spoilt in it is told by the judge."""
    role = {"stage": limiting(body, "stage") or "GA", "deleted": body.get("deleted", False)}
    listed = body.get("includedPermissions")
    whole = {**role, "title": text(body.get("title")), "includedPermissions": listed if listed is not None else []}
    name, filled = next(iter(_called(body)), "role"), _filled(listed)
    part = Part(name, {"roles": [whole]}, {"everything": True} if filled else {"roles": [whole]}, path, filled)
    project = project_of_role(text(body.get("name")))
    return _on_project(part, project, name) if project and not is_placeholder(project) else part


def _on_project(part: Part, project: Any, by: str) -> Part:
    """Return a part as given on a project and on no other; which one is open where `by` tells it by number or not."""
    name = project.removeprefix("projects/") if isinstance(project, str) else ""
    if name and not name.isdecimal():
        least, most = ({**body, "project": name} if body else body for body in (part.least, part.most))
        return replace(part, least=least, most=most)
    why = project.text if isinstance(project, Open) else f"the ID of project {name}" if name else f"project of {by}"
    return replace(part, least={}, opened=(*part.opened, why))


def _filled(permissions: Any) -> tuple[str, ...]:
    """Return the permissions that something still fills in."""
    return tuple(f"the permission {one}" for one in strings(permissions) if is_placeholder(one))


def _account(body: Mapping[str, Any], path: Path) -> Declaration:
    """Return what a template gives to one account; a role on single resources is not one on the project."""
    secret = mapping(mapping(body.get("credential_request")).get("secret_ref"))
    named = f"{text(secret.get('namespace'))}/{text(secret.get('name'))}"
    listed = body.get("roles")
    parts: list[Part] = []
    for number, role in enumerate(listed if isinstance(listed, list) else ()):
        entry = mapping(role)
        identifier = text(entry.get("id"))
        if entry.get("predefined") is True:
            whole: dict[str, Any] = {"bound": [f"roles/{identifier}"]}
        else:
            permissions = entry.get("permissions")
            whole = {"roles": [{"title": identifier, "stage": "GA", "includedPermissions": permissions or []}]}
        bound = (f"on which resources {identifier} is bound",) if entry.get("resource_bindings") else ()
        filled = _filled(entry.get("permissions"))
        most = {"everything": True} if filled else whole
        parts.append(Part(identifier, {} if bound else whole, most, (*path, "roles", number), (*bound, *filled)))
    names = tuple(name for name in (text(body.get("id")), text(body.get("osd_role"))) if name)
    return Declaration(tuple(parts), names, secret=named if len(named) > 1 else None, path=path)


def _of_terraform(found: Sequence[terraform.Resource]) -> tuple[Declaration, ...]:
    """Return what each member of a plan is given on a project, and each role that is bound to nobody."""
    roles = [one for one in found if one.type in _CUSTOM]
    given: dict[str, list[Part]] = {}
    where: dict[str, list[str]] = {}
    bound: set[str] = set()
    for one in found:
        if one.type not in _MEMBERS:
            continue
        members = strings(one.get(_MEMBERS[one.type]))
        known = terraform.named(one, "role", roles, "id", "name")
        part = _on_project(_custom(known) if known is not None else _bound(one), one.get("project"), one.address)
        if one.get("condition"):
            part = Part(part.name, {}, part.most, part.path, (*part.opened, f"the condition of {one.address}"))
        if known is not None:
            bound.add(known.address)
        for member in members:
            given.setdefault(member, []).append(part)
            where.setdefault(member, []).append(one.text("project"))
    declared = [
        Declaration(
            tuple(parts), _of_member(member), _projects(where[member]), doubts=_bound_away(member, found, roles)
        )
        for member, parts in given.items()
    ]
    declared += [
        Declaration(
            (
                _custom(one)
                if one.get("project") is None
                else _on_project(_custom(one), one.get("project"), one.address),
            ),
            (one.text("role_id") or one.name, one.text("title"), one.address, one.name),
            _projects([one.text("project")]),
        )
        for one in roles
        if one.address not in bound
    ]
    return (*declared, *_taking(found))


def _projects(named: Iterable[str]) -> tuple[str, ...]:
    """Return projects as what takes away names them; one that is not named, or by its number, may be any."""
    plain = (each.removeprefix("projects/") for each in named)
    return tuple(dict.fromkeys("*" if not each or each.isdigit() else f"projects/{each}" for each in plain))


def _taking(found: Sequence[terraform.Resource]) -> Iterator[Declaration]:
    """Yield what may take away something that is given on a project, by whatever file."""
    for one in found:
        if _TAKING.fullmatch(one.type) is None:
            continue
        named = _PROJECT.search(one.text("parent"))
        reach = _projects([one.text("project") or (named.group(1) if named else "")])
        doubts = (f"{one.address} may take away what others give",)
        yield Declaration(path=one.path, reach=() if "*" in reach else reach, doubts=doubts)


def _bound_away(
    member: str, found: Sequence[terraform.Resource], roles: Sequence[terraform.Resource]
) -> tuple[str, ...]:
    """Return what binds a role that a member is given to others alone: a binding is all that the role has there.

    Source: the Google provider's documentation of google_project_iam_binding, which is authoritative for a role.
    """

    def role_of(one: terraform.Resource) -> str:
        known = terraform.named(one, "role", roles, "id", "name")
        return known.address if known is not None else one.text("role")

    def may_be_of_one(one: terraform.Resource, binding: terraform.Resource) -> bool:
        return all(
            not own or not theirs or own == theirs
            for own, theirs in ((role_of(one), role_of(binding)), (one.text("project"), binding.text("project")))
        ) and bool(one.get("condition")) == bool(binding.get("condition"))

    given = [one for one in found if one.type in _MEMBERS and member in strings(one.get(_MEMBERS[one.type]))]
    return tuple(
        f"{binding.address} takes its role from whom it does not list"
        for binding in found
        if binding.type == "google_project_iam_binding" and member not in strings(binding.get("members"))
        if any(may_be_of_one(one, binding) for one in given)
    )


def _of_member(member: str) -> tuple[str, ...]:
    account = member.rpartition(":")[2]
    return (account.partition("@")[0], account, member)


def _custom(one: terraform.Resource) -> Part:
    given = one.get("permissions")
    readable = readable_strings(given)
    if isinstance(given, Open) or readable is None or terraform.unknown_in(one.unknown.get("permissions")):
        why = given.text if isinstance(given, Open) else f"permissions of {one.address}"
        return Part(one.address, {}, {"everything": True}, one.path, (why,))
    stage, deleted = one.get("stage") or "GA", one.get("deleted")
    # the provider sets `deleted` itself, so that it is open in every plan of a new role, which is not deleted
    unsaid = (stage, None if one.made else deleted)
    opened = tuple(value.text for value in unsaid if isinstance(value, Open))
    role = {
        "title": one.address,
        "stage": "GA" if isinstance(stage, Open) else stage,
        "deleted": False if deleted is None or isinstance(deleted, Open) else deleted,
        "includedPermissions": list(readable),
    }
    return Part(one.address, {} if opened else {"roles": [role]}, {"roles": [role]}, one.path, opened)


def _bound(one: terraform.Resource) -> Part:
    role = one.get("role")
    if isinstance(role, str):
        return Part(one.address, {"bound": [role]}, {"bound": [role]}, one.path)
    return Part(one.address, {}, {"everything": True}, one.path, (f"role of {one.address}",))


def identity(name: str) -> str:
    """Return the email of the account."""
    return f"{name}@declared.iam.gserviceaccount.com"


def documents(found: Sequence[Declaration], name: str, context: Context | None, *, most: bool) -> tuple[Any, ...]:
    """Return the roles, and the policy of each project that binds them.

    What names no project is bound on the cluster's own; where that is not known, on the only one that is named.
    """
    each = [(part.name, part.most if most else part.least) for one in found for part in one.parts]
    named = {body["project"] for _, body in each if "project" in body}
    own = (context.project if context is not None else None) or (min(named) if len(named) == 1 else "")
    member = f"serviceAccount:{identity(name)}"
    bodies: list[Any] = []
    bound: dict[str, list[str]] = {own: []} if own or not named else {}
    for title, body in each:
        project = body.get("project", own)
        given = bound.setdefault(project, []) if body else []
        for role in body.get("roles", []):
            full = f"{_roles_of(project)}/{_PLAIN.sub('_', title)}.{len(bodies)}"
            bodies.append({**role, "name": full, "title": title})
            given.append(full)
        given += body.get("bound", [])
        given += ["roles/owner"] if body.get("everything") else []
    for project, given in bound.items():
        nothing = f"{_roles_of(project)}/none"
        bindings = [{"role": role, "members": [member]} for role in dict.fromkeys(given or [nothing])]
        policy = {"bindings": bindings, "etag": "declared"}
        bodies.append({"name": nothing, "title": "none", "stage": "GA", "includedPermissions": []})
        bodies.append({"project": project, "policy": policy} if project else policy)
    return tuple(bodies)


def _roles_of(project: str) -> str:
    return f"projects/{project or 'declared'}/roles"


def where(body: Any, grant: Grant) -> Path:
    """Return the place of a permission, else of the list that it belongs in."""
    for key in _LISTS:
        listed = mapping(body).get(key)
        if isinstance(listed, list) and grant.permission in listed:
            return (key, listed.index(grant.permission))
    return next((addition.path for addition in additions(body, [grant])), ())


def additions(body: Any, grants: Sequence[Grant]) -> tuple[Addition, ...]:
    """Return what gives these grants: permissions more in the role; nothing binds a role more."""
    key = next((key for key in _LISTS if isinstance(mapping(body).get(key), list)), None)
    if key is None or any(grant.type != "permission" for grant in grants):
        return ()
    return (Addition((key,), tuple(sorted({grant.permission for grant in grants}))),)

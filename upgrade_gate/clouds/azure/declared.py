"""What files say that Azure identities should be granted: role definitions, by themselves and in Terraform's plans.

Shapes: what `az role definition create` and `list` take and print, and `azurerm_role_definition`. A definition does not
say who gets it: it counts as given to the identity wherever it may be assigned (`assignableScopes`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.azure import shapes
from upgrade_gate.clouds.contract.declared import Addition, Declaration, Open, Part
from upgrade_gate.clouds.shared import terraform
from upgrade_gate.clouds.shared.patterns import Patterns, covered
from upgrade_gate.clouds.shared.placeholders import is_placeholder
from upgrade_gate.reading.node import mapping, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.declared import Path
    from upgrade_gate.clouds.contract.grants import Grant

_LISTS = {"permission": ("actions", "notactions"), "dataPermission": ("dataactions", "notdataactions")}
_ROLE = "azurerm_role_definition"
_ASSIGNMENT = "azurerm_role_assignment"
_OF_ROLE = "role_definition_id"
_ROLE_IDS = ("role_definition_resource_id", "role_definition_id", "id")
_TERRAFORM = {
    "actions": "actions",
    "not_actions": "notActions",
    "data_actions": "dataActions",
    "not_data_actions": "notDataActions",
}


def declarations(body: Any) -> tuple[Declaration, ...]:
    """Return a declaration for each role definition of a document."""
    if terraform.is_show(body):
        found = terraform.resources(body)
        roles = [one for one in found if one.type == _ROLE]
        assigned = [(one, _assigned(one, roles)) for one in found if one.type == _ASSIGNMENT]
        own = {one.address: [each for each, role in assigned if role is one] for one in roles}
        unsure = [each for each, role in assigned if role is None and isinstance(each.get(_OF_ROLE), Open)]
        return terraform.doubted(body, (_of_resource(one, own[one.address], unsure) for one in roles))
    if isinstance(body, list):
        return tuple(found for number, one in enumerate(body) for found in _of_object(one, (number,)))
    return tuple(_of_object(body, ()))


def _of_object(body: Any, path: Path) -> Iterator[Declaration]:
    kind = shapes.kind_of(body) if isinstance(body, Mapping) else None
    if kind == "role definitions":
        yield _definition(body, path)
    elif kind == "deny assignments":
        yield Declaration(reach=(), doubts=("a deny assignment may take away what roles give",))


def _definition(body: Mapping[str, Any], path: Path) -> Declaration:
    inner = {key.casefold(): value for key, value in {**mapping(body.get("properties")), **body}.items()}
    name = text(inner.get("rolename")) or text(inner.get("name"))
    scopes = inner.get("assignablescopes")
    listed = strings(scopes)
    opened = [f"the assignable scope {one}" for one in listed if not one.startswith("/") or is_placeholder(one)]
    if not listed:
        opened.append("where the role may be assigned")
    filled = [text for kind in _LISTS for _, one in _operations(body, kind) for text in strings(one)]
    opened += [f"the operation {one}" for one in filled if is_placeholder(one)]
    everything = {"roleName": name, "permissions": [{"actions": ["*"], "dataActions": ["*"]}], "assignableScopes": []}
    least: dict[str, Any] = {"definition": body, "scopes": [] if opened else listed}
    most = {"definition": everything if opened else body, "scopes": ["/"] if opened else listed}
    return Declaration((Part(name, least, most, path, tuple(opened)),), (name,), path=path)


def _assigned(one: terraform.Resource, roles: Sequence[terraform.Resource]) -> terraform.Resource | None:
    """Return the role of the plan that is assigned, None for another one, and where that is not known."""
    name = one.text("role_definition_name")
    by_name = [role for role in roles if name and role.text("name") == name]
    return by_name[0] if len(by_name) == 1 else terraform.named(one, _OF_ROLE, roles, *_ROLE_IDS)


def _of_resource(
    one: terraform.Resource, assigned: Sequence[terraform.Resource], unsure: Sequence[terraform.Resource]
) -> Declaration:
    """Return a role of a plan in Azure's own shape; a plan may not know all of it yet."""
    given = one.get("permissions")
    unknown = terraform.unknown_in(one.unknown.get("permissions"))
    opened = [f"permissions of {one.address}, known after apply"] if unknown else []
    permissions = [
        {ours: entry.get(theirs) or [] for theirs, ours in _TERRAFORM.items()}
        for entry in (given if isinstance(given, list) else [])
        if isinstance(entry, Mapping)
    ]
    listed, unsaid = _scopes(one, assigned)
    opened += [f"which role {each.address} assigns" for each in unsure if not assigned]
    opened += unsaid
    name = one.text("name")
    role = {"roleName": name or one.address, "permissions": permissions, "assignableScopes": list(listed)}
    everything = {**role, "permissions": [{"actions": ["*"], "dataActions": ["*"]}]}
    least = {"definition": role, "scopes": [] if opened else listed}
    most = {"definition": everything if opened else role, "scopes": ["/"] if opened else listed}
    names = tuple(dict.fromkeys(n for n in (name, one.address, one.name) if n))
    return Declaration((Part(one.address, least, most, one.path, tuple(opened)),), names, path=one.path)


def _scopes(role: terraform.Resource, assigned: Sequence[terraform.Resource]) -> tuple[tuple[str, ...], list[str]]:
    """Return where a role of a plan is given, and what is open in that.

    Where the plan assigns it, there and nowhere else; several principals must be given it at the same places, for
    which of them is the identity's is not told. Else wherever it may be assigned, which is its scope unless the
    configuration says otherwise: the provider fills that in, so that it is open in the plan of a new role.
    Source: the AzureRM provider's documentation of azurerm_role_definition, `assignable_scopes`.
    """
    if not assigned:
        scopes = role.get("assignable_scopes")
        filled = isinstance(scopes, Open) and bool(role.references) and "assignable_scopes" not in role.references
        listed = strings(role.get("scope") if filled or not scopes else scopes)
        return listed, [] if listed else [f"scope of {role.address}"]
    opened = [f"the condition of {one.address}" for one in assigned if one.get("condition")]
    opened += [f"scope of {one.address}" for one in assigned if not one.text("scope")]
    given: dict[object, set[str]] = {}
    for one in assigned:
        whose = one.text("principal_id") or one.references.get("principal_id") or one.address
        given.setdefault(whose, set()).add(one.text("scope"))
    first, *others = given.values()
    opened += [f"which principal {role.address} is for"] if any(one != first for one in others) else []
    return tuple(sorted(first)), opened


def identity(name: str) -> str:
    """Return how the principal is spelt."""
    return f"{shapes.PRINCIPAL}{name}"


def documents(found: Sequence[Declaration], name: str, context: Context | None, *, most: bool) -> tuple[Any, ...]:
    """Return the roles with an assignment of each at each of its scopes."""
    del context
    bodies: list[Any] = []
    for number, part in enumerate(part for one in found for part in one.parts):
        body = part.most if most else part.least
        guid = f"00000000-0000-4000-8000-{number:012}"
        definition = {**mapping(body["definition"].get("properties")), **body["definition"]}
        kept = {key: value for key, value in definition.items() if key.casefold() not in ("id", "name", "properties")}
        titled = {"roleName": part.name, **{k: v for k, v in kept.items() if k.casefold() != "rolename"}}
        bodies.append({**titled, "id": f"/providers/Microsoft.Authorization/roleDefinitions/{guid}"})
        bodies += [_assignment(name, part.name, guid, scope) for scope in body["scopes"] or ["/nowhere"]]
    return tuple(bodies)


def _assignment(principal: str, role: str, guid: str, scope: str) -> dict[str, str]:
    return {
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "roleDefinitionName": role,
        "scope": scope,
    }


def where(body: Any, grant: Grant) -> Path:
    """Return the place of the operation that gives or takes a grant, else of the list that it belongs in."""
    wanted = shapes.fold(grant.permission)
    for path, listed in _operations(body, grant.type):
        for number, pattern in enumerate(listed):
            if covered(wanted, (Patterns((shapes.fold(pattern),)),), single=False):
                return (*path, number)
    return next((addition.path for addition in additions(body, [grant])), ())


def _operations(body: Any, kind: str) -> Iterator[tuple[Path, list[Any]]]:
    """Yield the lists of a plane with their places: what is allowed, then what is excepted."""
    holders: list[tuple[Path, Any]] = [((), body)]
    for path, one in holders:
        for key, value in one.items() if isinstance(one, Mapping) else ():
            if key.casefold() == "properties":
                holders.append(((*path, key), value))
            elif key.casefold() == "permissions" and isinstance(value, list):
                holders += [((*path, key, number), entry) for number, entry in enumerate(value)]
            elif key.casefold() in _LISTS.get(kind, ()) and isinstance(value, list):
                yield (*path, key), value


def additions(body: Any, grants: Sequence[Grant]) -> tuple[Addition, ...]:
    """Return what gives these grants: an operation more in the first list of its plane that excepts none of them."""
    found: list[Addition] = []
    for kind, (allows, excepts) in _LISTS.items():
        names = sorted({g.permission for g in grants if g.type == kind}, key=str.casefold)
        lists = list(_operations(body, kind))
        denied = [Patterns((shapes.fold(p),)) for path, listed in lists if _is(path, excepts) for p in strings(listed)]
        if not names or any(covered(shapes.fold(name), denied, single=False) for name in names):
            continue
        path = next((path for path, _ in lists if _is(path, allows)), None)
        if path is not None:
            found.append(Addition(path, tuple(names)))
    added = {name for addition in found for name in addition.values}
    return tuple(found) if added >= {g.permission for g in grants} else ()


def _is(path: Path, key: str) -> bool:
    return str(path[-1]).casefold() == key

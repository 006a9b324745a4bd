"""What files say that service IDs of IBM Cloud should be granted: access policies, also those of Terraform's plans.

Shapes: what `ibmcloud iam service-policy-create --file` takes and `service-policies` prints, both versions, with or
without a subject, and `ibm_iam_service_policy`, whose roles are names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.declared import Addition, Declaration, Open, Part
from upgrade_gate.clouds.ibmcloud.cover import needed_attributes
from upgrade_gate.clouds.shared import terraform
from upgrade_gate.clouds.shared.placeholders import opened
from upgrade_gate.reading.node import mapping, objects, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.declared import Path
    from upgrade_gate.clouds.contract.grants import Grant

_RESOURCE = "ibm_iam_service_policy"
_PLATFORM_ROLES = frozenset({"Viewer", "Operator", "Editor", "Administrator"})
_CRN = "crn:v1:bluemix:public:iam::::"
_ANYTHING: Mapping[str, Any] = {"roles": "unknown", "resources": [{"attributes": []}]}
"""A policy of which nothing is known: the judge cannot tell what it gives."""
_ATTRIBUTES = {
    "service": "serviceName",
    "resource_group_id": "resourceGroupId",
    "resource_type": "resourceType",
    "resource_instance_id": "serviceInstance",
    "resource": "resource",
    "region": "region",
    "service_type": "serviceType",
    "service_group_id": "service_group_id",
}
"""What the provider calls an attribute, and what IBM Cloud does; any other limits the policy by its own name."""
_SAID = ("roles", "resources", "resource_attributes", "resource_tags", "account_management")


def declarations(body: Any) -> tuple[Declaration, ...]:
    """Return a declaration for each service ID of a plan, and for each subject of a document's policies."""
    if terraform.is_show(body):
        return terraform.doubted(body, _of_terraform(terraform.resources(body)))
    given: dict[tuple[str, ...], list[Part]] = {}
    for path, one in _listed(body):
        given.setdefault(_subject(one), []).append(_part(one, path))
    return tuple(Declaration(tuple(parts), names) for names, parts in given.items())


def _subject(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Return whom a policy names; nobody where it leaves that to the command that puts it."""
    holders = [mapping(body.get("subject")), *objects(body.get("subjects"))]
    return tuple(
        sorted({text(one.get("value")) for holder in holders for one in objects(holder.get("attributes"))} - {""})
    )


def _listed(body: Any) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield each policy of a document with its place."""
    inner = mapping(body).get("policies")
    base: Path = ("policies",) if isinstance(inner, list) else ()
    listed = inner if isinstance(inner, list) else body if isinstance(body, list) else None
    for number, one in enumerate(listed or ()):
        if _is_policy(one):
            yield (*base, number), one
    if listed is None and _is_policy(body):
        yield (), body


def _is_policy(body: Any) -> bool:
    has = mapping(body)
    first = isinstance(has.get("resources"), list) and "roles" in has
    return first or (isinstance(has.get("control"), Mapping) and "resource" in has)


def _part(body: Mapping[str, Any], path: Path) -> Part:
    name = text(body.get("description")) or text(body.get("id")) or "policy"
    about = {key: value for key, value in body.items() if key not in ("description", "id", "subject", "subjects")}
    filled = tuple(dict.fromkeys(one.text for one in _open_in(opened(about))))
    return Part(name, {} if filled else body, _ANYTHING if filled else body, path, filled)


def _open_in(value: Any) -> Iterator[Open]:
    """Yield what something still fills in."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for one in inner:
        if isinstance(one, Open):
            yield one
        else:
            yield from _open_in(one)


def _of_terraform(found: Sequence[terraform.Resource]) -> tuple[Declaration, ...]:
    owners = [one for one in found if one.type == "ibm_iam_service_id"]
    given: dict[str, list[Part]] = {}
    names: dict[str, tuple[str, ...]] = {}
    for one in found:
        if one.type != _RESOURCE:
            continue
        owner = terraform.named(one, "iam_service_id", owners, "id") or terraform.named(one, "iam_id", owners, "iam_id")
        key = owner.address if owner is not None else one.text("iam_service_id") or one.address
        called = (owner.text("name"), owner.address, owner.name) if owner is not None else (key, one.name)
        names[key] = tuple(dict.fromkeys(name for name in called if name))
        given.setdefault(key, []).append(_of_resource(one))
    return tuple(Declaration(tuple(parts), names[key]) for key, parts in given.items())


def _of_resource(one: terraform.Resource) -> Part:
    """Return a policy of a plan in IBM Cloud's own shape; any of it that is not known grants nothing for certain."""
    unsaid = [value.text for key in _SAID if isinstance(value := one.get(key), Open)]
    unsaid += [f"{key} of {one.address}" for key in ("rule_conditions", "pattern", "tags") if one.get(key)]
    roles = [
        f"{_CRN}{'role' if name in _PLATFORM_ROLES else 'serviceRole'}:{name}" for name in strings(one.get("roles"))
    ]
    attributes: list[dict[str, Any]] = []
    for resource in objects(one.get("resources")):
        own = resource.get("attributes")
        attributes += [
            {"name": _ATTRIBUTES.get(str(key), str(key)), "value": value}
            for key, value in resource.items()
            if value and not (key == "attributes" and isinstance(own, Mapping))
        ]
        attributes += [{"name": k, "value": v} for k, v in mapping(own).items()]
    for entry in objects(one.get("resource_attributes")):
        attributes.append({key: entry[key] for key in ("name", "value", "operator") if entry.get(key)})
    if one.get("account_management") or not attributes:  # the provider says it so
        whole_class = "platform_service" if one.get("account_management") else "service"
        attributes.append({"name": "serviceType", "value": whole_class})
    if any(terraform.unknown_in(one.unknown.get(key)) for key in _SAID):
        unsaid.append(f"what {one.address} is about, known after apply")
    about: dict[str, Any] = {"attributes": attributes}
    if tags := one.get("resource_tags"):
        about["tags"] = tags
    whole = {"roles": [{"role_id": crn} for crn in roles], "resources": [about]}
    return Part(one.address, {} if unsaid else whole, _ANYTHING if unsaid else whole, one.path, tuple(unsaid))


def identity(name: str) -> str:
    """Return the IAM ID of the service ID."""
    return f"iam-ServiceId-{name}"


def documents(found: Sequence[Declaration], name: str, context: Context | None, *, most: bool) -> tuple[Any, ...]:
    """Return the policies with the service ID as their subject, whatever subject stands there."""
    del context
    owner = [{"name": "iam_id", "value": identity(name)}]
    bodies: list[Any] = []
    for number, part in enumerate(part for one in found for part in one.parts):
        body = part.most if most else part.least
        called = {**body, "id": f"{number} ({part.name})"}
        if isinstance(body.get("control"), Mapping):
            subject = [{"key": "iam_id", "operator": "stringEquals", "value": identity(name)}]
            bodies.append({**called, "subject": {"attributes": subject}})
        elif body:
            bodies.append({**called, "subjects": [{"attributes": owner}]})
    nothing = {"roles": [], "resources": [{"attributes": [{"name": "serviceName", "value": "none"}]}]}
    return tuple(bodies) or ({**nothing, "subjects": [{"attributes": owner}]},)


def where(body: Any, grant: Grant) -> Path:
    """Return the place of a role of the policy, else of the list that it belongs in."""
    path = _roles(body)
    listed = mapping(mapping(mapping(body).get("control")).get("grant")) if path[:1] == ("control",) else mapping(body)
    for number, role in enumerate(objects(listed.get("roles"))):
        if role.get("role_id") == grant.permission:
            return (*path, number)
    return path


def _roles(body: Any) -> Path:
    return ("control", "grant", "roles") if isinstance(mapping(body).get("control"), Mapping) else ("roles",)


def additions(body: Any, grants: Sequence[Grant]) -> tuple[Addition, ...]:
    """Return what gives these grants: roles more in a policy for the very attributes that they are needed on."""
    resources = [mapping(body).get("resource")] if "control" in mapping(body) else mapping(body).get("resources")
    found = objects(resources)
    listed = objects(found[0].get("attributes")) if len(found) == 1 else []  # a role more is given on each of several
    held = {text(one.get("name")) or text(one.get("key")): one.get("value") for one in listed}
    operators = {one.get("operator") for one in listed} - {None, "stringEquals"}
    if operators or any(needed_attributes(grant.scope) != held for grant in grants):
        return ()
    roles = tuple({"role_id": name} for name in sorted({grant.permission for grant in grants}))
    return (Addition(_roles(body), roles),)

"""The shapes in which IBM Cloud prints access policies (v1 and v2), service IDs, roles, groups and resource groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from upgrade_gate.clouds.shared.pages import Dialect, Entry
from upgrade_gate.reading.node import Slip, limiting, mapping, readable_strings, sequence, text

_CATALOGUE = ("custom_roles", "service_roles", "system_roles")
_PLACEHOLDER = ":UnsupportedVersion"
"""End of the role that v1 prints for a policy which only v2 can show."""
_UNREAD_ROLE = "a role that cannot be read"
_GROUP = "AccessGroupId-"
_OWNERS = ("iam_id", "access_group_id")
_NO_LIMIT: tuple[object, ...] = (None, "", [])
"""What stands where a policy has no such limit; anything else limits it, readable or not."""


class Attribute(Struct, frozen=True):
    """One resource attribute: name, operator (`stringEquals` when none is written) and value."""

    name: str
    operator: str
    value: str
    """Empty where the value is no string; `true` or `false` of stringExists."""
    values: tuple[str, ...] = ()
    """The list of an AnyOf operator."""

    @property
    def label(self) -> str:
        """Name the attribute in a sentence."""
        return f"{self.name} {self.operator} {self.value or ', '.join(self.values)}".rstrip()


class AccessPolicy(Struct, frozen=True):
    """One access policy."""

    id: str
    iam_ids: tuple[str, ...]
    groups: tuple[str, ...]
    roles: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    tags: bool
    """Whether it holds only for resources with certain access tags."""
    condition: str
    """Rule of a v2 policy (times of day), empty where there is none."""
    active: bool
    unread: str
    """Why its reach cannot be told, empty where it can: it must not seem to have no limits."""
    placeholder: bool
    origin: str
    document: int = 0
    v2: bool = False
    """Whether it is the second form, which shows what the first one leaves out."""
    ownerless: bool = False
    """Whether its subject cannot be read: it may be anyone's."""

    @property
    def label(self) -> str:
        """Name the policy in a sentence."""
        return f"policy {self.id}" if self.id else f"a policy in {self.origin or 'the export'}"


class ServiceId(Struct, frozen=True):
    """A service ID and the IAM ID that policies name it by."""

    id: str
    iam_id: str
    name: str
    account: str


class Catalogue(Struct, frozen=True):
    """The roles of one service, each with its actions."""

    service: str
    """As said beside it; empty where only the actions tell."""
    actions: Mapping[str, frozenset[str]]
    """Role CRN to actions."""
    document: int


class Group(Struct, frozen=True):
    """An access group and the IAM IDs in it."""

    id: str
    members: tuple[str, ...]
    listed: bool
    """Whether its members were exported at all."""


class ResourceGroup(Struct, frozen=True):
    """A resource group: policies name its ID, clusters its name."""

    id: str
    name: str


class Instance(Struct, frozen=True):
    """An instance of a service (`ibmcloud resource service-instances`)."""

    crn: str
    group: str
    """ID of its resource group."""


def kind_of(item: Mapping[str, Any]) -> str | None:
    """Return what an object is, by the fields it has; None for what this cloud does not print."""
    if isinstance(item.get("subjects"), list) and "roles" in item and "resources" in item:
        return "policies"
    if isinstance(item.get("control"), Mapping) and ("subject" in item or "resource" in item):
        return "policies"
    if any(isinstance(item.get(key), list) for key in _CATALOGUE):
        return "roles"
    crn = text(item.get("crn")) or text(mapping(item.get("metadata")).get("crn"))
    if isinstance(item.get("actions"), list) and "role:" in crn.casefold():
        return "roles"
    identifier = text(item.get("id")) or text(mapping(item.get("metadata")).get("uuid"))
    if identifier.startswith(_GROUP) or text(item.get("accessGroup")).startswith(_GROUP):
        return "access groups"
    if identifier.startswith("ServiceId-") or text(item.get("iam_id")).startswith("iam-ServiceId-"):
        return "service IDs"
    if ":resource-group:" in crn and "name" in item:
        return "resource groups"
    return "instances" if identifier.startswith("crn:") and text(item.get("resource_group_id")) else None


def policy(entry: Entry) -> AccessPolicy:
    """Read a policy of either version."""
    item = entry.item
    if isinstance(item.get("control"), Mapping):
        subject = _attributes(mapping(item.get("subject")))
        resource = mapping(item.get("resource"))
        roles = mapping(mapping(item["control"]).get("grant")).get("roles")
        limits = (limiting(item, key) for key in ("rule", "pattern"))
        condition = next((str(one) for one in limits if one not in _NO_LIMIT), "")
        resources = [resource]
    else:
        subject = tuple(a for s in item["subjects"] for a in _attributes(mapping(s)))
        roles = item.get("roles")
        resources = [mapping(r) for r in sequence(item["resources"]) or ()]
        condition = ""
    crns = _roles(roles)
    kind, state = limiting(item, "type"), limiting(item, "state")
    unread = "has targets that cannot be read" if not resources or any(_is_unread(r) for r in resources) else ""
    slip = next((one for one in (kind, state) if isinstance(one, Slip)), None)
    owners = [a for a in subject if a.name in _OWNERS and a.operator == "stringEquals" and a.value]
    return AccessPolicy(
        id=text(item.get("id")),
        iam_ids=tuple(a.value for a in owners if a.name == "iam_id"),
        groups=tuple(a.value for a in owners if a.name == "access_group_id"),
        roles=crns,
        attributes=tuple(a for r in resources for a in _attributes(r)),
        tags=any(limiting(r, "tags") not in _NO_LIMIT for r in resources),
        condition=condition,
        active=slip is not None or (state in (None, "", "active") and kind in (None, "", "access")),
        unread=f"may not be active {slip}" if slip is not None else unread,
        placeholder=any(crn.endswith(_PLACEHOLDER) for crn in crns),
        origin=entry.origin,
        document=entry.document,
        v2=isinstance(item.get("control"), Mapping),
        ownerless=not owners or any(a.name in _OWNERS and a not in owners for a in subject),
    )


def _roles(value: object) -> tuple[str, ...]:
    listed = sequence(value)
    if listed is None:
        return (_UNREAD_ROLE,)
    found = (text(mapping(r).get("role_id")) or text(mapping(r).get("crn")) or text(r) for r in listed)
    return tuple(f or _UNREAD_ROLE for f in found)


def _is_unread(resource: Mapping[str, Any]) -> bool:
    return not sequence(resource.get("attributes")) or any(not _is_readable(a) for a in _attributes(resource))


def _is_readable(attribute: Attribute) -> bool:
    """Return whether an attribute can be told; the operators that are not evaluated may have any value."""
    match attribute.operator:
        case "stringEquals" | "stringMatch":
            told = bool(attribute.value)
        case "stringEqualsAnyOf" | "stringMatchAnyOf":
            told = bool(attribute.values)
        case "stringExists":
            told = attribute.value in ("true", "false")
        case _:
            told = True
    return bool(attribute.name and attribute.operator and told)


def _attributes(holder: Mapping[str, Any]) -> tuple[Attribute, ...]:
    listed = holder.get("attributes")
    return tuple(_attribute(mapping(one)) for one in listed) if isinstance(listed, list) else ()


def _attribute(item: Mapping[str, Any]) -> Attribute:
    value = item.get("value")
    listed = (readable_strings(value) or ()) if isinstance(value, list) else ()
    flag = {True: "true", False: "false"}[value] if isinstance(value, bool) else ""
    name = text(item.get("name")) or text(item.get("key"))
    return Attribute(name, text(_operator(item)), text(value) or flag, listed)


def _operator(attribute: Mapping[str, Any]) -> Any:
    given = limiting(attribute, "operator")
    return "stringEquals" if given is None else given


def service_id(entry: Entry) -> ServiceId:
    """Read a service ID; old CLIs split it into metadata and entity."""
    item = entry.item
    metadata, entity = mapping(item.get("metadata")), mapping(item.get("entity"))
    iam_id = text(item.get("iam_id")) or text(metadata.get("iam_id"))
    identifier = text(item.get("id")) or text(metadata.get("uuid")) or iam_id.removeprefix("iam-")
    return ServiceId(
        identifier,
        iam_id or f"iam-{identifier}",
        text(item.get("name")) or text(entity.get("name")),
        text(item.get("account_id")),
    )


def catalogue(entry: Entry) -> Catalogue:
    """Read the roles of a service, as one object or one role at a time; a role whose actions cannot be read is none."""
    item = entry.item
    roles = [mapping(r) for key in _CATALOGUE for r in sequence(item.get(key)) or ()] or [item]
    actions = {
        text(r.get("crn")): frozenset(readable)
        for r in roles
        if text(r.get("crn")) and r.get("actions") is not None
        if (readable := readable_strings(r["actions"])) is not None
    }
    service = next((text(item.get(k)) for k in ("service", "serviceName", "service_name") if item.get(k)), "")
    return Catalogue(service, actions, entry.document)


def group(entry: Entry) -> Group:
    """Read an access group and, where they stand beside it, its members."""
    item = entry.item
    listed = sequence(item.get("members"))
    members = [text(m) or text(mapping(m).get("iam_id")) for m in listed or ()]
    identifier = text(item.get("accessGroup")) or text(item.get("id"))
    return Group(identifier, tuple(m for m in members if m), listed is not None)


def resource_group(entry: Entry) -> ResourceGroup:
    """Read a resource group."""
    return ResourceGroup(text(entry.item.get("id")), text(entry.item.get("name")))


def instance(entry: Entry) -> Instance:
    """Read an instance of a service."""
    return Instance(text(entry.item.get("id")), text(entry.item.get("resource_group_id")))


DIALECT = Dialect(kind_of, ("policies", "serviceids", "groups", "resources"), own=("policies", "serviceids", "groups"))

"""The shapes in which Azure's tools print role assignments, definitions, identities and what belongs to them.

Azure CLI prints flat objects, REST and old CLIs nest them under `properties`, PowerShell writes capitals and other
names. All become one set of types here; identifiers are folded, since Azure compares them without case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from msgspec import Struct

from upgrade_gate.clouds.shared.pages import Dialect, Entry
from upgrade_gate.clouds.shared.patterns import Patterns
from upgrade_gate.reading.node import limiting, mapping, one_or_more, readable_strings, strings, text

ASSIGNED_TO = "assignedTo"
"""Whom a listing was filtered for, written beside its list."""
DENY_LISTING = "denyAssignments"
"""What a reader says of a list of deny assignments, so that an empty one is an answer."""
PRINCIPAL = "principal:"
"""Before a principal ID, where the configuration names no client ID."""

_GUID_AT_END = re.compile(r"[^/]+$")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_CLASSIC = "na(classic admins)"
"""What Azure CLI puts in place of an ID for co-administrators, who are users and no workload."""
_IN_FORCE = ("provisioned", "granted", "accepted")
"""What an instance of a schedule is that grants; one that says nothing of it does."""
_SOMEBODY = ("", "")
"""Stands in for a principal that cannot be read."""
_SUBSCRIPTION = re.compile(r"^/subscriptions/([^/]+)", re.IGNORECASE)
_SUBSCRIPTION_INSIDE = re.compile(r"/subscriptions/([^/?]+)", re.IGNORECASE)


class Permissions(Struct, frozen=True):
    """One permissions object of a role: both planes, patterns folded."""

    control: Patterns
    data: Patterns
    condition: str = ""
    whole: bool = True
    """Whether all of it could be read. What could not grants nothing in a role, and denies everything in a deny."""
    named: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    """What both planes allow, as it is written."""


class Definition(Struct, frozen=True):
    """A role definition."""

    id: str
    """Last segment of the ID, folded: a GUID, the same in every subscription for built-in roles."""
    name: str
    permissions: tuple[Permissions, ...]
    subscription: str = ""


class Assignment(Struct, frozen=True):
    """A role given to a principal at a scope."""

    name: str
    principal: str
    principal_type: str
    principal_name: str
    """Folded; for a service principal Azure CLI prints its client ID here."""
    role: str
    """GUID of the role definition, folded; empty where only the name is printed."""
    role_name: str
    scope: str
    condition: str
    subscription: str
    """Subscription that it speaks of, folded; empty above subscriptions when nothing says."""
    assigned_to: str = ""
    """Principal that the listing was filtered for with `assignedTo()`, folded: its groups' assignments apply to it."""

    @property
    def label(self) -> str:
        """Name the assignment in a sentence."""
        role = self.role_name or self.role or "a role"
        name = f" (assignment {self.name})" if self.name else ""
        return f"{role} at {self.scope or 'an unknown scope'}{name}"


class Deny(Struct, frozen=True):
    """A deny assignment."""

    name: str
    scope: str
    permissions: tuple[Permissions, ...]
    principals: tuple[tuple[str, str], ...]
    """ID and type, folded."""
    excluded: tuple[tuple[str, str], ...]
    only_this_scope: bool
    condition: str


class ManagedIdentity(Struct, frozen=True):
    """A user-assigned managed identity, or a service principal: how a client ID joins a principal."""

    id: str
    """Resource ID, folded; empty for service principals."""
    name: str
    client: str
    principal: str
    spelt_client: str
    disabled: bool = False
    """Whether the service principal may not sign in."""


class Federated(Struct, frozen=True):
    """A federated credential."""

    owner: str
    """Resource ID of the identity, folded; empty where the object does not say."""
    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]
    flexible: bool
    """Whether a claims expression stands in place of the subject."""
    origin: str


def fold(value: object) -> str:
    """Return an identifier as Azure compares it; names that differ beyond the case of ASCII are not taken for one."""
    return text(value).strip().translate(_LOWER)


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object flat, with folded keys; of two equal keys the nested one is the model's own.

    `type` and `name` stand on both levels with different meanings: the outer ones stay.
    """
    flat = {str(key).casefold(): value for key, value in item.items()}
    for key, value in mapping(flat.get("properties")).items():
        name = str(key).casefold()
        if name != "type" and (name != "name" or "name" not in flat):
            flat[name] = value
    return flat


def kind_of(item: Mapping[str, Any]) -> str | None:
    """Return what an object is, by the fields it has; None for what this cloud does not print."""
    has = _fields(item)
    kind = fold(has.get("type"))
    if fold(has.get("id")) == _CLASSIC or kind.endswith("/classicadministrators"):
        return "classic administrators"
    if ("roledefinitionid" in has or "roledefinitionname" in has) and ("principalid" in has or "objectid" in has):
        return _assignment_kind(has, kind)
    if "denyassignmentname" in has or "/denyassignments" in kind or "/denyassignments/" in fold(has.get("id")):
        return "deny assignments"
    if "principals" in has and "permissions" in has:
        return "deny assignments"
    if _is_definition(has):
        return "role definitions"
    if isinstance(has.get("clientid"), str) and isinstance(has.get("principalid"), str):
        return "identities"
    if isinstance(has.get("appid"), str) and any(isinstance(has.get(k), str) for k in ("id", "objectid")):
        return "applications" if _is_application(has) else "identities"
    if isinstance(has.get("issuer"), str) and ("subject" in has or "claimsmatchingexpression" in has):
        return "federated credentials"
    if any(isinstance(has.get(key), list) for key in ("members", "memberof", "transitivememberof")) and "id" in has:
        return "group members"
    return None


def _assignment_kind(has: Mapping[str, Any], kind: str) -> str | None:
    """Tell active assignments from eligible ones, which grant nothing until somebody activates them.

    An instance of a schedule has a status: one that was revoked, or is not provisioned yet, grants nothing either.
    """
    where = kind or fold(has.get("id"))
    if "/roleeligibility" in where or "/roleassignmentschedulerequests" in where:
        return "eligible roles"
    scheduled = "/roleassignmentschedule" in where
    status = limiting(has, "status")
    if scheduled and status is not None and fold(status) not in _IN_FORCE:
        return "eligible roles"
    return "role assignments"


def _is_application(has: Mapping[str, Any]) -> bool:
    """Return whether this is an application (`az ad app list`), whose object ID is no principal."""
    if fold(has.get("@odata.type") or has.get("odata.type")).endswith(".application"):
        return True
    service_principal = any(key in has for key in ("serviceprincipaltype", "serviceprincipalnames", "accountenabled"))
    return not service_principal and any(key in has for key in ("identifieruris", "publisherdomain", "signinaudience"))


def _is_definition(has: Mapping[str, Any]) -> bool:
    named = any(isinstance(has.get(key), str) for key in ("rolename", "name"))
    if isinstance(has.get("permissions"), list) and ("rolename" in has or "assignablescopes" in has):
        return named
    return named and "actions" in has and ("iscustom" in has or "assignablescopes" in has or "rolename" in has)


def role_guid(role_id: object) -> str:
    """Return the last segment of a role definition ID, folded: PowerShell prints that segment alone."""
    found = _GUID_AT_END.search(fold(role_id))
    return found.group() if found else ""


def subscription_of(resource_id: str) -> str:
    """Return the subscription that an ID begins with, folded; empty where it has none."""
    found = _SUBSCRIPTION.match(resource_id)
    return found.group(1).casefold() if found else ""


def _subscription_in(value: object) -> str:
    """Return the subscription that an ID or a link names somewhere, folded; empty where it names none."""
    found = _SUBSCRIPTION_INSIDE.search(text(value))
    return found.group(1).casefold() if found else ""


def _part(has: Mapping[str, Any], allows: str, excepts: str, *, denies: bool) -> tuple[Patterns, bool]:
    """Read one plane, and whether all of it could be read.

    What cannot be read is nothing granted and everything excepted; of a deny, the reverse.
    """
    listed, excepted = operations(limiting(has, allows)), operations(limiting(has, excepts))
    whole = listed is not None and excepted is not None
    if listed is None:
        listed = ("*",) if denies else strings(has.get(allows))
    if excepted is None:
        excepted = () if denies else ("*",)
    return Patterns(tuple(fold(a) for a in listed), tuple(fold(e) for e in excepted)), whole


def operations(value: object) -> tuple[str, ...] | None:
    """Return the patterns of a list, None where they cannot be read: Azure's operations are ASCII.

    PowerShell's ConvertTo-Json prints a list as an object with its count, and one that lies too deep for its `-Depth`
    as one string: the elements with blanks between them, or the name of the list's type.
    """
    inner = {str(key).casefold(): one for key, one in value.items()} if isinstance(value, Mapping) else {}
    found = readable_strings(inner["value"] if set(inner) == {"value", "count"} else value)
    if found is None or any(len(one.split()) > 1 or fold(one).startswith("system.") for one in found):
        return None
    if not all(map(str.isascii, found)):
        return None
    told = tuple(one for one in found if one.strip())
    return told if told == found or isinstance(value, str) else None


def _permissions(has: Mapping[str, Any], *, denies: bool = False) -> tuple[Permissions, ...]:
    listed = one_or_more(has.get("permissions"))
    if listed is not None:
        return tuple(_permission(one, denies=denies) for one in listed)
    flat = has.get("permissions") is None and ("actions" in has or "dataactions" in has)
    return (_permission(has if flat else None, denies=denies),)


def _permission(value: object, *, denies: bool) -> Permissions:
    if not isinstance(value, Mapping):
        unread = Patterns(("*",) if denies else ())
        return Permissions(unread, unread, whole=False)
    one = _fields(value)
    control, read = _part(one, "actions", "notactions", denies=denies)
    data, data_read = _part(one, "dataactions", "notdataactions", denies=denies)
    named = tuple(operations(one.get(plane)) or () for plane in ("actions", "dataactions"))
    return Permissions(control, data, _condition(limiting(one, "condition")), read and data_read, (named[0], named[1]))


def _condition(value: object) -> str:
    """Return a condition's text; whatever stands there limits, readable or not."""
    return value.strip() if isinstance(value, str) else ("" if value is None else str(value))


def definition(entry: Entry) -> Definition:
    """Read a role definition."""
    has = _fields(entry.item)
    spelt_id = text(has.get("id"))
    name = text(has.get("rolename")) or text(has.get("name"))
    guid = role_guid(spelt_id) or role_guid(has.get("name"))
    return Definition(guid, name, _permissions(has), subscription_of(spelt_id))


def assignment(entry: Entry) -> Assignment:
    """Read a role assignment; a missing scope is taken from its ID, whose path begins with it."""
    has = _fields(entry.item)
    spelt_id = text(has.get("id")) or text(has.get("roleassignmentid"))
    scope = text(has.get("scope"))
    if not scope and "/providers/microsoft.authorization/roleassignments/" in spelt_id.casefold():
        cut = spelt_id.casefold().index("/providers/microsoft.authorization/roleassignments/")
        scope = spelt_id[:cut] or "/"
    role = text(has.get("roledefinitionid"))
    subscription = subscription_of(scope) or subscription_of(role) or subscription_of(spelt_id)
    return Assignment(
        name=text(has.get("name")) or text(has.get("roleassignmentname")) or role_guid(spelt_id),
        principal=fold(has.get("principalid")) or fold(has.get("objectid")),
        principal_type=fold(has.get("principaltype")) or fold(has.get("objecttype")),
        principal_name=fold(has.get("principalname")),
        role=role_guid(role),
        role_name=text(has.get("roledefinitionname")),
        scope=scope.rstrip("/") or ("/" if scope else ""),
        condition=_condition(limiting(has, "condition")) or _end(has),
        subscription=subscription,
        assigned_to=fold(entry.wrapper.get(ASSIGNED_TO)),
    )


def deny(entry: Entry) -> Deny:
    """Read a deny assignment."""
    has = _fields(entry.item)
    scope = text(has.get("scope"))
    permissions = _permissions(has, denies=True)
    if not any(p.control.allows or p.data.allows for p in permissions):
        permissions = (_permission(None, denies=True),)  # one that forbids nothing is not made: it was cut
    return Deny(
        name=text(has.get("denyassignmentname")) or text(has.get("name")),
        scope=scope.rstrip("/") or ("/" if scope else ""),
        permissions=permissions,
        principals=_principals(has.get("principals")) or (_SOMEBODY,),
        excluded=_principals(has.get("excludeprincipals")),
        only_this_scope=has.get("donotapplytochildscopes") is True,
        condition=_condition(limiting(has, "condition")),
    )


def _end(has: Mapping[str, Any]) -> str:
    """Return the limit in time of a scheduled assignment, empty where it has none."""
    end = limiting(has, "enddatetime")
    return f"until {end}" if end not in (None, "") else ""


def _principals(value: object) -> tuple[tuple[str, str], ...]:
    """Return ID and type of each principal; one that cannot be read is somebody, nobody knows who."""
    if value is None:
        return ()
    listed = one_or_more(value)
    return tuple(
        _principal(_fields(p)) if isinstance(p, Mapping) else _SOMEBODY
        for p in (listed if listed is not None else [value])
    )


def _principal(has: Mapping[str, Any]) -> tuple[str, str]:
    return fold(has.get("id")) or fold(has.get("objectid")), fold(has.get("type") or has.get("objecttype"))


def identity(entry: Entry) -> ManagedIdentity:
    """Read a managed identity or a service principal (`az ad sp list`; before 2022 its ID is `objectId`)."""
    has = _fields(entry.item)
    spelt_id = text(has.get("id"))
    if "clientid" in has:
        spelt = text(has.get("clientid"))
        principal, resource = fold(has.get("principalid")), fold(spelt_id)
    else:
        spelt = text(has.get("appid"))
        principal, resource = fold(has.get("objectid")) or fold(spelt_id), ""
    name = text(has.get("name")) or text(has.get("displayname"))
    enabled = limiting(has, "accountenabled")
    disabled = enabled is not None and str(enabled).casefold() != "true"
    return ManagedIdentity(resource, name, spelt.casefold(), principal, spelt, disabled)


def federated(entry: Entry) -> Federated:
    """Read a federated credential; the path of its ID names the identity that owns it."""
    has = _fields(entry.item)
    owner, separator, _ = fold(has.get("id")).partition("/federatedidentitycredentials/")
    return Federated(
        owner=owner if separator else "",
        name=text(has.get("name")),
        issuer=text(has.get("issuer")),
        subject=text(has.get("subject")),
        audiences=strings(has.get("audiences") or has.get("audience")),
        flexible=not text(has.get("subject")) and bool(has.get("claimsmatchingexpression")),
        origin=entry.origin,
    )


DIALECT = Dialect(
    kind_of,
    ("value",),
    own=("value", DENY_LISTING),
    listed={DENY_LISTING: "deny assignments"},
    asked_by=ASSIGNED_TO,
    place_of=_subscription_in,
)

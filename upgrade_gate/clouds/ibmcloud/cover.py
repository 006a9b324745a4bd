"""Whether an IBM Cloud policy's attributes contain what a request names, and how roles compare.

Rules: docs/facts/ibmcloud.md#coverage. Attributes are ANDed, so fewer of them is broader, but only within one class of
targets: services, account management, resource groups. What ccoctl adds (account, resource group) narrows nothing as
long as it is the cluster's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum, auto

from msgspec import Struct

from upgrade_gate.clouds.ibmcloud.shapes import AccessPolicy, Attribute, Catalogue
from upgrade_gate.clouds.shared.patterns import literal, matches
from upgrade_gate.reading.node import mapping, objects, sequence

_ACCOUNT = "accountId"
_GROUP = "resourceGroupId"
_RESOURCE = "resource"
_RESOURCE_GROUPS = "resource-group"
_GROUP_SERVICE = "resource-controller"
"""The service whose actions those on resource groups are."""
_PLATFORM = "platform_service"
INSTANCES = {"dns-svcs": "the DNS Services instance", "internet-svcs": "the Internet Services instance"}
"""Services of which the cluster uses one instance that somebody made before it, in a group of its own choice."""
HEX_ID = re.compile(r"^[0-9a-f]{32}$")
_RANK = {
    "role:Viewer": 1,
    "serviceRole:Reader": 1,
    "role:Operator": 2,
    "serviceRole:Writer": 2,
    "role:Editor": 3,
    "serviceRole:Manager": 4,
    "role:Administrator": 4,
}
"""The usual order. It proves nothing: it tells only where a higher role might contain the needed one."""


class Reach(Enum):
    """How a policy's attributes stand to the needed ones."""

    WHOLE = auto()
    PART = auto()
    NONE = auto()
    UNCERTAIN = auto()
    FOREIGN = auto()
    """A policy of another account."""


class Fit(Struct, frozen=True):
    """The reach of a policy, with the attribute that limits it."""

    reach: Reach
    detail: str = ""


def _class_of(attributes: Mapping[str, str]) -> str:
    if attributes.get("resourceType") == _RESOURCE_GROUPS:
        return _RESOURCE_GROUPS
    return _PLATFORM if attributes.get("serviceType") == _PLATFORM else "service"


def _accepts(attribute: Attribute, value: str) -> bool | None:
    """Return whether an attribute admits a value; None for an operator that is not evaluated."""
    match attribute.operator:
        case "stringEquals":
            return attribute.value == value
        case "stringMatch":
            return _like(attribute.value, value)
        case "stringEqualsAnyOf":
            return value in attribute.values
        case "stringMatchAnyOf":
            return any(_like(one, value) for one in attribute.values)
        case "stringExists":
            return attribute.value == "true"
        case _:
            return None


def _like(pattern: str, value: str) -> bool:
    """Return whether a pattern matches: `*` any run, `?` one character, `{{*}}` and `{{?}}` the character itself.

    Source: IBM Cloud documentation, "IAM condition properties", string comparison operators.
    """
    for char in "*?":
        pattern = pattern.replace(f"{{{{{char}}}}}", literal(char))
    return matches(pattern, literal(value))


def _accepts_any(attribute: Attribute) -> bool:
    """Return whether an attribute admits every value, so that none need be known."""
    any_of = attribute.value == "*" if attribute.operator == "stringMatch" else "*" in attribute.values
    if attribute.operator in ("stringMatch", "stringMatchAnyOf"):
        return any_of
    return attribute.operator == "stringExists" and attribute.value == "true"


def fit(policy: AccessPolicy, needed: Mapping[str, str], account: str | None, group: str | None) -> Fit:
    """Return how far a policy reaches what is needed, in one account and one resource group (None: not known)."""
    if policy.unread:
        return Fit(Reach.UNCERTAIN, policy.unread)
    plain = {a.name: a.value for a in policy.attributes if a.operator == "stringEquals"}
    if _class_of(plain) != _class_of(needed):
        return Fit(Reach.NONE, f"is about another class of targets ({_class_of(plain)})")
    limits = [
        _limit(attribute, needed, account, group)
        for attribute in policy.attributes
        if not _is_class_marker(attribute, needed)
    ]
    for reach in (Reach.FOREIGN, Reach.NONE, Reach.UNCERTAIN, Reach.PART):
        found = next((one for one in limits if one.reach is reach), None)
        if found is not None:
            return found
    if policy.tags:
        return Fit(Reach.PART, "holds only for resources with its access tags")
    return Fit(Reach.PART, f"holds under a condition: {policy.condition}") if policy.condition else Fit(Reach.WHOLE)


def _is_class_marker(attribute: Attribute, needed: Mapping[str, str]) -> bool:
    """Return whether the attribute only says "all services", which limits nothing within the class."""
    return attribute.name == "serviceType" and "serviceType" not in needed and _accepts(attribute, "service") is True


def _limit(attribute: Attribute, needed: Mapping[str, str], account: str | None, group: str | None) -> Fit:
    shown = attribute.label
    of_group = attribute.name == _GROUP or (attribute.name == _RESOURCE and _class_of(needed) == _RESOURCE_GROUPS)
    if attribute.name in needed:
        accepted = _accepts(attribute, needed[attribute.name])
        if accepted is None:
            return Fit(Reach.PART, f"is limited by {shown}")
        return Fit(Reach.WHOLE) if accepted else Fit(Reach.NONE, f"is about {shown}")
    if attribute.name == _ACCOUNT:
        # an export is of one account: where it is not known, it is the one that its policies name
        accepted = _accepts(attribute, account or next(iter(attribute.values), attribute.value))
        if accepted is None:
            return Fit(Reach.PART, f"is limited by {shown}")
        return Fit(Reach.WHOLE) if accepted else Fit(Reach.FOREIGN, f"is of account {attribute.value}")
    if of_group:
        return _group_limit(attribute, group, shown, INSTANCES.get(needed.get("serviceName", ""), "the cluster"))
    return Fit(Reach.PART, f"is limited by {shown}")


def _group_limit(attribute: Attribute, group: str | None, shown: str, whose: str) -> Fit:
    if _accepts_any(attribute):
        return Fit(Reach.WHOLE)
    if group is None:
        how = "" if whose == "the cluster" else " (ibmcloud resource service-instances)"
        return Fit(Reach.UNCERTAIN, f"is limited by {shown}, and {whose}'s resource group is not known{how}")
    accepted = _accepts(attribute, group)
    if accepted is None:
        return Fit(Reach.PART, f"is limited by {shown}")
    if accepted:
        return Fit(Reach.WHOLE)
    if any(HEX_ID.match(one) for one in (attribute.value, *attribute.values)) and not HEX_ID.match(group):
        how = "ibmcloud resource groups"
        return Fit(Reach.UNCERTAIN, f"is limited by {shown}; the ID of group {group} is not in the export ({how})")
    return Fit(Reach.NONE, f"is limited to another resource group ({shown})")


def _short(role: str) -> str:
    return role.rpartition("::::")[2]


def may_contain(held: str, needed: str) -> bool:
    """Return whether a held role might contain another, as far as anyone can tell without their actions.

    A role of the usual order that ranks lower does not; a custom or unknown one may.
    """
    mine, wanted = _RANK.get(_short(held)), _RANK.get(_short(needed))
    if mine is None or wanted is None:
        return True
    return mine > wanted or (mine == wanted == 4)


def role_actions(catalogues: Iterable[Catalogue], needed: Mapping[str, str]) -> Mapping[str, frozenset[str]] | None:
    """Return the actions of each role for the needed target, None where no catalogue of it is in the export.

    One role's CRN stands for other actions in each service, so the catalogue must be that service's: by what is
    written beside it, else by the first part of its actions. A role about which two catalogues disagree is not known.
    """
    of_groups = _class_of(needed) == _RESOURCE_GROUPS
    service = _GROUP_SERVICE if of_groups else needed.get("serviceName")
    if not service:  # all services: no catalogue shows every one
        return None
    actions: dict[str, frozenset[str]] = {}
    disputed: set[str] = set()
    for one in _by_document(catalogues):
        for crn, names in one.actions.items() if _serves(one, service) else ():
            if actions.setdefault(crn, names) != names:
                disputed.add(crn)
    return {crn: names for crn, names in actions.items() if crn not in disputed} or None


def _by_document(catalogues: Iterable[Catalogue]) -> list[Catalogue]:
    """Join roles that were printed one at a time in one listing."""
    joined: dict[tuple[int, str], dict[str, frozenset[str]]] = {}
    for one in catalogues:
        joined.setdefault((one.document, one.service), {}).update(one.actions)
    return [Catalogue(service, actions, document) for (document, service), actions in joined.items()]


def _prefixes(one: Catalogue) -> set[str]:
    return {action.partition(".")[0] for names in one.actions.values() for action in names}


def _serves(one: Catalogue, service: str) -> bool:
    """Return whether a catalogue is that of a service; those of other services may act on resource groups too."""
    if one.service:
        return one.service == service
    found = _prefixes(one)
    return found == {service} if service == _GROUP_SERVICE else service in found


def needed_attributes(scope: object) -> Mapping[str, str] | None:
    """Return the attribute set of a grant, None where it has none that can be read.

    Payloads ask for equal values alone; what another operator asks for is not one value.
    """
    listed = sequence(mapping(scope).get("attributes"))
    if not listed:
        return None
    found = [(a.get("name"), a.get("value")) for a in objects(listed) if a.get("operator") in (None, "stringEquals")]
    clean = {k: v for k, v in found if isinstance(k, str) and isinstance(v, str)}
    return clean if len(clean) == len(listed) else None

"""The Azure principal behind a Secret: its names where anything gives them, and what an export shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds._patterns import intersects
from upgrade_gate.entitlement_readers import _azure_shapes as shapes
from upgrade_gate.entitlement_readers import _pages
from upgrade_gate.remedy import Placeholder, file_name, variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.permissions import Grant
    from upgrade_gate.remedy import Site, Work

__all__ = ["GUID", "SUBSCRIPTION", "Target", "find"]

GUID = "[0-9a-fA-F-]{36}"
_GROUP_PATTERN = "[A-Za-z0-9._()-]{1,90}"
SUBSCRIPTION = Placeholder("AZURE_SUBSCRIPTION_ID", "the cluster's subscription: az account show --query id", GUID)
_OIDC_GROUP = Placeholder(
    "AZURE_OIDC_RESOURCE_GROUP", "the resource group of the managed identities: az identity list", _GROUP_PATTERN
)
_LONGEST_ROLE_NAME = 128


@dataclass(frozen=True, slots=True)
class Target:
    """The principal that gets the permissions, and what an export shows of it."""

    identity: str
    """Name of the managed identity; may be a placeholder's token."""
    base: str
    subscription: str
    role: str
    """Name of the custom role that is made or extended."""
    definition: Mapping[str, Any] | None
    """That role as the export has it, by folded keys."""
    assignee: tuple[str, ...]
    group: str
    """The identity's resource group; may be a placeholder's token."""
    principal: str
    placeholders: tuple[Placeholder, ...]
    for_identity: tuple[Placeholder, ...]
    """What must be filled in where the identity itself is named."""

    @property
    def unassignee(self) -> tuple[str, ...]:
        """Whose assignment is taken away: `az role assignment delete` knows `--assignee` alone."""
        return ("--assignee", self.assignee[1])


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    inner = item.get("properties")
    both = {**item, **(inner if isinstance(inner, dict) else {})}
    return {str(key).casefold(): value for key, value in both.items()}


def find(work: Work, site: Site) -> Target:
    """Return the principal behind the first Secret of a piece of work."""
    reading = _pages.read(list(site.documents), shapes.kind_of, shapes.WRAPPERS)
    identity = (work.identity or "").strip()
    subscription = _subscription_of(site, reading)
    placeholders = () if subscription else (SUBSCRIPTION,)
    subscription = subscription or SUBSCRIPTION.token
    owner = _owner(identity, reading)
    principal = _principal(owner)
    if identity.casefold().startswith("principal:"):
        principal = identity.partition(":")[2].strip()
    name = str(owner.get("name") or "") if owner and "clientid" in owner else ""
    name = name or work.ccoctl or ""
    for_identity: list[Placeholder] = []
    if not name:
        for_identity.append(
            Placeholder(
                variable("AZURE_IDENTITY", work.label),
                f"name of the managed identity behind Secret {work.secrets[0]}: az identity list",
                "[A-Za-z0-9_-]{3,128}",
            )
        )
    group = _group_of(str(owner.get("id") or "")) if owner else ""
    if not group:
        group = f"{site.ccoctl_name}-oidc" if site.ccoctl_name else _OIDC_GROUP.token
        for_identity += [] if site.ccoctl_name else [_OIDC_GROUP]
    definition = _custom_role(principal, name, work.delta, reading) if principal else None
    role = _name_of_role(definition) if definition else _free(name or _role_name(work, site), reading)
    assignee: tuple[str, ...]
    if principal:
        assignee = ("--assignee-object-id", principal, "--assignee-principal-type", "ServicePrincipal")
    elif identity:
        assignee = ("--assignee", identity)
    else:
        where = f" --name {name}" if name else ""
        one = Placeholder(
            variable("AZURE_PRINCIPAL", work.label),
            f"object ID of the principal behind Secret {work.secrets[0]}: az identity show{where} --query principalId",
            GUID,
        )
        placeholders = (*placeholders, one)
        assignee = ("--assignee-object-id", one.token, "--assignee-principal-type", "ServicePrincipal")
    return Target(
        identity=name or for_identity[0].token,
        base=file_name(name) if name else work.label,
        subscription=subscription,
        role=role,
        definition=definition,
        assignee=assignee,
        group=group,
        principal=principal,
        placeholders=placeholders,
        for_identity=tuple(for_identity),
    )


def _subscription_of(site: Site, reading: _pages.Reading) -> str:
    if site.account:
        return site.account.strip().rpartition("/")[2]
    texts = [str(_fields(e.item).get("id") or "") for e in reading.entries]
    parts = [t.split("/") for t in texts if t.casefold().startswith("/subscriptions/")]
    found = {p[2] for p in parts if len(p) > 2}
    return found.pop() if len(found) == 1 else ""


def _owner(identity: str, reading: _pages.Reading) -> dict[str, Any] | None:
    """Return the managed identity or service principal of a client ID, with folded keys."""
    folded = identity.casefold()
    principal = folded.removeprefix("principal:").strip()
    for entry in reading.of("identities"):
        has = _fields(entry.item)
        if folded and folded in (str(has.get(k) or "").casefold() for k in ("clientid", "appid", "id")):
            return has
        if folded.startswith("principal:") and str(has.get("principalid") or "").casefold() == principal:
            return has
    return None


def _principal(owner: Mapping[str, Any] | None) -> str:
    """Return the object ID of a managed identity or service principal, whose newer listings call it `id`."""
    if owner is None:
        return ""
    if "clientid" in owner:
        return str(owner.get("principalid") or "")
    return str(owner.get("objectid") or owner.get("id") or "")


def _group_of(resource: str) -> str:
    parts = resource.split("/")
    folded = [p.casefold() for p in parts]
    return parts[folded.index("resourcegroups") + 1] if "resourcegroups" in folded[:-1] else ""


def _custom_role(principal: str, name: str, delta: Sequence[Grant], reading: _pages.Reading) -> dict[str, Any] | None:
    """Return the custom role that the principal holds and no other does, the one of its own name first, held or not.

    A role that others hold too is left alone: what is added to it would be theirs as well. So is one that excludes
    what is needed: its notActions would take it away again.
    """
    holders: dict[str, set[str]] = {}
    for entry in reading.of("role assignments"):
        one = shapes.assignment(entry)
        holders.setdefault(one.role, set()).add(one.principal)
    own: list[dict[str, Any]] = []
    for entry in reading.of("role definitions"):
        has = _fields(entry.item)
        kind = str(has.get("roletype") or has.get("type") or "").casefold()
        custom = kind == "customrole" or has.get("iscustom") is True
        held_by = holders.get(shapes.definition(entry).id, set())
        free = not held_by and _name_of_role(has) == name
        if custom and (free or held_by == {principal.casefold()}) and not _excludes(has, delta):
            own.append(has)
    own.sort(key=lambda has: (_name_of_role(has) != name, _name_of_role(has)))
    return own[0] if own else None


def _excludes(role: Mapping[str, Any], delta: Sequence[Grant]) -> bool:
    """Return whether a role's notActions or notDataActions meet what is needed."""
    listed = role.get("permissions")
    for block in listed if isinstance(listed, list) else [role]:
        has = {str(k).casefold(): v for k, v in block.items()} if isinstance(block, dict) else {}
        for plane, field in (("permission", "notactions"), ("dataPermission", "notdataactions")):
            value = has.get(field) or []
            excluded = [str(e).casefold() for e in ([value] if isinstance(value, str) else value)]
            needed = [g.permission.casefold() for g in delta if g.type == plane]
            if any(intersects(e, n, single=False) for e in excluded for n in needed):
                return True
    return False


def _name_of_role(role: Mapping[str, Any]) -> str:
    return str(role.get("rolename") or role.get("name") or "")


def _free(name: str, reading: _pages.Reading) -> str:
    """Return a name for a role of the principal's own: that of a role that stands is not for this."""
    taken = {_name_of_role(_fields(entry.item)).casefold() for entry in reading.of("role definitions")}
    return f"{name[: _LONGEST_ROLE_NAME - 13]}-upgrade-gate" if name.casefold() in taken else name


def _role_name(work: Work, site: Site) -> str:
    return f"{site.infrastructure or 'openshift'}-{work.label}"[:_LONGEST_ROLE_NAME]

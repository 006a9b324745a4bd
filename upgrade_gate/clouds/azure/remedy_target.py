"""The Azure principal behind a Secret: its names where anything gives them, and what an export shows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from upgrade_gate.base.steps import Placeholder, line
from upgrade_gate.clouds.azure import shapes
from upgrade_gate.clouds.contract.remedy import file_name, variable
from upgrade_gate.clouds.shared import pages
from upgrade_gate.clouds.shared.patterns import intersects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

_GUID = "[0-9a-fA-F-]{36}"
_GROUP_PATTERN = "[A-Za-z0-9._()-]{1,90}"
SUBSCRIPTION = Placeholder("AZURE_SUBSCRIPTION_ID", "the cluster's subscription: az account show --query id", _GUID)
_OIDC_GROUP = Placeholder(
    "AZURE_OIDC_RESOURCE_GROUP", "the resource group of the managed identities: az identity list", _GROUP_PATTERN
)
REGION = Placeholder("AZURE_REGION", "the Azure region, such as westeurope", "[a-z0-9]+")
ISSUER = Placeholder(
    "OIDC_ISSUER_URL",
    "the cluster's service account issuer: oc get authentication cluster -o jsonpath={.spec.serviceAccountIssuer}",
    "https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?",
)
RESOURCE_GROUP = Placeholder(
    "AZURE_RESOURCE_GROUP",
    "the cluster's resource group: oc get infrastructure cluster "
    "-o jsonpath={.status.platformStatus.azure.resourceGroupName}",
    _GROUP_PATTERN,
)
NETWORK_GROUP = Placeholder(
    "AZURE_NETWORK_RESOURCE_GROUP",
    "the resource group of the cluster's network: oc get infrastructure cluster "
    "-o jsonpath={.status.platformStatus.azure.networkResourceGroupName}",
    _GROUP_PATTERN,
)
ZONE_GROUP = Placeholder(
    "AZURE_DNS_ZONE_RESOURCE_GROUP",
    "the resource group of the cluster's DNS zones: oc get dns cluster -o jsonpath={.spec.publicZone.id}",
    _GROUP_PATTERN,
)
_LONGEST_ROLE_NAME = 128


@dataclass(frozen=True, slots=True)
class Role:
    """A custom role that an export shows whole, so that it can be written again without a loss."""

    name: str
    description: str
    scopes: tuple[str, ...]
    operations: Mapping[str, tuple[str, ...]]
    """By the document's field: Actions, NotActions, DataActions, NotDataActions; spelt as in the export."""


@dataclass(frozen=True, slots=True)
class Target:
    """The principal that gets the permissions, and what an export shows of it."""

    identity: str | Placeholder
    """Name of the managed identity."""
    base: str
    subscription: str | Placeholder
    role: str
    """Name of the custom role that is made or extended."""
    definition: Role | None
    """That role, where the export shows it."""
    assignee: tuple[str | Placeholder, ...]
    group: str | Placeholder
    """The identity's resource group."""
    group_seen: bool
    """Whether the export says so; else it is what ccoctl would take."""
    principal: str
    federated: Mapping[str, frozenset[tuple[str, str]]]
    """Issuer and subject of the federated credentials that the export shows of it, by name."""
    unknown: tuple[Placeholder, ...]

    @property
    def unassignee(self) -> tuple[str | Placeholder, ...]:
        """Whose assignment is taken away: `az role assignment delete` knows `--assignee` alone."""
        return ("--assignee", self.assignee[1])


def _fields(item: Mapping[str, Any]) -> dict[str, Any]:
    inner = item.get("properties")
    both = {**item, **(inner if isinstance(inner, dict) else {})}
    return {str(key).casefold(): value for key, value in both.items()}


def find(change: IdentityChange, names: ClusterNames) -> Target:
    """Return the principal behind the first Secret."""
    reading = shapes.DIALECT.read(names.documents)
    identity = (change.identity or "").strip()
    owner = _owner(identity, reading)
    principal = _principal(owner)
    if identity.casefold().startswith("principal:"):
        principal = identity.partition(":")[2].strip()
    name = str(owner.get("name") or "") if owner and "clientid" in owner else ""
    name = name or change.ccoctl or ""
    unnamed = Placeholder(
        variable("AZURE_IDENTITY", change.label),
        f"name of the managed identity behind Secret {change.secrets[0]}: az identity list",
        "[A-Za-z0-9_-]{3,128}",
    )
    group = seen = _group_of(str(owner.get("id") or "")) if owner else ""
    if not group and names.ccoctl_name:
        group = f"{names.ccoctl_name}-oidc"
    definition = _custom_role(principal, name, change.delta, reading) if principal else None
    where = f" --name {name}" if name else ""
    asked = line("az identity show", name=name, resource_group=group, query="principalId", output="tsv")
    unseen = Placeholder(
        variable("AZURE_PRINCIPAL", change.label),
        f"object ID of the principal behind Secret {change.secrets[0]}: az identity show{where} --query principalId",
        _GUID,
        printed_by=asked if name and group and names.token else None,
    )
    by_object = ("--assignee-object-id", principal or unseen, "--assignee-principal-type", "ServicePrincipal")
    return Target(
        identity=name or unnamed,
        base=file_name(name) if name else change.label,
        subscription=_subscription_of(names, reading) or SUBSCRIPTION,
        role=definition.name if definition else _free(name or _role_name(change, names), reading),
        definition=definition,
        assignee=("--assignee", identity) if identity and not principal else by_object,
        group=group or _OIDC_GROUP,
        group_seen=bool(seen),
        principal=principal,
        federated=_federated(str(owner.get("id") or "") if owner else "", reading),
        unknown=(SUBSCRIPTION, unseen, unnamed, _OIDC_GROUP, REGION, ISSUER, RESOURCE_GROUP),
    )


def _federated(identity: str, reading: pages.Reading) -> Mapping[str, frozenset[tuple[str, str]]]:
    """Return issuer and subject of an identity's federated credentials by name; of any where an entry has no parent."""
    found: dict[str, set[tuple[str, str]]] = {}
    for one in map(shapes.federated, reading.of("federated credentials")):
        if not identity or one.owner in ("", identity.casefold()):
            found.setdefault(one.name, set()).add((one.issuer, one.subject))
    return {name: frozenset(pairs) for name, pairs in found.items()}


def _subscription_of(names: ClusterNames, reading: pages.Reading) -> str:
    if names.account:
        return names.account.strip().rpartition("/")[2]
    texts = [str(_fields(e.item).get("id") or "") for e in reading.entries]
    parts = [t.split("/") for t in texts if t.casefold().startswith("/subscriptions/")]
    found = {p[2] for p in parts if len(p) > 2}
    return found.pop() if len(found) == 1 else ""


def _owner(identity: str, reading: pages.Reading) -> dict[str, Any] | None:
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


def _custom_role(principal: str, name: str, delta: Sequence[Grant], reading: pages.Reading) -> Role | None:
    """Return the custom role that the principal holds and no other does, the one of its own name first, held or not.

    A role that others hold too is left alone: what is added to it would be theirs as well. So is one that excludes
    what is needed (its notActions would take it away again), and one that the export does not show whole.
    """
    holders = _holders(reading)
    if not holders:
        return None
    own: list[Role] = []
    for entry in reading.of("role definitions"):
        has = _fields(entry.item)
        kind = str(has.get("roletype") or has.get("type") or "").casefold()
        custom = kind == "customrole" or has.get("iscustom") is True
        definition = shapes.definition(entry)
        held_by = holders.get(definition.id, set()) | holders.get(definition.name.casefold(), set())
        free = not held_by and definition.name == name
        if not custom or not (free or held_by == {principal.casefold()}) or _excludes(definition, delta):
            continue
        role = _whole(entry, definition, has)
        own += [role] if role is not None else []
    own.sort(key=lambda role: (role.name != name, role.name))
    return own[0] if own else None


def _holders(reading: pages.Reading) -> Mapping[str, set[str]]:
    """Return who holds each role, by its ID or else its name; empty where not everybody's assignments were read."""
    listed = [shapes.assignment(entry) for entry in reading.of("role assignments")]
    if reading.truncated or "role assignments" in reading.unread or all(one.assigned_to for one in listed):
        return {}
    holders: dict[str, set[str]] = {}
    for one in listed:
        holders.setdefault(one.role or one.role_name.casefold(), set()).add(one.principal)
    return holders


def _excludes(role: shapes.Definition, delta: Sequence[Grant]) -> bool:
    """Return whether a role's notActions or notDataActions meet what is needed."""
    excluded = [("permission", e) for p in role.permissions for e in p.control.excepts]
    excluded += [("dataPermission", e) for p in role.permissions for e in p.data.excepts]
    return any(
        g.type == plane and intersects(e, shapes.fold(g.permission), single=False)
        for plane, e in excluded
        for g in delta
    )


def _whole(entry: pages.Entry, definition: shapes.Definition, has: Mapping[str, Any]) -> Role | None:
    """Return a role as it can be written again, None where that could take something from it.

    Several permissions objects become one, whose exceptions would then hold for the actions of all.
    """
    blocks = definition.permissions
    scopes = shapes.operations(has.get("assignablescopes"))
    merges = len(blocks) > 1 and any(one.control.excepts or one.data.excepts for one in blocks)
    if scopes is None or merges or not all(one.whole and not one.condition for one in blocks):
        return None
    spelt = {shapes.fold(word): word.strip() for word in _words(entry.item)}
    listed = {
        "Actions": [a for one in blocks for a in one.control.allows],
        "NotActions": [e for one in blocks for e in one.control.excepts],
        "DataActions": [a for one in blocks for a in one.data.allows],
        "NotDataActions": [e for one in blocks for e in one.data.excepts],
    }
    operations = {field: tuple(dict.fromkeys(spelt[one] for one in found)) for field, found in listed.items()}
    return Role(definition.name, str(has.get("description") or ""), scopes, operations)


def _words(value: object) -> Iterator[str]:
    """Yield every text of an object: the reader folds what it compares, and a document spells it as it was."""
    match value:
        case str():
            yield value
        case Mapping():
            for one in value.values():
                yield from _words(one)
        case list():
            for one in value:
                yield from _words(one)


def _free(name: str, reading: pages.Reading) -> str:
    """Return a name for a role of the principal's own: that of a role that stands is not for this."""
    taken = {shapes.definition(entry).name.casefold() for entry in reading.of("role definitions")}
    return f"{name[: _LONGEST_ROLE_NAME - 13]}-upgrade-gate" if name.casefold() in taken else name


def _role_name(change: IdentityChange, names: ClusterNames) -> str:
    return f"{names.infrastructure or 'openshift'}-{change.label}"[:_LONGEST_ROLE_NAME]

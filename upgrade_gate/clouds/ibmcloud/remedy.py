"""IBM Cloud and Power VS: access policies of service IDs, and the commands of `ibmcloud` and `ccoctl ibmcloud`.

Sources: cloud-credential-operator `pkg/cmd/provisioning/ibmcloud` (attributes that it adds, what a rerun does:
docs/facts/ibmcloud.md#ccoctl), the IBM Cloud CLI reference of `iam service-policy-create`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.steps import Command, Placeholder, Shows, line, word
from upgrade_gate.clouds.contract.grants import canonical
from upgrade_gate.clouds.contract.remedy import (
    REQUESTS,
    CcoctlCommand,
    CloudLogin,
    Draft,
    file_name,
    fill,
    json_file,
    variable,
)
from upgrade_gate.clouds.ibmcloud import shapes
from upgrade_gate.clouds.ibmcloud.cover import HEX_ID, INSTANCES
from upgrade_gate.clouds.shared.drafting import CCOCTL_NAME, create, decision, grant, take

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.base.steps import Step
    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

FOLDER = "ibmcloud"
FILES = "*-policies.json is all that an identity must hold until the upgrade is complete, *-delta-*.json what is new"

NEW_REQUESTS = f"{REQUESTS}-new"
"""Folder with the new requests alone: ccoctl fails for the whole run where a service ID exists."""

_ACCOUNT = Placeholder("IBMCLOUD_ACCOUNT_ID", "the account: ibmcloud account show", "[0-9a-f]{32}")
_GROUP = Placeholder(
    "IBMCLOUD_RESOURCE_GROUP_ID", "ID of the cluster's resource group: ibmcloud resource groups", "[0-9a-f]{32}"
)
_DNS_GROUP = Placeholder(
    "IBMCLOUD_DNS_RESOURCE_GROUP_ID",
    "ID of the resource group of the DNS Services instance: ibmcloud resource service-instances "
    "--service-name dns-svcs",
    "[0-9a-f]{32}",
)
_VPC_GROUP = Placeholder(
    "IBMCLOUD_VPC_RESOURCE_GROUP_ID",
    "ID of the resource group of the VPC, which the installer's configuration names: ibmcloud resource groups",
    "[0-9a-f]{32}",
)
_CIS_GROUP = Placeholder(
    "IBMCLOUD_CIS_RESOURCE_GROUP_ID",
    "ID of the resource group of the Internet Services instance: ibmcloud resource service-instances "
    "--service-name internet-svcs",
    "[0-9a-f]{32}",
)
_THERE = "policy_conflict_error|identical attributes and roles"
"""How IBM Cloud refuses a policy that stands already."""
_UNSEEN = "[Ss]ervice ID .*not found|ServiceId-.* not found|subject.*not found"
"""What IBM Cloud says while it does not know everywhere yet what was just made."""
_PATIENCE = 120
_UNLIMITED = "The cluster's resource group is not known, so its policies hold in every group of the account."


class _Target(Struct, frozen=True):
    """The service ID that gets the policies."""

    name: str | Placeholder
    """Or ID, as the CLI takes it."""
    base: str
    """Name for files."""
    unknown: tuple[Placeholder, ...]


def draft(change: IdentityChange, names: ClusterNames) -> Draft:
    """Return access policies and the commands that create them for one service ID."""
    target = _target(change, names)
    ids = _group_ids(names)
    steps: list[Step] = []
    if change.create:
        steps.append(_created(change, target))
    if change.delta:
        steps.append(_granted(change, names, ids, target))
    narrower = _documents(change, names, ids, change.narrow)
    steps += decision(
        change, loosened=json_file(f"{FOLDER}/{target.base}-loosened.json", narrower) if narrower else None
    )
    if change.gone:
        steps.append(
            take(
                change,
                commands=(Command(line("ibmcloud iam service-policies", target.name, output="json")),),
                notes=("Find the policies that hold these roles for these attributes alone, and delete them.",),
                unknown=target.unknown,
                scripted=False,
            )
        )
    everything = _policies(change.unwidened(change.before))
    body = {"policies": [_local(attributes, roles) for attributes, roles in everything]}
    return Draft(tuple(steps), ((target.base, body),) if change.before else ())


def _target(change: IdentityChange, names: ClusterNames) -> _Target:
    known = (change.identity or "").removeprefix("iam-") or change.ccoctl or ""
    secret = change.secrets[0]
    meaning = f"name or ID of the service ID behind Secret {secret}: ibmcloud iam service-ids"
    if change.create:
        called = f"{names.ccoctl_name or 'NAME'}-{secret.namespace}-{secret.name}"
        its = "" if names.ccoctl_name else ", NAME being its --name"
        meaning = f"a name for the new service ID behind Secret {secret}; ccoctl would call it {called}{its}"
    one = Placeholder(variable("IBMCLOUD_SERVICE_ID", change.label), meaning, "[A-Za-z0-9][A-Za-z0-9._ -]*")
    return _Target(
        known or one,
        file_name(known) if known else change.label,
        (one, _GROUP, _VPC_GROUP, _DNS_GROUP, _CIS_GROUP, _ACCOUNT),
    )


def _policies(grants: Iterable[Grant]) -> list[tuple[list[Mapping[str, Any]], list[str]]]:
    """Return attributes and roles of each policy: grants with the same attributes stand in one."""
    found: dict[str, tuple[list[Mapping[str, Any]], list[str]]] = {}
    for one in grants:
        attributes = one.scope.get("attributes", []) if isinstance(one.scope, dict) else []
        found.setdefault(canonical(attributes), (list(attributes), []))[1].append(one.permission)
    return [(attributes, sorted(set(roles))) for _, (attributes, roles) in sorted(found.items())]


def _local(attributes: Sequence[Mapping[str, Any]], roles: Sequence[str]) -> dict[str, Any]:
    return {"attributes": {str(a["name"]): str(a["value"]) for a in attributes}, "roles": list(roles)}


def _documents(
    change: IdentityChange, names: ClusterNames, ids: Mapping[str, str], grants: Iterable[Grant]
) -> list[dict[str, Any]]:
    """Return the access policies of grants, one for each resource group that it must reach."""
    found: list[dict[str, Any]] = []
    for attributes, roles in _policies(grants):
        held = {str(a["name"]): str(a["value"]) for a in attributes}
        limited = not change.scopes or "resourceGroupId" in held or "resource" in held
        groups = (None,) if limited else _groups(change, names, ids, held.get("serviceName", ""))
        found += [_document(change, names, held, roles, group) for group in groups]
    return found


def _groups(change: IdentityChange, names: ClusterNames, ids: Mapping[str, str], service: str) -> Sequence[str]:
    """Return the IDs of the resource groups where a grant must hold: those of what it is about.

    ccoctl takes the cluster's own for all. A DNS or Internet Services instance is older than the cluster and lies where
    somebody put it; the VPC may, too.
    """
    scopes, context = change.scopes or (), names.context
    own = (ids.get(scopes[0], "") if len(scopes) == 1 else "") or str(_GROUP)
    if context is None:
        return (own,)
    if service in INSTANCES:
        return (_group_of_instance(service, context, ids) or own,)
    vpc = context.vpc_group if service == "is" and context.vpc_group not in scopes else None
    return tuple(dict.fromkeys((own, *((_id(vpc, ids, _VPC_GROUP),) if vpc else ()))))


def _id(group: str, ids: Mapping[str, str], unknown: Placeholder) -> str:
    """Return the ID of a group that is given by ID or by name, to be filled in where nothing joins them."""
    return ids.get(group) or (group if HEX_ID.match(group) else str(unknown))


def _group_of_instance(service: str, context: Context, ids: Mapping[str, str]) -> str:
    """Return the group of the cluster's instance of a service, empty where the cluster has none."""
    if service == "dns-svcs":
        given, crn, unread, mark = context.dns_instance_group, context.dns_instance, "dns_instance", _DNS_GROUP
    else:
        given, crn, unread, mark = context.cis_instance_group, context.cis_instance, "cis_instance", _CIS_GROUP
    if given:
        return _id(given, ids, mark)
    return ids.get(crn or "", str(mark) if crn or unread in context.unread else "")


def _document(
    change: IdentityChange, names: ClusterNames, held: Mapping[str, str], roles: Sequence[str], group: str | None
) -> dict[str, Any]:
    """Return one access policy as ccoctl makes it: with the account, and within a resource group."""
    listed = [{"name": name, "value": value} for name, value in held.items()]
    if group is not None:
        name = "resource" if held.get("resourceType") == "resource-group" else "resourceGroupId"
        listed.append({"name": name, "value": group})
    if "accountId" not in held:
        listed.append({"name": "accountId", "value": names.account or str(_ACCOUNT)})
    body: dict[str, Any] = {
        "type": "access",
        "roles": [{"role_id": role} for role in roles],
        "resources": [{"attributes": listed}],
    }
    iam_id = change.identity or ""
    if iam_id.startswith("iam-"):
        body["subjects"] = [{"attributes": [{"name": "iam_id", "value": iam_id}]}]
    return body


def _group_ids(names: ClusterNames) -> Mapping[str, str]:
    """Return resource groups by what the export joins to one: its name, and the CRN of each instance in it."""
    reading = shapes.DIALECT.read(names.documents)
    groups = [shapes.resource_group(entry) for entry in reading.of("resource groups")]
    instances = [shapes.instance(entry) for entry in reading.of("instances")]
    found: dict[str, set[str]] = {}
    for key, group in (*((g.name, g.id) for g in groups), *((one.crn, one.group) for one in instances)):
        if key and group:
            found.setdefault(key, set()).add(group)
    return {key: min(ids) for key, ids in found.items() if len(ids) == 1}


def _granted(change: IdentityChange, names: ClusterNames, ids: Mapping[str, str], target: _Target) -> Step:
    base = f"{FOLDER}/{target.base}"
    files = [
        json_file(f"{base}-delta-{number}.json", body)
        for number, body in enumerate(_documents(change, names, ids, change.delta), 1)
    ]
    commands = [
        Command(
            line("ibmcloud iam service-policy-create", target.name, file=word("@", file), force=True),
            unless=line("ibmcloud iam service-policies", target.name, output="json"),
            shows=file,
            how=Shows.ROLES,
            done=_THERE,
            passing=_UNSEEN if change.create else "",
            patience=_PATIENCE,
        )
        for file in files
    ]
    everything = _documents(change, names, ids, change.unwidened(change.before))
    return grant(
        change,
        commands=tuple(commands),
        files=(*files, json_file(f"{base}-policies.json", everything)),
        notes=(
            (
                "A policy stands beside the others and replaces none. The script lists them first and makes only what "
                "is not there."
            ),
            "ccoctl refresh-keys makes new keys and never touches policies: added permissions need this step.",
            *(() if change.scopes else (f"{_UNLIMITED} Add a resourceGroupId to the documents to limit them.",)),
        ),
        unknown=target.unknown,
    )


def _created(change: IdentityChange, target: _Target) -> Step:
    return create(
        change,
        f"Create a service ID for Secret {change.secrets[0]}",
        commands=(
            Command(
                line("ibmcloud iam service-id-create", target.name, description="OpenShift component"),
                unless=line("ibmcloud iam service-id", target.name),
                seen=line("ibmcloud iam service-id", target.name, output="json"),
                patience=_PATIENCE,
            ),
        ),
        notes=(
            (
                f"ibmcloud iam service-api-key-create ccoctl-generated-key {target.name} prints the API key, once: it "
                "belongs in the Secret and nowhere else."
            ),
            (
                f"No Secret names a service ID. Say in the configuration which one this is (identities: "
                f"{change.secrets[0]}: iam-ServiceId-…), so that check can prove what it holds."
            ),
        ),
        unknown=target.unknown,
    )


def login(change: IdentityChange, names: ClusterNames) -> CloudLogin:
    """Return the account."""
    del change
    return CloudLogin("IBM Cloud account", line("ibmcloud target", output="json"), names.account or _ACCOUNT)


def secret_value(key: str, change: IdentityChange, names: ClusterNames) -> str | None:
    """Return the environment file around the API key."""
    del change, names
    if key == "ibm-credentials.env":
        return f"IBMCLOUD_AUTHTYPE=iam\nIBMCLOUD_APIKEY={fill('ibmcloud_api_key')}\n"
    return None


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return the policies of each service ID as local values."""
    return {"locals": {"upgrade_gate_ibmcloud_policies": dict(entries)}}


def ccoctl(changes: Sequence[IdentityChange], names: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl ibmcloud create-service-id`, which can only make what does not exist."""
    if names.release < (4, 10) or not any(c.create for c in changes):
        return None
    return CcoctlCommand(
        line(
            "ccoctl ibmcloud create-service-id",
            name=names.ccoctl_name or CCOCTL_NAME,
            credentials_requests_dir=NEW_REQUESTS,
            resource_group_name=names.scopes[0] if names.scopes else None,
            output_dir="ccoctl-output",
        ),
        traps=(
            (
                "It fails for the whole run where a service ID of that name exists, so it gets the new requests alone "
                f"({NEW_REQUESTS}/)."
            ),
            "It needs the API key of an administrator in IC_API_KEY.",
            "It does nothing for a service ID that exists and needs more: neither does refresh-keys.",
            "It limits every policy to one resource group and reaches no DNS or Internet Services instance in another."
            if names.scopes
            else f"{_UNLIMITED} --resource-group-name limits them to one.",
        ),
        requests=NEW_REQUESTS,
    )

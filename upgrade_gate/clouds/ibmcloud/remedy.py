"""IBM Cloud and Power VS: access policies of service IDs, and the commands of `ibmcloud` and `ccoctl ibmcloud`.

Sources: cloud-credential-operator `pkg/cmd/provisioning/ibmcloud` (attributes that it adds, what a rerun does: facts
cco.md 2.2 and 7), the IBM Cloud CLI reference of `iam service-policy-create`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.grants import canonical
from upgrade_gate.clouds.contract.remedy import (
    CcoctlCommand,
    Command,
    Draft,
    Placeholder,
    Serves,
    Step,
    argv,
    file_name,
    fill,
    json_file,
    variable,
)
from upgrade_gate.clouds.ibmcloud import shapes
from upgrade_gate.clouds.shared.phrases import CCOCTL_NAME, later, merged, newcomer, permissions, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

KINDS = frozenset({"IBMCloudProviderSpec", "IBMCloudPowerVSProviderSpec"})
FOLDER = "ibmcloud"

NEW_REQUESTS = "credentials-requests-new"
"""Folder with the new requests alone: ccoctl fails for the whole run where a service ID exists."""

_ACCOUNT = Placeholder("IBMCLOUD_ACCOUNT_ID", "the account: ibmcloud account show", "[0-9a-f]{32}")
_GROUP = Placeholder(
    "IBMCLOUD_RESOURCE_GROUP_ID", "ID of the cluster's resource group: ibmcloud resource groups", "[0-9a-f]{32}"
)
_THERE = "policy_conflict_error|identical attributes and roles"
"""How IBM Cloud refuses a policy that stands already."""


def draft(work: IdentityChange, site: ClusterNames) -> Draft:
    """Return access policies and the commands that create them for one service ID."""
    name, base, placeholders = _service_id(work, site)
    files: dict[str, bytes] = {}
    steps: list[Step] = []
    if work.create:
        steps.append(_created(work, name, placeholders))
    if work.delta:
        steps.append(_granted(work, site, (name, base, placeholders), files, _group(work, site)))
    if work.gone:
        steps.append(_cleaned(work, name, placeholders))
    body = {"policies": [_local(attributes, roles) for attributes, roles in _policies(work.before)]}
    return Draft(files, tuple(steps), ((base, body),) if work.before else ())


def _service_id(work: IdentityChange, site: ClusterNames) -> tuple[str, str, tuple[Placeholder, ...]]:
    """Return the service ID as the CLI takes it, a name for files, and what must be filled in."""
    known = (work.identity or "").removeprefix("iam-") or work.ccoctl or ""
    if known:
        return known, file_name(known), ()
    meaning = f"name or ID of the service ID behind Secret {work.secrets[0]}: ibmcloud iam service-ids"
    if work.create:
        secret = work.secrets[0]
        called = f"{site.ccoctl_name or 'its --name'}-{secret.namespace}-{secret.name}"
        meaning = f"a name for the new service ID behind Secret {secret}; ccoctl would call it {called}"
    one = Placeholder(
        variable("IBMCLOUD_SERVICE_ID", work.label),
        meaning,
        "[A-Za-z0-9][A-Za-z0-9._ -]*",
    )
    return one.token, work.label, (one,)


def _policies(grants: Iterable[Grant]) -> list[tuple[list[Mapping[str, Any]], list[str]]]:
    """Return attributes and roles of each policy: grants with the same attributes stand in one."""
    found: dict[str, tuple[list[Mapping[str, Any]], list[str]]] = {}
    for grant in grants:
        attributes = grant.scope.get("attributes", []) if isinstance(grant.scope, dict) else []
        found.setdefault(canonical(attributes), (list(attributes), []))[1].append(grant.permission)
    return [(attributes, sorted(set(roles))) for _, (attributes, roles) in sorted(found.items())]


def _local(attributes: Sequence[Mapping[str, Any]], roles: Sequence[str]) -> dict[str, Any]:
    return {"attributes": {str(a["name"]): str(a["value"]) for a in attributes}, "roles": list(roles)}


def _document(
    work: IdentityChange, site: ClusterNames, group: str, attributes: Sequence[Mapping[str, Any]], roles: Sequence[str]
) -> tuple[dict[str, Any], tuple[Placeholder, ...]]:
    """Return one access policy as ccoctl makes it: with the account, and within the cluster's resource group."""
    listed = [{"name": str(a["name"]), "value": str(a["value"])} for a in attributes]
    more: list[Placeholder] = []
    held = {a["name"]: a["value"] for a in listed}
    if work.scopes and "resourceGroupId" not in held and "resource" not in held:
        name = "resource" if held.get("resourceType") == "resource-group" else "resourceGroupId"
        listed.append({"name": name, "value": group or _GROUP.token})
        more += [] if group else [_GROUP]
    if "accountId" not in held:
        listed.append({"name": "accountId", "value": site.account or _ACCOUNT.token})
        more += [] if site.account else [_ACCOUNT]
    body: dict[str, Any] = {
        "type": "access",
        "roles": [{"role_id": role} for role in roles],
        "resources": [{"attributes": listed}],
    }
    iam_id = work.identity or ""
    if iam_id.startswith("iam-"):
        body["subjects"] = [{"attributes": [{"name": "iam_id", "value": iam_id}]}]
    return body, tuple(more)


def _group(work: IdentityChange, site: ClusterNames) -> str:
    """Return the ID of the cluster's resource group where the export joins its name to one, else nothing."""
    if not work.scopes:
        return ""
    reading = shapes.DIALECT.read(site.documents)
    groups = [shapes.resource_group(entry) for entry in reading.of("resource groups")]
    found = {g.id for g in groups if g.id and work.scopes == (g.name,)}
    return found.pop() if len(found) == 1 else ""


def _granted(
    work: IdentityChange,
    site: ClusterNames,
    who: tuple[str, str, tuple[Placeholder, ...]],
    files: dict[str, bytes],
    group: str,
) -> Step:
    name, base, placeholders = who
    commands: list[Command] = []
    names: list[str] = []
    more: tuple[Placeholder, ...] = ()
    for number, (attributes, roles) in enumerate(_policies(work.delta), 1):
        body, wanted = _document(work, site, group, attributes, roles)
        more = merged(more, *wanted)
        file = f"{FOLDER}/{base}-delta-{number}.json"
        files[file] = json_file(body)
        names.append(file)
        line = argv("ibmcloud iam service-policy-create", name, file=f"@{file}", force=True)
        commands.append(Command(line, done=_THERE))
    full = f"{FOLDER}/{base}-policies.json"
    files[full] = json_file([_document(work, site, group, *policy)[0] for policy in _policies(work.before)])
    return Step(
        title=f"Grant {permissions(work.delta)} to {work.who}",
        reason=why(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        commands=tuple(commands),
        files=(*names, full),
        notes=(
            (
                "A policy stands beside the others and replaces none. IBM Cloud refuses a second one with the same "
                "roles and attributes: that says that it is there."
            ),
            "ccoctl refresh-keys makes new keys and never touches policies: grown permissions need this step.",
        ),
        placeholders=merged(placeholders, *more),
    )


def _created(work: IdentityChange, name: str, placeholders: tuple[Placeholder, ...]) -> Step:
    return Step(
        title=f"Create a service ID for Secret {work.secrets[0]}",
        reason=newcomer(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        commands=(
            Command(
                argv("ibmcloud iam service-id-create", name, description="OpenShift component"),
                unless=argv("ibmcloud iam service-id", name),
            ),
        ),
        notes=(
            (
                f"ibmcloud iam service-api-key-create ccoctl-generated-key {name} prints the API key, once: it "
                "belongs into the Secret and nowhere else."
            ),
            (
                f"No Secret names a service ID. Say in the configuration which one this is (identities: "
                f"{work.secrets[0]}: iam-ServiceId-…), so that check can prove what it holds."
            ),
        ),
        placeholders=placeholders,
        first=True,
    )


def _cleaned(work: IdentityChange, name: str, placeholders: tuple[Placeholder, ...]) -> Step:
    return Step(
        title=f"Take {permissions(work.gone)} from {work.who}",
        reason=later(work),
        when="after",
        serves=Serves.CLEAN_UP,
        secrets=work.names,
        commands=(Command(argv("ibmcloud iam service-policies", name, output="json")),),
        notes=("Find the policies that hold these roles for these attributes alone, and delete them.",),
        placeholders=placeholders,
        scripted=False,
    )


def secret_value(key: str, work: IdentityChange, site: ClusterNames) -> str | None:
    """Return the environment file around the API key."""
    del work, site
    if key == "ibm-credentials.env":
        return f"IBMCLOUD_AUTHTYPE=iam\nIBMCLOUD_APIKEY={fill('ibmcloud_api_key')}\n"
    return None


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return the policies of each service ID as local values."""
    return {"locals": {"upgrade_gate_ibmcloud_policies": dict(entries)}}


def ccoctl(works: Sequence[IdentityChange], site: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl ibmcloud create-service-id`, which can only make what does not exist."""
    if site.release < (4, 10) or not any(w.create for w in works):
        return None
    name = site.ccoctl_name or CCOCTL_NAME.token
    return CcoctlCommand(
        argv=argv(
            "ccoctl ibmcloud create-service-id",
            name=name,
            credentials_requests_dir=NEW_REQUESTS,
            resource_group_name=site.scopes[0] if site.scopes else None,
            output_dir="ccoctl-output",
        ),
        traps=(
            (
                "It fails for the whole run where a service ID of that name exists, so it gets the new requests alone "
                f"({NEW_REQUESTS}/)."
            ),
            "It needs the API key of an administrator in IC_API_KEY.",
            "It does nothing for a service ID that exists and needs more: neither does refresh-keys.",
        ),
        placeholders=() if site.ccoctl_name else (CCOCTL_NAME,),
        requests=NEW_REQUESTS,
    )

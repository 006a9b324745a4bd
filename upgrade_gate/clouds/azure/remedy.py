"""Azure: custom roles, role assignments, federated credentials, and the commands of `az` and `ccoctl azure`.

Sources: cloud-credential-operator `pkg/cmd/provisioning/azure` (names, scopes, what a rerun does: facts cco.md 2.2 and
7), azure-cli `command_modules/role/custom.py` (an existing assignment is no error, a role is found by its name).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.secret_ref import TOKEN_PATH
from upgrade_gate.clouds.azure.remedy_target import SUBSCRIPTION, Role, Target, find
from upgrade_gate.clouds.contract.remedy import (
    CcoctlCommand,
    Command,
    Draft,
    Placeholder,
    Serves,
    Step,
    argv,
    fill,
    json_file,
    sentence,
)
from upgrade_gate.clouds.shared.phrases import CCOCTL_NAME, later, merged, newcomer, permissions, why

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

KINDS = frozenset({"AzureProviderSpec"})
FOLDER = "azure"

_AUDIENCE = "openshift"
_GROUP_PATTERN = "[A-Za-z0-9._()-]{1,90}"
_RESOURCE_GROUP = Placeholder(
    "AZURE_RESOURCE_GROUP",
    "the cluster's resource group: oc get infrastructure cluster "
    "-o jsonpath={.status.platformStatus.azure.resourceGroupName}",
    _GROUP_PATTERN,
)
_REGION = Placeholder("AZURE_REGION", "the Azure region, such as westeurope", "[a-z0-9]+")
_ISSUER = Placeholder(
    "OIDC_ISSUER_URL",
    "the cluster's service account issuer: oc get authentication cluster -o jsonpath={.spec.serviceAccountIssuer}",
    "https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?",
)

_PLANES = {"permission": "Actions", "dataPermission": "DataActions"}


def draft(work: IdentityChange, site: ClusterNames) -> Draft:
    """Return the custom role, its assignments, federated credentials and their commands for one identity."""
    target = find(work, site)
    files: dict[str, bytes] = {}
    steps: list[Step] = []
    if work.delta:
        files[f"{FOLDER}/{target.base}-delta.json"] = json_file(_role_document(target, work.delta, None))
    if work.create:
        steps.append(_created(work, site, target))
    if work.delta:
        steps.append(_granted(work, site, target, files))
    if work.untrusted:
        steps.append(_trusted(work, site, target))
    if work.gone:
        steps.append(_cleaned(work, site, target, files))
    if work.gone_subjects:
        steps.append(_untrusted(work, target))
    body = {
        "name": target.role,
        "actions": _operations(work.before, "permission"),
        "data_actions": _operations(work.before, "dataPermission"),
        "role_bindings": sorted({g.permission for g in work.before if g.type == "roleBinding"}),
    }
    return Draft(files, tuple(steps), ((target.base, body),) if work.before else ())


def _operations(grants: Iterable[Grant], plane: str) -> list[str]:
    return sorted({g.permission for g in grants if g.type == plane}, key=lambda p: (p.casefold(), p))


def _role_document(
    target: Target, grants: Sequence[Grant], kept: Role | None, scopes: Sequence[str] = ()
) -> dict[str, Any]:
    """Return a role definition as `az` takes it; what an existing role holds stays in it."""
    held = kept.operations if kept else {}
    body: dict[str, Any] = {
        "Name": target.role,
        "IsCustom": True,
        "Description": (kept.description if kept else "") or "Made for an OpenShift component by its administrators",
    }
    for plane, field in _PLANES.items():
        listed = held.get(field, ())
        folded = {p.casefold() for p in listed}
        body[field] = [*listed, *(p for p in _operations(grants, plane) if p.casefold() not in folded)]
        body[f"Not{field}"] = [*held.get(f"Not{field}", ())]
    body["AssignableScopes"] = _assignable(kept.scopes if kept else (), target, scopes)
    return body


def _assignable(held: Sequence[str], target: Target, scopes: Sequence[str]) -> list[str]:
    """Return where a role may be assigned: what stands there, and the subscription where that does not reach.

    Which subscriptions a management group holds is not known here, so one is taken to reach.
    """
    listed = list(held)
    above = [f"{scope.rstrip('/')}/".casefold() for scope in listed]
    groups = any("/managementgroups/" in scope for scope in above)
    reached = all(any(f"{scope}/".casefold().startswith(one) for one in above) for scope in scopes)
    return listed if listed and (groups or reached) else [*listed, f"/subscriptions/{target.subscription}"]


def _granted(work: IdentityChange, site: ClusterNames, target: Target, files: dict[str, bytes]) -> Step:
    """Return the step that makes or extends the custom role and assigns it, and what is bound by name."""
    roles = sorted({g.permission for g in work.delta if g.type == "roleBinding"})
    operations = [g for g in work.delta if g.type in _PLANES]
    commands: list[Command] = []
    notes: list[str] = []
    names: list[str] = [f"{FOLDER}/{target.base}-delta.json"]
    scopes, more = _scopes(work, site, target)
    if operations:
        file = f"{FOLDER}/{target.base}-role.json"
        grants = operations if target.definition is not None else work.before
        files[file] = json_file(_role_document(target, grants, target.definition, scopes))
        names.insert(0, file)
        commands.append(_defined(target, file))
        roles.insert(0, target.role)
        if target.definition is not None:
            notes.append(
                "The document is the custom role as the export shows it, with the delta added: nothing is lost."
            )
        elif not work.create:
            notes.append(
                f"No export shows the identity's roles. If a custom role {target.role} exists, updating it replaces "
                "its permissions: compare first, or run this again with --identities."
            )
    commands += _assigned(target, roles, scopes)
    if len(scopes) > 1:
        notes.append("Each resource group that the component works in needs its own assignment.")
    notes.append("A new role or assignment takes some minutes until it works everywhere.")
    return Step(
        title=f"Grant {permissions(work.delta)} to {work.who}",
        reason=why(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        commands=tuple(commands),
        files=tuple(names),
        notes=tuple(notes),
        placeholders=merged(target.placeholders, *more),
    )


def _defined(target: Target, file: str) -> Command:
    """Return the command that makes the custom role, or writes the one that is there."""
    where = f"/subscriptions/{target.subscription}"
    listing = argv("az role definition list", custom_role_only="true", name=target.role, scope=where)
    return Command(
        argv("az role definition create", role_definition=f"@{file}"),
        counts=(*listing, "--query", "length(@)", "--output", "tsv"),
        otherwise=argv("az role definition update", role_definition=f"@{file}"),
    )


def _assigned(target: Target, roles: Iterable[str], scopes: Iterable[str]) -> list[Command]:
    listed = list(scopes)
    return [
        Command(argv("az role assignment create", *target.assignee, role=role, scope=scope))
        for role in roles
        for scope in listed
    ]


def _scopes(
    work: IdentityChange, site: ClusterNames, target: Target
) -> tuple[tuple[str, ...], tuple[Placeholder, ...]]:
    """Return the resource groups as full IDs, and what of them must be filled in."""
    groups = work.scopes or site.scopes
    more = () if groups else (_RESOURCE_GROUP,)
    found = []
    for group in groups or (_RESOURCE_GROUP.token,):
        full = group if group.startswith("/") else f"/subscriptions/{target.subscription}/resourceGroups/{group}"
        found.append(full)
    return tuple(dict.fromkeys(found)), more


def _created(work: IdentityChange, site: ClusterNames, target: Target) -> Step:
    region = site.region or _REGION.token
    if not site.token:
        return Step(
            title=f"Create a service principal for Secret {work.secrets[0]}",
            reason=newcomer(work),
            when="before",
            serves=Serves.GRANTS,
            secrets=work.names,
            notes=(
                "az ad sp create-for-rbac --skip-assignment prints a client secret, once: it belongs into the Secret.",
            ),
            scripted=False,
        )
    return Step(
        title=f"Create a managed identity for Secret {work.secrets[0]}",
        reason=newcomer(work),
        when="before",
        serves=Serves.GRANTS,
        secrets=work.names,
        commands=(
            Command(
                argv(
                    "az identity create",
                    name=target.identity,
                    resource_group=target.group,
                    location=region,
                    subscription=target.subscription,
                )
            ),
        ),
        notes=("Its output has principalId and clientId, which the next steps and the Secret need.",),
        placeholders=merged(
            (p for p in target.placeholders if p is SUBSCRIPTION),
            *target.for_identity,
            *(() if site.region else (_REGION,)),
        ),
        first=True,
    )


def _trusted(work: IdentityChange, site: ClusterNames, target: Target) -> Step:
    issuer = site.issuer or _ISSUER.token
    commands = [
        Command(
            argv(
                "az identity federated-credential create",
                name=subject.account,
                identity_name=target.identity,
                resource_group=target.group,
                issuer=issuer,
                subject=str(subject),
                audiences=_AUDIENCE,
                subscription=target.subscription,
            )
        )
        for subject in work.untrusted
    ]
    return Step(
        title=f"Let {sentence(map(str, work.untrusted))} act as {work.who}",
        reason="Each service account needs a federated credential of its own.",
        when="before",
        serves=Serves.TRUST,
        secrets=work.names,
        commands=tuple(commands),
        notes=("A federated credential is added beside the others; an identity holds at most 20.",),
        placeholders=merged(
            (p for p in target.placeholders if p is SUBSCRIPTION),
            *target.for_identity,
            *(() if site.issuer else (_ISSUER,)),
        ),
    )


def _cleaned(work: IdentityChange, site: ClusterNames, target: Target, files: dict[str, bytes]) -> Step:
    """Return the step after the upgrade that takes away operations, and role bindings that operations replaced.

    A binding by name is never taken away by a script: the principal may serve more than this Secret.
    """
    bound = sorted({g.permission for g in work.gone if g.type == "roleBinding"})
    gone = {(_PLANES[g.type], g.permission.casefold()) for g in work.gone if g.type in _PLANES}
    needed = [g for g in work.target if g.type in _PLANES]
    file = f"{FOLDER}/{target.base}-role-after.json"
    scopes, more = _scopes(work, site, target)
    commands: list[Command] = []
    if needed:
        added = work.target if bound else work.delta
        body = _role_document(target, [g for g in added if g.type in _PLANES], target.definition, scopes)
        if target.definition is None:
            body = _role_document(target, needed, None)
        for field in _PLANES.values():
            body[field] = [p for p in body[field] if (field, p.casefold()) not in gone]
        files[file] = json_file(body)
        commands.append(_defined(target, file))
    if bound and needed:
        commands += _assigned(target, [target.role], scopes)
    commands += [
        Command(argv("az role assignment delete", *target.unassignee, role=role, scope=scope))
        for role in bound
        for scope in scopes
    ]
    known = bool(commands) and not bound and (target.definition is not None or bool(work.delta))
    notes = []
    if bound:
        notes.append(
            f"{', '.join(bound)} is bound by name, at these scopes or above. Take it away only when the custom role "
            "works, and nothing else uses the principal."
        )
    return Step(
        title=f"Take {permissions(work.gone)} from {work.who}",
        reason=later(work),
        when="after",
        serves=Serves.CLEAN_UP,
        secrets=work.names,
        commands=tuple(commands),
        files=(file,) if needed else (),
        notes=tuple(notes),
        placeholders=merged(target.placeholders, *more),
        scripted=known,
    )


def _untrusted(work: IdentityChange, target: Target) -> Step:
    commands = tuple(
        Command(
            argv(
                "az identity federated-credential delete",
                name=subject.account,
                identity_name=target.identity,
                resource_group=target.group,
                subscription=target.subscription,
                yes=True,
            )
        )
        for subject in work.gone_subjects
    )
    return Step(
        title=f"Take the federated credentials of {sentence(map(str, work.gone_subjects))} away",
        reason="These service accounts no longer use the identity; ccoctl leaves them.",
        when="after",
        serves=Serves.CLEAN_UP,
        secrets=work.names,
        commands=commands,
        notes=("A federated credential that ccoctl made is named after its service account.",),
        placeholders=merged((p for p in target.placeholders if p is SUBSCRIPTION), *target.for_identity),
    )


def secret_value(key: str, work: IdentityChange, site: ClusterNames) -> str | None:
    """Return what is known of a key's value, as words to be filled in."""
    words = {
        "azure_client_id": work.identity or f"client ID of the identity {work.ccoctl or ''}".strip(),
        "azure_subscription_id": site.account or "subscription ID",
        "azure_tenant_id": "tenant ID",
        "azure_region": site.region or "region",
        "azure_resourcegroup": site.scopes[0] if site.scopes else "resource group of the cluster",
        "azure_resource_prefix": site.infrastructure or "infrastructure name of the cluster",
        "azure_federated_token_file": work.token_path or TOKEN_PATH,
    }
    return fill(words[key]) if key in words else None


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return the permissions of each custom role as local values."""
    return {"locals": {"upgrade_gate_azure_roles": dict(entries)}}


def ccoctl(works: Sequence[IdentityChange], site: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl azure create-managed-identities`, for clusters with workload identity."""
    if not site.token or site.release < (4, 14):
        return None
    words = (
        (site.ccoctl_name or CCOCTL_NAME.token, CCOCTL_NAME),
        (site.region or _REGION.token, _REGION),
        (site.account or SUBSCRIPTION.token, SUBSCRIPTION),
        (site.issuer or _ISSUER.token, _ISSUER),
        (site.scopes[0] if site.scopes else _RESOURCE_GROUP.token, _RESOURCE_GROUP),
    )
    more: list[str] = []
    wide = {scope for work in works for scope in work.scopes or () if scope not in site.scopes}
    if wide:
        more.append(
            f"Give it the cluster's other resource groups ({', '.join(sorted(wide))}) as "
            "--network-resource-group-name or --dnszone-resource-group-name: it assigns only where it is told to."
        )
    keep = site.release >= (4, 21)
    losing = [w.label for w in works if w.gone]
    traps = [
        "It replaces each custom role by exactly what the target asks for."
        + (f" Before the upgrade that takes from {sentence(losing)} what the running release needs." if losing else ""),
        "It removes every role assignment of these identities that the requests do not list"
        + (
            "; --preserve-existing-roles keeps them."
            if keep
            else ", those given by hand included; ccoctl before 4.21 cannot be kept from it."
        ),
        *more,
    ]
    return CcoctlCommand(
        argv=argv(
            "ccoctl azure create-managed-identities",
            name=words[0][0],
            region=words[1][0],
            subscription_id=words[2][0],
            credentials_requests_dir="credentials-requests",
            issuer_url=words[3][0],
            installation_resource_group_name=words[4][0],
            output_dir="ccoctl-output",
            preserve_existing_roles=keep,
        ),
        traps=tuple(traps),
        placeholders=tuple(p for word, p in words if word == p.token),
    )

"""Azure: custom roles, role assignments, federated credentials, and the commands of `az` and `ccoctl azure`.

Sources: cloud-credential-operator `pkg/cmd/provisioning/azure` (names, scopes, what a rerun does:
docs/facts/azure.md#ccoctl), azure-cli `command_modules/role/custom.py` (an existing assignment is no error, a role is
found by its name).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.secret_ref import TOKEN_PATH
from upgrade_gate.base.steps import Command, CommandLine, line, word
from upgrade_gate.base.text import sentence
from upgrade_gate.clouds.azure.remedy_target import (
    ISSUER,
    NETWORK_GROUP,
    REGION,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    ZONE_GROUP,
    find,
)
from upgrade_gate.clouds.contract.remedy import REQUESTS, CcoctlCommand, CloudLogin, Draft, fill, json_file
from upgrade_gate.clouds.shared.drafting import (
    CCOCTL_NAME,
    clean_up,
    create,
    decision,
    grant,
    loosening,
    losing,
    take,
    trust,
)
from upgrade_gate.clouds.shared.patterns import less

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.base.steps import BundleFile, Placeholder, Step, Word
    from upgrade_gate.clouds.azure.remedy_target import Role, Target
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange, Subject

FOLDER = "azure"
FILES = (
    "*-role.json is all that an identity must hold until the upgrade is complete, *-delta.json what is new, "
    "*-role-after.json what is left after the clean-up"
)

_AUDIENCE = "openshift"
_LONGEST_CREDENTIAL = 120
"""Characters of a federated credential's name."""
_PATIENCE = 600
"""Seconds until a new role, assignment or principal works everywhere (Azure RBAC: up to ten minutes)."""
_MADE_BEFORE = "RoleDefinitionWithSameNameExists"
_UNSEEN = "RoleDefinitionDoesNotExist|Role '.*' doesn't exist|PrincipalNotFound|ParentResourceNotFound"
"""What Azure says while it does not know yet what was just made."""
_DEFINITION = (
    "[0].{p: [permissions, properties.permissions] | [?@] | [0][0], n: roleName || properties.roleName, "
    "d: description || properties.description, s: assignableScopes || properties.assignableScopes} | "
    "{Name: n, IsCustom: `true`, Description: d, Actions: sort(p.actions || `[]`), "
    "NotActions: sort(p.notActions || `[]`), DataActions: sort(p.dataActions || `[]`), "
    "NotDataActions: sort(p.notDataActions || `[]`), AssignableScopes: sort(s || `[]`)}"
)
"""A role definition, flat or nested as the version of az prints it, in the form of the documents here.

Lists are sorted on both sides, since Azure need not keep their order.
"""

_LISTED = (
    "[0].{p: [permissions, properties.permissions] | [?@] | [0][0], s: assignableScopes || properties.assignableScopes}"
    " | [p.actions, p.notActions, p.dataActions, p.notDataActions, s][] | [?@]"
)
"""What such a definition lists, operations and where it may be assigned, without what it is called."""

_PLANES = {"permission": "Actions", "dataPermission": "DataActions"}


def draft(change: IdentityChange, names: ClusterNames) -> Draft:
    """Return the custom role, its assignments, federated credentials and their commands for one identity."""
    target = find(change, names)
    steps: list[Step] = []
    if change.create:
        steps.append(_created(change, names, target))
    if change.delta:
        steps.append(_granted(change, names, target))
    loosened = _file(target, "loosened", _role_document(target, change.narrow, None)) if change.narrow else None
    steps += decision(change, loosened=loosened)
    if change.untrusted:
        steps.append(_trusted(change, names, target))
    if change.gone:
        steps.append(_cleaned(change, names, target))
    if change.gone_subjects:
        steps.append(_untrusted(change, target))
    everything = change.unwidened(change.before)
    body = {
        "name": target.role,
        "actions": _operations(everything, "permission"),
        "data_actions": _operations(everything, "dataPermission"),
        "role_bindings": _bound(everything),
    }
    return Draft(tuple(steps), ((target.base, body),) if change.before else ())


def _file(target: Target, ending: str, body: Any) -> BundleFile:
    return json_file(f"{FOLDER}/{target.base}-{ending}.json", body)


def _bound(grants: Iterable[Grant]) -> list[str]:
    return sorted({g.permission for g in grants if g.type == "roleBinding"})


def _operations(grants: Iterable[Grant], plane: str) -> list[str]:
    return sorted({g.permission for g in grants if g.type == plane}, key=lambda p: (p.casefold(), p))


def _role_document(
    target: Target, grants: Sequence[Grant], kept: Role | None, scopes: Sequence[Word] = ()
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
        body[field] = sorted([*listed, *(p for p in _operations(grants, plane) if p.casefold() not in folded)])
        body[f"Not{field}"] = sorted(held.get(f"Not{field}", ()))
    body["AssignableScopes"] = sorted(_assignable(kept.scopes if kept else (), target, list(map(str, scopes))))
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


def _granted(change: IdentityChange, names: ClusterNames, target: Target) -> Step:
    """Return the step that makes or extends the custom role and assigns it, and what is bound by name."""
    roles = _bound(change.delta)
    operations = [g for g in change.delta if g.type in _PLANES]
    commands: list[Command] = []
    notes: list[str] = []
    files = [_file(target, "delta", _role_document(target, change.delta, None))]
    scopes = _scopes(change, names, target)
    if operations:
        alone = target.definition is not None or change.sighted
        grants = operations if alone else change.unwidened(change.before)
        files.insert(0, _file(target, "role", _role_document(target, grants, target.definition, scopes)))
        commands += _defined(target, files[0])
        roles.insert(0, target.role)
        if target.definition is not None:
            notes.append(
                "The document is the custom role as the export shows it, with the delta added: nothing is lost."
            )
        elif change.sighted:
            notes.append("The role holds the delta alone: what the identity has from others stays there.")
        elif not change.create:
            notes.append(
                f"No export shows the identity's roles. If a custom role {target.role} exists, updating it replaces "
                "its permissions: compare first, or run this again with --identities."
            )
    commands += _assigned(target, roles, scopes)
    if len(scopes) > 1:
        notes.append("Each resource group that the component works in needs its own assignment.")
    notes.append("A new role or assignment takes up to ten minutes until it works everywhere; the script waits for it.")
    return grant(change, commands=tuple(commands), files=tuple(files), notes=tuple(notes), unknown=target.unknown)


def _defined(target: Target, file: BundleFile, gone: Sequence[BundleFile] = ()) -> list[Command]:
    """Return the commands that make the custom role, and write the one that is there and says something else.

    What somebody has added to it since stops the script: writing it would take that away. `gone` may go.
    """
    listing = line(
        "az role definition list",
        custom_role_only="true",
        name=target.role,
        scope=word("/subscriptions/", target.subscription),
    )
    number = CommandLine((*listing.words, *line("--query length(@) --output tsv").words))
    shown = CommandLine((*listing.words, *line("", query=_DEFINITION, output="json").words))
    stands = CommandLine((*listing.words, *line("", query=_LISTED, output="json").words))
    document = word("@", file)
    return [
        Command(
            line("az role definition create", role_definition=document),
            counts=number,
            done=_MADE_BEFORE,
            seen=number,
            patience=_PATIENCE,
        ),
        Command(
            line("az role definition update", role_definition=document),
            unless=shown,
            shows=file,
            keeps=(file, *gone),
            replaces=stands,
            in_case="it exists already",
        ),
    ]


def _assigned(target: Target, roles: Iterable[str], scopes: Iterable[Word]) -> list[Command]:
    listed = list(scopes)
    return [
        Command(
            line("az role assignment create", *target.assignee, role=role, scope=scope),
            unless=_assignments(target, role, scope),
            shows="1",
            passing=_UNSEEN,
            patience=_PATIENCE,
        )
        for role in roles
        for scope in listed
    ]


def _assignments(target: Target, role: str, scope: Word) -> CommandLine:
    """Return what counts the assignments of a role to the principal at a scope; az knows a client ID by a directory."""
    named = f"[?roleDefinitionName=='{role}'"
    if target.assignee[0] == "--assignee":
        query, who = word(f"length({named}])"), target.assignee
    else:
        query, who = word(f"length({named} && principalId=='", target.assignee[1], "'])"), ()
    return line("az role assignment list", *who, scope=scope, query=query, output="tsv")


def _scopes(change: IdentityChange, names: ClusterNames, target: Target) -> tuple[Word, ...]:
    """Return the resource groups as full IDs."""
    found = [
        word(group)
        if isinstance(group, str) and group.startswith("/")
        else word("/subscriptions/", target.subscription, "/resourceGroups/", group)
        for group in change.scopes or names.scopes or (RESOURCE_GROUP,)
    ]
    return tuple({str(one): one for one in found}.values())


def _created(change: IdentityChange, names: ClusterNames, target: Target) -> Step:
    if not names.token:
        note = "az ad sp create-for-rbac --skip-assignment prints a client secret, once: it belongs in the Secret."
        title = f"Create a service principal for Secret {change.secrets[0]}"
        return create(change, title, notes=(note,), scripted=False)
    which = {"name": target.identity, "resource_group": target.group}
    made = line("az identity create", **which, location=names.region or REGION, subscription=target.subscription)
    there = line("az identity show", **which, subscription=target.subscription)
    return create(
        change,
        f"Create a managed identity for Secret {change.secrets[0]}",
        commands=(Command(made, unless=there, seen=there),),
        notes=("Its output has principalId and clientId, which the next steps and the Secret need.",),
        unknown=target.unknown,
    )


def _trusted(change: IdentityChange, names: ClusterNames, target: Target) -> Step:
    commands = [_federated(subject, change.untrusted, names, target) for subject in change.untrusted]
    return trust(
        change,
        f"Let {sentence(map(str, change.untrusted))} act as {change.who}",
        "Each service account needs a federated credential of its own.",
        commands=tuple(commands),
        notes=("A federated credential is added beside the others; an identity holds at most 20.",),
        unknown=target.unknown,
    )


def _federated(subject: Subject, beside: Sequence[Subject], names: ClusterNames, target: Target) -> Command:
    """Return the command that makes a federated credential, where none says the same.

    Creating one writes over another of its name, so its name is no other's: ccoctl's, the service account's, where
    that is free.
    """
    issuer = names.issuer or ISSUER
    same = [one for one in beside if one.account == subject.account]
    others = target.federated.get(subject.account, frozenset()) - {(names.issuer, str(subject))}
    name = subject.account if len(same) == 1 and not others else f"{subject.namespace}-{subject.account}"
    which = {"identity_name": target.identity, "resource_group": target.group}
    made = line(
        "az identity federated-credential create",
        name=name[:_LONGEST_CREDENTIAL],
        **which,
        issuer=issuer,
        subject=str(subject),
        audiences=_AUDIENCE,
        subscription=target.subscription,
    )
    chosen = word("length([?issuer=='", issuer, f"' && subject=='{subject}' && contains(audiences, '{_AUDIENCE}')])")
    held = line(
        "az identity federated-credential list",
        **which,
        subscription=target.subscription,
        query=chosen,
        output="tsv",
    )
    named = line(
        "az identity federated-credential show",
        name=name[:_LONGEST_CREDENTIAL],
        **which,
        subscription=target.subscription,
        query="[issuer, subject]",
        output="json",
    )
    return Command(
        made,
        unless=held,
        shows="1",
        keeps=(word('"', issuer, f'" "{subject}"'),),
        replaces=named,
        passing=_UNSEEN,
        patience=_PATIENCE,
    )


def _cleaned(change: IdentityChange, names: ClusterNames, target: Target) -> Step:
    """Return the step after the upgrade that takes away operations, and role bindings that operations replaced.

    A binding by name is never taken away by a script: the principal may serve more than this Secret.
    """
    bound = _bound(change.gone)
    gone = [g for g in change.gone if g.type in _PLANES]
    needed = [g for g in change.unwidened(change.target) if g.type in _PLANES]
    scopes = _scopes(change, names, target)
    commands: list[Command] = []
    files: tuple[BundleFile, ...] = ()
    if needed or (gone and target.definition is not None):
        alone = target.definition is not None or (change.sighted and change.delta)
        added = [g for g in change.delta if g.type in _PLANES] if alone and not bound else needed
        body = _role_document(target, added, target.definition, scopes)
        for plane, field in _PLANES.items():
            asked = _operations(change.target, plane)
            body[field] = sorted(less(body[field], _operations(gone, plane), asked, single=False))
        files = (
            _file(target, "role-after", body),
            _file(target, "gone", _role_document(target, gone, None)),
        )
        commands += _defined(target, files[0], files[1:])
    if bound and needed:
        commands += _assigned(target, [target.role], scopes)
    commands += [
        Command(line("az role assignment delete", *target.unassignee, role=role, scope=scope))
        for role in bound
        for scope in scopes
    ]
    notes = []
    if bound:
        notes.append(
            f"{', '.join(bound)} is bound by name, at these scopes or above. Take it away only when the custom role "
            "works, and nothing else uses the principal."
        )
    return take(
        change,
        commands=tuple(commands),
        files=files,
        notes=tuple(notes),
        unknown=target.unknown,
        scripted=bool(commands) and not bound and (target.definition is not None or bool(change.delta)),
    )


def _untrusted(change: IdentityChange, target: Target) -> Step:
    return clean_up(
        change,
        f"Remove the federated credentials of {sentence(map(str, change.gone_subjects))}",
        "These service accounts no longer use the identity; ccoctl leaves them.",
        commands=tuple(_unfederated(subject, target) for subject in change.gone_subjects),
        notes=("A federated credential that ccoctl made is named after its service account.",),
        unknown=target.unknown,
    )


def _unfederated(subject: Subject, target: Target) -> Command:
    """Return the command that takes a federated credential away, where it is this service account's."""
    which = {
        "name": subject.account,
        "identity_name": target.identity,
        "resource_group": target.group,
        "subscription": target.subscription,
    }
    return Command(
        line("az identity federated-credential delete", **which, yes=True),
        where=line("az identity federated-credential show", **which, query="subject", output="tsv"),
        prints=str(subject),
    )


def login(change: IdentityChange, names: ClusterNames) -> CloudLogin:
    """Return the subscription."""
    asked = line("az account show", query="id", output="tsv")
    return CloudLogin("Azure subscription", asked, find(change, names).subscription)


def secret_value(key: str, change: IdentityChange, names: ClusterNames) -> str | None:
    """Return what is known of a key's value, as words to be filled in."""
    known = {
        "azure_client_id": change.identity or f"client ID of the identity {change.ccoctl or ''}".strip(),
        "azure_subscription_id": names.account or "subscription ID",
        "azure_tenant_id": "tenant ID",
        "azure_region": names.region or "region",
        "azure_resourcegroup": names.scopes[0] if names.scopes else "resource group of the cluster",
        "azure_resource_prefix": names.infrastructure or "infrastructure name of the cluster",
        "azure_federated_token_file": change.token_path or TOKEN_PATH,
    }
    return fill(known[key]) if key in known else None


def terraform(entries: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Return the permissions of each custom role as local values."""
    return {"locals": {"upgrade_gate_azure_roles": dict(entries)}}


def ccoctl(changes: Sequence[IdentityChange], names: ClusterNames) -> CcoctlCommand | None:
    """Return `ccoctl azure create-managed-identities`, for clusters with workload identity.

    It removes what it was not told of, and takes one group of each kind: a cluster that has more gets no command.
    """
    if not names.token or names.release < (4, 14):
        return None
    oidc = {target.group for change in changes if (target := find(change, names)).group_seen}
    if len(oidc) > 1 or any(len(groups or ()) > 1 for _, groups in _groups(names)):
        return None
    keep = names.release >= (4, 21)
    traps = [
        "It replaces each custom role by exactly what the target asks for."
        + losing(c for c in changes if c.gone)
        + loosening(changes),
        "It removes every role assignment of these identities that the requests do not list, or that lies in a "
        "resource group it was not told of"
        + (
            "; --preserve-existing-roles keeps them."
            if keep
            else ", those given by hand included; ccoctl before 4.21 cannot be kept from it."
        ),
    ]
    unread = [what for what, groups in _groups(names) if groups is None]
    if unread:
        traps.append(
            f"The resource group of {sentence(unread)} was not read: leave its option out where it is the cluster's."
        )
    return CcoctlCommand(
        line(
            "ccoctl azure create-managed-identities",
            name=names.ccoctl_name or CCOCTL_NAME,
            region=names.region or REGION,
            subscription_id=names.account or SUBSCRIPTION,
            credentials_requests_dir=REQUESTS,
            issuer_url=names.issuer or ISSUER,
            installation_resource_group_name=names.scopes[0] if names.scopes else RESOURCE_GROUP,
            network_resource_group_name=_one(names.network_scopes, NETWORK_GROUP),
            dnszone_resource_group_name=_one(names.zone_scopes, ZONE_GROUP),
            oidc_resource_group_name=next(iter(oidc), None),
            output_dir="ccoctl-output",
            preserve_existing_roles=keep,
        ),
        tuple(traps),
    )


def _groups(names: ClusterNames) -> tuple[tuple[str, tuple[str, ...] | None], ...]:
    return (("the network", names.network_scopes), ("the DNS zones", names.zone_scopes))


def _one(groups: tuple[str, ...] | None, unread: Placeholder) -> str | Placeholder | None:
    return unread if groups is None else next(iter(groups), None)

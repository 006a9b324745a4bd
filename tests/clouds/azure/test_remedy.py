"""Azure: custom roles that lose nothing, assignments at every scope, federated credentials, and ccoctl's traps."""

import re
from typing import Any

import jmespath
import pytest

from tests.worlds.identity_changes import ISSUER, change, cluster_names, parsed, step, subjects, unknown
from upgrade_gate.base.steps import Serves
from upgrade_gate.clouds.azure import remedy
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.remedy import ClusterNames, HeldNarrowly, Subject

KIND = "AzureProviderSpec"
CLIENT, PRINCIPAL = "00000000-0000-4000-8000-00000000c11e", "00000000-0000-4000-8000-0000000000aa"
ROLE = "00000000-0000-4000-8000-0000000000bb"
READ = Grant("permission", "Microsoft.Compute/disks/read")
WRITE = Grant("permission", "Microsoft.Compute/disks/write")
BLOB = Grant("dataPermission", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read")
CONTRIBUTOR = Grant("roleBinding", "Contributor")


def here(*documents: Any, **fields: Any) -> ClusterNames:
    base = {
        "account": "S1",
        "issuer": ISSUER,
        "region": "westeurope",
        "scopes": ("c1-rg",),
        "infrastructure": "c1-x7k2p",
    }
    return cluster_names("Azure", *documents, **{**base, **fields})


IDENTITY = [
    {
        "id": "/subscriptions/S1/resourcegroups/c1-oidc/providers/"
        "Microsoft.ManagedIdentity/userAssignedIdentities/c1-x",
        "name": "c1-x",
        "clientId": CLIENT,
        "principalId": PRINCIPAL,
    }
]


def assigned(principal: str = PRINCIPAL, name: str = "a1") -> dict[str, Any]:
    return {
        "id": f"/subscriptions/S1/resourceGroups/c1-rg/providers/Microsoft.Authorization/roleAssignments/{name}",
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": f"/subscriptions/S1/providers/Microsoft.Authorization/roleDefinitions/{ROLE}",
        "roleDefinitionName": "own",
        "scope": "/subscriptions/S1/resourceGroups/c1-rg",
    }


def defined(**permissions: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": f"/subscriptions/S1/providers/Microsoft.Authorization/roleDefinitions/{ROLE}",
            "name": ROLE,
            "roleName": "own",
            "roleType": "CustomRole",
            "description": "ours",
            "assignableScopes": ["/subscriptions/S1", "/subscriptions/S2"],
            "permissions": [{"actions": [], "notActions": [], "dataActions": [], "notDataActions": [], **permissions}],
        }
    ]


def role_document(names: ClusterNames) -> dict[str, Any]:
    """Return the role that an identity is given that lacks one operation."""
    body: dict[str, Any] = parsed(remedy.draft(change(KIND, [WRITE], identity=CLIENT), names), "-role.json")
    return body


def test_the_role_is_what_az_takes() -> None:
    draft = remedy.draft(change(KIND, [WRITE, BLOB], before=(READ, WRITE, BLOB), identity=CLIENT), here())
    body = parsed(draft, "-role.json")
    assert body == {
        "Name": "c1-x7k2p-openshift-x-x-credentials",
        "IsCustom": True,
        "Description": body["Description"],
        "Actions": [READ.permission, WRITE.permission],
        "NotActions": [],
        "DataActions": [BLOB.permission],
        "NotDataActions": [],
        "AssignableScopes": ["/subscriptions/S1"],
    }
    assert parsed(draft, "-delta.json")["Actions"] == [WRITE.permission]
    define, write, assign = step(draft, Serves.GRANTS).commands
    assert define.line.argv[:4] == ("az", "role", "definition", "create")
    assert define.counts.argv[:4] == ("az", "role", "definition", "list")
    assert write.line.argv[:4] == ("az", "role", "definition", "update")
    assert write.shows == write.line.words[-1].parts[-1]
    assert assign.line.argv == (
        *("az", "role", "assignment", "create", "--assignee", CLIENT),
        *("--role", "c1-x7k2p-openshift-x-x-credentials", "--scope", "/subscriptions/S1/resourceGroups/c1-rg"),
    )


def test_a_role_that_was_exported_keeps_all_it_holds() -> None:
    held = defined(actions=["Microsoft.Compute/disks/READ", "X/*"], notActions=["X/y"], dataActions=["D/z"])
    draft = remedy.draft(change(KIND, [READ, WRITE], identity=CLIENT), here(IDENTITY, [assigned()], held))
    body = parsed(draft, "-role.json")
    assert body["Name"] == "own"
    assert body["Actions"] == ["Microsoft.Compute/disks/READ", WRITE.permission, "X/*"]
    assert body["NotActions"] == ["X/y"]
    assert body["DataActions"] == ["D/z"]
    assert body["AssignableScopes"] == ["/subscriptions/S1", "/subscriptions/S2"]
    assert body["Description"] == "ours"
    grant = step(draft, Serves.GRANTS)
    assert grant.commands[2].line.argv[4:6] == ("--assignee-object-id", PRINCIPAL)
    assert not any("replaces its permissions" in note for note in grant.notes)


def counted(*words: str) -> dict[str, Any]:
    """Return a list as PowerShell's ConvertTo-Json prints one that carries its count."""
    return {"value": list(words), "Count": len(words)}


def test_a_role_as_powershell_prints_it_keeps_all_it_holds() -> None:
    held = defined(actions=counted("X/Read", "X/*"), notActions=counted("X/y"), dataActions="D/z")
    held[0]["assignableScopes"] = counted("/subscriptions/S1", "/subscriptions/S2")
    body = role_document(here(IDENTITY, [assigned()], held))
    assert (body["Name"], body["Actions"]) == ("own", [WRITE.permission, "X/*", "X/Read"])
    assert (body["NotActions"], body["DataActions"], body["NotDataActions"]) == (["X/y"], ["D/z"], [])
    assert body["AssignableScopes"] == ["/subscriptions/S1", "/subscriptions/S2"]


def test_what_a_role_as_powershell_prints_it_excludes_is_seen() -> None:
    held = defined(actions=["Microsoft.Compute/*"], notActions=counted("Microsoft.Compute/disks/*"))
    body = role_document(here(IDENTITY, [assigned()], held))
    assert (body["Name"], body["Actions"]) == ("c1-x", [WRITE.permission])


@pytest.mark.parametrize("field", ["actions", "notActions", "dataActions", "notDataActions"])
@pytest.mark.parametrize("strange", [5, ["X/*", None], {"a": "b"}, "X/a X/b", "System.Object[]"], ids=str)
def test_a_role_that_is_not_shown_whole_is_left_alone(field: str, strange: Any) -> None:
    """`az role definition update` replaces it: what could not be read would be taken from whoever holds it."""
    held = defined(**{"actions": ["X/*"], field: strange})
    body = role_document(here(IDENTITY, [assigned()], held))
    assert (body["Name"], body["Actions"]) == ("c1-x", [WRITE.permission])


def test_a_role_whose_assignable_scopes_are_not_shown_is_left_alone() -> None:
    held = defined(actions=["X/*"])
    held[0]["assignableScopes"] = "/subscriptions/S1 /subscriptions/S2"
    body = role_document(here(IDENTITY, [assigned()], held))
    assert body["Name"] == "c1-x"


@pytest.mark.parametrize(
    ("second", "name"),
    [
        ({"actions": ["Y/*"], "notActions": ["X/a"]}, "c1-x"),
        ({"actions": ["Y/*"], "condition": "@Resource[x] StringEquals 'y'"}, "c1-x"),
        ({"actions": ["Y/*"]}, "own"),
    ],
    ids=["excludes", "has a condition", "adds"],
)
def test_permissions_objects_become_one_only_where_nothing_is_lost(second: dict[str, Any], name: str) -> None:
    """In one object the second's notActions would take X/a from the first's actions."""
    held = defined(actions=["X/*"])
    held[0]["permissions"].append(second)
    body = role_document(here(IDENTITY, [assigned()], held))
    assert body["Name"] == name
    assert body["Actions"] == ([WRITE.permission, "X/*", "Y/*"] if name == "own" else [WRITE.permission])


@pytest.mark.parametrize(
    ("assignments", "name"),
    [
        ([], "c1-x-upgrade-gate"),
        ([{"assignedTo": PRINCIPAL, "value": ["other"]}], "c1-x-upgrade-gate"),
        ([{"nextLink": "https://management.azure.com/next", "value": ["other"]}], "c1-x-upgrade-gate"),
        ([["other", {"strange": 1}]], "c1-x-upgrade-gate"),
        ([["by name"]], "c1-x-upgrade-gate"),
        ([["other"]], "c1-x"),
    ],
    ids=["none", "one principal's", "a page of more", "one that cannot be read", "held by name", "all, and nobody's"],
)
def test_a_role_is_nobodys_only_where_all_assignments_were_read(assignments: list[Any], name: str) -> None:
    """A role of the identity's name is written over only where no other principal can hold it."""
    other = assigned("00000000-0000-4000-8000-0000000000cc", "a2")
    by_name = {k: v for k, v in other.items() if k != "roleDefinitionId"} | {"roleDefinitionName": "c1-x"}
    elsewhere = other | {"roleDefinitionId": other["roleDefinitionId"].replace(ROLE, PRINCIPAL)}
    known = {"other": elsewhere, "by name": by_name}

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(one) for one in value]
        return (
            {k: filled(v) if k == "value" else v for k, v in value.items()} if isinstance(value, dict) else known[value]
        )

    (held,) = defined(actions=["X/*"])
    held["roleName"] = "c1-x"
    documents = [IDENTITY, *filled(assignments), [held]]
    body = parsed(remedy.draft(change(KIND, [WRITE], identity=CLIENT), here(*documents)), "-role.json")
    assert body["Name"] == name
    assert ("X/*" in body["Actions"]) is (name == "c1-x")


def test_a_role_in_the_nested_shape_of_rest_keeps_all_it_holds() -> None:
    (flat,) = defined(actions=["X/*"])
    nested = {"value": [{"id": flat["id"], "name": ROLE, "properties": {**flat, "type": "CustomRole"}}]}
    draft = remedy.draft(change(KIND, [WRITE], identity=CLIENT), here(IDENTITY, [assigned()], nested))
    assert parsed(draft, "-role.json")["Actions"] == [WRITE.permission, "X/*"]


def test_a_role_that_others_hold_too_is_left_alone() -> None:
    documents = (
        IDENTITY,
        [assigned(), assigned("00000000-0000-4000-8000-0000000000cc", "a2")],
        defined(actions=["X/*"]),
    )
    draft = remedy.draft(change(KIND, [WRITE], identity=CLIENT), here(*documents))
    assert parsed(draft, "-role.json")["Name"] == "c1-x"


def test_a_role_that_excludes_what_is_needed_is_left_alone() -> None:
    """NotActions take away from the same role's actions: adding the operation there would grant nothing."""
    held = defined(actions=["Microsoft.Compute/*"], notActions=["Microsoft.Compute/DISKS/*"])
    draft = remedy.draft(change(KIND, [WRITE], identity=CLIENT), here(IDENTITY, [assigned()], held))
    body = parsed(draft, "-role.json")
    assert (body["Name"], body["Actions"], body["NotActions"]) == ("c1-x", [WRITE.permission], [])
    other = defined(actions=["Microsoft.Compute/*"], notActions=["Microsoft.Compute/snapshots/*"])
    draft = remedy.draft(change(KIND, [WRITE], identity=CLIENT), here(IDENTITY, [assigned()], other))
    assert parsed(draft, "-role.json")["Name"] == "own"


def test_a_new_role_never_takes_the_name_of_one_that_stands() -> None:
    """Two roles of one name in a tenant: az would write over the first."""
    (held,) = defined(actions=["Microsoft.Compute/*"], notActions=["Microsoft.Compute/disks/*"])
    held["roleName"] = "c1-x"
    draft = remedy.draft(change(KIND, [WRITE], identity=CLIENT), here(IDENTITY, [assigned()], [held]))
    assert parsed(draft, "-role.json")["Name"] == "c1-x-upgrade-gate"
    assert step(draft, Serves.GRANTS).commands[2].line.argv[-3] == "c1-x-upgrade-gate"


@pytest.mark.parametrize(
    ("scopes", "wanted"),
    [
        (["/subscriptions/S2"], ["/subscriptions/S1", "/subscriptions/S2"]),
        (
            ["/subscriptions/S1/resourceGroups/other"],
            ["/subscriptions/S1", "/subscriptions/S1/resourceGroups/other"],
        ),
        (["/subscriptions/s1/resourcegroups/C1-RG"], ["/subscriptions/s1/resourcegroups/C1-RG"]),
        (
            ["/providers/Microsoft.Management/managementGroups/m"],
            ["/providers/Microsoft.Management/managementGroups/m"],
        ),
    ],
    ids=["another subscription", "another group", "this group", "a management group"],
)
def test_a_role_can_be_assigned_where_it_is_needed(scopes: list[str], wanted: list[str]) -> None:
    """A role is assignable within its assignableScopes alone; what stands there stays."""
    (held,) = defined(actions=["X/*"])
    held["assignableScopes"] = scopes
    draft = remedy.draft(change(KIND, [WRITE], identity=CLIENT), here(IDENTITY, [assigned()], [held]))
    assert parsed(draft, "-role.json")["AssignableScopes"] == wanted


def test_a_service_principals_own_role_is_found() -> None:
    """`az ad sp list` calls the object ID `id`."""
    people = [{"appId": CLIENT, "id": PRINCIPAL, "displayName": "c1", "servicePrincipalType": "Application"}]
    draft = remedy.draft(
        change(KIND, [WRITE], identity=CLIENT), here(people, [assigned()], defined(actions=["X/*"]), token=False)
    )
    assert parsed(draft, "-role.json")["Actions"] == [WRITE.permission, "X/*"]
    assert step(draft, Serves.GRANTS).commands[2].line.argv[4:6] == ("--assignee-object-id", PRINCIPAL)


def test_a_role_is_looked_for_in_the_clusters_subscription() -> None:
    define = step(remedy.draft(change(KIND, [WRITE], identity=CLIENT), here()), Serves.GRANTS).commands[0]
    assert define.counts.argv[define.counts.argv.index("--scope") + 1] == "/subscriptions/S1"


def test_every_resource_group_gets_its_assignment() -> None:
    draft = remedy.draft(change(KIND, [WRITE], identity=CLIENT, scopes=("c1-rg", "net-rg")), here())
    scopes = [c.line.argv[-1] for c in step(draft, Serves.GRANTS).commands[2:]]
    assert scopes == ["/subscriptions/S1/resourceGroups/c1-rg", "/subscriptions/S1/resourceGroups/net-rg"]


def test_a_role_that_is_bound_by_name_is_only_assigned() -> None:
    draft = remedy.draft(change(KIND, [CONTRIBUTOR], identity=CLIENT), here())
    (assign,) = step(draft, Serves.GRANTS).commands
    assert assign.line.argv[assign.line.argv.index("--role") + 1] == "Contributor"
    assert [n for n in draft.files if n.endswith("-role.json")] == []


def test_what_is_not_known_is_to_be_filled_in() -> None:
    draft = remedy.draft(change(KIND, [WRITE]), here(account=None, scopes=()))
    names = {p.name for p in step(draft, Serves.GRANTS).placeholders}
    assert names == {"AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_PRINCIPAL_OPENSHIFT_X_X_CREDENTIALS"}
    assert parsed(draft, "-role.json")["AssignableScopes"] == ["/subscriptions/<FILL_ME: AZURE_SUBSCRIPTION_ID>"]


def test_each_service_account_gets_a_federated_credential() -> None:
    draft = remedy.draft(change(KIND, identity=CLIENT, untrusted=subjects("a", "b")), here(IDENTITY))
    first, second = step(draft, Serves.TRUST).commands
    assert first.line.argv == (
        *("az", "identity", "federated-credential", "create", "--name", "a", "--identity-name", "c1-x"),
        *("--resource-group", "c1-oidc", "--issuer", ISSUER, "--subject", "system:serviceaccount:openshift-x:a"),
        *("--audiences", "openshift", "--subscription", "S1"),
    )
    assert second.line.argv[5] == "b"


def test_a_new_identity_is_made_where_ccoctl_makes_it() -> None:
    new = change(KIND, [WRITE], ccoctl="c1-openshift-x-x-credentials", create=True, untrusted=subjects("a"))
    draft = remedy.draft(new, here(ccoctl_name="c1"))
    create = draft.steps[0].commands[0].line.argv
    assert create == (
        *("az", "identity", "create", "--name", "c1-openshift-x-x-credentials", "--resource-group", "c1-oidc"),
        *("--location", "westeurope", "--subscription", "S1"),
    )
    assert [s.serves for s in draft.steps] == [Serves.GRANTS, Serves.GRANTS, Serves.TRUST]
    assert [s.first for s in draft.steps] == [True, False, False]


def test_with_client_secrets_a_new_principal_is_for_a_person() -> None:
    draft = remedy.draft(change(KIND, [WRITE], create=True), here(token=False))
    assert not draft.steps[0].scripted


def test_the_clean_up_takes_only_what_went() -> None:
    held = defined(actions=[READ.permission.upper(), "X/*"])
    new = change(KIND, [WRITE], identity=CLIENT, gone=(READ,), target=(WRITE,))
    draft = remedy.draft(new, here(IDENTITY, [assigned()], held))
    assert parsed(draft, "-role-after.json")["Actions"] == [WRITE.permission, "X/*"]
    assert step(draft, Serves.CLEAN_UP).scripted


def test_the_clean_up_keeps_what_of_a_wildcard_the_target_asks_for_by_its_name() -> None:
    held = defined(actions=["Microsoft.Compute/disks/*", "X/*"], dataActions=["Microsoft.Compute/disks/*"])
    wild = Grant("permission", "microsoft.compute/Disks/*")
    one = change(KIND, identity=CLIENT, before=(wild, READ, WRITE), target=(READ, WRITE), gone=(wild,))
    after = parsed(remedy.draft(one, here(IDENTITY, [assigned()], held)), "-role-after.json")
    assert after["Actions"] == [READ.permission, WRITE.permission, "X/*"]
    assert after["DataActions"] == ["Microsoft.Compute/disks/*"], "the other plane is another matter"


def test_a_binding_by_name_is_replaced_by_a_person() -> None:
    new = change(KIND, identity=CLIENT, before=(CONTRIBUTOR, READ), target=(READ,), gone=(CONTRIBUTOR,))
    after = step(remedy.draft(new, here()), Serves.CLEAN_UP)
    assert [c.line.argv[1:4] for c in after.commands] == [
        ("role", "definition", "create"),
        ("role", "definition", "update"),
        ("role", "assignment", "create"),
        ("role", "assignment", "delete"),
    ]
    assert after.commands[-1].line.argv[4:8] == ("--assignee", CLIENT, "--role", "Contributor")
    assert not after.scripted


def test_a_dropped_account_loses_its_federated_credential() -> None:
    draft = remedy.draft(change(KIND, identity=CLIENT, gone_subjects=subjects("old")), here(IDENTITY))
    assert step(draft, Serves.CLEAN_UP).commands[0].line.argv[3:6] == ("delete", "--name", "old")


def test_a_secret_says_what_belongs_there() -> None:
    one = change(KIND, identity=CLIENT)
    assert remedy.secret_value("azure_client_id", one, here()) == f"<FILL_ME: {CLIENT}>"
    assert remedy.secret_value("azure_client_secret", one, here()) is None
    token = remedy.secret_value("azure_federated_token_file", one, here())
    assert token == "<FILL_ME: /var/run/secrets/openshift/serviceaccount/token>"


@pytest.mark.parametrize(
    ("release", "keeps"), [((4, 14), False), ((4, 20), False), ((4, 21), True)], ids=["4.14", "4.20", "4.21"]
)
def test_ccoctl_comes_with_its_traps(release: tuple[int, int], keeps: bool) -> None:
    offer = remedy.ccoctl(
        [change(KIND, gone=(READ,))], here(release=release, ccoctl_name="c1", network_scopes=("net-rg",))
    )
    assert offer is not None
    assert ("--preserve-existing-roles" in offer.line.argv) is keeps
    traps = " ".join(offer.traps)
    assert "removes every role assignment" in traps
    argv = offer.line.argv
    assert argv[argv.index("--network-resource-group-name") + 1] == "net-rg"
    assert "--dnszone-resource-group-name" not in argv, "nothing that the facts do not ask for"
    assert "Before the upgrade" in traps
    assert unknown(offer.line) == set()


@pytest.mark.parametrize("fields", [{"token": False}, {"release": (4, 13)}], ids=["keys", "4.13"])
def test_there_is_no_ccoctl_before_workload_identity(fields: dict[str, Any]) -> None:
    assert remedy.ccoctl([change(KIND)], here(**fields)) is None


def test_terraform_gets_permissions_as_data() -> None:
    (entry,) = remedy.draft(change(KIND, [WRITE, BLOB, CONTRIBUTOR], identity=CLIENT), here()).terraform
    assert remedy.terraform([entry]) == {
        "locals": {
            "upgrade_gate_azure_roles": {
                "openshift-x-x-credentials": {
                    "name": "c1-x7k2p-openshift-x-x-credentials",
                    "actions": [WRITE.permission],
                    "data_actions": [BLOB.permission],
                    "role_bindings": ["Contributor"],
                }
            }
        }
    }


@pytest.mark.parametrize(
    ("facts", "flags"),
    [
        ({}, set()),
        ({"network_scopes": ("hub",)}, {"network hub"}),
        ({"zone_scopes": ("dns",)}, {"dnszone dns"}),
        ({"network_scopes": ("hub",), "zone_scopes": ("dns",)}, {"network hub", "dnszone dns"}),
        ({"network_scopes": None}, {"network <FILL_ME: AZURE_NETWORK_RESOURCE_GROUP>"}),
        ({"zone_scopes": None}, {"dnszone <FILL_ME: AZURE_DNS_ZONE_RESOURCE_GROUP>"}),
    ],
    ids=["its own", "network", "zones", "both", "network not read", "zones not read"],
)
def test_ccoctl_gets_every_group_that_the_cluster_names(facts: dict[str, Any], flags: set[str]) -> None:
    """It removes what lies in a group that it was not told of."""
    offer = remedy.ccoctl([change(KIND, [WRITE], identity=CLIENT)], here(IDENTITY, ccoctl_name="c1", **facts))
    assert offer is not None
    pairs = list(zip(offer.line.argv, offer.line.argv[1:], strict=False))
    ending = "-resource-group-name"
    named = {
        f"{a.removeprefix('--').removesuffix(ending)} {b}"
        for a, b in pairs
        if a.startswith("--") and a.endswith(ending)
    }
    assert named == flags | {"installation c1-rg", "oidc c1-oidc"}


@pytest.mark.parametrize("facts", [{"zone_scopes": ("a", "b")}, {"network_scopes": ("a", "b")}], ids=["zones", "nets"])
def test_ccoctl_takes_one_group_of_each_kind(facts: dict[str, Any]) -> None:
    assert remedy.ccoctl([change(KIND, [WRITE])], here(ccoctl_name="c1", **facts)) is None


def test_identities_in_several_groups_are_not_for_one_run_of_ccoctl() -> None:
    other = "00000000-0000-4000-8000-00000000c22e"
    away = {**IDENTITY[0], "id": IDENTITY[0]["id"].replace("c1-oidc", "shared"), "name": "c1-y", "clientId": other}
    both = [change(KIND, [WRITE], identity=CLIENT), change(KIND, [WRITE], identity=other)]
    assert remedy.ccoctl(both, here([*IDENTITY, away], ccoctl_name="c1")) is None


def test_what_replicates_late_is_waited_for() -> None:
    """Texts of azure-cli#20727 and of the documentation on troubleshooting role assignments."""
    new = change(KIND, [WRITE], ccoctl="c1-openshift-x-x-credentials", create=True, untrusted=subjects("a"))
    made, granted, trusted = remedy.draft(new, here(ccoctl_name="c1")).steps
    define, _, assign = granted.commands
    assert made.commands[0].seen
    assert define.seen == define.counts
    assert re.search(define.done, "(RoleDefinitionWithSameNameExists) A custom role with the same name already exists")
    for said in (
        "ERROR: (RoleDefinitionDoesNotExist) The specified role definition with ID 'x' does not exist.",
        "ERROR: Role 'c1-x' doesn't exist.",
        "(PrincipalNotFound) Principal 0aa does not exist in the directory 0bb.",
    ):
        assert re.search(assign.passing, said)
    assert min(define.patience, assign.patience, trusted.commands[0].patience) >= 600
    (principal,) = (p for p in granted.placeholders if p.name.startswith("AZURE_PRINCIPAL"))
    assert principal.printed_by is not None, "what the step before made is asked for"


def test_what_is_there_already_is_left_as_it_is() -> None:
    held = defined(actions=["X/*"])
    draft = remedy.draft(
        change(KIND, [WRITE], identity=CLIENT, untrusted=subjects("a")), here(IDENTITY, [assigned()], held)
    )
    _, write, assign = step(draft, Serves.GRANTS).commands
    document = parsed(draft, "-role.json")
    shape = {
        "roleName": "own",
        "description": "ours",
        "permissions": [{field[0].lower() + field[1:]: document[field] for field in FIELDS}],
        "assignableScopes": document["AssignableScopes"],
    }
    for shown in (shape, {"name": ROLE, "properties": shape}):
        query = write.unless.argv[write.unless.argv.index("--query") + 1]
        assert jmespath.search(query, [shown]) == document
    count = assign.unless.argv[assign.unless.argv.index("--query") + 1]
    assert jmespath.search(count, [{"principalId": PRINCIPAL, "roleDefinitionName": "own"}]) == 1
    assert jmespath.search(count, [{"principalId": "other", "roleDefinitionName": "own"}]) == 0
    (credential,) = step(draft, Serves.TRUST).commands
    count = credential.unless.argv[credential.unless.argv.index("--query") + 1]
    same = {"issuer": ISSUER, "subject": "system:serviceaccount:openshift-x:a", "audiences": ["openshift"]}
    assert jmespath.search(count, [{**same, "name": "made by hand"}]) == 1
    for other in ({"issuer": f"{ISSUER}2"}, {"subject": "system:serviceaccount:openshift-x:b"}, {"audiences": ["x"]}):
        assert jmespath.search(count, [{**same, **other}]) == 0


def test_a_federated_credential_is_never_written_over() -> None:
    """One is found by its name: two subjects of one account name, or an old one of that name, need two names."""
    twice = (Subject("openshift-x", "operator"), Subject("openshift-y", "operator"), Subject("openshift-y", "b"))
    stands = {
        "id": f"{IDENTITY[0]['id']}/federatedIdentityCredentials/b",
        "name": "b",
        "issuer": "https://old",
        "subject": "system:serviceaccount:openshift-y:b",
        "audiences": ["openshift"],
    }
    one = change(KIND, identity=CLIENT, untrusted=twice)
    commands = step(remedy.draft(one, here(IDENTITY, [stands])), Serves.TRUST).commands
    names = [c.line.argv[c.line.argv.index("--name") + 1] for c in commands]
    assert names == ["openshift-x-operator", "openshift-y-operator", "openshift-y-b"]


FIELDS = ("Actions", "NotActions", "DataActions", "NotDataActions")


def test_beside_what_is_narrow_only_what_is_missing_is_granted() -> None:
    """A role that others hold is left alone; the new one must not give what somebody gave under a condition."""
    held = (HeldNarrowly(READ, "own at group c1-rg is under a condition: @Resource[x]"),)
    one = change(KIND, [WRITE], before=(READ, WRITE), identity=CLIENT, narrower=held, sighted=True)
    shared = [assigned(), assigned("00000000-0000-4000-8000-0000000000cc", "a2")]
    draft = remedy.draft(one, here(IDENTITY, shared, defined(actions=["X/*"])))
    assert parsed(draft, "-role.json")["Actions"] == [WRITE.permission]
    assert parsed(draft, "-loosened.json")["Actions"] == [READ.permission]
    decision = next(s for s in draft.steps if not s.scripted)
    assert any("under a condition" in note for note in decision.notes)


def test_the_clean_up_takes_from_a_role_that_is_shown_though_all_that_is_left_is_narrow() -> None:
    held = (HeldNarrowly(READ, "own at group c1-rg is under a condition: @Resource[x]"),)
    one = change(KIND, before=(READ, WRITE), target=(READ,), gone=(WRITE,), identity=CLIENT, narrower=held)
    shown = here(IDENTITY, [assigned()], defined(actions=["X/*", READ.permission, WRITE.permission]))
    after = parsed(remedy.draft(one, shown), "-role-after.json")
    assert after["Actions"] == [READ.permission, "X/*"], "what is there stays there, under its condition"
    assert [s.files for s in remedy.draft(one, here()).steps if s.serves is Serves.CLEAN_UP] == [()]


@pytest.mark.parametrize("given", ["S1", "/subscriptions/S1"])
def test_the_login_is_held_against_the_subscription_alone(given: str) -> None:
    assert remedy.login(change(KIND, [WRITE]), here(account=given)).judged == "S1"

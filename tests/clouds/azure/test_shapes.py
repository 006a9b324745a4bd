"""Azure: what each object that its tools print is, and what is read of it (docs/facts/azure.md#exports)."""

from __future__ import annotations

from typing import Any

import pytest

from upgrade_gate.clouds.azure import shapes
from upgrade_gate.clouds.shared.pages import Entry
from upgrade_gate.clouds.shared.patterns import Patterns

AUTHORIZATION = "Microsoft.Authorization"
S1, S2 = "/subscriptions/S1", "/subscriptions/S2"
RG = f"{S1}/resourceGroups/BOX"
GUID = "0000000A-0000-4000-8000-000000000001"
ROLE = f"/providers/{AUTHORIZATION}/roleDefinitions/{GUID}"
GIVEN = f"/providers/{AUTHORIZATION}/roleAssignments/A1"
SCHEDULED = f"{AUTHORIZATION}/roleAssignmentScheduleInstances"
PLAIN = {"principalId": "P", "roleDefinitionId": ROLE}
UNREAD, ALL = Patterns(()), Patterns(("*",))


def entry(item: dict[str, Any], **wrapper: Any) -> Entry:
    return Entry("", item, "x/f.json", 0, wrapper)


@pytest.mark.parametrize(
    ("kind", "items"),
    [
        (
            "role assignments",
            [
                PLAIN,
                {"properties": PLAIN},
                {"ObjectId": "P", "RoleDefinitionName": "Reader"},
                {**PLAIN, "status": "Revoked"},
                *({**PLAIN, "type": SCHEDULED, "status": one} for one in ("Provisioned", "granted", "Accepted", None)),
                {**PLAIN, "type": SCHEDULED},
            ],
        ),
        (
            "eligible roles",
            [
                {**PLAIN, "type": f"{AUTHORIZATION}/roleEligibilityScheduleInstances"},
                {**PLAIN, "type": f"{AUTHORIZATION}/roleAssignmentScheduleRequests", "status": "Provisioned"},
                {**PLAIN, "id": f"/providers/{AUTHORIZATION}/roleEligibilitySchedules/e"},
                {"id": f"/providers/{AUTHORIZATION}/roleEligibilitySchedules/e", "properties": {**PLAIN, "type": "x"}},
                {**PLAIN, "type": SCHEDULED, "status": "Revoked"},
                {**PLAIN, "type": SCHEDULED, "status": 0},
                {**PLAIN, "id": f"/providers/{SCHEDULED}/s", "status": "PendingApproval"},
            ],
        ),
        (
            "classic administrators",
            [
                {**PLAIN, "id": "NA(classic admins)"},
                {"type": f"{AUTHORIZATION}/classicAdministrators", "properties": {"role": "CoAdministrator"}},
            ],
        ),
        (
            "deny assignments",
            [
                {"denyAssignmentName": "d"},
                {"type": f"{AUTHORIZATION}/denyAssignments"},
                {"id": f"{RG}/providers/{AUTHORIZATION}/denyAssignments/d"},
                {"principals": [], "permissions": []},
            ],
        ),
        (
            "role definitions",
            [
                {"roleName": "r", "permissions": []},
                {"name": GUID, "assignableScopes": [S1], "permissions": []},
                {"name": GUID, "properties": {"roleName": "r", "type": "CustomRole", "permissions": []}},
                {"Name": "r", "Actions": [], "IsCustom": True},
                {"Name": "r", "Actions": [], "AssignableScopes": []},
                {"roleName": "r", "actions": []},
            ],
        ),
        (
            "identities",
            [
                {"clientId": "C", "principalId": "P"},
                {"appId": "C", "id": "P"},
                {"appId": "C", "objectId": "P"},
                {"appId": "C", "id": "P", "@odata.type": "#microsoft.graph.servicePrincipal"},
                # Graph prints the audience of a service principal too
                *(
                    {"appId": "C", "id": "P", "signInAudience": "AzureADMyOrg", key: []}
                    for key in ("servicePrincipalType", "servicePrincipalNames", "accountEnabled")
                ),
            ],
        ),
        (
            "applications",
            [
                *(
                    {"appId": "C", "id": "P", key: ""}
                    for key in ("identifierUris", "publisherDomain", "signInAudience")
                ),
                {"appId": "C", "id": "P", "@odata.type": "#microsoft.graph.application", "servicePrincipalType": ""},
                {"appId": "C", "objectId": "P", "odata.type": "Microsoft.DirectoryServices.Application"},
            ],
        ),
        (
            "federated credentials",
            [{"issuer": "https://i", "subject": "s"}, {"issuer": "https://i", "claimsMatchingExpression": {}}],
        ),
        ("group members", [{"id": "G", key: []} for key in ("members", "memberOf", "transitiveMemberOf")]),
        (
            None,
            [
                {"roleDefinitionId": ROLE},
                {"principalId": "P"},
                {"principals": []},
                {"permissions": [], "name": "n"},
                {"permissions": [], "roleName": 1},
                {"permissions": {}, "assignableScopes": [], "name": "n"},
                {"name": "n", "actions": []},
                {"name": "n", "isCustom": True},
                {"actions": [], "isCustom": True},
                {"clientId": "C", "principalId": None},
                {"clientId": None, "principalId": "P"},
                {"appId": "C"},
                {"appId": "C", "id": 1},
                {"appId": 1, "id": "P"},
                {"issuer": "https://i"},
                {"issuer": 1, "subject": "s"},
                {"id": "G", "members": "x"},
                {"members": []},
                {"id": "G"},
                {},
            ],
        ),
    ],
)
def test_an_object_is_what_its_fields_say(kind: str | None, items: list[dict[str, Any]]) -> None:
    for item in items:
        assert shapes.kind_of(item) == kind, item


def given(**more: Any) -> shapes.Assignment:
    plain = {
        "name": "",
        "principal": "p",
        "principal_type": "",
        "principal_name": "",
        "role": GUID.casefold(),
        "role_name": "",
        "scope": "",
        "condition": "",
        "subscription": "",
    }
    return shapes.Assignment(**plain | more)


@pytest.mark.parametrize(
    ("item", "read"),
    [
        (PLAIN, given()),
        (
            {
                "id": f"{RG}{GIVEN}",
                "name": "A1",
                "type": f"{AUTHORIZATION}/roleAssignments",
                "principalId": " P",
                "principalType": "ServicePrincipal",
                "principalName": "C",
                "roleDefinitionId": f"{S1}{ROLE}",
                "roleDefinitionName": "Reader",
                "scope": f"{RG}/",
                "condition": " @x ",
            },
            given(
                name="A1",
                principal_type="serviceprincipal",
                principal_name="c",
                role_name="Reader",
                scope=RG,
                condition="@x",
                subscription="s1",
            ),
        ),
        (
            {
                "RoleAssignmentName": "A1",
                "RoleAssignmentId": f"{RG}{GIVEN}",
                "Scope": RG,
                "RoleDefinitionName": "Reader",
                "RoleDefinitionId": GUID,
                "ObjectId": "P",
                "ObjectType": "User",
            },
            given(name="A1", principal_type="user", role_name="Reader", scope=RG, subscription="s1"),
        ),
        # without a scope: the path of its ID begins with it
        ({**PLAIN, "id": f"{RG}{GIVEN}"}, given(name="a1", scope=RG, subscription="s1")),
        ({**PLAIN, "RoleAssignmentId": f"{RG}{GIVEN.upper()}"}, given(name="a1", scope=RG, subscription="s1")),
        ({**PLAIN, "id": GIVEN}, given(name="a1", scope="/")),
        ({**PLAIN, "id": f"{RG}/other/A1"}, given(name="a1", subscription="s1")),
        ({**PLAIN, "scope": "/"}, given(scope="/")),
        ({**PLAIN, "scope": S2, "id": f"{RG}{GIVEN}"}, given(name="a1", scope=S2, subscription="s2")),
        # what is assigned above subscriptions is of the subscription that lists it
        ({**PLAIN, "scope": "/", "roleDefinitionId": f"{S2}{ROLE}"}, given(scope="/", subscription="s2")),
        ({**PLAIN, "scope": "/", "id": f"{S2}{GIVEN}"}, given(name="a1", scope="/", subscription="s2")),
        ({**PLAIN, "endDateTime": "2030"}, given(condition="until 2030")),
        ({**PLAIN, "endDateTime": ""}, given()),
        ({**PLAIN, "endDateTime": None}, given()),
        ({**PLAIN, "condition": "@x", "endDateTime": "2030"}, given(condition="@x")),
    ],
)
def test_an_assignment_is_read_in_every_spelling(item: dict[str, Any], read: shapes.Assignment) -> None:
    assert shapes.assignment(entry(item)) == read


def test_an_assignment_says_for_whom_it_was_listed() -> None:
    assert shapes.assignment(entry(PLAIN, assignedTo=" P")).assigned_to == "p"


@pytest.mark.parametrize(
    ("more", "label"),
    [
        ({"role_name": "Reader", "scope": RG, "name": "A1"}, f"Reader at {RG} (assignment A1)"),
        ({}, f"{GUID.casefold()} at an unknown scope"),
        ({"role": ""}, "a role at an unknown scope"),
    ],
)
def test_an_assignment_is_named_by_what_it_says(more: dict[str, Any], label: str) -> None:
    assert given(**more).label == label


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (None, ()),
        ([], ()),
        (["a/b", "c"], ("a/b", "c")),
        ("a/b", ("a/b",)),
        ("", ()),
        (" ", ()),
        ({"value": ["a/b"], "Count": 1}, ("a/b",)),
        ({"value": [], "Count": 0}, ()),
        ({"value": ["a/b"]}, None),
        ({"Count": 1}, None),
        ("a/b c", None),
        (["a/b c"], None),
        ("System.Object[]", None),
        ([""], None),
        (["a/b", " "], None),
        (["a/b", 1], None),
        (["a/\N{KELVIN SIGN}"], None),
        (0, None),
    ],
)
def test_a_list_of_operations_is_read_as_each_tool_prints_it(value: Any, read: tuple[str, ...] | None) -> None:
    assert shapes.operations(value) == read


def part(allows: Patterns, data: Patterns = UNREAD, **more: Any) -> shapes.Permissions:
    return shapes.Permissions(allows, data, **more)


@pytest.mark.parametrize(
    ("item", "read", "of_a_deny"),
    [
        (
            {
                "permissions": [
                    {"actions": ["A/*"], "notActions": ["A/b"], "dataActions": ["D"], "notDataActions": ["E"]},
                    {"actions": ["C"], "condition": " @x "},
                ]
            },
            (
                part(Patterns(("a/*",), ("a/b",)), Patterns(("d",), ("e",)), named=(("A/*",), ("D",))),
                part(Patterns(("c",)), condition="@x", named=(("C",), ())),
            ),
            None,
        ),
        ({"permissions": {"actions": ["A"]}}, (part(Patterns(("a",)), named=(("A",), ())),), None),
        ({"Actions": ["A"]}, (part(Patterns(("a",)), named=(("A",), ())),), None),
        ({"DataActions": "D"}, (part(UNREAD, Patterns(("d",)), named=((), ("D",))),), None),
        (
            {"permissions": [{"actions": ["A", 1], "notActions": [1]}]},
            (part(Patterns(("a",), ("*",)), whole=False),),
            (part(ALL, whole=False),),
        ),
        (
            {"permissions": [{"dataActions": ["D"], "notDataActions": 1}]},
            (part(UNREAD, Patterns(("d",), ("*",)), whole=False, named=((), ("D",))),),
            (part(UNREAD, Patterns(("d",)), whole=False, named=((), ("D",))),),
        ),
        (
            {"permissions": [{"actions": ["A"], "notActoins": ["B"]}]},
            (part(Patterns(("a",), ("*",)), whole=False, named=(("A",), ())),),
            (part(Patterns(("a",)), whole=False, named=(("A",), ())),),
        ),
        (
            {"permissions": [{"actoins": ["A"], "dataActions": ["D"]}]},
            (part(UNREAD, Patterns(("d",)), whole=False, named=((), ("D",))),),
            (part(ALL, Patterns(("d",)), whole=False, named=((), ("D",))),),
        ),
        ({"permissions": ["x"]}, (part(UNREAD, whole=False),), (part(ALL, ALL, whole=False),)),
        ({"permissions": "x"}, (part(UNREAD, whole=False),), (part(ALL, ALL, whole=False),)),
        ({"permissions": "x", "actions": ["A"]}, (part(UNREAD, whole=False),), (part(ALL, ALL, whole=False),)),
        ({}, (part(UNREAD, whole=False),), (part(ALL, ALL, whole=False),)),
    ],
)
def test_what_cannot_be_read_is_nothing_of_a_role_and_everything_of_a_deny(
    item: dict[str, Any], read: tuple[shapes.Permissions, ...], of_a_deny: tuple[shapes.Permissions, ...] | None
) -> None:
    assert shapes.definition(entry({"roleName": "r", **item})).permissions == read
    assert shapes.deny(entry({"denyAssignmentName": "d", **item})).permissions == (of_a_deny or read)


@pytest.mark.parametrize("permissions", [[], [{}], [{"notActions": ["A"]}]])
def test_a_deny_that_forbids_nothing_was_cut(permissions: list[Any]) -> None:
    assert shapes.deny(entry({"permissions": permissions})).permissions == (part(ALL, ALL, whole=False),)


@pytest.mark.parametrize(
    ("item", "read"),
    [
        ({"id": f"{S1}{ROLE}", "name": GUID, "roleName": "r"}, (GUID.casefold(), "r", "s1")),
        ({"id": ROLE, "properties": {"roleName": "r"}}, (GUID.casefold(), "r", "")),
        ({"Id": GUID, "Name": "r"}, (GUID.casefold(), "r", "")),
        ({"name": GUID, "roleName": "r"}, (GUID.casefold(), "r", "")),
    ],
)
def test_a_role_is_known_by_the_guid_at_the_end_of_its_id(item: dict[str, Any], read: tuple[str, str, str]) -> None:
    found = shapes.definition(entry(item))
    assert (found.id, found.name, found.subscription) == read


@pytest.mark.parametrize(
    ("item", "read"),
    [
        (
            {
                "name": "N1",
                "properties": {
                    "denyAssignmentName": "d",
                    "scope": f"{RG}/",
                    "principals": [{"id": "P", "type": "User"}, {"ObjectId": "G", "ObjectType": "Group"}, "x"],
                    "excludePrincipals": {"id": "Q", "type": "User"},
                    "doNotApplyToChildScopes": True,
                    "condition": " @x ",
                },
            },
            ("d", RG, (("p", "user"), ("g", "group"), ("", "")), (("q", "user"),), True, "@x"),
        ),
        ({"name": "N1", "scope": "/"}, ("N1", "/", (("", ""),), (), False, "")),
        ({"principals": "x", "doNotApplyToChildScopes": "true"}, ("", "", (("", ""),), (), False, "")),
        ({"excludePrincipals": 7, "condition": 0}, ("", "", (("", ""),), (("", ""),), False, "0")),
    ],
)
def test_a_deny_says_whom_it_forbids_and_whom_not(item: dict[str, Any], read: tuple[Any, ...]) -> None:
    found = shapes.deny(entry(item))
    assert (
        found.name,
        found.scope,
        found.principals,
        found.excluded,
        found.only_this_scope,
        found.condition,
    ) == read


@pytest.mark.parametrize(
    ("item", "read"),
    [
        (
            {"id": f"{RG}/X", "name": "n", "clientId": "C", "principalId": "P"},
            shapes.ManagedIdentity(f"{RG}/X".casefold(), "n", "c", "p", "C"),
        ),
        (
            {"appId": "C", "id": "P", "displayName": "n", "accountEnabled": True},
            shapes.ManagedIdentity("", "n", "c", "p", "C"),
        ),
        ({"appId": "C", "id": "X", "objectId": "P"}, shapes.ManagedIdentity("", "", "c", "p", "C")),
        *(
            ({"appId": "C", "id": "P", key: value}, shapes.ManagedIdentity("", "", "c", "p", "C", disabled=disabled))
            for key, value, disabled in (
                ("accountEnabled", "True", False),
                ("accountEnabled", None, False),
                ("accountEnabled", False, True),
                ("accountEnabled", 1, True),
                ("acountEnabled", True, True),
            )
        ),
    ],
)
def test_an_identity_joins_a_client_to_its_principal(item: dict[str, Any], read: shapes.ManagedIdentity) -> None:
    assert shapes.identity(entry(item)) == read


CREDENTIAL = {"name": "n", "issuer": "https://i", "subject": "S", "audiences": ["a", "B"]}


@pytest.mark.parametrize(
    ("item", "read"),
    [
        (
            {**CREDENTIAL, "id": f"{RG}/U/federatedIdentityCredentials/n"},
            shapes.Federated(f"{RG}/u".casefold(), "n", "https://i", "S", ("a", "B"), False, "x/f.json"),
        ),
        (
            {"name": "n", "id": f"{RG}/U", "properties": {"issuer": "https://i", "subject": "S", "audience": "a"}},
            shapes.Federated("", "n", "https://i", "S", ("a",), False, "x/f.json"),
        ),
        (
            {"issuer": "https://i", "claimsMatchingExpression": {"value": "x"}},
            shapes.Federated("", "", "https://i", "", (), True, "x/f.json"),
        ),
        (
            {"issuer": "https://i", "subject": "S", "claimsMatchingExpression": {"value": "x"}},
            shapes.Federated("", "", "https://i", "S", (), False, "x/f.json"),
        ),
        ({"issuer": "https://i", "subject": None}, shapes.Federated("", "", "https://i", "", (), False, "x/f.json")),
    ],
)
def test_a_federated_credential_belongs_to_the_identity_of_its_path(
    item: dict[str, Any], read: shapes.Federated
) -> None:
    assert shapes.federated(entry(item)) == read


def test_name_and_type_of_an_object_are_the_outer_ones_where_both_stand() -> None:
    """REST prints the model's own fields under `properties`; those go before fields of the same name beside it."""
    nested = {"Name": "A1", "type": "outer", "scope": "/", "properties": {"name": "x", "type": "y", "Scope": S1}}
    found = shapes.assignment(entry(PLAIN | nested))
    assert (found.name, found.scope) == ("A1", S1)
    alone = shapes.assignment(entry({"properties": PLAIN | {"name": "A1"}}))
    assert alone.name == "A1"


@pytest.mark.parametrize(
    ("value", "subscription"),
    [(f"{RG}/x", "s1"), ("/SUBSCRIPTIONS/S1", "s1"), (f"x{S1}", ""), ("/subscriptions/", ""), ("", "")],
)
def test_the_subscription_that_an_id_begins_with(value: str, subscription: str) -> None:
    assert shapes.subscription_of(value) == subscription


@pytest.mark.parametrize(
    ("value", "subscription"), [(f"https://x{S1}?a=b", "s1"), (f"https://x{RG}", "s1"), ("https://x", ""), (7, "")]
)
def test_the_subscription_that_a_link_leads_to(value: object, subscription: str) -> None:
    assert shapes.DIALECT.place_of(value) == subscription

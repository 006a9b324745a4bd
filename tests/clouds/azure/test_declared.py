"""What files say of the roles of Azure, piece by piece, and where a permission stands in them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds.policies import plan_of, refers
from upgrade_gate.clouds.azure.declared import additions, declarations, documents, identity, where
from upgrade_gate.clouds.contract.declared import Addition, Declaration, Part
from upgrade_gate.clouds.contract.grants import Grant

SCOPE, OTHER = (f"/subscriptions/00000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
ALL = [{"actions": ["*"], "dataActions": ["*"]}]


def _definition(**fields: Any) -> dict[str, Any]:
    return {"Name": "r", "Actions": ["a/read"], "AssignableScopes": [SCOPE], **fields}


def _part(body: Any) -> Part:
    (found,) = declarations(body)
    (part,) = found.parts
    assert found == Declaration((part,), (part.name,), path=part.path)
    return part


def test_a_definition_is_given_wherever_it_may_be_assigned() -> None:
    body = _definition(AssignableScopes=[SCOPE, OTHER])
    whole = {"definition": body, "scopes": (SCOPE, OTHER)}
    assert _part(body) == Part("r", whole, whole, ())
    (found,) = declarations([{"x": 1}, 7, body])
    assert found == Declaration((Part("r", whole, whole, (2,)),), ("r",), path=(2,))


@pytest.mark.parametrize(
    ("fields", "opened"),
    [
        ({"AssignableScopes": ["/subscriptions/{id}"]}, ("the assignable scope /subscriptions/{id}",)),
        ({"AssignableScopes": ["x", SCOPE]}, ("the assignable scope x",)),
        ({"AssignableScopes": []}, ("where the role may be assigned",)),
        ({"NotActions": ["${n}"]}, ("the operation ${n}",)),
        ({"Actions": ["<A>", "b"], "DataActions": ["[[c]]"]}, ("the operation <A>", "the operation [[c]]")),
    ],
)
def test_what_is_to_be_filled_in_grants_nothing_and_perhaps_everything(
    fields: dict[str, Any], opened: tuple[str, ...]
) -> None:
    body = _definition(**fields)
    everything = {"roleName": "r", "permissions": ALL, "assignableScopes": []}
    least, most = {"definition": body, "scopes": []}, {"definition": everything, "scopes": ["/"]}
    assert _part(body) == Part("r", least, most, (), opened)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"roleName": "r", "name": "guid", "permissions": [], "assignableScopes": [SCOPE]}, "r"),
        ({"name": "guid", "properties": {"roleName": "r", "permissions": [], "assignableScopes": [SCOPE]}}, "r"),
        ({"Name": "n", "Actions": [], "AssignableScopes": [SCOPE]}, "n"),
    ],
)
def test_a_definition_is_called_as_people_call_it(body: dict[str, Any], name: str) -> None:
    assert _part(body).name == name


def test_a_deny_assignment_takes_away_from_everybody() -> None:
    deny = {"denyAssignmentName": "d", "permissions": [], "principals": []}
    for body in (deny, [deny]):
        (found,) = declarations(body)
        assert (found.parts, found.reach) == ((), ())
        assert found.doubts == ("a deny assignment may take away what roles give",)


def test_what_is_no_definition_declares_nothing() -> None:
    bodies: list[Any] = [{}, [], "x", 7, None, {"principalId": "p", "roleDefinitionId": "r"}]
    assert [declarations(body) for body in bodies] == [()] * len(bodies)


# --- Terraform ---

LISTS = {"actions": ["a"], "not_actions": ["b"], "data_actions": ["c"], "not_data_actions": ["d"]}
OURS = {"actions": ["a"], "notActions": ["b"], "dataActions": ["c"], "notDataActions": ["d"]}
NOTHING: dict[str, Any] = {key: [] for key in OURS}
ADDRESS = "azurerm_role_definition.r"


def _role(**values: Any) -> dict[str, Any]:
    return {"type": "azurerm_role_definition", "name": "r", "scope": SCOPE, "permissions": [LISTS], **values}


def _planned(*resources: dict[str, Any], opened: Any = None, **more: Any) -> Part:
    (found,) = declarations(plan_of(*resources, unknown={ADDRESS: opened or {}}, **more))
    (part,) = found.parts
    assert found.names == ("r", ADDRESS)
    assert part.name == ADDRESS
    assert found.path == part.path == ("planned_values", "root_module", "resources", 0, "values")
    return part


def test_a_role_of_a_plan_has_azures_own_shape() -> None:
    part = _planned(_role(permissions=[LISTS, {"actions": None}, 7]))
    role = {"roleName": "r", "permissions": [OURS, NOTHING], "assignableScopes": [SCOPE]}
    whole = {"definition": role, "scopes": (SCOPE,)}
    assert (part.least, part.most, part.opened) == (whole, whole, ())


@pytest.mark.parametrize(
    ("values", "opened", "why"),
    [
        ({"permissions": None}, {"permissions": True}, f"permissions of {ADDRESS}, known after apply"),
        ({}, {"permissions": [{"not_actions": True}]}, f"permissions of {ADDRESS}, known after apply"),
        ({"scope": None}, {"scope": True}, f"scope of {ADDRESS}"),
        ({"scope": None}, {}, f"scope of {ADDRESS}"),
        ({}, {"assignable_scopes": True}, f"scope of {ADDRESS}"),
    ],
)
def test_what_a_plan_does_not_know_grants_nothing_and_perhaps_everything(
    values: dict[str, Any], opened: dict[str, Any], why: str
) -> None:
    part = _planned(_role(**values), opened=opened)
    assert part.opened == (why,)
    assert part.least["scopes"] == []
    assert part.most["scopes"] == ["/"]
    assert part.most["definition"]["permissions"] == ALL
    assert part.most["definition"]["roleName"] == "r"


@pytest.mark.parametrize(
    ("values", "opened", "configured", "scopes"),
    [
        ({}, {}, [], (SCOPE,)),
        ({"assignable_scopes": []}, {}, [], (SCOPE,)),
        ({"assignable_scopes": [OTHER, SCOPE]}, {}, [], (OTHER, SCOPE)),
        ({"assignable_scopes": [OTHER, None]}, {"assignable_scopes": [False, True]}, [], (OTHER,)),
        ({}, {"role_definition_id": True}, [], (SCOPE,)),
        ({"assignable_scopes": [OTHER]}, {}, ["scope"], (OTHER,)),
        ({}, {"assignable_scopes": True}, ["scope"], (SCOPE,)),
        ({}, {"assignable_scopes": True}, ["scope", "assignable_scopes"], ()),
    ],
)
def test_a_role_that_the_plan_does_not_assign_is_given_wherever_it_may_be(
    values: dict[str, Any], opened: dict[str, Any], configured: list[str], scopes: tuple[str, ...]
) -> None:
    said = refers(ADDRESS, **{name: [] for name in configured}) if configured else {}
    part = _planned(_role(**values), opened=opened, **said)
    assert part.least["scopes"] == (scopes or [])


def _assigned(name: str = "a", **values: Any) -> dict[str, Any]:
    given = {"scope": OTHER, "role_definition_name": "r", "principal_id": "p", **values}
    return {"type": "azurerm_role_assignment", "name": name, **given}


@pytest.mark.parametrize(
    ("assigned", "scopes", "why"),
    [
        ([_assigned()], (OTHER,), ()),
        ([_assigned(), _assigned("b", scope=SCOPE)], (SCOPE, OTHER), ()),
        ([_assigned(), _assigned("b", principal_id="q")], (OTHER,), ()),
        ([_assigned(), _assigned("b", scope=SCOPE, principal_id="q")], None, (f"which principal {ADDRESS} is for",)),
        ([_assigned(), _assigned("b", scope=SCOPE, principal_id=None)], None, (f"which principal {ADDRESS} is for",)),
        (
            [_assigned(principal_id=None), _assigned("b", scope=SCOPE, principal_id=None)],
            None,
            (f"which principal {ADDRESS} is for",),
        ),
        ([_assigned(condition="c")], None, ("the condition of azurerm_role_assignment.a",)),
        ([_assigned(scope=None)], None, ("scope of azurerm_role_assignment.a",)),
        ([_assigned(role_definition_name="x")], (SCOPE,), ()),
        ([_assigned(role_definition_name=None, role_definition_id="i|s")], (OTHER,), ()),
        ([_assigned(role_definition_name=None, role_definition_id="x")], (SCOPE,), ()),
        ([_assigned(role_definition_name="")], (SCOPE,), ()),
    ],
)
def test_a_role_that_the_plan_assigns_is_given_there(
    assigned: list[dict[str, Any]], scopes: tuple[str, ...] | None, why: tuple[str, ...]
) -> None:
    part = _planned(_role(id="i|s"), *assigned)
    assert (part.least["scopes"], part.opened) == (scopes or [], why)


def test_one_of_two_roles_of_a_name_is_assigned_by_neither_name_nor_chance() -> None:
    plan = plan_of(_role(), {**_role(), "name": "s", "scope": SCOPE}, _assigned(scope=OTHER))
    plan["planned_values"]["root_module"]["resources"][1]["values"]["name"] = "r"
    assert [one.parts[0].least["scopes"] for one in declarations(plan)] == [(SCOPE,)] * 2


def test_a_role_whose_name_is_open_is_called_by_its_address_and_assigned_by_no_name() -> None:
    plan = plan_of(_role(), _assigned(role_definition_name=None, role_definition_id="x"))
    plan["planned_values"]["root_module"]["resources"][0]["values"]["name"] = None
    (found,) = declarations(plan)
    assert found.names == (ADDRESS, "r")
    assert found.parts[0].least["definition"]["roleName"] == ADDRESS
    assert found.parts[0].least["scopes"] == (SCOPE,)


def test_an_assignment_of_another_role_by_reference_is_of_that_one_alone() -> None:
    said = ["azurerm_role_definition.s.role_definition_resource_id", "azurerm_role_definition.s"]
    other = _assigned(role_definition_name=None)
    unknown = {"azurerm_role_assignment.a": {"role_definition_id": True}}
    more = refers("azurerm_role_assignment.a", role_definition_id=said)
    found = declarations(plan_of(_role(), {**_role(), "name": "s"}, other, unknown=unknown, **more))
    assert [one.parts[0].least["scopes"] for one in found] == [(SCOPE,), (OTHER,)]


def test_an_assignment_of_a_role_that_is_not_known_may_be_of_each() -> None:
    unknown = {"azurerm_role_assignment.a": {"role_definition_id": True}, ADDRESS: {}}
    unsure = _assigned(role_definition_name=None)
    (found,) = declarations(plan_of(_role(), unsure, unknown=unknown))
    assert found.parts[0].opened == ("which role azurerm_role_assignment.a assigns",)
    (found,) = declarations(plan_of(_role(), unsure, _assigned("b"), unknown=unknown))
    assert (found.parts[0].least["scopes"], found.parts[0].opened) == ((OTHER,), ())


def test_principals_that_are_named_by_reference_are_told_apart_by_it() -> None:
    resources = [
        {"address": f"azurerm_role_assignment.{name}", "expressions": {"principal_id": {"references": [said]}}}
        for name, said in (("a", "x.y"), ("b", "x.y"), ("c", "x.z"))
    ]
    configured = {"configuration": {"root_module": {"resources": resources}}}
    near, far, other = (_assigned(n, principal_id=None, scope=s) for n, s in (("a", SCOPE), ("b", OTHER), ("c", OTHER)))
    (found,) = declarations(plan_of(_role(), near, far, **configured))
    assert (found.parts[0].least["scopes"], found.parts[0].opened) == ((SCOPE, OTHER), ())
    (found,) = declarations(plan_of(_role(), near, other, **configured))
    assert found.parts[0].opened == (f"which principal {ADDRESS} is for",)


# --- for the judge, and for the patch ---


def test_a_role_is_handed_on_with_an_assignment_at_each_of_its_scopes() -> None:
    body = {"name": "0", "Id": "x", "properties": {"roleName": "r", "permissions": [OURS], "assignableScopes": [SCOPE]}}
    least, most = {"definition": body, "scopes": [SCOPE, OTHER]}, {"definition": {"roleName": "x"}, "scopes": []}
    found = [Declaration((Part("p", least, most),)), Declaration((Part("q", least, most),))]
    bodies = documents(found, "me", None, most=False)
    assert len(bodies) == 6
    number = "00000000-0000-4000-8000-000000000001"
    assert bodies[3] == {
        "roleName": "q",
        "permissions": [OURS],
        "assignableScopes": [SCOPE],
        "id": f"/providers/Microsoft.Authorization/roleDefinitions/{number}",
    }
    assert bodies[5] == {
        "principalId": "me",
        "principalType": "ServicePrincipal",
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{number}",
        "roleDefinitionName": "q",
        "scope": OTHER,
    }
    assert [one.get("scope") for one in documents(found[:1], "me", None, most=True)] == [None, "/nowhere"]
    assert identity("me") == "principal:me"


def _grant(name: str, kind: Any = "permission") -> Grant:
    return Grant(kind, name)


BODY = {
    "Name": "r",
    "Actions": ["A/read", 7, "b/*"],
    "notActions": ["b/delete"],
    "DataActions": ["d/read"],
    "properties": {"permissions": [{"actions": ["p/read"], "x": 1}, 7, {"actions": ["q/read"]}]},
}
FIRST = {"properties": {"permissions": [{"actions": ["p/read"]}, {"actions": ["q/read"]}]}}


@pytest.mark.parametrize(
    ("body", "grant", "path"),
    [
        (BODY, _grant("a/READ"), ("Actions", 0)),
        (BODY, _grant("b/write"), ("Actions", 2)),
        (BODY, _grant("d/read", "dataPermission"), ("DataActions", 0)),
        (BODY, _grant("q/read"), ("properties", "permissions", 2, "actions", 0)),
        (BODY, _grant("z/read"), ("Actions",)),
        (BODY, _grant("z/read", "dataPermission"), ("DataActions",)),
        (FIRST, _grant("z/read"), ("properties", "permissions", 0, "actions")),
        (FIRST, _grant("z/read", "dataPermission"), ()),
        ({"Actions": "a/read"}, _grant("a/read"), ()),
        ({"Actions": ["a/rea?"], "permissions": 7}, _grant("a/read"), ("Actions",)),
        (BODY, _grant("x", "roleBinding"), ()),
        (7, _grant("x"), ()),
    ],
)
def test_a_permission_stands_where_it_is_given_or_where_it_would_be_added(body: Any, grant: Grant, path: Any) -> None:
    assert where(body, grant) == path


def test_a_permission_that_is_taken_stands_where_it_is_taken() -> None:
    assert where({"NotActions": ["a/*"], "Actions": ["b/*"]}, _grant("a/read")) == ("NotActions", 0)


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        ([_grant("Z/b"), _grant("z/a"), _grant("Z/b")], (Addition(("Actions",), ("z/a", "Z/b")),)),
        ([_grant("b/write")], (Addition(("Actions",), ("b/write",)),)),
        (
            [_grant("z"), _grant("y", "dataPermission")],
            (Addition(("Actions",), ("z",)), Addition(("DataActions",), ("y",))),
        ),
        ([_grant("B/delete")], ()),
        ([_grant("z"), _grant("b/delete")], ()),
        ([_grant("b/delete"), _grant("y", "dataPermission")], ()),
        ([_grant("r", "roleBinding")], ()),
        ([], ()),
    ],
)
def test_what_is_missing_is_added_where_nothing_takes_it_away_again(
    grants: list[Grant], expected: tuple[Addition, ...]
) -> None:
    assert additions(BODY, grants) == expected


def test_an_operation_is_added_to_what_is_allowed_and_only_the_star_is_a_wildcard() -> None:
    body = {"NotActions": ["a/rea?"], "Actions": ["b"]}
    assert additions(body, [_grant("a/read")]) == (Addition(("Actions",), ("a/read",)),)

"""IBM Cloud: what each object that its tools print is, and what is read of it (docs/facts/ibmcloud.md#exports)."""

from __future__ import annotations

from typing import Any

import pytest

from upgrade_gate.clouds.ibmcloud import shapes
from upgrade_gate.clouds.shared.pages import Entry

ME = "iam-ServiceId-1"
VIEWER = "crn:v1:bluemix:public:iam::::role:Viewer"
V1: dict[str, Any] = {"subjects": [], "roles": [], "resources": []}
CRN = "crn:v1:bluemix:public:dns-svcs:global:a/A:1::"
GROUP_CRN = "crn:v1:bluemix:public:resource-controller::a/A::resource-group:g"


def entry(item: dict[str, Any]) -> Entry:
    return Entry("", item, "x/f.json", 3)


@pytest.mark.parametrize(
    ("kind", "items"),
    [
        ("policies", [V1, {"control": {}, "subject": {}}, {"control": {}, "resource": {}}]),
        (
            "roles",
            [
                *({key: []} for key in ("custom_roles", "service_roles", "system_roles")),
                {"crn": VIEWER, "actions": []},
                {"crn": VIEWER.upper(), "actions": []},
                {"metadata": {"crn": VIEWER}, "actions": []},
            ],
        ),
        ("access groups", [{"id": "AccessGroupId-1"}, {"accessGroup": "AccessGroupId-1", "members": []}]),
        ("service IDs", [{"id": "ServiceId-1"}, {"iam_id": ME}, {"metadata": {"uuid": "ServiceId-1"}}]),
        ("resource groups", [{"id": "g", "crn": GROUP_CRN, "name": "default"}]),
        ("instances", [{"id": CRN, "resource_group_id": "g"}]),
        (
            None,
            [
                *({k: v for k, v in V1.items() if k != key} for key in V1),
                {**V1, "subjects": {}},
                {"control": [], "subject": {}},
                {"control": {}},
                {"system_roles": {}},
                {"crn": VIEWER},
                {"crn": "crn:v1:x", "actions": []},
                {"actions": []},
                {"crn": GROUP_CRN},
                {"id": CRN},
                {"id": CRN, "resource_group_id": 7},
                {"id": "x", "resource_group_id": "g"},
                {"name": "default"},
                {},
            ],
        ),
    ],
)
def test_an_object_is_what_its_fields_say(kind: str | None, items: list[dict[str, Any]]) -> None:
    for item in items:
        assert shapes.kind_of(item) == kind, item


def has(name: str, value: str, operator: str = "stringEquals", values: tuple[str, ...] = ()) -> shapes.Attribute:
    return shapes.Attribute(name, operator, value, values)


def said(**more: Any) -> shapes.AccessPolicy:
    plain: dict[str, Any] = {
        "id": "p1",
        "iam_ids": (ME,),
        "groups": (),
        "roles": (VIEWER,),
        "attributes": (has("serviceName", "is"),),
        "tags": False,
        "condition": "",
        "active": True,
        "unread": "",
        "placeholder": False,
        "origin": "x/f.json",
        "document": 3,
    }
    return shapes.AccessPolicy(**plain | more)


def v1(**more: Any) -> dict[str, Any]:
    plain = {
        "id": "p1",
        "subjects": [{"attributes": [{"name": "iam_id", "value": ME}]}],
        "roles": [{"role_id": VIEWER}],
        "resources": [{"attributes": [{"name": "serviceName", "value": "is"}]}],
    }
    return plain | more


def v2(**more: Any) -> dict[str, Any]:
    plain = {
        "id": "p1",
        "control": {"grant": {"roles": [{"role_id": VIEWER}]}},
        "subject": {"attributes": [{"key": "iam_id", "operator": "stringEquals", "value": ME}]},
        "resource": {"attributes": [{"key": "serviceName", "operator": "stringEquals", "value": "is"}]},
    }
    return plain | more


def on(*attributes: Any, **more: Any) -> list[dict[str, Any]]:
    return [{"attributes": list(attributes), **more}]


UNREAD = "has targets that cannot be read"
SERVICE = {"name": "serviceName", "value": "is"}
SOMEBODY = {"iam_ids": (), "ownerless": True}


@pytest.mark.parametrize(
    ("item", "read"),
    [
        (v1(), said()),
        (v2(), said(v2=True)),
        (v1(type="access", state="active"), said()),
        (v1(type="", state=""), said()),
        (v1(type="authorization"), said(active=False)),
        (v1(state="deleted"), said(active=False)),
        (v1(state=0), said(active=False)),
        (v1(tpye="x"), said(unread="may not be active (under 'tpye', which is not a field)")),
        (v1(stat="x"), said(unread="may not be active (under 'stat', which is not a field)")),
        (v1(id=7), said(id="")),
        # whose it is
        (v1(subjects=[]), said(**SOMEBODY)),
        (v1(subjects=["x"]), said(**SOMEBODY)),
        (v1(subjects=on({"name": "iam_id", "value": ""})), said(**SOMEBODY)),
        (v1(subjects=on({"name": "other", "value": ME})), said(**SOMEBODY)),
        (
            v2(subject={"attributes": [{"key": "iam_id", "operator": "stringMatch", "value": "*"}]}),
            said(v2=True, **SOMEBODY),
        ),
        (
            v1(subjects=[*v1()["subjects"], *on({"name": "iam_id", "value": 7})]),
            said(ownerless=True),
        ),
        (v1(subjects=[*v1()["subjects"], *on({"name": "accountId", "value": "A"})]), said()),
        (
            v1(subjects=on({"name": "access_group_id", "value": "AccessGroupId-1"})),
            said(iam_ids=(), groups=("AccessGroupId-1",)),
        ),
        # what it gives
        (v1(roles=[VIEWER, {"crn": "c"}, {"role_id": 7}]), said(roles=(VIEWER, "c", "a role that cannot be read"))),
        (v1(roles="x"), said(roles=("a role that cannot be read",))),
        (v1(roles=[]), said(roles=())),
        (v2(control={"grant": {}}), said(v2=True, roles=("a role that cannot be read",))),
        (
            v1(roles=[VIEWER, "crn:v1:bluemix:public:iam::::role:UnsupportedVersion"]),
            said(roles=(VIEWER, "crn:v1:bluemix:public:iam::::role:UnsupportedVersion"), placeholder=True),
        ),
        # where it holds
        (v1(resources=[]), said(attributes=(), unread=UNREAD)),
        (v1(resources="x"), said(attributes=(), unread=UNREAD)),
        (v1(resources=[7]), said(attributes=(), unread=UNREAD)),
        (v1(resources=on()), said(attributes=(), unread=UNREAD)),
        (v1(resources=[{"attributes": "x"}]), said(attributes=(), unread=UNREAD)),
        (v2(resource=7), said(v2=True, attributes=(), unread=UNREAD)),
        (
            v1(resources=[*on(SERVICE), *on({"name": "region", "value": "eu"})]),
            said(attributes=(has("serviceName", "is"), has("region", "eu"))),
        ),
        (v1(resources=[*on(SERVICE), *on()]), said(unread=UNREAD)),
        (
            v1(resources=on(SERVICE, {"name": "region", "value": 7})),
            said(attributes=(has("serviceName", "is"), has("region", "")), unread=UNREAD),
        ),
        # what limits it beside
        (v1(resources=on(SERVICE, tags=[{"name": "a", "value": "b"}])), said(tags=True)),
        (
            v1(resources=[*on(SERVICE, tags=[]), *on(SERVICE, tags=False)]),
            said(attributes=(has("serviceName", "is"),) * 2, tags=True),
        ),
        (v1(resources=on(SERVICE, tag=[])), said(tags=True)),
        (v1(resources=on(SERVICE, tags=None)), said()),
        (v2(rule={"a": 1}, pattern="p"), said(v2=True, condition="{'a': 1}")),
        (v2(rule=None, pattern="p"), said(v2=True, condition="p")),
        (v2(rule=0), said(v2=True, condition="0")),
        (v2(rule="", pattern=""), said(v2=True)),
        (v2(ruel={}), said(v2=True, condition="(under 'ruel', which is not a field)")),
        (v1(rule={"a": 1}), said()),
    ],
)
def test_a_policy_is_read_in_both_versions(item: dict[str, Any], read: shapes.AccessPolicy) -> None:
    assert shapes.policy(entry(item)) == read


@pytest.mark.parametrize(
    ("attribute", "read", "told"),
    [
        ({"name": "n", "value": "v"}, has("n", "v"), True),
        ({"key": "n", "value": "v", "operator": None}, has("n", "v"), True),
        ({"name": "n", "value": "v", "operator": "stringMatch"}, has("n", "v", "stringMatch"), True),
        ({"name": "n", "value": "", "operator": "stringMatch"}, has("n", "", "stringMatch"), False),
        ({"name": "n", "value": ""}, has("n", ""), False),
        ({"name": "n", "value": ["v"]}, has("n", "", values=("v",)), False),
        ({"name": "", "value": "v"}, has("", "v"), False),
        ({"name": "n", "value": "v", "operator": ""}, has("n", "v", ""), False),
        ({"name": "n", "value": "v", "operater": "x"}, has("n", "v", ""), False),
        *(
            row
            for operator in ("stringEqualsAnyOf", "stringMatchAnyOf")
            for row in (
                ({"name": "n", "value": ["a", "b"], "operator": operator}, has("n", "", operator, ("a", "b")), True),
                ({"name": "n", "value": [], "operator": operator}, has("n", "", operator), False),
                ({"name": "n", "value": ["a", 7], "operator": operator}, has("n", "", operator), False),
                ({"name": "n", "value": "a", "operator": operator}, has("n", "a", operator), False),
            )
        ),
        ({"name": "n", "value": True, "operator": "stringExists"}, has("n", "true", "stringExists"), True),
        ({"name": "n", "value": False, "operator": "stringExists"}, has("n", "false", "stringExists"), True),
        ({"name": "n", "value": "true", "operator": "stringExists"}, has("n", "true", "stringExists"), True),
        ({"name": "n", "value": 1, "operator": "stringExists"}, has("n", "", "stringExists"), False),
        ({"name": "n", "value": 7, "operator": "numericEquals"}, has("n", "", "numericEquals"), True),
    ],
)
def test_an_attribute_is_told_where_name_operator_and_value_are(
    attribute: dict[str, Any], read: shapes.Attribute, *, told: bool
) -> None:
    found = shapes.policy(entry(v1(resources=on(attribute))))
    assert (found.attributes, found.unread) == ((read,), "" if told else UNREAD)


def test_a_policy_and_an_attribute_are_named_by_what_they_say() -> None:
    assert said().label == "policy p1"
    assert said(id="").label == "a policy in x/f.json"
    assert said(id="", origin="").label == "a policy in the export"
    assert has("n", "v").label == "n stringEquals v"
    assert has("n", "", "stringEqualsAnyOf", ("a", "b")).label == "n stringEqualsAnyOf a, b"
    assert has("n", "", "stringExists").label == "n stringExists"


@pytest.mark.parametrize(
    ("item", "read"),
    [
        (
            {"id": "ServiceId-1", "iam_id": ME, "name": "n", "account_id": "A"},
            shapes.ServiceId("ServiceId-1", ME, "n", "A"),
        ),
        (
            {"metadata": {"uuid": "ServiceId-2", "iam_id": ME}, "entity": {"name": "n"}},
            shapes.ServiceId("ServiceId-2", ME, "n", ""),
        ),
        ({"id": "ServiceId-1"}, shapes.ServiceId("ServiceId-1", ME, "", "")),
        ({"iam_id": ME}, shapes.ServiceId("ServiceId-1", ME, "", "")),
        ({"id": "own", "iam_id": ME}, shapes.ServiceId("own", ME, "", "")),
    ],
)
def test_a_service_id_joins_its_iam_id(item: dict[str, Any], read: shapes.ServiceId) -> None:
    assert shapes.service_id(entry(item)) == read


def lists(crn: Any, *actions: Any) -> dict[str, Any]:
    return {"crn": crn, "actions": list(actions)}


@pytest.mark.parametrize(
    ("item", "service", "actions"),
    [
        (
            {
                "custom_roles": [lists("a", "x")],
                "service_roles": [lists("b", "y")],
                "system_roles": [lists("c", "z", "x")],
            },
            "",
            {"a": {"x"}, "b": {"y"}, "c": {"z", "x"}},
        ),
        (lists("a", "x"), "", {"a": {"x"}}),
        (lists("a"), "", {"a": set()}),
        ({"system_roles": [lists("a", 7), lists(7, "x"), {"crn": "b"}, lists("", "x"), "x"]}, "", {}),
        *(({"system_roles": [], key: "is"}, "is", {}) for key in ("service", "serviceName", "service_name")),
        ({"system_roles": [], "service": "", "serviceName": "is"}, "is", {}),
    ],
)
def test_the_roles_of_a_service_are_read_with_their_actions(
    item: dict[str, Any], service: str, actions: dict[str, set[str]]
) -> None:
    found = shapes.catalogue(entry(item))
    assert (found.service, {role: set(does) for role, does in found.actions.items()}, found.document) == (
        service,
        actions,
        3,
    )


@pytest.mark.parametrize(
    ("item", "read"),
    [
        ({"id": "AccessGroupId-1", "name": "n"}, shapes.Group("AccessGroupId-1", (), listed=False)),
        ({"accessGroup": "AccessGroupId-1", "members": []}, shapes.Group("AccessGroupId-1", (), listed=True)),
        (
            {"id": "x", "accessGroup": "AccessGroupId-1", "members": [ME, {"iam_id": "IBMid-1"}, {"id": "m"}]},
            shapes.Group("AccessGroupId-1", (ME, "IBMid-1"), listed=True),
        ),
        ({"id": "AccessGroupId-1", "members": "x"}, shapes.Group("AccessGroupId-1", (), listed=False)),
    ],
)
def test_an_access_group_says_who_is_in_it(item: dict[str, Any], read: shapes.Group) -> None:
    assert shapes.group(entry(item)) == read


def test_groups_and_instances_are_joined_by_their_ids() -> None:
    assert shapes.resource_group(entry({"id": "g", "name": "n"})) == shapes.ResourceGroup("g", "n")
    assert shapes.instance(entry({"id": CRN, "resource_group_id": "g"})) == shapes.Instance(CRN, "g")

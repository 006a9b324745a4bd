"""What files say of IBM Cloud's service IDs, piece by piece, and where a role stands in them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds.policies import plan_of, refers
from upgrade_gate.clouds.contract.declared import Addition, Declaration, Part
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.ibmcloud.declared import additions, declarations, documents, identity, where

VIEWER, WRITER = "crn:v1:bluemix:public:iam::::role:Viewer", "crn:v1:bluemix:public:iam::::serviceRole:Writer"
ANYTHING = {"roles": "unknown", "resources": [{"attributes": []}]}
IS = [{"name": "serviceName", "value": "is"}]


def _first(**more: Any) -> dict[str, Any]:
    return {"type": "access", "roles": [{"role_id": VIEWER}], "resources": [{"attributes": IS}], **more}


def _second(**more: Any) -> dict[str, Any]:
    resource = {"attributes": [{"key": "serviceName", "operator": "stringEquals", "value": "is"}]}
    return {"control": {"grant": {"roles": [{"role_id": VIEWER}]}}, "resource": resource, **more}


def _of(*values: str) -> list[dict[str, Any]]:
    return [{"attributes": [{"name": "iam_id", "value": value} for value in values]}]


def test_policies_of_one_subject_count_together() -> None:
    one, two, three = _first(subjects=_of("b", "a")), _second(), _first(subject=_of("b", "a")[0])
    found = declarations([one, 7, two, {"roles": []}, three])
    first = (Part("policy", one, one, (0,)), Part("policy", three, three, (4,)))
    assert found == (Declaration(first, ("a", "b")), Declaration((Part("policy", two, two, (2,)),), ()))
    assert [one.names for one in declarations([_first(subjects=[{"attributes": [{"value": ""}, 7]}])])] == [()]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (_first(), [()]),
        ([_first(), _second()], [(0,), (1,)]),
        ({"policies": [7, _first()]}, [("policies", 1)]),
        ({"policies": {}, **_first()}, [()]),
        ({"policies": [], **_first()}, []),
        ({}, []),
        (None, []),
        ({"roles": [], "resources": {}}, []),
        ({"resources": []}, []),
        ({"control": {}}, []),
        ({"control": [], "resource": {}}, []),
        ({"resource": {}}, []),
    ],
)
def test_a_policy_is_told_by_its_shape(body: Any, paths: list[Any]) -> None:
    assert [part.path for one in declarations(body) for part in one.parts] == paths


@pytest.mark.parametrize(
    ("more", "name"),
    [({}, "policy"), ({"id": "i"}, "i"), ({"id": "i", "description": "d"}, "d"), ({"description": ""}, "policy")],
)
def test_a_policy_is_called_by_its_description(more: dict[str, Any], name: str) -> None:
    (found,) = declarations(_first(**more))
    assert [part.name for part in found.parts] == [name]


def test_what_is_to_be_filled_in_may_be_anything_but_for_whom_it_is() -> None:
    filled = _first(description="{{ d }}", id="%{i}", subjects=_of("<ID>"), subject=_of("<ID>")[0])
    (found,) = declarations(filled)
    assert [(part.least, part.opened) for part in found.parts] == [(filled, ())]
    body = _first(
        resources=[{"attributes": [{"name": "region", "value": "{{ r }}"}, {"name": "x", "value": "{{ r }}"}]}]
    )
    (found,) = declarations(body)
    assert found.parts == (Part("policy", {}, ANYTHING, (), ("{{ r }}",)),)
    (found,) = declarations(_first(**{"${key}": 1}, roles=["<ROLE>"]))
    assert found.parts[0].opened == ("<ROLE>", "${key}")


# --- Terraform ---


def _policy(**values: Any) -> dict[str, Any]:
    given = {"roles": ["Viewer", "Writer"], "resources": [{"service": "is"}], **values}
    return {"type": "ibm_iam_service_policy", "name": "p", **given}


ADDRESS = "ibm_iam_service_policy.p"


def _named(name: str, value: Any) -> dict[str, Any]:
    return {"name": name, "value": value}


def _planned(unknown: Any = None, **values: Any) -> Part:
    (found,) = declarations(plan_of(_policy(**values), unknown={ADDRESS: unknown or {}}))
    (part,) = found.parts
    assert (part.name, part.path) == (ADDRESS, ("planned_values", "root_module", "resources", 0, "values"))
    return part


@pytest.mark.parametrize(
    ("values", "attributes"),
    [
        ({}, IS),
        (
            {"resources": [{"service": "is", "region": "", "resource_group_id": "g"}]},
            [*IS, _named("resourceGroupId", "g")],
        ),
        (
            {"resources": [{"resource_type": "t", "resource_instance_id": "i", "resource": "r"}]},
            [_named("resourceType", "t"), _named("serviceInstance", "i"), _named("resource", "r")],
        ),
        (
            {"resources": [{"service_type": "s", "service_group_id": "IAM", "region": "eu"}]},
            [_named("serviceType", "s"), _named("service_group_id", "IAM"), _named("region", "eu")],
        ),
        ({"resources": [{"service": "is", "attributes": {"vpcId": "*"}}]}, [*IS, _named("vpcId", "*")]),
        ({"resources": [{"service": "is"}, {"region": "eu"}]}, [*IS, _named("region", "eu")]),
        ({"resources": [{"attributes": ["x"]}]}, [_named("attributes", ["x"])]),
        ({"resources": [{"of_tomorrow": 1}]}, [_named("of_tomorrow", 1)]),
        (
            {"resources": [], "resource_attributes": [{"name": "a", "value": "b", "operator": "stringMatch", "x": 1}]},
            [{"name": "a", "value": "b", "operator": "stringMatch"}],
        ),
        ({"resources": [], "resource_attributes": [{"name": "a", "operator": ""}]}, [{"name": "a"}]),
        ({"resources": []}, [_named("serviceType", "service")]),
        ({"resources": [], "account_management": True}, [_named("serviceType", "platform_service")]),
        ({"account_management": True}, [*IS, _named("serviceType", "platform_service")]),
        ({"account_management": False}, IS),
    ],
)
def test_a_policy_of_a_plan_has_ibm_clouds_own_shape(values: dict[str, Any], attributes: list[Any]) -> None:
    part = _planned(**values)
    whole = {"roles": [{"role_id": VIEWER}, {"role_id": WRITER}], "resources": [{"attributes": attributes}]}
    assert (part.least, part.most, part.opened) == (whole, whole, ())


def test_the_access_tags_of_a_plans_policy_limit_it() -> None:
    tags = [{"name": "env", "value": "x"}]
    assert _planned(resource_tags=tags).least["resources"] == [{"attributes": IS, "tags": tags}]


ABOUT = f"what {ADDRESS} is about, known after apply"


@pytest.mark.parametrize(
    ("values", "unknown", "why"),
    [
        ({"roles": None}, {"roles": True}, (f"roles of {ADDRESS}, known after apply", ABOUT)),
        ({}, {"roles": [False, True]}, (ABOUT,)),
        ({}, {"resources": [{"region": True}]}, (ABOUT,)),
        ({}, {"resource_attributes": [{"value": True}]}, (ABOUT,)),
        ({}, {"resource_tags": [{"value": True}]}, (ABOUT,)),
        ({}, {"account_management": True}, (f"account_management of {ADDRESS}, known after apply", ABOUT)),
        ({"rule_conditions": [{"key": "k"}]}, {}, (f"rule_conditions of {ADDRESS}",)),
        ({"pattern": "x"}, {}, (f"pattern of {ADDRESS}",)),
        ({"tags": ["x"]}, {}, (f"tags of {ADDRESS}",)),
        ({}, {"pattern": True}, (f"pattern of {ADDRESS}",)),
    ],
)
def test_what_a_plan_does_not_know_grants_nothing_and_perhaps_everything(
    values: dict[str, Any], unknown: dict[str, Any], why: tuple[str, ...]
) -> None:
    part = _planned(unknown, **values)
    assert (part.least, part.most, part.opened) == ({}, ANYTHING, why)


@pytest.mark.parametrize("level", ["Viewer", "Operator", "Editor", "Administrator"])
def test_a_role_of_the_platform_is_told_from_a_services(level: str) -> None:
    assert _planned(roles=[level]).least["roles"] == [{"role_id": f"crn:v1:bluemix:public:iam::::role:{level}"}]


SERVICE = {"type": "ibm_iam_service_id", "name": "s", "id": "ServiceId-1", "iam_id": "iam-ServiceId-1"}


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        ({"iam_service_id": "ServiceId-1"}, ("s", "ibm_iam_service_id.s")),
        ({"iam_id": "iam-ServiceId-1"}, ("s", "ibm_iam_service_id.s")),
        ({"iam_service_id": "ServiceId-2"}, ("ServiceId-2", "p")),
        ({}, (ADDRESS, "p")),
    ],
)
def test_a_policy_of_a_plan_is_its_service_ids(policy: dict[str, Any], names: tuple[str, ...]) -> None:
    found = declarations(plan_of(SERVICE, _policy(**policy)))
    assert [one.names for one in found] == [names]


def test_a_service_id_whose_name_is_open_is_called_by_its_address() -> None:
    plan = plan_of(SERVICE, _policy(iam_service_id="ServiceId-1"))
    plan["planned_values"]["root_module"]["resources"][0]["values"]["name"] = None
    assert [one.names for one in declarations(plan)] == [("ibm_iam_service_id.s", "s")]


def test_policies_of_one_service_id_of_a_plan_count_together() -> None:
    more = {**_policy(iam_service_id="ServiceId-1"), "name": "q"}
    found = declarations(plan_of(SERVICE, _policy(iam_id="iam-ServiceId-1"), more, _policy(iam_service_id="x")))
    assert [(one.names[0], len(one.parts)) for one in found] == [("s", 2), ("x", 1)]


@pytest.mark.parametrize(("argument", "attribute"), [("iam_service_id", "id"), ("iam_id", "iam_id")])
def test_a_policy_of_a_plan_names_its_service_id_by_reference(argument: str, attribute: str) -> None:
    owner = {"type": "ibm_iam_service_id", "name": "s"}
    said = refers(ADDRESS, **{argument: [f"ibm_iam_service_id.s.{attribute}", "ibm_iam_service_id.s"]})
    (found,) = declarations(plan_of(owner, _policy(), unknown={ADDRESS: {argument: True}}, **said))
    assert found.names == ("s", "ibm_iam_service_id.s")


# --- for the judge, and for the patch ---


def test_policies_are_handed_on_with_the_service_id_as_their_subject() -> None:
    first, second = _first(id="x", subjects=_of("b")), _second(subject={})
    found = [Declaration((Part("p", first, {}), Part("q", second, {}))), Declaration((Part("r", {}, first),))]
    assert documents(found, "me", None, most=False) == (
        {**first, "id": "0 (p)", "subjects": _of("iam-ServiceId-me")},
        {
            **second,
            "id": "1 (q)",
            "subject": {"attributes": [{"key": "iam_id", "operator": "stringEquals", "value": "iam-ServiceId-me"}]},
        },
    )
    assert documents(found, "me", None, most=True) == ({**first, "id": "2 (r)", "subjects": _of("iam-ServiceId-me")},)
    assert identity("me") == "iam-ServiceId-me"


def test_where_nothing_is_certain_nothing_is_handed_on_but_whom_it_is_about() -> None:
    (nothing,) = documents([Declaration((Part("r", {}, {}),))], "me", None, most=False)
    assert nothing["roles"] == []
    assert nothing["subjects"] == _of("iam-ServiceId-me")
    assert nothing["resources"] == [{"attributes": [{"name": "serviceName", "value": "none"}]}]


def _grant(role: str, *attributes: dict[str, str]) -> Grant:
    return Grant("role", role, scope={"attributes": [*(attributes or IS)]})


def test_a_role_stands_where_it_is_listed_or_where_it_would_be_added() -> None:
    assert where(_first(roles=[7, {"role_id": WRITER}, {"role_id": VIEWER}]), _grant(VIEWER)) == ("roles", 1)
    assert where(_first(roles=[{"role_id": WRITER}]), _grant(VIEWER)) == ("roles",)
    assert where(_second(), _grant(VIEWER)) == ("control", "grant", "roles", 0)
    assert where(_second(), _grant(WRITER)) == ("control", "grant", "roles")
    assert where(None, _grant(WRITER)) == ("roles",)


EU = {"name": "region", "value": "eu"}


@pytest.mark.parametrize(
    ("body", "grants", "path"),
    [
        (_first(), [_grant(WRITER), _grant(VIEWER), _grant(WRITER)], ("roles",)),
        (_second(), [_grant(WRITER), _grant(VIEWER)], ("control", "grant", "roles")),
        (_first(), [_grant(WRITER, EU), _grant(VIEWER)], None),
        (_first(resources=[{"attributes": [*IS, EU]}]), [_grant(WRITER), _grant(VIEWER)], None),
        (
            _first(resources=[{"attributes": [{**IS[0], "operator": "stringMatch"}]}]),
            [_grant(WRITER), _grant(VIEWER)],
            None,
        ),
        (_first(resources=[]), [_grant(WRITER), _grant(VIEWER)], None),
        (_first(resources=[{"attributes": IS}, {"attributes": [EU]}]), [_grant(WRITER, *IS, EU)], None),
        (_first(resources=[{"attributes": IS}, {"attributes": [EU]}]), [_grant(WRITER)], None),
    ],
)
def test_a_role_is_added_to_a_policy_about_the_very_attributes(body: Any, grants: list[Grant], path: Any) -> None:
    names = sorted({grant.permission for grant in grants})
    expected = () if path is None else (Addition(path, tuple({"role_id": name} for name in names)),)
    assert additions(body, grants) == expected

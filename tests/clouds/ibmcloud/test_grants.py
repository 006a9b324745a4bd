"""IBM Cloud and Power VS grants: a role within its whole attribute set."""

from typing import Any

import pytest

from upgrade_gate.clouds.contract.grants import Grant, cloud_of
from upgrade_gate.clouds.ibmcloud import grants

VIEWER = "crn:v1:bluemix:public:iam::::role:Viewer"
MANAGER = "crn:v1:bluemix:public:iam::::serviceRole:Manager"
ADMINISTRATOR = "crn:v1:bluemix:public:iam::::role:Administrator"


def grant(role: str, *attributes: tuple[str, str]) -> Grant:
    return Grant("role", role, scope={"attributes": [{"name": n, "value": v} for n, v in attributes]})


def read(*policies: Any) -> tuple[Grant, ...]:
    return grants.read_grants("IBMCloudPowerVSProviderSpec", {"policies": list(policies)})


def attribute(name: str, value: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "value": value, **more}


def test_each_role_of_a_policy_is_a_grant_within_its_sorted_attributes() -> None:
    policy = {
        "roles": [VIEWER, MANAGER],
        "attributes": [attribute("serviceName", "is"), attribute("region", "eu-de"), attribute("region", "eu-de")],
    }
    scope = {"attributes": [attribute("region", "eu-de"), attribute("serviceName", "is")]}
    both = (Grant("role", VIEWER, scope=scope), Grant("role", MANAGER, scope=scope))
    assert read(policy) == both
    assert read({**policy, "roles": [VIEWER]}, {**policy, "roles": [MANAGER]}) == both
    assert cloud_of("IBMCloudProviderSpec") is cloud_of("IBMCloudPowerVSProviderSpec")


def test_an_operator_or_any_other_field_of_an_attribute_counts() -> None:
    (given,) = read({"roles": [VIEWER], "attributes": [attribute("region", "eu*", operator="stringMatch")]})
    assert given.scope == {"attributes": [{"name": "region", "value": "eu*", "operator": "stringMatch"}]}
    assert grants.identity(given) != grants.identity(grant(VIEWER, ("region", "eu*")))


def test_a_service_added_under_the_same_roles_is_another_grant() -> None:
    """Ingress, 4.11 to 4.12: dns-svcs came with the roles that internet-svcs had."""
    before, after = grant(MANAGER, ("serviceName", "internet-svcs")), grant(MANAGER, ("serviceName", "dns-svcs"))
    assert grants.identity(before) != grants.identity(after)
    assert grants.permission_key(before) != grants.permission_key(after)
    assert grants.covering([before], after) is None


def test_further_attributes_narrow_the_same_permission() -> None:
    wide = grant(VIEWER, ("serviceName", "is"))
    narrow = grant(VIEWER, ("region", "eu-de"), ("serviceName", "is"))
    assert grants.permission_key(wide) == grants.permission_key(narrow)
    assert grants.identity(wide) != grants.identity(narrow)


def test_the_default_operator_says_nothing() -> None:
    (plain,) = read({"roles": [VIEWER], "attributes": [attribute("serviceName", "is")]})
    for operator in ("stringEquals", None):
        stated = {"roles": [VIEWER], "attributes": [attribute("serviceName", "is", operator=operator)]}
        assert read(stated) == (plain,)
    for wrong in ("", 0, ["stringEquals"]):
        with pytest.raises(ValueError, match="operator"):
            read({"roles": [VIEWER], "attributes": [attribute("serviceName", "is", operator=wrong)]})


def test_fewer_attributes_reach_further_and_more_do_not() -> None:
    wide = grant(VIEWER, ("serviceName", "is"))
    narrow = grant(VIEWER, ("region", "eu-de"), ("serviceName", "is"))
    assert grants.covering([wide], narrow) is not None
    assert grants.covering([narrow], wide) is None
    assert grants.covering([grant(VIEWER, ("region", "us-south"), ("serviceName", "is"))], narrow) is None
    assert grants.covering([grant(ADMINISTRATOR, ("serviceName", "is"))], narrow) is None
    (pattern,) = read({"roles": [VIEWER], "attributes": [attribute("serviceName", "i*", operator="stringMatch")]})
    assert grants.covering([pattern], wide) is None


def test_only_the_same_role_covers() -> None:
    needed = grant(VIEWER, ("serviceName", "is"))
    assert grants.covering([grant(VIEWER, ("serviceName", "is"))], needed) is not None
    assert grants.covering([grant(ADMINISTRATOR, ("serviceName", "is"))], needed) is None
    assert grants.covering([grant(VIEWER)], needed) is None
    everywhere = grant(VIEWER, ("region", "eu-de"))
    assert grants.covering([everywhere], everywhere) is not None


IS = [attribute("serviceName", "is")]


@pytest.mark.parametrize(
    ("policies", "field"),
    [
        ("x", "policies is str"),
        (["x"], r"policies\[0\] is str"),
        ([{"attributes": IS, "roles": VIEWER}], r"policies\[0\].roles is str"),
        ([{"attributes": IS, "roles": []}], r"policies\[0\].roles is empty"),
        ([{"attributes": IS}], r"policies\[0\].roles is NoneType"),
        ([{"attributes": [], "roles": [VIEWER]}], r"policies\[0\].attributes is empty"),
        ([{"attributes": IS, "roles": [None]}], r"policies\[0\].roles\[0\] is NoneType"),
        ([{"attributes": ["is"]}], r"policies\[0\].attributes\[0\] is str"),
        ([{"attributes": [{"name": "serviceName"}]}], r"attributes\[0\].value is NoneType"),
    ],
)
def test_half_a_requirement_is_an_error_that_names_the_field(policies: Any, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        grants.read_grants("IBMCloudProviderSpec", {"policies": policies})

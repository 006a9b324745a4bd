"""IBM Cloud: what holds for every set of access policies."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clouds.ibmcloud.test_holdings import (
    ADMINISTRATOR,
    CUSTOM,
    EDITOR,
    ME,
    PLACEHOLDER,
    ROLES,
    VIEWER,
    attributes,
    v1,
)
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, Document
from upgrade_gate.clouds.ibmcloud import holdings

NAMES = st.sampled_from([VIEWER, EDITOR, ADMINISTRATOR])
TARGETS = st.sampled_from(
    [
        {},
        {"serviceName": "is"},
        {"serviceName": "power-iaas"},
        {"serviceType": "service"},
        {"resourceType": "resource-group"},
        {"serviceName": "is", "resourceGroupId": "rg1"},
        {"serviceName": "is", "resourceGroupId": "rg2"},
        {"serviceName": "is", "region": "eu-de"},
        {"serviceName": ("stringMatch", "i*")},
    ]
)
POLICIES = st.builds(
    lambda roles, on, subject, number: v1(*roles, on=on, subject=subject, id=f"p{number}"),
    st.lists(st.sampled_from([VIEWER, EDITOR, ADMINISTRATOR, CUSTOM, PLACEHOLDER]), min_size=1, max_size=2),
    TARGETS,
    st.sampled_from([ME, ME, "iam-ServiceId-2", "AccessGroupId-1"]),
    st.integers(),
)
CATALOGUES = st.sampled_from([[], [ROLES]])


def decide(policies: list[Any], more: list[Any], role: str, *scopes: str) -> CoverageResult:
    """Judge one role on `is`."""
    documents = [Document(policies), *(Document(body) for body in more)]
    grant = Grant("role", role, scope={"attributes": attributes({"serviceName": "is"})})
    return holdings.build(documents, "A").judge(ME, grant, scopes or ("rg1",))


@settings(max_examples=200, deadline=None)
@given(st.lists(POLICIES, max_size=3), POLICIES, CATALOGUES, NAMES)
def test_one_more_policy_never_takes_away(held: list[Any], more: Any, roles: list[Any], wanted: str) -> None:
    if decide(held, roles, wanted).verdict is Coverage.COVERED:
        after = decide([*held, more], roles, wanted)
        assert after.verdict is Coverage.COVERED, after.reason


@settings(max_examples=200, deadline=None)
@given(st.lists(POLICIES, max_size=3), CATALOGUES, NAMES)
def test_the_policy_itself_covers_itself(held: list[Any], roles: list[Any], wanted: str) -> None:
    own = v1(wanted, on={"serviceName": "is", "resourceGroupId": "rg1"}, id="own")
    assert decide([*held, own], roles, wanted).verdict is Coverage.COVERED


@settings(max_examples=200, deadline=None)
@given(st.lists(POLICIES, min_size=1, max_size=3), CATALOGUES, NAMES, st.sampled_from(["region", "serviceInstance"]))
def test_one_more_attribute_never_widens(held: list[Any], roles: list[Any], wanted: str, name: str) -> None:
    limit = {"name": name, "value": "x"}
    limited = [p | {"resources": [{"attributes": [*p["resources"][0]["attributes"], limit]}]} for p in held]
    assert decide(limited, roles, wanted).verdict is not Coverage.COVERED


@settings(max_examples=200, deadline=None)
@given(st.lists(POLICIES, max_size=3), CATALOGUES, NAMES)
def test_more_needed_groups_never_cover_more(held: list[Any], roles: list[Any], wanted: str) -> None:
    if decide(held, roles, wanted, "rg1", "rg2").verdict is Coverage.COVERED:
        assert decide(held, roles, wanted, "rg1").verdict is Coverage.COVERED
        assert decide(held, roles, wanted, "rg2").verdict is Coverage.COVERED

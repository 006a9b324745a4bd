"""What an IBM Cloud service ID is given, as its access policies name it."""

from typing import Any

import pytest

from tests.clouds.ibmcloud.test_holdings import EDITOR, GROUPS, IS, ME, OPERATOR, PLACEHOLDER, v1
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import CoverageResult, Document, HeldGrants
from upgrade_gate.clouds.ibmcloud import holdings


def held(*policies: dict[str, Any], account: str = "A") -> HeldGrants | CoverageResult:
    return holdings.build([Document(list(policies))], account).held(ME)


def wanted(role: str, on: dict[str, str]) -> Grant:
    return Grant("role", role, scope={"attributes": [{"name": k, "value": v} for k, v in on.items()]})


def test_each_role_is_told_within_its_policys_attributes() -> None:
    found = held(v1(EDITOR, OPERATOR, on=IS))
    assert isinstance(found, HeldGrants)
    assert [one.grant for one in found.grants] == [
        wanted(EDITOR, {"accountId": "A", **IS}),
        wanted(OPERATOR, {"accountId": "A", **IS}),
    ]
    assert found.grants[0].by == "policy p1"


def test_placeholder_and_group_of_unknown_members_are_said() -> None:
    found = held(v1(PLACEHOLDER), v1(EDITOR, subject="AccessGroupId-1", id="p2"))
    assert isinstance(found, HeldGrants)
    assert not found.grants
    assert ["p1" in found.unseen[0], "p2" in found.unseen[1]] == [True, True]


def test_what_is_another_service_id_s_is_not_told() -> None:
    assert held(v1(EDITOR, subject="iam-ServiceId-2")) == HeldGrants()


def test_a_list_that_cannot_be_read_as_a_whole_is_said() -> None:
    found = holdings.build([Document([v1(EDITOR), "x"])], "A").held(ME)
    assert isinstance(found, HeldGrants)
    assert (len(found.grants), found.unseen) == (1, ("the export holds policies that cannot be read",))
    cut = holdings.build([Document({"policies": [v1(EDITOR)], "next": "https://x"})], "A").held(ME)
    assert isinstance(cut, CoverageResult)
    assert "cut off" in cut.reason


def test_a_policy_of_unreadable_targets_is_said() -> None:
    found = held(v1(EDITOR, resources=[{"attributes": []}]))
    assert isinstance(found, HeldGrants)
    assert (found.grants, found.unseen) == ((), ("policy p1: has targets that cannot be read",))


def test_a_role_that_two_policies_give_is_told_once_with_both_and_its_operators() -> None:
    limited = IS | {"region": ("stringMatch", "eu-*")}
    found = held(v1(EDITOR, on=limited), v1(EDITOR, on=limited, id="p2"))
    assert isinstance(found, HeldGrants)
    (one,) = found.grants
    assert one.grant == wanted(EDITOR, {"accountId": "A", "region": "stringMatch eu-*", **IS})
    assert one.by == "policy p1 and policy p2"


def test_another_account_cannot_be_told() -> None:
    assert isinstance(held(v1(EDITOR), account="B"), CoverageResult)


@pytest.mark.parametrize(
    ("role", "on", "asked"),
    [
        (EDITOR, IS, True),
        (EDITOR, {**IS, "accountId": "A", "resourceGroupId": "g"}, True),
        (OPERATOR, IS, False),
        (EDITOR, {"serviceName": "dns-svcs"}, False),
        (EDITOR, {"serviceType": "service"}, False),
        (EDITOR, GROUPS, False),
    ],
)
def test_role_is_asked_for_where_the_policy_has_every_required_attribute(
    role: str, on: dict[str, str], asked: bool
) -> None:
    known = holdings.build([Document([v1(EDITOR)])], "A")
    assert known.asks_for([wanted(EDITOR, IS)], wanted(role, on)) is asked

"""What an Azure principal is given, as its roles write it."""

from typing import Any

import pytest

from tests.clouds.azure.test_holdings import BLOB, CONTRIBUTOR, GROUP, READ, READER, RG, SUB, P, assigned, denied, role
from upgrade_gate.clouds.azure import holdings
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import CoverageResult, Document, HeldGrants

ID = f"principal:{P}"


def held(*documents: Any) -> HeldGrants:
    found = holdings.build([Document([one]) for one in documents], "S1").held(ID)
    assert isinstance(found, HeldGrants), found
    return found


def told(found: HeldGrants) -> list[tuple[str, str]]:
    return [(one.grant.type, one.grant.permission) for one in found.grants]


def test_both_planes_of_a_custom_role_are_told_as_they_are_written() -> None:
    found = held(assigned(), role("mine", READ, "Microsoft.Network/*", dataActions=[BLOB]))
    assert told(found) == [("permission", READ), ("permission", "Microsoft.Network/*"), ("dataPermission", BLOB)]
    assert "a-d1" in found.grants[0].by


def test_what_a_role_excepts_is_not_given_and_a_part_is_said() -> None:
    found = held(assigned(), role("mine", READ, "Microsoft.Network/*", notActions=[READ, "*/delete"]))
    assert told(found) == [("permission", "Microsoft.Network/*")]
    assert found.grants[0].by.endswith("which excepts */delete")


def test_a_disabled_service_principal_holds_nothing_and_others_are_not_disabled_by_it() -> None:
    disabled = {"appId": "c", "id": P, "servicePrincipalType": "Application", "accountEnabled": False}
    assert held(assigned(), role("mine", READ), disabled) == HeldGrants()
    assert told(held(assigned(), role("mine", READ), disabled | {"id": GROUP})) == [("permission", READ)]


def test_an_assignment_that_cannot_be_read_is_said() -> None:
    found = holdings.build([Document([assigned(), "x"]), Document([role("mine", READ)])], "S1").held(ID)
    assert isinstance(found, HeldGrants)
    assert "role assignments that cannot be read" in found.unseen[0]


def test_a_question_mark_is_a_character_in_what_a_role_excepts() -> None:
    found = held(assigned(), role("mine", READ, notActions=["Microsoft.Compute/disks/rea?"]))
    assert told(found) == [("permission", READ)]
    assert found.grants[0].by.endswith("(assignment a-d1)")


def test_what_two_roles_give_is_told_once_with_both() -> None:
    found = held(assigned(), role("mine", READ), assigned("d2"), role("yours", READ.upper(), guid="d2"))
    assert len(found.grants) == 1
    assert found.grants[0].by.endswith("(assignment a-d2)")
    assert "(assignment a-d1) and " in found.grants[0].by


def test_built_in_role_that_payloads_bind_is_told_by_its_name_others_by_what_they_allow() -> None:
    assert told(held(assigned(CONTRIBUTOR))) == [("roleBinding", "Contributor")]
    assert told(held(assigned(READER))) == [("permission", "*/read")]


def test_role_without_definition_and_group_without_members_are_said() -> None:
    of_group = assigned("d2", principal=GROUP, principalType="Group")
    may = denied("*", principals=[{"id": GROUP, "type": "Group"}])
    found = held(assigned(), of_group, assigned("d3"), role("mine", READ, guid="d3"), may)
    assert told(found) == [("permission", READ)]
    assert "definition of role" in found.unseen[0]
    assert "members are not in the export" in found.unseen[1]
    assert "whether the principal is in it" in found.unseen[2]


@pytest.mark.parametrize(
    ("denial", "left", "said"),
    [
        (denied("*"), ["Contributor"], 1),
        (denied("*", permissions=[{"actions": ["*"], "dataActions": ["*"]}]), [], 1),
        (denied("Microsoft.Compute/*", principals=[{"id": GROUP, "type": "Group"}]), ["Contributor"], 2),
    ],
)
def test_a_built_in_role_that_two_definitions_dispute_may_give_anything(
    denial: dict[str, Any], left: list[str], said: int
) -> None:
    disputed = [role("Contributor", action, guid=CONTRIBUTOR) for action in ("*", READ)]
    found = held(assigned(CONTRIBUTOR), *disputed, denial)
    assert [one.grant.permission for one in found.grants] == left
    assert len(found.unseen) == said


@pytest.mark.parametrize(
    ("denial", "left"),
    [
        (denied(READ), ["Microsoft.Network/*"]),
        (denied("*"), []),
        (denied("Microsoft.Network/vnets/*"), [READ, "Microsoft.Network/*"]),
        (denied("*", scope=SUB), []),
        (denied("*", scope=f"{SUB}/resourceGroups/other"), [READ, "Microsoft.Network/*"]),
        (denied("*", scope=f"{RG}/providers/Microsoft.Compute/disks/d"), [READ, "Microsoft.Network/*"]),
        (denied("*", doNotApplyToChildScopes=True), [READ, "Microsoft.Network/*"]),
        (denied("*", excludePrincipals=[{"id": P, "type": "ServicePrincipal"}]), [READ, "Microsoft.Network/*"]),
        (denied("*", condition="x"), [READ, "Microsoft.Network/*"]),
    ],
)
def test_what_a_deny_assignment_forbids_is_not_held(denial: dict[str, Any], left: list[str]) -> None:
    found = held(assigned(), role("mine", READ, "Microsoft.Network/*"), denial)
    assert [one.grant.permission for one in found.grants] == left
    assert not found.unseen


def test_a_deny_assignment_that_may_apply_is_said() -> None:
    may = denied("*", principals=[{"id": GROUP, "type": "Group"}])
    found = held(assigned(), role("mine", READ), may)
    assert [one.grant.permission for one in found.grants] == [READ]
    assert "whether the principal is in it" in found.unseen[0]


def test_a_built_in_role_that_is_denied_as_a_whole_is_not_held() -> None:
    assert told(held(assigned(CONTRIBUTOR), denied("*"))) == []
    assert told(held(assigned(CONTRIBUTOR), denied("Microsoft.Compute/*"))) == [("roleBinding", "Contributor")]


def test_another_subscription_cannot_be_told() -> None:
    found = holdings.build([Document([assigned()])], "S2").held(ID)
    assert isinstance(found, CoverageResult)
    assert "wrong account" in found.reason


@pytest.mark.parametrize(
    ("wanted", "mine", "asked"),
    [
        (Grant("permission", READ), Grant("permission", READ.upper()), True),
        (Grant("permission", "Microsoft.Compute/disks/*"), Grant("permission", READ), True),
        (Grant("permission", READ), Grant("permission", "Microsoft.Compute/*"), False),
        (Grant("permission", READ), Grant("dataPermission", READ), False),
        (Grant("roleBinding", "Contributor", scope=SUB), Grant("roleBinding", "contributor"), True),
        (Grant("roleBinding", "Contributor"), Grant("permission", READ), True),
        (Grant("roleBinding", "Contributor"), Grant("dataPermission", BLOB), False),
        (Grant("permission", READ), Grant("roleBinding", "Contributor"), False),
        (Grant("roleBinding", "of nobody knows what"), Grant("permission", READ), True),
    ],
)
def test_what_is_asked_for(wanted: Grant, mine: Grant, asked: bool) -> None:
    assert holdings.build([], "S1").asks_for([wanted], mine) is asked

"""Azure: what roles and deny assignments allow together, and what the reason names (docs/facts/azure.md#coverage)."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from tests.clouds.azure.test_holdings import GROUP, READ, RG, SUB, WILD, assigned, both, decide, denied, role

DISK = f"{RG}/providers/Microsoft.Compute/disks/one"
NETWORK = "Microsoft.Network/*"


@pytest.mark.parametrize(
    ("assignment", "definition", "told"),
    [
        ({"name_of_role": "old"}, "new", "new at /subscriptions"),
        ({"name_of_role": "same"}, "same", "same at /subscriptions"),
        ({"roleDefinitionName": None}, "new", "new at /subscriptions"),
    ],
)
def test_the_reason_names_a_role_as_its_definition_does(assignment: dict[str, Any], definition: str, told: str) -> None:
    """A role's name can be changed; its ID cannot."""
    verdict, reason = decide([[assigned(**assignment)], [role(definition, READ)]])
    assert (verdict, reason.startswith(told)) == ("COVERED", True), reason


def test_the_reason_names_the_role_in_the_place_of_its_old_name_alone() -> None:
    _, reason = decide([[assigned(name_of_role="c1-rg")], [role("new", READ)]])
    assert reason.startswith(f"new at {RG} ")


def test_the_reason_names_the_place_where_it_is_known() -> None:
    assert decide(both(READ))[1].endswith("and reaches c1-rg")
    verdict, reason = decide([[assigned(scope=SUB)], [role("r", READ)]], scopes=[])
    assert (verdict, "reaches" in reason) == ("COVERED", False)


def test_a_role_that_nobody_knows_may_cover_all_at_most_a_part_or_by_a_group() -> None:
    whole, part = assigned("d9"), assigned("d9", scope=DISK)
    group = assigned("d9", principal=GROUP, principalType="Group")
    limited = [assigned(condition="@x")], [role("r", READ)]
    on_disk = [assigned(scope=DISK)], [role("r", READ)]
    for (listed, defined), other, expected in (
        (on_disk, whole, "UNKNOWN"),
        (limited, part, "NARROWER"),
        (limited, group, "NARROWER"),
    ):
        assert decide([[*listed, other], defined])[0] == expected
    assert [decide([[one]])[1].startswith("a group may hold it") for one in (whole, group)] == [False, True]


def test_a_definition_of_an_empty_name_leaves_the_one_that_the_assignment_shows() -> None:
    nameless = role("", READ) | {"name": ""}
    verdict, reason = decide([[assigned(name_of_role="old")], [nameless]])
    assert (verdict, reason.startswith("old at /subscriptions")) == ("COVERED", True), reason


def test_the_reason_names_the_assignment_that_may_give_it() -> None:
    odd = [assigned("d1", scope="c1-rg"), assigned("d2", scope="c1-rg")]
    verdict, reason = decide([odd, [role("other", NETWORK), role("mine", READ, guid="d2")]])
    assert (verdict, reason.startswith("mine at c1-rg")) == ("UNKNOWN", True), reason


def test_the_reason_names_one_role_where_one_is_enough() -> None:
    roles = [role("first", NETWORK), role("second", WILD, guid="d2"), role("third", READ, guid="d3")]
    verdict, reason = decide([[assigned(), assigned("d2"), assigned("d3")], roles], WILD)
    assert (verdict, "second" in reason, "third" in reason) == ("COVERED", True, False)
    roles[1] = role("second", WILD, guid="d2", notActions=[READ])
    verdict, reason = decide([[assigned(), assigned("d2"), assigned("d3")], roles], WILD)
    named = [name in reason for name in ("first", "second", "third")]
    assert (verdict, named) == ("COVERED", [False, True, True]), reason


def test_a_part_under_a_condition_is_told_from_the_whole_under_a_condition() -> None:
    limited = [assigned(condition="@x", conditionVersion="2.0")]
    for actions, told in ((READ, "allows only a part of"), (WILD, "allows it under a condition: @x")):
        verdict, reason = decide([limited, [role("mine", actions)]], WILD)
        assert (verdict, told in reason, "@x" in reason) == ("NARROWER", True, True), reason


def test_what_a_role_excepts_is_the_reason_only_where_it_allows_it_otherwise() -> None:
    """`?` is a character: `rea?` does not allow `read`."""
    for allowed, told in (("*", "excepts"), ("Microsoft.Compute/disks/rea?", "no role allows")):
        verdict, reason = decide(both(allowed, notActions=[READ]))
        assert (verdict, told in reason) == ("MISSING", True), reason
    verdict, reason = decide(both("Microsoft.Compute/disks/re*", notActions=["Microsoft.Compute/disks/r*"]), WILD)
    assert (verdict, "no role allows" in reason) == ("MISSING", True), reason


def test_the_reason_names_the_exception_that_takes_a_part() -> None:
    part = f"allows only a part of {WILD}"
    for excepted, told in (([], part), ([NETWORK, "*/delete"], f"{part}: it excepts */delete")):
        verdict, reason = decide(both(READ if not excepted else "*", notActions=excepted), WILD)
        assert (verdict, reason.endswith(told)) == ("NARROWER", True), reason
    shared = ["Microsoft.Authorization/*/Delete", "Microsoft.Purview/consents/*"]
    verdict, reason = decide(both("*", notActions=shared), "Contributor", "roleBinding")
    assert (verdict, reason.endswith("it excepts microsoft.purview/consents/*")) == ("NARROWER", True), reason


def test_deny_assignments_count_together() -> None:
    for order in permutations([denied(WILD), denied("*/delete", denyAssignmentName="other")]):
        assert decide([*both(WILD), list(order)], WILD)[0] == "DENIED"


def under(condition: str) -> dict[str, Any]:
    """A deny assignment with the condition in its permissions object."""
    return denied(permissions=[{"actions": [READ], "condition": condition}])


@pytest.mark.parametrize(
    ("deny", "told"),
    [
        (denied(READ, condition="@x"), "under the condition @x"),
        (denied(READ, scope=DISK), f"at {DISK}"),
        (under("@x"), "may forbid it"),
    ],
)
def test_a_deny_of_some_resources_may_forbid_it(deny: dict[str, Any], told: str) -> None:
    verdict, reason = decide([*both(READ), [deny]])
    assert (verdict, told.casefold() in reason.casefold()) == ("NARROWER", True), reason


@pytest.mark.parametrize(
    "part",
    [
        denied(READ, condition="@x"),
        denied(READ, scope=DISK),
        under("@x"),
        denied(READ, doNotApplyToChildScopes=True),
    ],
)
@pytest.mark.parametrize(
    "unsure", [denied(READ, principals=[{"id": GROUP, "type": "Group"}]), denied(READ, scope="c1-rg")]
)
def test_a_deny_that_nobody_can_tell_goes_before_one_of_some_resources(
    part: dict[str, Any], unsure: dict[str, Any]
) -> None:
    for order in permutations([part, unsure]):
        assert decide([*both(READ), list(order)])[0] == "UNKNOWN"

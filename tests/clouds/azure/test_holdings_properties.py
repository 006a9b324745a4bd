"""Azure: what holds for every set of assignments."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clouds.azure.test_holdings import GROUP, NET, RG, SUB, P, assigned, denied, role
from upgrade_gate.clouds.azure import holdings
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, Document

SEGMENTS = st.lists(st.sampled_from(["a", "b", "*", "A"]), min_size=1, max_size=3)
PATTERNS = SEGMENTS.map("/".join)
SCOPES = st.sampled_from([SUB, RG, NET, f"{RG}/providers/x/y/z", "/providers/Microsoft.Management/managementGroups/m"])
LISTS = st.lists(PATTERNS, max_size=3)


@st.composite
def allows(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """One assignment with its definition, each role with an ID of its own content."""
    actions, excepted, data = draw(LISTS), draw(LISTS), draw(LISTS)
    guid = repr((actions, excepted, data)).encode().hex()
    more: dict[str, Any] = {"condition": draw(st.sampled_from(["", "", "c"]))}
    if draw(st.booleans()):
        more |= {"principalId": GROUP, "principalType": "Group"}
    definition = role(guid, *actions, guid=guid, notActions=excepted, dataActions=data)
    return assigned(guid, draw(SCOPES), **more), definition


def decide(held: list[tuple[dict[str, Any], dict[str, Any]]], wanted: str, *denies: Any) -> CoverageResult:
    """Judge one operation at one resource group."""
    documents = [Document(body) for pair in held for body in pair] + [Document(body) for body in denies]
    return holdings.build(documents, "S1").judge(f"principal:{P}", Grant("permission", wanted), ["c1-rg"])


@settings(max_examples=150, deadline=None)
@given(st.lists(allows(), min_size=1, max_size=3), allows(), PATTERNS)
def test_one_more_assignment_never_takes_away(held: list[Any], more: Any, wanted: str) -> None:
    before, after = decide(held, wanted), decide([*held, more], wanted)
    if before.verdict is Coverage.COVERED:
        assert after.verdict is Coverage.COVERED, after.reason


@settings(max_examples=150, deadline=None)
@given(st.lists(allows(), min_size=1, max_size=3), LISTS, LISTS, SCOPES, PATTERNS)
def test_a_deny_never_widens(held: list[Any], actions: list[str], excepted: list[str], scope: str, wanted: str) -> None:
    deny = denied(scope=scope, permissions=[{"actions": actions, "notActions": excepted}])
    if decide(held, wanted, deny).verdict is Coverage.COVERED:
        assert decide(held, wanted).verdict is Coverage.COVERED


@settings(max_examples=100, deadline=None)
@given(PATTERNS, st.lists(allows(), max_size=2))
def test_what_is_asked_for_covers_itself(wanted: str, held: list[Any]) -> None:
    own = (assigned("own"), role("own", wanted.upper(), guid="own"))
    assert decide([*held, own], wanted).verdict is Coverage.COVERED


@settings(max_examples=150, deadline=None)
@given(st.lists(allows(), min_size=1, max_size=3), LISTS, PATTERNS)
def test_a_role_that_holds_less_never_covers_more(held: list[Any], excepted: list[str], wanted: str) -> None:
    narrowed = []
    for number, (assignment, definition) in enumerate(held):
        guid = f"n{number}"
        permission = definition["permissions"][0]
        less = permission | {"notActions": [*permission["notActions"], *excepted]}
        renamed = definition | {"id": f"{SUB}/x/{guid}", "name": guid, "permissions": [less]}
        narrowed.append((assignment | {"roleDefinitionId": f"{SUB}/x/{guid}"}, renamed))
    if decide(narrowed, wanted).verdict is Coverage.COVERED:
        assert decide(held, wanted).verdict is Coverage.COVERED

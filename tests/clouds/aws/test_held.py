"""What an AWS identity is given, as its policies write it."""

import itertools
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds.aws_exports import ACCOUNT, ROLE, allow, boundary, bounded, deny, details, role, statement
from upgrade_gate.clouds.aws import holdings
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import CoverageResult, Document, HeldGrants

UNENCRYPTED = {"Bool": {"aws:SecureTransport": "false"}}
VOLUMES = "arn:aws:ec2:*:*:volume/*"


def held(*statements: Any, beside: tuple[Any, ...] = (), **fields: Any) -> HeldGrants:
    found = holdings.build([Document(details(role(*statements, **fields), *beside))], ACCOUNT).held(ROLE)
    assert isinstance(found, HeldGrants), found
    return found


def names(found: HeldGrants) -> list[str]:
    return [one.grant.permission for one in found.grants]


def test_each_action_is_told_once_as_it_is_written_with_all_that_gives_it() -> None:
    found = held(allow("EC2:Describe*", Sid="A"), allow("ec2:describe*", "ec2:CopyVolumes", Sid="B"))
    assert names(found) == ["EC2:Describe*", "ec2:CopyVolumes"]
    assert found.unseen == ()
    assert found.grants[0].by == "statement A of policy p of role c1-ebs and statement B of policy p of role c1-ebs"


def test_boundary_shuts_out_what_it_does_not_allow() -> None:
    limits = (bounded(allow("ec2:Describe*"), deny("ec2:DescribeHosts")),)
    wide = allow("ec2:*", "s3:GetObject", "ec2:DescribeHosts", "ec2:DescribeVolumes")
    found = held(wide, beside=limits, PermissionsBoundary=boundary())
    assert names(found) == ["ec2:*", "ec2:DescribeVolumes"]
    assert not held(wide, beside=(bounded(deny("*")),), PermissionsBoundary=boundary()).grants


def test_what_policies_and_boundary_deny_are_both_taken_away_and_a_denial_in_the_boundary_allows_nothing() -> None:
    limits = (bounded(allow("ec2:*"), deny("s3:*", Condition=UNENCRYPTED)),)
    wide = (allow("ec2:Run*", "ec2:Describe*", "s3:GetObject"), deny("ec2:Describe*"))
    assert names(held(*wide, beside=limits, PermissionsBoundary=boundary())) == ["ec2:Run*"]


def test_a_not_action_is_told_by_what_it_leaves_out_within_any_boundary_that_allows_something() -> None:
    given = statement(NotAction=["iam:*", "Kms:*"])
    told = ["everything except iam:*, Kms:*"]
    assert names(held(given, deny("ec2:*"))) == told
    assert names(held(given, beside=(bounded(allow("ec2:*")),), PermissionsBoundary=boundary())) == told
    assert not held(given, beside=(bounded(deny("s3:*")),), PermissionsBoundary=boundary()).grants


def test_an_action_is_told_with_its_resources_and_its_condition() -> None:
    found = held(allow("ec2:*", Resource=["arn:a", "arn:b"], Condition=UNENCRYPTED), allow("s3:*", Condition={}))
    assert [one.grant for one in found.grants] == [
        Grant("action", "ec2:*", "Allow", "arn:a, arn:b", UNENCRYPTED),
        Grant("action", "s3:*", "Allow", "*", None),
    ]


def test_boundary_that_is_not_there_is_said() -> None:
    found = held(allow("ec2:*"), PermissionsBoundary=boundary())
    assert names(found) == ["ec2:*"]
    assert "permissions boundary" in found.unseen[0]


def test_deny_of_a_part_or_under_a_condition_takes_nothing_away_here() -> None:
    found = held(
        allow("ec2:*", "s3:GetObject"),
        deny("ec2:DeleteVolume"),
        deny("s3:*", Condition=UNENCRYPTED),
        deny("s3:*", Resource="arn:aws:s3:::b/*"),
        deny("s3:*", NotResource="arn:aws:s3:::b/*"),
        deny("s3:*", NotResource="${aws:PrincipalTag/bucket}"),
    )
    assert names(found) == ["ec2:*", "s3:GetObject"]


def test_identity_that_is_not_there_cannot_be_told() -> None:
    found = holdings.build([Document(details())], ACCOUNT).held(ROLE)
    assert isinstance(found, CoverageResult)
    assert found.verdict == "UNKNOWN"


def test_a_required_action_asks_for_its_own_name_and_for_less_whatever_resource_and_condition_say() -> None:
    known = holdings.build([Document(details(role()))], ACCOUNT)
    wanted = [Grant("action", "ec2:Describe*", "Allow", "*", {"Bool": {"k": True}}), Grant("action", "s3:Get?", "Deny")]
    assert known.asks_for(wanted, Grant("action", "EC2:DescribeHosts", "Allow", "arn:aws:ec2:::x"))
    assert not known.asks_for(wanted, Grant("action", "ec2:D*", "Allow", "*"))
    assert not known.asks_for(wanted, Grant("action", "s3:Get1", "Allow", "*"))
    wanted = [Grant("action", "ec2:*", "Allow", VOLUMES), Grant("action", "ec2:Delete*", "Deny", "*")]
    assert known.asks_for(wanted, Grant("action", "ec2:*", "Allow", "*", UNENCRYPTED))


PATTERNS = st.text("ab*?", min_size=1, max_size=4).map(lambda name: f"s:{name}")
NAMES = [f"s:{''.join(letters)}" for size in range(6) for letters in itertools.product("abc", repeat=size)]
"""Every name of a small universe; c stands for all letters that no pattern has."""


def _names_of(pattern: str) -> set[str]:
    written = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return {name for name in NAMES if re.fullmatch(written, name)}


@settings(max_examples=300, deadline=None)
@given(st.lists(PATTERNS, max_size=3), PATTERNS)
def test_asked_for_is_what_no_name_of_the_pattern_lies_outside_of(required: list[str], pattern: str) -> None:
    known = holdings.build([Document(details(role()))], ACCOUNT)
    asked = known.asks_for(
        [Grant("action", name, "Allow", "*") for name in required], Grant("action", pattern, "Allow")
    )
    assert asked is (_names_of(pattern) <= set().union(*map(_names_of, required)))

"""AWS size limits: what the union of held and required would exceed, white space not counted."""

import json

import pytest

from tests.worlds.aws_exports import MANAGED, ROLE, USER, allow, attached, details, document, managed, role, user
from upgrade_gate.clouds.aws import holdings
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Document, PolicySize


def many(count: int) -> list[str]:
    """Return actions that take 20 characters each in a compact list."""
    return [f"ec2:Action{n:07d}" for n in range(count)]


def needs(*actions: str) -> list[Grant]:
    return [Grant("action", a, "Allow", "*") for a in actions]


def sizes(export: dict[str, object], identity: str, *actions: str) -> tuple[PolicySize, ...]:
    return holdings.build([Document(export)], None).sizes(identity, needs(*actions))


def test_what_fits_is_no_finding() -> None:
    assert sizes(details(role(allow(*many(400)))), ROLE, "s3:GetObject") == ()


def test_an_inline_policy_that_would_grow_too_large_is_named_with_size_and_limit() -> None:
    held = role(allow(*many(507)))
    (size,) = sizes(details(held), ROLE, "s3:GetObject")
    kept = len(json.dumps(held["RolePolicyList"][0]["PolicyDocument"], separators=(",", ":")))
    assert kept <= 10_240
    assert (size.what, size.limit) == ("inline policies of role c1-ebs", 10_240)
    assert kept < 10_240 < size.size


def test_what_is_held_already_does_not_grow() -> None:
    assert sizes(details(role(allow(*many(507)))), ROLE, *many(3)) == ()


@pytest.mark.parametrize(("count", "over"), [(90, False), (101, True)])
def test_a_user_has_the_smaller_limit(count: int, over: bool) -> None:
    found = sizes(details(user(allow(*many(count)))), USER, "s3:GetObject")
    assert [s.limit for s in found] == ([2_048] if over else [])


def test_a_managed_policy_has_a_limit_of_its_own_unless_it_is_amazons() -> None:
    big = allow(*many(305))
    own = details(role(AttachedManagedPolicies=attached(MANAGED)), managed(MANAGED, big))
    (size,) = sizes(own, ROLE, "s3:GetObject")
    assert (size.what, size.limit) == (f"managed policy {MANAGED}", 6_144)
    theirs = "arn:aws:iam::aws:policy/Big"
    assert sizes(details(role(AttachedManagedPolicies=attached(theirs)), managed(theirs, big)), ROLE, "s3:X") == ()


def test_white_space_is_not_counted() -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": allow(*many(500))}, indent=8)
    assert len(document) > 10_240
    export = details({**role(), "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": document}]})
    assert sizes(export, ROLE, "s3:GetObject") == ()


def test_conditions_count_and_an_identity_that_is_not_there_has_no_size() -> None:
    grant = Grant("action", "kms:CreateGrant", "Allow", "*", {"Bool": {"kms:" + "k" * 10_300: True}})
    held = holdings.build([Document(details(role()))], None)
    assert held.sizes(ROLE, [grant])[0].size > 10_300
    assert held.sizes(ROLE + "-2", [grant]) == ()


def test_what_is_just_as_large_as_may_be_fits_and_what_cannot_be_read_has_no_size() -> None:
    def padded(limit: int, added: int) -> dict[str, object]:
        """Return a document that the missing statement makes as large as the limit."""
        empty, new = (
            len(json.dumps(document(allow(action, Sid=sid)), separators=(",", ":")))
            for action, sid in (("a:b", ""), ("s3:X", ""))
        )
        new -= len(',"Sid":""')
        return document(allow("a:b", Sid="x" * (limit - empty - new + added)))

    for added, found in ((0, []), (1, [10_241])):
        policies = [
            {"PolicyName": "p", "PolicyDocument": padded(10_240, added)},
            {"PolicyName": "q", "PolicyDocument": "%7B"},
        ]
        assert [s.size for s in sizes(details(role(RolePolicyList=policies)), ROLE, "s3:X")] == found
    for added, found in ((0, []), (1, [6_145])):
        own = managed(MANAGED)
        own["PolicyVersionList"][0]["Document"] = padded(6_144, added)
        export = details(role(AttachedManagedPolicies=attached(MANAGED)), own)
        assert [s.size for s in sizes(export, ROLE, "s3:X")] == found


def test_of_a_managed_policy_that_is_not_in_the_export_no_size_is_told() -> None:
    asked = many(400)
    assert sizes(details(role(AttachedManagedPolicies=attached(MANAGED))), ROLE, *asked) == ()

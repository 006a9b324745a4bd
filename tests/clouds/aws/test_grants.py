"""AWS grants: what is the same, what contains what, which Secret keys are missing, which risks are shown."""

from typing import Any

import pytest

from upgrade_gate.clouds.aws import grants as aws
from upgrade_gate.clouds.contract.grants import Grant, cloud_of

KMS_FOR_SERVICES = {"Bool": {"kms:GrantIsForAWSResource": True}}


def allow(action: str, resource: str | None = "*", condition: Any = None) -> Grant:
    return Grant("action", action, "Allow", resource, condition)


def deny(action: str, resource: str | None = "*") -> Grant:
    return Grant("action", action, "Deny", resource)


def entry(*actions: Any, **fields: Any) -> dict[str, Any]:
    return {"effect": "Allow", "action": list(actions), "resource": "*", **fields}


def read(*entries: Any) -> tuple[Grant, ...]:
    return aws.read_grants("AWSProviderSpec", {"kind": "AWSProviderSpec", "statementEntries": list(entries)})


def test_the_cloud_answers_to_its_kind() -> None:
    assert cloud_of("AWSProviderSpec") is not None
    assert cloud_of("AWSProviderSpec") is cloud_of("AWSProviderSpec")


def test_each_action_of_an_entry_is_a_grant_of_its_own() -> None:
    grants = read(
        entry("ec2:DescribeVolumes", "ec2:AttachVolume"), entry("kms:CreateGrant", policyCondition=KMS_FOR_SERVICES)
    )
    assert [g.as_dict() for g in grants] == [
        {"type": "action", "permission": "ec2:AttachVolume", "effect": "Allow", "resource": "*",
         "condition": None, "scope": None},
        {"type": "action", "permission": "ec2:DescribeVolumes", "effect": "Allow", "resource": "*",
         "condition": None, "scope": None},
        {"type": "action", "permission": "kms:CreateGrant", "effect": "Allow", "resource": "*",
         "condition": KMS_FOR_SERVICES, "scope": None},
    ]  # fmt: skip


def test_actions_that_differ_in_case_alone_fold_into_the_first_spelling() -> None:
    grants = read(entry("kms:GenerateDataKeyWithoutPlainText", "kms:GenerateDataKeyWithoutPlaintext"))
    assert [g.permission for g in grants] == ["kms:GenerateDataKeyWithoutPlainText"]


def test_what_an_entry_leaves_out_stays_absent() -> None:
    (grant,) = read({"action": ["s3:GetObject"]})
    assert (grant.effect, grant.resource, grant.condition) == (None, None, None)


def test_a_request_with_an_empty_list_asks_for_nothing() -> None:
    assert aws.read_grants("AWSProviderSpec", {"statementEntries": []}) == ()


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ("ec2:*", "statementEntries is str"),
        (["ec2:*"], r"statementEntries\[0\] is str"),
        ([entry("a:B"), {"effect": "Allow", "action": "ec2:*"}], r"statementEntries\[1\].action is str"),
        ([entry(7)], r"statementEntries\[0\].action\[0\] is int"),
        ([entry()], r"statementEntries\[0\].action is empty"),
        ([{"effect": "Allow", "resource": "*"}], r"statementEntries\[0\].action is NoneType, not a list"),
        ([entry("")], r"statementEntries\[0\].action\[0\] is empty"),
        ([entry("a:B", resource=["*"])], r"statementEntries\[0\].resource is list"),
        ([entry("a:B", effect=True)], r"statementEntries\[0\].effect is bool"),
        ([entry("a:B", policyCondition="Bool")], r"statementEntries\[0\].policyCondition is str"),
        ([entry("a:B", policyCondition={"Bool": "x"})], r"statementEntries\[0\].policyCondition is not"),
        ([entry("a:B", policyCondition={"Bool": {"k": {"v": 1}}})], r"statementEntries\[0\].policyCondition is not"),
        ([entry("a:B", policyCondition={"Bool": {"k": [None]}})], r"statementEntries\[0\].policyCondition is not"),
        ([entry("a:B", policyCondition={"Bool": {1: "x"}})], r"statementEntries\[0\].policyCondition is not"),
    ],
)
def test_half_a_requirement_is_an_error_that_names_the_field(entries: Any, field: str) -> None:
    with pytest.raises(ValueError, match=field):
        aws.read_grants("AWSProviderSpec", {"statementEntries": entries})


def test_an_empty_condition_is_no_condition() -> None:
    assert read(entry("a:B", policyCondition={}))[0].condition is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (allow("ec2:RunInstances"), allow("EC2:runinstances")),
        (allow("k:A", condition={"Bool": {"k:x": True}}), allow("k:A", condition={"Bool": {"K:X": "true"}})),
        (allow("k:A", condition={"Bool": {"k:x": [True]}}), allow("k:A", condition={"Bool": {"k:x": "True"}})),
        (
            allow("k:A", condition={"StringEquals": {"k:x": ["a", "b"]}}),
            allow("k:A", condition={"StringEquals": {"k:x": ["b", "a"]}}),
        ),
    ],
)
def test_two_spellings_of_one_grant_are_the_same(first: Grant, second: Grant) -> None:
    assert aws.identity(first) == aws.identity(second)


@pytest.mark.parametrize(
    "other",
    [
        deny("ec2:RunInstances"),
        allow("ec2:RunInstances", "arn:aws:ec2:*:*:instance/*"),
        allow("ec2:RunInstances", condition=KMS_FOR_SERVICES),
        allow("ec2:StartInstances"),
    ],
)
def test_effect_resource_condition_and_action_make_another_grant(other: Grant) -> None:
    assert aws.identity(allow("ec2:RunInstances")) != aws.identity(other)


def test_another_condition_or_resource_is_the_same_permission() -> None:
    key = aws.permission_key(allow("kms:CreateGrant", condition=KMS_FOR_SERVICES))
    assert key == aws.permission_key(allow("KMS:CreateGrant", "arn:aws:kms:::key/1"))
    assert key != aws.permission_key(deny("kms:CreateGrant"))


@pytest.mark.parametrize(
    ("held", "needed", "by"),
    [
        ([allow("ec2:*")], allow("ec2:DescribeVolumes"), "ec2:*"),
        ([allow("*")], allow("ec2:DescribeVolumes"), "*"),
        ([allow("EC2:describe*")], allow("ec2:DescribeVolumes"), "EC2:describe*"),
        ([allow("ec2:DescribeVolume?")], allow("ec2:DescribeVolumes"), "ec2:DescribeVolume?"),
        ([allow("ec2:DescribeVolumes?")], allow("ec2:DescribeVolumes"), None),
        ([allow("ec2:[D]escribeVolumes")], allow("ec2:DescribeVolumes"), None),
        ([], allow("ec2:DescribeVolumes"), None),
        ([allow("kms:ReEncrypt*")], allow("kms:ReEncrypt*"), "kms:ReEncrypt*"),
        ([allow("kms:*")], allow("kms:ReEncrypt*"), "kms:*"),
        ([allow("kms:ReEncryptFrom")], allow("kms:ReEncrypt*"), None),
        ([allow("s3:G*"), allow("s3:P*")], allow("s3:*"), None),
        ([allow("s3:?*"), allow("s3:")], allow("s3:*"), "s3:, s3:?*"),
        ([allow("s3:*", "arn:aws:s3:::a/*")], allow("s3:GetObject", "arn:aws:s3:::a/b"), "s3:*"),
        ([allow("s3:*", "arn:aws:s3:::a/*")], allow("s3:GetObject", "arn:aws:s3:::A/b"), None),
        ([allow("s3:*", "arn:aws:s3:::a/*")], allow("s3:GetObject"), None),
        ([allow("s3:*", None)], allow("s3:GetObject"), None),
        ([allow("s3:*", None)], allow("s3:GetObject", None), "s3:*"),
        ([allow("s3:*")], allow("s3:GetObject", None), "s3:*"),
        ([allow("kms:CreateGrant")], allow("kms:CreateGrant", condition=KMS_FOR_SERVICES), "kms:CreateGrant"),
        ([allow("kms:CreateGrant", condition=KMS_FOR_SERVICES)], allow("kms:CreateGrant"), None),
        ([allow("ec2:*"), deny("ec2:RunInstances")], allow("ec2:RunInstances"), None),
        ([allow("ec2:*"), deny("ec2:Run*", "arn:aws:ec2:::x")], allow("ec2:RunInstances"), None),
        ([allow("ec2:*"), deny("iam:*")], allow("ec2:RunInstances"), "ec2:*"),
        ([allow("ec2:*"), Grant("action", "ec2:*", "deny", "*")], allow("ec2:RunInstances"), None),
        ([allow("ec2:*"), deny("ec2:*")], deny("ec2:RunInstances"), None),
        ([Grant("permission", "ec2:*")], allow("ec2:RunInstances"), None),
        ([Grant("permission", "ec2:*"), allow("ec2:*")], allow("ec2:RunInstances"), "ec2:*"),
        ([allow("s3:?*"), allow("s3:"), allow("ec2:*")], allow("s3:*"), "s3:, s3:?*"),
        # a Deny reaches as far as its resource, and one without a resource everywhere, as what needs none does
        ([allow("s3:*"), deny("s3:*", "arn:aws:s3:::b/*")], allow("s3:Get", "arn:aws:s3:::a/b"), "s3:*"),
        ([allow("s3:*"), deny("s3:*", "arn:aws:s3:::b/*")], allow("s3:Get", None), None),
        ([allow("s3:*"), deny("s3:*", None)], allow("s3:Get", "arn:aws:s3:::a/b"), None),
    ],
)
def test_covering(held: list[Grant], needed: Grant, by: str | None) -> None:
    cover = aws.covering(held, needed)
    assert (cover.by if cover else None) == by


def test_the_one_required_wildcard_is_covered_by_its_two_actions_as_of_a_date() -> None:
    held = [allow("kms:ReEncryptFrom"), allow("kms:ReEncryptTo")]
    cover = aws.covering(held, allow("kms:ReEncrypt*"))
    assert cover is not None
    assert (cover.by, cover.dated) == ("kms:ReEncryptFrom, kms:ReEncryptTo", "2026-10-27")


@pytest.mark.parametrize(
    ("held", "needed", "expected"),
    [
        ({"Bool": {"k:x": True}}, {"Bool": {"K:x": "true"}}, True),
        ({"Bool": {"k:x": True}}, {"Bool": {"k:x": False}}, False),
        ({"BoolIfExists": {"k:x": True}}, {"Bool": {"k:x": True}}, True),
        ({"Bool": {"k:x": True}}, {"BoolIfExists": {"k:x": True}}, False),
        ({"ForAllValues:StringEquals": {"k:x": "a"}}, {"StringEquals": {"k:x": "a"}}, True),
        ({"ForAnyValue:StringEquals": {"k:x": "a"}}, {"StringEquals": {"k:x": "a"}}, False),
        ({"StringEquals": {"k:x": ["a", "b"]}}, {"StringEquals": {"k:x": "a"}}, True),
        ({"StringEquals": {"k:x": "a"}}, {"StringEquals": {"k:x": ["a", "b"]}}, False),
        ({"StringNotEquals": {"k:x": ["a", "b"]}}, {"StringNotEquals": {"k:x": "a"}}, False),
        ({"StringNotEquals": {"k:x": "a"}}, {"StringNotEquals": {"k:x": "a"}}, True),
        ({"StringEquals": {"k:x": "a"}}, {"StringEquals": {"k:x": "a", "k:y": "b"}}, True),
        ({"StringEquals": {"k:x": "a", "k:y": "b"}}, {"StringEquals": {"k:x": "a"}}, False),
        ({"StringLike": {"k:x": "*"}}, {}, False),
        ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, None, False),
        ({}, None, True),
        ({"Null": {"k:x": True}}, {"Null": {"k:x": "true"}}, True),
        ("broken", None, False),
        ({"Bool": {"k:x": [1, 2.5]}}, {"Bool": {"k:x": ["1", "2.5"]}}, True),
    ],
)
def test_a_condition_admits_what_meets_a_tighter_one(held: Any, needed: Any, expected: bool) -> None:
    cover = aws.covering([allow("k:A", condition=held)], allow("k:A", condition=needed))
    assert (cover is not None) is expected

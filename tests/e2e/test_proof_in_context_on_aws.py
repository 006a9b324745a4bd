"""Proof in a cluster's context on AWS: neighbours of the shared cases, each label worked out from the published rules.

Rules: IAM user guide (policy evaluation, condition operators, global keys, policy variables), the service authorization
reference (docs/facts/aws.md#in-the-clusters-context).
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds.aws_exports import (
    ACCOUNT,
    BOUNDARY,
    ROLE,
    USER,
    allow,
    deny,
    details,
    managed,
    organisation,
    role,
    user,
)
from upgrade_gate.entitlements import judge

COVERED, MISSING, NARROWER, DENIED = "COVERED", "MISSING", "NARROWER", "DENIED"
REGION = "eu-central-1"
HERE = {"region": REGION, "partition": "aws", "account": ACCOUNT, "infrastructure_name": "c1-x7k2p"}
CLUSTER = "kubernetes.io/cluster/c1-x7k2p"
DESCRIBE, TERMINATE, RUN, VOLUME = (
    "ec2:DescribeInstances",
    "ec2:TerminateInstances",
    "ec2:RunInstances",
    "ec2:CreateVolume",
)
TAGS = [{"Key": "team", "Value": "red"}, {"Key": "Path", "Value": "a*b"}]


def on(operator: str, key: str, *values: Any, **fields: Any) -> dict[str, Any]:
    """Return an Allow of everything under one test."""
    return allow("*", Condition={operator: {key: list(values)}}, **fields)


def no(operator: str, key: str, *values: Any, actions: tuple[str, ...] = ("*",), **fields: Any) -> dict[str, Any]:
    """Return a Deny under one test."""
    return deny(*actions, Condition={operator: {key: list(values)}}, **fields)


ALL = allow("*")
AWS: list[tuple[str, str, list[dict[str, Any]], dict[str, Any], str]] = [
    # several values, negation, quantifiers, Null and IfExists on keys that nobody decides
    ("null true on an open key", DESCRIBE, [on("Null", "aws:SourceVpce", "true")], {}, NARROWER),
    ("null false in a deny on an open key", DESCRIBE, [ALL, no("Null", "aws:SourceVpce", "false")], {}, NARROWER),
    ("if-exists on an open key", DESCRIBE, [on("StringEqualsIfExists", "aws:SourceVpc", "vpc-1")], {}, NARROWER),
    (
        "bool-if-exists mfa deny",
        DESCRIBE,
        [ALL, no("BoolIfExists", "aws:MultiFactorAuthPresent", "false")],
        {},
        NARROWER,
    ),
    ("null on a decided key", DESCRIBE, [on("Null", "aws:PrincipalArn", "false")], {}, COVERED),
    ("null true on a decided key", DESCRIBE, [on("Null", "aws:PrincipalAccount", True)], {}, MISSING),
    ("null true on an absent tag", DESCRIBE, [on("Null", "aws:PrincipalTag/none", "true")], {}, COVERED),
    (
        "for-all on an absent tag",
        DESCRIBE,
        [on("ForAllValues:StringEquals", "aws:PrincipalTag/none", "x")],
        {},
        COVERED,
    ),
    ("for-any on an absent tag", DESCRIBE, [on("ForAnyValue:StringEquals", "aws:PrincipalTag/none", "x")], {}, MISSING),
    (
        "for-any negated on an absent tag",
        DESCRIBE,
        [on("ForAnyValue:StringNotEquals", "aws:PrincipalTag/none", "x")],
        {},
        MISSING,
    ),
    ("for-all on an open key", DESCRIBE, [on("ForAllValues:StringEquals", "aws:TagKeys", "a")], {}, NARROWER),
    (
        "for-any in a deny on an open key",
        DESCRIBE,
        [ALL, no("ForAnyValue:StringEquals", "aws:CalledVia", "x")],
        {},
        NARROWER,
    ),
    ("for-any on a tag", DESCRIBE, [on("ForAnyValue:StringLike", "aws:PrincipalTag/TEAM", "b*", "r?d")], {}, COVERED),
    (
        "not-equals with one of two",
        DESCRIBE,
        [on("StringNotEquals", "aws:PrincipalTag/team", "blue", "red")],
        {},
        MISSING,
    ),
    ("star is literal in equals", DESCRIBE, [on("StringEquals", "aws:RequestedRegion", "eu-*")], {}, MISSING),
    ("equals a tag with a star", DESCRIBE, [on("StringEquals", "aws:PrincipalTag/path", "a*b")], {}, COVERED),
    ("ignoring case", DESCRIBE, [on("StringEqualsIgnoreCase", "aws:PrincipalTag/team", "RED")], {}, COVERED),
    ("with case", DESCRIBE, [on("StringEquals", "aws:PrincipalTag/team", "RED")], {}, MISSING),
    (
        "a value of an open key may be absent, which voids the statement",
        DESCRIBE,
        [on("StringLike", "aws:RequestedRegion", "${aws:SourceVpc}", "eu-*")],
        {},
        NARROWER,
    ),
    (
        "true and open keys",
        DESCRIBE,
        [allow("*", Condition={"StringEquals": {"aws:RequestedRegion": REGION, "aws:SourceVpc": "v"}})],
        {},
        NARROWER,
    ),
    (
        "false and open keys",
        DESCRIBE,
        [allow("*", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1", "aws:SourceVpc": "v"}})],
        {},
        MISSING,
    ),
    ("organisation's id is open", DESCRIBE, [on("StringEquals", "aws:PrincipalOrgID", "o-1")], {}, NARROWER),
    (
        "token time is open even with now",
        DESCRIBE,
        [ALL, no("DateLessThan", "aws:TokenIssueTime", "2020-01-01T00:00:00Z")],
        {"now": "2026-11-30T00:00:00Z"},
        NARROWER,
    ),
    (
        "epoch with now",
        DESCRIBE,
        [on("NumericGreaterThan", "aws:EpochTime", "1700000000")],
        {"now": "2026-11-30T00:00:00Z"},
        COVERED,
    ),
    (
        "date over",
        DESCRIBE,
        [on("DateLessThan", "aws:CurrentTime", "2026-01-01T00:00:00Z")],
        {"now": "2026-11-30T00:00:00Z"},
        MISSING,
    ),
    (
        "date by seconds",
        DESCRIBE,
        [on("DateGreaterThan", "aws:CurrentTime", "1700000000")],
        {"now": "2026-11-30T00:00:00Z"},
        COVERED,
    ),
    # variables
    (
        "variable of the account in an ARN operator",
        DESCRIBE,
        [on("ArnLike", "aws:PrincipalArn", "arn:aws:iam::${aws:PrincipalAccount}:role/c1-*")],
        {},
        COVERED,
    ),
    (
        "variable of a tag that is absent in a deny",
        DESCRIBE,
        [ALL, no("StringNotEquals", "aws:PrincipalTag/team", "${aws:PrincipalTag/none}")],
        {},
        COVERED,
    ),
    (
        "default of an absent tag",
        DESCRIBE,
        [on("StringEquals", "aws:PrincipalTag/team", "${aws:PrincipalTag/none, 'red'}")],
        {},
        COVERED,
    ),
    ("literal star variable", DESCRIBE, [on("StringLike", "aws:PrincipalTag/path", "a${*}b")], {}, COVERED),
    (
        "literal star variable does not match more",
        DESCRIBE,
        [on("StringLike", "aws:PrincipalTag/team", "r${*}d")],
        {},
        MISSING,
    ),
    (
        "variable in the account field of a resource",
        TERMINATE,
        [allow("ec2:*", Resource="arn:aws:ec2:*:${aws:PrincipalAccount}:instance/*")],
        {},
        MISSING,
    ),
    (
        "variable of an open key in a resource",
        TERMINATE,
        [allow("ec2:*", Resource="arn:aws:ec2:*:*:instance/${aws:userid}*")],
        {},
        NARROWER,
    ),
    # what is not: NotAction, NotResource
    ("not-action beside", DESCRIBE, [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], {}, COVERED),
    (
        "not-action that excepts it",
        DESCRIBE,
        [{"Effect": "Allow", "NotAction": "EC2:describe*", "Resource": "*"}],
        {},
        MISSING,
    ),
    (
        "deny of not-action that spares it",
        DESCRIBE,
        [ALL, {"Effect": "Deny", "NotAction": ["ec2:*", "iam:*"], "Resource": "*"}],
        {},
        COVERED,
    ),
    (
        "deny of not-action",
        "sts:GetCallerIdentity",
        [ALL, {"Effect": "Deny", "NotAction": "ec2:*", "Resource": "*"}],
        {},
        DENIED,
    ),
    (
        "not-resource elsewhere",
        TERMINATE,
        [allow("ec2:*", NotResource="arn:aws:ec2:us-east-1:*:instance/*")],
        {},
        COVERED,
    ),
    ("not-resource here", TERMINATE, [allow("ec2:*", NotResource=f"arn:aws:ec2:{REGION}:*:*")], {}, MISSING),
    ("deny of not-resource", TERMINATE, [ALL, deny("ec2:*", NotResource="arn:aws:ec2:*:*:instance/*")], {}, COVERED),
    (
        "deny of not-resource that is another type",
        TERMINATE,
        [ALL, deny("ec2:*", NotResource="arn:aws:ec2:*:*:volume/*")],
        {},
        DENIED,
    ),
    # resources
    (
        "regional template, another region",
        TERMINATE,
        [allow("ec2:*", Resource="arn:aws:ec2:us-east-1:*:*")],
        {},
        MISSING,
    ),
    (
        "regional template, wild region",
        TERMINATE,
        [allow("ec2:*", Resource="arn:aws:ec2:eu-*:*:instance/*")],
        {},
        COVERED,
    ),
    (
        "own account does not hold images",
        RUN,
        [allow("ec2:*", Resource=f"arn:aws:ec2:{REGION}:{ACCOUNT}:*")],
        {},
        NARROWER,
    ),
    ("every account holds images", RUN, [allow("ec2:*", Resource="arn:aws:ec2:*")], {}, COVERED),
    (
        "describe by ARN is nothing",
        DESCRIBE,
        [allow("ec2:*", Resource=f"arn:aws:ec2:{REGION}:{ACCOUNT}:*")],
        {},
        MISSING,
    ),
    (
        "deny on a part",
        TERMINATE,
        [ALL, deny("ec2:*", Resource=f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/i-1")],
        {},
        NARROWER,
    ),
    ("deny of another partition", TERMINATE, [ALL, deny("ec2:*", Resource="arn:aws-cn:ec2:*:*:*")], {}, COVERED),
    (
        "role under a path",
        "iam:PassRole",
        [allow("iam:PassRole", Resource=f"arn:aws:iam::{ACCOUNT}:role/c1/*")],
        {},
        NARROWER,
    ),
    (
        "every role of the account",
        "iam:PassRole",
        [allow("iam:PassRole", Resource=f"arn:aws:iam::{ACCOUNT}:role/*")],
        {},
        COVERED,
    ),
    (
        "passed to ec2 is open",
        "iam:PassRole",
        [on("StringEquals", "iam:PassedToService", "ec2.amazonaws.com")],
        {},
        NARROWER,
    ),
    (
        "zone of route53",
        "route53:ChangeResourceRecordSets",
        [allow("route53:*", Resource="arn:aws:route53:::hostedzone/*")],
        {},
        COVERED,
    ),
    ("iam in the own region", "iam:GetUser", [on("StringEquals", "aws:RequestedRegion", REGION)], {}, MISSING),
    (
        "iam in China is open",
        "iam:GetUser",
        [on("StringEquals", "aws:RequestedRegion", "cn-north-1")],
        {"region": "cn-north-1", "partition": "aws-cn"},
        NARROWER,
    ),
    # the role of a private zone
    (
        "zone role named",
        "sts:AssumeRole",
        [allow("sts:AssumeRole", Resource="arn:aws:iam::999988887777:role/zone")],
        {"private_zone_role": "arn:aws:iam::999988887777:role/zone"},
        COVERED,
    ),
    (
        "zone role by pattern",
        "sts:AssumeRole",
        [allow("sts:*", Resource="arn:aws:iam::*:role/z*")],
        {"private_zone_role": "arn:aws:iam::999988887777:role/zone"},
        COVERED,
    ),
    (
        "another zone role",
        "sts:AssumeRole",
        [allow("sts:*", Resource="arn:aws:iam::999988887777:role/zones")],
        {"private_zone_role": "arn:aws:iam::999988887777:role/zone"},
        MISSING,
    ),
    (
        "zone role not known",
        "sts:AssumeRole",
        [allow("sts:*", Resource="arn:aws:iam::999988887777:role/zone")],
        {},
        NARROWER,
    ),
    (
        "zone role denied",
        "sts:AssumeRole",
        [ALL, deny("sts:*", Resource="arn:aws:iam::999988887777:role/*")],
        {"private_zone_role": "arn:aws:iam::999988887777:role/zone"},
        DENIED,
    ),
    (
        "zone role, one region of two",
        "sts:AssumeRole",
        [on("StringEquals", "aws:RequestedRegion", REGION)],
        {"private_zone_role": "arn:aws:iam::999988887777:role/zone"},
        NARROWER,
    ),
    (
        "zone role, both regions",
        "sts:AssumeRole",
        [on("StringEquals", "aws:RequestedRegion", REGION, "us-east-1")],
        {"private_zone_role": "arn:aws:iam::999988887777:role/zone"},
        COVERED,
    ),
    # tags
    (
        "tag without the assumption",
        TERMINATE,
        [on("StringEquals", f"aws:ResourceTag/{CLUSTER}", "owned")],
        {},
        NARROWER,
    ),
]


@pytest.mark.parametrize(("action", "statements", "more", "verdict"), [c[1:] for c in AWS], ids=[c[0] for c in AWS])
def test_on_aws(action: str, statements: list[dict[str, Any]], more: dict[str, Any], verdict: str) -> None:
    export = details(role(*statements, Tags=TAGS))
    grant = {"permission": action, "effect": "Allow", "resource": "*"}
    found = judge("AWS", [export], ROLE, grant, account=ACCOUNT, context={**HERE, **more})
    assert found.verdict == verdict, found.reason
    without: tuple[dict[str, Any] | None, ...] = (None, {})
    plain = [judge("AWS", [export], ROLE, grant, account=ACCOUNT, context=context) for context in without]
    assert plain[0] == plain[1]
    assert plain[0].verdict != COVERED or verdict == COVERED


TAG = f"aws:ResourceTag/{CLUSTER}"
TAGGED: list[tuple[str, str, list[dict[str, Any]], str]] = [
    ("owned instance", TERMINATE, [on("StringEquals", TAG, "owned")], COVERED),
    ("shared instance", TERMINATE, [on("StringEquals", TAG, "shared")], MISSING),
    ("ec2's own key", TERMINATE, [on("StringLike", f"ec2:ResourceTag/{CLUSTER}", "*")], COVERED),
    (
        "another cluster's",
        TERMINATE,
        [on("StringEquals", "aws:ResourceTag/kubernetes.io/cluster/c2", "owned")],
        NARROWER,
    ),
    ("deny what is not tagged", TERMINATE, [ALL, no("StringNotEquals", TAG, "owned")], COVERED),
    ("deny what lacks the tag", TERMINATE, [ALL, no("Null", TAG, "true")], COVERED),
    (
        "deny what is not tagged, with images",
        RUN,
        [ALL, no("StringNotEquals", f"aws:RequestTag/{CLUSTER}", "owned")],
        NARROWER,
    ),
    ("describe has no tags", DESCRIBE, [on("StringEquals", TAG, "owned")], MISSING),
    ("vendor's tag", TERMINATE, [on("StringEquals", "aws:ResourceTag/red-hat-managed", "true")], COVERED),
    ("other tag", TERMINATE, [on("StringEquals", "aws:ResourceTag/env", "prod")], NARROWER),
    (
        "tag and region",
        TERMINATE,
        [allow("*", Condition={"StringEquals": {TAG: "owned", "aws:RequestedRegion": "us-east-1"}})],
        MISSING,
    ),
]


@pytest.mark.parametrize(("action", "statements", "verdict"), [c[1:] for c in TAGGED], ids=[c[0] for c in TAGGED])
def test_under_the_assumption_of_tags(action: str, statements: list[dict[str, Any]], verdict: str) -> None:
    export = details(role(*statements, Tags=[]))
    grant = {"permission": action, "effect": "Allow", "resource": "*"}
    found = judge("AWS", [export], ROLE, grant, account=ACCOUNT, context=HERE, assume=("cluster-tag",))
    assert found.verdict == verdict, found.reason
    unnamed = {k: v for k, v in HERE.items() if k != "infrastructure_name"}
    if verdict == COVERED and "not" not in str(statements).casefold():
        assert judge("AWS", [export], ROLE, grant, context=unnamed, assume=("cluster-tag",)).verdict == NARROWER


EC2 = allow("ec2:*")
LIMITS: list[tuple[str, list[Any], list[Any], list[list[Any]], str]] = [
    ("boundary by tag of the role", [ALL], [on("StringEquals", "aws:PrincipalTag/team", "red")], [], COVERED),
    ("boundary by another tag of the role", [ALL], [on("StringEquals", "aws:PrincipalTag/team", "blue")], [], MISSING),
    ("boundary under an open key", [ALL], [on("StringEquals", "aws:SourceVpc", "v")], [], NARROWER),
    ("boundary denies another region", [ALL], [ALL, no("StringNotEquals", "aws:RequestedRegion", REGION)], [], COVERED),
    ("boundary denies this region", [ALL], [ALL, no("StringEquals", "aws:RequestedRegion", REGION)], [], DENIED),
    ("nothing but denies above", [ALL], [], [[no("StringNotEquals", "aws:RequestedRegion", REGION)]], COVERED),
    ("denied above by region", [ALL], [], [[no("StringEquals", "aws:RequestedRegion", REGION)]], DENIED),
    (
        "denied above but for roles",
        [ALL],
        [],
        [[no("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/c1-*")]],
        COVERED,
    ),
    ("denied above under an open key", [ALL], [], [[no("StringNotEquals", "aws:SourceVpc", "v")]], NARROWER),
    ("two levels, one allows less", [ALL], [], [[ALL], [allow("s3:*")]], MISSING),
    ("two levels both allow", [ALL], [], [[EC2], [ALL, deny("s3:*")]], COVERED),
    ("identity lacks it, all above allow", [allow("s3:*")], [ALL], [[ALL]], MISSING),
]


@pytest.mark.parametrize(("own", "limit", "above", "verdict"), [c[1:] for c in LIMITS], ids=[c[0] for c in LIMITS])
def test_boundaries_and_policies_above(own: list[Any], limit: list[Any], above: list[list[Any]], verdict: str) -> None:
    bounded: dict[str, Any] = {"PermissionsBoundary": {"PermissionsBoundaryArn": BOUNDARY}} if limit else {}
    export = details(role(*own, Tags=TAGS, **bounded), Policies=[managed(BOUNDARY, *limit)] if limit else [])
    policies = [organisation(*statements, name=str(number)) for number, statements in enumerate(above)]
    grant = {"permission": DESCRIBE, "effect": "Allow", "resource": "*"}
    assert judge("AWS", [export, *policies], ROLE, grant, account=ACCOUNT, context=HERE).verdict == verdict


def test_a_user_is_decided_as_a_user() -> None:
    grant = {"permission": DESCRIBE, "effect": "Allow", "resource": "*"}
    for statement, verdict in (
        (on("StringEquals", "aws:PrincipalType", "User"), COVERED),
        (on("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::*:user/c1-*"), COVERED),
        (on("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::*:role/*"), MISSING),
    ):
        found = judge("AWS", [details(user(statement, Tags=[]))], USER, grant, account=ACCOUNT, context=HERE)
        assert found.verdict == verdict

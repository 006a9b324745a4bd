"""AWS coverage: one required action against one export, each verdict for its reason.

See docs/facts/aws.md#coverage and docs/facts/aws.md#exports.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds.aws_exports import (
    ACCOUNT,
    BOUNDARY,
    MANAGED,
    ROLE,
    USER,
    allow,
    attached,
    boundary,
    bounded,
    deny,
    details,
    document,
    encoded,
    group,
    inline,
    managed,
    organisation,
    role,
    statement,
    trust,
    user,
)
from upgrade_gate.clouds.aws import holdings
from upgrade_gate.clouds.aws.account import account_of
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, Document
from upgrade_gate.entitlements import judge

COVERED, MISSING, NARROWER, DENIED, UNKNOWN = "COVERED", "MISSING", "NARROWER", "DENIED", "UNKNOWN"
DESCRIBE = "ec2:DescribeVolumes"
ATTACH = "ec2:AttachVolume"
VOLUMES = "arn:aws:ec2:*:*:volume/*"
FOR_SERVICES = {"Bool": {"kms:GrantIsForAWSResource": True}}
EVERYTHING = allow("*")


def ask(
    exports: list[Any], needed: str = ATTACH, identity: str = ROLE, account: str | None = None, **fields: Any
) -> CoverageResult:
    grant = {"type": "action", "permission": needed, "effect": "Allow", "resource": "*", **fields}
    return judge("AWS", exports, identity, grant, account=account)


@dataclass(frozen=True)
class Case:
    """Statements of one role, what is required, the verdict, and what its reason names."""

    name: str
    statements: tuple[Any, ...]
    verdict: str
    reason: str
    needed: str = ATTACH
    resource: str | None = "*"
    condition: Any = None


def case(name: str, *statements: Any, gives: str, because: str = "", **fields: Any) -> Case:
    return Case(name, statements, gives, because, **fields)


STATEMENTS = [
    # actions
    case("exact", allow(ATTACH), gives=COVERED, because="statement 1 of policy p of role c1-ebs"),
    case("nothing", gives=MISSING, because="no statement allows ec2:AttachVolume"),
    case("another action", allow(DESCRIBE), gives=MISSING),
    case("case of prefix and name", allow("EC2:attachvolume"), gives=COVERED),
    case("star", allow("ec2:Attach*"), gives=COVERED),
    case("star in the middle", allow("ec2:*Volume"), gives=COVERED),
    case("star alone", EVERYTHING, gives=COVERED),
    case("star of another service", allow("s3:*"), gives=MISSING),
    case("question mark", allow("ec2:AttachVolum?"), gives=COVERED),
    case("question mark is exactly one", allow("ec2:AttachVolume?"), gives=MISSING),
    case("brackets are characters", allow("ec2:[A]ttachVolume"), gives=MISSING),
    case(
        "brackets in an ARN are characters",
        allow("s3:GetObject", Resource="arn:aws:s3:::[ab]/x"),
        gives=MISSING,
        needed="s3:GetObject",
        resource="arn:aws:s3:::a/x",
    ),
    case("blank is a character", allow("ec2:AttachVolume "), gives=MISSING),
    case("one action as text", statement(Action=ATTACH), gives=COVERED),
    case("the last of many", allow("s3:*", "iam:*", ATTACH), gives=COVERED),
    case("a second statement", allow("s3:*"), allow(ATTACH, Sid="Disks"), gives=COVERED, because="statement Disks of"),
    case("NotAction", statement(NotAction="iam:*"), gives=COVERED),
    case("NotAction that excepts it", statement(NotAction=["iam:*", "EC2:*"]), gives=MISSING),
    case("effect in lower case allows nothing", statement("allow", Action=ATTACH), gives=MISSING),
    # the one required wildcard
    case(
        "wildcard by itself",
        allow("kms:ReEncrypt*"),
        gives=COVERED,
        because="policy p of role c1-ebs allows it",
        needed="kms:ReEncrypt*",
    ),
    case("wildcard by a wider one", allow("kms:*"), gives=COVERED, needed="kms:ReEncrypt*"),
    case(
        "wildcard by its two actions",
        allow("kms:ReEncryptFrom"),
        allow("kms:ReEncryptTo"),
        gives=COVERED,
        because="as of 2026-10-27",
        needed="kms:ReEncrypt*",
    ),
    case(
        "wildcard by one of two",
        allow("kms:ReEncryptFrom"),
        gives=MISSING,
        because="kms:ReEncryptTo",
        needed="kms:ReEncrypt*",
    ),
    case("wildcard with one denied", allow("kms:*"), deny("kms:ReEncryptTo"), gives=DENIED, needed="kms:ReEncrypt*"),
    case(
        "wildcard with something denied that it does not stand for",
        allow("kms:*"),
        deny("kms:ReEncryptNothing"),
        gives=COVERED,
        because="as of 2026-10-27",
        needed="kms:ReEncrypt*",
    ),
    case("wildcard denied as a whole", allow("kms:*"), deny("kms:ReEnc*"), gives=DENIED, needed="kms:ReEncrypt*"),
    case(
        "wildcard with one narrower",
        allow("kms:ReEncryptFrom"),
        allow("kms:ReEncryptTo", Resource="arn:aws:kms:*:*:key/1"),
        gives=NARROWER,
        needed="kms:ReEncrypt*",
    ),
    case(
        "another wildcard by a list",
        allow("ec2:AttachVolume", "ec2:AttachClassicLinkVpc"),
        gives=NARROWER,
        because="in part",
        needed="ec2:Attach*",
    ),
    case(
        "another wildcard by a union",
        allow("ec2:Attach"),
        allow("ec2:Attach?*"),
        gives=COVERED,
        because="together",
        needed="ec2:Attach*",
    ),
    case(
        "another wildcard by a union, of which a part is narrower",
        allow("ec2:Attach", Resource=VOLUMES),
        allow("ec2:Attach?*"),
        gives=NARROWER,
        needed="ec2:Attach*",
    ),
    # resources
    case("resource as list", allow(ATTACH, Resource=["arn:aws:ec2:::x", "*"]), gives=COVERED),
    case("two stars", allow(ATTACH, Resource="**"), gives=COVERED),
    case("some resources", allow(ATTACH, Resource=VOLUMES), gives=NARROWER, because=f"only for {VOLUMES}"),
    case("every ARN is not everything", allow(ATTACH, Resource="arn:*"), gives=NARROWER),
    case(
        "NotResource",
        allow(ATTACH, NotResource="arn:aws:ec2:::volume/1"),
        gives=NARROWER,
        because="everything except arn:aws:ec2:::volume/1",
    ),
    case("policy variable", allow(ATTACH, Resource="arn:aws:ec2:::volume/${aws:username}"), gives=NARROWER),
    case("policy variable beside a star", allow(ATTACH, Resource=["${aws:x}", "*"]), gives=COVERED),
    case(
        "named resource held",
        allow("s3:*", Resource="arn:aws:s3:::b/*"),
        gives=COVERED,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "named resource, other case",
        allow("s3:*", Resource="arn:aws:s3:::b/x"),
        gives=MISSING,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/X",
    ),
    case(
        "named resource, only in part",
        allow("s3:*", Resource="arn:aws:s3:::b/x"),
        gives=NARROWER,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/*",
    ),
    case(
        "named resource by a union",
        allow("s3:*", Resource=["arn:aws:s3:::b/"]),
        allow("s3:*", Resource="arn:aws:s3:::b/?*"),
        gives=COVERED,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/*",
    ),
    case(
        "a star crosses colons",
        allow("s3:*", Resource="arn:*"),
        gives=COVERED,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case("an absent resource asks for all", allow(ATTACH, Resource=VOLUMES), gives=NARROWER, resource=None),
    case(
        "describe on an ARN",
        allow(DESCRIBE, Resource=VOLUMES),
        gives=MISSING,
        because="takes no resource but `*`",
        needed=DESCRIBE,
    ),
    case(
        "all except another resource",
        statement(Action="s3:*", NotResource="arn:aws:s3:::c/*"),
        gives=COVERED,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "all except it",
        statement(Action="s3:*", NotResource="arn:aws:s3:::b/*"),
        gives=MISSING,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "all except what a variable names",
        statement(Action="s3:*", NotResource="arn:aws:s3:::${aws:PrincipalTag/b}/*"),
        gives=NARROWER,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "a resource that is no ARN is not completed",
        allow("s3:*", Resource="a"),
        gives=MISSING,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "a part in a second statement",
        allow("s3:*", Resource="arn:aws:s3:::c/*"),
        allow("s3:*", Resource="arn:aws:s3:::b/x"),
        gives=NARROWER,
        because="statement 2",
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/*",
    ),
    case(
        "describe on an ARN, and under a condition",
        allow(DESCRIBE, Resource=VOLUMES),
        allow(DESCRIBE, Condition=FOR_SERVICES),
        gives=NARROWER,
        because="statement 2",
        needed=DESCRIBE,
    ),
    case("describe on everything", allow(DESCRIBE), gives=COVERED, needed=DESCRIBE),
    case(
        "list that names a resource",
        allow("s3:ListBucket", Resource="arn:aws:s3:::b"),
        gives=NARROWER,
        needed="s3:ListBucket",
    ),
    case(
        "list that names none",
        allow("s3:ListAllMyBuckets", Resource="arn:aws:s3:::b"),
        gives=MISSING,
        needed="s3:ListAllMyBuckets",
    ),
    case(
        "describe with NotResource",
        allow(DESCRIBE, NotResource="arn:aws:ec2:::volume/1"),
        gives=NARROWER,
        needed=DESCRIBE,
    ),
    case("an action that no catalogue knows", allow("s3:HeadBucket"), gives=COVERED, needed="s3:HeadBucket"),
    case(
        "a variable far from the named resource",
        allow("s3:*", Resource="arn:aws:s3:::c/${aws:username}"),
        gives=MISSING,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "a variable that may be the named resource",
        allow("s3:*", Resource="arn:aws:s3:::${aws:PrincipalTag/b, 'a'}/x"),
        gives=NARROWER,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    # conditions
    case(
        "condition not asked for",
        allow(ATTACH, Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
        gives=NARROWER,
        because="aws:RequestedRegion",
    ),
    case(
        "a condition that admits any tag",
        allow(ATTACH, Condition={"StringLike": {"aws:ResourceTag/o": "*"}}),
        gives=NARROWER,
    ),
    case("empty condition", allow(ATTACH, Condition={}), gives=COVERED),
    case(
        "no condition held, one asked",
        allow("kms:CreateGrant"),
        gives=COVERED,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case(
        "same condition as text",
        allow("kms:CreateGrant", Condition={"Bool": {"KMS:grantisforawsresource": "true"}}),
        gives=COVERED,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case(
        "same condition as a list",
        allow("kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": ["true"]}}),
        gives=COVERED,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case(
        "condition where none is asked",
        allow("kms:CreateGrant", Condition=FOR_SERVICES),
        gives=NARROWER,
        needed="kms:CreateGrant",
    ),
    case(
        "looser condition",
        allow("kms:CreateGrant", Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": True}}),
        gives=COVERED,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case(
        "further condition",
        allow("kms:CreateGrant", Condition={**FOR_SERVICES, "StringEquals": {"a:b": "c"}}),
        gives=NARROWER,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case(
        "opposite condition",
        allow("kms:CreateGrant", Condition={"Bool": {"kms:GrantIsForAWSResource": False}}),
        gives=NARROWER,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case("condition of an unknown form", allow(ATTACH, Condition=["x"]), gives=NARROWER),
    case(
        "a conditional beside an unconditional one",
        allow(ATTACH, Condition=FOR_SERVICES),
        allow("ec2:*"),
        gives=COVERED,
        because="statement 2",
    ),
    # Deny
    case("denied", EVERYTHING, deny(ATTACH, Sid="No"), gives=DENIED, because="statement No of policy p"),
    case("denied before it is allowed", deny("ec2:*"), EVERYTHING, gives=DENIED),
    case("denied and never allowed", deny(ATTACH), gives=DENIED),
    case("denied by NotAction", EVERYTHING, statement("Deny", NotAction=["s3:*"]), gives=DENIED),
    case("excepted from a denial by NotAction", EVERYTHING, statement("Deny", NotAction=["ec2:*"]), gives=COVERED),
    case("another action denied", EVERYTHING, deny("ec2:DetachVolume"), gives=COVERED),
    case(
        "denied for some resources",
        EVERYTHING,
        deny(ATTACH, Resource=VOLUMES),
        gives=NARROWER,
        because="for some resources",
    ),
    case(
        "denied under a condition",
        EVERYTHING,
        deny(ATTACH, Condition={"Bool": {"aws:SecureTransport": "false"}}),
        gives=NARROWER,
        because="aws:SecureTransport",
    ),
    case(
        "denied except some resources", EVERYTHING, statement("Deny", Action="*", NotResource=VOLUMES), gives=NARROWER
    ),
    case(
        "denied for a variable resource beside a star", EVERYTHING, deny(ATTACH, Resource=["${a:b}", "*"]), gives=DENIED
    ),
    case(
        "denied except another resource",
        EVERYTHING,
        statement("Deny", Action="s3:*", NotResource="arn:aws:s3:::c/*"),
        gives=DENIED,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "denied except it",
        EVERYTHING,
        statement("Deny", Action="s3:*", NotResource="arn:aws:s3:::b/*"),
        gives=COVERED,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "denied except what a variable names",
        EVERYTHING,
        statement("Deny", Action="s3:*", NotResource="arn:aws:s3:::${aws:PrincipalTag/b}/*"),
        gives=NARROWER,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "denied elsewhere and here",
        EVERYTHING,
        deny("s3:*", Resource="arn:aws:s3:::c/*"),
        deny("s3:*"),
        gives=DENIED,
        because="statement 3",
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "denied where the condition asked for is not met, and everywhere",
        EVERYTHING,
        deny("kms:*", Condition={"Bool": {"kms:GrantIsForAWSResource": "false"}}),
        deny("kms:*"),
        gives=DENIED,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case(
        "perhaps denied twice",
        EVERYTHING,
        deny(ATTACH, Resource=VOLUMES),
        deny(ATTACH, Condition=FOR_SERVICES),
        gives=NARROWER,
        because="statement 2",
    ),
    case("all except a variable", statement(Action=ATTACH, NotResource="${aws:x}"), gives=NARROWER, because="except $"),
    case("denied except a variable", EVERYTHING, statement("Deny", Action="*", NotResource="${a:b}"), gives=NARROWER),
    case("describe on a variable", allow(DESCRIBE, Resource="${aws:x}"), gives=MISSING, needed=DESCRIBE),
    case("denied for a variable resource", EVERYTHING, deny(ATTACH, Resource="${aws:x}"), gives=NARROWER),
    case(
        "denied for a variable far from the named resource",
        EVERYTHING,
        deny("s3:*", Resource="arn:aws:s3:::c/${aws:username}"),
        gives=COVERED,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "denied for a variable that may be the named resource",
        EVERYTHING,
        deny("s3:*", Resource="arn:aws:s3:::b/${aws:username}"),
        gives=NARROWER,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "denied for an ARN that is not written out",
        EVERYTHING,
        deny("s3:*", Resource="arn:aws:s3"),
        gives=NARROWER,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case("perhaps denied and never allowed", deny(ATTACH, Resource=VOLUMES), gives=MISSING),
    case(
        "denied elsewhere",
        EVERYTHING,
        deny("s3:*", Resource="arn:aws:s3:::other/*"),
        gives=COVERED,
        needed="s3:GetObject",
        resource="arn:aws:s3:::b/x",
    ),
    case(
        "denied under the very condition asked for",
        EVERYTHING,
        deny("kms:CreateGrant", Condition=FOR_SERVICES),
        gives=DENIED,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case(
        "denied only where the condition asked for is not met",
        allow("kms:CreateGrant"),
        deny("kms:*", Condition={"Bool": {"kms:grantisforawsresource": "false"}}),
        gives=COVERED,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case(
        "denied only where the condition asked for is not met, or is absent",
        allow("kms:CreateGrant"),
        deny("kms:*", Condition={"BoolIfExists": {"kms:GrantIsForAWSResource": False}, "StringEquals": {"a:b": "c"}}),
        gives=COVERED,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case(
        "denied where another condition is not met",
        allow("kms:CreateGrant"),
        deny("kms:*", Condition={"Bool": {"aws:SecureTransport": "false"}}),
        gives=NARROWER,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    case(
        "denied for a value that is neither",
        allow("kms:CreateGrant"),
        deny("kms:*", Condition={"Bool": {"kms:GrantIsForAWSResource": "${a:b}"}}),
        gives=NARROWER,
        needed="kms:CreateGrant",
        condition=FOR_SERVICES,
    ),
    # what is not understood
    case(
        "an effect that nobody knows", allow(ATTACH), statement("deny", Action=ATTACH), gives=UNKNOWN, because="'deny'"
    ),
    case("no action", allow(ATTACH), statement(Sid="Bad"), gives=UNKNOWN, because="statement Bad"),
    case("both Action and NotAction", statement(Action="*", NotAction="iam:*"), gives=UNKNOWN),
    case("no resource", statement(Action=ATTACH, Resource=None), gives=UNKNOWN, because="NotResource"),
    case("an action that is not text", statement(Action=[1]), gives=UNKNOWN),
    case("a letter that folds to another", allow("\u212ams:*"), gives=UNKNOWN, because="Action", needed="kms:Decrypt"),
    case("a Deny of such a letter", EVERYTHING, deny("\u017f3:*"), gives=UNKNOWN, because="Action"),
    case("a resource in letters of any kind", allow("*", Resource=["*", "arn:aws:s3:::\u017f"]), gives=COVERED),
    case("an action of null", allow(ATTACH), {**allow(ATTACH), "Action": None}, gives=UNKNOWN, because="NotAction"),
    case("a Deny behind what is not an object", EVERYTHING, "Allow", deny(ATTACH), gives=DENIED),
    case("a statement that is not an object", allow(ATTACH), "Allow", gives=UNKNOWN, because="is not an object"),
    case("an empty list of exceptions", statement(NotAction=[]), gives=UNKNOWN, because="NotAction"),
    case("an empty list of excepted resources", allow(ATTACH, NotResource=[]), gives=UNKNOWN, because="NotResource"),
    case("an empty list of actions", statement(Action=[]), gives=MISSING),
    case("a Deny of no action", EVERYTHING, statement("Deny", Action=[]), gives=UNKNOWN, because="Action"),
    case("a Deny of an empty action", EVERYTHING, statement("Deny", Action=""), gives=UNKNOWN, because="Action"),
    case("a Deny of no resource", EVERYTHING, deny(ATTACH, Resource=[]), gives=UNKNOWN, because="Resource"),
    case("a Deny with a blank behind it", EVERYTHING, deny(f"{ATTACH} "), gives=DENIED),
    case("an exception with a blank behind it", statement(NotAction=f"{ATTACH} "), gives=MISSING),
    case(
        "a Condition without content",
        {**allow(ATTACH), "Condition": None},
        gives=UNKNOWN,
        because="Condition without content",
    ),
    case("a Condition of no operator", allow(ATTACH, Condition={}), gives=COVERED),
    case("an operator without keys", allow(ATTACH, Condition={"StringEquals": {}}), gives=NARROWER),
    case("a key without values", allow(ATTACH, Condition={"StringEquals": {"aws:a": []}}), gives=NARROWER),
    case("a Deny that is understood decides", deny(ATTACH), "Allow", gives=DENIED),
    case("a misspelt condition", allow(ATTACH, Conditions=FOR_SERVICES), gives=UNKNOWN, because="Conditions"),
    case("elements are spelt with case", allow(ATTACH, condition=FOR_SERVICES), gives=UNKNOWN, because="condition"),
    case("a policy of a resource", allow(ATTACH, Principal="*"), gives=UNKNOWN, because="Principal"),
    case("an element that nobody knows on a Deny", EVERYTHING, deny("s3:*", Except="x"), gives=UNKNOWN),
]


UNDER_A_VARIABLE = {"StringEquals": {"aws:PrincipalArn": "${aws:PrincipalArn}"}}


@pytest.mark.parametrize(
    ("around", "verdict", "reason"),
    [
        ({"Version": "2012-10-17"}, NARROWER, "denies it"),
        ({"Version": "2012-10-17", "Id": "x"}, NARROWER, "denies it"),
        ({"Version": "2008-10-17"}, NARROWER, "denies it"),
        ({}, NARROWER, "denies it"),
        ({"Version": "2012-10-18"}, UNKNOWN, "the document of policy p of role c1-ebs has the version '2012-10-18'"),
        ({"Version": " 2012-10-17"}, UNKNOWN, "has the version"),
        ({"Version": 20121017}, UNKNOWN, "has the version"),
        ({"Version": None}, UNKNOWN, "has the version"),
        ({"version": "2012-10-17"}, UNKNOWN, "an element that is not understood: version"),
        ({"Version": "2012-10-17", "statement": [deny("*")]}, UNKNOWN, "not understood: statement"),
    ],
)
def test_what_stands_around_the_statements_is_understood_or_proves_nothing(
    around: dict[str, Any], verdict: str, reason: str
) -> None:
    """The version says what `${aws:PrincipalArn}` is; IAM takes two, and no other elements."""
    body = {**around, "Statement": [EVERYTHING, deny(ATTACH, Condition=UNDER_A_VARIABLE)]}
    judgement = ask([details(role(RolePolicyList=[{"PolicyName": "p", "PolicyDocument": body}]))])
    assert judgement.verdict == verdict
    assert reason in judgement.reason


@pytest.mark.parametrize("given", STATEMENTS, ids=lambda c: c.name)
def test_statements_of_one_role(given: Case) -> None:
    judgement = ask(
        [details(role(*given.statements))], given.needed, resource=given.resource, condition=given.condition
    )
    assert judgement.verdict == given.verdict, judgement.reason
    assert given.reason in judgement.reason


def limited(*statements: Any, limits: Any = (), **fields: Any) -> dict[str, Any]:
    return details(role(*statements, PermissionsBoundary=boundary(), **fields), bounded(*limits))


FAR = f"arn:aws:iam::{ACCOUNT}:role/team/c1-ebs"
AWS_MANAGED = "arn:aws:iam::aws:policy/PowerUserAccess"
V2_DEFAULT = managed(
    MANAGED,
    DefaultVersionId="v2",
    PolicyVersionList=[
        {"VersionId": "v3", "IsDefaultVersion": False, "Document": document(EVERYTHING)},
        {"VersionId": "v2", "IsDefaultVersion": True, "Document": document(allow(DESCRIBE))},
    ],
)
WITH_MANAGED = role(AttachedManagedPolicies=attached(MANAGED))

EXPORTS: list[tuple[str, list[Any], str, str]] = [
    ("attached policy", [details(WITH_MANAGED, managed(MANAGED, allow(ATTACH)))], COVERED, "policy managed"),
    (
        "attached policy in a file of its own",
        [details(WITH_MANAGED), details(managed(MANAGED, allow(ATTACH)))],
        COVERED,
        "",
    ),
    (
        "AWS's own policy",
        [details(role(AttachedManagedPolicies=attached(AWS_MANAGED)), managed(AWS_MANAGED, EVERYTHING))],
        COVERED,
        "PowerUserAccess",
    ),
    ("default version, not the newest", [details(WITH_MANAGED, V2_DEFAULT)], MISSING, ""),
    (
        "default version not in the export",
        [
            details(
                WITH_MANAGED,
                {
                    **managed(MANAGED, DefaultVersionId="v9"),
                    "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": False, "Document": document()}],
                },
            )
        ],
        UNKNOWN,
        "the default version of policy managed attached to",
    ),
    (
        "default version and flag disagree",
        [details(WITH_MANAGED, {**V2_DEFAULT, "DefaultVersionId": "v3"})],
        UNKNOWN,
        "disagree about policy managed",
    ),
    (
        "two versions are called the default",
        [
            details(
                WITH_MANAGED,
                managed(
                    MANAGED,
                    DefaultVersionId=None,
                    PolicyVersionList=[
                        {"VersionId": "v2", "IsDefaultVersion": True, "Document": document(EVERYTHING)},
                        {"VersionId": "v1", "IsDefaultVersion": True, "Document": document(allow(DESCRIBE))},
                    ],
                ),
            )
        ],
        UNKNOWN,
        "disagree about policy managed",
    ),
    (
        "default version only by its name",
        [
            details(
                WITH_MANAGED,
                managed(
                    MANAGED,
                    PolicyVersionList=[
                        {"VersionId": "v2", "Document": document(deny("*"))},
                        {"VersionId": "v1", "Document": document(allow(ATTACH))},
                    ],
                ),
            )
        ],
        COVERED,
        "policy managed",
    ),
    (
        "no version is called the default",
        [
            details(
                WITH_MANAGED,
                managed(
                    MANAGED,
                    DefaultVersionId="",
                    PolicyVersionList=[{"VersionId": "", "Document": document(EVERYTHING)}],
                ),
            )
        ],
        UNKNOWN,
        "policy managed attached to role c1-ebs is not in the export",
    ),
    (
        "default version by its flag, and another one by a later answer",
        [
            details(
                WITH_MANAGED,
                managed(
                    MANAGED,
                    DefaultVersionId=None,
                    PolicyVersionList=[{"VersionId": "v1", "IsDefaultVersion": True, "Document": document(EVERYTHING)}],
                ),
            ),
            {"Policy": {"PolicyName": "managed", "Arn": MANAGED, "DefaultVersionId": "v2"}},
        ],
        UNKNOWN,
        "disagree about policy managed",
    ),
    ("attached document unseen", [details(WITH_MANAGED)], UNKNOWN, "LocalManagedPolicy AWSManagedPolicy"),
    (
        "attached document unseen, narrower elsewhere",
        [details(role(allow(ATTACH, Resource=VOLUMES), AttachedManagedPolicies=attached(MANAGED)))],
        UNKNOWN,
        "only for",
    ),
    (
        "attached document unseen, granted elsewhere: it may deny",
        [details(role(EVERYTHING, AttachedManagedPolicies=attached(MANAGED)))],
        UNKNOWN,
        "policy managed attached to role c1-ebs is not in the export",
    ),
    (
        "attached document unseen, outside the boundary",
        [limited(EVERYTHING, limits=[allow("s3:*")], AttachedManagedPolicies=attached(MANAGED))],
        MISSING,
        "boundary",
    ),
    (
        "nothing granted that is seen, and the boundary does not allow it",
        [limited(limits=[allow("s3:*")], AttachedManagedPolicies=attached(MANAGED))],
        MISSING,
        "boundary",
    ),
    (
        "the only attached policy beside the details",
        [
            details(WITH_MANAGED),
            {"PolicyVersion": {"Document": document(allow(ATTACH)), "VersionId": "v1", "IsDefaultVersion": True}},
        ],
        COVERED,
        "policy managed",
    ),
    (
        "one version, and a boundary that it may be",
        [
            details({**WITH_MANAGED, "PermissionsBoundary": boundary()}),
            {"PolicyVersion": {"Document": document(deny(ATTACH)), "VersionId": "v1", "IsDefaultVersion": True}},
        ],
        UNKNOWN,
        "not in the export",
    ),
    (
        "two documents disagree about a managed policy",
        [details(WITH_MANAGED, managed(MANAGED, deny(ATTACH))), details(managed(MANAGED, EVERYTHING))],
        UNKNOWN,
        "disagree about policy managed",
    ),
    (
        "two documents disagree about a managed policy that is not his",
        [details(role(allow(ATTACH)), managed(MANAGED, deny(ATTACH))), details(managed(MANAGED, EVERYTHING))],
        COVERED,
        "",
    ),
    (
        "an inline policy that cannot be read",
        [details(role() | {"RolePolicyList": [*inline(EVERYTHING), "x"]})],
        UNKNOWN,
        "RolePolicyList of role c1-ebs cannot be read as a whole",
    ),
    (
        "an inline policy that cannot be read, denied by another",
        [details(role() | {"RolePolicyList": [*inline(deny(ATTACH)), {}]})],
        DENIED,
        "",
    ),
    ("a single inline policy", [details(role() | {"RolePolicyList": inline(allow(ATTACH))[0]})], COVERED, ""),
    (
        "a single attached policy",
        [details(role(EVERYTHING, AttachedManagedPolicies=attached(MANAGED)[0]), managed(MANAGED, deny(ATTACH)))],
        DENIED,
        "policy managed",
    ),
    (
        "an attached policy that cannot be read",
        [details(role(EVERYTHING, AttachedManagedPolicies=7))],
        UNKNOWN,
        "AttachedManagedPolicies of role c1-ebs cannot be read as a whole",
    ),
    ("inline policies not listed", [details(role() | {"RolePolicyList": None})], UNKNOWN, "not every inline policy"),
    (
        "attached policies not listed, granted inline",
        [details(role(allow(ATTACH), AttachedManagedPolicies=None))],
        COVERED,
        "",
    ),
    (
        "two boundaries",
        [limited(EVERYTHING, limits=[EVERYTHING]), details(role(EVERYTHING, PermissionsBoundary=MANAGED))],
        UNKNOWN,
        "disagree about the permissions boundary",
    ),
    (
        "a key that appears twice in a document's text",
        [
            details(
                role()
                | {
                    "RolePolicyList": [
                        {
                            "PolicyName": "p",
                            "PolicyDocument": (
                                '{"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"},'
                                '"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
                            ),
                        }
                    ]
                }
            )
        ],
        UNKNOWN,
        "cannot be read",
    ),
    (
        "attached document unseen, denied elsewhere",
        [details(role(deny(ATTACH), AttachedManagedPolicies=attached(MANAGED)))],
        DENIED,
        "",
    ),
    (
        "attached document unseen, perhaps denied elsewhere",
        [details(role(EVERYTHING, deny(ATTACH, Resource=VOLUMES), AttachedManagedPolicies=attached(MANAGED)))],
        NARROWER,
        "",
    ),
    (
        "attached document denies",
        [details({**WITH_MANAGED, "RolePolicyList": inline(EVERYTHING)}, managed(MANAGED, deny("ec2:*")))],
        DENIED,
        "policy managed",
    ),
    ("within its boundary", [limited(allow(ATTACH), limits=[allow("ec2:*")])], COVERED, ""),
    ("outside its boundary", [limited(allow(ATTACH), limits=[allow("s3:*")])], MISSING, "boundary"),
    ("the boundary grants nothing", [limited(limits=[EVERYTHING])], MISSING, "no statement allows"),
    ("the boundary denies", [limited(EVERYTHING, limits=[EVERYTHING, deny(ATTACH)])], DENIED, "policy limits"),
    ("the boundary is narrower", [limited(EVERYTHING, limits=[allow("ec2:*", Resource=VOLUMES)])], NARROWER, "limits"),
    (
        "a boundary that is a text",
        [details(role(allow(ATTACH), PermissionsBoundary=BOUNDARY), bounded(allow("ec2:*")))],
        COVERED,
        "",
    ),
    ("boundary unseen", [details(role(allow(ATTACH), PermissionsBoundary=boundary()))], UNKNOWN, BOUNDARY),
    ("boundary unseen and not granted", [details(role(PermissionsBoundary=boundary()))], MISSING, ""),
    ("boundary unseen and denied", [details(role(deny(ATTACH), PermissionsBoundary=boundary()))], DENIED, ""),
    (
        "boundary unseen and narrower",
        [details(role(allow(ATTACH, Resource=VOLUMES), PermissionsBoundary=boundary()))],
        NARROWER,
        "",
    ),
    ("boundary that cannot be read", [limited(allow(ATTACH), limits=["x"])], UNKNOWN, "is not an object"),
    ("a boundary of null is none", [details(role(allow(ATTACH), PermissionsBoundary=None))], COVERED, ""),
    (
        "a boundary that cannot be read",
        [details(role(allow(ATTACH)) | {"PermissionsBoundary": []})],
        UNKNOWN,
        "without an ARN",
    ),
    (
        "boundary without an ARN",
        [details(role(allow(ATTACH), PermissionsBoundary={"x": 1}))],
        UNKNOWN,
        "without an ARN",
    ),
    (
        "organisation denies",
        [details(role(allow(ATTACH))), organisation(EVERYTHING, deny("ec2:*"))],
        DENIED,
        "organisation policy guard",
    ),
    ("organisation allows", [details(role(allow(ATTACH))), organisation(EVERYTHING)], COVERED, ""),
    (
        "organisation allows something else",
        [details(role(allow(ATTACH))), organisation(allow("s3:*"))],
        MISSING,
        "the organisation does not allow it",
    ),
    (
        "one level of the organisation allows something else",
        [details(role(allow(ATTACH))), organisation(EVERYTHING), organisation(allow("s3:*"), name="disks")],
        UNKNOWN,
        "organisation policy disks does not allow it",
    ),
    (
        "every level of the organisation allows it",
        [details(role(allow(ATTACH))), organisation(EVERYTHING), organisation(allow("ec2:*"), name="disks")],
        COVERED,
        "",
    ),
    (
        "one level of the organisation only denies other things",
        [details(role(allow(ATTACH))), organisation(EVERYTHING), organisation(deny("s3:*"), name="disks")],
        COVERED,
        "",
    ),
    ("organisation only denies other things", [details(role(allow(ATTACH))), organisation(deny("s3:*"))], COVERED, ""),
    (
        "organisation allows something else and perhaps denies",
        [details(role(allow(ATTACH))), organisation(allow("s3:*"), deny(ATTACH, Condition=FOR_SERVICES))],
        MISSING,
        "the organisation does not allow it",
    ),
    (
        "organisation allows it, and perhaps denies it for resources",
        [
            details(role(allow(ATTACH))),
            organisation(EVERYTHING),
            organisation(deny(ATTACH, Principal="*", Condition=FOR_SERVICES), kind="RESOURCE_CONTROL_POLICY"),
        ],
        NARROWER,
        "kms:GrantIsForAWSResource",
    ),
    (
        "organisation denies by region",
        [
            details(role(allow(ATTACH))),
            organisation(
                EVERYTHING,
                statement("Deny", NotAction="iam:*", Condition={"StringNotEquals": {"aws:RequestedRegion": "x"}}),
            ),
        ],
        NARROWER,
        "aws:RequestedRegion",
    ),
    (
        "organisation policy for resources denies",
        [details(role(allow(ATTACH))), organisation(deny("ec2:*", Principal="*"), kind="RESOURCE_CONTROL_POLICY")],
        DENIED,
        "",
    ),
    (
        "organisation policy for resources whose condition is misspelt",
        [
            details(role(allow(ATTACH))),
            organisation(deny("s3:*", Principal="*", Conditions=FOR_SERVICES), kind="RESOURCE_CONTROL_POLICY"),
        ],
        UNKNOWN,
        "not understood: Conditions",
    ),
    (
        "organisation policy whose type cannot be read",
        [details(role(allow(ATTACH))), organisation(deny("ec2:*"), kind=7)],
        DENIED,
        "",
    ),
    (
        "organisation policy of another type",
        [details(role(allow(ATTACH))), organisation(deny("ec2:*"), kind="TAG_POLICY")],
        COVERED,
        "",
    ),
    (
        "organisation policy that cannot be read",
        [details(role(allow(ATTACH))), {"PolicySummary": {"Name": "x"}, "Content": "{"}],
        UNKNOWN,
        "organisation policy x",
    ),
    *(
        (
            f"organisation policy that is spoilt ({number})",
            [details(role(allow(ATTACH))), spoilt],
            verdict,
            "organisation policy" if verdict == UNKNOWN else "",
        )
        for number, (spoilt, verdict) in enumerate(
            [
                ({"policy": organisation(deny("s3:*"))["Policy"]}, COVERED),
                ({"Polic": organisation(deny("ec2:*"))["Policy"]}, DENIED),
                ({"Policy": {}}, UNKNOWN),
                ({"Policy": 5}, UNKNOWN),
                ({"Policy": {"Arn": f"{ROLE}-p", "PolicyName": "p"}}, COVERED),
                ({"Policy": {}, "Other": 1}, COVERED),
            ]
        )
    ),
    ("another role holds it", [details(role(arn=ROLE), role(EVERYTHING, arn=ROLE + "-2"))], MISSING, ""),
    ("the same name under a path", [details(role(EVERYTHING, arn=FAR))], UNKNOWN, "nothing about"),
    ("the role is not there", [details()], UNKNOWN, "nothing about"),
    ("no document", [], UNKNOWN, "no document of the export has a shape that AWS prints"),
    ("no document of AWS", [{"bindings": []}, [], "text", None, 7], UNKNOWN, "no document of the export"),
    (
        "pages complete",
        [details(IsTruncated=True, Marker="m"), details(role(allow(ATTACH)), IsTruncated=False)],
        COVERED,
        "",
    ),
    ("a page is missing, and the role", [details(IsTruncated=True, Marker="m")], UNKNOWN, "one page of more"),
    (
        "a page is missing, and two documents disagree",
        [
            details(role(allow(ATTACH)), IsTruncated=True, Marker="m"),
            {"RoleName": "c1-ebs", "PolicyNames": []},
        ],
        UNKNOWN,
        "one page of more",
    ),
    ("a page is missing", [details(role(allow(ATTACH)), IsTruncated=True, Marker="m")], UNKNOWN, "one page of more"),
    (
        "a page is missing beside another kind of list",
        [details(role(allow(ATTACH)), IsTruncated=True, Marker="m"), {"UserDetailList": []}],
        UNKNOWN,
        "one page of more",
    ),
    ("a page is missing, as text", [details(role(), IsTruncated="true")], UNKNOWN, "one page of more"),
    ("a page of the CLI is missing", [details(role(), NextToken="t")], UNKNOWN, "one page of more"),
    ("a list of pages", [[details(IsTruncated=True), details(role(allow(ATTACH)))]], COVERED, ""),
    ("a bare list of role details", [[role(allow(ATTACH))]], COVERED, ""),
    (
        "two documents disagree about a policy",
        [details(role(allow(ATTACH))), details(role(EVERYTHING))],
        UNKNOWN,
        "disagree",
    ),
    (
        "two documents disagree about the inline policies",
        [details(role(allow(ATTACH))), details(role())],
        UNKNOWN,
        "disagree",
    ),
    (
        "two documents disagree about what is attached",
        [details(role(allow(ATTACH))), details(role(allow(ATTACH), AttachedManagedPolicies=attached(MANAGED)))],
        UNKNOWN,
        "disagree",
    ),
    (
        "an entry of another name has his ARN",
        [details(role(allow(ATTACH)), {**role(deny("*")), "RoleName": "other"})],
        UNKNOWN,
        f"an entry of the role other has the ARN {ROLE}",
    ),
    (
        "an entry of another name has his ARN, with a path",
        [details(role(allow(ATTACH)), {**role(deny("*")), "RoleName": "other", "Arn": FAR})],
        UNKNOWN,
        "an entry of the role other has the ARN",
    ),
    ("an entry without an ARN", [details({**role(allow(ATTACH)), "Arn": None})], COVERED, ""),
    (
        "an entry without a name has his ARN",
        [{"RoleDetailList": [role(allow(ATTACH)), {"Arn": ROLE, "RolePolicyList": inline(deny("*"))}]}],
        UNKNOWN,
        "without a name",
    ),
    ("two documents agree", [details(role(allow(ATTACH))), details(role(allow(ATTACH)))], COVERED, ""),
    (
        "document that cannot be read",
        [details({**role(), "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": "%7B"}]})],
        UNKNOWN,
        "cannot be read",
    ),
    (
        "document that is the text of a list",
        [details({**role(), "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": "[]"}]})],
        UNKNOWN,
        "cannot be read",
    ),
    (
        "document without statements",
        [details({**role(), "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17"}}]})],
        UNKNOWN,
        "has no statements",
    ),
    (
        "a single statement object",
        [details({**role(), "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": {"Statement": allow(ATTACH)}}]})],
        COVERED,
        "",
    ),
]


@pytest.mark.parametrize(("exports", "verdict", "reason"), [e[1:] for e in EXPORTS], ids=[e[0] for e in EXPORTS])
def test_what_counts_for_a_role(exports: list[Any], verdict: str, reason: str) -> None:
    judgement = ask(exports)
    assert judgement.verdict == verdict, judgement.reason
    assert reason in judgement.reason


USERS: list[tuple[str, list[Any], str, str]] = [
    ("inline", [details(user(allow(ATTACH)))], COVERED, "user c1-ebs"),
    ("only by a group", [details(user(GroupList=["g"]), group("g", allow(ATTACH)))], COVERED, "group g"),
    (
        "only by what a group is attached to",
        [
            details(
                user(GroupList=["g"]),
                group("g", AttachedManagedPolicies=attached(MANAGED)),
                managed(MANAGED, allow(ATTACH)),
            )
        ],
        COVERED,
        "policy managed",
    ),
    ("group not in the export", [details(user(GroupList=["g"]))], UNKNOWN, "group g are not in the export"),
    (
        "group not in the export, granted inline",
        [details(user(EVERYTHING, GroupList=["g"]))],
        UNKNOWN,
        "group g are not in the export",
    ),
    ("groups not listed", [details(user(GroupList=None))], UNKNOWN, "the groups of user c1-ebs"),
    ("groups not listed, granted inline", [details(user(allow(ATTACH), GroupList=None))], COVERED, ""),
    ("a single group", [details(user(GroupList="ops"), group("ops", allow(ATTACH)))], COVERED, "group ops"),
    (
        "an entry of another name has the ARN of his group",
        [details(user(allow(ATTACH), GroupList=["g"]), group("g"), {**group("g", deny("*")), "GroupName": "h"})],
        UNKNOWN,
        "an entry of the group h has the ARN",
    ),
    (
        "denied inline and allowed by a group",
        [details(user(deny(ATTACH), GroupList=["g"]), group("g", EVERYTHING))],
        DENIED,
        "user c1-ebs",
    ),
    (
        "a document about a role of his name",
        [{"RoleName": "c1-ebs", **inline(EVERYTHING)[0]}],
        UNKNOWN,
        "nothing about",
    ),
    ("a group that cannot be read", [details(user(EVERYTHING, GroupList=[7]))], UNKNOWN, "GroupList of user c1-ebs"),
    ("groups that are no list", [details(user(EVERYTHING, GroupList=7))], UNKNOWN, "GroupList of user c1-ebs"),
    (
        "two documents agree about his groups",
        [
            details(user(GroupList=["g"]), group("g", allow(ATTACH))),
            {"UserName": "c1-ebs", "Groups": [{"GroupName": "g"}]},
        ],
        COVERED,
        "group g",
    ),
    (
        "two documents disagree about his groups",
        [details(user(allow(ATTACH))), {"UserName": "c1-ebs", "Groups": [{"GroupName": "g"}]}],
        UNKNOWN,
        "disagree about the groups",
    ),
    (
        "an entry of another name has his ARN",
        [details(user(allow(ATTACH)), {**user(deny("*")), "UserName": "other"})],
        UNKNOWN,
        f"an entry of the user other has the ARN {USER}",
    ),
    (
        "what get-user prints has another's name",
        [details(user(allow(ATTACH))), {"User": {"UserName": "other", "Arn": USER}}],
        UNKNOWN,
        f"an entry of the user other has the ARN {USER}",
    ),
    ("a group that he is not in", [details(user(), group("g", allow(ATTACH)))], MISSING, ""),
    ("denied by a group", [details(user(EVERYTHING, GroupList=["g"]), group("g", deny(ATTACH)))], DENIED, "group g"),
    ("a role of his name holds it", [details(user(), role(EVERYTHING))], MISSING, ""),
    (
        "his boundary",
        [details(user(EVERYTHING, PermissionsBoundary=boundary()), bounded(allow("s3:*")))],
        MISSING,
        "boundary",
    ),
]


@pytest.mark.parametrize(("exports", "verdict", "reason"), [e[1:] for e in USERS], ids=[e[0] for e in USERS])
def test_what_counts_for_a_user(exports: list[Any], verdict: str, reason: str) -> None:
    judgement = ask(exports, identity=USER)
    assert judgement.verdict == verdict, judgement.reason
    assert reason in judgement.reason


def test_a_path_in_the_arn_is_no_part_of_the_name() -> None:
    arn = ROLE.replace("role/", "role/a/b/")
    assert ask([details(role(allow(ATTACH), Arn=arn))], identity=arn).verdict == COVERED


ROLE_POLICY = {"RoleName": "c1-ebs", "PolicyName": "p", "PolicyDocument": document(allow(ATTACH))}
BARE_ROLE = {"Role": {"RoleName": "c1-ebs", "Arn": ROLE, "AssumeRolePolicyDocument": document()}}
NO_ATTACHED: dict[str, Any] = {"AttachedPolicies": []}
ONE_ATTACHED = {"AttachedPolicies": attached(MANAGED)}
ONE_VERSION: dict[str, Any] = {
    "PolicyVersion": {"Document": document(allow(ATTACH)), "VersionId": "v1", "IsDefaultVersion": True}
}
OTHER_POLICY = {**ROLE_POLICY, "PolicyDocument": document(allow(DESCRIBE))}

PARTS: list[tuple[str, list[Any], str, str]] = [
    ("one policy that grants it", [ROLE_POLICY], COVERED, ""),
    ("one policy that does not", [OTHER_POLICY], UNKNOWN, "not every inline policy"),
    ("one policy that denies it", [{**ROLE_POLICY, "PolicyDocument": document(deny(ATTACH))}], DENIED, ""),
    ("role and all of its parts", [BARE_ROLE, OTHER_POLICY, {"PolicyNames": ["p"]}, NO_ATTACHED], MISSING, ""),
    (
        "a name whose policy is not there",
        [BARE_ROLE, OTHER_POLICY, {"PolicyNames": ["p", "q"]}, NO_ATTACHED],
        UNKNOWN,
        "inline policy q of role c1-ebs is not in the export",
    ),
    (
        "a name whose policy is not there, beside one that grants it",
        [BARE_ROLE, ROLE_POLICY, {"PolicyNames": ["p", "q"]}, NO_ATTACHED],
        UNKNOWN,
        "inline policy q",
    ),
    (
        "two lists of names, of which one has a policy that is not there",
        [
            BARE_ROLE,
            ROLE_POLICY,
            {"RoleName": "c1-ebs", "PolicyNames": ["p", "q"]},
            {"RoleName": "c1-ebs", "PolicyNames": ["p"]},
        ],
        UNKNOWN,
        "inline policy q",
    ),
    (
        "a list of names that has more than the details",
        [details(role(allow(ATTACH))), {"RoleName": "c1-ebs", "PolicyNames": ["p", "q"]}],
        UNKNOWN,
        "disagree about the inline policies",
    ),
    (
        "a document about another role of no account, and one that denies",
        [{**ROLE_POLICY, "RoleName": "another"}, BARE_ROLE, {**ROLE_POLICY, "PolicyDocument": document(deny(ATTACH))}],
        DENIED,
        "",
    ),
    (
        "an attached policy that is not there, by a list that says whose it is",
        [BARE_ROLE, {"RoleName": "c1-ebs", "PolicyNames": []}, {"RoleName": "c1-ebs", **ONE_ATTACHED}],
        UNKNOWN,
        "policy managed attached to role c1-ebs is not in the export",
    ),
    (
        "a spoilt entry beside an answer without an ARN",
        [
            details(role() | {"RolePolicyList": [*inline(allow(ATTACH)), "x"]}),
            {"Role": {"RoleName": "c1-ebs", "AssumeRolePolicyDocument": trust("driver")}},
        ],
        UNKNOWN,
        "cannot be read as a whole",
    ),
    (
        "a list of attached policies of no name, other than that of the only role",
        [details(role(allow(ATTACH))), ONE_ATTACHED],
        UNKNOWN,
        "disagree about the policies attached",
    ),
    (
        "a list of attached policies of no name, like that of the only role",
        [details(WITH_MANAGED, managed(MANAGED, allow(ATTACH))), ONE_ATTACHED],
        COVERED,
        "policy managed",
    ),
    (
        "a version of no name, other than that of the only attached policy",
        [
            details(WITH_MANAGED, managed(MANAGED, allow(ATTACH))),
            {"PolicyVersion": {**ONE_VERSION["PolicyVersion"], "Document": document(deny(ATTACH))}},
        ],
        UNKNOWN,
        "disagree about policy managed",
    ),
    (
        "a version of no name that is not the default by another answer",
        [
            BARE_ROLE,
            {"PolicyNames": []},
            ONE_ATTACHED,
            {"Policy": {"PolicyName": "managed", "Arn": MANAGED, "DefaultVersionId": "v2"}},
            ONE_VERSION,
        ],
        UNKNOWN,
        "disagree about policy managed",
    ),
    (
        "a version of no name, and a boundary alone",
        [details(role(allow(ATTACH), PermissionsBoundary=boundary())), ONE_VERSION],
        UNKNOWN,
        "permissions boundary",
    ),
    (
        "the same version, once without its ID",
        [
            details(WITH_MANAGED),
            {"PolicyArn": MANAGED, "PolicyVersion": {"Document": document(allow(ATTACH)), "IsDefaultVersion": True}},
            details(managed(MANAGED, allow(ATTACH))),
        ],
        COVERED,
        "policy",
    ),
    ("a list that lacks a policy", [{"RoleName": "c1-ebs", "PolicyNames": []}, ROLE_POLICY], UNKNOWN, "disagree"),
    (
        "a list of attached policies that lacks one of the details",
        [details(WITH_MANAGED, managed(MANAGED, allow(ATTACH))), {"RoleName": "c1-ebs", **NO_ATTACHED}],
        UNKNOWN,
        "disagree about the policies attached",
    ),
    (
        "a list of attached policies like that of the details",
        [details(WITH_MANAGED, managed(MANAGED, allow(ATTACH))), {"RoleName": "c1-ebs", **ONE_ATTACHED}],
        COVERED,
        "policy managed",
    ),
    (
        "a version that another document calls old",
        [details(WITH_MANAGED, managed(MANAGED, DefaultVersionId="v2")), {"PolicyArn": MANAGED, **ONE_VERSION}],
        UNKNOWN,
        "disagree about policy",
    ),
    (
        "the same version twice",
        [details(WITH_MANAGED, managed(MANAGED, allow(ATTACH))), {"PolicyArn": MANAGED, **ONE_VERSION}],
        COVERED,
        "policy",
    ),
    ("attached policies unseen", [BARE_ROLE, OTHER_POLICY, {"PolicyNames": ["p"]}], UNKNOWN, "attached to role c1-ebs"),
    (
        "the only attached policy, the only version",
        [BARE_ROLE, {"PolicyNames": []}, ONE_ATTACHED, ONE_VERSION],
        COVERED,
        "policy managed",
    ),
    (
        "a version that is not the default",
        [
            BARE_ROLE,
            {"PolicyNames": []},
            ONE_ATTACHED,
            {"PolicyVersion": {**ONE_VERSION["PolicyVersion"], "IsDefaultVersion": False}},
        ],
        UNKNOWN,
        "not in the export",
    ),
    ("two versions: whose?", [BARE_ROLE, {"PolicyNames": []}, ONE_ATTACHED, ONE_VERSION, ONE_VERSION], UNKNOWN, ""),
    (
        "two roles: whose list?",
        [BARE_ROLE, details(role(arn=ROLE + "-2")), {"PolicyNames": []}, ONE_ATTACHED, ONE_VERSION],
        UNKNOWN,
        "",
    ),
    (
        "answers that say what they were asked for",
        [
            BARE_ROLE,
            details(role(arn=ROLE + "-2")),
            {"RoleName": "c1-ebs", "PolicyNames": []},
            {"RoleName": "c1-ebs", **ONE_ATTACHED},
            {"PolicyArn": MANAGED, **ONE_VERSION},
        ],
        COVERED,
        "policy",
    ),
    ("a list that goes on elsewhere", [BARE_ROLE, ROLE_POLICY, {**NO_ATTACHED, "IsTruncated": True}], UNKNOWN, "page"),
    (
        "get-policy without its version",
        [
            BARE_ROLE,
            {"PolicyNames": []},
            ONE_ATTACHED,
            {"Policy": {"PolicyName": "managed", "Arn": MANAGED, "DefaultVersionId": "v1"}},
        ],
        UNKNOWN,
        "not in the export",
    ),
    ("list-users says nothing of roles", [details(role()), {"Users": [{"UserName": "u", "Arn": USER}]}], MISSING, ""),
    ("list-roles tells nothing of policies", [{"Roles": [BARE_ROLE["Role"]]}], UNKNOWN, "not every inline policy"),
    (
        "list-policies beside the details",
        [
            details(role(allow(ATTACH))),
            {"Policies": [{"PolicyName": "managed", "Arn": MANAGED, "DefaultVersionId": "v1"}]},
        ],
        COVERED,
        "",
    ),
    ("a policy of the details that disagrees", [details(role(allow(ATTACH))), OTHER_POLICY], UNKNOWN, "disagree"),
    ("a policy that the details lack", [details(role()), ROLE_POLICY], UNKNOWN, "disagree"),
    ("a policy that the details have", [ROLE_POLICY, details(role(allow(ATTACH)))], COVERED, ""),
    ("one role detail as an object", [role(allow(ATTACH))], COVERED, ""),
    ("one managed policy as an object", [details(WITH_MANAGED), managed(MANAGED, allow(ATTACH))], COVERED, ""),
    ("role without its envelope", [BARE_ROLE["Role"], ROLE_POLICY], COVERED, ""),
    (
        "provider documents are known and say nothing",
        [details(role()), {"OpenIDConnectProviderList": []}, {"Url": "x", "ClientIDList": []}],
        MISSING,
        "",
    ),
]


@pytest.mark.parametrize(("exports", "verdict", "reason"), [e[1:] for e in PARTS], ids=[e[0] for e in PARTS])
def test_answers_about_one_role(exports: list[Any], verdict: str, reason: str) -> None:
    judgement = ask(exports)
    assert judgement.verdict == verdict, judgement.reason
    assert reason in judgement.reason


def test_answers_about_one_user_and_his_groups() -> None:
    exports: list[dict[str, Any]] = [
        {"User": {"UserName": "c1-ebs", "Arn": USER}},
        {"UserName": "c1-ebs", "PolicyNames": []},
        {"UserName": "c1-ebs", "AttachedPolicies": []},
        {"UserName": "c1-ebs", "Groups": [{"GroupName": "g", "Arn": f"arn:aws:iam::{ACCOUNT}:group/g"}]},
        {"GroupName": "g", "PolicyNames": ["p"]},
        {"GroupName": "g", "PolicyName": "p", "PolicyDocument": document(allow(ATTACH))},
        {"GroupName": "g", "AttachedPolicies": []},
    ]
    assert ask(exports, identity=USER).verdict == COVERED
    assert ask(exports, DESCRIBE, identity=USER).verdict == MISSING
    assert ask([e for e in exports if "Groups" not in e], DESCRIBE, identity=USER).verdict == UNKNOWN


@pytest.mark.parametrize("order", [1, -1])
def test_a_join_by_chance_is_said_as_a_caveat(order: int) -> None:
    judgement = ask([BARE_ROLE, {"PolicyNames": []}, ONE_ATTACHED, ONE_VERSION][::order])
    assert judgement.verdict == COVERED
    assert any("the only attached policy" in line for line in judgement.caveats)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("object", document(allow("s3:GetObject", Resource="arn:aws:s3:::a+b/%41"))),
        ("json", json.dumps(document(allow("s3:GetObject", Resource="arn:aws:s3:::a+b/%41")))),
        ("percent", encoded(document(allow("s3:GetObject", Resource="arn:aws:s3:::a+b/%41")))),
    ],
)
def test_a_plus_sign_and_a_percent_sign_survive_every_encoding(form: str, text: Any) -> None:
    export = details({**role(), "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": text}]})
    assert ask([export], "s3:GetObject", resource="arn:aws:s3:::a+b/%41").verdict == COVERED, form
    assert ask([export], "s3:GetObject", resource="arn:aws:s3:::a b/A").verdict == MISSING, form


@pytest.mark.parametrize(
    ("identity", "account", "verdict", "reason"),
    [
        (ROLE, ACCOUNT, COVERED, ""),
        (ROLE, "999988887777", UNKNOWN, "belongs to account 111122223333, not to 999988887777"),
        (ROLE.replace(ACCOUNT, "999988887777"), "999988887777", UNKNOWN, "belongs to 111122223333"),
        (ROLE.replace(ACCOUNT, "999988887777"), None, UNKNOWN, "nothing about"),
        ("c1-ebs", ACCOUNT, COVERED, ""),
        ("role/c1-ebs", None, COVERED, ""),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/c1-ebs/session", None, COVERED, ""),
        (f"arn:aws:iam::{ACCOUNT}:root", None, UNKNOWN, "nothing about"),
        (f"arn:aws-us-gov:iam::{ACCOUNT}:role/c1-ebs", None, UNKNOWN, "nothing about"),
        ("arn:aws:iam", None, UNKNOWN, "nothing about"),
        (f"arn:aws:iam::{ACCOUNT}:", None, UNKNOWN, "nothing about"),
        (f"{ROLE}:x", None, UNKNOWN, "nothing about"),
        ("role/path/c1-ebs", None, UNKNOWN, "nothing about"),
        ("user/c1-ebs", None, UNKNOWN, "nothing about"),
        ("", None, UNKNOWN, "nothing about"),
    ],
)
def test_whose_export_it_is(identity: str, account: str | None, verdict: str, reason: str) -> None:
    judgement = ask([details(role(allow(ATTACH)))], identity=identity, account=account)
    assert judgement.verdict == verdict, judgement.reason
    assert reason in judgement.reason


def test_the_path_of_a_role_may_hold_colons() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/a:b/c1-ebs"
    assert ask([details(role(allow(ATTACH), arn=arn))], identity=arn).verdict == COVERED


def test_the_caller_tells_whose_answers_without_an_arn_are() -> None:
    stranger = {"UserId": "AIDA", "Account": "999988887777", "Arn": "arn:aws:iam::999988887777:user/x"}
    assert ask([stranger, ROLE_POLICY], account=ACCOUNT).verdict == UNKNOWN
    assert ask([{**stranger, "Account": ACCOUNT}, ROLE_POLICY], account=ACCOUNT).verdict == COVERED
    assert ask([ROLE_POLICY], account=ACCOUNT).verdict == COVERED


def test_a_resource_in_any_partition_is_in_the_roles_own_where_an_arn_says_which() -> None:
    fields = {"needed": "iam:GetUser", "resource": "arn:*:iam::*:user/x"}
    held = allow("iam:GetUser", Resource="arn:aws:iam::*:user/x")
    assert ask([details(role(held))], **fields).verdict == COVERED
    assert ask([details(role(held, Arn=None))], **fields).verdict == NARROWER


def test_a_boundary_counts_where_the_document_does_not_say_whose_account_it_is() -> None:
    shown = details(role(allow(ATTACH)))
    bounded = {"Role": {"RoleName": "c1-ebs", "PermissionsBoundary": {"PermissionsBoundaryArn": MANAGED}}}
    judgement = ask([shown, bounded])
    assert judgement.verdict == UNKNOWN
    assert "boundary" in judgement.reason
    assert ask([shown, {"Role": {"RoleName": "another", "PermissionsBoundary": MANAGED}}]).verdict == COVERED


def test_what_may_be_about_either_of_two_accounts_proves_nothing() -> None:
    other = ROLE.replace(ACCOUNT, "999988887777")
    exports = [details(role(allow(ATTACH))), details(role(allow(ATTACH), arn=other))]
    assert ask(exports).verdict == COVERED
    judgement = ask([*exports, OTHER_POLICY])
    assert judgement.verdict == UNKNOWN
    assert "of which account" in judgement.reason


def test_the_same_role_name_in_two_accounts_is_two_roles() -> None:
    other = ROLE.replace(ACCOUNT, "999988887777")
    exports = [details(role(allow(ATTACH))), details(role(allow(DESCRIBE), arn=other))]
    assert ask(exports).verdict == COVERED
    assert ask(exports, identity=other).verdict == MISSING
    assert ask(exports, identity="c1-ebs").verdict == UNKNOWN
    together = [details(*(entry for export in exports for entry in export["RoleDetailList"]))]
    for identity in ("c1-ebs", "role/c1-ebs"):
        assert ask(together, identity=identity, account=ACCOUNT).verdict == COVERED
        assert ask(together, identity=identity, account="999988887777").verdict == MISSING
    bounded = {"Role": {"RoleName": "c1-ebs", "Arn": other, "PermissionsBoundary": boundary()}}
    assert ask([*exports, bounded]).verdict == COVERED, "it is the other one's boundary"


def test_a_bare_name_may_be_a_users() -> None:
    assert ask([details(user(allow(ATTACH)))], identity="c1-ebs").verdict == COVERED


LISTED = {"Roles": [BARE_ROLE["Role"]]}


@pytest.mark.parametrize(
    ("exports", "said"),
    [
        ([BARE_ROLE, ROLE_POLICY], False),
        ([LISTED, ROLE_POLICY], True),
        ([LISTED, BARE_ROLE, ROLE_POLICY], False),
        ([BARE_ROLE, LISTED, ROLE_POLICY], False),
        ([LISTED, {"Role": {"RoleName": "c1-ebs"}}, ROLE_POLICY], False),
        (
            [{"Roles": [{**BARE_ROLE["Role"], "PermissionsBoundary": boundary()}]}, ROLE_POLICY, bounded(EVERYTHING)],
            False,
        ),
    ],
)
def test_a_boundary_is_a_caveat_where_no_answer_would_show_it(exports: list[Any], said: bool) -> None:
    """`get-role` shows it, `list-roles` does not (botocore's model of Role, note on list operations)."""
    found = ask(exports)
    assert found.verdict == COVERED
    assert any("has a permissions boundary was not seen" in line for line in found.caveats) is said


KEYS = {"AccessKeyMetadata": [{"UserName": "c1-ebs", "AccessKeyId": "AKIAEXAMPLE1", "Status": "Active"}]}


def test_an_access_key_leads_to_its_user() -> None:
    exports = [details(user(allow(ATTACH))), KEYS]
    assert ask(exports, identity="AKIAEXAMPLE1").verdict == COVERED
    assert ask(exports, DESCRIBE, identity="AKIAEXAMPLE1").verdict == MISSING
    assert ask(exports[:1], identity="AKIAEXAMPLE1").verdict == UNKNOWN
    assert ask([*exports[:1], {**KEYS, "IsTruncated": True}], identity="AKIAEXAMPLE2").reason.endswith("page of more")


def test_an_access_key_and_its_user_are_one_identity() -> None:
    held = holdings.build([Document(details(user())), Document(KEYS)], None)
    assert held.resolve("AKIAEXAMPLE1") == held.resolve(USER) == held.resolve("user/c1-ebs") == USER
    assert held.resolve("AKIAEXAMPLE2") is None
    assert held.resolve(ROLE) == ROLE, "an ARN needs no document"


def test_an_arn_is_no_access_key_whatever_an_export_says() -> None:
    planted = {"AccessKeyMetadata": [{**KEYS["AccessKeyMetadata"][0], "AccessKeyId": ROLE}]}
    assert ask([details(role(), user(EVERYTHING)), planted]).verdict == MISSING


def test_what_is_found_without_an_arn_keeps_the_one_that_it_was_asked_by() -> None:
    held = holdings.build([Document(ROLE_POLICY)], None)
    assert held.resolve(ROLE) == ROLE
    assert held.resolve("c1-ebs") is None
    assert ask([ROLE_POLICY], identity="role/c1-ebs").verdict == COVERED


def test_what_has_fewer_parts_than_an_arn_names_no_account_and_what_is_amazons_own_neither() -> None:
    assert account_of(AWS_MANAGED) is None
    assert account_of(f"arn:aws:iam::{ACCOUNT}:x") == ACCOUNT
    assert account_of(f"arn:aws:iam::{ACCOUNT}") is None


def test_an_inactive_access_key_holds_nothing() -> None:
    inactive = {"AccessKeyMetadata": [{**KEYS["AccessKeyMetadata"][0], "Status": "Inactive"}]}
    judgement = ask([details(user(EVERYTHING)), inactive], identity="AKIAEXAMPLE1")
    assert judgement.verdict == MISSING
    assert "not active" in judgement.reason


@pytest.mark.parametrize(
    ("more", "verdict", "reason"),
    [
        ({"Status": "Expired"}, MISSING, "not active"),
        ({"Status": None}, UNKNOWN, "does not say"),
        ({"UserName": "someone"}, UNKNOWN, "disagree about access key"),
    ],
)
def test_an_access_key_counts_only_where_its_user_and_status_are_certain(
    more: dict[str, Any], verdict: str, reason: str
) -> None:
    changed = {"AccessKeyMetadata": [{**KEYS["AccessKeyMetadata"][0], **more}]}
    exports = [details(user(EVERYTHING)), *([KEYS] if "UserName" in more else []), changed]
    judgement = ask(exports, identity="AKIAEXAMPLE1")
    assert judgement.verdict == verdict, judgement.reason
    assert reason in judgement.reason


def test_a_bare_name_of_a_role_and_a_user_is_nobody() -> None:
    judgement = ask([details(role(EVERYTHING), user())], identity="c1-ebs")
    assert judgement.verdict == UNKNOWN
    assert "role and a user" in judgement.reason


def test_a_condition_that_cannot_be_read_asks_for_no_more_than_everything() -> None:
    assert ask([details(role(allow(ATTACH)))], condition=["x"]).verdict == COVERED
    assert ask([details(role(allow(ATTACH, Condition=FOR_SERVICES)))], condition=["x"]).verdict == NARROWER


@pytest.mark.parametrize(
    ("needed", "exports", "caveats"),
    [
        (ATTACH, [details(role(EVERYTHING))], ["service control policies", "session policies"]),
        ("kms:Decrypt", [details(role(EVERYTHING))], ["service control policies", "key policy", "session policies"]),
        (
            "s3:GetObject",
            [details(role(EVERYTHING))],
            ["service control policies", "bucket policies", "session policies"],
        ),
        (
            "STS:assumerole",
            [details(role(EVERYTHING))],
            ["service control policies", "trusts this identity", "session policies"],
        ),
        (ATTACH, [details(role(EVERYTHING)), organisation(EVERYTHING)], ["session policies"]),
        (
            ATTACH,
            [details(role(EVERYTHING)), organisation(EVERYTHING), {"OrganizationUnread": "targets"}],
            ["service control policies", "session policies"],
        ),
        (ATTACH, [ROLE_POLICY], ["inline policy", "attached to", "boundary", "service control policies", "session"]),
        (
            ATTACH,
            [details(role(EVERYTHING, AttachedManagedPolicies=None))],
            ["attached to", "service control policies", "session policies"],
        ),
        (
            ATTACH,
            [details(role(EVERYTHING)), organisation(EVERYTHING, kind="RESOURCE_CONTROL_POLICY")],
            ["service control policies", "session policies"],
        ),
    ],
)
def test_what_no_export_shows_is_a_caveat_one_line_each(needed: str, exports: list[Any], caveats: list[str]) -> None:
    judgement = ask(exports, needed)
    assert judgement.verdict == COVERED
    assert len(judgement.caveats) == len(caveats)
    for line, words in zip(judgement.caveats, caveats, strict=True):
        assert words in line


def managed_by(account: Any) -> dict[str, Any]:
    """Return what `organizations describe-organization` prints, whoever asks."""
    arn = "arn:aws:organizations::999988887777:organization/o-1"
    return {"Organization": {"Id": "o-1", "Arn": arn, "FeatureSet": "ALL", "MasterAccountId": account}}


@pytest.mark.parametrize(
    ("beside", "verdict"),
    [
        ([managed_by(ACCOUNT)], COVERED),
        ([managed_by("999988887777")], DENIED),
        ([managed_by(ACCOUNT), managed_by("999988887777")], DENIED),
        ([managed_by(int(ACCOUNT))], DENIED),
        ([], DENIED),
    ],
)
def test_no_policy_of_the_organisation_applies_to_the_account_that_manages_it(beside: list[Any], verdict: str) -> None:
    for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
        found = ask([details(role(allow(ATTACH))), organisation(deny("*"), kind=kind), *beside])
        assert found.verdict == verdict
        assert not any("service control policies" in line for line in found.caveats)
    broken = organisation(deny("*"))
    broken["Policy"]["Content"] = "{"
    assert ask([details(role(allow(ATTACH))), broken, managed_by(ACCOUNT)]).verdict == COVERED
    own = ask([details(role(deny(ATTACH), allow(ATTACH))), managed_by(ACCOUNT)])
    assert own.verdict == DENIED


@pytest.mark.parametrize("exports", [[details(role())], [details(role(deny(ATTACH)))], [details()]])
def test_only_what_is_covered_has_caveats(exports: list[Any]) -> None:
    assert ask(exports).caveats == ()


@pytest.mark.parametrize(
    ("grant", "reason"),
    [
        ({"effect": "Deny"}, "effect Deny"),
        ({"effect": "allow"}, "effect allow"),
        ({"type": "permission"}, "AWS grants actions"),
    ],
)
def test_what_no_policy_can_grant_is_unknown(grant: dict[str, Any], reason: str) -> None:
    judgement = ask([details(role(EVERYTHING))], **grant)
    assert judgement.verdict == UNKNOWN
    assert reason in judgement.reason


def test_absent_keys_of_a_grant_read_as_null() -> None:
    assert judge("AWS", [details(role(allow(ATTACH)))], ROLE, {"permission": ATTACH}).verdict == COVERED
    assert (
        judge("AWS", [details(role(allow(ATTACH, Resource=VOLUMES)))], ROLE, {"permission": ATTACH}).verdict == NARROWER
    )


EXACT = settings(deadline=None, derandomize=True, max_examples=200)
names = st.sampled_from(["a:B", "a:C", "b:B", "a:*", "a:?", "*", "?:B", "a:B*"])
resources = st.sampled_from(["*", "arn:1", "arn:2", "arn:*", "arn:?"])
conditions = st.sampled_from([None, FOR_SERVICES, {"StringEquals": {"k": "v"}}])
allows = st.builds(lambda a, r, c: allow(a, Resource=r, Condition=c), names, resources, conditions)
denials = st.builds(lambda a, r, c: deny(a, Resource=r, Condition=c), names, resources, conditions)
needs = st.builds(
    lambda a, r, c: Grant("action", a, "Allow", r, c), names, resources, st.sampled_from([None, FOR_SERVICES])
)
RANK = [Coverage.COVERED, Coverage.NARROWER, Coverage.MISSING, Coverage.DENIED]


def verdict(statements: list[Any], needed: Grant) -> Coverage:
    return judge("AWS", [details(role(*statements))], ROLE, needed).verdict


@EXACT
@given(needs)
def test_what_is_required_is_covered_by_itself(needed: Grant) -> None:
    held = allow(needed.permission, Resource=needed.resource, Condition=needed.condition)
    assert verdict([held], needed) == COVERED


@EXACT
@given(needs, needs, needs)
def test_coverage_is_transitive(a: Grant, b: Grant, c: Grant) -> None:
    def covers(held: Grant, needed: Grant) -> bool:
        one = allow(held.permission, Resource=held.resource, Condition=held.condition)
        return verdict([one], needed) == COVERED

    if covers(a, b) and covers(b, c):
        assert covers(a, c)


@EXACT
@given(st.lists(allows, max_size=3), denials, needs)
def test_a_deny_never_widens(statements: list[Any], denial: Any, needed: Grant) -> None:
    before, after = verdict(statements, needed), verdict([*statements, denial], needed)
    assert RANK.index(after) >= RANK.index(before)


@EXACT
@given(st.lists(st.one_of(allows, denials), max_size=3), allows, needs)
def test_one_more_allow_never_takes_away(statements: list[Any], more: Any, needed: Grant) -> None:
    before, after = verdict(statements, needed), verdict([*statements, more], needed)
    assert RANK.index(after) <= RANK.index(before)


@EXACT
@given(st.lists(st.one_of(allows, denials), max_size=3), needs, st.booleans())
def test_unknown_never_becomes_a_pass(statements: list[Any], needed: Grant, bounded_role: bool) -> None:
    """What is named and not shown, or not understood, is never COVERED."""
    fields: dict[str, Any] = {"PermissionsBoundary": boundary()} if bounded_role else {}
    added = [] if bounded_role else [statement("Maybe", Action="*")]
    judged = judge("AWS", [details(role(*statements, *added, **fields))], ROLE, needed)
    assert judged.verdict != COVERED


@EXACT
@given(st.lists(st.one_of(allows, denials), max_size=3), needs)
def test_the_order_of_statements_does_not_decide(statements: list[Any], needed: Grant) -> None:
    assert verdict(statements, needed) == verdict(statements[::-1], needed)

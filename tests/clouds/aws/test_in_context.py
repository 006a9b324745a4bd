"""Coverage in the cluster's own context: the shared cases, their neighbours, and brute force over small universes."""

import fnmatch
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds.aws_exports import (
    ACCOUNT,
    ROLE,
    allow,
    boundary,
    bounded,
    deny,
    details,
    document,
    organisation,
    role,
)
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.clouds.aws.holdings import build, placed
from upgrade_gate.clouds.contract.context import Bucket, Context
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import CoverageResult, Document
from upgrade_gate.entitlements import judge

COVERED, MISSING, NARROWER, DENIED, UNKNOWN = "COVERED", "MISSING", "NARROWER", "DENIED", "UNKNOWN"
REGION, INFRA = "eu-central-1", "c1-x7k2p"
HERE = {"region": REGION, "partition": "aws", "account": ACCOUNT, "infrastructure_name": INFRA}
TERMINATE, ATTACH, DESCRIBE, RUN = (
    "ec2:TerminateInstances",
    "ec2:AttachVolume",
    "ec2:DescribeInstances",
    "ec2:RunInstances",
)
OWN = f"arn:aws:ec2:{REGION}:{ACCOUNT}:"
TAG = f"aws:ResourceTag/kubernetes.io/cluster/{INFRA}"
ASSUMED = ("cluster-tag",)


def ask(
    *statements: Any,
    action: str = TERMINATE,
    resource: str | None = "*",
    context: dict[str, Any] | None = HERE,
    assume: tuple[str, ...] = (),
    beside: tuple[Any, ...] = (),
    entry: dict[str, Any] | None = None,
) -> CoverageResult:
    """Judge one action for a role with these statements, in the context of one cluster."""
    export = details(role(*statements, **{"Tags": [], **(entry or {})}))
    grant = {"permission": action, "effect": "Allow", "resource": resource}
    return judge("AWS", [export, *beside], ROLE, grant, account=ACCOUNT, context=context, assume=assume)


def test_every_shared_case(shared: Path) -> None:
    wrong = []
    cases = json.loads((shared / "cases/context/aws.json").read_text())["cases"]
    for case in cases:
        required = case["required"]
        found = judge(
            "AWS",
            [case["export"], *case.get("organization_policies", ())],
            case["identity"]["arn"],
            {"permission": required["action"], **{k: required[k] for k in ("effect", "resource", "condition")}},
            account=case["account"],
            context=case["context"],
            assume=tuple(case["assume"]),
        )
        if found.verdict not in case.get("accept", [case["expect"]]):
            wrong.append(f"{case['id']}: {found.verdict}, not {case['expect']}: {found.reason}")
    assert len(cases) > 90
    assert not wrong, "\n".join(wrong)


WITHOUT_IMAGES = allow("ec2:*", Resource=f"{OWN}*")
WITH_IMAGES = allow(
    "ec2:*", Resource=[f"{OWN}*", f"arn:aws:ec2:{REGION}::image/*", f"arn:aws:ec2:{REGION}::snapshot/*"]
)
ANY = allow("*")


def only(region: Any, **fields: Any) -> dict[str, Any]:
    """Return a statement that allows everything in some regions."""
    return allow("*", Condition={"StringEquals": {"aws:RequestedRegion": region}}, **fields)


def outside(*regions: str, spared: tuple[str, ...] = ("iam:*", "route53:*", "sts:*", "tag:*")) -> dict[str, Any]:
    """Return the usual guard rail: nothing outside of some regions, but for services with one endpoint."""
    condition = {"StringNotEquals": {"aws:RequestedRegion": list(regions)}}
    return {"Effect": "Deny", "NotAction": list(spared), "Resource": "*", "Condition": condition}


def under(operator: str, key: str, value: Any, *actions: str) -> dict[str, Any]:
    return allow(*(actions or ("*",)), Condition={operator: {key: value}})


@pytest.mark.parametrize(
    ("statements", "action", "verdict", "because"),
    [
        # resource types: all of them, each wholly
        ([allow("ec2:*", Resource=f"{OWN}*")], TERMINATE, COVERED, "for region eu-central-1, account 111122223333"),
        ([allow("ec2:*", Resource="arn:aws:ec2:*:*:instance/*")], TERMINATE, COVERED, "allows it for region"),
        ([allow("ec2:*", Resource=f"{OWN}instance/i-0*")], TERMINATE, NARROWER, "i-0*, not for every instance"),
        ([allow("ec2:*", Resource=f"{OWN}instance/*")], ATTACH, NARROWER, "no statement for every volume"),
        (
            [allow("ec2:*", Resource=f"{OWN}instance/*"), allow("ec2:*", Resource=f"{OWN}volume/*")],
            ATTACH,
            COVERED,
            "and statement 2 of policy p of role c1-ebs allow it together",
        ),
        ([WITHOUT_IMAGES], RUN, NARROWER, "no statement for every image arn:aws:ec2:eu-central-1::image/*"),
        ([WITH_IMAGES], RUN, COVERED, "for region eu-central-1"),
        ([allow("ec2:*", Resource="arn:aws:ec2:us-west-2:*:*")], TERMINATE, MISSING, "for region eu-central-1;"),
        ([allow("ec2:*", Resource=f"{OWN}volume/*")], TERMINATE, MISSING, "no statement allows"),
        ([allow("ec2:*", Resource=f"{OWN}*")], DESCRIBE, MISSING, "takes no resource but `*`"),
        ([allow("s3:*", Resource="arn:aws:s3:::*")], "s3:CreateBucket", COVERED, "allows it"),
        ([allow("*", Resource=None, NotResource="arn:aws:s3:::b")], TERMINATE, COVERED, "for region eu-central-1"),
        ([allow("s3:*", Resource="arn:aws:s3:::*/*")], "s3:CreateBucket", MISSING, "no statement allows"),
        ([ANY, deny("s3:*", Resource="arn:aws:s3:::*/*")], "s3:CreateBucket", COVERED, "allows it"),
        ([allow("kms:*", Resource=f"arn:aws:kms:{REGION}:*:key/*")], "kms:ReEncrypt*", COVERED, "for region"),
        ([allow("s3:*", Resource="arn:aws:s3:::*")], "s3:HeadBucket", NARROWER, "only for arn:aws:s3:::*"),
        ([ANY], "s3:HeadBucket", COVERED, "allows it"),
        # a Deny: all, a part, somewhere else
        ([ANY, deny("ec2:*", Resource=f"{OWN}instance/*")], TERMINATE, DENIED, "statement 2"),
        ([ANY, deny("ec2:*", Resource=f"{OWN}instance/i-0*")], TERMINATE, NARROWER, "denies it for arn:aws:ec2"),
        ([ANY, deny("ec2:*", Resource=f"{OWN}volume/*")], TERMINATE, COVERED, ""),
        ([ANY, deny("ec2:*", Resource="arn:aws:ec2:*::image/*")], TERMINATE, COVERED, ""),
        ([ANY, deny("ec2:*", Resource=f"{OWN}volume/*")], ATTACH, NARROWER, "denies it for"),
        ([ANY, deny("ec2:*", Resource=None, NotResource=f"{OWN}*")], TERMINATE, COVERED, ""),
        ([ANY, deny("ec2:*", Resource=None, NotResource=f"{OWN}*")], RUN, NARROWER, "everything except"),
        ([ANY, deny("ec2:*", Resource=None, NotResource=f"{OWN}*")], DESCRIBE, DENIED, ""),
        # regions: of regional services, of those with one endpoint, and of those with both
        ([only("eu-*"), only(REGION)], DESCRIBE, COVERED, "statement 2"),
        ([only(REGION)], "iam:GetUser", MISSING, "for region us-east-1"),
        ([only("us-east-1")], "route53:ListHostedZones", COVERED, "for region us-east-1"),
        ([only(REGION)], "sts:AssumeRole", NARROWER, ""),
        ([only([REGION, "us-east-1"])], "sts:AssumeRole", COVERED, ""),
        ([only(REGION)], "tag:GetResources", NARROWER, "no statement for * when it is called in us-east-1"),
        ([only([REGION, "us-east-1"])], "tag:GetResources", COVERED, "for region us-east-1, region eu-central-1"),
        ([only(REGION)], "iam:PassRole", NARROWER, "called in us-east-1"),
        ([only(REGION)], "organizations:ListRoots", NARROWER, "aws:RequestedRegion is not known"),
        ([ANY, outside(REGION)], DESCRIBE, COVERED, "allows it"),
        ([ANY, outside(REGION)], "iam:GetUser", COVERED, "allows it"),
        ([ANY, outside("eu-west-1")], DESCRIBE, DENIED, "for region eu-central-1"),
        ([ANY, outside(REGION, spared=("iam:*",))], "sts:AssumeRole", NARROWER, "denies it under"),
        ([under("StringEquals", "ec2:Region", REGION)], DESCRIBE, COVERED, ""),
        ([under("StringEquals", "ec2:Region", REGION)], "s3:CreateBucket", MISSING, ""),
        # accounts of resources
        ([under("StringEquals", "aws:ResourceAccount", ACCOUNT)], TERMINATE, COVERED, "for account 111122223333"),
        ([under("StringEquals", "aws:ResourceAccount", ACCOUNT)], "ec2:DescribeImages", NARROWER, "is not known"),
        ([ANY, deny("*", Condition={"StringNotEquals": {"aws:ResourceAccount": ACCOUNT}})], RUN, NARROWER, ""),
        # what only the call itself has
        ([under("IpAddress", "aws:SourceIp", "10.0.0.0/8")], DESCRIBE, NARROWER, "tells aws:SourceIp"),
        ([under("StringEquals", "aws:ResourceTag/team", "ocp")], TERMINATE, NARROWER, "tells aws:ResourceTag/team"),
        ([under("StringEquals", TAG, "owned")], TERMINATE, NARROWER, "only with --assume cluster-tag"),
        ([under("DateGreaterThan", "aws:TokenIssueTime", "2026-01-01")], DESCRIBE, NARROWER, "aws:TokenIssueTime"),
    ],
)  # fmt: skip
def test_one_cluster(statements: list[Any], action: str, verdict: str, because: str) -> None:
    found = ask(*statements, action=action)
    assert found.verdict == verdict, found.reason
    assert because in found.reason


@pytest.mark.parametrize(
    ("statements", "action", "verdict"),
    [
        ([under("StringEquals", TAG, "owned")], TERMINATE, COVERED),
        ([under("StringEquals", TAG, "owned")], ATTACH, COVERED),
        ([under("StringEquals", TAG, "shared")], TERMINATE, MISSING),
        ([under("StringLike", TAG.upper(), "own*")], TERMINATE, COVERED),
        ([under("Null", TAG, "false")], TERMINATE, COVERED),
        ([under("StringEquals", TAG, "owned")], "elasticloadbalancing:DeleteLoadBalancer", COVERED),
        ([under("StringEquals", f"ec2:{TAG[4:]}", "owned")], "elasticloadbalancing:DeleteLoadBalancer", MISSING),
        ([under("StringEquals", f"elasticloadbalancing:{TAG[4:]}", "owned")], TERMINATE, MISSING),
        ([under("StringEquals", TAG.replace("Resource", "Request"), "owned")], "ec2:AllocateHosts", COVERED),
        ([under("StringEquals", TAG.replace("Resource", "Request"), "owned")], RUN, NARROWER),
        ([under("StringEquals", TAG, "owned")], DESCRIBE, MISSING),
        ([under("StringEquals", TAG.replace(INFRA, "c2-abcde"), "owned")], TERMINATE, NARROWER),
        ([under("StringEquals", "aws:ResourceTag/red-hat-managed", "true")], TERMINATE, COVERED),
        ([under("StringEquals", "aws:ResourceTag/team", "ocp")], TERMINATE, NARROWER),
        ([ANY, deny("ec2:*", Condition={"StringNotEquals": {TAG: "owned"}})], TERMINATE, COVERED),
        ([ANY, deny("ec2:*", Condition={"StringNotEquals": {TAG: "owned"}})], RUN, NARROWER),
        ([ANY, deny("ec2:*", Condition={"StringNotEquals": {TAG: "owned"}})], DESCRIBE, DENIED),
    ],
)
def test_under_the_assumption_that_the_cluster_tags_what_it_has(
    statements: list[Any], action: str, verdict: str
) -> None:
    assert ask(*statements, action=action, assume=ASSUMED).verdict == verdict


def test_an_assumption_stands_in_the_reason_and_as_a_caveat() -> None:
    found = ask(under("StringEquals", TAG, "owned"), assume=ASSUMED)
    assert "with --assume cluster-tag" in found.reason
    assert found.caveats[0].startswith("it assumes (--assume cluster-tag)")
    assert found.assumed == ASSUMED
    without = ask(ANY, assume=ASSUMED)
    assert without.assumed == ()
    assert "assumption" not in without.reason + " ".join(without.caveats)
    nameless = {k: v for k, v in HERE.items() if k != "infrastructure_name"}
    assert ask(under("StringEquals", TAG, "owned"), context=nameless, assume=ASSUMED).verdict == NARROWER


def test_tags_count_once_whichever_answer_shows_them() -> None:
    team, other = ([{"Key": "team", "Value": value}] for value in ("ocp", "web"))
    asked = under("StringEquals", "aws:PrincipalTag/team", "ocp")
    for tags, shown, verdict in (
        ({"Tags": team}, team, COVERED),
        ({}, team, COVERED),
        ({"Tags": other}, team, NARROWER),
        ({"Tags": []}, team, NARROWER),
        ({}, [*team, {"Key": 7, "Value": "x"}], NARROWER),
    ):
        export = {k: v for k, v in details(role(asked, **tags)).items() if k == "RoleDetailList"}
        for named in ({}, {"Arn": ROLE}):
            answer = {"Role": {"RoleName": "c1-ebs", "Tags": shown, **named}}
            found = judge("AWS", [export, answer], ROLE, {"permission": TERMINATE}, account=ACCOUNT, context=HERE)
            assert found.verdict == verdict


def test_what_is_not_known_of_the_cluster_stays_open() -> None:
    def knowing(*keys: str) -> dict[str, Any]:
        return {key: HERE[key] for key in keys}

    own = allow("ec2:*", Resource=f"{OWN}instance/*")
    everywhere = allow("ec2:*", Resource="arn:*:ec2:*:*:instance/*")
    assert ask(own, context=HERE).verdict == COVERED
    for missing in (("partition", "account"), ("region", "account")):
        assert ask(own, context=knowing(*missing)).verdict == NARROWER, missing
        assert ask(everywhere, context=knowing(*missing)).verdict == COVERED, missing
    assert ask(own, context=knowing("partition", "region")).verdict == COVERED, "the account is the identity's"
    assert ask(only(REGION), action=DESCRIBE, context=knowing("partition")).verdict == NARROWER
    elsewhere = {**HERE, "partition": "aws-us-gov", "region": "us-gov-west-1"}
    assert ask(only("us-gov-west-1"), action="iam:GetUser", context=elsewhere).verdict == NARROWER
    assert ask(only("us-gov-west-1"), action=DESCRIBE, context=elsewhere).verdict == COVERED


def test_without_a_context_only_the_letter_counts() -> None:
    nothing: tuple[dict[str, Any] | None, ...] = (None, {})
    for context in nothing:
        assert ask(only(REGION), action=DESCRIBE, context=context).verdict == NARROWER
        assert ask(allow("ec2:*", Resource=f"{OWN}instance/*"), context=context).verdict == NARROWER
        assert ask(
            ANY, deny("ec2:*", Condition={"Bool": {"aws:SecureTransport": "false"}}), context=context
        ).verdict == (NARROWER)


def test_a_role_is_assumed_only_where_the_cluster_asks_for_one() -> None:
    zone = "arn:aws:iam::444455556666:role/shared-zone"
    known = {**HERE, "private_zone_role": zone}
    assume = "sts:AssumeRole"
    assert ask(allow(assume, Resource=zone), action=assume, context=known).verdict == COVERED
    assert (
        ask(allow(assume, Resource="arn:aws:iam::444455556666:role/*"), action=assume, context=known).verdict == COVERED
    )
    assert ask(allow(assume, Resource=f"{zone}-2"), action=assume, context=known).verdict == MISSING
    assert ask(allow(assume, Resource=zone), action=assume).verdict == NARROWER
    assert ask(ANY, deny(assume, Resource=zone), action=assume, context=known).verdict == DENIED
    assert ask(ANY, deny(assume, Resource=f"{zone}-2"), action=assume, context=known).verdict == COVERED
    assert (
        ask(under("StringEquals", "aws:ResourceAccount", "444455556666"), action=assume, context=known).verdict
        == COVERED
    )


BUCKET = {"name": "c1-x7k2p-image-registry-eu-central-1-q"}
IN_BUCKET = [f"arn:aws:s3:::{BUCKET['name']}", f"arn:aws:s3:::{BUCKET['name']}/*"]


@pytest.mark.parametrize(
    ("resource", "action", "verdict"),
    [
        (IN_BUCKET[:1], "s3:ListBucket", COVERED),
        (IN_BUCKET[:1], "s3:GetBucketLocation", COVERED),  # an access point may be asked for it too, and is not here
        (IN_BUCKET[:1], "s3:CreateBucket", COVERED),
        (IN_BUCKET[:1], "s3:PutObject", MISSING),
        (IN_BUCKET[1:], "s3:PutObject", COVERED),
        (IN_BUCKET[1:], "s3:ListBucket", MISSING),
        (["arn:aws:s3:::*-image-registry-${aws:RequestedRegion}-*"], "s3:GetObject", COVERED),
        (["arn:aws:s3:::*-image-registry-us-east-1-*"], "s3:ListBucket", MISSING),
        (["arn:aws:s3:::another", "arn:aws:s3:::another/*"], "s3:GetObject", MISSING),
        (["arn:aws-cn:s3:::c1-*"], "s3:ListBucket", MISSING),
        ([f"{IN_BUCKET[0]}/docker/*"], "s3:GetObject", NARROWER),
        (IN_BUCKET, "s3:ListAllMyBuckets", MISSING),
        (IN_BUCKET, "s3:NewAction", NARROWER),
        (IN_BUCKET, "s3:CreateAccessPoint", MISSING),
        (IN_BUCKET, "ec2:DescribeInstances", MISSING),
    ],
)
def test_one_bucket_is_all_that_a_component_asks_for(resource: list[str], action: str, verdict: str) -> None:
    found = ask(allow("s3:*", "ec2:*", Resource=resource), action=action, context={**HERE, "bucket": BUCKET})
    assert found.verdict == verdict, found.reason
    assert (f"bucket {BUCKET['name']}" in found.reason) == (verdict == COVERED)
    if verdict == COVERED:
        assert ask(allow("s3:*", "ec2:*", Resource=resource), action=action).verdict == NARROWER


def test_a_deny_outside_the_bucket_does_not_touch() -> None:
    here, grants = {**HERE, "bucket": BUCKET}, allow("s3:*")
    for resource, verdict in (
        ("arn:aws:s3:::audit/*", COVERED),
        (IN_BUCKET[1], DENIED),
        (f"{IN_BUCKET[0]}/x/*", NARROWER),
        ("*", DENIED),
    ):
        assert ask(grants, deny("s3:*", Resource=resource), action="s3:GetObject", context=here).verdict == verdict


def test_a_bucket_of_another_region_or_account_decides_its_own_keys() -> None:
    away = {**HERE, "bucket": {**BUCKET, "region": "eu-west-1"}}
    at_home = only(REGION)
    assert ask(at_home, action="s3:GetObject", context={**HERE, "bucket": BUCKET}).verdict == COVERED
    assert ask(at_home, action="s3:GetObject", context=away).verdict == MISSING
    assert ask(only("eu-west-1"), action="s3:GetObject", context=away).verdict == COVERED
    own = allow("s3:*", Condition={"StringEquals": {"aws:ResourceAccount": ACCOUNT}})
    assert ask(own, action="s3:GetObject", context={**HERE, "bucket": BUCKET}).verdict == COVERED
    brought = {**HERE, "bucket": {**BUCKET, "own": False}}
    assert ask(own, action="s3:GetObject", context=brought).verdict == NARROWER


def test_a_bucket_that_is_not_known_is_said() -> None:
    unread = {**HERE, "unread": {"bucket": "get configs: forbidden"}}
    found = ask(allow("s3:*", Resource=IN_BUCKET), action="s3:GetObject", context=unread)
    assert (found.verdict, "which bucket is used is not known: get configs: forbidden" in found.reason) == (
        NARROWER,
        True,
    )
    assert ask(allow("s3:*"), action="s3:GetObject", context=unread).verdict == COVERED
    terminating = ask(allow(TERMINATE, Resource=f"{OWN}instance/i-1"), context=unread)
    assert "bucket" not in terminating.reason


def test_variables_stand_behind_the_fifth_colon_of_a_resource() -> None:
    tagged = {"Tags": [{"Key": "Team", "Value": "ocp"}, {"Key": "star", "Value": "*"}]}
    for resource, verdict in (
        (f"{OWN}${{aws:PrincipalTag/team}}/*", MISSING),
        (f"{OWN}instance/${{aws:PrincipalTag/team}}*", NARROWER),
        (f"{OWN}instance/${{aws:PrincipalTag/none}}*", MISSING),
        (f"{OWN}instance/${{aws:PrincipalTag/none, ''}}*", COVERED),
        (f"{OWN}instance/${{aws:PrincipalTag/star}}", NARROWER),
        (f"{OWN}instance/${{*}}", NARROWER),
        (f"arn:aws:ec2:${{aws:RequestedRegion}}:{ACCOUNT}:instance/*", MISSING),
        (f"{OWN}instance/${{aws:userid}}*", NARROWER),
        ([f"{OWN}instance/*", f"{OWN}instance/${{aws:PrincipalTag/none}}"], NARROWER),
    ):
        found = ask(allow("ec2:*", Resource=resource), entry=tagged)
        assert found.verdict == verdict, (resource, found.reason)
    for resource, verdict in (
        (f"{OWN}instance/${{aws:PrincipalTag/none}}*", COVERED),
        (f"{OWN}instance/${{aws:PrincipalTag/team}}*", NARROWER),
        (f"{OWN}instance/${{aws:userid}}*", NARROWER),
    ):
        assert ask(ANY, deny("ec2:*", Resource=resource), entry=tagged).verdict == verdict, resource
    except_own = allow("ec2:*", Resource=None, NotResource=f"{OWN}volume/${{aws:PrincipalTag/team}}")
    assert ask(except_own, entry=tagged).verdict == COVERED
    assert ask(allow("ec2:*", Resource=None, NotResource=f"{OWN}*/${{aws:userid}}"), entry=tagged).verdict == NARROWER


def test_a_variable_before_the_resource_excepts_nothing_that_could_be_relied_on() -> None:
    elsewhere = f"arn:aws:ec2:${{aws:PrincipalTag/region}}:{ACCOUNT}:instance/*"
    assert ask(allow("ec2:*", Resource=None, NotResource=elsewhere)).verdict == NARROWER
    assert ask(ANY, deny("ec2:*", Resource=None, NotResource=elsewhere)).verdict == NARROWER


def test_a_resource_in_any_partition_is_one_in_the_own_partition() -> None:
    """IAM takes only ARNs of the account's own partition (aws-load-balancer-controller issue 1910)."""
    groups = "arn:*:ec2:*:*:security-group/*"
    nowhere: tuple[dict[str, Any] | None, ...] = (None, HERE)
    for context in nowhere:
        own = allow("ec2:*", Resource="arn:aws:ec2:*:*:security-group/*")
        assert ask(own, action="ec2:CreateTags", resource=groups, context=context).verdict == COVERED
        other = allow("ec2:*", Resource="arn:aws-cn:ec2:*:*:security-group/*")
        assert ask(other, action="ec2:CreateTags", resource=groups, context=context).verdict == MISSING


def test_the_partition_of_a_cluster_is_that_of_its_region() -> None:
    assert placed(Context(region="us-gov-west-1")).partition == "aws-us-gov"
    assert placed(Context(region="moon-1")).partition is None
    assert placed(Context()).partition is None
    assert placed(Context(region="us-gov-west-1", partition="aws")).partition == "aws"


def test_a_time_that_is_none_decides_nothing() -> None:
    found = ask(under("DateLessThan", "aws:CurrentTime", "2099-01-01"), context={**HERE, "now": "soon"})
    assert found.verdict == NARROWER
    assert "soon is not a time" in found.reason


def test_an_older_document_has_no_variables() -> None:
    old = {
        "Version": "2008-10-17",
        "Statement": [allow("ec2:*", Resource=f"{OWN}instance/${{aws:PrincipalTag/none, ''}}*")],
    }
    inline = {"RolePolicyList": [{"PolicyName": "p", "PolicyDocument": old}]}
    assert ask(entry=inline).verdict == MISSING
    del old["Version"]
    assert ask(entry=inline).verdict == MISSING


def test_the_tags_of_an_identity_count_where_the_export_shows_them() -> None:
    tagged = under("StringEquals", "aws:PrincipalTag/team", "ocp")
    assert ask(tagged, entry={"Tags": [{"Key": "TEAM", "Value": "ocp"}]}).verdict == COVERED
    assert ask(tagged, entry={"Tags": []}).verdict == MISSING
    assert ask(tagged, entry={"Tags": None}).verdict == NARROWER
    assert ask(tagged, entry={"Tags": [{"Key": "team"}]}).verdict == NARROWER, (
        "a list that cannot be read shows nothing"
    )
    unseen = {
        "RoleName": "c1-ebs",
        "Arn": ROLE,
        "RolePolicyList": [{"PolicyName": "p", "PolicyDocument": document(tagged)}],
    }
    grant = {"permission": DESCRIBE}
    export = {"RoleDetailList": [{**unseen, "AttachedManagedPolicies": []}]}
    assert judge("AWS", [export], ROLE, grant, context=HERE).verdict == NARROWER
    two = [
        role(tagged, Tags=[]),
        {"Role": {"RoleName": "c1-ebs", "Arn": ROLE, "Tags": [{"Key": "team", "Value": "ocp"}]}},
    ]
    assert judge("AWS", [details(two[0]), two[1]], ROLE, grant, context=HERE).verdict == NARROWER, (
        "two documents disagree"
    )


def test_boundaries_and_the_organisation_are_decided_alike() -> None:

    def limited(*limits: Any) -> CoverageResult:
        export = details(role(ANY, Tags=[], PermissionsBoundary=boundary()), bounded(*limits))
        return judge("AWS", [export], ROLE, {"permission": DESCRIBE}, account=ACCOUNT, context=HERE)

    def guarded(*policies: Any) -> CoverageResult:
        return ask(ANY, action=DESCRIBE, beside=policies)

    assert limited(only(REGION)).verdict == COVERED
    assert limited(only("eu-west-1")).verdict == MISSING
    assert limited(under("IpAddress", "aws:SourceIp", "10.0.0.0/8")).verdict == NARROWER
    assert limited(ANY, outside("eu-west-1")).verdict == DENIED
    full = organisation(ANY, name="FullAWSAccess")
    assert guarded(organisation(outside(REGION))).verdict == COVERED, "with nothing but Deny beside FullAWSAccess"
    assert guarded(full, organisation(outside(REGION))).verdict == COVERED
    assert guarded(full, organisation(outside("eu-west-1"))).verdict == DENIED
    assert guarded(organisation(only(REGION))).verdict == COVERED
    assert guarded(full, organisation(only("eu-west-1"))).verdict == MISSING, "each of them must allow it"
    assert (
        guarded(organisation(deny("*", Condition={"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}))).verdict
        == NARROWER
    )
    exempt = {"ArnNotLike": {"aws:PrincipalArn": [ROLE]}}
    assert guarded(organisation(deny("*", Condition=exempt))).verdict == COVERED


def test_a_required_resource_is_asked_for_as_it_is() -> None:
    volume = f"{OWN}volume/vol-1"
    assert ask(allow("ec2:*", Resource=f"{OWN}volume/*"), action=ATTACH, resource=volume).verdict == COVERED
    assert ask(allow("ec2:*", Resource=f"{OWN}instance/*"), action=ATTACH, resource=volume).verdict == MISSING
    assert ask(under("StringEquals", TAG, "owned"), action=ATTACH, resource=volume, assume=ASSUMED).verdict == COVERED
    assert ask(under("StringEquals", TAG, "owned"), action=ATTACH, resource="arn:x", assume=ASSUMED).verdict == NARROWER


def test_only_known_assumptions_and_values_of_the_right_kind_are_taken() -> None:
    with pytest.raises(ValueError, match="'cluster-tags' is not one of cluster-tag"):
        ask(ANY, assume=("cluster-tags",))
    wrong: tuple[Any, ...] = ({"region": 7}, "eu-central-1", ["eu-central-1"])
    for context in wrong:
        with pytest.raises(ValueError, match="context"):
            ask(ANY, context=context)
    assert ask(ANY, context={"region": None, "a key of later": 1}).verdict == COVERED


def test_a_grant_that_names_no_resource_asks_for_all() -> None:
    assert ask(allow("ec2:*", Resource=f"{OWN}*"), resource=None).verdict == COVERED


def test_a_resource_that_is_named_is_asked_for_whatever_the_cluster_works_with() -> None:
    other = "arn:aws:iam::444455556666:role/other"
    known = {**HERE, "private_zone_role": "arn:aws:iam::444455556666:role/shared-zone", "bucket": BUCKET}
    both = {"Condition": {"StringEquals": {"aws:RequestedRegion": [REGION, "us-east-1"]}}}
    assume = allow("sts:AssumeRole", Resource=other, **both)
    assert ask(assume, action="sts:AssumeRole", resource=other, context=known).verdict == COVERED
    objects = "arn:aws:s3:::other/*"
    assert (
        ask(allow("s3:*", Resource=objects, **both), action="s3:GetObject", resource=objects, context=known).verdict
        == COVERED
    )
    volume = f"{OWN}volume/vol-1"
    assert ask(allow("ec2:*", Resource=volume, **both), action=ATTACH, resource=volume).verdict == COVERED
    unsure = deny("ec2:*", Resource=f"{OWN}volume/${{aws:userid}}")
    assert ask(ANY, unsure, action=ATTACH, resource=volume).verdict == NARROWER, "the variable may be vol-1"


def test_a_role_of_a_zone_is_called_one_and_may_be_written_badly() -> None:
    known = {**HERE, "private_zone_role": "arn:aws:iam::444455556666:role/shared-zone"}
    found = ask(only(REGION), action="sts:AssumeRole", context=known)
    assert (
        "no statement for every role arn:aws:iam::444455556666:role/shared-zone when it is called in us" in found.reason
    )
    assert ask(ANY, action="sts:AssumeRole", context={**HERE, "private_zone_role": "shared-zone"}).verdict == COVERED


@pytest.mark.parametrize(
    ("operator", "key", "value"),
    [
        ("StringNotEquals", "aws:PrincipalTag", "x"),  # no tag is named
        ("StringNotEquals", f"s3:ExistingObjectTag/{TAG.partition('/')[2]}", "owned"),  # another service's tags
        ("StringNotEquals", f"nosuch:{TAG}", "owned"),
    ],
)
def test_a_key_that_only_looks_like_one_of_tags_is_not_decided(operator: str, key: str, value: str) -> None:
    assert ask(under(operator, key, value), assume=ASSUMED).verdict == NARROWER


def test_without_the_name_of_the_infrastructure_no_tag_is_taken_for_granted() -> None:
    nameless = {k: v for k, v in HERE.items() if k != "infrastructure_name"}
    for tag, value in (("red-hat-managed", "true"), ("kubernetes.io/cluster/None", "owned")):
        statement = under("StringEquals", f"aws:ResourceTag/{tag}", value)
        assert ask(statement, context=nameless, assume=ASSUMED).verdict == NARROWER


def test_the_time_is_a_text_in_the_form_of_its_key() -> None:
    now = {**HERE, "now": "2026-11-30T12:00:00Z"}
    assert ask(under("StringLike", "aws:CurrentTime", "2026-11-30T*"), context=now).verdict == COVERED
    assert ask(under("StringLike", "aws:EpochTime", "17960400*"), context=now).verdict == COVERED
    assert ask(under("StringLike", "aws:CurrentTime", "1796*"), context=now).verdict == MISSING


def test_the_bucket_of_a_component_is_told_to_what_is_known_of_the_cluster() -> None:
    export = [Document(details(role(allow("s3:*", "ec2:*", Resource=[*IN_BUCKET, f"{OWN}*"]))))]
    here = build(export, None, Context(partition="aws", region=REGION))
    asked = Grant("action", "s3:GetObject", "Allow", "*")
    found = {
        bucket: here.with_bucket(bucket).judge(ROLE, asked, ())
        for bucket in (Known(Bucket(BUCKET["name"])), Absent(), Unknown("get configs: forbidden"))
    }
    assert [one.verdict for one in found.values()] == [COVERED, NARROWER, NARROWER]
    said = "; which bucket is used is not known: get configs: forbidden"
    assert [said in one.reason for one in found.values()] == [False, False, True]
    assert here.judge(ROLE, Grant("action", ATTACH, "Allow", "*"), ()).verdict == COVERED, "the account is the role's"
    nowhere = build(export, None)
    assert nowhere.with_bucket(Known(Bucket(BUCKET["name"]))) is nowhere


def test_only_what_asks_for_the_bucket_is_called_in_its_region() -> None:
    away = {**HERE, "bucket": {**BUCKET, "region": "eu-west-1"}}
    assert ask(only(REGION), action=DESCRIBE, context=away).verdict == COVERED


def old_document(*statements: Any) -> dict[str, Any]:
    """Return the entry of a role whose one policy is of the version without variables."""
    body = {"Version": "2008-10-17", "Statement": list(statements)}
    return {"RolePolicyList": [{"PolicyName": "p", "PolicyDocument": body}]}


def test_what_looks_like_a_variable_in_an_older_document_is_text_beside_the_others() -> None:
    text = f"{OWN}instance/${{aws:userid}}*"
    assert ask(entry=old_document(allow("ec2:*", Resource=[f"{OWN}instance/*", text]))).verdict == COVERED
    assert ask(entry=old_document(allow("ec2:*", Resource=None, NotResource=text))).verdict == COVERED
    assert ask(entry=old_document(ANY, deny("ec2:*", Resource=text))).verdict == NARROWER


def test_the_first_variable_of_a_resource_decides_where_it_stands() -> None:
    first = f"arn:aws:ec2:${{aws:RequestedRegion}}:{ACCOUNT}:instance/${{aws:PrincipalTag/none, ''}}*"
    assert ask(allow("ec2:*", Resource=first)).verdict == MISSING
    whole = "${aws:PrincipalTag/none}"
    assert ask(allow("ec2:*", Resource=None, NotResource=whole)).verdict == NARROWER


def test_all_variables_of_a_statement_are_waited_for_and_rested_on() -> None:
    tagged = {"Tags": [{"Key": "team", "Value": "ocp"}]}
    resources = ["arn:aws:s3:::*-${aws:RequestedRegion}-*", "arn:aws:s3:::x/${aws:PrincipalTag/team}"]
    here = {**HERE, "bucket": BUCKET}
    found = ask(allow("s3:*", Resource=resources), action="s3:GetObject", context=here, entry=tagged)
    assert (found.verdict, "region eu-central-1" in found.reason) == (COVERED, True)
    waiting = ask(allow("ec2:*", Resource=[f"{OWN}instance/${{aws:userid}}", f"{OWN}instance/${{aws:SourceVpc}}"]))
    assert waiting.verdict == NARROWER
    open_ = waiting.reason.partition(" (")[2]
    assert all(key in open_ for key in ("aws:userid", "aws:SourceVpc")), "each of them is named as open"


def test_what_may_be_passed_over_is_neither_relied_on_nor_forgotten() -> None:
    """IAM passes over a statement with a variable that has no value; whether it has one is not always known."""
    none, perhaps = f"{OWN}instance/${{aws:PrincipalTag/none}}", f"{OWN}instance/${{aws:userid}}"
    assert ask(ANY, deny("ec2:*", Resource=[none, perhaps])).verdict == NARROWER
    assert ask(ANY, deny("ec2:*", Resource=None, NotResource=none)).verdict == COVERED
    assert ask(allow("ec2:*", Resource=[f"{OWN}instance/*", perhaps])).verdict == NARROWER


def test_a_part_of_what_an_unknown_wildcard_may_stand_for_is_not_all_of_it() -> None:
    part = allow(TERMINATE, Condition={"StringEquals": {"aws:RequestedRegion": REGION}})
    found = ask(part, action="ec2:Terminate*")
    assert (found.verdict, "allows it only in part and under" in found.reason) == (NARROWER, True)
    assert ask(only(REGION), action="ec2:Terminate*").verdict == COVERED


FROM_OFFICE = {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}


@pytest.mark.parametrize(
    ("statements", "action", "verdict", "begins"),
    [
        (
            [allow("ec2:*", **FROM_OFFICE), only(REGION)],
            TERMINATE,
            COVERED,
            "statement 2 of policy p of role c1-ebs allows",
        ),
        (
            [only(REGION), allow("ec2:*", **FROM_OFFICE)],
            TERMINATE,
            COVERED,
            "statement 1 of policy p of role c1-ebs allows",
        ),
        (
            [only(REGION, Resource=f"{OWN}instance/*"), only(REGION)],
            ATTACH,
            COVERED,
            "statement 2 of policy p of role c1",
        ),
        (
            [only(REGION), only(REGION, Resource=f"{OWN}instance/*")],
            ATTACH,
            COVERED,
            "statement 1 of policy p of role c1",
        ),
        (
            [ANY, deny("*", **FROM_OFFICE), deny("ec2:*", Resource=f"{OWN}*")],
            TERMINATE,
            DENIED,
            "statement 3 of policy p",
        ),
    ],
)
def test_a_reason_names_what_decides_and_not_what_may(
    statements: list[Any], action: str, verdict: str, begins: str
) -> None:
    found = ask(*statements, action=action)
    assert found.verdict == verdict
    assert found.reason.startswith(begins)
    assert " and " not in found.reason


def test_an_answer_rests_on_nothing_that_its_resources_do_not_name() -> None:
    here = {**HERE, "bucket": BUCKET}
    zones = ask(
        allow("route53:*", Resource="arn:aws:route53:::hostedzone/*"), action="route53:GetHostedZone", context=here
    )
    assert zones.verdict == COVERED
    assert not any(word in zones.reason for word in ("region", "account", "bucket"))
    instances = ask(allow("ec2:*", Resource=f"{OWN}*"), context=here)
    assert (instances.verdict, "bucket" in instances.reason) == (COVERED, False)
    nowhere = ask(allow("ec2:*", Resource="arn:aws-cn:ec2:*:*:*"), context={"partition": "aws", "account": ACCOUNT})
    assert (nowhere.verdict, "None" in nowhere.reason) == (MISSING, False)


def test_the_bucket_is_asked_about_only_where_it_was_not_read_and_could_matter() -> None:
    known = ask(allow("s3:*", Resource=IN_BUCKET), action="s3:GetObject")
    assert (known.verdict, "which bucket" in known.reason) == (NARROWER, False)
    unread = {**HERE, "unread": {"bucket": "get configs: forbidden"}}
    odd = ask(allow("s3:*", Resource="arn:aws:s3:::*"), action="s3:HeadBucket", context=unread)
    assert (odd.verdict, "which bucket" in odd.reason) == (NARROWER, False)


def test_a_deny_that_may_apply_is_mended_by_nothing_unseen() -> None:
    unseen = {"AttachedManagedPolicies": [{"PolicyName": "m", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/m"}]}
    assert ask(ANY, deny("ec2:*", **FROM_OFFICE), entry=unseen).verdict == NARROWER
    assert ask(allow("ec2:*", **FROM_OFFICE), entry=unseen).verdict == UNKNOWN


def test_what_the_organisation_denies_counts_without_a_cluster_too_and_only_where_it_is_asked_for() -> None:
    volume = f"{OWN}volume/vol-1"
    for resource, verdict in ((volume, DENIED), (f"{OWN}volume/vol-2", COVERED), ("*", DENIED)):
        guard = organisation(deny("ec2:*", Resource=resource))
        assert ask(ANY, action=ATTACH, resource=volume, context=None, beside=(guard,)).verdict == verdict
    somewhere = organisation(deny("ec2:*", Resource=volume))
    assert ask(ANY, action=ATTACH, resource=None, context=None, beside=(somewhere,)).verdict == NARROWER


def test_an_answer_rests_on_every_statement_that_does_not_apply_here() -> None:
    elsewhere = deny("*", Condition={"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}})
    found = ask(ANY, outside(REGION), elsewhere)
    assert (found.verdict, "for region eu-central-1" in found.reason) == (COVERED, True)


# --- brute force: every request of a small universe, in every world that the context leaves open ---

WEST = "us-west-2"
ASKED: dict[str, list[str | None]] = {TERMINATE: ["instance"], ATTACH: ["instance", "volume"], DESCRIBE: [None]}
NAMES = ("1", "ocp", "x/2")
WHOLE = ["*", f"{OWN}*", f"{OWN}instance/*", f"arn:aws:ec2:{WEST}:*:*", "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*"]
SOME = [f"{OWN}instance/1", f"{OWN}volume/?", f"{OWN}*/${{aws:PrincipalTag/team}}", f"{OWN}*/${{aws:SourceVpc}}*"]
CONDITIONS: list[dict[str, dict[str, list[str]]]] = [
    {},
    {"StringEquals": {"aws:RequestedRegion": [REGION, "x"]}},
    {"StringNotEquals": {"aws:RequestedRegion": [REGION]}},
    {"StringLike": {"aws:PrincipalTag/team": ["o*"]}},
    {"StringNotEquals": {"aws:PrincipalTag/none": ["x"]}, "StringEquals": {"aws:PrincipalTag/team": ["web"]}},
]
OPEN_CONDITIONS: list[dict[str, dict[str, list[str]]]] = [
    {"StringEquals": {"aws:SourceVpc": ["vpc-1"]}},
    {"StringNotEquals": {"aws:SourceVpc": ["vpc-1"]}},
    {"StringEqualsIfExists": {"aws:SourceVpc": ["vpc-1"]}, "StringEquals": {"aws:RequestedRegion": [REGION]}},
    {"Null": {"aws:SourceVpc": ["true"]}},
]


def statements_of(resources: list[str], conditions: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    about = st.lists(st.sampled_from(resources), min_size=1, max_size=2)
    actions = st.lists(st.sampled_from([TERMINATE, "ec2:Attach*", DESCRIBE, "ec2:*", "s3:*"]), min_size=1, max_size=2)
    return st.builds(
        lambda effect, action, actions, resource, resources, condition: {
            "Effect": effect,
            action: actions,
            resource: resources,
            "Condition": condition,
        },
        st.sampled_from(["Allow", "Allow", "Allow", "Deny"]),
        st.sampled_from(["Action", "Action", "NotAction"]),
        actions,
        st.sampled_from(["Resource", "Resource", "NotResource"]),
        about,
        st.sampled_from(conditions),
    )


def one_value(key: str, world: dict[str, str | None]) -> str | None:
    return {"aws:PrincipalTag/team": "ocp", "aws:PrincipalTag/none": None, **world}[key]


def meets(condition: dict[str, dict[str, list[str]]], world: dict[str, str | None]) -> bool:
    """Say for one request whether a condition holds."""
    for operator, tests in condition.items():
        for key, wanted in tests.items():
            value = one_value(key, world)
            if operator == "Null":
                met = (value is None) == (wanted == ["true"])
            elif value is None:
                met = "Not" in operator or operator.endswith("IfExists")
            else:
                met = any(fnmatch.fnmatchcase(value, w) for w in wanted) != ("Not" in operator)
            if not met:
                return False
    return True


def applies(statement: dict[str, Any], action: str, resource: str, world: dict[str, str | None]) -> bool:
    """Say whether a statement is about one request: the oracle, which knows every key."""
    filled = []
    listed = statement.get("Resource") or statement["NotResource"]
    for pattern in listed:
        text = pattern.replace("${aws:PrincipalTag/team}", "ocp")
        if "${" in text and world["aws:SourceVpc"] is None:
            continue
        filled.append(text.replace("${aws:SourceVpc}", world["aws:SourceVpc"] or ""))
    if not filled:
        return False
    if len(filled) < len(listed) and "NotResource" in statement:
        return False
    about = any(fnmatch.fnmatchcase(resource, pattern) for pattern in filled) == ("Resource" in statement)
    named = statement.get("Action") or statement["NotAction"]
    asked = any(fnmatch.fnmatchcase(action, pattern) for pattern in named) == ("Action" in statement)
    return about and asked and meets(statement["Condition"], world)


def answers(statements: list[dict[str, Any]], action: str, *, knows_region: bool) -> set[str]:
    """Return what IAM answers to each request that the cluster can make, in each world."""
    found = set()
    regions: tuple[str, ...] = (REGION,) if knows_region else (REGION, WEST)
    vpcs: tuple[str | None, ...] = (None, "vpc-1", "vpc-2")
    for region, vpc in itertools.product(regions, vpcs):
        world: dict[str, str | None] = {"aws:RequestedRegion": region, "aws:SourceVpc": vpc}
        for kind, name in itertools.product(ASKED[action], NAMES):
            resource = "*" if kind is None else f"arn:aws:ec2:{region}:{ACCOUNT}:{kind}/{name}"
            hits = {s["Effect"] for s in statements if applies(s, action, resource, world)}
            found.add("denied" if "Deny" in hits else "allowed" if hits else "nothing")
    return found


BRUTE = settings(deadline=None, derandomize=True, max_examples=300)


@BRUTE
@given(
    st.lists(statements_of(WHOLE + SOME, CONDITIONS + OPEN_CONDITIONS), min_size=1, max_size=4),
    st.sampled_from(list(ASKED)),
    st.booleans(),
)
def test_what_is_decided_is_true_of_every_request(statements: list[Any], action: str, knows_region: bool) -> None:
    context = HERE if knows_region else {k: v for k, v in HERE.items() if k != "region"}
    entry = {"Tags": [{"Key": "team", "Value": "ocp"}]}
    verdict = ask(*statements, action=action, context=context, entry=entry).verdict
    really = answers(statements, action, knows_region=knows_region)
    if verdict == COVERED:
        assert really == {"allowed"}
    if verdict == DENIED:
        assert really == {"denied"}
    if verdict == MISSING:
        assert "allowed" not in really


@BRUTE
@given(st.lists(statements_of(WHOLE, CONDITIONS), min_size=1, max_size=4), st.sampled_from(list(ASKED)))
def test_where_nothing_is_open_what_every_request_gets_is_decided(statements: list[Any], action: str) -> None:
    entry = {"Tags": [{"Key": "team", "Value": "ocp"}]}
    verdict = ask(*statements, action=action, entry=entry).verdict
    really = answers(statements, action, knows_region=True)
    if really == {"allowed"}:
        assert verdict == COVERED
    if really == {"denied"}:
        assert verdict == DENIED


def test_a_statement_that_allows_a_part_is_not_named_for_the_whole() -> None:
    one = allow(ATTACH, Resource=[f"{OWN}volume/*", f"{OWN}instance/i-1*"], Sid="One")
    result = ask(one, allow(ATTACH, Resource=f"{OWN}instance/*", Sid="Two"), action=ATTACH)
    assert result.verdict == COVERED
    assert "allow it together" in result.reason
    assert "statement One" in result.reason
    assert "statement Two" in result.reason


IP = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}


def test_of_what_stands_in_the_way_a_statement_that_surely_holds_is_named_first() -> None:
    part = allow(TERMINATE, Resource=f"{OWN}instance/i-1*", Sid="Part")
    both = ask(allow(TERMINATE, Condition=IP, Sid="Waits"), part)
    assert both.verdict == NARROWER
    assert both.reason.startswith("statement Part of policy p of role c1-ebs allows it only for ")
    assert "not for every instance" in both.reason


BOTH = "statement 1 of policy p of role c1-ebs and statement 2 of policy p of role c1-ebs"


@pytest.mark.parametrize(
    ("statements", "action", "reason"),
    [
        ([ANY, only("us-west-2")], TERMINATE, "statement 1 of policy p of role c1-ebs allows it"),
        (
            [allow("s3:*", Resource="arn:aws:s3:::*")],
            "s3:CreateBucket",
            "statement 1 of policy p of role c1-ebs allows it",
        ),
        (
            [only(REGION, Resource=f"{OWN}{kind}/*", Sid=kind) for kind in ("instance", "volume")] + [only(REGION)],
            ATTACH,
            "statement 3 of policy p of role c1-ebs allows it for region eu-central-1",
        ),
        (
            [allow("ec2:*", Resource=f"{OWN}{name}") for name in ("instance/*", "volume/*", "instance/i-1*")],
            ATTACH,
            f"{BOTH} allow it together for region eu-central-1, account 111122223333",
        ),
        (
            [allow("ec2:*", Resource=f"{OWN}instance/{name}") for name in ("", "?*")] + [allow("ec2:*", **FROM_OFFICE)],
            TERMINATE,
            f"{BOTH} allow it together for region eu-central-1, account 111122223333",
        ),
    ],
)
def test_of_what_allows_as_little_is_named_as_suffices(statements: list[Any], action: str, reason: str) -> None:
    found = ask(*statements, action=action)
    assert (found.verdict, found.reason) == (COVERED, reason)


def test_of_a_statement_that_waits_for_a_variable_only_that_is_said() -> None:
    waits = ask(allow(TERMINATE, Resource=f"{OWN}instance/${{aws:userid}}"))
    assert waits.verdict == NARROWER
    assert waits.reason.endswith("(nothing that was read of the cluster tells aws:userid)")


def test_of_a_statement_that_waits_for_a_key_only_that_is_said() -> None:
    waits = ask(allow(TERMINATE, Condition=IP, Sid="Waits"))
    assert waits.verdict == NARROWER
    assert waits.reason.endswith("(nothing that was read of the cluster tells aws:SourceIp)")
    assert "not for" not in waits.reason


def test_what_would_allow_it_elsewhere_is_named_whether_or_not_something_may_deny_it() -> None:
    there = allow(TERMINATE, Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})
    alone, denied = ask(there), ask(there, deny(TERMINATE, Condition=IP))
    assert alone.verdict == denied.verdict == MISSING
    assert alone.reason == denied.reason
    assert f"no statement allows {TERMINATE} for region {REGION}; statement 1 of policy p" in alone.reason
    assert ask(allow("ec2:CreateTags")).reason == f"no statement allows {TERMINATE}"


@pytest.mark.parametrize("effect", [None, 1, ["Allow"], {"Allow": True}, ""])
def test_a_statement_whose_effect_is_no_text_allows_nothing(effect: Any) -> None:
    odd = {"Effect": effect, "Action": TERMINATE, "Resource": "*"}
    assert ask(odd).verdict != COVERED
    assert ask(allow(TERMINATE), odd).verdict != COVERED, "it may be a Deny"

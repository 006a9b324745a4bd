"""What a CloudFormation template says of its roles and users, piece by piece.

Expected from the user guide: AWS::IAM resource types, intrinsic functions, macros.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.worlds.aws_exports import allow, deny, document
from upgrade_gate.clouds.aws import cloudformation
from upgrade_gate.clouds.aws.cloudformation import declarations, resolved
from upgrade_gate.clouds.aws.open_policies import certain_only, policy
from upgrade_gate.clouds.contract.declared import Declaration, Open, Part

FIRST, SECOND, THIRD, FOURTH = (document(allow(f"{service}:*")) for service in ("ec2", "s3", "kms", "sqs"))
DENIED = document(deny("ec2:*"))
TRUST = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity"}]}


def _found(**resources: Any) -> list[Declaration]:
    return list(declarations({"Resources": resources}))


def _role(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _of(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::IAM::{kind}", "Properties": properties}


def _seen(*names: str) -> list[dict[str, str]]:
    return [{"PolicyArn": name, "PolicyName": name} for name in names]


def test_a_role_has_what_stands_in_it_what_it_names_and_what_names_it() -> None:
    role = _role(
        RoleName="c1-ingress",
        Policies=[{"PolicyName": "a", "PolicyDocument": FIRST}, {"PolicyDocument": SECOND}],
        ManagedPolicyArns=["arn:x", {"Ref": "M"}, {"Fn::ImportValue": "z"}, {"Ref": "Other"}, {"Ref": "N"}],
        AssumeRolePolicyDocument=TRUST,
    )
    managed = _of("ManagedPolicy", ManagedPolicyName="m", PolicyDocument=THIRD)
    both = _of("ManagedPolicy", PolicyDocument=FOURTH, Roles=[{"Ref": "Ingress"}])
    found = _found(Ingress=role, M=managed, N=both, Other=_role(RoleName="other"))
    place = ("Resources", "Ingress", "Properties")
    assert found[0] == Declaration(
        (
            Part("a", FIRST, FIRST, (*place, "Policies", 0, "PolicyDocument")),
            Part("Ingress 2", SECOND, SECOND, (*place, "Policies", 1, "PolicyDocument")),
            Part("m", THIRD, THIRD, ("Resources", "M", "Properties", "PolicyDocument")),
            Part("N", FOURTH, FOURTH, ("Resources", "N", "Properties", "PolicyDocument")),
        ),
        ("c1-ingress", "Ingress"),
        ("c1-ingress",),
        rest={
            "AttachedManagedPolicies": _seen("arn:x", "!ImportValue z", "!Ref Other"),
            "AssumeRolePolicyDocument": TRUST,
        },
        path=place,
        trusts=True,
    )
    assert [one.names for one in found[1:]] == [("m", "M"), ("other", "Other")]


def test_a_policy_that_names_nobody_of_the_template_is_declared_by_itself() -> None:
    (found,) = _found(M=_of("ManagedPolicy", ManagedPolicyName="m", PolicyDocument=FIRST, Roles=["x", {"Ref": "P"}]))
    place = ("Resources", "M", "Properties")
    part = Part("m", FIRST, FIRST, (*place, "PolicyDocument"))
    assert found == Declaration((part,), ("m", "M"), ("x", "*"), path=place)


@pytest.mark.parametrize(
    ("trust", "said", "kept"),
    [
        (None, False, False),
        (TRUST, True, True),
        ({"Statement": {"Ref": "T"}}, True, False),
        ({"Ref": "T"}, True, False),
    ],
)
def test_whom_a_role_trusts_is_said_where_the_template_says_all_of_it(trust: Any, said: bool, kept: bool) -> None:
    (found,) = _found(R=_role(AssumeRolePolicyDocument=trust))
    assert (found.trusts, "AssumeRolePolicyDocument" in found.rest) == (said, kept)


@pytest.mark.parametrize(
    ("policies", "parts"),
    [
        (None, []),
        ([], []),
        ({"PolicyName": "p", "PolicyDocument": FIRST}, [("p", ("Policies", "PolicyDocument"), ())]),
        ({"Ref": "P"}, [("R 1", ("Policies", "PolicyDocument"), ("!Ref P",))]),
        ([{"Fn::If": ["C", {}, {}]}], [("R 1", ("Policies", 0, "PolicyDocument"), ("!If …",))]),
        (7, [("R 1", ("Policies", "PolicyDocument"), ("that is no text",))]),
    ],
)
def test_policies_of_another_shape_are_open(policies: Any, parts: list[Any]) -> None:
    (found,) = _found(R=_role(Policies=policies))
    assert [(part.name, part.path[3:], part.opened) for part in found.parts] == parts


@pytest.mark.parametrize(
    ("name", "called", "names"),
    [
        (None, (), ("R",)),
        ({"Ref": "AWS::NoValue"}, (), ("R",)),
        ("c1", ("c1",), ("c1", "R")),
        ({"Ref": "P"}, ("*",), ("R",)),
        ({"Fn::Sub": "${A}-b-${C}"}, ("*-b-*",), ("R",)),
        ({"Fn::Sub": ["${A}-b", {"A": "x"}]}, ("*-b",), ("R",)),
        ({"Fn::Sub": "a${!b}"}, ("a${b}",), ("a${b}", "R")),
        ({"Fn::Join": ["-", [{"Ref": "A"}, "b"]]}, ("*-b",), ("R",)),
        ({"Fn::Join": ["-", {"Ref": "A"}]}, ("*",), ("R",)),
        ({"Fn::Join": ["-", ["a", "b"]]}, ("a-b",), ("a-b", "R")),
        ("%{name}", ("*",), ("%{name}", "R")),
        (7, ("*",), ("R",)),
    ],
)
def test_a_role_is_called_as_far_as_the_template_says_it(
    name: Any, called: tuple[str, ...], names: tuple[str, ...]
) -> None:
    (found,) = _found(R=_role(**({} if name is None else {"RoleName": name})))
    assert (found.called, found.names) == (called, names)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Fn::Sub": "a"}, "a"),
        ({"Fn::Sub": "${!aws:username}"}, "${aws:username}"),
        ({"Fn::Sub": "${!a}${B}"}, Open("!Sub ${!a}${B}")),
        ({"Fn::Sub": ["a", {}]}, Open("!Sub …")),
        ({"Fn::Sub": "x" * 300}, "x" * 300),
        ({"Fn::Sub": "${A}" + "x" * 300}, Open("!Sub ${A}" + "x" * 191)),
        ({"Fn::Join": ["-", ["a", {"Fn::Sub": "b"}]]}, "a-b"),
        ({"Fn::Join": ["-", ["a", {"Ref": "B"}]]}, Open("!Join …")),
        ({"Fn::Join": ["-", "ab"]}, Open("!Join …")),
        ({"Fn::Join": [{"Ref": "A"}, ["a", "b"]]}, Open("!Join …")),
        ({"Fn::Join": ["-", ["a"], "x"]}, Open("!Join …")),
        ({"Fn::Join": "a"}, Open("!Join a")),
        ({"Fn::Split": ["-", ["a", "b"]]}, Open("!Split …")),
        ({"Ref": "A", "b": {"Ref": "C"}}, {"Ref": "A", "b": Open("!Ref C")}),
        ([{"Ref": "A"}, 7], [Open("!Ref A"), 7]),
        ({"Condition": "A"}, {"Condition": "A"}),
    ],
)
def test_a_function_is_text_where_that_is_certain(value: Any, expected: Any) -> None:
    assert resolved(value) == expected


@pytest.mark.parametrize(
    "holder",
    [
        {"Ref": "Ingress"},
        {"Fn::GetAtt": "Ingress.Arn"},
        {"Fn::GetAtt": ["Ingress", "Arn"]},
        {"Fn::GetAtt": "Ingress.Role.Arn"},
        {"Fn::Sub": "${Ingress}"},
        {"Fn::Sub": "${Ingress.Arn}"},
        "c1",
        {"Fn::Join": ["", ["c", "1"]]},
    ],
)
@pytest.mark.parametrize(
    ("kind", "key"), [("Policy", "Roles"), ("RolePolicy", "RoleName"), ("UserPolicy", "UserName"), ("Policy", "Users")]
)
def test_a_policy_is_put_on_whom_it_names(holder: Any, kind: str, key: str) -> None:
    put = _of(kind, PolicyName="q", PolicyDocument=DENIED, **{key: [holder] if key.endswith("s") else holder})
    holding = _of("User", UserName="c1") if "User" in key else _role(RoleName="c1")
    (found,) = _found(Ingress=holding, Q=put)
    assert [part.name for part in found.parts] == ["q"]


@pytest.mark.parametrize(
    ("holder", "others"),
    [
        (7, {}),
        ({"Fn::Sub": "x${Ingress}"}, {}),
        ({"Fn::GetAtt": []}, {}),
        ({"Ref": ["Ingress"]}, {}),
        (None, {}),
        ("c2", {"A": _role(RoleName="c2"), "B": _role(RoleName="c2")}),
        ({"Ref": "N"}, {"A": _role(RoleName={"Ref": "N"}), "B": _role(RoleName={"Ref": "N"})}),
    ],
)
def test_a_policy_on_nobody_that_is_known_is_on_no_role(holder: Any, others: dict[str, Any]) -> None:
    put = _of("Policy", PolicyName="q", PolicyDocument=FIRST, Roles=[holder])
    found = _found(Ingress=_role(RoleName="c1"), Nameless=_role(), Q=put, **others)
    assert [one.parts for one in found if one.rest] == [()] * (2 + len(others))
    assert found[2].names == ("q", "Q")


@pytest.mark.parametrize(
    ("holders", "names", "reach"),
    [
        (["x"], None, [("x",)]),
        (["x", "y"], "c1", [("x", "y")]),
        (["x", {"Ref": "P"}], "c1", [("x",), ()]),
        ([{"Ref": "P"}], "c1", [()]),
        (["<NAME>"], "c1", [()]),
        (["x"], {"Ref": "P"}, [("x",), ()]),
        ([{"Ref": "AWS::NoValue"}], {"Ref": "P"}, []),
        ([], {"Ref": "P"}, []),
        (None, {"Ref": "P"}, []),
    ],
)
@pytest.mark.parametrize("group", [True, False])
def test_whom_a_policy_or_a_group_may_take_away_from(holders: Any, names: Any, reach: list[Any], group: bool) -> None:
    put = _of("UserToGroupAddition", GroupName="g") if group else _of("Policy", PolicyName="q", PolicyDocument=DENIED)
    put["Properties"]["Users"] = holders
    found = _found(R=_role(**({"RoleName": names} if names else {})), Q=put)
    taking = [one for one in found if one.reach is not None]
    part = policy("q", DENIED, ("Resources", "Q", "Properties", "PolicyDocument"))
    parts, rest = ((), {"AttachedManagedPolicies": _seen("of group g")}) if group else ((part,), {})
    assert taking == [Declaration(parts, rest=rest, reach=one) for one in reach]


def test_a_policy_of_the_organisation_may_be_above_everybody() -> None:
    properties: dict[str, Any] = {"Type": "SERVICE_CONTROL_POLICY", "Content": DENIED}
    above = {"Type": "AWS::Organizations::Policy", "Properties": properties}
    (found,) = _found(S=above)
    assert (found.names, found.reach, [part.name for part in found.parts]) == (("S",), (), ["S"])
    assert found.parts[0].path == ("Resources", "S", "Properties", "Content")
    assert found.parts[0].least == DENIED
    properties["Type"] = "TAG_POLICY"
    assert _found(S=above) == []
    properties["Type"] = {"Ref": "Type"}
    assert len(_found(S=above)) == 1
    properties["Content"] = FIRST | {"Statement": [allow("*") | {"Action": "*"}]}
    assert _found(S=above) == []


TRANSFORMS: list[tuple[Any, str | None]] = [
    (None, None),
    ("AWS::Serverless-2016-10-31", None),
    (["AWS::Serverless-2016-10-31"], None),
    ("AWS::LanguageExtensions", "the transform AWS::LanguageExtensions"),
    (["AWS::Serverless-2016-10-31", "My"], "the transform My"),
    ([{"Name": "AWS::Include"}], "the transform {'Name': 'AWS::Include'}"),
    ("x" * 300, f"the transform {'x' * 186}"),
    ([], None),
]


@pytest.mark.parametrize(("transform", "why"), TRANSFORMS)
def test_a_transform_that_is_not_known_may_write_everything_anew(transform: Any, why: str | None) -> None:
    role = _role(Policies=[{"PolicyName": "a", "PolicyDocument": FIRST}])
    (found,) = declarations({"Transform": transform, "Resources": {"R": role}})
    whole = policy("a", FIRST, ("Resources", "R", "Properties", "Policies", 0, "PolicyDocument"))
    assert found.parts == (whole if why is None else certain_only(whole, why),)


def test_a_template_is_told_by_its_resources_types() -> None:
    assert cloudformation.is_template({"Resources": {"R": {"Type": "AWS::IAM::Role"}, "X": 7}})
    others: list[Any] = [
        {"Resources": {"R": {"Type": "Other"}}},
        {"Resources": []},
        {},
        [],
        None,
        {"Resources": {"R": {}}},
    ]
    for body in others:
        assert not cloudformation.is_template(body)


def test_what_is_no_role_user_or_policy_declares_nothing() -> None:
    assert _found(B={"Type": "AWS::S3::Bucket"}, G=_of("Group", GroupName="g"), X=7) == []

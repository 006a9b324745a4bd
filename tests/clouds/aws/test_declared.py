"""What AWS policy files and CloudFormation templates declare, and what of it is open."""

import json
from typing import Any

import pytest

from upgrade_gate.clouds.aws import declared, holdings
from upgrade_gate.clouds.aws.declared import declarations, documents, identity
from upgrade_gate.clouds.contract.declared import Declaration, Part
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, Document
from upgrade_gate.reading import yaml

ALL = {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}


def _judge(body: Any, action: str = "ec2:CreateTags", resource: str = "*") -> tuple[str, str]:
    """Return the answers at the least and at the most that the only declaration may be."""
    (found,) = declarations(body)
    grant = Grant("action", action, "Allow", resource)
    least, most = (
        holdings.build([Document(d) for d in documents([found], "n", None, most=most)], None).judge(
            identity("n"), grant, ()
        )
        for most in (False, True)
    )
    return least.verdict, most.verdict


def _template(role: str, more: str = "") -> Any:
    text = f"Resources:\n  Ingress:\n    Type: AWS::IAM::Role\n    Properties:\n{role}{more}"
    return yaml.parse(text.encode(), "t.yaml", functions=True)[0].body


def _role(statement: str) -> Any:
    return _template(
        "      RoleName: c1-ingress\n      Policies:\n      - PolicyName: p\n        PolicyDocument:\n"
        f"          Statement:\n          - {statement}\n"
    )


def test_a_role_of_a_template_declares_its_own_policies() -> None:
    body = _role("{Effect: Allow, Action: 'ec2:*', Resource: '*'}")
    (found,) = declarations(body)
    assert found.names == ("c1-ingress", "Ingress")
    assert found.parts[0].path == ("Resources", "Ingress", "Properties", "Policies", 0, "PolicyDocument")
    assert _judge(body) == ("COVERED", "COVERED")
    assert _judge(body, "s3:GetObject") == ("MISSING", "MISSING")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("{Effect: Allow, Action: [!Ref A], Resource: '*'}", ("MISSING", "COVERED")),
        ("{Effect: Allow, Action: !Ref A, Resource: '*'}", ("MISSING", "COVERED")),
        ("{Effect: Allow, Action: ['ec2:*', !Ref A], Resource: '*'}", ("COVERED", "COVERED")),
        ("{Effect: Allow, Action: 'ec2:*', Resource: !GetAtt B.Arn}", ("MISSING", "COVERED")),
        ("{Effect: Allow, Action: 'ec2:*', Resource: !Sub 'arn:${AWS::Partition}:x'}", ("MISSING", "COVERED")),
        ("{Effect: Allow, Action: 'ec2:*', Resource: !Sub '*'}", ("COVERED", "COVERED")),
        ("{Effect: Allow, Action: !Join [':', [ec2, '*']], Resource: '*'}", ("COVERED", "COVERED")),
        ("{Effect: Allow, Action: !Join [':', [ec2, !Ref A]], Resource: '*'}", ("MISSING", "COVERED")),
        ("{Effect: !Ref E, Action: 'ec2:*', Resource: '*'}", ("DENIED", "COVERED")),
        ("{Effect: Allow, NotAction: !Ref A, Resource: '*'}", ("MISSING", "COVERED")),
        ("{Effect: Allow, Action: 'ec2:*', Resource: '*', Condition: !Ref C}", ("MISSING", "COVERED")),
        ("{Effect: Allow, Action: 'ec2:*', Resource: '*', Condition: {Bool: {k: !Ref C}}}", ("MISSING", "COVERED")),
        ("!If [A, {Effect: Allow, Action: 'ec2:*', Resource: '*'}, !Ref 'AWS::NoValue']", ("DENIED", "COVERED")),
    ],
)
def test_what_is_open_is_read_at_its_least_and_at_its_most(statement: str, expected: tuple[str, str]) -> None:
    assert _judge(_role(statement)) == expected


def test_a_denial_that_is_open_may_deny() -> None:
    body = _template(
        "      Policies:\n      - PolicyName: p\n        PolicyDocument:\n          Statement:\n"
        "          - {Effect: Allow, Action: '*', Resource: '*'}\n"
        "          - {Effect: Deny, Action: !Ref A, Resource: '*'}\n"
    )
    assert _judge(body) == ("DENIED", "COVERED")


@pytest.mark.parametrize("document", ["!Ref Document", "!Transform {Name: AWS::Include}", "7"])
def test_a_document_that_is_not_in_the_file_grants_nothing_for_certain(document: str) -> None:
    body = _template(f"      Policies:\n      - PolicyName: p\n        PolicyDocument: {document}\n")
    assert _judge(body)[0] in ("DENIED", "UNKNOWN")


def test_a_policy_of_its_own_counts_for_the_role_that_it_names() -> None:
    policy = (
        "  Policy:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyName: q\n      Roles: [!Ref Ingress]\n"
        "      PolicyDocument: {Statement: {Effect: Allow, Action: 'ec2:*', Resource: '*'}}\n"
    )
    assert _judge(_template("      Path: /\n", policy)) == ("COVERED", "COVERED")


def test_a_managed_policy_of_the_template_counts_and_a_foreign_one_is_unseen() -> None:
    policy = (
        "  Policy:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n"
        "      PolicyDocument: {Statement: {Effect: Allow, Action: 'ec2:*', Resource: '*'}}\n"
    )
    found = list(declarations(_template("      ManagedPolicyArns: [!Ref Policy]\n", policy)))
    assert [len(one.parts) for one in found] == [1, 1]
    grant = Grant("action", "ec2:CreateTags", "Allow", "*")
    own = holdings.build([Document(d) for d in documents(found[:1], "n", None, most=False)], None)
    assert own.judge(identity("n"), grant, ()).verdict is Coverage.COVERED
    foreign = _judge(_template("      ManagedPolicyArns: ['arn:aws:iam::aws:policy/ReadOnlyAccess']\n"))
    assert foreign == ("UNKNOWN", "UNKNOWN")


@pytest.mark.parametrize(
    "why",
    [
        "boundary",
        "boundary misspelt",
        "condition misspelt",
        "no condition",
        "condition",
        "transform",
        "group",
        "membership",
    ],
)
def test_what_may_take_away_or_not_be_there_covers_nothing_for_certain(why: str) -> None:
    body = _role("{Effect: Allow, Action: 'ec2:*', Resource: '*'}")
    resource = body["Resources"]["Ingress"]
    match why:
        case "boundary":
            resource["Properties"]["PermissionsBoundary"] = {"Ref": "Boundary"}
        case "boundary misspelt":
            resource["Properties"]["PermissionBoundary"] = "arn:aws:iam::1:policy/b"
        case "condition":
            resource["Condition"] = "InProduction"
        case "condition misspelt":
            resource["Conditon"] = "InProduction"
        case "no condition":
            resource["Condition"] = None
        case "transform":
            body["Transform"] = ["AWS::LanguageExtensions"]
        case "group":
            resource.update(Type="AWS::IAM::User")
            resource["Properties"]["Groups"] = ["admins"]
        case "membership":
            resource.update(Type="AWS::IAM::User")
            added = {"GroupName": "admins", "Users": [{"Ref": "Ingress"}]}
            body["Resources"]["Added"] = {"Type": "AWS::IAM::UserToGroupAddition", "Properties": added}
    assert _judge(body)[0] != "COVERED"


@pytest.mark.parametrize(
    "place", [(), ("Resources",), ("Resources", "Ingress"), ("Resources", "Ingress", "Properties")]
)
def test_what_another_file_puts_into_the_template_is_not_certain(place: tuple[str, ...]) -> None:
    body = _role("{Effect: Allow, Action: 'ec2:*', Resource: '*'}")
    inner = body
    for key in place:
        inner = inner[key]
    inner["Fn::Transform"] = {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/f.yaml"}}
    assert _judge(body) == ("MISSING", "COVERED")


def test_what_another_file_puts_into_something_else_is_of_no_concern() -> None:
    body = _role("{Effect: Allow, Action: 'ec2:*', Resource: '*'}")
    included = {"Fn::Transform": {"Name": "AWS::Include"}}
    body["Resources"]["Gate"] = {"Type": "AWS::ApiGateway::RestApi", "Properties": included}
    assert _judge(body) == ("COVERED", "COVERED")


@pytest.mark.parametrize(
    ("users", "reach"), [("[c1-ingress]", ("c1-ingress",)), ("[!Ref User]", ()), ("[c1-ingress, !Ref User]", ())]
)
def test_a_group_may_deny_what_another_file_gives_to_its_users(users: str, reach: tuple[str, ...]) -> None:
    text = (
        f"Resources:\n  A:\n    Type: AWS::IAM::UserToGroupAddition\n    Properties: {{GroupName: g, Users: {users}}}\n"
    )
    found = declarations(yaml.parse(text.encode(), "t.yaml", functions=True)[0].body)
    assert found[-1].reach == reach
    assert found[-1].rest == {"AttachedManagedPolicies": [{"PolicyArn": "of group g", "PolicyName": "of group g"}]}


def test_a_document_that_is_a_text_is_read_as_one_where_its_role_may_not_be_there() -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [ALL]})
    body = _template(f"      Policies: [{{PolicyName: p, PolicyDocument: '{document}'}}]\n")
    body["Resources"]["Ingress"]["Condition"] = "InProduction"
    assert _judge(body) == ("MISSING", "COVERED")


def test_a_denial_of_which_nobody_knows_what_its_variables_are_may_deny_everything() -> None:
    denial = "{Effect: Deny, Action: 'ec2:*', Resource: 'arn:aws:ec2:*:*:${*}'}"
    body = _role(f"{{Effect: Allow, Action: 'ec2:*', Resource: '*'}}\n          - {denial}")
    document = body["Resources"]["Ingress"]["Properties"]["Policies"][0]["PolicyDocument"]
    document["Version"] = {"Ref": "Version"}
    assert _judge(body)[0] == "DENIED"


def test_documents_of_other_shapes_declare_nothing() -> None:
    bodies: list[Any] = [{}, [], "text", 7, {"Resources": {}}, {"kind": "Deployment"}, {"PolicyDocument": {}}]
    for body in bodies:
        assert declarations(body) == ()
    assert declared.declarations([{"Statement": [ALL]}])[0].parts[0].path == (0,)


def _denying(roles: str, effect: str = "Deny") -> str:
    return (
        f"  D:\n    Type: AWS::IAM::Policy\n    Properties:\n      PolicyName: d\n      Roles: {roles}\n"
        f"      PolicyDocument: {{Statement: [{{Effect: {effect}, Action: '*', Resource: '*'}}]}}\n"
    )


def _reaches(roles: str, effect: str = "Deny", name: str = "c1-ingress") -> tuple[int, list[tuple[str, ...]]]:
    """Return how many parts the role of a template has, and whom else the policy of it may deny something."""
    found = declarations(_template(f"      RoleName: {name}\n", _denying(roles, effect)))
    return len(found[0].parts), [one.reach for one in found if one.reach is not None]


@pytest.mark.parametrize(
    "roles",
    [
        "[!Ref Ingress]",
        "[!GetAtt Ingress.Arn]",
        "[!Sub '${Ingress}']",
        "[c1-ingress]",
        "[!Sub c1-ingress]",
        "[!Join ['-', [c1, ingress]]]",
        "[!Ref Ingress, !Ref 'AWS::NoValue']",
    ],
)
def test_a_denial_is_joined_where_the_template_says_the_role(roles: str) -> None:
    assert _reaches(roles) == (1, [])


def test_a_role_and_a_policy_whose_names_are_made_alike_are_joined() -> None:
    assert _reaches("[!Sub '${Cluster}-ingress']", name="!Sub '${Cluster}-ingress'") == (1, [])


@pytest.mark.parametrize(
    "roles",
    [
        "[!Ref RoleParameter]",
        "[!ImportValue z]",
        "!Split [',', 'a,b']",
        "[!If [C, !Ref Ingress, !Ref 'AWS::NoValue']]",
        "[!Select [0, [!Ref Ingress]]]",
        "[!Sub 'x-${Ingress}']",
        "[!Ref D]",
    ],
)
def test_a_denial_of_whom_nobody_knows_may_reach_everybody(roles: str) -> None:
    assert _reaches(roles) == (0, [()])
    assert _reaches(roles, effect="Allow") == (0, [])


def test_a_denial_by_name_reaches_that_name_and_a_role_whose_name_is_not_known() -> None:
    assert _reaches("[c1-registry]") == (0, [("c1-registry",)])
    assert _reaches("[c1-ingress]", name="!Ref Name") == (0, [("c1-ingress",), ()])


def test_what_allows_besides_denying_is_not_certain_for_whom_it_reaches() -> None:
    more = _denying("[c1-registry]").replace("[{Effect", "[{Effect: Allow, Action: 's3:*', Resource: '*'}, {Effect")
    (other,) = [one for one in declarations(_template("      RoleName: r\n", more)) if one.reach is not None]
    assert [[s["Effect"] for s in part.least["Statement"]] for part in other.parts] == [["Deny"]]


CONTENT = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}]})


@pytest.mark.parametrize(
    ("body", "denies"),
    [
        ({"Name": "n", "Type": "SERVICE_CONTROL_POLICY", "Content": CONTENT}, True),
        ({"Name": "n", "Type": "TAG_POLICY", "Content": CONTENT}, False),
        ({"Policy": {"PolicySummary": {"Name": "n", "Type": "RESOURCE_CONTROL_POLICY"}, "Content": CONTENT}}, True),
        ({"Policy": {"PolicySummary": {"Name": "n", "Type": "BACKUP_POLICY"}, "Content": CONTENT}}, False),
        ({"Policy": {"PolicySummary": {"Name": "n", "Type": "INSPECTOR_POLICY"}, "Content": CONTENT}}, False),
        ({"Name": "n", "Content": json.dumps({"Statement": [ALL | {"Action": "*"}]})}, False),
    ],
)
def test_a_policy_of_the_organisation_is_read_as_the_command_takes_and_prints_it(body: Any, denies: bool) -> None:
    found = declarations(body)
    assert [(one.reach, [part.name for part in one.parts]) for one in found] == ([((), ["n"])] if denies else [])


def test_a_policy_of_the_organisation_without_a_name_is_called_a_policy() -> None:
    (found,) = declarations({"Content": CONTENT})
    assert [(part.name, part.path) for part in found.parts] == [("policy", ("Content",))]


def test_a_boundary_of_a_role_that_ccoctl_made_counts_however_it_is_spelt() -> None:
    role = {"RoleName": "r", "AssumeRolePolicyDocument": {}}
    for key in ("PermissionsBoundary", "PermissionBoundary"):
        (found,) = declarations({**role, key: "arn:aws:iam::1:policy/b"})
        assert set(found.rest) == {"AssumeRolePolicyDocument", "PermissionsBoundary"}
    (found,) = declarations(role)
    assert set(found.rest) == {"AssumeRolePolicyDocument"}


PART = Part("p", {"Statement": [ALL]}, {"Statement": [ALL]})
DENY = {"Statement": [ALL | {"Effect": "Deny"}]}
DENYING = Part("d", DENY, DENY)
UNSEEN = {"AttachedManagedPolicies": [{"PolicyArn": "a", "PolicyName": "a"}]}
BOUNDED = {"PermissionsBoundary": "b"}
SLIP, SLIPPED = {"Statment": DENY["Statement"]}, {"Statment": DENY["Statement"][0]}


@pytest.mark.parametrize(
    ("one", "taken"),
    [
        (Declaration((PART,), ("n",), ("c",)), None),
        (
            Declaration((PART, DENYING), ("n",), ("c", "d")),
            Declaration((DENYING,), ("n",), reach=("c", "d")),
        ),
        (
            Declaration((), ("n",), ("c",), rest={**UNSEEN, **BOUNDED, "AssumeRolePolicyDocument": {}}),
            Declaration((), ("n",), rest={**UNSEEN, **BOUNDED}, reach=("c",)),
        ),
        (Declaration((), ("n",), ("c",), rest={"AttachedManagedPolicies": [], "PermissionsBoundary": None}), None),
        (Declaration((DENYING,), ("n",)), Declaration((DENYING,), ("n",), reach=())),
        (Declaration((DENYING,), ("n",), path=(1,)), Declaration((DENYING,), ("n",), reach=())),
        (Declaration((DENYING,), ("n",), path=("Resources", "R")), None),
        (Declaration((DENYING,), ("n",), rest=UNSEEN), None),
        (
            Declaration((DENYING,), ("n",), ("c",), path=("Resources", "R"), rest=UNSEEN),
            Declaration((DENYING,), ("n",), rest=UNSEEN, reach=("c",)),
        ),
    ],
)
def test_what_limits_a_role_is_told_apart_from_what_it_is_given(one: Declaration, taken: Declaration | None) -> None:
    assert declared.limits(one) == taken


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (DENY, Declaration((Part("policy", DENY, DENY),))),
        (
            {"RoleName": "r", "PolicyName": "p", "PolicyDocument": DENY},
            Declaration((Part("p", DENY, DENY, ("PolicyDocument",)),), ("r", "p"), ("r",)),
        ),
        (
            {"UserName": "u", "PolicyDocument": DENY},
            Declaration((Part("u", DENY, DENY, ("PolicyDocument",)),), ("u",), ("u",)),
        ),
        (
            {"PolicyName": "p", "PolicyDocument": DENY},
            Declaration((Part("p", DENY, DENY, ("PolicyDocument",)),), ("p",)),
        ),
        (
            {"RoleName": "{{ r }}", "PolicyDocument": DENY},
            Declaration((Part("{{ r }}", DENY, DENY, ("PolicyDocument",)),), ("{{ r }}",)),
        ),
        (
            {"RoleName": "r", "AssumeRolePolicyDocument": {"a": 1}, "PermissionsBoundary": "b", "Path": "/"},
            Declaration(
                (),
                ("r",),
                ("r",),
                rest={"AssumeRolePolicyDocument": {"a": 1}, "PermissionsBoundary": "b"},
                trusts=True,
            ),
        ),
        (
            {"RoleName": "r", "PermissionsBoundary": "b"},
            Declaration((), ("r",), ("r",), rest={"PermissionsBoundary": "b"}),
        ),
        ({"RoleName": "r"}, None),
        (SLIP, Declaration((Part("policy", SLIP, SLIP),))),
        (SLIPPED, Declaration((Part("policy", SLIPPED, SLIPPED),))),
        ({"Statment": [7, {"a": 1}]}, None),
        ({"Statment": "Deny"}, None),
        ({"AssumeRolePolicyDocument": {}}, None),
        ({"PolicyDocument": DENY}, None),
    ],
)
def test_a_document_by_itself_is_told_by_its_keys(body: Any, found: Declaration | None) -> None:
    assert declarations(body) == (() if found is None else (found,))


def test_documents_of_a_list_have_their_place_in_it() -> None:
    named = {"RoleName": "r", "PolicyDocument": DENY}
    assert declarations([7, DENY, named]) == (
        Declaration((Part("policy", DENY, DENY, (1,)),), path=(1,)),
        Declaration((Part("r", DENY, DENY, (2, "PolicyDocument")),), ("r",), ("r",), path=(2,)),
    )


def test_what_is_declared_of_one_identity_is_one_role() -> None:
    found = [
        Declaration((PART, DENYING), rest=UNSEEN),
        Declaration(rest={**UNSEEN, **BOUNDED}),
    ]
    (body,) = documents(found, "n", None, most=False)
    inline = [
        {"PolicyName": "1 (p)", "PolicyDocument": PART.least},
        {"PolicyName": "2 (d)", "PolicyDocument": DENY},
    ]
    attached = UNSEEN["AttachedManagedPolicies"] * 2
    role = {"AttachedManagedPolicies": attached, **BOUNDED, "RoleName": "n", "RolePolicyList": inline}
    assert body == {"RoleDetailList": [role]}
    (body,) = documents([Declaration((Part("p", {}, DENY),))], "n", None, most=True)
    assert body["RoleDetailList"][0]["RolePolicyList"] == [{"PolicyName": "p", "PolicyDocument": DENY}]
    assert identity("n") == "role/n"

"""Where in a policy a permission stands, and what is added to its text."""

from typing import Any

import pytest

from tests.worlds.aws_exports import allow, deny, statement
from upgrade_gate.clouds.aws.policy_text import additions, where
from upgrade_gate.clouds.contract.declared import Addition
from upgrade_gate.clouds.contract.grants import Grant

VOLUMES = "arn:aws:ec2:*:*:volume/*"
TAGGED = {"StringEquals": {"aws:ResourceTag/a": "b"}}


def grant(permission: str = "ec2:RunInstances", resource: str | None = "*", condition: Any = None) -> Grant:
    return Grant("action", permission, "Allow", resource, condition)


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (policy(allow("s3:*"), allow("s3:GetObject", "EC2:run*")), ("Statement", 1, "Action", 1)),
        (policy(statement(Action="ec2:*")), ("Statement", 0, "Action")),
        ({"Statement": allow("ec2:*")}, ("Statement", "Action", 0)),
        (policy(statement("Deny", NotAction=["iam:*", "ec2:*"])), ("Statement", 0, "NotAction", 1)),
        (policy(statement("Deny", NotAction="ec2:*")), ("Statement", 0, "NotAction")),
        (policy(deny("ec2:RunInstances"), allow("ec2:RunInstances")), ("Statement", 0, "Action", 0)),
        (policy("x", statement(Action=[7, "ec2:*"])), ("Statement", 1, "Action", 1)),
        (policy(allow("s3:*")), ("Statement", 0, "Action")),
        (policy(allow("s3:*", Resource=VOLUMES)), ("Statement",)),
        (policy(), ("Statement",)),
        ({"Statement": "x"}, ("Statement",)),
        ("text", ("Statement",)),
    ],
)
def test_a_permission_stands_where_it_is_given_or_denied_else_where_it_would_be_added(
    body: Any, place: tuple[Any, ...]
) -> None:
    assert where(body, grant()) == place


@pytest.mark.parametrize(
    "other",
    [
        allow("s3:*", Resource=VOLUMES),
        allow("s3:*", Resource=["*", VOLUMES]),
        allow("s3:*", Condition=TAGGED),
        allow("s3:*") | {"Effect": "allow"},
        deny("s3:*"),
        {**allow("s3:*"), "Unheard": "x"},
        statement(Action=["s3:*", 7]),
        statement(Action=[]),
        statement(Action={"s3:*": 1}),
        statement(NotAction="s3:*"),
        statement(Action="s3:*", NotResource=VOLUMES),
        "x",
    ],
)
def test_an_action_is_added_to_no_statement_that_would_grant_anything_else(other: Any) -> None:
    added = {"Effect": "Allow", "Action": ["ec2:RunInstances"], "Resource": "*"}
    assert additions(policy(other), [grant()]) == (Addition(("Statement",), (added,)),)


@pytest.mark.parametrize(
    ("fitting", "needed"),
    [
        (allow("s3:*"), grant()),
        (statement(Action="s3:*", Sid="A", Condition={}), grant(resource=None)),
        (allow("s3:*", Resource=["*"]), grant(resource=None)),
        (allow("s3:*", Resource=VOLUMES), grant(resource=VOLUMES)),
        (allow("s3:*", Resource=[VOLUMES]), grant(resource=VOLUMES)),
        (allow("s3:*", Condition=TAGGED), grant(condition=TAGGED)),
    ],
)
def test_an_action_is_added_to_a_statement_that_says_the_same_of_it(fitting: Any, needed: Grant) -> None:
    assert additions(policy(fitting), [needed]) == (Addition(("Statement", 0, "Action"), ("ec2:RunInstances",)),)
    assert additions({"Statement": fitting}, [needed]) == (Addition(("Statement", "Action"), ("ec2:RunInstances",)),)


def test_of_several_statements_that_would_do_one_of_the_same_service_is_taken_else_the_last() -> None:
    body = policy(allow("s3:*"), allow("iam:GetUser", "EC2:Describe*"), allow("ec2:Start*"), allow("kms:*"))
    asked = [grant(name) for name in ("kms:Decrypt", "ec2:RunInstances", "elasticloadbalancing:AddTags")]
    assert additions(body, asked) == (
        Addition(("Statement", 1, "Action"), ("ec2:RunInstances",)),
        Addition(("Statement", 3, "Action"), ("elasticloadbalancing:AddTags", "kms:Decrypt")),
    )


def test_what_is_added_is_sorted_without_case_and_stands_there_once() -> None:
    body = policy(allow("ec2:*"))
    asked = [grant("ec2:b"), grant("EC2:A"), grant("ec2:C"), grant("ec2:b", resource=None), grant("s3:x", VOLUMES)]
    assert additions(body, asked) == (
        Addition(("Statement", 0, "Action"), ("EC2:A", "ec2:b", "ec2:C")),
        Addition(("Statement",), ({"Effect": "Allow", "Action": ["s3:x"], "Resource": VOLUMES},)),
    )

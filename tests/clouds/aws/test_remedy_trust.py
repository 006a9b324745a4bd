"""AWS trust: the OIDC provider comes first, a trust policy that admits is left alone, a denial is told."""

from typing import Any

import pytest

from tests.worlds.identity_changes import ISSUER, change, cluster_names, subjects
from upgrade_gate.base.steps import Serves, Step
from upgrade_gate.clouds.aws import remedy

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/c1-x"
HOST = "oidc.example.com/c1"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOST}"
SUBJECT = "system:serviceaccount:openshift-x:x-sa"
NONE: dict[str, Any] = {"OpenIDConnectProviderList": []}
LISTED = {"OpenIDConnectProviderList": [{"Arn": PROVIDER}]}


def provider(*clients: str) -> dict[str, Any]:
    return {"OpenIDConnectProviderArn": PROVIDER, "Url": HOST, "ClientIDList": list(clients)}


def statement(effect: str, subject: str) -> dict[str, Any]:
    return {
        "Effect": effect,
        "Principal": {"Federated": PROVIDER},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{HOST}:sub": [subject]}},
    }


def trust_steps(*documents: Any, statements: Any = None) -> list[Step]:
    """Return the steps for a role that admits the subject, or has other statements, beside further documents."""
    trust = {"Version": "2012-10-17", "Statement": statements or [statement("Allow", SUBJECT)]}
    role = {"RoleName": "c1-x", "Arn": ROLE, "AssumeRolePolicyDocument": trust, "RolePolicyList": []}
    account = {
        "RoleDetailList": [{**role, "AttachedManagedPolicies": []}],
        "UserDetailList": [],
        "GroupDetailList": [],
        "Policies": [],
    }
    one = change("AWSProviderSpec", identity=ROLE, untrusted=subjects("x-sa"))
    names = cluster_names("AWS", account, *documents, account=ACCOUNT, issuer=ISSUER, region="eu-west-1")
    return [s for s in remedy.draft(one, names).steps if s.serves is Serves.TRUST]


def verbs(steps: list[Step]) -> list[str]:
    return [command.line.argv[2] for step in steps for command in step.commands]


@pytest.mark.parametrize(
    ("documents", "verb"),
    [
        ((NONE,), "create-open-id-connect-provider"),
        ((LISTED, provider("sts.amazonaws.com")), "add-client-id-to-open-id-connect-provider"),
    ],
    ids=["gone", "for others"],
)
def test_a_role_that_admits_the_subject_needs_the_provider_alone(documents: Any, verb: str) -> None:
    (step,) = trust_steps(*documents)
    assert verbs([step]) == [verb]
    assert "openshift" in step.commands[0].line.argv
    assert HOST in step.reason


def test_a_role_that_does_not_admit_it_needs_both_and_the_provider_first() -> None:
    found = trust_steps(NONE, statements=[statement("Allow", "system:serviceaccount:a:b")])
    assert verbs(found) == ["create-open-id-connect-provider", "update-assume-role-policy"]


@pytest.mark.parametrize(
    "documents", [(), (LISTED,), (LISTED, provider("openshift"))], ids=["unseen", "listed", "right"]
)
def test_a_provider_that_may_be_right_is_left_alone(documents: Any) -> None:
    assert verbs(trust_steps(*documents)) == ["update-assume-role-policy"]


def test_a_denial_is_told_since_no_statement_beside_it_helps() -> None:
    (step,) = trust_steps(statements=[statement("Deny", SUBJECT)])
    assert any("denies" in note and "a person has to change" in note.casefold() for note in step.notes)
    (step,) = trust_steps(statements=[statement("Allow", "system:serviceaccount:a:b")])
    assert not any("a person has to change" in note.casefold() for note in step.notes)

"""AWS trust policies: which service accounts a role lets in, and what ccoctl's naming finds."""

from typing import Any

import pytest

from tests.worlds.aws_exports import (
    ACCOUNT,
    ISSUER,
    PROVIDER,
    ROLE,
    USER,
    details,
    document,
    encoded,
    role,
    subject,
    trust,
    trusting,
    user,
)
from upgrade_gate.clouds.aws import holdings
from upgrade_gate.clouds.contract.holdings import CoverageResult, Document

SUB, AUD = "oidc.example.com/c1:sub", "oidc.example.com/c1:aud"
DRIVER = subject("driver")
FROM_OFFICE = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
ODD_PRINCIPALS: list[Any] = [None, {}, {"Federated": 7}, {"Federated": []}, {"Federatd": PROVIDER}, [PROVIDER], "x"]
COVERED, MISSING, NARROWER, DENIED, UNKNOWN = "COVERED", "MISSING", "NARROWER", "DENIED", "UNKNOWN"


def ask(policy: Any, *accounts: str, identity: str = ROLE, issuer: str = ISSUER) -> CoverageResult:
    export = details(role(AssumeRolePolicyDocument=policy), user())
    return holdings.build([Document(export)], None).trust(
        identity, issuer, [subject(a) for a in accounts or ("driver",)]
    )


def equals(*values: str) -> dict[str, Any]:
    return {"StringEquals": {SUB: list(values)}}


@pytest.mark.parametrize(
    ("policy", "verdict", "reason"),
    [
        (trust("driver"), COVERED, "admits system:serviceaccount:openshift-cluster-csi-drivers:driver"),
        (encoded(trust("driver")), COVERED, ""),
        (trust("controller"), MISSING, f"does not admit {DRIVER} of oidc.example.com/c1"),
        (document(trusting({"StringEquals": {SUB: DRIVER}})), COVERED, ""),
        (document(trusting({"StringEquals": {SUB.upper(): DRIVER}})), COVERED, ""),
        (document(trusting({"StringEquals": {SUB: DRIVER.upper()}})), MISSING, ""),
        (document(trusting({"StringEqualsIgnoreCase": {SUB: DRIVER.upper()}})), COVERED, ""),
        (document(trusting({"StringLike": {SUB: "system:serviceaccount:openshift-*:*"}})), COVERED, ""),
        (document(trusting({"StringLike": {SUB: "system:serviceaccount:kube-*:*"}})), MISSING, ""),
        (document(trusting({"StringEquals": {SUB: "system:serviceaccount:*"}})), MISSING, ""),
        (document(trusting({"StringNotEquals": {SUB: "x"}})), COVERED, ""),
        (document(trusting({"StringNotEquals": {SUB: DRIVER}})), MISSING, ""),
        (document(trusting({"StringNotEqualsIgnoreCase": {SUB: DRIVER.upper()}})), MISSING, ""),
        (document(trusting({"StringNotLike": {SUB: "*:driver"}})), MISSING, ""),
        (document(trusting({"ForAnyValue:StringEquals": {SUB: DRIVER}})), COVERED, ""),
        (document(trusting({"StringEqualsIfExists": {SUB: DRIVER}})), COVERED, ""),
        (document(trusting({"StringEquals": {SUB: DRIVER}, "StringLike": {SUB: "x*"}})), MISSING, ""),
        (document(trusting(None)), COVERED, ""),
        (document(trusting({**equals(DRIVER), "StringLike": {AUD: "openshift"}})), COVERED, ""),
        (document(trusting({"StringEquals": {SUB: DRIVER, AUD: ["sts.amazonaws.com", "openshift"]}})), COVERED, ""),
        (document(trusting({"StringEquals": {SUB: DRIVER, AUD: ["sts.amazonaws.com"]}})), NARROWER, "further"),
        (document(trusting({"StringNotEquals": {SUB: "x", AUD: "openshift"}})), NARROWER, ""),
        (document(trusting({"StringEquals": {SUB: DRIVER, AUD: "elsewhere"}})), MISSING, ""),
        (document(trusting({"StringEquals": {AUD: "openshift"}})), COVERED, ""),
        (document(trusting({"Foo": {AUD: "openshift"}})), NARROWER, ""),
        (document(trusting({**equals(DRIVER), "IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})), NARROWER, "further"),
        (document(trusting({"Foo": {SUB: DRIVER}})), NARROWER, ""),
        (document(trusting(["x"])), NARROWER, ""),
        (document(trusting(equals(DRIVER), Action=["sts:TagSession", "STS:AssumeRoleWithWeb*"])), COVERED, ""),
        (document(trusting(equals(DRIVER), Action="sts:AssumeRole")), MISSING, ""),
        (document(trusting(equals(DRIVER), Action=None, NotAction="sts:AssumeRole")), COVERED, ""),
        (document(trusting(equals(DRIVER), Action=None, NotAction="sts:*")), MISSING, ""),
        (document(trusting(equals(DRIVER), Principal={"Federated": ["x", PROVIDER]})), COVERED, ""),
        (document(trusting(equals(DRIVER), Principal={"Federated": PROVIDER + "-2"})), MISSING, ""),
        (document(trusting(equals(DRIVER), Principal={"Federated": PROVIDER.replace(ACCOUNT, "9" * 12)})), MISSING, ""),
        (document(trusting(equals(DRIVER), Principal={"AWS": PROVIDER})), MISSING, ""),
        (document(trusting(equals(DRIVER), Principal="*")), MISSING, ""),
        (document(trusting(equals(DRIVER), Effect="allow")), MISSING, ""),
        (document(trusting(equals("x")), trusting(equals(DRIVER))), COVERED, ""),
        (
            document(trusting(equals(DRIVER)), trusting(equals(DRIVER), Effect="Deny")),
            DENIED,
            f"c1-ebs denies {DRIVER}",
        ),
        (document(trusting(equals(DRIVER)), trusting(equals("x"), Effect="Deny")), COVERED, ""),
        (
            document(trusting(None), trusting({"StringEquals": {AUD: "sts.amazonaws.com"}}, Effect="Deny")),
            UNKNOWN,
            "cannot be understood",
        ),
        (document(trusting(None), trusting({"StringEquals": {AUD: "openshift"}}, Effect="Deny")), DENIED, ""),
        (document(trusting(equals(DRIVER)), trusting(None, Effect="Deny", Principal="*")), DENIED, ""),
        (document(trusting(equals(DRIVER)), trusting(None, Effect="Deny", Principal={"AWS": "*"})), DENIED, ""),
        (
            document(
                trusting(equals(DRIVER)), trusting(None, Effect="Deny", Principal=None, NotPrincipal={"AWS": "x"})
            ),
            DENIED,
            "",
        ),
        (document(trusting(equals(DRIVER)), trusting(None, Effect="Deny", Principal={"AWS": "x"})), COVERED, ""),
        (
            document(trusting({"Bool": {"aws:x": "true"}}, Effect="Deny"), trusting(equals(DRIVER))),
            UNKNOWN,
            "cannot be understood",
        ),
        (document(trusting(None, Action="sts:AssumeRole"), trusting(equals(DRIVER))), COVERED, ""),
        (document(trusting(equals(DRIVER)), trusting(FROM_OFFICE)), COVERED, ""),
        (document(trusting(FROM_OFFICE, Effect="Deny"), trusting(FROM_OFFICE)), UNKNOWN, ""),
        (document(trusting({"ForAllValues:StringEquals": {SUB: DRIVER}})), COVERED, ""),
        (document(trusting({"ArnLike": {SUB: "*"}})), NARROWER, ""),
        (document(trusting(None, Principal={"Federated": "*"})), MISSING, ""),
        (document(trusting(equals(DRIVER), Action=7)), UNKNOWN, ""),
        (document(trusting(equals(DRIVER), Action="\u017fts:AssumeRoleWithWebIdentity")), UNKNOWN, ""),
        (document(trusting(equals(DRIVER)), trusting(None, Effect=7)), UNKNOWN, ""),
        (document(trusting(equals(DRIVER)), ["Effect"]), UNKNOWN, ""),
        # a Deny of which nobody knows whom it is about, or what its variables are; IAM refuses such a document
        *(
            (document(trusting(equals(DRIVER)), trusting(None, Effect="Deny", Principal=odd)), UNKNOWN, "")
            for odd in ODD_PRINCIPALS
        ),
        (
            document(trusting(equals(DRIVER)), trusting(None, Effect="Deny", Principal={"Service": "ec2"})),
            COVERED,
            "",
        ),
        (document(trusting(equals(DRIVER)), trusting(equals("${x}"), Effect="Deny")), UNKNOWN, "cannot be understood"),
        (document(trusting(equals(DRIVER)), trusting(equals("${x}", DRIVER), Effect="Deny")), DENIED, ""),
        (document(trusting(equals("${x}", DRIVER))), COVERED, ""),
        (document(trusting(equals("${x}"))), NARROWER, ""),
        (document(trusting({"StringNotEquals": {SUB: "${x}"}})), NARROWER, ""),
        (document(trusting({"StringNotEquals": {SUB: ["${x}", DRIVER]}})), MISSING, ""),
        ({**trust("driver"), "Version": "2012-10-18"}, UNKNOWN, "cannot be understood"),
        ({**trust("driver"), "statement": []}, UNKNOWN, "cannot be understood"),
        ({**trust("driver"), "Version": "2008-10-17", "Id": "x"}, COVERED, ""),
        (document(), MISSING, ""),
        (document("x"), UNKNOWN, "cannot be understood"),
        (document(trusting(equals(DRIVER)), "x"), UNKNOWN, "cannot be understood"),
        (document(trusting(equals(DRIVER)), trusting(None, Effect="deny", Principal="*")), UNKNOWN, ""),
        (document(trusting(equals(DRIVER)), trusting(None, Effect="Deny", Action={"x": 1})), UNKNOWN, ""),
        (document(trusting(equals(DRIVER)), trusting(None, Effect="Deny", Action=7)), UNKNOWN, ""),
        (document(trusting(None, Conditions=equals("x"))), UNKNOWN, "cannot be understood"),
        (document(trusting(None) | {"Condition": None}), UNKNOWN, "cannot be understood"),
        (document(trusting(equals(DRIVER)), "x", trusting(None, Effect="Deny", Principal="*")), DENIED, ""),
        ({"Statement": trusting(equals(DRIVER))}, COVERED, ""),
        ({"Statement": "x"}, UNKNOWN, "no statements"),
        ("%7B", UNKNOWN, "cannot be read"),
        (None, UNKNOWN, "not in the export"),
    ],
)
def test_who_is_let_in(policy: Any, verdict: str, reason: str) -> None:
    judgement = ask(policy)
    assert judgement.verdict == verdict, judgement.reason
    assert reason in judgement.reason


def test_every_subject_must_be_admitted_and_those_that_are_not_are_named() -> None:
    judgement = ask(trust("driver"), "driver", "operator", "agent")
    assert (judgement.verdict, judgement.caveats) == (MISSING, ())
    assert judgement.reason.endswith(f"{subject('agent')}, {subject('operator')} of oidc.example.com/c1")
    assert ask(trust("agent", "driver"), "driver", "agent").verdict == COVERED


def test_another_issuer_is_not_trusted() -> None:
    assert ask(trust("driver"), issuer="https://oidc.example.com/c2").verdict == MISSING
    assert ask(trust("driver"), issuer="https://oidc.example.com/c").verdict == MISSING


def test_an_issuer_may_have_a_port() -> None:
    host = "oidc.example.com:8443/c1"
    provider = {"Federated": PROVIDER.replace("oidc.example.com/c1", host)}
    policy = document(trusting({"StringEquals": {f"{host}:sub": DRIVER}}, Principal=provider))
    assert ask(policy, issuer=f"https://{host}").verdict == COVERED
    assert ask(policy).verdict == MISSING


def test_a_user_and_an_unknown_role_have_no_trust_policy_to_judge() -> None:
    assert ask(trust("driver"), identity=USER).verdict == UNKNOWN
    assert ask(trust("driver"), identity=ROLE + "-2").verdict == UNKNOWN


def test_two_documents_that_disagree_about_trust_prove_nothing() -> None:
    bare = {"Role": {"RoleName": "c1-ebs", "Arn": ROLE, "AssumeRolePolicyDocument": trust("operator")}}
    held = holdings.build([Document(details(role())), Document(bare)], None)
    assert held.trust(ROLE, ISSUER, [DRIVER]).verdict == UNKNOWN


def test_a_role_is_found_by_the_name_that_ccoctl_gives() -> None:
    held = holdings.build([Document(details(role()))], ACCOUNT)
    assert held.find_by_ccoctl_name("c1-ebs") == ROLE
    assert held.find_by_ccoctl_name("c1") is None
    assert held.account == ACCOUNT


def test_the_name_that_ccoctl_gives_is_cut_at_64_characters() -> None:
    name = holdings.ccoctl_name("c1", "openshift-cluster-csi-drivers", "x" * 40, "aws-ebs-csi-driver-operator")
    assert name == "c1-openshift-cluster-csi-drivers-" + "x" * 31
    assert len(name) == 64


def test_a_name_in_two_accounts_is_found_only_within_one() -> None:
    other = ROLE.replace(ACCOUNT, "999988887777")
    documents = [Document(details(role())), Document(details(role(arn=other)))]
    assert holdings.build(documents, None).find_by_ccoctl_name("c1-ebs") is None
    assert holdings.build(documents, None).account is None
    assert holdings.build(documents, "999988887777").find_by_ccoctl_name("c1-ebs") == other

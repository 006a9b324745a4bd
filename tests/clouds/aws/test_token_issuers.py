"""OIDC providers of IAM in an export: whether the account takes the cluster's tokens at all."""

from typing import Any

import pytest

from tests.worlds.aws_exports import ISSUER, PROVIDER, ROLE, details, document, role, subject, trusting
from upgrade_gate.clouds.aws import holdings, token_issuers
from upgrade_gate.clouds.contract.holdings import CoverageResult, Document

COVERED, MISSING, DENIED, UNKNOWN = "COVERED", "MISSING", "DENIED", "UNKNOWN"
OTHER = PROVIDER.replace("/c1", "/other")


def listing(*arns: str, **more: Any) -> dict[str, Any]:
    """What `aws iam list-open-id-connect-providers` prints."""
    return {"OpenIDConnectProviderList": [{"Arn": arn} for arn in arns], **more}


def provider(*clients: str, url: str = "oidc.example.com/c1", **more: Any) -> dict[str, Any]:
    """What `aws iam get-open-id-connect-provider` prints."""
    return {
        "Url": url,
        "ClientIDList": list(clients or ("openshift", "sts.amazonaws.com")),
        "ThumbprintList": ["0" * 40],
        "CreateDate": "2026-01-01T00:00:00Z",
        "Tags": [],
        **more,
    }


def ask(*documents: Any, arn: str = ROLE, wanted: str | None = None, issuer: str = ISSUER) -> CoverageResult:
    federated = f"{arn.rpartition(':')[0]}:oidc-provider/{issuer.removeprefix('https://')}"
    trust = document(trusting({}, Principal={"Federated": federated}))
    export = details(role(arn=arn, AssumeRolePolicyDocument=trust))
    held = holdings.build([Document(export), *(Document(d) for d in documents)], wanted)
    return held.trust(arn, issuer, [subject("driver")])


@pytest.mark.parametrize(
    ("documents", "verdict", "words"),
    [
        ([listing(OTHER, PROVIDER), provider()], COVERED, ""),
        ([provider()], COVERED, ""),
        ([provider(url=ISSUER)], COVERED, ""),
        ([provider(OpenIDConnectProviderArn=PROVIDER)], COVERED, ""),
        ([listing(PROVIDER), provider(), provider(url="oidc.example.com/other", ClientIDList=[])], COVERED, ""),
        ([[listing(PROVIDER)], [provider()]], COVERED, ""),
        ([provider("openshift")], COVERED, ""),
        # gone
        ([listing(OTHER)], MISSING, "has no OIDC provider for the issuer oidc.example.com/c1"),
        ([listing()], MISSING, "has no OIDC provider"),
        ([listing(PROVIDER + "2")], MISSING, "has no OIDC provider"),
        ([listing(PROVIDER + "X")], MISSING, "has no OIDC provider"),
        ([listing(PROVIDER.replace("arn:aws:", "arn:aws-cn:"), OTHER)], MISSING, "has no OIDC provider"),
        # other audiences
        ([provider("sts.amazonaws.com")], MISSING, "for the audience openshift: its client IDs are sts.amazonaws.com"),
        ([listing(PROVIDER), provider("OpenShift")], MISSING, "audience openshift"),
        ([provider(ClientIDList=[])], MISSING, "its client IDs are none"),
        # what cannot be told
        ([listing(OTHER), provider()], UNKNOWN, "disagree"),
        ([listing(OTHER), listing(PROVIDER)], UNKNOWN, "disagree"),
        ([provider(), provider("sts.amazonaws.com")], UNKNOWN, "disagree"),
        ([listing(OTHER, IsTruncated=True)], UNKNOWN, "as a whole"),
        ([{"OpenIDConnectProviderList": [{"Arn": OTHER}, 7]}], UNKNOWN, "as a whole"),
        ([{"OpenIDConnectProviderList": None}], UNKNOWN, "as a whole"),
        *(
            ([listing(odd, OTHER)], UNKNOWN, "as a whole")
            for odd in (
                "nonsense",
                "arn:aws",
                "arn:aws:iam",
                OTHER.replace("arn:", "urn:"),
                OTHER.replace(":iam:", ":sts:"),
                OTHER.replace("oidc-provider/", "saml-provider/"),
            )
        ),
        ([listing(OTHER.replace("111122223333", "999999999999"))], UNKNOWN, "not of the role's account"),
        ([listing(PROVIDER.replace("arn:aws:", "arn:aws-cn:"))], UNKNOWN, "not of the role's account"),
        ([provider(ClientIDList=7)], UNKNOWN, "cannot be read"),
        ([provider(ClientIDList=["openshift", 7])], UNKNOWN, "cannot be read"),
        ([listing(PROVIDER + "/")], UNKNOWN, "oidc.example.com/c1/, and the cluster's issuer is oidc.example.com/c1"),
        ([listing(PROVIDER.replace("oidc.ex", "OIDC.ex"))], UNKNOWN, "OIDC.example.com/c1"),
        ([provider(url="oidc.example.com/c1/")], UNKNOWN, "oidc.example.com/c1/"),
    ],
)
def test_what_is_supplied_about_providers_counts(documents: list[Any], verdict: str, words: str) -> None:
    judgement = ask(*documents)
    assert judgement.verdict == verdict, judgement.reason
    assert words in judgement.reason
    assert judgement.caveats == ()


@pytest.mark.parametrize(
    ("documents", "caveat"),
    [
        ([], "the OIDC provider of IAM was not seen"),
        ([provider("x", url="oidc.example.com/other")], "the OIDC provider of IAM was not seen"),
        ([provider("x", OpenIDConnectProviderArn=PROVIDER.replace("1111", "9999"))], "was not seen"),
        ([listing(PROVIDER, PROVIDER + "/"), provider(url="oidc.example.com/c1/")], "which audiences"),
        ([listing(PROVIDER)], "which audiences the OIDC provider of IAM takes was not seen"),
    ],
)
def test_what_is_not_supplied_is_a_caveat_and_no_doubt_about_the_issuer(documents: list[Any], caveat: str) -> None:
    judgement = ask(*documents)
    assert judgement.verdict == COVERED
    assert [caveat in line for line in judgement.caveats] == [True]
    assert not judgement.issuer_unseen


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-iso", "aws-eusc"])
def test_providers_are_those_of_the_roles_own_partition(partition: str) -> None:
    arn, of_provider = (text.replace("arn:aws:", f"arn:{partition}:") for text in (ROLE, PROVIDER))
    assert ask(listing(of_provider), provider(), arn=arn).verdict == COVERED
    assert ask(listing(PROVIDER), arn=arn).verdict == UNKNOWN
    assert ask(listing(of_provider + "-2"), arn=arn).verdict == MISSING


def test_an_issuer_with_a_slash_at_its_end_is_another_one() -> None:
    assert ask(listing(PROVIDER + "/"), provider(url="oidc.example.com/c1/"), issuer=ISSUER + "/").verdict == COVERED
    assert ask(listing(PROVIDER), issuer=ISSUER + "/").verdict == UNKNOWN
    assert ask(listing(PROVIDER), issuer=ISSUER + "X").verdict == MISSING


def test_an_issuer_with_a_port_is_found_in_a_list() -> None:
    issuer = ISSUER.replace("example.com", "example.com:8443")
    arn = PROVIDER.replace("example.com", "example.com:8443")
    assert ask(listing(arn), provider(url=issuer), issuer=issuer).verdict == COVERED
    assert ask(listing(PROVIDER), issuer=issuer).verdict == MISSING


def test_where_no_arn_says_whose_role_it_is_any_account_may_be_its_own() -> None:
    assert token_issuers.judge(None, ISSUER, [], [token_issuers.Listing((PROVIDER,), whole=True)]).verdict == COVERED
    odd = token_issuers.Listing((ROLE,), whole=False)
    assert token_issuers.judge(ROLE, "", [], [odd]).verdict == UNKNOWN, "what is no provider is of no issuer"


def test_a_list_of_another_account_says_nothing() -> None:
    foreign = listing(OTHER.replace("111122223333", "999999999999"))
    assert ask(foreign, wanted="111122223333").verdict == COVERED
    assert ask(foreign, wanted="111122223333").caveats != ()


def test_a_trust_policy_that_denies_says_more_than_a_provider() -> None:
    trust = document(trusting(None), trusting(None, Effect="Deny"))
    held = holdings.build(
        [Document(details(role(AssumeRolePolicyDocument=trust))), Document(listing(PROVIDER)), Document(provider())],
        None,
    )
    assert held.trust(ROLE, ISSUER, [subject("driver")]).verdict == DENIED

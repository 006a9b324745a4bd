"""One grant against one export, for other programs, and strict proof."""

from typing import Any

import pytest

from tests.worlds.aws_exports import ACCOUNT, ROLE, allow, details, role
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, CoverageResult, Document
from upgrade_gate.entitlements import judge
from upgrade_gate.proof.judge import strict

ATTACH = Grant("action", "ec2:AttachVolume", "Allow", "*")
EXPORT = details(role(allow("ec2:AttachVolume")))


def test_a_verdict_equals_its_name() -> None:
    assert [v.value for v in Coverage] == [v.name for v in Coverage]
    assert judge("AWS", [EXPORT], ROLE, ATTACH.as_dict()).verdict == "COVERED"


def test_a_grant_and_its_mapping_are_judged_alike() -> None:
    assert judge("AWS", [EXPORT], ROLE, ATTACH) == judge("AWS", [EXPORT], ROLE, ATTACH.as_dict())
    assert judge("AWS", [Document(EXPORT)], ROLE, ATTACH) == judge("AWS", [EXPORT], ROLE, ATTACH)


VOLUMES, OWNED = "arn:aws:ec2:*:*:volume/*", {"StringEquals": {"aws:ResourceTag/owner": "c1"}}
BINDING = {"bindings": [{"role": "roles/dns.admin", "members": ["serviceAccount:a@p.iam.gserviceaccount.com"]}]}
SERVICE = [{"name": "serviceName", "value": "is"}]
VIEWER = {
    "type": "access",
    "roles": [{"role_id": "r"}],
    "resources": [{"attributes": SERVICE}],
    "subjects": [{"attributes": [{"name": "iam_id", "value": "iam-ServiceId-1"}]}],
}
PARTS: list[tuple[str, Any, str, dict[str, Any], str]] = [
    ("AWS", details(role(allow("ec2:AttachVolume", Resource=VOLUMES))), ROLE, {"resource": VOLUMES}, "COVERED"),
    ("AWS", details(role(allow("ec2:AttachVolume", Resource=VOLUMES))), ROLE, {"resource": "*"}, "NARROWER"),
    ("AWS", details(role(allow("ec2:AttachVolume", Condition=OWNED))), ROLE, {"condition": OWNED}, "COVERED"),
    ("AWS", details(role(allow("ec2:AttachVolume", Condition=OWNED))), ROLE, {"condition": None}, "NARROWER"),
    ("AWS", details(role(allow("ec2:AttachVolume"))), ROLE, {"effect": "Deny"}, "UNKNOWN"),
    ("GCP", BINDING, "a@p.iam.gserviceaccount.com", {"type": "predefinedRole"}, "COVERED"),
    ("GCP", BINDING, "a@p.iam.gserviceaccount.com", {"type": None}, "UNKNOWN"),
    ("IBMCloud", [VIEWER], "iam-ServiceId-1", {"scope": {"attributes": SERVICE}}, "COVERED"),
    ("IBMCloud", [VIEWER], "iam-ServiceId-1", {"attributes": SERVICE}, "COVERED"),
    ("IBMCloud", [VIEWER], "iam-ServiceId-1", {"attributes": SERVICE, "scope": {"attributes": []}}, "UNKNOWN"),
    ("IBMCloud", [VIEWER], "iam-ServiceId-1", {}, "UNKNOWN"),
]
NAMES = {"AWS": "ec2:AttachVolume", "GCP": "roles/dns.admin", "IBMCloud": "r"}


@pytest.mark.parametrize(("provider", "export", "identity", "part", "verdict"), PARTS)
def test_each_part_of_a_grant_counts(
    provider: str, export: Any, identity: str, part: dict[str, Any], verdict: str
) -> None:
    judged = judge(provider, [export], identity, {"permission": NAMES[provider], "effect": "Allow", **part})
    assert judged.verdict == verdict, judged.reason


def test_the_word_of_a_policy_stands_for_the_permission() -> None:
    grant = {"action": "ec2:AttachVolume", "effect": "Allow", "resource": "*", "condition": None}
    assert judge("AWS", [EXPORT], ROLE, grant) == judge("AWS", [EXPORT], ROLE, ATTACH)
    assert judge("AWS", [EXPORT], ROLE, grant | {"permission": "ec2:DetachVolume"}).verdict == Coverage.MISSING


def test_keys_that_belong_to_a_report_are_ignored() -> None:
    grant = {**ATTACH.as_dict(), "covered_by": None, "risk": ["COST"]}
    assert judge("AWS", [EXPORT], ROLE, grant).verdict == Coverage.COVERED


@pytest.mark.parametrize("provider", ["AWS", "Azure", "GCP", "IBMCloud"])
@pytest.mark.parametrize("exports", [[], [{"some": "thing"}], [[]], [None]])
def test_without_a_document_of_its_cloud_nothing_is_known(provider: str, exports: list[Any]) -> None:
    judgement = judge(provider, exports, "someone", {"permission": "a"})
    assert judgement.verdict == Coverage.UNKNOWN
    assert provider in judgement.reason


def test_documents_of_another_cloud_prove_nothing() -> None:
    policy = {"bindings": [{"role": "roles/owner", "members": ["serviceAccount:a@p.iam.gserviceaccount.com"]}]}
    assert judge("AWS", [policy], ROLE, ATTACH).verdict == Coverage.UNKNOWN
    assert judge("AWS", [policy, EXPORT], ROLE, ATTACH).verdict == Coverage.COVERED
    assert judge("AWS", [[policy, EXPORT]], ROLE, ATTACH).verdict == Coverage.COVERED


def test_an_account_that_the_export_does_not_belong_to_is_unknown() -> None:
    assert judge("AWS", [EXPORT], ROLE, ATTACH, account="999988887777").verdict == Coverage.UNKNOWN
    assert judge("AWS", [EXPORT], ROLE, ATTACH, account=ACCOUNT).verdict == Coverage.COVERED


@pytest.mark.parametrize("provider", ["aws", "VSphere", ""])
def test_a_provider_that_nobody_knows_is_an_error(provider: str) -> None:
    with pytest.raises(ValueError, match="AWS, Azure, GCP, IBMCloud"):
        judge(provider, [], ROLE, ATTACH)


@pytest.mark.parametrize("grant", [{}, {"permission": None}, {"permission": ""}, {"permission": 1}])
def test_a_grant_without_a_name_is_an_error(grant: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="permission must be"):
        judge("AWS", [EXPORT], ROLE, grant)


@pytest.mark.parametrize("provider", ["AWS", "Azure", "GCP", "IBMCloud"])
@pytest.mark.parametrize("part", ["type", "effect", "resource"])
@pytest.mark.parametrize("value", [1, ["Allow"], {"a": "b"}, True])
def test_a_part_of_a_grant_that_is_no_text_is_an_error(provider: str, part: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"grant: {part} must be a text"):
        judge(provider, [EXPORT], ROLE, {"permission": "a", part: value})


@pytest.mark.parametrize("scope", [1, [], {"attributes": 1}, {"attributes": [{"name": [1], "value": {}}]}])
def test_a_scope_of_another_shape_covers_nothing(scope: object) -> None:
    policy = {"type": "access", "roles": [{"role_id": "r"}], "resources": [{"attributes": []}]}
    granted = {**policy, "subjects": [{"attributes": [{"name": "iam_id", "value": "iam-ServiceId-1"}]}]}
    needed = {"permission": "r", "scope": scope}
    assert judge("IBMCloud", [[granted]], "iam-ServiceId-1", needed).verdict != "COVERED"


@pytest.mark.parametrize("provider", ["AWS", "Azure", "GCP", "IBMCloud"])
@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"exports": None}, "exports"),
        ({"exports": EXPORT}, "exports"),
        ({"identity": None}, "identity"),
        ({"account": 111122223333}, "account"),
        ({"scopes": [1]}, "scopes"),
        ({"scopes": "group"}, "scopes"),
    ],
)
def test_an_argument_of_another_type_is_an_error(provider: str, given: dict[str, Any], named: str) -> None:
    arguments = {"exports": [EXPORT], "identity": ROLE, "grant": {"permission": "a"}, **given}
    with pytest.raises(ValueError, match=f"{named} must be"):
        judge(provider, **arguments)


@pytest.mark.parametrize("provider", ["AWS", "Azure", "GCP", "IBMCloud"])
def test_an_identity_without_a_name_is_unknown(provider: str) -> None:
    assert judge(provider, [EXPORT], "", {"permission": "a"}).verdict == "UNKNOWN"


def test_strict_proof_makes_unknown_of_what_exports_cannot_contain() -> None:
    covered = judge("AWS", [EXPORT], ROLE, ATTACH)
    assert covered.caveats
    judged = strict(covered)
    assert judged.verdict == Coverage.UNKNOWN
    assert covered.caveats[0] in judged.reason
    denied = CoverageResult(Coverage.DENIED, "x", ("y",))
    for other in (CoverageResult(Coverage.COVERED, "x"), CoverageResult(Coverage.MISSING, "x"), denied):
        assert strict(other) == other

"""What identities hold, against what is required and did not change."""

from pathlib import Path
from typing import Any

from tests.rules.worlds import Cluster, found, judge, needs, one, request
from upgrade_gate.entitlements import Collection, Document
from upgrade_gate.identities import Identities
from upgrade_gate.proof import Claims

ROLE = "arn:aws:iam::111122223333:role/c1"
A = [request("a", "ec2:DescribeVolumes", "ec2:CreateTags")]


def _claims(*actions: str, resource: str = "*", subjects: tuple[str, ...] = ("one",)) -> Claims:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/c1"},
        "Condition": {
            "StringEquals": {
                "oidc.example.com/c1:sub": [f"system:serviceaccount:openshift-storage:{name}" for name in subjects]
            }
        },
    }
    body = {
        "RoleDetailList": [
            {
                "RoleName": "c1",
                "Arn": ROLE,
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "RolePolicyList": [
                    {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
                ],
                "AttachedManagedPolicies": [],
            }
        ],
        "UserDetailList": [],
        "GroupDetailList": [],
        "Policies": [],
    }
    return Claims(Collection("export:x", (Document(body, "x.json"),)), identities=Identities(default=ROLE))


def test_everything_held_is_proven(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(), claims=_claims("ec2:*"))
    assert outcome.verdict.status == "pass"
    assert outcome.verdict.basis.proven


def test_permission_that_was_needed_all_along_is_missed(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, A, A, Cluster(), claims=_claims("ec2:Describe*")), "identity-lacks-permission")
    assert (finding.severity, needs(finding)) == ("blocker", {"grants": "unmet"})


def test_narrower_grant_cannot_be_told(tmp_path: Path) -> None:
    claims = _claims("ec2:*", resource="arn:aws:ec2:*:*:volume/*")
    outcome = judge(
        tmp_path, [request("a", "ec2:CreateTags")], [request("a", "ec2:CreateTags")], Cluster(), claims=claims
    )
    assert one(outcome, "identity-narrower").severity == "unknown"
    assert outcome.verdict.exit_code == 4


def test_identity_that_nobody_names_is_unknown(tmp_path: Path) -> None:
    claims = Claims(_claims("ec2:*").collection)
    assert one(judge(tmp_path, A, A, Cluster(), claims=claims), "identity-unknown").severity == "unknown"


def test_trust_without_the_service_account_blocks(tmp_path: Path) -> None:
    claims = _claims("ec2:*", subjects=("other",))
    assert one(judge(tmp_path, A, A, Cluster(), claims=claims), "identity-trust-lacks-subject").severity == "blocker"


def test_failed_export_is_never_a_pass(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(), claims=Claims(failure="x.json: cut off"))
    assert outcome.verdict.exit_code == 4


def test_root_credential_is_judged_in_passthrough_mode(tmp_path: Path) -> None:
    cluster = Cluster(mode="Passthrough", root=True, issuer="")
    outcome = judge(tmp_path / "1", A, A, cluster, claims=_claims("ec2:Describe*"))
    assert one(outcome, "root-credential-insufficient").severity == "blocker"
    assert not found(judge(tmp_path / "2", A, A, cluster, claims=_claims("ec2:*")), "root-credential-insufficient")


def test_no_identity_rule_without_identities(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster())
    assert not [j for j in outcome.judged if j.finding.rule.startswith("identity-")]

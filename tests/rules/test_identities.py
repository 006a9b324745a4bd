"""What identities hold, against what is required and did not change."""

import copy
from pathlib import Path
from typing import Any

from msgspec.structs import replace

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


def test_trust_that_cannot_be_told_is_a_finding_beside_grants_that_cannot_for_another_reason(tmp_path: Path) -> None:
    claims = _claims("ec2:*")
    assert claims.collection is not None
    (role,) = claims.collection.documents[0].body["RoleDetailList"]
    role["PermissionsBoundary"] = {"PermissionsBoundaryArn": "arn:aws:iam::111122223333:policy/limits"}
    role["AssumeRolePolicyDocument"] = "%7B"
    hits = found(judge(tmp_path, A, A, Cluster(), claims=claims), "identity-unknown")
    assert sorted(next(iter(needs(hit.finding))) for hit in hits) == ["grants", "trust"]


def _without_trust(claims: Claims) -> tuple[Document, ...]:
    """Return the documents with the role under ccoctl's name for it, and a trust policy that cannot be read."""
    assert claims.collection is not None
    body = copy.deepcopy(claims.collection.documents[0].body)
    name = "c1-openshift-storage-cloud"
    body["RoleDetailList"][0] |= {
        "RoleName": name,
        "Arn": f"arn:aws:iam::111122223333:role/{name}",
        "AssumeRolePolicyDocument": "%7B",
    }
    return (Document(body, "x.json"),)


def test_what_makes_grants_and_trust_unknown_is_one_finding(tmp_path: Path) -> None:
    claims = _claims("ec2:*")
    assert claims.collection is not None
    nobody = Claims(claims.collection, identities=Identities(default=f"{ROLE}-2"))
    assert len(found(judge(tmp_path / "1", A, A, Cluster(), claims=nobody), "identity-unknown")) == 1
    by_name = Claims(replace(claims.collection, documents=_without_trust(claims)), ccoctl_name="c1")
    assert len(found(judge(tmp_path / "3", A, A, Cluster(), claims=by_name), "identity-unknown")) == 1
    cut = Claims(replace(claims.collection, unread=("y.json: cut off",)), identities=claims.identities)
    assert len(found(judge(tmp_path / "2", A, A, Cluster(), claims=cut), "identity-unknown")) == 1


def test_failed_export_is_never_a_pass(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(), claims=Claims(failure="x.json: cut off"))
    assert outcome.verdict.exit_code == 4


def test_root_credential_is_judged_in_passthrough_mode(tmp_path: Path) -> None:
    cluster = Cluster(mode="Passthrough", root=True, issuer="")
    outcome = judge(tmp_path / "1", A, A, cluster, claims=_claims("ec2:Describe*"))
    assert one(outcome, "root-credential-insufficient").severity == "blocker"
    assert not found(judge(tmp_path / "2", A, A, cluster, claims=_claims("ec2:*")), "root-credential-insufficient")


def test_what_the_root_credential_holds_and_cannot_be_told_is_not_said_to_lack(tmp_path: Path) -> None:
    cluster = Cluster(mode="Passthrough", root=True, issuer="")
    claims = Claims(_claims("ec2:*").collection, identities=Identities(default=f"{ROLE}-2"))
    finding = one(judge(tmp_path, A, A, cluster, claims=claims), "root-credential-insufficient")
    assert (finding.severity, needs(finding)) == ("blocker", {"grants": "unknown"})
    assert "2 permissions that the components need could not be proven" in finding.headline


def test_no_identity_rule_without_identities(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster())
    assert not [j for j in outcome.judged if j.finding.rule.startswith("identity-")]

"""What identities hold, against what is required and did not change."""

import copy
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.worlds import flows
from tests.worlds.rules import NS, TODAY, Cluster, about, found, judge, needs, one, payload, request
from upgrade_gate.base.facts import Unknown
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.contract.holdings import Coverage, Document
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.payloads.payload import Location, Manifest
from upgrade_gate.proof.collect import Collection
from upgrade_gate.proof.identity_map import Identities, Identity
from upgrade_gate.proof.proof import Claims
from upgrade_gate.report import build
from upgrade_gate.requests.credentials_request import CredentialsRequest, parse

ROLE = "arn:aws:iam::111122223333:role/c1"
A = [request("a", "ec2:DescribeVolumes", "ec2:CreateTags")]


def _request() -> CredentialsRequest:
    body = request("a", "ec2:CopyImage")
    place = Location("a.yaml", 0, 1)
    return parse(Manifest("cloudcredential.openshift.io", "v1", "CredentialsRequest", NS, "a", None, place, body))


def _claims(*actions: str, resource: str = "*", subjects: tuple[str, ...] = ("one",), condition: Any = None) -> Claims:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    if condition is not None:
        statement["Condition"] = condition
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


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ("scopes", "which scopes must be covered is not known: not read"),
        ("issuer", "the cluster's token issuer is not known: not read"),
    ],
)
def test_what_is_not_known_of_the_cluster_proves_nothing(fact: str, words: str, tmp_path: Path) -> None:
    proof = judge(tmp_path, A, A, Cluster(), claims=_claims("ec2:*")).situation.proof
    assert proof.cluster is not None
    blind = replace(proof, cluster=replace(proof.cluster, facts={**proof.cluster.facts, fact: Unknown("not read")}))
    body = _request()
    (grant, *_rest) = body.grants
    judged = blind.grants(body, [grant])[0][1] if fact == "scopes" else blind.trust(body, ["one"])
    assert (judged.verdict, judged.reason) == (Coverage.UNKNOWN, words)


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


def test_grants_are_judged_for_the_cluster_that_asks(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.objects["Infrastructure"]["status"]["platformStatus"]["aws"]["region"] = "eu-west-1"
    need = [request("a", "ec2:DescribeVolumes", "ec2:AttachVolume")]

    def outcome(region: str) -> Any:
        own = {"StringEquals": {"aws:RequestedRegion": region}}
        return judge(tmp_path / region, need, need, cluster, claims=_claims("ec2:*", condition=own))

    here = outcome("eu-west-1")
    assert here.verdict.status == "pass"
    assert here.verdict.basis.proven
    assert one(outcome("us-east-1"), "identity-lacks-permission").severity == "blocker"
    volumes = _claims("ec2:*", resource="arn:aws:ec2:eu-west-1:111122223333:*")
    attach = [request("a", "ec2:AttachVolume")]
    assert judge(tmp_path / "arn", attach, attach, cluster, claims=volumes).verdict.basis.proven


def test_what_is_assumed_of_the_cluster_stands_in_the_basis(tmp_path: Path) -> None:
    need = [request("a", "ec2:AttachVolume")]
    tagged = _claims("ec2:*", condition={"StringEquals": {"aws:ResourceTag/kubernetes.io/cluster/c1": "owned"}})
    without = judge(tmp_path / "without", need, need, Cluster(), claims=tagged)
    assert "--assume cluster-tag" in str(one(without, "identity-narrower"))
    with_it = judge(tmp_path / "with", need, need, Cluster(), claims=replace(tagged, assume=("cluster-tag",)))
    assert with_it.verdict.status == "pass"
    assert with_it.verdict.basis.assumptions == (
        "all that the cluster has and creates carries its tag (--assume cluster-tag)",
    )
    assert "assuming that all that the cluster has and creates carries its tag" in with_it.verdict.summary
    unused = judge(
        tmp_path / "unused", need, need, Cluster(), claims=replace(_claims("ec2:*"), assume=("cluster-tag",))
    )
    assert unused.verdict.basis.proven, "an assumption that nothing rests on is none"


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
    assert not any(hit.finding.remedy for hit in hits)
    nobody = [request("a", "ec2:DescribeVolumes", accounts=())]
    (alone,) = found(judge(tmp_path / "nobody", nobody, nobody, Cluster(), claims=claims), "identity-unknown")
    assert set(needs(alone.finding)) == {"grants"}


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
    assert "could not be proven that the root credential holds 2 permissions" in finding.headline


def test_no_identity_rule_without_identities(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster())
    assert not [j for j in outcome.judged if j.finding.rule.startswith("identity-")]


SECRET = "openshift-storage/cloud"


def test_a_secret_that_names_another_identity_than_the_configuration_wins_and_blocks(tmp_path: Path) -> None:
    """What the Secret names is judged: the configured role would hold nothing."""
    claims = replace(_claims("ec2:*"), identities=Identities(by_secret={SECRET: f"{ROLE}-other"}))
    outcome = judge(tmp_path, A, A, Cluster(identities={SECRET: ROLE}), claims=claims)
    finding = one(outcome, "identity-mismatch")
    assert (finding.severity, needs(finding)) == ("blocker", {"decision": "unmet"})
    assert f"names {ROLE}, the configuration {ROLE}-other" in finding.headline
    assert finding.identity == Identity(ROLE, "secret", mismatch=f"{ROLE}-other")
    assert (finding.guard, about(finding)["evidence"]) == ("missed", [f"cluster secrets/{SECRET} 0 1"])
    assert not found(outcome, "identity-unknown"), "the Secret's own role was judged"


@pytest.mark.parametrize("configured", [Identities(by_secret={SECRET: ROLE}), Identities()], ids=["same", "silent"])
def test_a_secret_that_the_configuration_agrees_with_is_no_mismatch(configured: Identities, tmp_path: Path) -> None:
    claims = replace(_claims("ec2:*"), identities=configured)
    outcome = judge(tmp_path, A, A, Cluster(identities={SECRET: ROLE}), claims=claims)
    assert not found(outcome, "identity-mismatch")
    assert outcome.verdict.status == "pass"


def test_a_mismatch_stays_blocked_until_somebody_decides(tmp_path: Path) -> None:
    claims = replace(_claims("ec2:*"), identities=Identities(by_secret={SECRET: f"{ROLE}-other"}))
    assert judge(tmp_path, A, A, Cluster(identities={SECRET: ROLE}), claims=claims).verdict.exit_code == 3


@pytest.mark.parametrize(
    ("issuer", "subjects", "status"),
    [
        ("https://oidc.example.com/c1", ("one",), "pass"),
        ("https://oidc.example.com/c2", ("one",), "undetermined"),
        ("https://oidc.example.com/c1", ("other",), "undetermined"),
    ],
    ids=["trusts-this-cluster", "trusts-another-cluster", "trusts-another-account"],
)
def test_a_name_that_ccoctl_gives_counts_only_with_the_cluster_s_issuer_and_every_subject(
    *, issuer: str, subjects: tuple[str, ...], status: str, tmp_path: Path
) -> None:
    claims = _claims("ec2:*", subjects=subjects)
    assert claims.collection is not None
    (document,) = claims.collection.documents
    role = document.body["RoleDetailList"][0]
    role |= {"RoleName": "c1-openshift-storage-cloud", "Arn": f"{ROLE}-openshift-storage-cloud"}
    named = replace(claims, identities=Identities(), ccoctl_name="c1")
    outcome = judge(tmp_path, A, A, Cluster(issuer=issuer), claims=named)
    assert outcome.verdict.basis.proven is (status == "pass")
    if status == "pass":
        assert outcome.verdict.status == "pass"
        return
    finding = one(outcome, "identity-unknown")
    assert finding.identity == Identity(role["Arn"], "ccoctl-name")
    assert "found by ccoctl's naming" in finding.needs[0].detail


def test_a_name_that_ccoctl_gives_does_not_count_where_no_service_account_could_be_trusted(tmp_path: Path) -> None:
    claims = _claims("ec2:*")
    assert claims.collection is not None
    role = claims.collection.documents[0].body["RoleDetailList"][0]
    role |= {"RoleName": "c1-openshift-storage-cloud", "Arn": f"{ROLE}-openshift-storage-cloud"}
    named = replace(claims, identities=Identities(), ccoctl_name="c1")
    asked = [request("a", "ec2:DescribeVolumes", accounts=())]
    outcome = judge(tmp_path / "1", asked, asked, Cluster(), claims=named)
    assert "names no service account" in one(outcome, "identity-unknown").needs[0].detail
    assert outcome.verdict.exit_code == 4
    configured = replace(claims, identities=Identities(default=role["Arn"]))
    assert judge(tmp_path / "2", asked, asked, Cluster(), claims=configured).verdict.basis.proven


def test_strict_proof_asks_for_what_no_export_holds(tmp_path: Path) -> None:
    strict = judge(tmp_path, A, A, Cluster(), claims=replace(_claims("ec2:*"), strict=True))
    assert strict.verdict.status == "undetermined"
    trust, grants = (judged.finding.needs[0] for judged in found(strict, "identity-unknown"))
    assert "strict proof asks for more" in grants.detail
    assert "strict proof asks for more: the OIDC provider of IAM was not seen" in trust.detail


@pytest.mark.parametrize(("held", "status", "code"), [("ec2:*", "pass", 0), (None, "undetermined", 4)])
def test_required_proof_lets_only_what_is_proven_pass(
    *, held: str | None, status: str, code: int, tmp_path: Path
) -> None:
    claims = _claims(held) if held else Claims()
    weighing = Weights(today=TODAY, require_proof=True)
    verdict = judge(tmp_path, A, A, Cluster(), weighing=weighing, claims=claims).verdict
    assert (verdict.status, verdict.exit_code, verdict.basis.proven) == (status, code, held is not None)


def test_several_secrets_on_one_identity_are_measured_together(tmp_path: Path) -> None:
    """A role's inline policies end at 10,240 characters (docs/facts/aws.md#limits): each half fits, both do not."""

    def asking(name: str, start: int) -> dict[str, Any]:
        actions = [f"ec2:{'Describe' * 5}{number:04d}" for number in range(start, start + 120)]
        return request(name, *actions, secret=name)

    both = [asking("a", 0), asking("b", 500)]
    cluster = Cluster(secrets=("openshift-storage/a", "openshift-storage/b"))
    finding = one(judge(tmp_path / "both", both, both, cluster, claims=_claims("s3:Get*")), "policy-too-large")
    assert (finding.severity, "10240" in finding.headline) == ("warning", True)
    assert (finding.request, finding.subject, finding.secret) == (f"{NS}/a", f"{NS}/a", "openshift-storage/a")
    assert finding.identity == Identity(ROLE, "configuration")
    assert about(finding)["evidence"] == ["to 0000_50_component_00.yaml 0 1"]
    one_alone = judge(tmp_path / "one", both[:1], both[:1], cluster, claims=_claims("s3:Get*"))
    assert not found(one_alone, "policy-too-large")


def test_a_request_of_a_kind_that_nobody_knows_on_the_secret_of_another_does_not_keep_the_gate_from_judging(
    tmp_path: Path,
) -> None:
    """Found by a fault: the image registry's requests for all clouds name one Secret, one kind was cut off."""
    odd = request("b", providerSpec={"apiVersion": "x/v1", "kind": "GCPProv", "predefinedRoles": ["roles/a"]})
    outcome = judge(tmp_path, A, [*A, odd], Cluster(), claims=_claims("ec2:*"))
    assert not found(outcome, "policy-too-large")
    assert outcome.verdict.status != "pass"


def test_caveats_of_a_proof_stand_in_the_report_where_no_finding_names_them(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(), claims=_claims("ec2:*"))
    source = outcome.situation.proof.source()
    assert source is not None
    assert source.account == "111122223333"
    shown = build.of_outcome(outcome, labels={}, now=None).identities
    assert shown is not None
    assert any("service control policies" in caveat for caveat in shown.caveats)
    (asked,) = outcome.situation.hops[0].new_selection.requests.values()
    outcome.situation.proof.grants(asked.request, [Grant("action", "ec2:RunInstances")])
    assert build.of_outcome(outcome, labels={}, now=None).identities == shown  # whatever else was asked meanwhile


def test_the_registrys_request_alone_is_judged_at_the_registrys_bucket(tmp_path: Path) -> None:
    names = ("openshift-image-registry", "backup")
    both = [request(name, "s3:GetObject", secret=name) for name in names]
    cluster = Cluster(secrets=[f"openshift-storage/{name}" for name in names])
    cluster.objects["Infrastructure"]["status"]["platformStatus"]["aws"]["region"] = "eu-west-1"
    storage = {"s3": {"bucket": "c1-images"}}
    cluster.objects["Config"] = {
        "metadata": {"name": "cluster"},
        "spec": {"managementState": "Managed", "storage": {**storage, "managementState": "Managed"}},
        "status": {"storage": storage, "conditions": [{"type": "StorageExists", "status": "True"}]},
    }
    claims = _claims("s3:GetObject", resource="arn:aws:s3:::c1-images/*")
    for partly in (claims, _partly_read(claims)):
        outcome = judge(tmp_path / str(partly is claims), both, both, cluster, claims=partly)
        assert one(outcome, "identity-narrower").request == f"{NS}/backup"


def _partly_read(claims: Claims) -> Claims:
    """Return what was supplied with a command that failed beside it."""
    assert claims.collection is not None
    return replace(claims, collection=replace(claims.collection, failed=("aws iam get-role --role-name other",)))


def test_in_mint_mode_no_identity_of_a_component_is_judged(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(mode="Mint", root=True), claims=_claims("s3:*"))
    assert not [j for j in outcome.judged if j.finding.rule.startswith(("identity-", "root-credential-insufficient"))]


SA = "root@p1.iam.gserviceaccount.com"


def _root_on_gcp(*roles: str) -> Claims:
    """Return what is supplied of the project's bindings, of a root credential that is known by the configuration."""
    bindings = [{"role": role, "members": [f"serviceAccount:{SA}"]} for role in roles]
    body = {"bindings": bindings, "etag": "BwU=", "version": 3}
    owner = {
        "email": SA,
        "name": f"projects/p1/serviceAccounts/{SA}",
        "projectId": "p1",
        "uniqueId": "1",
        "disabled": False,
    }
    documents = (Document(body, "x.json"), Document([owner], "y.json"))
    return Claims(Collection("export:x", documents), identities=Identities(default=SA, account="p1"))


UNTOLD = Claims()


@pytest.mark.parametrize(
    ("versions", "claims", "severity"),
    [
        (("4.14.1", "4.15.0"), _root_on_gcp("roles/iam.roleAdmin"), None),
        (("4.14.1", "4.15.0"), _root_on_gcp(), "blocker"),
        (("4.14.1", "4.15.0"), UNTOLD, "warning"),
        (("4.13.1", "4.14.0"), UNTOLD, None),
        (("4.15.1", "4.16.0"), UNTOLD, None),
        (("4.14.1", "4.14.9"), UNTOLD, None),
    ],
)
def test_cco_of_4_15_needs_one_role_more_to_mint_on_gcp(
    *, versions: tuple[str, str], claims: Claims, severity: str | None, tmp_path: Path
) -> None:
    """Upstream cloud-credential-operator#670: from 4.15 on it makes custom roles (docs/facts/cco.md#upgradeable)."""
    asked = [flows.request("GCP")]
    cluster = Cluster(platform="GCP", mode="Mint", root=True, history=[("Completed", versions[0])], requests=asked)
    outcome = judge(tmp_path / "mint", asked, asked, cluster, versions=versions, claims=claims)
    hits = found(outcome, "root-credential-insufficient")
    assert [hit.finding.severity for hit in hits] == ([severity] if severity else [])
    manual = Cluster(platform="GCP", history=[("Completed", versions[0])])
    by_hand = judge(tmp_path / "manual", asked, asked, manual, versions=versions)
    assert not found(by_hand, "root-credential-insufficient")


def test_the_role_that_minting_needs_is_told_on_its_hop_with_all_that_it_rests_on(tmp_path: Path) -> None:
    asked = [flows.request("GCP")]
    cluster = Cluster(platform="GCP", mode="Mint", requests=asked, secrets=["kube-system/gcp-credentials"])
    via = payload(tmp_path / "via", "4.14.9", asked)
    lacking = judge(tmp_path, asked, asked, cluster, via=(f"dir:{via}",), claims=_root_on_gcp())
    finding = one(lacking, "root-credential-insufficient")
    (grant,) = finding.grants
    assert (grant.grant.permission, grant.rating.risk) == ("roles/iam.roleAdmin", ("ESCALATE",))
    assert (finding.content, finding.subject) == ([grant.grant.as_dict()], "Secret kube-system/gcp-credentials")
    assert about(finding) == {
        "secret": "kube-system/gcp-credentials",
        "hop": 1,
        "guard": "missed",
        "needs": {"grants": "unmet"},
        "evidence": ["cluster secrets/kube-system/gcp-credentials 0 1"],
    }
    assert [step.when for step in finding.remedy] == ["before"]
    assert finding.headline.endswith(": the root credential does not hold it")
    none = judge(tmp_path / "untold", asked, asked, cluster)
    assert one(none, "root-credential-insufficient").headline.endswith(", which was not proven")


@pytest.mark.parametrize(
    ("cluster", "accounts", "told"),
    [
        (Cluster(), ("one",), True),
        (Cluster(), (), False),
        (Cluster(issuer="", keys=frozenset({"aws_access_key_id", "aws_secret_access_key"})), ("one",), False),
        (None, ("one",), False),
    ],
    ids=["tokens", "no account", "keys", "no cluster"],
)
def test_trust_is_asked_for_where_tokens_are_and_somebody_holds_them(
    cluster: Cluster | None, accounts: tuple[str, ...], *, told: bool, tmp_path: Path
) -> None:
    asked = [request("a", "ec2:DescribeVolumes", accounts=accounts)]
    outcome = judge(tmp_path, asked, asked, cluster, claims=_claims("ec2:*", subjects=("other",)))
    about_trust = [j.finding.rule for j in outcome.judged if "trust" in needs(j.finding)]
    assert about_trust == (["identity-trust-lacks-subject"] if told else [])


def test_a_finding_about_an_identity_names_grants_secret_place_and_step(tmp_path: Path) -> None:
    claims = _claims("ec2:DescribeVolumes", subjects=("other",))
    outcome = judge(tmp_path, A, A, Cluster(), claims=claims)
    lacking, trust = one(outcome, "identity-lacks-permission"), one(outcome, "identity-trust-lacks-subject")
    assert [grant.grant.permission for grant in lacking.grants] == ["ec2:CreateTags"]
    assert lacking.content == [lacking.grants[0].grant.as_dict()]
    assert (trust.content, needs(trust)) == (["one"], {"trust": "unmet"})
    for finding in (lacking, trust):
        assert (finding.request, finding.secret, finding.guard) == (f"{NS}/a", SECRET, "missed")
        assert finding.identity is not None
        assert finding.identity.id == ROLE
        assert [(place.side, place.file) for place in finding.evidence] == [("to", "0000_50_component_00.yaml")]
        assert [step.when for step in finding.remedy] == ["before"]


def test_what_cannot_be_told_has_no_step_that_grants(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(), claims=Claims(_claims("ec2:*").collection))
    assert all(not j.finding.remedy for j in found(outcome, "identity-unknown"))


def test_of_the_root_credential_everything_that_all_components_need_is_one_finding(tmp_path: Path) -> None:
    asked = [
        request("b", "ec2:Zeta", "ec2:Old"),
        request("a", "ec2:Old", secret="other"),
        request("0", kind="MarsProviderSpec"),
    ]
    cluster = Cluster(mode="Passthrough", root=True, identities={"kube-system/aws-creds": ROLE})
    finding = one(judge(tmp_path, asked, asked, cluster, claims=_claims("s3:*")), "root-credential-insufficient")
    assert [grant.grant.permission for grant in finding.grants] == ["ec2:Old", "ec2:Zeta"]
    assert (finding.secret, finding.guard, finding.severity) == ("kube-system/aws-creds", "missed", "blocker")
    assert needs(finding) == {"grants": "unmet"}
    assert [(place.side, place.file) for place in finding.evidence] == [("cluster", "secrets/kube-system/aws-creds")]
    assert finding.headline == "the root credential lacks 2 permissions that the components need"
    assert [step.when for step in finding.remedy] == ["before"]
    unproven = judge(tmp_path / "unproven", asked, asked, cluster, claims=Claims(Collection("export:x", ())))
    assert "could not be proven" in one(unproven, "root-credential-insufficient").headline

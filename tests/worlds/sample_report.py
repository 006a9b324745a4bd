"""Reports that show everything a format must render: made by hand, so that no stage before them is needed."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from upgrade_gate.report.document import (
    SCHEMA,
    AcknowledgementView,
    CapabilitySelection,
    ChangeSelection,
    ChangeView,
    ClusterView,
    Count,
    EvidenceView,
    Excluded,
    FactView,
    FindingView,
    GrantDiff,
    Hop,
    IdentityView,
    Names,
    NeedView,
    OtherChange,
    Pair,
    Release,
    RemedyView,
    Report,
    Requests,
    Selection,
    Table,
    Tool,
    VerdictView,
)
from upgrade_gate.report.grant_document import GrantView, Introduction
from upgrade_gate.report.identities_document import ExportView, IdentitiesView, VendorSetView

Severity: TypeAlias = Literal["blocker", "unknown", "warning", "info"]
Status: TypeAlias = Literal["open", "acknowledged", "proven"]

CCO = "openshift-cloud-credential-operator"
EBS = f"{CCO}/aws-ebs-csi-driver-operator"
INGRESS = f"{CCO}/openshift-ingress"
CAPA = f"{CCO}/openshift-cluster-api-aws"
MACHINE = f"{CCO}/openshift-machine-api-aws"
REGISTRY = f"{CCO}/openshift-image-registry"

MISSED = "permissions of an existing component are never compared, neither by CCO nor by CVO"

HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;",
    "markdown": "[click](javascript:alert(3)) **bold** | cell | `code` <!-- --> #1 @octocat https://evil.example/x",
    "terminal": "\x1b[31mred\x1b]0;title\x07\x1b[2J\x9b31m",
    "newline": "one\n::error::injected\r\n##[error]injected\u2028two\u2029three\x85four",
    "direction": "abc\u202egpj.exe\u2066\u200f\u200b\ufeff",
    "shell": "$(touch /tmp/owned); `id` 'quote' && rm -rf ~",
    "template": "{{ 7*7 }}{% raw %}{0}",
}
"""Names that a hostile payload might carry, by what they attack."""


def grant(permission: str, **more: Any) -> GrantView:
    """Return an AWS grant; `more` overrides any field."""
    fields: dict[str, Any] = {
        "type": "action",
        "permission": permission,
        "effect": "Allow",
        "resource": "*",
        "condition": None,
        "scope": None,
    }
    return GrantView(**(fields | more))


AFTER_GA = Introduction(
    branch="4.14",
    z_stream=True,
    date="2024-01-09",
    repository="openshift/cluster-storage-operator",
    pull_request=418,
    bugs=["OCPBUGS-1"],
)
PAIRED = grant("ec2:RunInstances", risk=["ESCALATE"], access="write", completes=["iam:PassRole"])


def finding(rule: str, subject: str, headline: str, **more: Any) -> FindingView:
    """Return a finding, an open blocker unless told otherwise, its fingerprint made from rule, subject and headline."""
    request = subject if "/" in subject else None
    fields: dict[str, Any] = {
        "rule": rule,
        "severity": "blocker",
        "status": "open",
        "guard": None,
        "guard_reason": None,
        "fingerprint": hashlib.sha256(f"{rule}{subject}{headline}".encode("utf-8", "replace")).hexdigest()[:16],
        "headline": headline,
        "hop": 0,
        "request": request,
        "component": subject.rpartition("/")[2] if request else None,
        "secret": None,
        "grants": [],
        "needs": [],
        "caveats": [],
        "identity": None,
        "evidence": [],
        "remedy": [],
        "acknowledgement": None,
        "subject": subject,
    }
    return FindingView(**(fields | more))


def change(request: str, **more: Any) -> ChangeView:
    """Return a changed request without any difference yet."""
    secret = f"openshift-{request.rpartition('/')[2]}/cloud-credentials"
    fields: dict[str, Any] = {
        "request": request,
        "kind": "changed",
        "was": None,
        "hop": 0,
        "provider": "AWSProviderSpec",
        "selection": ChangeSelection(from_="applied", to="applied", why=""),
        "secret": Pair(from_=secret, to=secret),
        "service_accounts": Names(added=[], removed=[]),
        "token_path": Pair(from_=None, to=None),
        "permissions": GrantDiff(added=[], removed=[]),
        "other": [],
        "files": Pair(from_="0000_50_cluster-x_03-credentials.yaml", to="0000_50_cluster-x_03-credentials.yaml"),
    }
    return ChangeView(**(fields | more))


def release(version: str) -> Release:
    """Return a release as read from a folder."""
    digest = "sha256:" + hashlib.sha256(version.encode()).hexdigest()
    return Release(
        version=version,
        reference=f"quay.io/openshift-release-dev/ocp-release:{version}-x86_64",
        digest=digest,
        verified=version.endswith("0"),
        verification="signature of 199E2F91FD431D51" if version.endswith("0") else "no signature found",
        pullspec=f"quay.io/openshift-release-dev/ocp-release@{digest}",
    )


def counts(findings: list[FindingView]) -> dict[str, Count]:
    """Return how many findings of each severity stand where."""
    return {
        severity: Count(
            **{
                s: sum(f.severity == severity and f.status == s for f in findings)
                for s in ("open", "acknowledged", "proven")
            }
        )
        for severity in ("blocker", "unknown", "warning", "info")
    }


def cluster(*, unread: bool = True) -> ClusterView:
    """Return a cluster of which everything is known but, with `unread`, two facts."""
    known: list[tuple[str, Any]] = [
        ("ClusterVersion version", "4.13.0"),
        ("Infrastructure cluster", "AWS, us-east-2"),
        ("Authentication cluster", "https://c1-oidc.s3.us-east-2.amazonaws.com"),
        ("FeatureGate cluster", "Default"),
        ("DNS cluster", "c1.example.com"),
        ("CloudCredential cluster", "Manual"),
        ("Deployment cluster-version-operator", "self-managed-high-availability"),
        ("CredentialsRequests", 12),
    ]
    facts = [FactView(name=n, state="known", value=v, reason=None) for n, v in known]
    facts.append(FactView(name="ConfigMap cloud-credential-operator-config", state="absent", value=None, reason=None))
    if unread:
        facts += [
            FactView(
                name="ClusterOperator cloud-credential",
                state="unknown",
                value=None,
                reason="get clusteroperators/cloud-credential: forbidden",
                remedy="get clusteroperators.config.openshift.io, resourceNames [cloud-credential]",
            ),
            FactView(
                name="Secret openshift-ingress-operator/cloud-credentials",
                state="unknown",
                value=None,
                reason="get secrets/cloud-credentials in openshift-ingress-operator: timed out after 30 s",
            ),
        ]
    return ClusterView(
        id="0b7d1c5e-6f1c-4d1b-9d5a-2f3e4a5b6c7d",
        version="4.13.0",
        name="c1-x7k2p",
        api_url="https://api.c1.example.com:6443",
        source="must-gather ./must-gather.local.123",
        collected="2026-11-01T06:12:09Z",
        facts=facts,
    )


def _findings() -> list[FindingView]:
    added = [
        grant("ec2:EnableFastSnapshotRestores", risk=["COST"]),
        grant("ec2:DescribeSnapshots", introduced=AFTER_GA),
        grant("kms:CreateGrant", condition={"Bool": {"kms:GrantIsForAWSResource": True}}, risk=["ESCALATE"]),
    ]
    return [
        finding(
            "permission-added",
            EBS,
            "aws-ebs-csi-driver-operator gains 3 permissions",
            guard="missed",
            guard_reason=MISSED,
            secret="openshift-cluster-csi-drivers/ebs-cloud-credentials",
            grants=added,
            needs=[NeedView(kind="grants", status="unmet", detail="MISSING ec2:EnableFastSnapshotRestores")],
            caveats=["service control policies were not supplied"],
            identity=IdentityView(
                id="arn:aws:iam::123456789012:role/c1-openshift-cluster-csi-drivers-ebs", source="secret"
            ),
            evidence=[
                EvidenceView(side="from", file="0000_50_cluster-storage-operator_03_aws.yaml", document=0, line=1),
                EvidenceView(side="to", file="0000_50_cluster-storage-operator_03_aws.yaml", document=0, line=14),
            ],
            remedy=[
                RemedyView(
                    step="put the policy of the target release on the role",
                    number=1,
                    when="before",
                    argv=[
                        "aws",
                        "iam",
                        "put-role-policy",
                        "--role-name",
                        "c1-openshift-cluster-csi-drivers-ebs",
                        "--policy-name",
                        "c1-openshift-cluster-csi-drivers-ebs",
                        "--policy-document",
                        "file://aws/ebs-policy.json",
                    ],
                    placeholders=[],
                    file="aws/ebs-policy.json",
                )
            ],
        ),
        finding(
            "request-added",
            CAPA,
            "openshift-cluster-api-aws is new and needs a Secret with 2 permissions",
            guard="missed",
            guard_reason="a patch update is never guarded",
            secret="openshift-cluster-api/capa-manager-bootstrap-credentials",
            grants=[grant("iam:PassRole", risk=["ESCALATE"]), PAIRED],
            needs=[
                NeedView(kind="namespace", status="met", detail="openshift-cluster-api exists"),
                NeedView(
                    kind="secret",
                    status="unmet",
                    detail="openshift-cluster-api/capa-manager-bootstrap-credentials is absent",
                ),
                NeedView(kind="grants", status="unknown", detail="no identities given"),
            ],
            evidence=[
                EvidenceView(side="to", file="0000_30_cluster-api_01_credentials-request.yaml", document=1, line=37)
            ],
            remedy=[
                RemedyView(
                    step="create the role with ccoctl",
                    number=2,
                    when="before",
                    argv=[
                        "ccoctl",
                        "aws",
                        "create-iam-roles",
                        "--name",
                        "<NAME>",
                        "--region",
                        "us-east-2",
                        "--credentials-requests-dir",
                        "credentials-requests",
                        "--identity-provider-arn",
                        "<PROVIDER_ARN>",
                    ],
                    placeholders=["<NAME>", "<PROVIDER_ARN>"],
                    file=None,
                ),
                RemedyView(
                    step="remove the old role when nothing uses it",
                    number=4,
                    when="after",
                    argv=[],
                    placeholders=[],
                    file=None,
                ),
            ],
        ),
        finding(
            "permission-widened",
            MACHINE,
            "openshift-machine-api-aws loosens kms:CreateGrant",
            guard="missed",
            guard_reason=MISSED,
            status="acknowledged",
            grants=[grant("kms:CreateGrant", risk=["ESCALATE"])],
            needs=[NeedView(kind="grants", status="unknown", detail="no identities given")],
            evidence=[
                EvidenceView(
                    side="to", file="0000_30_machine-api-operator_00_credentials-request.yaml", document=0, line=9
                )
            ],
            acknowledgement=AcknowledgementView(
                reason="the key policy holds the condition",
                owner="cloud-team@example.com",
                expires="2026-12-31",
                reference="CHG0012345",
                expired=False,
            ),
        ),
        finding(
            "permission-added",
            INGRESS,
            "openshift-ingress gains 1 permission",
            guard="missed",
            guard_reason=MISSED,
            status="proven",
            grants=[grant("route53:ListTagsForResources")],
            needs=[
                NeedView(kind="grants", status="met", detail="COVERED route53:ListTagsForResources by route53:List*")
            ],
            identity=IdentityView(id="arn:aws:iam::123456789012:role/c1-ingress", source="configuration"),
            evidence=[
                EvidenceView(
                    side="to",
                    file="0000_50_cluster-ingress-operator_00-ingress-credentials-request.yaml",
                    document=0,
                    line=31,
                )
            ],
        ),
        finding(
            "fact-unknown",
            "ClusterOperator cloud-credential",
            "ClusterOperator cloud-credential could not be read",
            severity="unknown",
            remedy=[
                RemedyView(
                    step="allow get on clusteroperators/cloud-credential",
                    when="before",
                    argv=[],
                    placeholders=[],
                    file=None,
                )
            ],
        ),
        finding(
            "cco-not-upgradeable",
            "ClusterOperator cloud-credential condition",
            "CCO reports Upgradeable=False: MissingUpgradeableAnnotation",
            guard="stopped",
            guard_reason="CVO refuses a minor update while the condition is False",
            evidence=[
                EvidenceView(
                    side="cluster", file="config.openshift.io/clusteroperators/cloud-credential", document=0, line=1
                )
            ],
            remedy=[
                RemedyView(
                    step="set the annotation once everything is granted",
                    number=3,
                    when="before",
                    argv=[
                        "oc",
                        "annotate",
                        "cloudcredential.operator.openshift.io/cluster",
                        "cloudcredential.openshift.io/upgradeable-to=v4.14",
                    ],
                    placeholders=[],
                    file=None,
                )
            ],
        ),
        finding(
            "live-request-drift",
            REGISTRY,
            "openshift-image-registry differs from the payload in the cluster",
            severity="warning",
        ),
        finding(
            "acknowledgement-expired",
            "acknowledgement 1234",
            "an acknowledgement by old-team expired on 2026-10-01",
            severity="warning",
            status="open",
        ),
        finding(
            "permission-rephrased",
            EBS,
            "86 permissions of aws-ebs-csi-driver-operator are held already",
            severity="info",
        ),
        finding("permission-removed", INGRESS, "openshift-ingress no longer needs 1 permission", severity="info"),
        finding("release-unverified", "release 4.13.99", "no valid signature of 4.13.99", severity="info"),
    ]


def _changes() -> list[ChangeView]:
    condition = {"Bool": {"kms:GrantIsForAWSResource": True}}
    return [
        change(
            EBS,
            permissions=GrantDiff(
                added=[
                    grant("ec2:EnableFastSnapshotRestores", risk=["COST"]),
                    grant("ec2:DescribeSnapshots", introduced=AFTER_GA),
                    grant("kms:CreateGrant", condition=condition, risk=["ESCALATE"]),
                    *(grant(f"ec2:Describe{n}", covered_by="ec2:Describe*") for n in ("Volumes", "Tags", "Instances")),
                ],
                removed=[grant("ec2:DescribeAvailabilityZone"), grant("ec2:Describe*", still_covered_by="ec2:*")],
            ),
        ),
        change(
            CAPA,
            kind="added",
            selection=ChangeSelection(from_="absent", to="applied", why="new in this release"),
            secret=Pair(from_=None, to="openshift-cluster-api/capa-manager-bootstrap-credentials"),
            service_accounts=Names(added=["capa-controller-manager"], removed=[]),
            token_path=Pair(from_=None, to="/var/run/secrets/openshift/serviceaccount/token"),
            permissions=GrantDiff(added=[grant("iam:PassRole", risk=["ESCALATE"]), PAIRED], removed=[]),
            files=Pair(from_=None, to="0000_30_cluster-api_01_credentials-request.yaml"),
        ),
        change(
            MACHINE,
            permissions=GrantDiff(
                added=[grant("kms:CreateGrant", risk=["ESCALATE"])],
                removed=[grant("kms:CreateGrant", condition=condition)],
            ),
            other=[
                OtherChange(path="spec.providerSpec.skipServiceCheck", from_=True, to=None, class_="harmless"),
                OtherChange(path="spec.providerSpec.newField", from_=None, to={"a": 1}, class_="unclassified"),
            ],
        ),
        change(
            INGRESS,
            permissions=GrantDiff(added=[grant("route53:ListTagsForResources")], removed=[grant("route53:Old")]),
        ),
        change(
            f"{CCO}/cloud-network-config-controller",
            kind="renamed",
            was=f"{CCO}/openshift-cloud-network-config-controller-aws",
        ),
    ]


def report(**more: Any) -> Report:
    """Return the report that shows everything; `more` overrides any part."""
    findings: list[FindingView] = more.get("findings", _findings())
    fields: dict[str, Any] = {
        "schema": SCHEMA,
        "tool": Tool(name="upgrade-gate", version="0.1.0"),
        "generated": "2026-11-01T08:00:00Z",
        "labels": {"change": "CHG0012345", "team": "platform"},
        "hops": [Hop(from_=release("4.13.99"), to=release("4.14.0"), kind="minor")],
        "platform": "AWS",
        "mode": "manual",
        "credentials": "token",
        "cco_behaviour": "timed-token",
        "selection": Selection(
            profile="self-managed-high-availability",
            feature_set="Default",
            feature_gates=["AWSEFSDriverVolumeMetrics"],
            capabilities=CapabilitySelection(enabled=["Build", "CSISnapshot", "Storage"], implicit=["Build"]),
            excluded=[
                *(
                    Excluded(
                        side="to",
                        request=f"{CCO}/azure-{n}",
                        reason="platform",
                        detail="AzureProviderSpec, the platform is AWS",
                        file=f"0000_50_azure-{n}.yaml",
                    )
                    for n in range(9)
                ),
                Excluded(
                    side="to",
                    request=f"{CCO}/baremetal",
                    reason="capability",
                    detail="capability baremetal is not enabled",
                    file="0000_31_baremetal.yaml",
                ),
                Excluded(
                    side="from",
                    request=f"{CCO}/old",
                    reason="delete",
                    detail="release.openshift.io/delete: true",
                    file="0000_90_old.yaml",
                ),
            ],
        ),
        "requests": Requests(
            from_=sorted([EBS, INGRESS, MACHINE, REGISTRY]), to=sorted([EBS, INGRESS, CAPA, MACHINE, REGISTRY])
        ),
        "changes": _changes(),
        "cluster": cluster(),
        "identities": IdentitiesView(
            source="export ./export",
            account="123456789012",
            collected="2026-11-01T05:00:00Z",
            files=[ExportView(file="authorization-details.json", sha256="ab" * 32)],
            vendor_sets=[
                VendorSetView(
                    identity="arn:aws:iam::111122223333:role/c1-ebs",
                    policy="policy p of role c1-ebs",
                    published="ROSA classic 4.14, 4.19",
                    name="ebs_policy",
                    dated="2026-08-20",
                    lacks=["ec2:CopyVolumes"],
                )
            ],
            caveats=["service control policies were not supplied"],
        ),
        "findings": findings,
        "verdict": VerdictView(
            status="blocked",
            exit_code=3,
            basis="assumed",
            assumptions=["the permissions of 4.13.99 are in place (not checked)"],
            next="remediate",
            counts=counts(findings),
            summary="BLOCKED 4.13.99 to 4.14.0: 3 findings block the upgrade, 2 of them not caught by OpenShift; "
            "1 thing is not known (1 acknowledged, 1 proven)",
            command=[],
        ),
        "now": "2026-11-01",
        "tables": [
            Table(name="capability sets", date="2026-08-12", source="openshift/api"),
            Table(name="GCP predefined roles", date="2026-07-30", source="role definitions"),
        ],
        "notes": ["--mode was given: manual"],
    }
    return Report(**(fields | more))


def quiet() -> Report:
    """Return a run in which nothing changed: pass, everything read."""
    findings = [
        finding("release-unverified", "release 4.14.1", "no valid signature of 4.14.1", severity="info"),
        finding("release-unverified", "release 4.14.2", "no valid signature of 4.14.2", severity="info"),
    ]
    return report(
        labels={},
        hops=[Hop(from_=release("4.14.1"), to=release("4.14.2"), kind="patch")],
        changes=[],
        findings=findings,
        cluster=cluster(unread=False),
        notes=[],
        verdict=VerdictView(
            status="pass",
            exit_code=0,
            basis="assumed",
            assumptions=["the permissions of 4.14.1 are in place (not checked)"],
            next="upgrade",
            counts=counts(findings),
            summary="PASS 4.14.1 to 4.14.2, assuming that 4.14.1's permissions are in place (not checked)",
            command=["oc", "adm", "upgrade", "--to-image", release("4.14.2").pullspec or ""],
        ),
    )


def empty() -> Report:
    """Return a run without a cluster and without any request: a platform that has none."""
    return report(
        labels={},
        platform="None",
        credentials="none",
        cluster=None,
        identities=None,
        changes=[],
        findings=[],
        requests=Requests(from_=[], to=[]),
        selection=Selection(
            profile="self-managed-high-availability",
            feature_set="Default",
            feature_gates=[],
            capabilities=CapabilitySelection(enabled=[], implicit=[]),
            excluded=[],
        ),
        verdict=VerdictView(
            status="pass",
            exit_code=0,
            basis="proven",
            assumptions=[],
            next="upgrade",
            counts=counts([]),
            summary="PASS 4.13.99 to 4.14.0: every requirement is proven",
            command=[],
        ),
        now=None,
        tables=[],
        notes=[],
    )


def difference() -> Report:
    """Return what `diff` makes: changes, no cluster, no finding, no verdict."""
    return report(cluster=None, identities=None, findings=[], verdict=None, labels={}, notes=[])


def large(number: int = 200) -> Report:
    """Return a report with that many changed requests, each with its findings."""
    changes, findings = [], []
    for n in range(number):
        name = f"{CCO}/component-{n:03}"
        new = [grant(f"service{n}:Action{k}Something", risk=["DATA"] if k == 0 else []) for k in range(6)]
        held = [grant(f"service{n}:Describe{k}Something", covered_by=f"service{n}:Describe*") for k in range(20)]
        changes.append(change(name, permissions=GrantDiff(added=new + held, removed=[grant(f"service{n}:Old")])))
        findings.append(
            finding(
                "permission-added",
                name,
                f"component-{n:03} gains 6 permissions",
                guard="missed",
                guard_reason=MISSED,
                grants=new,
                severity="blocker" if n % 3 else "warning",
                needs=[NeedView(kind="grants", status="unknown", detail="no identities given")],
                evidence=[EvidenceView(side="to", file=f"0000_50_{n:03}.yaml", document=0, line=n + 1)],
                remedy=[
                    RemedyView(
                        step="put the policy",
                        when="before",
                        argv=[
                            "aws",
                            "iam",
                            "put-role-policy",
                            "--role-name",
                            f"role-{n}",
                            "--policy-document",
                            f"file://aws/{n}.json",
                        ],
                        placeholders=[],
                        file=f"aws/{n}.json",
                    )
                ],
            )
        )
        findings.append(
            finding(
                "permission-rephrased", name, f"20 permissions of component-{n:03} are held already", severity="info"
            )
        )
    return report(changes=changes, findings=findings, requests=Requests(from_=[], to=[c.request for c in changes]))


def two_components() -> Report:
    """Return a blocked report of two components and the annotation, with what needs no action beside them."""
    asked = {"permission-added", "request-added", "cco-not-upgradeable"}
    findings = [f for f in _findings() if f.severity == "info" or (f.rule in asked and f.status == "open")]
    verdict = report(findings=findings).verdict
    return report(findings=findings, verdict=verdict, cluster=cluster(unread=False))


def path(hops: int = 5, number: int = 30) -> Report:
    """Return a blocked report of so many minor updates, over which so many components gain permissions."""
    versions = [f"4.{12 + n}.0" for n in range(hops + 1)]
    findings, changes = [], []
    for n in range(number):
        name, hop = f"{CCO}/component-{n}", n % hops
        new = [grant(f"service{n}:Action{k}", access="write") for k in range(2)]
        changes.append(change(name, hop=hop, permissions=GrantDiff(added=new, removed=[])))
        step = RemedyView(
            step=f"Grant 2 permissions to the role behind Secret {name}",
            number=n + 1,
            when="before",
            argv=["aws", "iam", "put-role-policy", "--role-name", f"r{n}", "--policy-document", f"file://aws/{n}.json"],
            placeholders=[],
            file=f"aws/{n}.json",
        )
        needs = [NeedView(kind="grants", status="unmet", detail="MISSING")]
        findings.append(
            finding(
                "permission-added",
                name,
                f"component-{n} gains 2 permissions",
                guard="missed",
                guard_reason=MISSED,
                hop=hop,
                grants=new,
                needs=needs,
                remedy=[step],
            )
        )
    return report(
        hops=[Hop(from_=release(old), to=release(new), kind="minor") for old, new in pairwise(versions)],
        changes=changes,
        findings=findings,
        cluster=cluster(unread=False),
    )


def hostile() -> Report:
    """Return a report in which every text that data can choose attacks whoever shows it."""
    bad = " ".join(HOSTILE.values())
    name = f"{CCO}/{bad}"
    grants = [
        grant(bad, resource=bad, condition={bad: [bad]}, scope=bad, covered_by=None, risk=["DATA"], completes=[bad]),
        grant(f"ec2:{bad}", covered_by=bad),
    ]
    return report(
        labels={bad: bad},
        platform=bad,
        hops=[
            Hop(
                from_=Release(version=bad, reference=bad, digest=bad, verified=False, verification=bad, pullspec=bad),
                to=Release(version=bad, reference=bad, digest=None, verified=False),
                kind="minor",
            )
        ],
        selection=Selection(
            profile=bad,
            feature_set=bad,
            feature_gates=[bad],
            capabilities=CapabilitySelection(enabled=[bad], implicit=[bad]),
            excluded=[Excluded(side="to", request=bad, reason=bad, detail=bad, file=bad)],
        ),
        requests=Requests(from_=[name], to=[name]),
        changes=[
            change(
                name,
                was=bad,
                kind="renamed",
                provider=bad,
                selection=ChangeSelection(from_=bad, to=bad, why=bad),
                secret=Pair(from_=bad, to=f"{bad}2"),
                service_accounts=Names(added=[bad], removed=[bad]),
                token_path=Pair(from_=bad, to=None),
                permissions=GrantDiff(added=grants, removed=grants),
                other=[OtherChange(path=bad, from_=bad, to={bad: bad}, class_="unclassified")],
                files=Pair(from_=bad, to=bad),
            )
        ],
        cluster=ClusterView(
            id=bad,
            version=bad,
            name=bad,
            api_url=bad,
            source=bad,
            collected=bad,
            facts=[
                FactView(name=bad, state="known", value={bad: bad}, reason=None),
                FactView(name=f"{bad}2", state="unknown", value=None, reason=bad, remedy=bad),
            ],
        ),
        identities=IdentitiesView(
            source=bad,
            account=bad,
            collected=bad,
            files=[ExportView(file=bad, sha256=bad)],
            caveats=[bad],
            vendor_sets=[VendorSetView(identity=bad, policy=bad, published=bad, name=bad, dated=bad, lacks=[bad])],
        ),
        findings=[
            finding(
                "permission-added",
                name,
                bad,
                component=bad,
                guard="missed",
                guard_reason=bad,
                secret=bad,
                grants=grants,
                needs=[NeedView(kind="grants", status="unmet", detail=bad)],
                caveats=[bad],
                identity=IdentityView(id=bad, source=bad),
                evidence=[
                    EvidenceView(side="to", file=bad, document=0, line=0),
                    EvidenceView(side="to", file=f"/../../{bad}", document=0, line=3),
                ],
                remedy=[RemedyView(step=bad, when="before", argv=["echo", bad], placeholders=[bad], file=bad)],
            ),
            finding(
                "secret-missing",
                f"{name}2",
                bad,
                status="acknowledged",
                evidence=[EvidenceView(side="to", file="", document=0, line=-4)],
                acknowledgement=AcknowledgementView(reason=bad, owner=bad, expires=bad, reference=bad, expired=False),
            ),
            finding("fact-unknown", bad.replace("/", ""), bad, severity="unknown"),
            finding("live-request-extra", bad.replace("/", ""), bad, severity="info"),
        ],
        verdict=VerdictView(
            status="blocked",
            exit_code=3,
            basis="assumed",
            assumptions=[bad],
            next="remediate",
            counts=counts([]),
            summary=f"BLOCKED: {bad}",
            command=["oc", bad],
        ),
        tables=[Table(name=bad, date=bad, source=bad)],
        notes=[bad],
    )


ALL = {
    "full": report,
    "quiet": quiet,
    "empty": empty,
    "difference": difference,
    "hostile": hostile,
    "large": large,
}
"""Every sample by name, for tests that hold for all of them."""

"""For each rule a world in which it fires, and what the rule's finding rests on there: for tests that go over all."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tests.worlds.aws_exports import ACCOUNT, allow, details, role
from tests.worlds.rules import NS, PROFILE, TODAY, Cluster, payload, request
from upgrade_gate import pipeline
from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.cluster.model import Reader
from upgrade_gate.gate.acknowledgements import Acknowledgement
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.proof.collect import Collection
from upgrade_gate.proof.identity_map import Identities
from upgrade_gate.proof.proof import Claims

ROLE = f"arn:aws:iam::{ACCOUNT}:role/c1"
SECRET = "openshift-storage/cloud"


def claims(*statements: Any, subject: str = "one", **more: Any) -> Claims:
    """Return what is supplied of identities: one role that serves every Secret."""
    trust = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.example.com/c1"},
        "Condition": {
            "StringEquals": {"oidc.example.com/c1:sub": f"system:serviceaccount:openshift-storage:{subject}"}
        },
    }
    body = copy.deepcopy(details(role(*statements, arn=ROLE)))
    body["RoleDetailList"][0]["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": [trust]}
    collection = Collection("export:x", (Document(body, "x.json"),))
    return Claims(collection, **{"identities": Identities(default=ROLE), **more})


@dataclass(frozen=True)
class Firing:
    """Two releases, a cluster and what is supplied, in which one rule fires."""

    old: Sequence[Any] = ()
    new: Sequence[Any] = ()
    cluster: Cluster = field(default_factory=Cluster)
    versions: tuple[str, str] = ("4.14.1", "4.15.0")
    weights: Weights = field(default_factory=lambda: Weights(today=TODAY))
    plan: Mapping[str, Any] = field(default_factory=dict)

    def written(self, folder: Path) -> Callable[..., Outcome]:
        """Write the payloads once; return the check, of this cluster or another reader, by these or other weights."""
        first, last = (
            f"dir:{payload(folder / side, version, documents)}"
            for side, version, documents in zip(("old", "new"), self.versions, (self.old, self.new), strict=True)
        )

        def check(reader: Reader | None = None, **weights: Any) -> Outcome:
            inputs = pipeline.Inputs(to=last, from_=first, reader=reader or self.cluster, **self.plan)
            known = {name: getattr(self.weights, name) for name in Weights.__struct_fields__}
            return pipeline.check(inputs, Weights(**{**known, **weights}))

        return check


A, B = request("a"), request("b", secret="b")
BARE = request("b", annotations={"x": "y"})
MORE = request("a", "ec2:DescribeVolumes", "ec2:CreateVolume")
DELETED = {
    "apiVersion": "cloudcredential.openshift.io/v1",
    "kind": "CredentialsRequest",
    "metadata": {"name": "b", "namespace": NS, "annotations": {**PROFILE, "release.openshift.io/delete": "true"}},
}


def _live(body: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"metadata": dict(body["metadata"]), "spec": body["spec"], **more}


def _resource(text: str) -> dict[str, Any]:
    return request("a", statements=[{"effect": "Allow", "action": ["ec2:CreateTags"], "resource": text}])


def _refused(**more: Any) -> Cluster:
    return Cluster(conditions={"Upgradeable": ("False", "Other")}, annotation=None, **more)


def _with(kind: str, part: str, **values: Any) -> Cluster:
    cluster = Cluster()
    cluster.objects[kind].setdefault(part, {}).update(values)
    return cluster


def _overridden(kind: str, name: str, group: str, namespace: str = NS) -> Cluster:
    entry = {"kind": kind, "name": name, "group": group, "namespace": namespace, "unmanaged": True}
    return _with("ClusterVersion", "spec", overrides=[entry])


def _accepted(expires: date) -> Weights:
    entry = Acknowledgement(
        fingerprint=_fingerprint(Firing([A], [MORE])), reason="r", owner="o", expires=expires, file="a.yaml", line=1
    )
    return Weights(today=TODAY, acknowledgements=(entry,))


def _fingerprint(firing: Firing) -> str:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        found = firing.written(Path(folder))()
    return next(j.finding.fingerprint for j in found.judged if j.finding.rule == "permission-added")


WIDE = [allow("ec2:*")]
LONG = request("a", f"ec2:{'Describe' * 1300}")

WORLDS: Mapping[str, Callable[[], Firing]] = {
    "acknowledgement-expired": lambda: Firing([A], [MORE], weights=_accepted(date(2026, 10, 1))),
    "acknowledgement-expiring": lambda: Firing([A], [MORE], weights=_accepted(date(2026, 11, 5))),
    "acknowledgement-unused": lambda: Firing([A], [A], weights=_accepted(date(2026, 12, 1))),
    "capability-change": lambda: Firing(
        [A], [A, request("b", annotations={**PROFILE, "capability.openshift.io/name": "Storage"})]
    ),
    "cco-not-upgradeable": lambda: Firing([A], [A], _refused()),
    "cco-overridden": lambda: Firing(
        [A],
        [A],
        _overridden("Deployment", "cloud-credential-operator", "apps"),
    ),
    "cco-unhealthy": lambda: Firing([A], [A], Cluster(conditions={"Available": ("False", "x")})),
    "cco-verdict-unproven": lambda: Firing([A], [A], Cluster(annotation="4.99")),
    "cluster-not-upgradeable": lambda: Firing([A], [A], Cluster(held="PoolsUpdating")),
    "fact-unknown": lambda: Firing([A], [A], Cluster(unread=["Infrastructure"])),
    "hop-unsupported": lambda: Firing([A], [A], versions=("4.14.1", "4.16.0")),
    "hosted-control-plane": lambda: Firing([A], [A], Cluster(topology="External")),
    "identity-excess": lambda: Firing([A], [A], plan={"claims": claims(allow("ec2:DescribeVolumes", "s3:GetObject"))}),
    "identity-lacks-permission": lambda: Firing([A], [A], plan={"claims": claims(allow("s3:GetObject"))}),
    "identity-mismatch": lambda: Firing(
        [A],
        [A],
        Cluster(identities={SECRET: ROLE}),
        plan={"claims": claims(*WIDE, identities=Identities(by_secret={SECRET: f"{ROLE}-2"}))},
    ),
    "identity-narrower": lambda: Firing(
        [_resource("*")],
        [_resource("*")],
        plan={"claims": claims(allow("ec2:*", Resource="arn:aws:ec2:*:*:volume/*"))},
    ),
    "identity-trust-lacks-subject": lambda: Firing([A], [A], plan={"claims": claims(*WIDE, subject="other")}),
    "identity-unknown": lambda: Firing([A], [A], plan={"claims": claims(*WIDE, identities=Identities())}),
    "live-request-drift": lambda: Firing([A], [A], Cluster(requests=[_live(MORE)])),
    "live-request-extra": lambda: Firing([A], [A], Cluster(requests=[_live(A), _live(B)])),
    "live-request-failing": lambda: Firing(
        [A],
        [A],
        Cluster(
            mode="Mint",
            root=True,
            issuer="",
            requests=[_live(A, status={"conditions": [{"type": "CredentialsProvisionFailure", "status": "True"}]})],
        ),
    ),
    "manifest-unreadable": lambda: Firing([A], [A, "kind: CredentialsRequest\nmetadata: [\n"]),
    "nothing-to-judge": lambda: Firing([A], [A], Cluster(platform="Azure")),
    "pass-withheld": lambda: Firing([DELETED], [A], Cluster(mode="Mint", root=True, issuer="")),
    "payload-incomplete": lambda: Firing([A, B], [A]),
    "permission-added": lambda: Firing([A], [MORE]),
    "permission-narrowed": lambda: Firing([_resource("*")], [_resource("arn:aws:ec2:::volume/*")]),
    "permission-removed": lambda: Firing([MORE], [A]),
    "permission-rephrased": lambda: Firing([request("a", "ec2:*")], [A]),
    "permission-widened": lambda: Firing([_resource("arn:aws:ec2:::volume/*")], [_resource("*")]),
    "policy-too-large": lambda: Firing([LONG], [LONG], plan={"claims": claims(allow("s3:Get*"))}),
    "provider-kind-changed": lambda: Firing([request("a", kind="MoonSpec")], [A]),
    "release-unverified": lambda: Firing([A], [A]),
    "request-added": lambda: Firing([A], [A, B]),
    "request-conflict": lambda: Firing([A], [A, MORE]),
    "request-duplicate": lambda: Firing([A], [A, A]),
    "request-overridden": lambda: Firing(
        [A], [A], _overridden("CredentialsRequest", "a", "cloudcredential.openshift.io")
    ),
    "request-removed": lambda: Firing(
        [A, B], [A, DELETED], Cluster(requests=[_live(A), _live(B)], secrets=(SECRET, "openshift-storage/b"))
    ),
    "request-renamed": lambda: Firing([A], [request("c")]),
    "request-unannotated": lambda: Firing([A, BARE], [A, BARE]),
    "root-credential-insufficient": lambda: Firing(
        [A],
        [A],
        Cluster(mode="Passthrough", root=True, issuer="", requests=[_live(A)]),
        plan={"claims": claims(allow("s3:GetObject"))},
    ),
    "root-credential-missing": lambda: Firing([A], [A], Cluster(mode="Mint", issuer="", requests=[_live(A)])),
    "secret-incomplete": lambda: Firing([A], [A], Cluster(keys=frozenset({"other"}))),
    "secret-missing": lambda: Firing([A], [A], Cluster(secrets=())),
    "secret-moved": lambda: Firing([A], [request("a", secret="other")]),
    "service-accounts-added": lambda: Firing([A], [request("a", accounts=("one", "two"))]),
    "service-accounts-removed": lambda: Firing([request("a", accounts=("one", "two"))], [A]),
    "target-not-offered": lambda: Firing([A], [A], Cluster(offers=())),
    "token-path-changed": lambda: Firing([A], [request("a", cloudTokenPath="/x/token")]),
    "unclassified-change": lambda: Firing([A], [request("a", newField="x")]),
    "update-in-progress": lambda: Firing([A], [A], Cluster(history=(("Partial", "4.14.3"), ("Completed", "4.14.1")))),
}
"""By rule; every rule of the catalogue has one."""

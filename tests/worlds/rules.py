"""Small worlds for rules: two payloads as folders and a cluster that answers from objects, run through the pipeline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from upgrade_gate import pipeline
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster.model import Query, SecretRecord
from upgrade_gate.gate.findings import Finding
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.verdict import WeighedFinding, Weights
from upgrade_gate.requests.update import Given

NS = "openshift-cloud-credential-operator"
PROFILE = {"include.release.openshift.io/self-managed-high-availability": "true"}
TODAY = date(2026, 11, 1)


def request(
    name: str,
    *actions: str,
    secret: str = "cloud",
    accounts: Sequence[str] = ("one",),
    annotations: Mapping[str, str] | None = None,
    statements: list[dict[str, Any]] | None = None,
    kind: str = "AWSProviderSpec",
    **spec: Any,
) -> dict[str, Any]:
    """Return a CredentialsRequest of AWS."""
    entries = statements or [{"effect": "Allow", "action": list(actions or ("ec2:DescribeVolumes",)), "resource": "*"}]
    return {
        "apiVersion": "cloudcredential.openshift.io/v1",
        "kind": "CredentialsRequest",
        "metadata": {
            "name": name,
            "namespace": NS,
            "annotations": dict(PROFILE if annotations is None else annotations),
        },
        "spec": {
            "secretRef": {"namespace": "openshift-storage", "name": secret},
            "serviceAccountNames": list(accounts),
            "providerSpec": {"apiVersion": "x/v1", "kind": kind, "statementEntries": entries},
            **spec,
        },
    }


def payload(folder: Path, version: str, documents: Sequence[Mapping[str, Any] | str]) -> Path:
    """Write a payload folder; a text is written as it is."""
    folder.mkdir(parents=True)
    (folder / "release-metadata").write_text(json.dumps({"kind": "cincinnati-metadata-v0", "version": version}))
    (folder / "image-references").write_text("{}")
    for number, document in enumerate(documents):
        text = document if isinstance(document, str) else yaml.safe_dump(dict(document))
        (folder / f"0000_50_component_{number:02}.yaml").write_text(text)
    return folder


ROOT_KEYS = frozenset({"aws_access_key_id", "aws_secret_access_key"})


class Cluster:
    """A cluster whose objects are given; what is not is absent, and what is in `unread` is unknown."""

    description = "test"
    collected = None

    def __init__(
        self,
        *,
        mode: str = "Manual",
        conditions: Mapping[str, tuple[str, str]] | None = None,
        annotation: str | None = "4.15",
        secrets: Sequence[str] = ("openshift-storage/cloud",),
        keys: frozenset[str] | None = frozenset({"credentials"}),
        root: bool = False,
        root_keys: frozenset[str] = ROOT_KEYS,
        issuer: str = "https://oidc.example.com/c1",
        history: Sequence[tuple[str, str]] = (("Completed", "4.14.1"),),
        offers: Sequence[str] = ("4.15.0", "4.14.2"),
        held: str | None = None,
        topology: str = "HighlyAvailable",
        requests: Sequence[Mapping[str, Any]] = (),
        unread: Sequence[str] = (),
        platform: str = "AWS",
        identities: Mapping[str, str] | None = None,
    ) -> None:
        self.root_keys = root_keys
        self.identities = dict(identities or {})
        """What the content of Secrets names, by `namespace/name`."""
        stated = {"Available": ("True", "AsExpected"), "Upgradeable": ("True", "AsExpected"), **(conditions or {})}
        annotations = {"cloudcredential.openshift.io/upgradeable-to": annotation} if annotation else {}
        held_back = [{"type": "Upgradeable", "status": "False", "reason": held, "message": "m"}] if held else []
        capabilities = ["CloudCredential"]
        self.secrets = frozenset(secrets) | (frozenset({"kube-system/aws-creds"}) if root else frozenset())
        self.keys, self.unread, self.requests = keys, unread, requests
        self.objects: dict[str, dict[str, Any]] = {
            "ClusterVersion": {
                "metadata": {"name": "version"},
                "spec": {"clusterID": "00000000-0000-4000-8000-000000000001", "channel": "stable-4.15"},
                "status": {
                    "desired": {"version": history[0][1], "image": "r/x@sha256:" + "0" * 64},
                    "history": [{"state": s, "version": v, "image": "r/x@sha256:" + "0" * 64} for s, v in history],
                    "availableUpdates": [{"version": v, "image": "r/x@sha256:" + "1" * 64} for v in offers],
                    "conditions": held_back,
                    "capabilities": {"knownCapabilities": capabilities, "enabledCapabilities": capabilities},
                },
            },
            "ClusterOperator": {
                "metadata": {"name": "cloud-credential"},
                "status": {
                    "conditions": [
                        {"type": t, "status": s, "reason": r, "message": "words"} for t, (s, r) in stated.items()
                    ]
                },
            },
            "Infrastructure": {
                "metadata": {"name": "cluster"},
                "status": {
                    "infrastructureName": "c1",
                    "apiServerURL": "https://api.example.com",
                    "platformStatus": {"type": platform, **({"aws": {"region": "r"}} if platform == "AWS" else {})},
                    "controlPlaneTopology": topology,
                },
            },
            "Authentication": {"metadata": {"name": "cluster"}, "spec": {"serviceAccountIssuer": issuer}},
            "FeatureGate": {"metadata": {"name": "cluster"}, "spec": {}},
            "DNS": {"metadata": {"name": "cluster"}, "spec": {"baseDomain": "example.com"}},
            "CloudCredential": {
                "metadata": {"name": "cluster", "annotations": annotations},
                "spec": {"credentialsMode": mode},
            },
            "Deployment": {
                "metadata": {"name": "cluster-version-operator", "namespace": "openshift-cluster-version"},
                "spec": {
                    "template": {
                        "spec": {
                            "containers": [
                                {
                                    "name": "cluster-version-operator",
                                    "env": [{"name": "CLUSTER_PROFILE", "value": "self-managed-high-availability"}],
                                }
                            ]
                        }
                    }
                },
            },
        }

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        """Answer each query."""
        return {query: self._answer(query) for query in queries}

    def _answer(self, query: Query) -> Fact[Any]:
        if query.kind in self.unread:
            return Unknown(f"get {query.plural}: forbidden", "a rule")
        if query.kind == "CredentialsRequest":
            return Known(tuple(self.requests))
        if query.kind == "Secret":
            ref = SecretRef(query.namespace or "", query.name or "")
            keys = self.root_keys if ref.namespace == "kube-system" and self.keys is not None else self.keys
            record = SecretRecord(ref, keys=keys, identity=self.identities.get(str(ref)))
            return Known(record) if str(ref) in self.secrets else Absent()
        if query.kind == "Namespace":
            return Known({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": query.name}})
        body = self.objects.get(query.kind)
        if body is None:
            return Absent() if query.name else Known(())
        version = f"{query.group}/{query.version}" if query.group else query.version
        return Known({"apiVersion": version, "kind": query.kind, **body})


def hosted(**more: Any) -> Cluster:
    """Return a cluster whose control plane runs elsewhere, of a release in which it has no CCO."""
    cluster = Cluster(topology="External", **more)
    (container,) = cluster.objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    container["env"][0]["value"] = "ibm-cloud-managed"
    return cluster


def judge(
    folder: Path,
    old: Sequence[Mapping[str, Any] | str],
    new: Sequence[Mapping[str, Any] | str],
    cluster: Cluster | None = None,
    *,
    versions: tuple[str, str] = ("4.14.1", "4.15.0"),
    weighing: Weights | None = None,
    **plan: Any,
) -> Outcome:
    """Run the gate; without a cluster the platform is AWS."""
    if cluster is None:
        plan.setdefault("given", Given(platform="AWS"))
    return pipeline.check(
        pipeline.Inputs(
            to=f"dir:{payload(folder / 'new', versions[1], new)}",
            from_=f"dir:{payload(folder / 'old', versions[0], old)}",
            reader=cluster,
            **plan,
        ),
        weighing or Weights(today=TODAY),
    )


def found(outcome: Outcome, rule: str) -> list[WeighedFinding]:
    """Return the findings of one rule."""
    return [judged for judged in outcome.judged if judged.finding.rule == rule]


def one(outcome: Outcome, rule: str) -> Finding:
    """Return the only finding of a rule."""
    hits = found(outcome, rule)
    assert len(hits) == 1, [j.finding.rule for j in outcome.judged]
    return hits[0].finding


def needs(finding: Finding) -> dict[str, str]:
    """Return the status of each need."""
    return {need.kind.value: need.status.value for need in finding.needs}


def about(finding: Finding) -> dict[str, Any]:
    """Return where a finding stands, what it asks for and what shows it, but for what is empty."""
    told = {
        "request": finding.request,
        "secret": finding.secret,
        "hop": finding.hop,
        "guard": str(finding.guard or ""),
        "needs": needs(finding),
        "evidence": [f"{e.side} {e.file} {e.document} {e.line}" for e in finding.evidence],
        "remedy": [" ".join(c.line.argv) for step in finding.remedy for c in step.commands],
    }
    return {name: value for name, value in told.items() if value}

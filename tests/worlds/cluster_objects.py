"""A small cluster for the tests: its API objects, changed as each test wants, and the dumps that hold them."""

from __future__ import annotations

import base64
import copy
import json
from typing import TYPE_CHECKING, Any

import yaml
from msgspec.structs import replace

from upgrade_gate.base.facts import Absent, Known
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import observe
from upgrade_gate.cluster.readers._secrets import reduce_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import Query

PLURALS = {
    "ClusterVersion": ("config.openshift.io", "v1", "clusterversions"),
    "ClusterOperator": ("config.openshift.io", "v1", "clusteroperators"),
    "Infrastructure": ("config.openshift.io", "v1", "infrastructures"),
    "Authentication": ("config.openshift.io", "v1", "authentications"),
    "FeatureGate": ("config.openshift.io", "v1", "featuregates"),
    "DNS": ("config.openshift.io", "v1", "dnses"),
    "CloudCredential": ("operator.openshift.io", "v1", "cloudcredentials"),
    "ConfigMap": ("", "v1", "configmaps"),
    "Config": ("imageregistry.operator.openshift.io", "v1", "configs"),
    "Deployment": ("apps", "v1", "deployments"),
    "CredentialsRequest": ("cloudcredential.openshift.io", "v1", "credentialsrequests"),
    "Secret": ("", "v1", "secrets"),
    "Namespace": ("", "v1", "namespaces"),
}
CCO = "openshift-cloud-credential-operator"
STORAGE = "openshift-cluster-csi-drivers"
EBS_SECRET = SecretRef(STORAGE, "ebs-cloud-credentials")
ROLE_ARN = "arn:aws:iam::123456789012:role/c1-openshift-cluster-csi-drivers-ebs-cloud-credentials"
TOKEN_PATH = "/var/run/secrets/openshift/serviceaccount/token"


def completed(*versions: str, partial: str | None = None) -> list[dict[str, Any]]:
    """Return a history, newest first."""
    under_way = [{"state": "Partial", "version": partial, "image": f"r/x@sha256:{partial}"}] if partial else []
    return under_way + [{"state": "Completed", "version": v, "image": f"r/x@sha256:{v}"} for v in versions]


def condition(kind: str, status: str, reason: str = "AsExpected", message: str = "") -> dict[str, str]:
    """Return a condition as the API has it."""
    return {"type": kind, "status": status, "reason": reason, "message": message}


def encoded(text: str) -> str:
    """Return a Secret's value as the API has it."""
    return base64.b64encode(text.encode()).decode()


def sample(version: str = "4.14.3") -> dict[str, dict[str, Any]]:
    """Return a healthy AWS STS cluster in manual mode, its objects by `Kind/name`."""
    objects = [
        _object(
            "ClusterVersion",
            "version",
            spec={"clusterID": "11111111-2222-4333-8444-555555555555", "channel": "stable-4.15"},
            status={
                "desired": {"version": version, "image": f"r/x@sha256:{version}"},
                "history": completed(version),
                "availableUpdates": [{"version": "4.15.0", "image": "r/x@sha256:b", "channels": ["stable-4.15"]}],
                "conditions": [condition("RetrievedUpdates", "True")],
                "capabilities": {
                    "knownCapabilities": ["Storage", "baremetal"],
                    "enabledCapabilities": ["Storage"],
                },
            },
        ),
        _object(
            "ClusterOperator",
            "cloud-credential",
            spec={},
            status={
                "conditions": [
                    condition("Available", "True"),
                    condition("Degraded", "False"),
                    condition("Upgradeable", "False", "MissingUpgradeableAnnotation"),
                ],
                "versions": [{"name": "operator", "version": version}],
            },
        ),
        _object(
            "Infrastructure",
            "cluster",
            spec={"platformSpec": {"type": "AWS"}},
            status={
                "infrastructureName": "c1-x7k2p",
                "apiServerURL": "https://api.c1.example.com:6443",
                "platform": "AWS",
                "platformStatus": {"type": "AWS", "aws": {"region": "eu-west-1"}},
                "controlPlaneTopology": "HighlyAvailable",
            },
        ),
        _object("Authentication", "cluster", spec={"serviceAccountIssuer": "https://oidc.example.com/c1"}),
        _object(
            "FeatureGate",
            "cluster",
            spec={},
            status={"featureGates": [{"version": version, "enabled": [{"name": "Alpha"}], "disabled": []}]},
        ),
        _object("DNS", "cluster", spec={"baseDomain": "c1.example.com"}),
        _object("CloudCredential", "cluster", spec={"credentialsMode": "Manual"}),
        _object("ConfigMap", "other", CCO, data={"x": "y"}),
        _object(
            "Deployment",
            "cluster-version-operator",
            "openshift-cluster-version",
            spec={
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
        ),
        _object(
            "CredentialsRequest",
            "storage",
            CCO,
            spec={
                "secretRef": {"name": "ebs-cloud-credentials", "namespace": STORAGE},
                "providerSpec": {"apiVersion": "cloudcredential.openshift.io/v1", "kind": "AWSProviderSpec"},
            },
        ),
        _object("Namespace", CCO),
        _object("Namespace", STORAGE),
        _object(
            "Secret",
            "ebs-cloud-credentials",
            STORAGE,
            type="Opaque",
            data={
                "credentials": encoded(
                    f"[default]\nsts_regional_endpoints = regional\nrole_arn = {ROLE_ARN}\n"
                    f"web_identity_token_file = {TOKEN_PATH}\n"
                )
            },
        ),
        _object("Secret", "unrelated", "kube-system", type="Opaque", data={"password": encoded("hunter2")}),
    ]
    return {f"{body['kind']}/{body['metadata']['name']}": body for body in objects}


def _object(kind: str, name: str, namespace: str | None = None, **rest: Any) -> dict[str, Any]:
    group, version, _ = PLURALS[kind]
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": f"{group}/{version}" if group else version, "kind": kind, "metadata": metadata, **rest}


def with_facts(cluster: Cluster, **facts: Fact[Any]) -> Cluster:
    """Return a cluster of which some facts are others."""
    return replace(cluster, facts={**cluster.facts, **facts})


class Objects:
    """A reader that answers from objects in memory, as a live cluster would."""

    description = "objects of the test"
    collected = None

    def __init__(self, objects: Mapping[str, Any], answers: Mapping[Query, Fact[Any]] | None = None) -> None:
        self.objects = copy.deepcopy(dict(objects))
        self.answers = dict(answers or {})

    def read(self, queries: Sequence[Query]) -> dict[Query, Fact[Any]]:
        """Answer every query."""
        return {query: self.answers.get(query) or self._answer(query) for query in queries}

    def _answer(self, query: Query) -> Fact[Any]:
        found = [body for key, body in self.objects.items() if key.startswith(f"{query.kind}/")]
        if query.name is None:
            return Known(tuple(found))
        body = self.objects.get(f"{query.kind}/{query.name}")
        if body is None:
            return Absent()
        if query.kind == "Secret":
            return reduce_secret(body, SecretRef(query.namespace or "", query.name or ""), read_values=False)
        return Known(body)


def observed(objects: Mapping[str, dict[str, Any]]) -> Cluster:
    """Read both waves of a cluster made of these objects."""
    reader = Objects(objects)
    return observe.observe_secrets(observe.observe(reader), reader, [STORAGE], [EBS_SECRET])


def changed(key: str, change: Callable[[dict[str, Any]], None], version: str = "4.14.3") -> Cluster:
    """Observe the sample after one object was changed."""
    objects = sample(version)
    change(objects[key])
    return observed(objects)


def write_tree(folder: Path, objects: Iterable[dict[str, Any]]) -> Path:
    """Write a must-gather: lists where `oc` writes lists, objects where it writes objects."""
    lists: dict[str, list[dict[str, Any]]] = {}
    for body in objects:
        kind, metadata = body["kind"], body["metadata"]
        group, _, plural = PLURALS[kind]
        namespace = metadata.get("namespace")
        base = f"namespaces/{namespace}" if namespace else "cluster-scoped-resources"
        if kind == "Namespace":
            _write(folder / f"namespaces/{metadata['name']}/{metadata['name']}.yaml", body)
        elif kind in {"ClusterVersion", "ClusterOperator", "CloudCredential", "CredentialsRequest"}:
            _write(folder / f"{base}/{group}/{plural}/{metadata['name']}.yaml", body)
        else:
            lists.setdefault(f"{base}/{group or 'core'}/{plural}.yaml", []).append(body)
    for path, items in lists.items():
        version = items[0]["apiVersion"]
        _write(folder / path, {"apiVersion": version, "kind": f"{items[0]['kind']}List", "items": items})
    return folder


def write_insights(folder: Path, objects: Mapping[str, dict[str, Any]]) -> Path:
    """Write an insights archive, unpacked: objects without kind, CloudCredential cut down."""
    names = {
        "ClusterVersion/version": "config/version.json",
        "Infrastructure/cluster": "config/infrastructure.json",
        "FeatureGate/cluster": "config/featuregate.json",
        "Authentication/cluster": "config/authentication.json",
    }
    for key, place in names.items():
        body = {k: v for k, v in objects[key].items() if k not in {"kind", "apiVersion"}}
        _json(folder / place, body)
    _json(folder / "config/clusteroperator/cloud-credential.json", objects["ClusterOperator/cloud-credential"])
    cut = objects["CloudCredential/cluster"]
    _json(
        folder / "config/clusteroperator/operator.openshift.io/cloudcredential/cluster.json",
        {"apiVersion": cut["apiVersion"], "kind": cut["kind"], "name": "cluster", "spec": cut["spec"]},
    )
    return folder


def _write(path: Path, body: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n" + yaml.safe_dump(body, sort_keys=False))


def _json(path: Path, body: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(body))

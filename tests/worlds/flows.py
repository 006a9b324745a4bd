"""Flows through the gate on prepared dumps: the world of one flow, and the comparison with what must come out.

What must come out is written from the rule table, the mode table and CCO's behaviour of each release, never from a run.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from tests.worlds.cluster_objects import CCO, completed, condition, encoded, write_tree
from upgrade_gate.cli import main

Flow: TypeAlias = "tuple[World, str, list[str]]"
"""A world; exit code, status, next and basis; every finding that must come out."""
PROFILE = {"include.release.openshift.io/self-managed-high-availability": "true"}
PLATFORM_KINDS = {
    "AWS": "AWSProviderSpec",
    "Azure": "AzureProviderSpec",
    "GCP": "GCPProviderSpec",
    "IBMCloud": "IBMCloudProviderSpec",
    "PowerVS": "IBMCloudPowerVSProviderSpec",
    "VSphere": "VSphereProviderSpec",
    "Nutanix": "NutanixProviderSpec",
    "OpenStack": "OpenStackProviderSpec",
    "oVirt": "OvirtProviderSpec",
    "KubeVirt": "KubevirtProviderSpec",
    "AlibabaCloud": "AlibabaCloudProviderSpec",
}
KEYS = {
    "AWS": ("aws_access_key_id", "aws_secret_access_key", "credentials"),
    "Azure": (
        "azure_subscription_id",
        "azure_client_id",
        "azure_client_secret",
        "azure_tenant_id",
        "azure_region",
        "azure_resourcegroup",
        "azure_resource_prefix",
    ),
    "GCP": ("service_account.json",),
    "IBMCloud": ("ibmcloud_api_key", "ibm-credentials.env"),
    "PowerVS": ("ibmcloud_api_key", "ibm-credentials.env"),
    "VSphere": ("vc.example.com.username", "vc.example.com.password"),
    "Nutanix": ("credentials",),
    "OpenStack": ("clouds.yaml", "clouds.conf"),
    "oVirt": ("ovirt_url", "ovirt_username", "ovirt_password", "ovirt_insecure", "ovirt_ca_bundle"),
    "KubeVirt": ("kubeconfig",),
    "AlibabaCloud": ("credentials",),
}
"""What CCO or ccoctl writes (docs/facts/cco.md#secret-keys)."""
TOKEN_KEYS = {
    "AWS": ("credentials",),
    "Azure": (
        "azure_client_id",
        "azure_tenant_id",
        "azure_region",
        "azure_subscription_id",
        "azure_federated_token_file",
    ),
    "GCP": ("service_account.json",),
}
ROOTS = {
    "AWS": "aws-creds",
    "Azure": "azure-credentials",
    "GCP": "gcp-credentials",
    "OpenStack": "openstack-credentials",
    "oVirt": "ovirt-credentials",
    "VSphere": "vsphere-creds",
    "KubeVirt": "kubevirt-credentials",
}
ISSUER = "https://oidc.example.com/c1"
CLUSTER_ID = "11111111-2222-4333-8444-555555555555"


def request(
    platform: str,
    name: str = "comp",
    *grants: str,
    secret: str | None = None,
    accounts: Sequence[str] = ("one",),
    annotations: Mapping[str, str] | None = None,
    kind: str | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """Return a CredentialsRequest as a payload carries it; its Secret is `openshift-NAME/creds`."""
    namespace, _, secret_name = (secret or f"openshift-{name}/creds").partition("/")
    kind = kind or PLATFORM_KINDS[platform]
    listed = list(grants or ("ec2:DescribeVolumes",))
    shape: dict[str, Any] = {}
    match kind:
        case "AWSProviderSpec" | "AlibabaCloudProviderSpec":
            shape = {"statementEntries": [{"effect": "Allow", "action": listed, "resource": "*"}]}
        case "AzureProviderSpec" | "GCPProviderSpec":
            shape = {"permissions": listed}
        case "IBMCloudProviderSpec" | "IBMCloudPowerVSProviderSpec":
            roles = [f"crn:v1:bluemix:public:iam::::role:{grant}" for grant in listed]
            shape = {"policies": [{"attributes": [{"name": "serviceName", "value": "is"}], "roles": roles}]}
    return {
        "apiVersion": "cloudcredential.openshift.io/v1",
        "kind": "CredentialsRequest",
        "metadata": {"name": name, "namespace": CCO, "annotations": {**PROFILE, **(annotations or {})}},
        "spec": {
            "secretRef": {"namespace": namespace, "name": secret_name},
            "serviceAccountNames": list(accounts),
            "providerSpec": {"apiVersion": "cloudcredential.openshift.io/v1", "kind": kind, **shape},
            **spec,
        },
    }


def deletion(name: str) -> dict[str, Any]:
    """Return the manifest by which the CVO deletes a request."""
    return {
        "apiVersion": "cloudcredential.openshift.io/v1",
        "kind": "CredentialsRequest",
        "metadata": {
            "name": name,
            "namespace": CCO,
            "annotations": {**PROFILE, "release.openshift.io/delete": "true"},
        },
    }


@dataclass(frozen=True)
class World:
    """One cluster and the releases of its path: healthy and with everything done, unless told otherwise."""

    platform: str = "AWS"
    versions: tuple[str, ...] = ("4.16.3", "4.17.0")
    payloads: tuple[Sequence[Mapping[str, Any]], ...] = ()
    mode: str = "Manual"
    token: bool = False
    issuer: str | None = None
    """None: one where the credentials are tokens."""
    annotation: str | None = "target"
    """`target`: the minor of the last release."""
    upgradeable: tuple[str, str] | None = ("True", "AsExpected")
    conditions: Sequence[Mapping[str, Any]] = (condition("Available", "True"), condition("Degraded", "False"))
    secrets: Mapping[str, Sequence[str]] | None = None
    """`ns/name` to keys; None: every Secret of every release, complete."""
    without: frozenset[str] = frozenset()
    """Secrets (`ns/name`), namespaces and objects (`Kind/name`) that are not there."""
    unread: frozenset[str] = frozenset()
    """Folders and files, below the dump, that were not collected."""
    root: bool | None = None
    """Whether the root Secret is there; None: outside manual mode."""
    root_mode: str | None = None
    disabled: str | None = None
    history: Sequence[Mapping[str, Any]] | None = None
    offers: Sequence[str] | None = None
    conditional: Sequence[str] = ()
    version_conditions: Sequence[Mapping[str, Any]] = (condition("RetrievedUpdates", "True"),)
    overrides: Sequence[Mapping[str, Any]] = ()
    capabilities: Mapping[str, Any] | None = None
    baseline: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    feature_set: str = ""
    topology: str = "HighlyAvailable"
    live: Sequence[Mapping[str, Any]] | None = None
    previous: Mapping[str, Sequence[str]] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    acknowledge: tuple[str, ...] = ()
    edit: Callable[[Path], None] | None = None
    """A last change to the dump."""

    def but(self, **changes: Any) -> World:
        """Return another world."""
        return replace(self, **changes)

    def objects(self) -> list[dict[str, Any]]:
        """Return the objects of the cluster."""
        running = self.versions[0]
        target = ".".join(self.versions[-1].split(".")[:2])
        annotation = target if self.annotation == "target" else self.annotation
        marks = {"cloudcredential.openshift.io/upgradeable-to": annotation} if annotation is not None else {}
        states = list(self.conditions)
        if self.upgradeable:
            states.append(condition("Upgradeable", self.upgradeable[0], self.upgradeable[1], "words"))
        issuer = self.issuer if self.issuer is not None else ISSUER if self.token else ""
        offers = list(self.versions[1:]) if self.offers is None else self.offers
        status: dict[str, Any] = {
            "desired": {"version": running, "image": f"r/x@sha256:{running}"},
            "history": list(self.history) if self.history is not None else completed(running),
            "availableUpdates": [{"version": v, "image": f"r/x@sha256:{v}"} for v in offers] or None,
            "conditions": list(self.version_conditions),
        }
        if self.conditional:
            status["conditionalUpdates"] = [
                {"release": {"version": v, "image": "r/x@sha256:c"}, "risks": [{"name": "Risk", "message": "m"}]}
                for v in self.conditional
            ]
        if self.capabilities is not None:
            status["capabilities"] = self.capabilities
        elif _minor(running) >= (4, 11):
            known = _known(running)
            status["capabilities"] = {"knownCapabilities": known, "enabledCapabilities": known}
        spec: dict[str, Any] = {"clusterID": CLUSTER_ID, "channel": f"stable-{target}"}
        if self.baseline:
            spec["capabilities"] = dict(self.baseline)
        if self.overrides:
            spec["overrides"] = list(self.overrides)
        env = {"CLUSTER_PROFILE": "self-managed-high-availability", **self.environment}
        container = {"name": "cluster-version-operator", "env": [{"name": k, "value": v} for k, v in env.items() if v]}
        gates = {"featureGates": [{"version": running, "enabled": [], "disabled": []}]} if running >= "4.14" else {}
        objects = [
            _object("config.openshift.io/v1", "ClusterVersion", "version", spec=spec, status=status),
            _object(
                "config.openshift.io/v1",
                "ClusterOperator",
                "cloud-credential",
                spec={},
                status={"conditions": states, "versions": [{"name": "operator", "version": running}]},
            ),
            _object(
                "config.openshift.io/v1",
                "Infrastructure",
                "cluster",
                spec={"platformSpec": {"type": self.platform}},
                status={
                    "infrastructureName": "c1-x7k2p",
                    "apiServerURL": "https://api.c1.example.com:6443",
                    "platform": self.platform,
                    "platformStatus": {"type": self.platform},
                    "controlPlaneTopology": self.topology,
                },
            ),
            _object("config.openshift.io/v1", "Authentication", "cluster", spec={"serviceAccountIssuer": issuer}),
            _object(
                "config.openshift.io/v1",
                "FeatureGate",
                "cluster",
                spec={"featureSet": self.feature_set} if self.feature_set else {},
                status=gates,
            ),
            _object("config.openshift.io/v1", "DNS", "cluster", spec={"baseDomain": "c1.example.com"}),
            _object("operator.openshift.io/v1", "CloudCredential", "cluster", spec={"credentialsMode": self.mode}),
            _object("v1", "ConfigMap", "other", CCO, data={"x": "y"}),
            _object(
                "apps/v1",
                "Deployment",
                "cluster-version-operator",
                "openshift-cluster-version",
                spec={"template": {"spec": {"containers": [container]}}},
            ),
            _object("v1", "Secret", "unrelated", "kube-system", type="Opaque", data={}),
            _object("v1", "Secret", "unrelated", CCO, type="Opaque", data={}),
        ]
        objects[6]["metadata"]["annotations"] = marks
        if self.disabled is not None:
            data = {"disabled": self.disabled}
            objects.append(_object("v1", "ConfigMap", "cloud-credential-operator-config", CCO, data=data))
        live = self.live if self.live is not None else [b for b in self.payloads[0] if _ours(b)]
        objects += [json.loads(json.dumps(body)) for body in live]
        objects += self._secrets()
        return [body for body in objects if not self._gone(body)]

    def _gone(self, body: Mapping[str, Any]) -> bool:
        metadata = body["metadata"]
        place = f"{metadata.get('namespace', '')}/{metadata['name']}"
        return f"{body['kind']}/{metadata['name']}" in self.without or (
            body["kind"] == "Secret" and place in self.without
        )

    def _secrets(self) -> list[dict[str, Any]]:
        wanted = self.secrets
        if wanted is None:
            complete = (TOKEN_KEYS if self.token else KEYS).get(self.platform, ("x",))
            refs = [b["spec"]["secretRef"] for p in self.payloads for b in p if _ours(b)]
            wanted = {f"{ref['namespace']}/{ref['name']}": complete for ref in refs}
        found = []
        for place, keys in wanted.items():
            namespace, _, name = place.partition("/")
            data = {key: encoded("24 bytes long") for key in keys}
            found.append(_object("v1", "Secret", name, namespace, type="Opaque", data=data))
        for namespace in sorted({place.partition("/")[0] for place in wanted}):
            found.append(_object("v1", "Secret", "unrelated", namespace, type="Opaque", data={}))
            found.append(_object("v1", "Namespace", namespace))
        manual = self.mode == "Manual" or self.disabled == "true"
        if self.platform in ROOTS and (not manual if self.root is None else self.root):
            data = {key: encoded("24 bytes long") for key in KEYS.get(self.platform, ("x",))}
            root = _object("v1", "Secret", ROOTS[self.platform], "kube-system", type="Opaque", data=data)
            if self.root_mode is not None:
                root["metadata"]["annotations"] = {"cloudcredential.openshift.io/mode": self.root_mode}
            found.append(root)
        return found


def _minor(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


_FIRST_KNOWN = {
    (4, 11): ("baremetal", "marketplace", "openshift-samples"),
    (4, 12): ("Console", "Insights", "Storage", "CSISnapshot"),
    (4, 13): ("NodeTuning",),
    (4, 14): ("MachineAPI", "Build", "DeploymentConfig", "ImageRegistry"),
    (4, 15): ("OperatorLifecycleManager", "CloudCredential"),
    (4, 16): ("Ingress", "CloudControllerManager"),
    (4, 18): ("OperatorLifecycleManagerV1",),
}


def _known(version: str) -> list[str]:
    return sorted(name for since, names in _FIRST_KNOWN.items() if since <= _minor(version) for name in names)


def known_without(version: str, *off: str) -> dict[str, Any]:
    """Return the status of capabilities with some of them disabled."""
    known = _known(version)
    return {"knownCapabilities": known, "enabledCapabilities": [name for name in known if name not in off]}


def _ours(body: Mapping[str, Any]) -> bool:
    return body.get("kind") == "CredentialsRequest" and "spec" in body


def _object(version: str, kind: str, name: str, namespace: str | None = None, **rest: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, **rest}


def write(world: World, folder: Path) -> list[str]:
    """Write dump and payloads; return the arguments of the check."""
    dump = write_tree(folder / "dump", world.objects())
    if not any(dump.glob("namespaces/*/cloudcredential.openshift.io")):
        (dump / f"namespaces/{CCO}/cloudcredential.openshift.io").mkdir(parents=True)
    gone = [name for name in world.without if "/" not in name]
    for name in gone:
        shutil.rmtree(dump / "namespaces" / name)
    if gone:
        spaces = [_object("v1", "Namespace", space.name) for space in (dump / "namespaces").iterdir()]
        listed = dump / "cluster-scoped-resources/core/namespaces.yaml"
        listed.parent.mkdir(parents=True, exist_ok=True)
        listed.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "NamespaceList", "items": spaces}))
    for unread in world.unread:
        (dump / unread).unlink()
    if world.edit:
        world.edit(dump)
    references: list[str] = []
    for version, documents in zip(world.versions, world.payloads, strict=True):
        place = folder / f"{len(references)}-{version}"
        references.append(f"dir:{_payload(place, version, documents, world.previous.get(version, ()))}")
    first, *via, last = references
    arguments = ["check", "--to", last, "--from", first, "--now", "2026-11-01"]
    for reference in via:
        arguments += ["--via", reference]
    return [*arguments, "--cluster", f"must-gather:{dump}", *world.given]


def _payload(folder: Path, version: str, documents: Sequence[Mapping[str, Any]], previous: Sequence[str]) -> Path:
    folder.mkdir(parents=True)
    metadata = {"kind": "cincinnati-metadata-v0", "version": version, "previous": list(previous)}
    (folder / "release-metadata").write_text(json.dumps(metadata))
    (folder / "image-references").write_text('{"kind": "ImageStream", "apiVersion": "image.openshift.io/v1"}')
    for number, document in enumerate(documents):
        (folder / f"0000_50_component_{number:02}.yaml").write_text(yaml.safe_dump(dict(document)))
    return folder


def other_operator(dump: Path) -> None:
    """Add a list of ClusterOperators with another one: the absence of one that is not in it is known."""
    place = dump / "cluster-scoped-resources/config.openshift.io/clusteroperators.yaml"
    place.parent.mkdir(parents=True, exist_ok=True)
    other = _object("config.openshift.io/v1", "ClusterOperator", "dns", status={"versions": []})
    place.write_text(
        yaml.safe_dump({"apiVersion": "config.openshift.io/v1", "kind": "ClusterOperatorList", "items": [other]})
    )


NO_ANNOTATION = ("False", "MissingUpgradeableAnnotation")
NO_ROOT = ("False", "MissingRootCredential")
NO_SECRETS = ("False", "ManualModeMissingSecrets")
STORAGE = "capability.openshift.io/name"


def same(platform: str = "AWS", **world: Any) -> World:
    """Return a world in which the releases ask for the same."""
    count = len(world.get("versions", ("a", "b")))
    return World(platform, payloads=((request(platform),),) * count, **world)


def grants(platform: str = "AWS", **world: Any) -> World:
    """Return a world in which the target asks for one grant more."""
    before, after = request(platform), request(platform, "comp", "ec2:DescribeVolumes", "ec2:CreateVolume")
    return World(platform, payloads=((before,), (after,)), **world)


def extra(platform: str = "AWS", **world: Any) -> World:
    """Return a world in which the target has one component more."""
    old = (request(platform),)
    return World(platform, payloads=(old, (*old, request(platform, "new"))), **world)


def goes(kind: str, platform: str = "AWS", **world: Any) -> World:
    """Return a world in which a component goes: its manifest vanishes, or deletes it."""
    old = (request(platform), request(platform, "old"))
    new = (request(platform), *([deletion("old")] if kind == "deleted" else []))
    return World(platform, payloads=(old, new), **world)


def changed(platform: str = "AWS", world: dict[str, Any] | None = None, **spec: Any) -> World:
    """Return a world in which the component's request changes."""
    return World(platform, payloads=((request(platform),), (request(platform, **spec),)), **(world or {}))


def finalized(name: str) -> dict[str, Any]:
    body = request("AWS", name)
    body["metadata"]["finalizers"] = ["cloudcredential.openshift.io/deprovision"]
    return body


def edited(body: dict[str, Any], *actions: str) -> dict[str, Any]:
    body["spec"]["providerSpec"]["statementEntries"][0]["action"] = list(actions)
    return body


def bare_metal(**world: Any) -> World:
    """Return a bare-metal cluster without the capability CloudCredential."""
    off = known_without("4.16.3", "CloudCredential")
    absent = frozenset({"ClusterOperator/cloud-credential", "CloudCredential/cluster"})
    named = {"baselineCapabilitySet": "None", "additionalEnabledCapabilities": off["enabledCapabilities"]}
    return World(
        capabilities=off,
        baseline=named,
        without=absent,
        annotation=None,
        edit=other_operator,
        **world,
    )


NEEDS = "needs namespace=met secret=met keys=met"
ADDED = f"request-added@new blocker open missed {NEEDS} grants=unknown"
GAINS = "permission-added@comp blocker open missed needs grants=unknown"
REFUSED = "cco-not-upgradeable blocker open stopped"
UNPROVEN = "cco-verdict-unproven warning open missed"
UNPROVEN_INFO = "cco-verdict-unproven info open missed"
UPDATING = completed("4.16.3", partial="4.17.0")
STEPS = ("4.14.5", "4.15.5", "4.16.5")
FIRST_LISTED = "openshift-cluster-csi-drivers/gcp-pd-cloud-credentials"


def _line(finding: dict[str, Any], *, with_hop: bool) -> str:
    name = f"@{finding['request'].rpartition('/')[2]}" if finding["request"] else ""
    needs = " ".join(f"{need['kind']}={need['status']}" for need in finding["needs"])
    text = f"{finding['rule']}{name} {finding['severity']} {finding['status']} {finding['guard'] or '-'}"
    return text + (f" needs {needs}" if needs else "") + (f" hop={finding['hop']}" if with_hop else "")


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """Run a check; return the exit code and the report."""
    capsys.readouterr()
    code = main([*arguments, "-o", "json", "--no-cache"])
    out, err = capsys.readouterr()
    assert out, err
    return code, json.loads(out)


def judge(flow: Flow, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Run one flow and compare verdict and findings; `release-unverified`, which every folder has, is left out."""
    world, outcome, wanted = flow
    arguments = write(world, folder)
    code, report = run(arguments, capsys)
    if world.acknowledge:
        entries = [
            {"fingerprint": f["fingerprint"], "reason": "r", "owner": "o", "expires": "2026-12-31"}
            for f in report["findings"]
            if f["rule"] in world.acknowledge
        ]
        (folder / "acks.yaml").write_text(json.dumps({"acknowledgements": entries}))
        code, report = run([*arguments, "--acknowledgements", str(folder / "acks.yaml")], capsys)
    verdict = report["verdict"]
    found = []
    for finding in report["findings"]:
        if finding["rule"] == "release-unverified":
            continue
        line = _line(finding, with_hop=False)
        hopped = _line(finding, with_hop=True)
        found.append(hopped if hopped in wanted else line)
    got = f"{code} {verdict['status']} {verdict['next']} {verdict['basis']}"
    assert (got, sorted(found)) == (outcome, sorted(wanted)), "\n".join(
        f"{f['rule']}: {f['headline']}" for f in report["findings"]
    )
    assert verdict["exit_code"] == code

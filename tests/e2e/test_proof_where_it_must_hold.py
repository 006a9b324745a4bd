"""Where a grant must hold, from the dump of a cluster to the verdict: what facts, read or not, decide about a proof."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.worlds import flows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

GROUP, NET = "0" * 32, "1" * 32
SERVICE_ID = "iam-ServiceId-1"
SA, NODE, FAR_NODE = (f"{name}.iam.gserviceaccount.com" for name in ("c1-comp@p1", "n@p1", "n@nodes"))
MACHINES, CORE = "openshift-machine-api/machine.openshift.io", "core/configmaps.yaml"


def change(platform: str, status: dict[str, Any], *bodies: tuple[str, dict[str, Any]]) -> Callable[[Path], None]:
    """Return what puts a platform's status and further objects, each at its place, into a dump."""

    def edit(dump: Path) -> None:
        path = dump / "cluster-scoped-resources/config.openshift.io/infrastructures.yaml"
        listed = yaml.safe_load(path.read_text())
        listed["items"][0]["status"]["platformStatus"][platform.lower()] = status
        path.write_text(yaml.safe_dump(listed))
        for place, body in bodies:
            target = dump / place
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(yaml.safe_dump(body))

    return edit


def config_map(namespace: str, name: str, **data: str) -> tuple[str, dict[str, Any]]:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": data}
    return f"namespaces/{namespace}/{CORE}", {"apiVersion": "v1", "kind": "ConfigMapList", "items": [body]}


def installed(platform: str) -> tuple[str, dict[str, Any]]:
    return config_map("kube-system", "cluster-config-v1", **{"install-config": f"platform: {{{platform}}}"})


def machines(kind: str, name: str, email: str) -> tuple[str, dict[str, Any]]:
    """Return a set of machines that run as an account."""
    machine = {"spec": {"providerSpec": {"value": {"serviceAccounts": [{"email": email, "scopes": []}]}}}}
    controls = kind == "ControlPlaneMachineSet"
    version = "v1" if controls else "v1beta1"
    spec = {"template": {"machines_v1beta1_machine_openshift_io": machine} if controls else machine}
    body = {"apiVersion": f"machine.openshift.io/{version}", "kind": kind, "spec": spec}
    body |= {"metadata": {"name": name, "namespace": "openshift-machine-api"}}
    return f"namespaces/{MACHINES}/{kind.casefold()}s/{name}.yaml", body


def of_group(group: str) -> dict[str, Any]:
    """Return a policy on VPC resources of one resource group."""
    attributes = {"serviceName": "is", "accountId": "a" * 32, "resourceGroupId": group}
    return {
        "id": f"p-{group}",
        "type": "access",
        "state": "active",
        "subjects": [{"attributes": [{"name": "iam_id", "value": SERVICE_ID}]}],
        "roles": [{"role_id": "crn:v1:bluemix:public:iam::::role:Viewer"}],
        "resources": [{"attributes": [{"name": name, "value": value} for name, value in attributes.items()]}],
    }


GROUPS = [
    {"id": number, "name": name, "crn": f"crn:v1:bluemix:public:resource-controller::a/A::resource-group:{number}"}
    for number, name in ((GROUP, "c1-rg"), (NET, "net"))
]


def bound(*where: str) -> dict[str, Any]:
    """Return what is bound in the project (`p1`) and on accounts: the role that lets one act as them."""
    binding = {"role": "roles/iam.serviceAccountUser", "members": [f"serviceAccount:{SA}"]}
    own = {"project": "p1", "policy": {"etag": "x", "bindings": [binding] if "p1" in where else []}}
    there = [{"serviceAccount": one, "policy": {"etag": "x", "bindings": [binding]}} for one in where if one != "p1"]
    return {f"{number}.json": body for number, body in enumerate([own, *there])}


OWN = {"projectID": "p1", "region": "europe-west1"}
WORKER = machines("MachineSet", "w", FAR_NODE)
CASES: dict[str, tuple[str, Callable[[Path], None], Mapping[str, Any], str]] = {
    "IBM: the VPC is in a group of its own, the policy is not": (
        "IBMCloud",
        change("IBMCloud", {"resourceGroupName": "c1-rg"}, installed("ibmcloud: {networkResourceGroupName: net}")),
        {"policies.json": [of_group(GROUP)], "groups.json": GROUPS},
        "undetermined",
    ),
    "IBM: the VPC is in a group of its own, and there is a policy for each": (
        "IBMCloud",
        change("IBMCloud", {"resourceGroupName": "c1-rg"}, installed("ibmcloud: {networkResourceGroupName: net}")),
        {"policies.json": [of_group(GROUP), of_group(NET)], "groups.json": GROUPS},
        "pass",
    ),
    "IBM: the VPC is in the cluster's group": (
        "IBMCloud",
        change("IBMCloud", {"resourceGroupName": "c1-rg"}, installed("ibmcloud: {region: eu-de}")),
        {"policies.json": [of_group(GROUP)], "groups.json": GROUPS},
        "pass",
    ),
    "GCP: a worker's account elsewhere was read, the control plane's not": (
        "GCP",
        change("GCP", OWN, WORKER),
        bound("p1"),
        "undetermined",
    ),
    "GCP: bound on the worker's account, the control plane's was not read": (
        "GCP",
        change("GCP", OWN, WORKER),
        bound(FAR_NODE),
        "undetermined",
    ),
    "GCP: bound on both accounts": (
        "GCP",
        change("GCP", OWN, WORKER, machines("ControlPlaneMachineSet", "cluster", NODE)),
        bound(FAR_NODE, NODE),
        "pass",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_grant_counts_where_the_cluster_s_facts_say_that_it_must_hold(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    platform, edit, export, status = CASES[case]
    asked = {"IBMCloud": "Viewer", "GCP": "iam.serviceAccounts.actAs"}[platform]
    request = flows.request(platform, "comp", asked)
    world = flows.World(platform, payloads=((request,), (request,)), edit=edit, annotation="4.17")
    arguments = flows.write(world, tmp_path)
    identity = {"IBMCloud": SERVICE_ID, "GCP": SA}[platform]
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"identities": {"openshift-comp/creds": identity}}))
    (tmp_path / "held").mkdir()
    for name, body in export.items():
        (tmp_path / "held" / name).write_text(json.dumps(body))
    given = ["--config", str(tmp_path / "c.yaml"), "--identities", f"export:{tmp_path / 'held'}"]
    _, report = flows.run([*arguments, *given], capsys)
    told = {f["rule"]: [n["detail"] for n in f["needs"]] for f in report["findings"] if f["severity"] != "info"}
    assert report["verdict"]["status"] == status, told


@pytest.mark.parametrize("names", [("comp",), ("comp", "other")])
def test_what_was_not_seen_of_several_identities_is_exported_in_one_step(
    names: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    requests = tuple(flows.request("GCP", name, "compute.firewalls.create") for name in names)
    elsewhere = config_map("openshift-config", "cloud-provider-config", config="[global]\nnetwork-project-id = net\n")
    world = flows.World("GCP", payloads=(requests, requests), edit=change("GCP", OWN, elsewhere), annotation="4.17")
    arguments = flows.write(world, tmp_path)
    identities = {f"openshift-{name}/creds": f"c1-{name}@p1.iam.gserviceaccount.com" for name in names}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"identities": identities}))
    (tmp_path / "held.json").write_text(json.dumps(bound()["0.json"]))
    given = ["--config", str(tmp_path / "c.yaml"), "--identities", f"export:{tmp_path / 'held.json'}"]
    _, report = flows.run([*arguments, *given], capsys)
    told = [f["remedy"] for f in report["findings"] if f["rule"] == "identity-unknown"]
    assert len(told) == len(names)
    ((only,),) = {tuple((step["number"], step["step"]) for step in remedy) for remedy in told}
    who = "c1-comp@p1.iam.gserviceaccount.com" if len(names) == 1 else "2 identities"
    assert only[1].startswith(f"Export what was not seen of {who}")

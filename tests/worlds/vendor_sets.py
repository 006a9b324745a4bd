"""A vendor's policies of the shared corpus beside what payloads ask for, as the history of requirements has it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.worlds.aws_exports import ACCOUNT
from upgrade_gate.clouds.contract.grants import Grant

BRANCHES = ("4.14", "4.19", "4.20")
"""The states of which payloads are made: 4.14, the last of 4.19, the first of 4.20."""
PROJECT = "vendor-project"
AWS_CONTEXT = {
    "account": ACCOUNT,
    "partition": "aws",
    "region": "eu-central-1",
    "infrastructure_name": "c1-x7k2p",
    "private_zone_role": f"arn:aws:iam::{ACCOUNT}:role/shared-vpc-route53",
    "now": "2026-11-30T00:00:00Z",
}
BUCKETS = {
    region: {"name": f"c1-x7k2p-image-registry-{region}-abcdefghijklmnopqrstuvwxyz"[:62], "own": True}
    for region in ("eu-central-1", "us-gov-west-1")
}
"""The bucket of the image registry by region, named as its operator names them (`pkg/storage/util`, 62 characters)."""
GOVERNMENT = {**AWS_CONTEXT, "partition": "aws-us-gov", "region": "us-gov-west-1"}
"""The vendor's hosted sets of 4.14 are written for this partition."""
GCP_CONTEXT = {
    "project": PROJECT,
    "dns_projects": [PROJECT],
    "network_project": PROJECT,
    "node_service_accounts": [
        f"osd-worker@{PROJECT}.iam.gserviceaccount.com",
        f"osd-control-plane@{PROJECT}.iam.gserviceaccount.com",
    ],
    "now": "2026-11-30T00:00:00Z",
}
_AWS = {
    "openshift_cloud_credential_operator_cloud_credential_operator_iam_ro_creds_policy": (
        "cloud-credential-operator-iam-ro"
    ),
    "openshift_cloud_network_config_controller_cloud_credentials_policy": (
        "openshift-cloud-network-config-controller-aws"
    ),
    "openshift_cluster_csi_drivers_ebs_cloud_credentials_policy": "aws-ebs-csi-driver-operator",
    "openshift_image_registry_installer_cloud_credentials_policy": "openshift-image-registry",
    "openshift_ingress_operator_cloud_credentials_policy": "openshift-ingress",
    "shared_vpc_openshift_ingress_operator_cloud_credentials_policy": "openshift-ingress",
    "openshift_machine_api_aws_cloud_credentials_policy": "openshift-machine-api-aws",
    "openshift_capa_controller_manager_credentials_policy": "openshift-cluster-api-aws",
}
_HOSTED = {
    "openshift_hcp_cloud_network_config_cloud_credentials_permission_policy": (
        "openshift-cloud-network-config-controller-aws"
    ),
    "openshift_hcp_cluster_csi_driver_ebs_operator_cloud_credentials_policy": "aws-ebs-csi-driver-operator",
    "openshift_hcp_cluster_ingress_operator_cloud_credentials_policy": "openshift-ingress",
    "openshift_hcp_image_registry_operator_permission_policy": "openshift-image-registry",
    "openshift_hcp_capa_controller_manager_credentials_policy": "openshift-cluster-api-aws",
}
"""Files of policies and the request whose component uses them; the vendor's other files are for no request."""


def required(history: dict[str, Any], branch: str, kind: str) -> dict[str, list[Grant]]:
    """Return what a release branch asks for by name of the request: the last event of each grant decides."""
    commits, at = history["commits"], history["branches"].index(branch)

    def counts(index: int) -> bool:
        own, line = commits[index][6], commits[index][7]
        return bool(own <= at if line == "main" else own == at)

    found: dict[str, list[Grant]] = {}
    for request, grant, added, removed in history["history"]:
        of_kind, name = history["requests"][request]
        events = [(i, True) for i in added if counts(i)] + [(i, False) for i in removed if counts(i)]
        if of_kind == kind and events and max(events)[1]:
            found.setdefault(name.rpartition("/")[2], []).append(Grant(*history["grants"][grant]))
    return found


def history(shared: Path) -> dict[str, Any]:
    """Return the history of all requirements."""
    return json.loads((shared / "facts" / "history.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def aws_sets(shared: Path) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield folder, name of the policy, request and document of each policy that serves a request."""
    for folder, names, hosted in (
        ("rosa-4.14", _AWS, ""),
        ("rosa-4.19", _AWS, ""),
        ("rosa-4.14", _HOSTED, " hosted"),
        ("rosa-hcp", _HOSTED, " hosted"),
    ):
        for name, request in names.items():
            path = shared / "corpus" / "vendor_policies" / folder / f"{name}.json"
            if path.exists():
                yield f"{folder}{hosted}", name, request, json.loads(path.read_text(encoding="utf-8"))


def gcp_sets(shared: Path) -> Iterator[tuple[str, str, str, list[Any]]]:
    """Yield template, email, request and export of each service account that serves a request.

    The export is what `gcloud` prints after the template was applied: the project's policy, its custom roles, and the
    policies of the accounts that machines run as.
    """
    for path in sorted((shared / "corpus" / "vendor_policies" / "osd-wif").glob("*.yaml")):
        accounts = yaml.safe_load(path.read_text(encoding="utf-8"))["service_accounts"]
        export = _applied(accounts)
        for account in accounts:
            if "credential_request" in account:
                secret = account["credential_request"]["secret_ref"]
                request = _GCP[secret["namespace"]]
                yield f"osd-wif {path.stem.partition('-')[0]}", _email(account["id"]), request, export


_GCP = {
    "openshift-cloud-credential-operator": "cloud-credential-operator-gcp-ro-creds",
    "openshift-cloud-network-config-controller": "openshift-cloud-network-config-controller-gcp",
    "openshift-cloud-controller-manager": "openshift-gcp-ccm",
    "openshift-cluster-csi-drivers": "openshift-gcp-pd-csi-driver-operator",
    "openshift-image-registry": "openshift-image-registry-gcs",
    "openshift-ingress-operator": "openshift-ingress-gcp",
    "openshift-machine-api": "openshift-machine-api-gcp",
}


def _email(account: str) -> str:
    return f"{account}@{PROJECT}.iam.gserviceaccount.com"


def _applied(accounts: list[dict[str, Any]]) -> list[Any]:
    roles: dict[str, dict[str, Any]] = {}
    on_project: dict[str, list[str]] = {}
    on_account: dict[str, dict[str, list[str]]] = {a["id"]: {} for a in accounts if a["access_method"] == "vm"}
    for account in accounts:
        member = f"serviceAccount:{_email(account['id'])}"
        for role in account["roles"]:
            name = f"roles/{role['id']}" if role.get("predefined") else f"projects/{PROJECT}/roles/{role['id']}"
            if not role.get("predefined"):
                roles[name] = {"name": name, "title": role["id"], "includedPermissions": role["permissions"]}
            targets = [b["name"] for b in role.get("resource_bindings") or ()]
            for policy in [on_account.setdefault(t, {}) for t in targets] or [on_project]:
                policy.setdefault(name, []).append(member)
    ancestors = [{"type": "project", "id": PROJECT, "policy": _policy(on_project)}]
    own = [{"serviceAccount": _email(name), "policy": _policy(bound)} for name, bound in on_account.items()]
    listed = [
        {"email": _email(a["id"]), "name": f"projects/{PROJECT}/serviceAccounts/{_email(a['id'])}"} for a in accounts
    ]
    return [ancestors, *roles.values(), *own, listed]


def _policy(bound: dict[str, list[str]]) -> dict[str, Any]:
    return {"version": 3, "bindings": [{"role": role, "members": members} for role, members in bound.items()]}

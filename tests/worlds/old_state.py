"""A cluster as its release leaves it, and an export of identities that hold exactly what that release asks for.

Everything comes from a release of the shared corpus: the requests that it applies on the platform, their Secrets with
what names the identity (docs/facts/cco.md#names and docs/facts/cco.md#secret-keys), and policies, trust and names as
ccoctl makes them.
"""

import base64
import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.worlds.cluster_objects import condition, sample, write_tree
from upgrade_gate import pipeline
from upgrade_gate.clouds.contract.holdings import ccoctl_name
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.pipeline import Inputs
from upgrade_gate.requests.credentials_request import CredentialsRequest
from upgrade_gate.requests.update import Given

ISSUER = "https://oidc.example.com/c1"
AWS_ACCOUNT = "123456789012"
SUBSCRIPTION = "11111111-2222-4333-8444-000000000001"
IBM_ACCOUNT = "0123456789abcdef0123456789abcdef"
IBM_GROUP = "fedcba9876543210fedcba9876543210"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/c1-x7k2p-rg"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
BUILT_IN = {
    "id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}",
    "name": CONTRIBUTOR,
    "roleName": "Contributor",
    "roleType": "BuiltInRole",
    "assignableScopes": ["/"],
    "permissions": [
        {
            "actions": ["*"],
            "notActions": [
                "Microsoft.Authorization/*/Delete",
                "Microsoft.Authorization/*/Write",
                "Microsoft.Authorization/elevateAccess/Action",
            ],
            "dataActions": [],
            "notDataActions": [],
        }
    ],
}
"""Contributor as `az role definition list` prints it, its notActions as far as they matter here.

See docs/facts/azure.md#coverage.
"""
POOL = "principal://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/c1"
TOKEN_FILE = "/var/run/secrets/openshift/serviceaccount/token"
_INSTANCE = "crn:v1:bluemix:public:{}:global:a/{}:11111111-0000-4000-8000-000000000001::"
CRNS = {
    "dnsInstanceCRN": _INSTANCE.format("dns-svcs", IBM_ACCOUNT),
    "cisInstanceCRN": _INSTANCE.format("internet-svcs", IBM_ACCOUNT),
}
STATUS: Mapping[str, Mapping[str, Any]] = {
    "AWS": {"aws": {"region": "eu-west-1"}},
    "Azure": {"azure": {"resourceGroupName": "c1-x7k2p-rg", "cloudName": "AzurePublicCloud"}},
    "GCP": {"gcp": {"projectID": "p1-project", "region": "europe-west1"}},
    "IBMCloud": {"ibmcloud": {"resourceGroupName": "c1-group", "location": "eu-de", "providerType": "VPC", **CRNS}},
    "PowerVS": {"powervs": {"region": "dal", "zone": "dal12", "resourceGroup": "c1-group", **CRNS}},
    "AlibabaCloud": {"alibabacloud": {"region": "us-east-1", "resourceGroupID": "rg-1"}},
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who serves one Secret."""

    request: CredentialsRequest
    name: str
    """As ccoctl calls it (docs/facts/cco.md#names)."""
    number: int

    @property
    def secret(self) -> str:
        assert self.request.secret is not None
        return str(self.request.secret)

    @property
    def subjects(self) -> list[str]:
        assert self.request.secret is not None
        return [f"system:serviceaccount:{self.request.secret.namespace}:{a}" for a in self.request.service_accounts]


@dataclass(frozen=True, slots=True)
class OldState:
    """A dumped cluster and its identities at the old release."""

    platform: str
    token: bool
    old: str
    new: str
    cluster: Path
    export: Path
    identities: tuple[Identity, ...]
    releases: Path
    claimed: dict[str, str] = field(default_factory=dict)
    """What only the configuration can say: Secret to identity."""
    account: str | None = None

    def arguments(self) -> list[str]:
        """Return what `check` and `remediate` are given."""
        found = ["--to", f"dir:{self.releases / self.new}", "--from", f"dir:{self.releases / self.old}"]
        found += ["--cluster", f"must-gather:{self.cluster}", "--read-secrets", "--now", "2026-11-01", "--no-cache"]
        if any(self.export.iterdir()):
            found += ["--identities", f"export:{self.export}"]
        if self.claimed or self.account:
            file = self.cluster.parent / "identities.yaml"
            entries = {**self.claimed, **({"account": self.account} if self.account else {})}
            file.write_text(yaml.safe_dump({"identities": entries}))
            found += ["--config", str(file)]
        return found


def make(
    releases: Path,
    folder: Path,
    platform: str,
    old: str,
    new: str,
    *,
    token: bool = False,
    change: Callable[[dict[str, dict[str, Any]]], None] = lambda _: None,
) -> OldState:
    """Build the dumped cluster and the export; AWS users are made by who makes their account."""
    requests, _ = requests_of(releases, platform, old, new)
    identities = [identity_of(request, number) for number, request in enumerate(requests)]
    state = OldState(platform, token, old, new, folder / "cluster", folder / "export", tuple(identities), releases)
    state.export.mkdir(parents=True)
    if platform in _EXPORTS and (token or platform != "AWS"):
        _EXPORTS[platform](state)
    dump(state, change)
    return state


def identity_of(request: CredentialsRequest, number: int) -> Identity:
    assert request.secret is not None
    name = ccoctl_name(request.provider_kind, "c1", request.secret.namespace, request.secret.name, request.name)
    return Identity(request, name, number)


def requests_of(
    releases: Path, platform: str, old: str, new: str
) -> tuple[list[CredentialsRequest], list[CredentialsRequest]]:
    """Return the requests that both releases apply on a platform with every capability, sorted."""
    plan = Inputs(
        to=f"dir:{releases / new}",
        from_=f"dir:{releases / old}",
        settings=Settings(cache_dir=None),
        given=Given(platform=platform),
    )
    (hop,) = pipeline.survey(plan).hops
    before, after = (
        [s.request for _, s in sorted(selection.requests.items()) if s.request.secret is not None]
        for selection in (hop.old_selection, hop.new_selection)
    )
    return before, after


def capabilities_of(version: str) -> dict[str, list[str]]:
    """Return what ClusterVersion says of capabilities where a release has every one that it knows enabled."""
    from upgrade_gate.requests import capabilities

    major, minor = (int(part) for part in version.split(".")[:2])
    names = sorted(capabilities.table().releases[major, minor][0])
    return {"knownCapabilities": names, "enabledCapabilities": names}


def dump(state: OldState, change: Callable[[dict[str, dict[str, Any]]], None] = lambda _: None) -> None:
    """Write the cluster: what CCO and CVO of the old release leave, Secrets as the platform's components read them."""
    objects = sample(state.old)
    objects = {k: v for k, v in objects.items() if k.partition("/")[0] not in {"CredentialsRequest", "Secret"}}
    status = objects["ClusterVersion/version"]["status"]
    status["capabilities"] = capabilities_of(state.old)
    image = f"quay.io/openshift-release-dev/ocp-release@sha256:{state.new.replace('.', ''):0>64}"
    status["availableUpdates"] = [{"version": state.new, "image": image}]
    infrastructure = objects["Infrastructure/cluster"]
    infrastructure["spec"] = {"platformSpec": {"type": state.platform}}
    infrastructure["status"] |= {
        "platform": state.platform,
        "platformStatus": {"type": state.platform, **copy.deepcopy(STATUS.get(state.platform, {}))},
    }
    objects["Authentication/cluster"]["spec"] = {"serviceAccountIssuer": ISSUER if state.token else ""}
    if state.platform not in {"AWS", "Azure", "GCP", "VSphere", "OpenStack"}:
        # CCO never checks there (docs/facts/cco.md#upgradeable)
        conditions = [condition("Available", "True"), condition("Degraded", "False"), condition("Upgradeable", "True")]
        objects["ClusterOperator/cloud-credential"]["status"]["conditions"] = conditions
    bodies = _bodies(state.releases / state.old)
    for identity in state.identities:
        request = identity.request
        assert request.secret is not None
        objects[f"CredentialsRequest/{request.id}"] = bodies[request.id]
        space = request.secret.namespace
        objects[f"Namespace/{space}"] = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}}
        data = {k: base64.b64encode(v.encode()).decode() for k, v in values_of(state, identity).items()}
        objects[f"Secret/{identity.secret}"] = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": request.secret.name, "namespace": space},
            "type": "Opaque",
            "data": data,
        }
    change(objects)
    write_tree(state.cluster, objects.values())


def _bodies(release: Path) -> dict[str, dict[str, Any]]:
    """Return every CredentialsRequest of a release as the API has it, by `namespace/name`."""
    found = {}
    for path in sorted(release.glob("*.yaml")):
        text = path.read_text()
        if "kind: CredentialsRequest" not in text:
            continue
        for body in yaml.safe_load_all(text):
            if isinstance(body, dict) and body.get("kind") == "CredentialsRequest" and "spec" in body:
                found[f"{body['metadata']['namespace']}/{body['metadata']['name']}"] = body
    return found


def values_of(state: OldState, identity: Identity) -> dict[str, str]:
    """Return a Secret's values, with what a real one says about its identity."""
    number = identity.number
    match state.platform:
        case "AWS" if state.token:
            ini = f"[default]\nsts_regional_endpoints = regional\nrole_arn = {arn(identity)}\n"
            return {"credentials": f"{ini}web_identity_token_file = {TOKEN_FILE}\n"}
        case "AWS":
            key = f"AKIA{number:016d}"
            ini = f"[default]\naws_access_key_id = {key}\naws_secret_access_key = s\n"
            return {"aws_access_key_id": key, "aws_secret_access_key": "s", "credentials": ini}
        case "Azure":
            shared = {
                "azure_client_id": client(number),
                "azure_tenant_id": client(99),
                "azure_subscription_id": SUBSCRIPTION,
                "azure_region": "westeurope",
            }
            if state.token:
                return {**shared, "azure_federated_token_file": identity.request.token_path or TOKEN_FILE}
            more = {"azure_client_secret": "s", "azure_resourcegroup": "c1-x7k2p-rg"}
            return {**shared, **more, "azure_resource_prefix": "c1-x7k2p"}
        case "GCP":
            return {"service_account.json": json.dumps(google_credentials(email(number), token=state.token))}
        case "IBMCloud" | "PowerVS":
            return {"ibmcloud_api_key": "k", "ibm-credentials.env": "IBMCLOUD_AUTHTYPE=iam\nIBMCLOUD_APIKEY=k\n"}
        case "AlibabaCloud":
            return {"credentials": "[default]\ntype = access_key\naccess_key_id = a\naccess_key_secret = s\n"}
        case "VSphere":
            return {"vcenter.example.com.username": "u", "vcenter.example.com.password": "p"}
        case "OpenStack":
            return {"clouds.yaml": "clouds: {openstack: {}}\n"}
        case _:
            pair = {"username": "u", "password": "p"}
            one = {"type": "basic_auth", "data": {"prismCentral": pair, "prismElements": None}}
            return {"credentials": json.dumps([one])}


def arn(identity: Identity) -> str:
    return f"arn:aws:iam::{AWS_ACCOUNT}:role/{identity.name}"


def client(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000001"


def email(number: int) -> str:
    return f"c1-{number}@p1-project.iam.gserviceaccount.com"


def google_credentials(address: str, *, token: bool) -> dict[str, Any]:
    if not token:
        return {"type": "service_account", "client_email": address}
    return {
        "type": "external_account",
        "service_account_impersonation_url": f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
        f"{address}:generateAccessToken",
        "credential_source": {"file": TOKEN_FILE, "format": {"type": "text"}},
    }


def write(state: OldState, name: str, body: Any) -> None:
    (state.export / name).write_text(json.dumps(body))


# --- what each cloud holds ------------------------------------------------------------------------------------------


def aws_policy(request: CredentialsRequest) -> dict[str, Any]:
    """Return the inline policy that ccoctl writes: one statement for each entry, order kept."""
    entries = [
        {
            "Effect": e["effect"],
            "Action": e["action"],
            "Resource": e["resource"],
            **({"Condition": e["policyCondition"]} if e.get("policyCondition") else {}),
        }
        for e in request.provider_spec["statementEntries"]
    ]
    return {"Version": "2012-10-17", "Statement": entries}


def aws_trust(identity: Identity) -> dict[str, Any]:
    host = ISSUER.removeprefix("https://")
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::{AWS_ACCOUNT}:oidc-provider/{host}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{host}:sub": identity.subjects}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _aws(state: OldState) -> None:
    """Roles as `aws iam get-account-authorization-details` prints them."""
    roles = [
        {
            "RoleName": one.name,
            "Arn": arn(one),
            "AssumeRolePolicyDocument": aws_trust(one),
            "RolePolicyList": [{"PolicyName": one.name, "PolicyDocument": aws_policy(one.request)}],
            "AttachedManagedPolicies": [],
        }
        for one in state.identities
    ]
    body = {"RoleDetailList": roles, "UserDetailList": [], "GroupDetailList": [], "Policies": []}
    write(state, "account.json", {"IsTruncated": False, **body})
    if state.token:
        url = ISSUER.removeprefix("https://")
        provider = f"arn:aws:iam::{AWS_ACCOUNT}:oidc-provider/{url}"
        write(state, "providers.json", {"OpenIDConnectProviderList": [{"Arn": provider}]})
        clients = {"ClientIDList": ["openshift", "sts.amazonaws.com"], "ThumbprintList": ["0" * 40]}
        write(state, "provider.json", {"OpenIDConnectProviderArn": provider, "Url": url, **clients})


def _azure(state: OldState) -> None:
    """Managed identities where tokens are used, service principals otherwise."""
    people: list[Any] = []
    definitions: list[Any] = [BUILT_IN]
    reader = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    above = "/providers/Microsoft.Management/managementGroups/everything"
    assignments = [azure_assignment("inherited", client(77), "Reader", reader, above)]
    federated: list[Any] = []
    for one in state.identities:
        principal = f"{one.number:08d}-0000-4000-8000-000000000002"
        path = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/c1-oidc/providers/Microsoft.ManagedIdentity"
        path = f"{path}/userAssignedIdentities/{one.name}"
        if state.token:
            people.append({"id": path, "name": one.name, "clientId": client(one.number), "principalId": principal})
        else:
            people.append({"appId": client(one.number), "id": principal, "servicePrincipalType": "Application"})
        roles = {g.permission: CONTRIBUTOR for g in one.request.grants if g.type == "roleBinding"}
        assert set(roles) <= {"Contributor"}
        operations = [g for g in one.request.grants if g.type != "roleBinding"]
        if operations:
            roles[one.name] = f"{one.number:08d}-0000-4000-8000-000000000003"
            block = {
                "actions": [g.permission for g in operations if g.type == "permission"],
                "dataActions": [g.permission for g in operations if g.type == "dataPermission"],
            }
            definitions.append(azure_definition(roles[one.name], one.name, block, [f"/subscriptions/{SUBSCRIPTION}"]))
        for role, guid in roles.items():
            assignments.append(azure_assignment(f"a{len(assignments)}", principal, role, guid, GROUP))
        for account, subject in zip(one.request.service_accounts, one.subjects, strict=True):
            credential = {"name": account, "issuer": ISSUER, "subject": subject, "audiences": ["openshift"]}
            federated.append({"id": f"{path}/federatedIdentityCredentials/{account}", **credential})
    write(state, "identities.json", people)
    write(state, "definitions.json", definitions)
    write(state, "assignments.json", assignments)
    if state.token:
        write(state, "federated.json", federated)


def azure_definition(guid: str, name: str, block: Mapping[str, list[str]], scopes: list[str]) -> dict[str, Any]:
    """Return a custom role as `az role definition list` prints it."""
    return {
        "id": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "name": guid,
        "roleName": name,
        "roleType": "CustomRole",
        "description": "made by ccoctl",
        "assignableScopes": scopes,
        "permissions": [{"notActions": [], "notDataActions": [], **block}],
    }


def azure_assignment(name: str, principal: str, role: str, guid: str, scope: str) -> dict[str, Any]:
    return {
        "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}",
        "name": name,
        "principalId": principal,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "roleDefinitionName": role,
        "scope": scope,
    }


def _gcp(state: OldState) -> None:
    bindings: dict[str, list[str]] = {}
    accounts = []
    for one in state.identities:
        address, request = email(one.number), one.request
        accounts.append(
            {"email": address, "name": f"projects/p1-project/serviceAccounts/{address}", "projectId": "p1-project"}
        )
        roles = list(request.provider_spec.get("predefinedRoles", []))
        if listed := request.provider_spec.get("permissions"):
            role = f"projects/p1-project/roles/p1project_{''.join(c for c in request.name if c.isalnum())[:31]}"
            roles.append(role)
            body = {"name": role, "title": f"p1-project-{request.name[:49]}", "stage": "GA"}
            write(state, f"role-{one.number}.json", {**body, "includedPermissions": listed})
        for role in roles:
            bindings.setdefault(role, []).append(f"serviceAccount:{address}")
        members = [f"{POOL}/subject/{subject}" for subject in one.subjects] if state.token else []
        trust = [{"role": "roles/iam.workloadIdentityUser", "members": members}] if members else []
        policy = {"bindings": trust, "version": 1}
        write(state, f"sa-{one.number}.json", {"serviceAccount": address, "policy": policy})
    listed_bindings = [{"role": role, "members": members} for role, members in bindings.items()]
    write(state, "project.json", {"bindings": listed_bindings, "version": 3})
    write(state, "service-accounts.json", accounts)
    if state.token:
        pool = POOL.partition("iam.googleapis.com/")[2]
        oidc = {"issuerUri": ISSUER, "allowedAudiences": ["openshift"]}
        mapped = {"attributeMapping": {"google.subject": "assertion.sub"}}
        write(state, "provider.json", {"name": f"{pool}/providers/c1", "state": "ACTIVE", "oidc": oidc, **mapped})


def _ibm(state: OldState) -> None:
    """Service IDs and their policies, with the account and the resource group as ccoctl adds them."""
    ids = []
    policies: list[Any] = []
    for one in state.identities:
        iam_id = f"iam-ServiceId-{one.number}"
        state.claimed[one.secret] = iam_id
        ids.append({"id": f"ServiceId-{one.number}", "iam_id": iam_id, "name": one.name, "account_id": IBM_ACCOUNT})
        for policy in one.request.provider_spec.get("policies", []):
            attributes = [{"name": a["name"], "value": a["value"]} for a in policy["attributes"]]
            held = {a["name"]: a["value"] for a in attributes}
            group = "resource" if held.get("resourceType") == "resource-group" else "resourceGroupId"
            attributes += [{"name": group, "value": IBM_GROUP}, {"name": "accountId", "value": IBM_ACCOUNT}]
            policies.append(
                {
                    "id": f"p{len(policies)}",
                    "type": "access",
                    "state": "active",
                    "subjects": [{"attributes": [{"name": "iam_id", "value": iam_id}]}],
                    "roles": [{"role_id": role} for role in policy["roles"]],
                    "resources": [{"attributes": attributes}],
                }
            )
    crn = f"crn:v1:bluemix:public:resource-controller::a/{IBM_ACCOUNT}::resource-group:{IBM_GROUP}"
    write(state, "groups.json", [{"id": IBM_GROUP, "crn": crn, "name": "c1-group", "account_id": IBM_ACCOUNT}])
    write(state, "service-ids.json", ids)
    write(state, "policies.json", policies)
    instances = [{"id": crn, "crn": crn, "name": "c1", "resource_group_id": IBM_GROUP} for crn in CRNS.values()]
    write(state, "instances.json", instances)


_EXPORTS: Mapping[str, Callable[[OldState], None]] = {
    "AWS": _aws,
    "Azure": _azure,
    "GCP": _gcp,
    "IBMCloud": _ibm,
    "PowerVS": _ibm,
}

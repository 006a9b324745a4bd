"""The bundle applied to the old state makes the gate pass on permissions: the commands run, a new export is judged."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from tests import bundles
from tests.bundles import Pair, Shell
from tests.components import require
from upgrade_gate.diff import grants_of
from upgrade_gate.entitlements import ccoctl_name
from upgrade_gate.findings import NeedStatus
from upgrade_gate.pipeline import Outcome

ISSUER = "oidc.example.com/c1"
GRANT_RULES = {"permission-added", "permission-widened", "request-added", "identity-lacks-permission"}
MUTE = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true"}


def passes_on_permissions(run: Outcome) -> list[str]:
    """Return the open findings about grants and trust, which must be none."""
    return [
        f"{j.finding.headline}: {[(n.kind.value, n.detail) for n in j.finding.needs]}"
        for j in run.judged
        if j.finding.rule in GRANT_RULES | {"identity-trust-lacks-subject", "identity-unknown"}
        and any(n.kind in ("grants", "trust") and n.status is not NeedStatus.MET for n in j.finding.needs)
    ]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    require("python:moto")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def aws_client(moto: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    import urllib.request

    import boto3

    for name, value in MUTE.items():
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", b"", method="POST")).close()
    return boto3.client("iam", endpoint_url=moto, region_name="us-east-1")


def statement(request: Any) -> dict[str, Any]:
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


def export_account(iam: Any, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    body = iam.get_account_authorization_details()
    body.pop("ResponseMetadata")
    (folder / "account.json").write_text(json.dumps({"IsTruncated": False, **body}, default=str))


@pytest.mark.parametrize("pair", [bundles.AWS, bundles.AWS_OLDER], ids=["4.13-4.14", "4.12-4.13"])
def test_on_aws_the_bundle_makes_the_gate_pass(
    pair: Pair, shared: Path, tmp_path: Path, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Roles as the old release wants them, in moto; the bundle's commands run; a new export is judged."""
    iam = aws_client(moto, monkeypatch)
    cluster = bundles.dump(shared, tmp_path, pair)
    before = bundles.requests(bundles.outcome(shared, cluster, pair), old=True)
    names: dict[str, str] = {}
    for secret, request in before.items():
        namespace, _, name = secret.partition("/")
        names[secret] = role = ccoctl_name("AWS", "c1", namespace, name, request.name)
        subjects = [f"system:serviceaccount:{namespace}:{account}" for account in request.service_accounts]
        trust = {
            "Effect": "Allow",
            "Principal": {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{ISSUER}:sub": subjects}},
        }
        document = {"Version": "2012-10-17", "Statement": [trust]}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(document))
        iam.put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=json.dumps(statement(request)))
    by_secret = {s: f"arn:aws:iam::123456789012:role/{n}" for s, n in names.items()}
    export = tmp_path / "export"
    export_account(iam, export)
    old = bundles.outcome(shared, cluster, pair, claims=bundles.claims(export, by_secret, "123456789012"))
    assert passes_on_permissions(old)
    folder = bundles.bundle(old, tmp_path / "bundle")
    shell = Shell(tmp_path / "bin", export, {**MUTE, "AWS_ENDPOINT_URL": moto})
    ran = shell.run(folder / "commands.sh")
    assert ran.code == 0, ran.err
    export_account(iam, export)
    new = bundles.outcome(shared, cluster, pair, claims=bundles.claims(export, by_secret, "123456789012"))
    assert passes_on_permissions(new) == []


def test_on_aws_users_with_keys_get_what_they_need(
    shared: Path, tmp_path: Path, moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's inline policies are small: the union goes into managed policies, and a second run makes a version."""
    iam = aws_client(moto, monkeypatch)
    pair = bundles.AWS_KEYS
    cluster = bundles.dump(shared, tmp_path, pair)
    before = bundles.requests(bundles.outcome(shared, cluster, pair), old=True)
    iam.create_user(UserName="c1-all")
    filler = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:" + "x" * 1990, "Resource": "*"}],
    }
    iam.put_user_policy(UserName="c1-all", PolicyName="filler", PolicyDocument=json.dumps(filler))
    for number, request in enumerate(before.values()):
        made = iam.create_policy(PolicyName=f"old-{number}", PolicyDocument=json.dumps(statement(request)))
        iam.attach_user_policy(UserName="c1-all", PolicyArn=made["Policy"]["Arn"])
    user = dict.fromkeys(before, "arn:aws:iam::123456789012:user/c1-all")
    export = tmp_path / "export"
    export_account(iam, export)
    run = bundles.outcome(shared, cluster, pair, claims=bundles.claims(export, user, "123456789012"))
    folder = bundles.bundle(run, tmp_path / "bundle")
    shell = Shell(tmp_path / "bin", export, {**MUTE, "AWS_ENDPOINT_URL": moto})
    for _ in range(2):
        ran = shell.run(folder / "commands.sh")
        assert ran.code == 0, ran.err
    assert any("create-policy-version" in call for call in ran.calls)
    export_account(iam, export)
    run = bundles.outcome(shared, cluster, pair, claims=bundles.claims(export, user, "123456789012"))
    assert passes_on_permissions(run) == []


def azure_export(folder: Path, before: Mapping[str, Any], *, issuer: str) -> dict[str, str]:
    """Write what Azure holds when every identity has exactly what the old release asks for."""
    folder.mkdir()
    scope = "/subscriptions/S1/resourceGroups/c1-x7k2p-rg"
    found: dict[str, list[Any]] = {"identities": [], "assignments": [], "definitions": [], "federated": []}
    by_secret: dict[str, str] = {}
    for number, (secret, request) in enumerate(before.items()):
        namespace, _, name = secret.partition("/")
        client, principal = f"{number:08d}-0000-4000-8000-000000000001", f"{number:08d}-0000-4000-8000-000000000002"
        by_secret[secret] = client
        identity = ccoctl_name("Azure", "c1", namespace, name, request.name)
        folder_of = "/subscriptions/S1/resourcegroups/c1-oidc/providers/Microsoft.ManagedIdentity"
        path = f"{folder_of}/userAssignedIdentities/{identity}"
        found["identities"].append({"id": path, "name": identity, "clientId": client, "principalId": principal})
        roles = [g.permission for g in grants_of(request) if g.type == "roleBinding"]
        operations = [g for g in grants_of(request) if g.type != "roleBinding"]
        if operations:
            guid = f"{number:08d}-0000-4000-8000-000000000003"
            roles.append(identity)
            found["definitions"].append(
                {
                    "id": f"/subscriptions/S1/providers/Microsoft.Authorization/roleDefinitions/{guid}",
                    "name": guid,
                    "roleName": identity,
                    "roleType": "CustomRole",
                    "assignableScopes": ["/subscriptions/S1"],
                    "permissions": [
                        {
                            "actions": [g.permission for g in operations if g.type == "permission"],
                            "notActions": [],
                            "dataActions": [g.permission for g in operations if g.type == "dataPermission"],
                            "notDataActions": [],
                        }
                    ],
                }
            )
        for role in roles:
            guid = "b24988ac-6180-42a0-ab88-20f7382dd24c" if role == "Contributor" else guid
            entry = f"a{len(found['assignments'])}"
            found["assignments"].append(
                {
                    "id": f"{scope}/providers/Microsoft.Authorization/roleAssignments/{entry}",
                    "name": entry,
                    "principalId": principal,
                    "principalType": "ServicePrincipal",
                    "roleDefinitionId": f"/subscriptions/S1/providers/Microsoft.Authorization/roleDefinitions/{guid}",
                    "roleDefinitionName": role,
                    "scope": scope,
                }
            )
        for account in request.service_accounts:
            found["federated"].append(
                {
                    "id": f"{path}/federatedIdentityCredentials/{account}",
                    "name": account,
                    "issuer": issuer,
                    "subject": f"system:serviceaccount:{namespace}:{account}",
                    "audiences": ["openshift"],
                }
            )
    for name, entries in found.items():
        (folder / f"{name}.json").write_text(json.dumps(entries))
    return by_secret


@pytest.mark.parametrize("pair", [bundles.AZURE, bundles.AZURE_TOKEN], ids=["4.13-4.14", "4.14-4.15"])
def test_on_azure_the_bundle_makes_the_gate_pass(pair: Pair, shared: Path, tmp_path: Path) -> None:
    cluster = bundles.dump(shared, tmp_path, pair)
    before = bundles.requests(bundles.outcome(shared, cluster, pair), old=True)
    export = tmp_path / "export"
    by_secret = azure_export(export, before, issuer=f"https://{ISSUER}")
    run = bundles.outcome(shared, cluster, pair, claims=bundles.claims(export, by_secret, "S1"))
    assert passes_on_permissions(run)
    folder = bundles.bundle(run, tmp_path / "bundle")
    ran = Shell(tmp_path / "bin", export).run(folder / "commands.sh")
    assert ran.code == 0, ran.err
    run = bundles.outcome(shared, cluster, pair, claims=bundles.claims(export, by_secret, "S1"))
    assert passes_on_permissions(run) == []


def test_on_gcp_the_bundle_makes_the_gate_pass(shared: Path, tmp_path: Path) -> None:
    pair = bundles.GCP
    cluster = bundles.dump(shared, tmp_path, pair)
    before = bundles.requests(bundles.outcome(shared, cluster, pair), old=True)
    export = tmp_path / "export"
    export.mkdir()
    bindings: list[dict[str, Any]] = []
    accounts = []
    by_secret: dict[str, str] = {}
    pool = "principal://iam.googleapis.com/projects/42/locations/global/workloadIdentityPools/c1/subject"
    for number, (secret, request) in enumerate(before.items()):
        email = by_secret[secret] = f"c1-{number}@p1.iam.gserviceaccount.com"
        member = f"serviceAccount:{email}"
        accounts.append({"email": email, "name": f"projects/p1/serviceAccounts/{email}", "projectId": "p1"})
        bindings += [{"role": r, "members": [member]} for r in request.provider_spec.get("predefinedRoles", [])]
        namespace = secret.partition("/")[0]
        members = [f"{pool}/system:serviceaccount:{namespace}:{a}" for a in request.service_accounts]
        policy = {"bindings": [{"role": "roles/iam.workloadIdentityUser", "members": members}], "version": 1}
        (export / f"sa-{number}.json").write_text(json.dumps({"serviceAccount": email, "policy": policy}))
        if listed := request.provider_spec.get("permissions"):
            role = {
                "name": f"projects/p1/roles/own{number}",
                "title": "t",
                "stage": "GA",
                "includedPermissions": listed,
            }
            (export / f"role-{number}.json").write_text(json.dumps(role))
            bindings.append({"role": role["name"], "members": [member]})
    (export / "project.json").write_text(json.dumps({"bindings": bindings, "version": 3}))
    (export / "service-accounts.json").write_text(json.dumps(accounts))
    run = bundles.outcome(shared, cluster, pair, claims=bundles.claims(export, by_secret, "p1"))
    assert passes_on_permissions(run)
    folder = bundles.bundle(run, tmp_path / "bundle")
    shell = Shell(tmp_path / "bin", export)
    for _ in range(2):
        ran = shell.run(folder / "commands.sh")
        assert ran.code == 0, ran.err
    assert any(word.startswith("compute.firewalls.") for call in ran.calls for word in call)
    run = bundles.outcome(shared, cluster, pair, claims=bundles.claims(export, by_secret, "p1"))
    assert passes_on_permissions(run) == []


def test_on_power_vs_the_bundle_makes_the_gate_pass(shared: Path, tmp_path: Path) -> None:
    """The service ID is new: it is made under the name that ccoctl would give it, and found again by that name."""
    pair = bundles.POWERVS
    cluster = bundles.dump(shared, tmp_path, pair)
    before = bundles.requests(bundles.outcome(shared, cluster, pair), old=True)
    export = tmp_path / "export"
    export.mkdir()
    ids: list[dict[str, Any]] = []
    policies: list[dict[str, Any]] = []
    by_secret: dict[str, str] = {}
    for number, (secret, request) in enumerate(before.items()):
        namespace, _, name = secret.partition("/")
        own = ccoctl_name("IBMCloud", "c1", namespace, name, request.name)
        by_secret[secret] = f"iam-ServiceId-{number}"
        ids.append({"id": f"ServiceId-{number}", "iam_id": by_secret[secret], "name": own, "account_id": "A1"})
        for policy in request.provider_spec.get("policies", []):
            listed = [{"name": a["name"], "value": a["value"]} for a in policy["attributes"]]
            policies.append(
                {
                    "id": f"p{len(policies)}",
                    "type": "access",
                    "state": "active",
                    "subjects": [{"attributes": [{"name": "iam_id", "value": by_secret[secret]}]}],
                    "roles": [{"role_id": role} for role in policy["roles"]],
                    "resources": [{"attributes": [*listed, {"name": "accountId", "value": "A1"}]}],
                }
            )
    (export / "service-ids.json").write_text(json.dumps(ids))
    (export / "policies.json").write_text(json.dumps(policies))

    def judged(identities: Mapping[str, str]) -> Outcome:
        claims = replace(bundles.claims(export, identities, "A1"), ccoctl_name="c1")
        return bundles.outcome(shared, cluster, pair, claims=claims)

    folder = bundles.bundle(judged(by_secret), tmp_path / "bundle")
    manifest = tmp_path / "secret.yaml"
    manifest.write_text("kind: Secret")
    values = {"SECRET_FILE_OPENSHIFT_IMAGE_REGISTRY_INSTALLER_CLOUD_CREDENTIALS": str(manifest)}
    ran = Shell(tmp_path / "bin", export).run(folder / "commands.sh", values=values)
    assert ran.code == 0, ran.err
    assert ("oc", "apply", "-f", str(manifest)) in ran.calls
    new = {s["name"]: s["iam_id"] for s in json.loads((export / "service-ids.json").read_text())}
    made = new["c1-openshift-image-registry-installer-cloud-credentials"]
    run = judged({**by_secret, "openshift-image-registry/installer-cloud-credentials": made})
    assert passes_on_permissions(run) == []


def test_on_nutanix_the_secret_is_all_there_is_to_make(shared: Path, tmp_path: Path) -> None:
    pair = bundles.NUTANIX
    run = bundles.outcome(shared, bundles.dump(shared, tmp_path, pair), pair)
    folder = bundles.bundle(run, tmp_path / "bundle")
    (skeleton,) = (folder / "secrets").iterdir()
    body = yaml.safe_load(skeleton.read_text())
    assert set(body["stringData"]) == {"credentials"}
    filled = skeleton.read_text().replace("<FILL_ME: user>", "u").replace("<FILL_ME: password>", "p")
    skeleton.write_text(filled)
    ran = Shell(tmp_path / "bin", tmp_path).run(folder / "commands.sh")
    assert ran.code == 0, ran.err
    assert ran.changes == (("oc", "apply", "-f", f"secrets/{skeleton.name}"),)
    readme = (folder / "README.md").read_text()
    assert "ccoctl nutanix create-shared-secrets" in readme
    assert "CCO of 4.12 never asks for it on Nutanix" in readme

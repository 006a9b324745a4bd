"""What each cloud drafts, run as a script: it ends where clouds replicate late, and its second run changes nothing."""

import json
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.bundles import shellcheck
from tests.worlds.components import require
from tests.worlds.drafted import ACCOUNT, ACT_AS, CLIENT, EMAIL, GET, MANY, NODE, PRINCIPAL, WRITE, Written, calls
from tests.worlds.identity_changes import ISSUER, action, change, cluster_names, subjects
from upgrade_gate.clouds.aws import remedy_documents
from upgrade_gate.clouds.contract.context import Context
from upgrade_gate.clouds.contract.grants import Grant

# --- AWS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    require("python:moto")
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def iam(moto: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    import boto3

    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    endpoint = moto
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s"}
    client = boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1", **keys)
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST"))
    client.create_role(RoleName="c1-x", AssumeRolePolicyDocument="{}")
    return endpoint, client


def aws(folder: Path, endpoint: str, *, delta: Sequence[Grant]) -> Written:
    one = change("AWSProviderSpec", delta, identity=f"arn:aws:iam::{ACCOUNT}:role/c1-x")
    return Written(folder, one, cluster_names("AWS", account=ACCOUNT, issuer=ISSUER, region="eu-west-1"), endpoint)


def test_an_inline_policy_is_put_once(tmp_path: Path, iam: tuple[str, Any]) -> None:
    written = aws(tmp_path, iam[0], delta=[action("ec2:New")])
    assert calls(written.run().changes, 2, 3) == ["put-role-policy"]
    assert written.run().changes == ()


@pytest.mark.parametrize("versions", [0, 4, 5])
def test_a_managed_policy_gets_room_where_it_has_five_versions(
    versions: int, tmp_path: Path, iam: tuple[str, Any]
) -> None:
    """The version in force stays, whichever it is, and so do all others but the oldest."""
    endpoint, client = iam
    name, arn = "c1-x-upgrade-gate-1", f"arn:aws:iam::{ACCOUNT}:policy/c1-x-upgrade-gate-1"
    for number in range(versions):
        body = json.dumps(remedy_documents.document([MANY[number]]))
        if number:
            client.create_policy_version(PolicyArn=arn, PolicyDocument=body, SetAsDefault=False)
        else:
            client.create_policy(PolicyName=name, PolicyDocument=body)
    written = aws(tmp_path, endpoint, delta=MANY)
    first = calls(written.run().changes, 2, 3)
    assert first.count("delete-policy-version") == (1 if versions == 5 else 0)
    assert first.count("attach-role-policy") == len(first) - first.count("create-policy-version") - first.count(
        "create-policy"
    ) - first.count("delete-policy-version")
    kept = {v["VersionId"]: v["IsDefaultVersion"] for v in client.list_policy_versions(PolicyArn=arn)["Versions"]}
    if versions:
        assert kept == {
            **{f"v{n}": False for n in range(1, versions + 1) if (versions, n) != (5, 2)},
            f"v{versions + 1}": True,
        }
    assert written.run().changes == ()


# --- Azure -----------------------------------------------------------------------------------------------------------


def azure(folder: Path, **fields: Any) -> Written:
    one = change("AzureProviderSpec", [WRITE], **{"identity": CLIENT, "untrusted": subjects("a"), **fields})
    base = {"account": "S1", "issuer": ISSUER, "region": "westeurope", "scopes": ("c1-rg",), "ccoctl_name": "c1"}
    written = Written(folder, one, cluster_names("Azure", **base))
    identity = {
        "id": "/subscriptions/S1/resourcegroups/c1-oidc/providers/"
        "Microsoft.ManagedIdentity/userAssignedIdentities/c1-openshift-x-x",
        "name": "c1-openshift-x-x",
        "clientId": CLIENT,
        "principalId": PRINCIPAL,
    }
    written.keep(identities=[] if fields.get("create") else [identity], definitions=[], assignments=[], federated=[])
    return written


def test_azure_runs_again_without_a_change(tmp_path: Path) -> None:
    written = azure(tmp_path, ccoctl="c1-openshift-x-x")
    assert calls(written.run().changes, 1, 4) == [
        "role definition create",
        "role assignment create",
        "identity federated-credential create",
    ]
    assert written.run().changes == ()


def test_a_new_identity_is_asked_for_its_principal(tmp_path: Path) -> None:
    """Nobody fills in by hand what the step before printed."""
    written = azure(tmp_path, identity=None, ccoctl="c1-openshift-x-x", create=True)
    assert calls(written.run().changes, 1, 3)[0] == "identity create"
    (made,) = written.shown("identities")
    (assigned,) = written.shown("assignments")
    assert assigned["principalId"] == made["principalId"]
    assert written.run().changes == ()


def test_a_role_that_says_something_else_is_written(tmp_path: Path) -> None:
    written = azure(tmp_path, ccoctl="c1-openshift-x-x", untrusted=())
    written.run()
    (definition,) = written.shown("definitions")
    definition["permissions"][0]["actions"] = []
    written.keep(definitions=[definition])
    assert calls(written.run().changes, 1, 4) == ["role definition update"]
    assert written.shown("definitions")[0]["permissions"][0]["actions"] == [WRITE.permission]


# --- GCP -------------------------------------------------------------------------------------------------------------


def gcp(folder: Path, delta: Sequence[Grant], **fields: Any) -> Written:
    context = Context(project="p1", node_service_accounts=(NODE,))
    one = change("GCPProviderSpec", delta, **{"identity": EMAIL, **fields})
    written = Written(folder, one, cluster_names("GCP", scopes=("p1",), issuer=ISSUER, context=context))
    policy = {"bindings": [], "version": 3}
    written.keep(project=policy, service_accounts=[{"email": EMAIL}], sa_0={"serviceAccount": NODE, "policy": policy})
    return written


def test_gcp_runs_again_without_a_change(tmp_path: Path) -> None:
    written = gcp(tmp_path, [GET, ACT_AS])
    assert calls(written.run().changes, 1, 4) == [
        "iam roles create",
        "projects add-iam-policy-binding p1",
        "iam service-accounts add-iam-policy-binding",
    ]
    assert written.shown("sa-0")["policy"]["bindings"] == [
        {"role": "roles/iam.serviceAccountUser", "members": [f"serviceAccount:{EMAIL}"]}
    ]
    assert written.run().changes == ()


@pytest.mark.parametrize("held", [[], [GET.permission]], ids=["without it", "with it"])
def test_a_deleted_role_is_brought_back(held: list[str], tmp_path: Path) -> None:
    written = gcp(tmp_path, [GET])
    body = {"name": "projects/p1/roles/p1_xoperator", "title": "t", "includedPermissions": held, "deleted": True}
    written.keep(role_p1_xoperator=body)
    first = calls(written.run().changes, 2, 4)
    assert first == ["roles undelete", *([] if held else ["roles update"]), "add-iam-policy-binding p1"]
    role = written.shown("role-p1-xoperator")
    assert (role["includedPermissions"], role.get("deleted")) == ([GET.permission], None)
    assert written.run().changes == ()


# --- every cloud -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [azure, lambda folder: gcp(folder, [GET, ACT_AS], untrusted=subjects("a"))])
def test_the_script_has_no_fault_that_shellcheck_sees(make: Callable[[Path], Written], tmp_path: Path) -> None:
    make(tmp_path)
    assert shellcheck(tmp_path / "commands.sh", require("shellcheck")) == ""

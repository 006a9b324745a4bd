"""`init iam-reader`: each permission that a read needs is in, and nothing more."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from tests.clouds.aws.test_live import Proxy
from tests.worlds.components import require
from tests.worlds.exporting import run_script, shared_case
from tests.worlds.fake_clouds import Clouds
from tests.worlds.moto_server import moto_server
from tests.worlds.running import run
from upgrade_gate.clouds.aws import live as aws_live


def printed(platform: str, *more: str) -> str:
    result = run("init", "iam-reader", "--platform", platform, *more)
    assert result.code == 0, result.err
    return result.out


ACCOUNT = "123456789012"
EVERYTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Moto, behind what keeps the name of each operation that crosses the wire."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with moto_server() as url:
        server = Proxy(url)
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()
        server.server_close()


def populate(endpoint: str) -> str:
    """Make a role and a user that use everything that a policy can hang on; return the user's access key.

    And an organisation with its own policies above the account, and an OIDC provider in it.
    """
    import boto3

    organizations = boto3.client("organizations", endpoint_url=endpoint, region_name="us-east-1")
    organizations.create_organization(FeatureSet="ALL")
    iam = boto3.client("iam", endpoint_url=endpoint, region_name="us-east-1")
    iam.create_open_id_connect_provider(
        Url="https://oidc.example.com/c1", ClientIDList=["openshift"], ThumbprintList=["0" * 40]
    )
    policy = iam.create_policy(PolicyName="p", PolicyDocument=EVERYTHING)["Policy"]["Arn"]
    iam.create_role(RoleName="r", AssumeRolePolicyDocument=EVERYTHING, PermissionsBoundary=policy)
    iam.put_role_policy(RoleName="r", PolicyName="inline", PolicyDocument=EVERYTHING)
    iam.attach_role_policy(RoleName="r", PolicyArn=policy)
    iam.create_user(UserName="u")
    iam.put_user_policy(UserName="u", PolicyName="inline", PolicyDocument=EVERYTHING)
    iam.attach_user_policy(UserName="u", PolicyArn=policy)
    iam.create_group(GroupName="g")
    iam.put_group_policy(GroupName="g", PolicyName="inline", PolicyDocument=EVERYTHING)
    iam.attach_group_policy(GroupName="g", PolicyArn=policy)
    iam.add_user_to_group(UserName="u", GroupName="g")
    return str(iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"])


@pytest.mark.slow
def test_on_aws_it_is_what_the_live_reader_and_the_commands_ask_for(proxy: Proxy, shared: Path, tmp_path: Path) -> None:
    key = populate(proxy.upstream)
    role, user = f"arn:aws:iam::{ACCOUNT}:role/r", f"arn:aws:iam::{ACCOUNT}:user/u"
    for refused in (set(), {"GetAccountAuthorizationDetails"}):
        proxy.refused = refused
        assert aws_live.collect({"endpoint": proxy.url, "timeout": 10, "identities": [role, user]})
    proxy.refused = set()
    case = shared_case(shared, "aws-sts-all-done", "4.13.99", "4.14.0")
    for number, identity in enumerate((role, user, key, None)):
        config = tmp_path / f"{number}.yaml"
        config.write_text(f"identities:\n  default: {identity}\n" if identity else "{}\n")
        script = case.script(tmp_path / f"{number}.sh", "--config", config)
        # the account manages the organisation, and is asked for its policies only where nobody may say so
        refuse = "" if identity else r"describe-organization( |$)"
        ran = run_script(Clouds(tmp_path, proxy.url, refuse=refuse), script, tmp_path / f"out{number}")
        assert ran.code == 0, ran.err
    allowed = [a.partition(":") for s in json.loads(printed("AWS"))["Statement"] for a in s["Action"]]
    assert {name for _, _, name in allowed} == set(proxy.calls) - {"GetCallerIdentity"}
    above = {"DescribeOrganization", "DescribePolicy", "ListParents", "ListPoliciesForTarget"}
    assert {name for service, _, name in allowed if service == "organizations"} == above


def test_the_aws_policy_allows_reading_alone_and_fits_into_a_managed_policy() -> None:
    text = printed("AWS")
    document = json.loads(text)
    assert document["Version"] == "2012-10-17"
    assert {s["Effect"] for s in document["Statement"]} == {"Allow"}
    actions = [action for statement in document["Statement"] for action in statement["Action"]]
    assert all(re.fullmatch(r"(iam|organizations):(Get|List|Describe)\w+", action) for action in actions)
    assert len(json.dumps(document, separators=(",", ":"))) < 6144


AZURE_CALLS = {
    "/roleAssignments": "Microsoft.Authorization/roleAssignments/read",
    "/roleDefinitions": "Microsoft.Authorization/roleDefinitions/read",
    "/denyAssignments": "Microsoft.Authorization/denyAssignments/read",
    "/userAssignedIdentities": "Microsoft.ManagedIdentity/userAssignedIdentities/read",
    "/federatedIdentityCredentials": (
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read"
    ),
}
"""What the path of a GET of Resource Manager ends with, and the operation that allows it."""


@pytest.mark.slow
def test_on_azure_it_is_what_the_live_reader_and_the_commands_ask_for(shared: Path, tmp_path: Path) -> None:
    from upgrade_gate.clouds.azure import live
    from upgrade_gate.clouds.shared.rest import Rest

    asked: set[str] = set()

    class Recorder(Rest):
        def pages(self, url: str, key: str, permission: str) -> dict[str, Any]:
            del permission
            path = url.partition("?")[0]
            asked.add(next(operation for end, operation in AZURE_CALLS.items() if path.endswith(end)))
            own = {"id": "/subscriptions/S1/x/i1", "properties": {"clientId": "C1", "principalId": "P1"}}
            return {key: [own] if path.endswith("/userAssignedIdentities") else []}

    rest = Recorder(lambda: "token", settings={}, seconds=1)
    live._documents(rest, "https://management.azure.com", "S1", [])
    case = shared_case(shared, "azure-workload-identity-done", "4.14.99", "4.15.0")
    held = shared / "cases" / "gate" / "azure-workload-identity-done" / "identities"
    ran = run_script(Clouds(held), case.script(tmp_path / "e.sh"), tmp_path / "out", {"SUBSCRIPTION": "S1"})
    by_command = {
        ("role", "assignment"): "/roleAssignments",
        ("role", "definition"): "/roleDefinitions",
        ("identity", "list"): "/userAssignedIdentities",
        ("identity", "federated-credential"): "/federatedIdentityCredentials",
    }
    for call in ran.calls:
        path = call[5].partition("?")[0] if call[1] == "rest" else by_command[call[1], call[2]]
        asked.add(next(operation for end, operation in AZURE_CALLS.items() if path.endswith(end)))
    role = json.loads(printed("Azure", "--account", "S1"))
    assert set(role["Actions"]) == asked
    assert (role["NotActions"], role["DataActions"], role["AssignableScopes"]) == ([], [], ["/subscriptions/S1"])


def test_a_subscription_that_nobody_named_is_left_to_fill_in() -> None:
    assert "<FILL_ME" in json.loads(printed("Azure"))["AssignableScopes"][0]


GCP_CALLS = {
    "projects get-iam-policy": {"resourcemanager.projects.getIamPolicy"},
    "projects get-ancestors": {"resourcemanager.projects.get"},
    "resource-manager folders get-iam-policy": {"resourcemanager.folders.getIamPolicy"},
    "organizations get-iam-policy": {"resourcemanager.organizations.getIamPolicy"},
    "iam service-accounts list": {"iam.serviceAccounts.list"},
    "iam service-accounts get-iam-policy": {"iam.serviceAccounts.getIamPolicy"},
    "iam roles describe": {"iam.roles.get"},
    "iam policies list": {"iam.denypolicies.list"},
    "iam policies get": {"iam.denypolicies.get"},
    "iam workload-identity-pools list": {"iam.workloadIdentityPools.list"},
    "iam workload-identity-pools providers list": {"iam.workloadIdentityPoolProviders.list"},
}
"""What each command of gcloud needs, by its reference."""
GCP_REST = [
    (r"POST .*/v1/projects/[^/]+:getIamPolicy", "resourcemanager.projects.getIamPolicy"),
    (r"POST .*/v3/folders/[^/]+:getIamPolicy", "resourcemanager.folders.getIamPolicy"),
    (r"POST .*/v3/organizations/[^/]+:getIamPolicy", "resourcemanager.organizations.getIamPolicy"),
    (r"GET .*/v3/projects/[^/]+$", "resourcemanager.projects.get"),
    (r"GET .*/v3/folders/[^/]+$", "resourcemanager.folders.get"),
    (r"POST .*/serviceAccounts/[^/]+:getIamPolicy", "iam.serviceAccounts.getIamPolicy"),
    (r"GET .*/serviceAccounts$", "iam.serviceAccounts.list"),
    (r"GET .*/denypolicies$", "iam.denypolicies.list"),
    (r"GET .*/denypolicies/[^/]+$", "iam.denypolicies.get"),
    (r"GET .*/roles/[^/]+$", "iam.roles.get"),
    (r"GET .*/workloadIdentityPools$", "iam.workloadIdentityPools.list"),
    (r"GET .*/workloadIdentityPools/[^/]+/providers$", "iam.workloadIdentityPoolProviders.list"),
]
"""What each call of Google's APIs needs, by their reference."""


def gcp_live() -> set[str]:
    from upgrade_gate.clouds.gcp import live
    from upgrade_gate.clouds.shared.rest import Rest

    asked: set[str] = set()
    parents = {"projects/p1": "folders/77", "folders/77": "organizations/9"}

    class Recorder(Rest):
        def note(self, method: str, url: str) -> None:
            call = f"{method} {url.partition('?')[0]}"
            asked.add(next(permission for pattern, permission in GCP_REST if re.fullmatch(pattern, call)))

        def get(self, url: str, permission: str) -> Any:
            self.note("GET", url)
            return {"parent": parents.get(url.partition("/v3/")[2], "")}

        def post(self, url: str, body: Any, permission: str) -> Any:
            self.note("POST", url)
            return {"bindings": [{"role": "projects/p1/roles/r", "members": ["serviceAccount:a@p1.x"]}]}

        def pages(self, url: str, key: str, permission: str) -> dict[str, Any]:
            self.note("GET", url)
            names = {
                "policies": "policies/x/denypolicies/d",
                "workloadIdentityPools": "projects/42/locations/global/workloadIdentityPools/c1",
            }
            return {key: [{"name": names.get(key, ""), "email": "a@p1.x"}]}

    rest = Recorder(lambda: "token", settings={}, seconds=1)
    assert list(live._Reader(rest, "https://c", "https://i", "p1").documents([], [], []))
    return asked


@pytest.mark.slow
def test_on_gcp_it_is_what_the_live_reader_and_the_commands_ask_for(shared: Path, tmp_path: Path) -> None:
    asked = gcp_live()
    case = shared_case(shared, "gcp-done", "4.14.99", "4.15.0")
    held = tmp_path / "held"
    held.mkdir()
    for path in (shared / "cases" / "gate" / "gcp-done" / "identities").iterdir():
        (held / path.name).write_text(path.read_text())
    for name in ("77", "9"):
        (held / f"policy-{name}.json").write_text('{"etag": "ACAB"}')
    (held / "ancestors.json").write_text('[["project", "p1"], ["folder", "77"], ["organization", "9"]]')
    (held / "pools.json").write_text('[{"name": "projects/42/locations/global/workloadIdentityPools/c1"}]')
    name = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fp1/denypolicies/d"
    (held / "denies.json").write_text(json.dumps([{"name": name, "rules": []}]))
    ran = run_script(Clouds(held), case.script(tmp_path / "e.sh"), tmp_path / "out")
    assert ran.code == 0, ran.err
    by_command: set[str] = set()
    for call in ran.calls:
        line = " ".join(call[1:])
        by_command |= next(needs for command, needs in GCP_CALLS.items() if line.startswith(command))
    assert by_command | {"resourcemanager.folders.get"} == asked
    role = yaml.safe_load(printed("GCP", "--organization", "9"))
    assert set(role["includedPermissions"]) == asked


def test_a_role_of_a_project_holds_nothing_of_folders_and_organisations() -> None:
    """Google refuses a custom role of a project that does."""
    of_project = yaml.safe_load(printed("GCP", "--account", "p1"))
    of_all = yaml.safe_load(printed("GCP", "--organization", "9"))
    above = set(of_all["includedPermissions"]) - set(of_project["includedPermissions"])
    assert above
    assert all(re.match(r"resourcemanager\.(folders|organizations)\.", p) for p in above)
    assert {"title", "description", "stage", "includedPermissions"} == set(of_project)
    assert "--organization" in printed("GCP", "--account", "p1")


@pytest.mark.parametrize("platform", ["IBMCloud", "PowerVS"])
def test_on_ibm_cloud_it_is_a_script_that_gives_the_viewer_s_role_and_no_other(platform: str, tmp_path: Path) -> None:
    script = tmp_path / "reader.sh"
    script.write_text(printed(platform))
    done = subprocess.run([require("shellcheck"), script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == ""
    roles = re.findall(r"--roles (\S+)", script.read_text())
    assert set(roles) == {"Viewer"}
    services = re.findall(r"--service-name (\S+)", script.read_text())
    assert services == ["iam-access-management", "iam-groups", "iam-identity", "dns-svcs", "internet-svcs"]
    assert len(roles) == len(services) + 1


def test_an_organisation_is_for_gcp_alone() -> None:
    result = run("init", "iam-reader", "--platform", "AWS", "--organization", "9")
    assert (result.code, result.out) == (2, "")


def test_where_there_is_nothing_to_read_it_says_so() -> None:
    result = run("init", "iam-reader", "--platform", "VSphere")
    assert (result.code, result.out) == (2, "")
    assert "cannot be exported" in result.err

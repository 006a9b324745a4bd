"""AWS: the printed script run against a real IAM endpoint, and the gate that judges what it exported."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.components import require
from tests.worlds.exporting import Case, run_script, shared_case
from tests.worlds.fake_clouds import Clouds

ACCOUNT = "123456789012"
MUTE = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true"}


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
def iam(moto: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    import boto3

    for name, value in MUTE.items():
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", b"", method="POST")).close()
    return boto3.client("iam", endpoint_url=moto, region_name="us-east-1")


def held(shared: Path, name: str) -> Any:
    text = (shared / "cases" / "gate" / name / "identities" / "account.json").read_text()
    return json.loads(text.replace("111122223333", ACCOUNT))


def settle(iam: Any, account: Any, *, boundary: bool = False) -> None:
    """Make the roles of a case in moto: half of what each holds inline, the rest in a managed policy.

    And the OIDC provider of the cluster, as ccoctl makes it.
    """
    iam.create_open_id_connect_provider(
        Url="https://oidc.example.com/c1",
        ClientIDList=["openshift", "sts.amazonaws.com"],
        ThumbprintList=["0" * 40],
    )
    limit = {}
    if boundary:
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        made = iam.create_policy(PolicyName="limit", PolicyDocument=json.dumps(everything))
        limit = {"PermissionsBoundary": made["Policy"]["Arn"]}
    for role in account["RoleDetailList"]:
        name = role["RoleName"]
        trust = json.dumps(role["AssumeRolePolicyDocument"])
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **limit)
        for number, policy in enumerate(role["RolePolicyList"]):
            document = policy["PolicyDocument"]
            first, rest = document["Statement"][:1], document["Statement"][1:]
            inline = json.dumps({**document, "Statement": first})
            iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=inline)
            if rest:
                made = iam.create_policy(
                    PolicyName=f"{name[:50]}-{number}", PolicyDocument=json.dumps({**document, "Statement": rest})
                )
                iam.attach_role_policy(RoleName=name, PolicyArn=made["Policy"]["Arn"])


@pytest.fixture
def case(shared: Path) -> Case:
    return shared_case(shared, "aws-sts-all-done", "4.13.99", "4.14.0")


@pytest.fixture
def config(shared: Path, tmp_path: Path) -> Path:
    text = (shared / "cases" / "gate" / "aws-sts-all-done" / "config.yaml").read_text()
    path = tmp_path / "config.yaml"
    path.write_text(text.replace("111122223333", ACCOUNT))
    return path


@pytest.mark.parametrize("known", [True, False], ids=["by-identity", "everything"])
def test_what_the_script_exports_is_a_proof(
    *, known: bool, case: Case, config: Path, shared: Path, tmp_path: Path, moto: str, iam: Any
) -> None:
    settle(iam, held(shared, "aws-sts-all-done"), boundary=known)
    script = case.script(tmp_path / "export.sh", *(("--config", config) if known else ()))
    ran = run_script(Clouds(tmp_path, moto), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert ran.only_reads()
    assert known is not any("get-account-authorization-details" in call for call in ran.calls)
    done, report = case.check(tmp_path / "identities", "--config", config)
    assert done.code == 0, report["verdict"]
    assert report["verdict"]["basis"] == "proven"
    assert {f["status"] for f in report["findings"] if f["rule"] == "permission-added"} == {"proven"}


def test_roles_are_found_by_the_names_that_ccoctl_gives(
    *, case: Case, config: Path, shared: Path, tmp_path: Path, moto: str, iam: Any
) -> None:
    settle(iam, held(shared, "aws-sts-all-done"))
    script = case.script(tmp_path / "export.sh", "--ccoctl-name", "c1")
    ran = run_script(Clouds(tmp_path, moto), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert any(call[2] == "get-role" for call in ran.calls)
    _, report = case.check(tmp_path / "identities", "--ccoctl-name", "c1")
    found = [f for f in report["findings"] if f["rule"] == "permission-added"]
    assert {(f["status"], f["identity"]["source"]) for f in found} == {("proven", "ccoctl-name")}


def test_users_are_found_by_their_access_keys_with_everything_that_their_groups_hold(
    shared: Path, tmp_path: Path, moto: str, iam: Any
) -> None:
    case = shared_case(shared, "aws-keys-nothing-done", "4.13.99", "4.14.0")
    iam.create_user(UserName="c1-all")
    key = iam.create_access_key(UserName="c1-all")["AccessKey"]["AccessKeyId"]
    iam.create_group(GroupName="all")
    iam.add_user_to_group(UserName="c1-all", GroupName="all")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_group_policy(GroupName="all", PolicyName="all", PolicyDocument=json.dumps(everything))
    config = tmp_path / "config.yaml"
    config.write_text(f"identities:\n  account: '{ACCOUNT}'\n  default: {key}\n")
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(tmp_path, moto), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert ran.only_reads()
    _, report = case.check(tmp_path / "identities", "--config", config)
    needs = [n for f in report["findings"] if f["rule"] == "permission-added" for n in f["needs"]]
    assert {n["status"] for n in needs if n["kind"] == "grants"} == {"met"}


def test_another_account_stops_the_script(case: Case, tmp_path: Path, moto: str, iam: Any) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("identities:\n  account: '999999999999'\n")
    ran = run_script(
        Clouds(tmp_path, moto), case.script(tmp_path / "e.sh", "--config", config), tmp_path / "identities"
    )
    assert ran.code == 2
    assert "belongs to account 123456789012, not to 999999999999" in ran.err
    assert not ran.folder.exists()


def test_a_refused_call_leaves_no_export_that_could_be_taken_for_a_whole_one(
    case: Case, tmp_path: Path, moto: str, iam: Any
) -> None:
    ran = run_script(
        Clouds(tmp_path, moto, refuse="get-account-authorization-details"),
        case.script(tmp_path / "export.sh"),
        tmp_path / "identities",
    )
    assert ran.code != 0
    assert "nothing was written" in ran.err
    assert not ran.folder.exists()
    assert not list(tmp_path.glob("identities*"))

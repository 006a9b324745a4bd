"""AWS: the printed script run against a real IAM endpoint, and the gate that judges what it exported."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.exporting import Case, run_script, shared_case
from tests.worlds.fake_clouds import Clouds
from tests.worlds.moto_server import moto_server

ACCOUNT = "123456789012"
MUTE = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


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


def settled(shared: Path, case: Case, *, config: Path, folder: Path, moto: str, iam: Any, refuse: str = "") -> Path:
    """Return an export of a case of which everything is granted."""
    settle(iam, held(shared, "aws-sts-all-done"))
    script = case.script(folder / "export.sh", "--config", config)
    ran = run_script(Clouds(folder, moto, refuse=refuse), script, folder / "identities")
    assert ran.code == 0, ran.err
    return ran.folder


def test_the_index_says_what_was_asked_and_what_came_of_it(
    *, case: Case, config: Path, shared: Path, tmp_path: Path, moto: str, iam: Any
) -> None:
    folder = settled(shared, case, config=config, folder=tmp_path, moto=moto, iam=iam)
    index = json.loads((folder / "index.json").read_text())
    assert index["index"] == "upgrade-gate/export/v1"
    written = {c["file"]: c for c in index["calls"] if c["status"] == 0}
    left = {p.name for p in folder.iterdir()} - {"index.json"}
    unread = {name for name in left if "unread" in name}
    assert set(written) == left - unread
    for name, call in written.items():
        text = (folder / name).read_text()
        assert call["bytes"] == len(text.encode())
        assert call["command"].startswith("aws ")
        assert call["time"] >= index["collected"]
    providers = next(c for c in written.values() if "list-open-id-connect-providers" in c["command"])
    assert providers["items"] == 1
    failed = [c["command"] for c in index["calls"] if c["status"]]
    assert ["organizations" in command for command in failed] == [True, True]


@pytest.mark.parametrize("fault", ["shorter", "gone", "fewer", "index-cut"])
def test_an_export_that_lost_a_part_is_no_proof(
    *, fault: str, case: Case, config: Path, shared: Path, tmp_path: Path, moto: str, iam: Any
) -> None:
    folder = settled(shared, case, config=config, folder=tmp_path, moto=moto, iam=iam)
    bodies = {path: json.loads(path.read_text()) for path in sorted(folder.glob("*-attached.json"))}
    names, body = next((path, body) for path, body in bodies.items() if body["AttachedPolicies"])
    match fault:
        case "shorter":
            names.write_text(json.dumps(body))
        case "gone":
            names.unlink()
        case "fewer":
            names.write_text(json.dumps({**body, "AttachedPolicies": [], "Padding": "x" * 9999}))
        case "index-cut":
            index = folder / "index.json"
            index.write_text(index.read_text()[:-40])
    done, report = case.check(folder, "--config", config)
    assert done.code in (3, 4)
    assert report["verdict"]["status"] != "pass"
    details = [n["detail"] for f in report["findings"] for n in f["needs"] if n["kind"] == "grants"]
    assert details
    assert all("index.json" in detail for detail in details)


@pytest.mark.parametrize(("day", "code"), [("2", 0), ("9", 4)])
def test_max_age_is_told_by_the_index(
    *, day: str, code: int, case: Case, config: Path, shared: Path, tmp_path: Path, moto: str, iam: Any
) -> None:
    folder = settled(shared, case, config=config, folder=tmp_path, moto=moto, iam=iam)
    index = json.loads((folder / "index.json").read_text())
    (folder / "index.json").write_text(json.dumps({**index, "collected": "2026-11-01T00:00:00Z"}))
    extended = tmp_path / "max.yaml"
    extended.write_text(config.read_text() + "max-age: 7d\n")
    done, report = case.check(folder, "--config", extended, at=f"2026-11-0{day}")
    blocked = {f["rule"] for f in report["findings"] if f["status"] == "open" and f["severity"] == "blocker"}
    if code:
        assert done.code in (3, 4)
        details = [n["detail"] for f in report["findings"] for n in f["needs"] if n["kind"] in ("grants", "trust")]
        assert details
        assert all("the export is 8 days old" in detail for detail in details)
    else:
        assert (done.code, blocked) == (0, set())


DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


NOT_TOLD = r"describe-organization( |$)"
"""The call that says which account manages the organisation: of moto it is the only one there is."""


@pytest.mark.parametrize(("denied", "manages"), [(True, False), (False, False), (True, True)])
def test_what_the_organisation_denies_is_exported(
    *, denied: bool, manages: bool, case: Case, config: Path, shared: Path, tmp_path: Path, moto: str, iam: Any
) -> None:
    import boto3

    organizations = boto3.client("organizations", endpoint_url=moto, region_name="us-east-1")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    made = organizations.create_policy(
        Content=json.dumps(DENY), Description="", Name="stop", Type="SERVICE_CONTROL_POLICY"
    )
    if denied:
        organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=root)
    told = "" if manages else NOT_TOLD
    folder = settled(shared, case, config=config, folder=tmp_path, moto=moto, iam=iam, refuse=told)
    assert not list(folder.glob("*unread*"))
    assert bool(list(folder.glob("*-controls-*"))) != manages
    _, report = case.check(folder, "--config", config)
    needs = {n["status"] for f in report["findings"] for n in f["needs"] if n["kind"] == "grants"}
    assert needs == ({"unmet"} if denied and not manages else {"met"})


def test_an_organisation_that_is_read_in_part_stays_a_caveat(
    *, case: Case, config: Path, shared: Path, tmp_path: Path, moto: str, iam: Any
) -> None:
    import boto3

    boto3.client("organizations", endpoint_url=moto, region_name="us-east-1").create_organization(FeatureSet="ALL")
    settle(iam, held(shared, "aws-sts-all-done"))
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(tmp_path, moto, refuse=f"list-parents|{NOT_TOLD}"), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert len(list(ran.folder.glob("*unread*"))) == 1
    _, report = case.check(ran.folder, "--config", config)
    caveats = [c for f in report["findings"] if f["rule"] == "permission-added" for c in f["caveats"]]
    assert any("service control policies of the organisation were not supplied" in c for c in caveats)


def test_a_provider_that_is_gone_or_takes_another_audience_is_missing_trust(
    *, case: Case, config: Path, shared: Path, tmp_path: Path, moto: str, iam: Any
) -> None:
    settle(iam, held(shared, "aws-sts-all-done"))
    (arn,) = (p["Arn"] for p in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"])
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    iam.create_open_id_connect_provider(
        Url="https://oidc.example.com/c1", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    script = case.script(tmp_path / "export.sh", "--config", config)
    for number, words in enumerate(("does not take tokens for the audience openshift", "has no OIDC provider")):
        ran = run_script(Clouds(tmp_path, moto), script, tmp_path / f"identities{number}")
        assert ran.code == 0, ran.err
        done, report = case.check(ran.folder, "--config", config)
        assert done.code == 3
        assert words in json.dumps(report["findings"])
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)

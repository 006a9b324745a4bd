"""The bundle of a real pair, run as it stands, ends what the gate found: blocked before, exit 0 and proven after.

AWS commands go to moto, the others change the export as their clouds would (`fake_cli.py`). Every case starts from a
cluster and an export at the old release, and goes through the command line alone.
"""

import json
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from tests.worlds import bundles, old_state
from tests.worlds.bundles import Ran, Shell
from tests.worlds.moto_server import moto_server
from tests.worlds.old_state import OldState
from upgrade_gate.cli import main

MUTE = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


@dataclass(slots=True)
class Engineer:
    """Somebody who runs the gate, makes the bundle, fills it in and applies it."""

    state: OldState
    folder: Path
    capture: pytest.CaptureFixture[str]
    endpoint: str = ""
    number: int = 0

    def check(self, *more: str) -> tuple[int, dict[str, Any]]:
        self.capture.readouterr()
        code = main(["check", *self.state.arguments(), "-ojson", *more])
        out, err = self.capture.readouterr()
        assert out, err
        return code, json.loads(out)

    def bundle(self) -> Path:
        self.number += 1
        target = self.folder / f"bundle-{self.number}"
        assert main(["remediate", *self.state.arguments(), "-d", str(target)]) == 0
        self.capture.readouterr()
        done = subprocess.run(
            ["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=target, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout
        return target

    def run(
        self, target: Path, *arguments: str, values: Mapping[str, str] | None = None, stop_at: int | None = None
    ) -> Ran:
        shell = Shell(self.folder / "bin", self.state.export, self.state.cluster, self.endpoint, stop_at=stop_at)
        return shell.run(target / "commands.sh", *arguments, values=values)


Begin: TypeAlias = Callable[..., Engineer]


@pytest.fixture
def begin(shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Begin:
    """Return what makes a cluster and an export at the old release of a pair, and somebody to look after it."""

    def made(platform: str, old: str, new: str, *, token: bool = False, account: Account | None = None) -> Engineer:
        state = old_state.make(shared / "corpus" / "releases", tmp_path, platform, old, new, token=token)
        if account is not None:
            (account.roles if token else account.users)(state)
            account.export(state)
        return Engineer(state, tmp_path, capsys, account.endpoint if account else "")

    return made


def open_findings(document: Mapping[str, Any]) -> list[str]:
    return [
        f"{f['rule']} {f['headline']}: {f['needs']}"
        for f in document["findings"]
        if f["status"] == "open" and f["severity"] in {"blocker", "unknown"}
    ]


def proven(document: Mapping[str, Any]) -> set[str]:
    return {f["rule"] for f in document["findings"] if f["status"] == "proven"}


def passes(engineer: Engineer) -> dict[str, Any]:
    """Check again, and assert that everything is proven and the upgrade comes next."""
    code, document = engineer.check()
    assert open_findings(document) == []
    assert code == 0
    verdict = document["verdict"]
    assert (verdict["status"], verdict["basis"], verdict["next"]) == ("pass", "proven", "upgrade"), verdict
    return document


def blocked(engineer: Engineer, *rules: str) -> None:
    code, document = engineer.check()
    assert code == 3
    assert document["verdict"]["next"] == "remediate"
    assert {f["rule"] for f in document["findings"] if f["severity"] == "blocker" and f["status"] == "open"} == set(
        rules
    ), open_findings(document)


def fill_secret(state: OldState, target: Path, values: Mapping[str, str]) -> None:
    """Fill a skeleton in as a person would: every key gets a value, and none is added."""
    (path,) = (target / "secrets").iterdir()
    body = yaml.safe_load(path.read_text())
    assert set(body["stringData"]) == set(values)
    body["stringData"] = dict(values)
    path.write_text(yaml.safe_dump(body))


def nothing_changes_again(engineer: Engineer, target: Path, values: Mapping[str, str] | None = None) -> None:
    """Run the script a second time, as after a step that failed: it gets through, and grants nothing else."""
    before = {p.name: p.read_text() for p in engineer.state.export.iterdir()}
    again = engineer.run(target, values=values)
    assert again.code == 0, again.err
    after = {p.name: p.read_text() for p in engineer.state.export.iterdir()}
    assert {k: json.loads(v) for k, v in after.items()} == {k: json.loads(v) for k, v in before.items()}


def upgraded(engineer: Engineer) -> Engineer:
    """Return the engineer with the cluster at the new release, its Secrets as they are."""
    state = engineer.state
    for name in ("clusterversions/version", "clusteroperators/cloud-credential"):
        path = state.cluster / "cluster-scoped-resources" / "config.openshift.io" / f"{name}.yaml"
        body = yaml.safe_load(path.read_text().replace(state.old, state.new))
        if body["kind"] == "ClusterVersion":
            body["status"]["capabilities"] = old_state.capabilities_of(state.new)
        path.write_text(yaml.safe_dump(body))
    return replace(engineer, state=replace(state, old=state.new))


def annotates(engineer: Engineer, target: Path, values: Mapping[str, str] | None = None) -> None:
    """Tell CCO with the report of a run after the grants, where nothing else is open; doing it twice changes nothing.

    The bundle's own report says that there is work to do, and is refused.
    """
    _, document = engineer.check(f"-ojson={engineer.folder / 'later.json'}")
    assert document["verdict"]["next"] == "annotate", open_findings(document)
    own = engineer.run(target, "annotate", "--report", str(target / "report.json"), values=values)
    assert (own.code, own.changes) == (2, ()), own.err
    assert "something else is still open" in own.err
    ran = engineer.run(target, "annotate", f"--report={engineer.folder / 'later.json'}", values=values)
    assert ran.code == 0, ran.err
    assert [call[:2] for call in ran.changes] == [("oc", "annotate")]
    again = engineer.run(target, "annotate", "--report", str(engineer.folder / "later.json"), values=values)
    assert (again.code, again.changes) == (0, ()), again.err


def clean_up(engineer: Engineer, target: Path, values: Mapping[str, str] | None = None) -> None:
    """Run the part after the upgrade: what the new release needs is still held."""
    ran = engineer.run(target, "after", values=values)
    assert ran.code == 0, ran.err
    after = upgraded(engineer)
    code, document = after.check()
    assert [f for f in open_findings(document) if "cco-" not in f] == []
    assert code == 0
    assert document["verdict"]["basis"] == "proven", document["verdict"]


# --- AWS ------------------------------------------------------------------------------------------------------------


class Account:
    """An AWS account: moto behind its HTTP interface, and the export that `aws` would print of it."""

    def __init__(self, moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
        import boto3

        for name, value in MUTE.items():
            monkeypatch.setenv(name, value)
        urllib.request.urlopen(urllib.request.Request(f"{moto}/moto-api/reset", b"", method="POST")).close()
        self.iam = boto3.client("iam", endpoint_url=moto, region_name="us-east-1")
        self.endpoint = moto

    def roles(self, state: OldState) -> None:
        for one in state.identities:
            self.iam.create_role(RoleName=one.name, AssumeRolePolicyDocument=json.dumps(old_state.aws_trust(one)))
            policy = json.dumps(old_state.aws_policy(one.request))
            self.iam.put_role_policy(RoleName=one.name, PolicyName=one.name, PolicyDocument=policy)

    def users(self, state: OldState) -> None:
        """Make a user for each Secret, with what it needs in one inline policy."""
        for one in state.identities:
            self.iam.create_user(UserName=f"c1-user-{one.number}")
            policy = json.dumps(old_state.aws_policy(one.request))
            self.iam.put_user_policy(UserName=f"c1-user-{one.number}", PolicyName="own", PolicyDocument=policy)
            keys = {"UserName": f"c1-user-{one.number}", "AccessKeyId": f"AKIA{one.number:016d}", "Status": "Active"}
            old_state.write(state, f"keys-{one.number}.json", {"AccessKeyMetadata": [keys]})

    def one_user(self, state: OldState) -> None:
        """Make one user for all Secrets, whose inline policies are full and whose grants stand in managed ones."""
        self.iam.create_user(UserName="c1-all")
        full = {"Effect": "Allow", "Action": "s3:" + "x" * 1_900, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [full]})
        self.iam.put_user_policy(UserName="c1-all", PolicyName="full", PolicyDocument=policy)
        for one in state.identities:
            made = self.iam.create_policy(
                PolicyName=f"old-{one.number}", PolicyDocument=json.dumps(old_state.aws_policy(one.request))
            )
            self.iam.attach_user_policy(UserName="c1-all", PolicyArn=made["Policy"]["Arn"])
            keys = {"UserName": "c1-all", "AccessKeyId": f"AKIA{one.number:016d}", "Status": "Active"}
            old_state.write(state, f"keys-{one.number}.json", {"AccessKeyMetadata": [keys]})

    def export(self, state: OldState) -> None:
        body = self.iam.get_account_authorization_details()
        body.pop("ResponseMetadata")
        text = json.dumps({"IsTruncated": False, **body}, default=str)
        (state.export / "account.json").write_text(text)


@pytest.fixture
def account(moto: str, monkeypatch: pytest.MonkeyPatch) -> Account:
    return Account(moto, monkeypatch)


AWS_PAIRS = [("4.12.0", "4.13.0"), ("4.13.0", "4.14.0"), ("4.13.99", "4.14.99")]


@pytest.mark.parametrize(("old", "new"), AWS_PAIRS)
def test_aws_roles(old: str, new: str, begin: Begin, account: Account) -> None:
    engineer = begin("AWS", old, new, token=True, account=account)
    blocked(engineer, "permission-added", "cco-not-upgradeable")
    target = engineer.bundle()
    trust = {r["RoleName"]: r["AssumeRolePolicyDocument"] for r in account.iam.list_roles()["Roles"]}
    ran = engineer.run(target)
    assert ran.code == 0, ran.err
    account.export(engineer.state)
    annotates(engineer, target)
    assert "permission-added" in proven(passes(engineer))
    assert {r["RoleName"]: r["AssumeRolePolicyDocument"] for r in account.iam.list_roles()["Roles"]} == trust
    nothing_changes_again(engineer, target)
    clean_up(engineer, target)


@pytest.mark.parametrize(("old", "new"), AWS_PAIRS[:2])
def test_aws_users_with_keys(old: str, new: str, begin: Begin, account: Account) -> None:
    engineer = begin("AWS", old, new, account=account)
    blocked(engineer, "permission-added", "cco-not-upgradeable")
    target = engineer.bundle()
    ran = engineer.run(target)
    assert ran.code == 0, ran.err
    account.export(engineer.state)
    annotates(engineer, target)
    assert "permission-added" in proven(passes(engineer))
    nothing_changes_again(engineer, target)
    clean_up(engineer, target)


def test_one_aws_user_whose_inline_policies_are_full(begin: Begin, account: Account) -> None:
    """2,048 characters are little: what is new goes into a managed policy, and the next upgrade's into another."""
    engineer = replace(begin("AWS", "4.12.0", "4.13.0"), endpoint=account.endpoint)
    account.one_user(engineer.state)
    account.export(engineer.state)
    target = engineer.bundle()
    ran = engineer.run(target)
    assert ran.code == 0, ran.err
    account.export(engineer.state)
    annotates(engineer, target)
    assert "permission-added" in proven(passes(engineer))
    nothing_changes_again(engineer, target)
    policies = {p["PolicyName"] for p in account.iam.list_policies(Scope="Local")["Policies"]}
    assert "c1-all-upgrade-gate-1" in policies
    following = replace(engineer, state=replace(upgraded(engineer).state, new="4.14.0"))
    target = following.bundle()
    ran = following.run(target)
    assert ran.code == 0, ran.err
    account.export(following.state)
    passes(following)
    more = {p["PolicyName"] for p in account.iam.list_policies(Scope="Local")["Policies"]} - policies
    assert more == {"c1-all-upgrade-gate-2"}


# --- the clouds whose command lines change the export ----------------------------------------------------------------


@pytest.mark.parametrize(
    "pair",
    [
        ("Azure", "keys", "4.13.0", "4.14.0"),
        ("Azure", "keys", "4.14.0", "4.15.0"),
        ("Azure", "token", "4.14.0", "4.15.0"),
        ("Azure", "token", "4.14.99", "4.15.99"),
        ("GCP", "token", "4.14.0", "4.15.0"),
        ("GCP", "keys", "4.14.0", "4.15.0"),
        ("GCP", "token", "4.13.0", "4.14.0"),
        ("PowerVS", "keys", "4.13.0", "4.14.0"),
    ],
    ids=" ".join,
)
def test_components_that_gain_permissions(pair: tuple[str, str, str, str], begin: Begin) -> None:
    platform, form, old, new = pair
    engineer = begin(platform, old, new, token=form == "token")
    blocked(engineer, "permission-added", *(("cco-not-upgradeable",) if platform != "PowerVS" else ()))
    target = engineer.bundle()
    ran = engineer.run(target)
    assert ran.code == 0, ran.err
    if platform != "PowerVS":
        annotates(engineer, target)
    assert "permission-added" in proven(passes(engineer))
    nothing_changes_again(engineer, target)
    clean_up(engineer, target)


@pytest.mark.parametrize("platform", ["Azure", "GCP"])
def test_it_goes_on_after_a_stop_at_any_change(platform: str, begin: Begin) -> None:
    """A change is refused, one after the other: the script ends there, and the next run goes on to the same end."""
    engineer = begin(platform, "4.14.0", "4.15.0", token=True)
    target = engineer.bundle()
    stops = 0
    while True:
        stopped = engineer.run(target, stop_at=stops)
        if stopped.code == 0:
            break
        assert stopped.code == 1, stopped.err
        assert "all of this part is in place" not in stopped.out
        stops += 1
    assert stops >= 2
    annotates(engineer, target)
    passes(engineer)
    nothing_changes_again(engineer, target)


def test_power_vs_with_a_new_component(begin: Begin) -> None:
    """Namespace, service ID, policies and Secret; what the first steps make is filled in for the others."""
    engineer = begin("PowerVS", "4.12.0", "4.13.0")
    state = engineer.state
    blocked(engineer, "request-added")
    target = engineer.bundle()
    secret, name = "openshift-image-registry/installer-cloud-credentials", "c1-openshift-image-registry-installer"
    values = {"IBMCLOUD_SERVICE_ID_OPENSHIFT_IMAGE_REGISTRY_INSTALLER_CLOUD_CREDENTIALS": name}
    stopped = engineer.run(target, values=values)
    assert stopped.code == 2, "the Secret has no values yet"
    assert stopped.changes == ()
    made = engineer.run(target, "new", values=values)
    assert made.code == 0, made.err
    assert [call[:3] for call in made.changes] == [("ibmcloud", "iam", "service-id-create")]
    fill_secret(state, target, old_state.values_of(state, state.identities[0]))
    ran = engineer.run(target, values=values)
    assert ran.code == 0, ran.err
    (iam_id,) = (s["iam_id"] for s in json.loads((state.export / "service-ids.json").read_text()) if s["name"] == name)
    state.claimed[secret] = iam_id
    assert "request-added" in proven(passes(engineer))
    nothing_changes_again(engineer, target, values)
    clean_up(engineer, target, values)


REGISTRY = {
    "AWS": "registry-credentials-request.yaml",
    "Azure": "registry-credentials-request-azure.yaml",
    "GCP": "registry-credentials-request-gcs.yaml",
    "IBMCloud": "registry-credentials-request-ibmcos.yaml",
}
LABEL = "OPENSHIFT_IMAGE_REGISTRY_INSTALLER_CLOUD_CREDENTIALS"
CHOSEN: Mapping[str, Mapping[str, str]] = {
    "AWS token": {},
    "AWS keys": {f"AWS_USER_{LABEL}": "c1-registry"},
    "Azure token": {
        f"AZURE_IDENTITY_{LABEL}": "c1-registry",
        "AZURE_OIDC_RESOURCE_GROUP": "c1-oidc",
        "AZURE_REGION": "westeurope",
    },
    "Azure keys": {},
    "GCP token": {},
    "GCP keys": {},
    "IBMCloud keys": {f"IBMCLOUD_SERVICE_ID_{LABEL}": "c1-registry"},
}
"""What somebody decides about a new identity before it exists; the rest is known, or comes from making it."""


@pytest.fixture
def newcomer(request: pytest.FixtureRequest, shared: Path, tmp_path: Path) -> Path:
    """Releases of which the older one does not know the image registry's request yet."""
    platform = request.param.partition(" ")[0]
    old = bundles.copy_release(shared, tmp_path / "releases", "4.14.0")
    bundles.copy_release(shared, tmp_path / "releases", "4.14.99")
    (file,) = old.glob(f"*_01-{REGISTRY[platform]}")
    file.unlink()
    return tmp_path / "releases"


@pytest.mark.parametrize(("newcomer", "case"), [(case, case) for case in CHOSEN], indirect=["newcomer"], ids=CHOSEN)
def test_a_new_component_gets_an_identity(
    newcomer: Path, case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    """`commands.sh new` makes it; its ID goes into the Secret, and the rest grants, trusts and applies."""
    platform, _, form = case.partition(" ")
    state = old_state.make(newcomer, tmp_path, platform, "4.14.0", "4.14.99", token=form == "token")
    account: Account | None = request.getfixturevalue("account") if platform == "AWS" else None
    if account is not None:
        (account.roles if form == "token" else account.users)(state)
        account.export(state)
    engineer = Engineer(state, tmp_path, capsys, account.endpoint if account else "")
    blocked(engineer, "request-added", *(("permission-added",) if platform == "Azure" else ()))
    target = engineer.bundle()
    values = dict(CHOSEN[case])
    if case != "Azure keys":  # a service principal is made by a person
        made = engineer.run(target, "new", values=values)
        assert made.code == 0, made.err
        assert len(made.changes) == 1
    (new,) = (
        old_state.identity_of(r, len(state.identities))
        for r in old_state.requests_of(newcomer, platform, "4.14.0", "4.14.99")[1]
        if r.name.startswith("openshift-image-registry")
    )
    filled = old_state.values_of(state, new)
    match platform:
        case "AWS" if form == "keys":
            keys = {"UserName": "c1-registry", "AccessKeyId": filled["aws_access_key_id"], "Status": "Active"}
            old_state.write(state, "keys-new.json", {"AccessKeyMetadata": [keys]})
        case "Azure":
            principal = f"{new.number:08d}-0000-4000-8000-000000000002"
            values[f"AZURE_PRINCIPAL_{LABEL}"] = principal
            people = json.loads((state.export / "identities.json").read_text())
            if form == "keys":
                people.append({"appId": old_state.client(new.number), "id": principal})
                old_state.write(state, "identities.json", people)
        case "GCP":
            accounts = json.loads((state.export / "service-accounts.json").read_text())
            credentials = old_state.google_credentials(accounts[-1]["email"], token=form == "token")
            filled = {"service_account.json": json.dumps(credentials)}
        case "IBMCloud":
            state.claimed[new.secret] = json.loads((state.export / "service-ids.json").read_text())[-1]["iam_id"]
    fill_secret(state, target, filled)
    ran = engineer.run(target, values=values)
    assert ran.code == 0, ran.err
    if account is not None:
        account.export(state)
    assert "request-added" in proven(passes(engineer))
    nothing_changes_again(engineer, target, values)


def test_where_only_the_annotation_is_missing(begin: Begin) -> None:
    """GCP 4.12 to 4.13 asks for nothing that the old roles do not hold."""
    engineer = begin("GCP", "4.12.0", "4.13.0", token=True)
    code, document = engineer.check()
    assert (code, document["verdict"]["next"]) == (3, "annotate")
    target = engineer.bundle()
    ran = engineer.run(target, "annotate", "--report", str(target / "report.json"))
    assert ran.code == 0, ran.err
    assert [call[:2] for call in ran.changes] == [("oc", "annotate")]
    passes(engineer)


def test_nutanix(begin: Begin) -> None:
    """There are no permissions: the Secret with its key is all that the new component needs."""
    engineer = begin("Nutanix", "4.12.0", "4.13.0")
    state = engineer.state
    blocked(engineer, "request-added")
    target = engineer.bundle()
    held = old_state.values_of(state, state.identities[0])
    fill_secret(state, target, held)
    ran = engineer.run(target)
    assert ran.code == 0, ran.err
    assert "request-added" in proven(passes(engineer))
    clean_up(engineer, target)

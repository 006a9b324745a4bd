"""GCP: the printed script run with a fake gcloud, and the gate that judges what it exported."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.exporting import Case, run_script, shared_case
from tests.worlds.fake_clouds import Clouds


@pytest.fixture
def case(shared: Path) -> Case:
    return shared_case(shared, "gcp-done", "4.14.99", "4.15.0")


@pytest.fixture
def held(shared: Path) -> Path:
    return shared / "cases" / "gate" / "gcp-done" / "identities"


@pytest.fixture
def config(shared: Path) -> Path:
    return shared / "cases" / "gate" / "gcp-done" / "config.yaml"


def change(held: Path, folder: Path, **files: Any) -> Path:
    """Copy what the project holds, with some files written anew."""
    copy = Path(shutil.copytree(held, folder / "held"))
    for name, body in files.items():
        (copy / f"{name}.json").write_text(json.dumps(body))
    return copy


POOL = "projects/42/locations/global/workloadIdentityPools/c1"
POOLS = {
    "pools": [{"name": POOL, "state": "ACTIVE"}],
    "providers": [
        {
            "name": f"{POOL}/providers/c1",
            "state": "ACTIVE",
            "attributeMapping": {"google.subject": "assertion.sub"},
            "oidc": {"issuerUri": "https://oidc.example.com/c1", "allowedAudiences": ["openshift"]},
        }
    ],
}


@pytest.mark.parametrize("way", ["by-identity", "everything", "by-ccoctl-name"])
def test_what_the_script_exports_is_a_proof(*, way: str, case: Case, held: Path, config: Path, tmp_path: Path) -> None:
    given: tuple[str | Path, ...] = ("--ccoctl-name", "c1") if way == "by-ccoctl-name" else ("--config", config)
    script = case.script(tmp_path / "export.sh", *(() if way == "everything" else given))
    ran = run_script(Clouds(change(held, tmp_path, **POOLS)), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert ran.only_reads()
    done, report = case.check(tmp_path / "identities", *given)
    assert done.code == 0, report["verdict"]
    assert report["verdict"]["basis"] == "proven"
    found = [f for f in report["findings"] if f["rule"] == "permission-added"]
    source = "ccoctl-name" if way == "by-ccoctl-name" else "configuration"
    assert {(f["status"], f["identity"]["source"]) for f in found} == {("proven", source)}


def test_a_role_that_is_bound_above_the_project_counts(case: Case, held: Path, config: Path, tmp_path: Path) -> None:
    """Everything of the project is bound in a folder instead, and the project binds nothing."""
    policy = json.loads((held / "project.json").read_text())
    export = change(
        held,
        tmp_path,
        **{
            "project": {"bindings": [], "etag": "BwU=", "version": 3},
            "policy-77": policy,
            "policy-9": {"etag": "ACAB"},
            "ancestors": [["project", "p1"], ["folder", "77"], ["organization", "9"]],
        },
    )
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(export), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert ran.only_reads()
    done, report = case.check(tmp_path / "identities", "--config", config)
    assert done.code == 0, report["verdict"]


def test_a_deny_policy_is_exported_with_its_rules(case: Case, held: Path, config: Path, tmp_path: Path) -> None:
    email = "c1-02@p1.iam.gserviceaccount.com"
    rule = {
        "deniedPrincipals": [f"principal://iam.googleapis.com/projects/-/serviceAccounts/{email}"],
        "deniedPermissions": ["compute.googleapis.com/*"],
    }
    name = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fp1/denypolicies/stop"
    export = change(held, tmp_path, denies=[{"name": name, "rules": [{"denyRule": rule}]}])
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(export), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    done, report = case.check(tmp_path / "identities", "--config", config)
    assert done.code == 3, report["verdict"]
    assert "deny policy" in json.dumps(report["findings"])


def test_a_deny_policy_whose_rules_may_not_be_read_may_deny(
    case: Case, held: Path, config: Path, tmp_path: Path
) -> None:
    name = "policies/cloudresourcemanager.googleapis.com%2Fprojects%2Fp1/denypolicies/stop"
    export = change(held, tmp_path, denies=[{"name": name, "rules": []}])
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(export, refuse="iam policies get "), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    done, report = case.check(tmp_path / "identities", "--config", config)
    grants = [n for f in report["findings"] for n in f["needs"] if n["kind"] == "grants"]
    assert {n["status"] for n in grants} == {"unknown"}
    assert done.code != 0


def test_what_may_not_be_read_above_the_project_is_said_to_be_unread(
    case: Case, held: Path, config: Path, tmp_path: Path
) -> None:
    export = change(
        held,
        tmp_path,
        project={"bindings": [], "version": 3},
        ancestors=[["project", "p1"], ["folder", "77"]],
    )
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(export, refuse="folders get-iam-policy|iam policies list"), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    unread = {(d["unread"], d["resource"]) for d in ran.documents("unread")}
    assert unread == {("allow", "folders/77"), ("deny", "folders/77"), ("deny", "projects/p1")}
    done, report = case.check(tmp_path / "identities", "--config", config)
    grants = [n for f in report["findings"] for n in f["needs"] if n["kind"] == "grants"]
    assert {n["status"] for n in grants} == {"unknown"}, "it may be granted where nobody could look"
    assert done.code != 0


@pytest.fixture
def spread(case: Case, held: Path, tmp_path: Path) -> tuple[Case, dict[str, Any]]:
    """Return a cluster whose zone is in project zones, below folder 88, and what that project holds."""
    cluster = Path(shutil.copytree(case.cluster, tmp_path / "spread"))
    (dns,) = cluster.rglob("dnses*")
    body = "    baseDomain: c1.example.com\n"
    assert body in dns.read_text()
    dns.write_text(dns.read_text().replace(body, f"{body}    privateZone:\n      id: projects/zones/managedZones/c1\n"))
    admin = {"role": "roles/dns.admin", "members": ["serviceAccount:c1-05@p1.iam.gserviceaccount.com"]}
    own = json.loads((held / "project.json").read_text())
    files = {
        "ancestors-p1": [["project", "p1"], ["folder", "77"]],
        "ancestors-zones": [["project", "zones"], ["folder", "88"]],
        "policy-77": {"etag": "ACAB"},
        "policy-88": {"etag": "ACAB"},
        "project-zones": {"bindings": [], "etag": "BwU=", "version": 3},
        "project-p1": own,
        "role-dns": {"name": "roles/dns.admin", "title": "DNS", "stage": "GA", "includedPermissions": DNS},
    }
    grant = {"bindings": [admin], "etag": "BwU=", "version": 3}
    return Case(cluster, case.old, case.new), {"files": files, "grant": grant}


DNS = [
    "dns.changes.create",
    "dns.changes.get",
    "dns.managedZones.get",
    "dns.managedZones.list",
    "dns.networks.bindPrivateDNSZone",
    "dns.resourceRecordSets.create",
    "dns.resourceRecordSets.delete",
    "dns.resourceRecordSets.list",
    "dns.resourceRecordSets.update",
]


@pytest.mark.parametrize(
    ("where", "words"),
    [("project-zones", ""), ("policy-88", ""), ("policy-77", "project zones"), (None, "project zones")],
)
def test_what_is_above_the_project_of_a_zone_counts_there_and_nowhere_else(
    *, where: str | None, words: str, spread: tuple[Case, Any], held: Path, config: Path, tmp_path: Path
) -> None:
    case, world = spread
    files = {**world["files"], **({where: world["grant"]} if where else {})}
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(change(held, tmp_path, **files)), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert ran.only_reads()
    _, report = case.check(tmp_path / "identities", "--config", config)
    ingress = [f for f in report["findings"] if f["subject"].endswith("openshift-ingress-gcp")]
    details = " ".join(n["detail"] for f in ingress for n in f["needs"])
    lacking = [f["rule"] for f in ingress if f["rule"].startswith("identity-")]
    assert bool(lacking) == bool(words), details
    assert words in details


def test_a_folder_above_another_project_grants_nothing_in_the_cluster_s_own(
    spread: tuple[Case, Any], held: Path, config: Path, tmp_path: Path
) -> None:
    """All that the cluster's project held is bound in the folder above the zone's project, beside what DNS wants."""
    case, world = spread
    files = world["files"]
    files["policy-88"] = {**files["project-p1"], "bindings": files["project-p1"]["bindings"]}
    files["project-p1"] = {"bindings": [], "etag": "BwU=", "version": 3}
    script = case.script(tmp_path / "export.sh", "--config", config)
    for ancestors in (files["ancestors-p1"], [["project", "p1"]]):
        files["ancestors-p1"] = ancestors
        folder = tmp_path / f"run{len(ancestors)}"
        folder.mkdir()
        ran = run_script(Clouds(change(held, folder, **files)), script, folder / "identities")
        assert ran.code == 0, ran.err
        done, report = case.check(folder / "identities", "--config", config)
        assert done.code == 3, report["verdict"]

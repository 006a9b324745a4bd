"""Azure: the printed script run with a fake az, and the gate that judges what it exported."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.exporting import Case, run_script, shared_case
from tests.worlds.fake_clouds import Clouds

NAME = "azure-workload-identity-done"


@pytest.fixture
def case(shared: Path) -> Case:
    return shared_case(shared, NAME, "4.14.99", "4.15.0")


@pytest.fixture
def held(shared: Path, tmp_path: Path) -> Path:
    """A copy of what the case's subscription holds, for a test to change."""
    return Path(shutil.copytree(shared / "cases" / "gate" / NAME / "identities", tmp_path / "held"))


@pytest.fixture
def config(shared: Path) -> Path:
    return shared / "cases" / "gate" / NAME / "config.yaml"


def denials(*principals: str) -> list[Any]:
    """Return as many deny assignments as principals, each taking everything away."""
    return [
        {
            "id": f"/subscriptions/S1/providers/Microsoft.Authorization/denyAssignments/d{number}",
            "name": f"d{number}",
            "type": "Microsoft.Authorization/denyAssignments",
            "denyAssignmentName": f"deny {number}",
            "permissions": [{"actions": ["*"], "notActions": [], "dataActions": ["*"], "notDataActions": []}],
            "scope": "/subscriptions/S1",
            "principals": [{"id": principal, "type": "ServicePrincipal"}],
            "excludePrincipals": [],
            "doNotApplyToChildScopes": False,
        }
        for number, principal in enumerate(principals)
    ]


@pytest.mark.parametrize(
    ("known", "given"),
    [(("--config",), ("--config",)), ((), ("--config",)), (("--ccoctl-name", "c1"), ("--ccoctl-name", "c1"))],
    ids=["by-identity", "everything", "by-ccoctl-name"],
)
def test_what_the_script_exports_is_a_proof(
    *, known: tuple[str, ...], given: tuple[str, ...], case: Case, held: Path, config: Path, tmp_path: Path
) -> None:
    def options(words: tuple[str, ...]) -> list[str | Path]:
        return [*words, config] if words == ("--config",) else list(words)

    script = case.script(tmp_path / "export.sh", *options(known))
    values = {} if known == ("--config",) else {"SUBSCRIPTION": "S1"}
    ran = run_script(Clouds(held), script, tmp_path / "identities", values)
    assert ran.code == 0, ran.err
    assert ran.only_reads()
    done, report = case.check(tmp_path / "identities", *options(given))
    assert done.code == 0, report["verdict"]
    assert report["verdict"]["basis"] == "proven"
    assert {f["status"] for f in report["findings"] if f["rule"] == "permission-added"} == {"proven"}
    caveats = [c for f in report["findings"] for c in f["caveats"]]
    assert not [c for c in caveats if "deny assignments" in c], "that there are none was exported"


def test_a_denial_on_a_later_page_is_exported(case: Case, held: Path, config: Path, tmp_path: Path) -> None:
    (machine,) = [
        i["principalId"]
        for i in json.loads((held / "identities.json").read_text())
        if i["clientId"] == "00000000-0000-4000-8000-000000000206"
    ]
    (held / "denies.json").write_text(json.dumps(denials("P1", "P2", "P3", machine)))
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(held), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert len(ran.documents("denies")) == 2
    done, report = case.check(tmp_path / "identities", "--config", config)
    assert done.code == 3
    denied = {f["request"] for f in report["findings"] for n in f["needs"] if "DENIED" in (n["detail"] or "")}
    assert denied == {"openshift-cloud-credential-operator/openshift-machine-api-azure"}


def test_what_a_group_holds_counts(case: Case, held: Path, config: Path, tmp_path: Path) -> None:
    """The assignment is the group's; only the listing by `assignedTo` shows that the identity is in it."""
    assigned = json.loads((held / "assignments.json").read_text())
    principals = sorted({a["principalId"] for a in assigned})
    moved = [
        {**a, "principalId": "G1", "principalType": "Group"} for a in assigned if a["principalId"] == principals[0]
    ]
    rest = [a for a in assigned if a["principalId"] != principals[0]]
    (held / "assignments.json").write_text(json.dumps([*rest, *moved]))
    (held / "groups.json").write_text(json.dumps({principals[0]: ["G1"]}))
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(held), script, tmp_path / "identities")
    done, report = case.check(tmp_path / "identities", "--config", config)
    assert (ran.code, done.code) == (0, 0), (ran.err, report["verdict"])


def test_an_application_is_joined_by_the_directory(case: Case, held: Path, config: Path, tmp_path: Path) -> None:
    """With keys the client ID is an application's, which no list of managed identities knows."""
    identities = json.loads((held / "identities.json").read_text())
    (held / "identities.json").write_text("[]")
    principals = [
        {
            "id": i["principalId"],
            "appId": i["clientId"],
            "displayName": i["name"],
            "servicePrincipalType": "Application",
        }
        for i in identities
    ]
    (held / "principals.json").write_text(json.dumps(principals))
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(held), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    _, report = case.check(tmp_path / "identities", "--config", config)
    found = [n for f in report["findings"] if f["rule"] == "permission-added" for n in f["needs"]]
    assert {n["status"] for n in found if n["kind"] == "grants"} == {"met"}


def test_a_subscription_that_nobody_names_stops_the_script(case: Case, held: Path, tmp_path: Path) -> None:
    ran = run_script(Clouds(held), case.script(tmp_path / "export.sh"), tmp_path / "identities")
    assert ran.code == 2
    assert "SUBSCRIPTION is not filled in" in ran.err
    assert not ran.calls


def test_a_federation_that_may_not_be_read_is_no_proof(case: Case, held: Path, config: Path, tmp_path: Path) -> None:
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(held, refuse="federated-credential"), script, tmp_path / "identities")
    assert ran.code == 0
    assert "not exported, and so unknown" in ran.err
    done, report = case.check(tmp_path / "identities", "--config", config)
    assert done.code == 4
    assert report["verdict"]["status"] == "undetermined"

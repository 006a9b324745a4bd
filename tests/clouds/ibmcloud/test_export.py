"""IBM Cloud and Power VS: the printed script run with a fake ibmcloud, and the gate that judges what it exported."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import bundles
from tests.worlds.exporting import Case, run_script
from tests.worlds.fake_clouds import Clouds
from upgrade_gate.clouds.contract.holdings import ccoctl_name
from upgrade_gate.gate.outcome import Outcome

PLATFORMS = {"PowerVS": "powervs", "IBMCloud": "ibmcloud"}


def prepare(shared: Path, folder: Path, platform: str) -> tuple[Case, dict[str, Any]]:
    """Return the case of a platform, and the requests of its target by their Secret."""
    pair = bundles.POWERVS
    cluster = bundles.dump(
        shared,
        folder,
        pair,
        lambda text: text.replace("PowerVS", platform).replace("powervs:", f"{PLATFORMS[platform]}:"),
    )
    run: Outcome = bundles.outcome(shared, cluster, pair)
    releases = shared / "corpus" / "releases"
    return Case(cluster, releases / pair.old, releases / pair.new), bundles.requests(run, old=False)


def settle(folder: Path, requests: dict[str, Any], *, by_group: bool = False) -> dict[str, str]:
    """Write what the account holds when every service ID has what the target asks for; return the identities."""
    folder.mkdir()
    ids: list[dict[str, Any]] = []
    policies: list[dict[str, Any]] = []
    by_secret: dict[str, str] = {}
    for number, (secret, request) in enumerate(sorted(requests.items())):
        namespace, _, name = secret.partition("/")
        own = ccoctl_name(request.provider_kind, "c1", namespace, name, request.name)
        by_secret[secret] = iam_id = f"iam-ServiceId-{number}"
        ids.append({"id": iam_id.removeprefix("iam-"), "iam_id": iam_id, "name": own, "account_id": "A1"})
        subject = {"name": "access_group_id", "value": "AccessGroupId-7"} if by_group else None
        for policy in request.provider_spec["policies"]:
            listed = [{"name": a["name"], "value": a["value"]} for a in policy["attributes"]]
            policies.append(
                {
                    "id": f"p{len(policies)}",
                    "type": "access",
                    "state": "active",
                    "subjects": [{"attributes": [subject or {"name": "iam_id", "value": iam_id}]}],
                    "roles": [{"role_id": role} for role in policy["roles"]],
                    "resources": [{"attributes": [*listed, {"name": "accountId", "value": "A1"}]}],
                }
            )
    if by_group:
        group = {"id": "AccessGroupId-7", "name": "cluster c1", "description": "all of it"}
        (folder / "groups.json").write_text(json.dumps([{"group": group, "members": sorted(by_secret.values())}]))
    (folder / "service-ids.json").write_text(json.dumps(ids))
    (folder / "policies.json").write_text(json.dumps(policies))
    return by_secret


def configure(folder: Path, by_secret: dict[str, str]) -> Path:
    lines = [f"  {secret}: {identity}" for secret, identity in by_secret.items()]
    path = folder / "config.yaml"
    path.write_text("\n".join(["identities:", "  account: A1", *lines, ""]))
    return path


def grants(report: Any) -> set[str]:
    return {n["status"] for f in report["findings"] for n in f["needs"] if n["kind"] == "grants"}


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
@pytest.mark.parametrize("known", [True, False], ids=["by-identity", "everything"])
@pytest.mark.parametrize("by_group", [True, False], ids=["by-group", "by-itself"])
def test_what_the_script_exports_is_a_proof(
    *, platform: str, known: bool, by_group: bool, shared: Path, tmp_path: Path
) -> None:
    case, requests = prepare(shared, tmp_path, platform)
    config = configure(tmp_path, settle(tmp_path / "held", requests, by_group=by_group))
    script = case.script(tmp_path / "export.sh", *(("--config", config) if known else ()))
    ran = run_script(Clouds(tmp_path / "held"), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert ran.only_reads()
    _, report = case.check(tmp_path / "identities", "--config", config)
    lacking = [f for f in report["findings"] if f["rule"].startswith("identity-") and f["severity"] != "info"]
    assert not lacking, lacking
    if platform == "PowerVS":
        assert grants(report) == {"met"}, "the image registry's request is new"


def test_a_command_line_without_the_second_form_exports_the_first(shared: Path, tmp_path: Path) -> None:
    case, requests = prepare(shared, tmp_path, "PowerVS")
    config = configure(tmp_path, settle(tmp_path / "held", requests))
    script = case.script(tmp_path / "export.sh", "--config", config)
    ran = run_script(Clouds(tmp_path / "held", refuse="--api-version"), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert all("subjects" in p for d in ran.documents("policies-") for p in d)
    _, report = case.check(tmp_path / "identities", "--config", config)
    assert grants(report) == {"met"}


def test_service_ids_are_found_by_the_names_that_ccoctl_gives(shared: Path, tmp_path: Path) -> None:
    """A name proves nothing on IBM Cloud, since no trust names the cluster; the policies are there all the same."""
    case, requests = prepare(shared, tmp_path, "PowerVS")
    by_secret = settle(tmp_path / "held", requests)
    script = case.script(tmp_path / "export.sh", "--ccoctl-name", "c1")
    ran = run_script(Clouds(tmp_path / "held"), script, tmp_path / "identities")
    assert ran.code == 0, ran.err
    assert {c[3] for c in ran.calls if c[2] == "service-policies"} == {i[4:] for i in by_secret.values()}
    _, report = case.check(tmp_path / "identities", "--config", configure(tmp_path, by_secret))
    assert grants(report) == {"met"}


def test_what_a_service_id_lacks_is_missing(shared: Path, tmp_path: Path) -> None:
    case, requests = prepare(shared, tmp_path, "PowerVS")
    new = "openshift-image-registry/installer-cloud-credentials"
    by_secret = settle(tmp_path / "held", requests)
    policies = json.loads((tmp_path / "held" / "policies.json").read_text())
    kept = [p for p in policies if p["subjects"][0]["attributes"][0]["value"] != by_secret[new]]
    (tmp_path / "held" / "policies.json").write_text(json.dumps(kept))
    config = configure(tmp_path, by_secret)
    ran = run_script(
        Clouds(tmp_path / "held"), case.script(tmp_path / "export.sh", "--config", config), tmp_path / "identities"
    )
    assert ran.code == 0, ran.err
    _, report = case.check(tmp_path / "identities", "--config", config)
    assert grants(report) == {"unmet"}


def test_group_names_that_cannot_be_read_stop_the_script(shared: Path, tmp_path: Path) -> None:
    """Else the policies of a group would be missing, and what it grants with them."""
    case, requests = prepare(shared, tmp_path, "PowerVS")
    config = configure(tmp_path, settle(tmp_path / "held", requests, by_group=True))
    groups = json.loads((tmp_path / "held" / "groups.json").read_text())
    nameless = [{**g, "group": {"id": g["group"]["id"]}} for g in groups]
    (tmp_path / "held" / "groups.json").write_text(json.dumps(nameless))
    ran = run_script(
        Clouds(tmp_path / "held"), case.script(tmp_path / "export.sh", "--config", config), tmp_path / "identities"
    )
    assert ran.code == 2
    assert "the names of the access groups" in ran.err
    assert not ran.folder.exists()

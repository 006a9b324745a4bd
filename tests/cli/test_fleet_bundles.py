"""`fleet --bundle`: a folder for each cloud account, one guard for the account and one for each cluster."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worlds import bundles
from tests.worlds.components import require
from tests.worlds.fleets import Fleet
from tests.worlds.running import run

ACCOUNT, OTHER = "111122223333", "444455556666"
USER = f"arn:aws:iam::{ACCOUNT}:user/shared"
KNOWN = {ACCOUNT: {"default": USER}, OTHER: {"account": OTHER}}
"""What the configuration of clusters says: who serves every Secret, which names the account too, or that alone."""
CLUSTERS = {
    "a": ("AWS", ACCOUNT),
    "b": ("AWS", ACCOUNT),
    "c": ("AWS", OTHER),
    "d": ("AWS", None),
    "g": ("GCP", None),
    "v": ("VSphere", None),
}


class World:
    """A fleet whose configuration names the accounts, and its bundles."""

    def __init__(self, folder: Path) -> None:
        self.fleet = Fleet(folder)
        self.bundle = folder / "bundle"
        rows = []
        for name, (platform, account) in CLUSTERS.items():
            more: dict[str, Any] = {"without": frozenset({"openshift-vsphere/creds"})} if platform == "VSphere" else {}
            path = self.fleet.add(name, platform=platform, **more)
            rows.append({"name": name, "cluster": f"snapshot:{path}"})
            if account:
                config = folder / f"{account}.yaml"
                config.write_text(yaml.safe_dump({"identities": KNOWN[account]}))
                rows[-1]["config"] = str(config)
        self.fleet.add("ready", ready=True)
        rows.append({"name": "ready", "cluster": f"snapshot:{self.fleet.snapshots / 'ready.json'}"})
        rows.append({"name": "lost", "cluster": "snapshot:nowhere.json"})
        self.inventory = folder / "clusters.yaml"
        self.inventory.write_text(yaml.safe_dump({"clusters": rows}))

    def run(self, *more: str | Path) -> Any:
        return self.fleet.run("--bundle", self.bundle, *more, inventory=str(self.inventory))

    def id_of(self, name: str) -> str:
        found = next(cluster["id"] for cluster in self.fleet.json()["clusters"] if cluster["name"] == name)
        return str(found)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(tmp_path_factory.mktemp("fleet"))
    done = world.run()
    assert (done.code, "6 clusters have a bundle" in done.err) == (3, True), done.err
    return world


@pytest.fixture
def own(made: World, tmp_path: Path) -> World:
    """The same, to be changed."""
    own = World.__new__(World)
    own.fleet, own.inventory, own.bundle = made.fleet, made.inventory, tmp_path / "bundle"
    shutil.copytree(made.bundle, own.bundle)
    return own


def folders(world: World) -> dict[str, set[str]]:
    return {
        group.name: {path.name for path in group.iterdir() if path.is_dir()}
        for group in world.bundle.iterdir()
        if group.is_dir()
    }


def test_each_account_has_a_folder_and_a_cluster_whose_account_is_not_known_its_own(made: World) -> None:
    assert folders(made) == {
        f"aws-account-{ACCOUNT}": {"a", "b"},
        f"aws-account-{OTHER}": {"c"},
        "account-not-known-d": {"d"},
        "account-not-known-g": {"g"},
        "no-cloud-account": {"v"},
    }
    readme = (made.bundle / "README.md").read_text()
    assert "| `account-not-known-d/` | not known: fill it in where the script asks for it | 1 |" in readme
    assert "- `lost`: it was not judged" in readme
    assert "- `ready`: there is nothing to do" in readme


def test_a_cluster_s_folder_is_the_bundle_that_remediate_writes(made: World, tmp_path: Path) -> None:
    fleet = made.fleet
    arguments = ("--from", fleet.old, "--to", fleet.new, "--cluster", f"snapshot:{fleet.snapshots / 'c.json'}")
    config = ("--config", fleet.folder / f"{OTHER}.yaml", "--now", "2026-11-01", "--no-cache")
    assert run("remediate", *arguments, *config, "-d", tmp_path / "alone").code == 0
    place = made.bundle / f"aws-account-{OTHER}" / "c"
    names = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
    assert names == {str(p.relative_to(tmp_path / "alone")) for p in (tmp_path / "alone").rglob("*") if p.is_file()}
    for name in names - {"report.json", "report.html", "SHA256SUMS", "commands.sh"}:  # which carry the time
        assert (place / name).read_bytes() == (tmp_path / "alone" / name).read_bytes(), name


def test_an_identity_that_serves_several_clusters_is_named(made: World) -> None:
    readme = (made.bundle / f"aws-account-{ACCOUNT}" / "README.md").read_text()
    assert f"- `{USER}`: a and b" in readme
    assert "Identities of several clusters" not in (made.bundle / f"aws-account-{OTHER}" / "README.md").read_text()


def test_every_checksum_is_right_on_each_level(made: World) -> None:
    for sums in made.bundle.rglob("SHA256SUMS"):
        done = subprocess.run(["sha256sum", "-c", "--quiet", sums.name], cwd=sums.parent, check=False)
        assert done.returncode == 0, sums


def test_the_scripts_pass_shellcheck(made: World) -> None:
    program = require("shellcheck")
    for script in made.bundle.glob("*/commands.sh"):
        assert bundles.shellcheck(script, program) == ""


def execute(world: World, folder: Path, group: str, *arguments: str, at: str, account: str = ACCOUNT) -> bundles.Ran:
    """Run a folder's script on command lines that are logged in to an account and to a cluster."""

    def answer(call: tuple[str, ...], _: object) -> tuple[int, str, str]:
        text = " ".join(call)
        said = {"sts get-caller-identity": account, " infrastructure ": "c1-x7k2p", " clusterversion ": at}
        return 0, next((value for part, value in said.items() if part in text), ""), ""

    script = world.bundle / group / "commands.sh"
    return bundles.Shell(folder / "bin", folder).run(script, *arguments, answer=answer)


def test_the_script_of_an_account_works_at_the_cluster_of_the_login_alone(made: World, tmp_path: Path) -> None:
    group = f"aws-account-{ACCOUNT}"
    ran = execute(made, tmp_path, group, "grant", at=made.id_of("b"))
    assert ran.code == 0, ran.err
    assert ["put-user-policy" in call for call in ran.changes] == [True]
    assert "b: grant" in ran.out
    assert "not the cluster that this login is at, so left: a" in ran.out


def test_in_another_account_or_at_another_cluster_nothing_is_changed(made: World, tmp_path: Path) -> None:
    group = f"aws-account-{ACCOUNT}"
    elsewhere = execute(made, tmp_path, group, "grant", at=made.id_of("b"), account=OTHER)
    assert (elsewhere.code, elsewhere.changes) == (2, ())
    assert f"wrong place: this is AWS account {OTHER}, and AWS account {ACCOUNT} was judged" in elsewhere.err
    stray = execute(made, tmp_path, group, "grant", at=made.id_of("c"))
    assert (stray.code, stray.changes) == (2, ())
    assert "none of these clusters has" in stray.err
    named = execute(made, tmp_path, group, "grant", "a", at=made.id_of("b"))
    assert (named.code, named.changes) == (2, ())


def test_the_plan_of_an_account_asks_nothing(made: World, tmp_path: Path) -> None:
    ran = execute(made, tmp_path, f"aws-account-{ACCOUNT}", "plan", at="")
    assert (ran.code, ran.calls) == (0, ())
    assert ran.out.count("bash commands.sh grant") == 2
    for wrong in ((), ("new",), ("annotate",), ("grant", "--now")):
        assert execute(made, tmp_path, f"aws-account-{ACCOUNT}", *(wrong or ("",)), at="").calls == ()


def test_the_annotation_goes_by_the_report_of_a_later_run(made: World, tmp_path: Path) -> None:
    group = f"aws-account-{ACCOUNT}"
    ran = execute(made, tmp_path, group, "annotate", "--reports", str(made.fleet.result), at=made.id_of("a"))
    assert ran.changes == (), "the annotation is there in this world"
    assert ran.code == 0, ran.err


def test_a_second_run_writes_the_same_folders_and_drops_what_is_gone(own: World) -> None:
    rows = yaml.safe_load(own.inventory.read_text())["clusters"]
    own.inventory = own.bundle.parent / "fewer.yaml"
    own.inventory.write_text(yaml.safe_dump({"clusters": [row for row in rows if row["name"] not in {"b", "c"}]}))
    assert own.run().code == 3
    assert folders(own) == {
        f"aws-account-{ACCOUNT}": {"a"},
        "account-not-known-d": {"d"},
        "account-not-known-g": {"g"},
        "no-cloud-account": {"v"},
    }


def test_what_somebody_filled_in_is_not_written_over(own: World) -> None:
    script = own.bundle / f"aws-account-{ACCOUNT}" / "a" / "commands.sh"
    script.write_text(script.read_text() + "# mine\n")
    refused = own.run()
    assert (refused.code, "was changed since the bundle was made" in refused.err) == (2, True)
    assert script.read_text().endswith("# mine\n")
    (own.bundle / "note.txt").write_text("mine")
    assert own.run().code == 2


def test_a_run_that_was_stopped_goes_on(own: World, tmp_path: Path) -> None:
    result = tmp_path / "result"
    arguments = (str(own.inventory), "--from", own.fleet.old, "--to", own.fleet.new, "--now", "2026-11-01")
    call = ("fleet", *arguments, "--no-cache", "-d", result, "--bundle", own.bundle, "--resume")
    assert run(*call).code == 3
    before = {path: path.stat().st_mtime_ns for path in own.bundle.rglob("commands.sh")}
    (own.bundle / ".unfinished").touch()
    (own.bundle / "SHA256SUMS").unlink()
    shutil.rmtree(own.bundle / "no-cloud-account")
    assert run(*call).code == 3
    assert "no-cloud-account" in folders(own)
    kept = own.bundle / f"aws-account-{OTHER}" / "c" / "commands.sh"
    assert kept.stat().st_mtime_ns == before[kept]
    assert not (own.bundle / ".unfinished").exists()


@pytest.mark.parametrize("more", [("--shard", "1/2"), ()])
def test_a_folder_that_is_no_place_for_bundles_is_refused(made: World, tmp_path: Path, more: tuple[str, ...]) -> None:
    place = tmp_path / "bundle" if more else made.fleet.result / "bundle"
    done = made.fleet.run("--bundle", place, *more, inventory=str(made.inventory))
    assert (done.code, place.exists()) == (2, False)
    assert json.loads((made.fleet.result / "fleet.json").read_text())

"""`fleet`: many clusters in one run; each is judged as `check` judges it, and none stands in another's way."""

import json
import os
import shutil
import tarfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.worlds.certificates import Certificates
from tests.worlds.fleets import NOW, PLATFORMS, Fleet
from tests.worlds.flows import World
from tests.worlds.kubernetes_server import Fault, KubernetesServer
from tests.worlds.running import run
from upgrade_gate.fleet.shard import Shard


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def verdicts(fleet: Fleet) -> dict[str, str]:
    return {cluster["name"]: cluster["status"] for cluster in fleet.json()["clusters"]}


def test_each_report_is_that_of_check(fleet: Fleet) -> None:
    fleet.add("one")
    fleet.add("two", platform="GCP")
    env = {"SOURCE_DATE_EPOCH": "1793491200"}
    assert fleet.run(env=env).code == 3
    for name in ("one", "two"):
        alone = ("--from", fleet.old, "--to", fleet.new, "--cluster", f"snapshot:{fleet.snapshots / name}.json")
        checked = run("check", *alone, "--now", NOW, "--no-cache", "-o", "json", env=env)
        assert checked.code == 3
        wanted = json.loads(checked.out)
        wanted["verdict"]["remediate"] = []  # the call that `check` was started with
        assert json.loads((fleet.result / "clusters" / name / "report.json").read_text()) == wanted


def test_the_exit_code_is_that_of_the_worst_verdict(fleet: Fleet) -> None:
    fleet.add("ready", ready=True)
    assert fleet.run().code == 0
    (fleet.snapshots / "broken.json").write_text("{}")
    assert fleet.run().code == 4
    fleet.add("one")
    assert fleet.run().code == 3
    assert verdicts(fleet) == {"ready": "pass", "broken": "undetermined", "one": "blocked"}


def test_a_cause_counts_the_clusters_in_which_it_stands(fleet: Fleet) -> None:
    for name in ("a", "b", "c"):
        fleet.add(name)
    fleet.add("g", platform="GCP")
    fleet.run()
    gains = [cause for cause in fleet.json()["causes"] if cause["rule"] == "permission-added"]
    assert {c["request"].partition("/")[2]: c["counts"] for c in gains} == {
        "aws": {"open": 0, "unknown": 3, "acknowledged": 0, "proven": 0, "declared": 0},
        "gcp": {"open": 0, "unknown": 1, "acknowledged": 0, "proven": 0, "declared": 0},
    }
    assert gains[0]["request"].endswith("aws"), "what stands in the way of most comes first"
    assert [cause["alone"] for cause in gains] == [3, 1], "nothing else keeps these clusters from a pass"
    matrix = {cluster["name"]: set(cluster["causes"]) for cluster in fleet.json()["clusters"]}
    assert matrix["a"] == matrix["b"] == matrix["c"]
    assert {c["fingerprint"] for c in gains} <= matrix["a"] | matrix["g"]


def test_the_annotation_comes_after_what_it_waits_for_and_alone_only_where_nothing_else_is_open(fleet: Fleet) -> None:
    refused: dict[str, Any] = {"annotation": None, "upgradeable": ("False", "MissingUpgradeableAnnotation")}
    fleet.add("work", **refused)
    for name in ("last", "last-too"):
        fleet.add(name, platform="VSphere", **refused)
    done = fleet.run()
    causes = [(cause["rule"], cause["alone"]) for cause in fleet.json()["causes"] if cause["severity"] == "blocker"]
    assert causes == [("permission-added", 1), ("cco-not-upgradeable", 2)]
    assert "One cause alone keeps 2 clusters from a pass: CCO reports Upgradeable=False" in done.out


def test_an_acknowledgement_counts_where_it_is_meant_and_must_say_where(fleet: Fleet, tmp_path: Path) -> None:
    fleet.add("a")
    fleet.add("b")
    fleet.run()
    blocking = [cause["fingerprint"] for cause in fleet.json()["causes"] if cause["severity"] == "blocker"]
    of_a = next(cluster["id"] for cluster in fleet.json()["clusters"] if cluster["name"] == "a")
    entries = [
        {"fingerprint": one, "reason": "granted", "owner": "me", "expires": "2026-12-31"}
        for one in [*blocking, "0123456789abcdef"]
    ]
    file = tmp_path / "accepted.yaml"
    file.write_text(yaml.safe_dump({"acknowledgements": entries}))
    refused = fleet.run("--acknowledgements", file)
    assert refused.code == 2
    assert "clusters is missing" in refused.err
    file.write_text(yaml.safe_dump({"acknowledgements": [{**entry, "clusters": [of_a]} for entry in entries]}))
    assert fleet.run("--acknowledgements", file).code == 3
    assert verdicts(fleet) == {"a": "pass", "b": "blocked"}
    assert fleet.json()["unused_acknowledgements"] == ["0123456789abcdef"]
    assert {cause["counts"]["acknowledged"] for cause in fleet.json()["causes"]} == {1}
    touched = {entry["fingerprint"]: entry["clusters"] for entry in fleet.json()["acknowledgements"]}
    assert touched == {**{one: ["a"] for one in blocking}, "0123456789abcdef": []}


def test_one_entry_lists_every_cluster_that_it_touches_in_every_format(fleet: Fleet, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        fleet.add(name)
    fleet.run()
    (blocking,) = (cause["fingerprint"] for cause in fleet.json()["causes"] if cause["severity"] == "blocker")
    entry = {"fingerprint": blocking, "reason": "in CHG0012345", "owner": "me", "expires": "2026-12-31"}
    file = tmp_path / "accepted.yaml"
    unused = {**entry, "fingerprint": "0123456789abcdef"}
    file.write_text(yaml.safe_dump({"acknowledgements": [{**one, "clusters": ["*"]} for one in (entry, unused)]}))
    done = fleet.run("--acknowledgements", file)
    assert done.code == 0, "an entry that matches nothing is information, as in check"
    html = (fleet.result / "fleet.html").read_text()
    for told in (done.out, html):
        assert "3 clusters: a, b, c" in told
        assert "matches nothing in any cluster" in told
        assert "in CHG0012345" in told
    for part, names in (("1/2", "part-1"), ("2/2", "part-2")):
        fleet.result = tmp_path / names
        fleet.run("--acknowledgements", file, "--shard", part)
    run("fleet", "merge", tmp_path / "part-2", tmp_path / "part-1", "-d", tmp_path / "merged")
    merged = json.loads((tmp_path / "merged" / "fleet.json").read_text())
    assert [entry["clusters"] for entry in merged["acknowledgements"]] == [[], ["a", "b", "c"]]
    file.write_text(file.read_text().replace("2026-12-31", "2026-10-01"))
    fleet.result = tmp_path / "expired"
    assert fleet.run("--acknowledgements", file).code == 3
    assert [entry["expired"] for entry in fleet.json()["acknowledgements"]] == [False, True]


def test_a_path_leaves_out_the_stops_that_a_cluster_has_passed(fleet: Fleet, tmp_path: Path) -> None:
    first, between, last = fleet.path("4.16.3", "4.17.0", "4.18.0")
    fleet.add("early")
    fleet.add("late", versions=("4.17.0", "4.18.0"))
    arguments = ("--from", first, "--from", between, "--to", last, "--via", between, "--now", NOW, "--no-cache")
    assert run("fleet", f"snapshots:{fleet.snapshots}", *arguments, "-d", fleet.result).code == 3
    paths = {
        name: json.loads((fleet.result / f"clusters/{name}/report.json").read_text()) for name in ("early", "late")
    }
    told = {name: [hop["to"]["version"] for hop in report["hops"]] for name, report in paths.items()}
    assert told == {"early": ["4.17.0", "4.18.0"], "late": ["4.18.0"]}
    only = [g["needed_until"] for f in paths["early"]["findings"] if f["severity"] == "blocker" for g in f["grants"]]
    assert only == ["4.18.0"], "what the release in between alone asks for"
    file = tmp_path / "clusters.yaml"
    rows = [{"name": "early", "cluster": f"snapshot:{fleet.snapshots / 'early.json'}", "via": between}]
    file.write_text(yaml.safe_dump({"clusters": rows}))
    assert run("fleet", file, *arguments[:4], "--to", last, "--no-cache", "-d", tmp_path / "row").code == 3
    report = json.loads((tmp_path / "row" / "clusters" / "early" / "report.json").read_text())
    assert [hop["to"]["version"] for hop in report["hops"]] == ["4.17.0", "4.18.0"]


def test_a_cluster_that_runs_none_of_the_releases_is_undetermined_and_says_so(fleet: Fleet) -> None:
    fleet.add("old", versions=("4.15.1", "4.16.3"))
    fleet.add("one")
    assert fleet.run().code == 3
    assert verdicts(fleet) == {"old": "undetermined", "one": "blocked"}
    report = (fleet.result / "clusters" / "old" / "report.json").read_text()
    assert "the cluster runs 4.15.1, and none of the releases given is that one" in report
    assert json.loads(report)["cluster"]["id"], "the cluster itself was read"


def test_the_digest_tells_which_of_two_releases_of_one_version_runs(fleet: Fleet) -> None:
    """Folders have none: two of one version cannot be told apart, and neither is taken."""
    fleet.add("one")
    other = fleet.folder / "other"
    shutil.copytree(fleet.old.removeprefix("dir:"), other)
    assert fleet.run("--from", f"dir:{other}").code == 4
    assert "several of the releases given are that one" in (fleet.result / "clusters/one/report.json").read_text()


def test_two_rows_with_one_id_are_an_error(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.add("b", id_of="a")
    result = fleet.run()
    assert result.code == 2
    assert "'a' and 'b' are one cluster" in result.err
    assert not (fleet.result / "fleet.json").exists()
    fleet.add("b")
    assert fleet.run("--resume").code == 3


def test_an_old_snapshot_is_undetermined(fleet: Fleet) -> None:
    fleet.add("a", ready=True)
    assert fleet.run("--max-age", "7d").code == 4  # taken after --now
    assert "which is after 2026-11-01" in (fleet.result / "clusters/a/report.json").read_text()
    path = fleet.snapshots / "a.json"
    body = json.loads(path.read_text())
    path.write_text(json.dumps({**body, "taken": "2026-10-01T00:00:00Z"}))
    assert fleet.run("--max-age", "7d").code == 4
    assert "31 days old" in (fleet.result / "clusters/a/report.json").read_text()
    path.write_text(json.dumps({**body, "taken": "2026-10-31T00:00:00Z"}))
    assert fleet.run("--max-age", "7d").code == 0


def test_resume_keeps_what_was_made_from_the_same_inputs_and_nothing_else(fleet: Fleet) -> None:
    for name in ("a", "b", "c", "d"):
        fleet.add(name)
    fleet.run(env={"SOURCE_DATE_EPOCH": "1"})
    (fleet.result / "clusters" / "b" / "row.json").unlink()  # as a run leaves it that was killed while it wrote
    fleet.add("c", platform="GCP")
    damaged = fleet.result / "clusters" / "d" / "report.json"
    damaged.write_bytes(damaged.read_bytes()[:2000])
    fleet.run("--resume", env={"SOURCE_DATE_EPOCH": "2"})
    stamps = {cluster["name"]: cluster["generated"] for cluster in fleet.json()["clusters"]}
    first, second = "1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"
    assert stamps == {"a": first, "b": second, "c": second, "d": second}
    fleet.run("--resume", "--fail-on", "warning", env={"SOURCE_DATE_EPOCH": "3"})
    assert {cluster["generated"] for cluster in fleet.json()["clusters"]} == {"1970-01-01T00:00:03Z"}


def _edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [("report.json", '"status": "blocked"', '"status": "pass"'), ("row.json", '"name":"a"', '"name":"z"')],
)
def test_a_result_that_somebody_changed_is_never_believed(fleet: Fleet, file: str, before: str, after: str) -> None:
    fleet.add("a")
    fleet.add("b")
    assert fleet.run(env={"SOURCE_DATE_EPOCH": "1"}).code == 3
    verdict = verdicts(fleet)
    changed = fleet.result / "clusters" / "a" / file
    _edit(changed, before, after)
    joined = run("fleet", "merge", fleet.result, "-d", fleet.folder / "merged")
    assert joined.code == 2
    assert "clusters/a holds no whole result, or one that was changed since" in joined.err
    assert fleet.run("--resume", env={"SOURCE_DATE_EPOCH": "2"}).code == 3
    assert verdicts(fleet) == verdict
    stamps = {cluster["name"]: cluster["generated"] for cluster in fleet.json()["clusters"]}
    assert stamps == {"a": "1970-01-01T00:00:02Z", "b": "1970-01-01T00:00:01Z"}
    assert after not in changed.read_text()


def test_resume_judges_again_where_a_policy_that_the_configuration_names_is_another(
    fleet: Fleet, tmp_path: Path
) -> None:
    fleet.add("a")
    policy, folder = tmp_path / "policy.json", tmp_path / "policies"
    folder.mkdir()
    allowed = {"Effect": "Allow", "Action": list(PLATFORMS["AWS"]), "Resource": "*"}
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
    (folder / "other.json").write_text(policy.read_text())
    config = tmp_path / "gate.yaml"
    config.write_text(yaml.safe_dump({"identities": {"openshift-aws/creds": {"policies": str(policy)}}}))
    options = ("--config", config, "--identities", f"policies:{folder}", "--resume")
    assert fleet.run(*options).code == 0
    _edit(policy, PLATFORMS["AWS"][1], PLATFORMS["AWS"][0])
    assert fleet.run(*options).code == 3, "it declares less than before"


def test_resume_judges_again_where_a_release_or_what_reads_it_is_another(fleet: Fleet) -> None:
    fleet.add("a")
    archive = fleet.folder / "release.tar"

    def pack(release: str) -> None:
        with tarfile.open(archive, "w") as packed:
            packed.add(release.removeprefix("dir:"), ".")

    pack(fleet.new)
    same: dict[str, Any] = {"to": f"archive:{archive}", "env": {"SOURCE_DATE_EPOCH": "1"}}
    assert fleet.run(**same).code == 3
    pack(fleet.old)
    assert fleet.run("--resume", **same).code == 4, "two of the releases given have the cluster's version"
    again = {**same, "env": {"SOURCE_DATE_EPOCH": "2"}}
    fleet.run("--resume", **again)
    assert fleet.json()["generated"].endswith(":01Z"), "nothing is another"
    mirrors = fleet.folder / "idms.yaml"
    mirrors.write_text("apiVersion: config.openshift.io/v1\nkind: ImageDigestMirrorSet\nmetadata: {name: one}\n")
    fleet.run("--resume", "--idms-file", mirrors, **again)
    assert fleet.json()["generated"].endswith(":02Z")


def test_a_run_that_stops_leaves_no_verdict_of_the_last_one(fleet: Fleet) -> None:
    fleet.add("a", ready=True)
    assert fleet.run().code == 0
    fleet.add("b", id_of="a")
    assert fleet.run().code == 2
    assert {path.name for path in fleet.result.iterdir()} == {".unfinished", "clusters", "waves"}
    assert not list((fleet.result / "waves").iterdir())
    fleet.add("b")
    assert fleet.run("--resume").code == 3
    assert fleet.json()["since"]["appeared"] == ["b"], "the last run that ended is what is compared with"


def test_the_next_run_tells_what_changed(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.add("b")
    fleet.run()
    first = ("-d", fleet.folder / "first")
    assert fleet.json()["since"] is None
    assert "All clusters: there is no earlier run" in run("fleet", "merge", fleet.result, *first, "--changed-only").out
    fleet.add("b", ready=True)
    fleet.add("c", platform="GCP")
    (fleet.snapshots / "a.json").unlink()
    text = fleet.run("--changed-only").out
    since = fleet.json()["since"]
    assert since["verdicts"] == [{"name": "b", "from": "blocked", "to": "pass"}]
    assert (since["appeared"], since["gone"]) == (["c"], ["a"])
    assert since["new_causes"]
    assert since["closed_causes"]
    assert "1 blocked before, pass now: b" in text
    assert fleet.run("--changed-only").out.count("BLOCKED ") == 0


def _file(fleet: Fleet, clusters: list[dict[str, Any]]) -> str:
    path = fleet.folder / "clusters.yaml"
    path.write_text(yaml.safe_dump({"clusters": clusters}))
    return str(path)


def test_a_file_names_clusters_with_their_labels_targets_and_configuration(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.add("b")
    (fleet.folder / "strict.yaml").write_text("policy: {release-unverified: blocker}\n")
    rows = [
        {"name": "prod/a", "cluster": "snapshot:snapshots/a.json", "labels": {"env": "prod"}, "config": "strict.yaml"},
        {"name": "b", "cluster": "snapshot:snapshots/b.json", "labels": {"env": "lab"}, "to": fleet.old},
    ]
    assert fleet.run("--selector", "env=lab", inventory=_file(fleet, rows)).code == 0  # it runs its target
    assert verdicts(fleet) == {"b": "pass"}
    assert fleet.run(inventory=_file(fleet, rows)).code == 3
    prod, lab = sorted(fleet.json()["clusters"], key=lambda cluster: cluster["name"], reverse=True)
    assert (prod["labels"], prod["report"]) == ({"env": "prod"}, "clusters/prod%2Fa/report.json")
    report = json.loads((fleet.result / prod["report"]).read_text())
    assert report["labels"] == {"env": "prod"}
    assert "strict.yaml sets release-unverified to blocker" in report["notes"]
    assert lab["to"] == "4.16.3"
    assert fleet.run("--selector", "env=none", inventory=_file(fleet, rows)).code == 2


def test_options_stand_in_no_cluster_s_configuration(fleet: Fleet) -> None:
    fleet.add("a")
    (fleet.folder / "loose.yaml").write_text("fail-on: blocker\n")
    row = {"name": "a", "cluster": "snapshot:snapshots/a.json", "config": "loose.yaml"}
    result = fleet.run(inventory=_file(fleet, [row]))
    assert result.code == 2
    assert "loose.yaml:1" in result.err


def test_what_cannot_be_read_is_a_row(fleet: Fleet) -> None:
    fleet.add("ready", ready=True)
    (fleet.snapshots / "garbage.json").write_bytes(b"\x00\xff not json")
    (fleet.snapshots / "empty.json").write_bytes(b"")
    rows = [{"name": "gone", "cluster": "snapshot:nowhere.json"}]
    assert fleet.run(_file(fleet, rows)).code == 4
    assert verdicts(fleet) == {
        "ready": "pass",
        "garbage": "undetermined",
        "empty": "undetermined",
        "gone": "undetermined",
    }


def test_dumps_are_an_inventory(fleet: Fleet) -> None:
    assert fleet.run(inventory=f"must-gathers:{fleet.folder / 'world'}").code == 3
    found = verdicts(fleet)
    assert found["dump"] == "blocked"
    assert set(found.values()) == {"blocked", "undetermined"}, "the folders beside it are no dumps"


@pytest.mark.parametrize(
    ("inventory", "said"),
    [
        ("snapshots:{}/nowhere", "No such file"),
        ("snapshots:{}/empty", "holds no cluster"),
        ("nowhere.yaml", "is no inventory"),
        ("hub:", "is no inventory"),
    ],
)
def test_an_inventory_that_holds_nothing_is_an_error(fleet: Fleet, inventory: str, said: str) -> None:
    (fleet.folder / "empty").mkdir()
    result = fleet.run(inventory=inventory.format(fleet.folder))
    assert result.code == 2
    assert said in result.err


def test_two_clusters_of_one_name_are_an_error(fleet: Fleet) -> None:
    fleet.add("a")
    result = fleet.run(_file(fleet, [{"name": "a", "cluster": "snapshot:snapshots/a.json"}]))
    assert result.code == 2
    assert "two clusters are named 'a'" in result.err


def test_nothing_is_written_where_an_inventory_is_read(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.result = fleet.snapshots / "result"
    assert fleet.run().code == 2
    fleet.result = fleet.folder / "world"
    assert fleet.run().code == 2, "it holds something else"


def test_a_run_that_was_killed_before_it_had_written_anything_is_no_obstacle(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.result.mkdir()
    (fleet.result / "..unfinished.k1ll3d").touch()  # written beside its place, and not renamed yet
    assert fleet.run("--resume").code == 3


def test_a_target_that_is_not_there_is_an_error_of_the_whole_run(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.new = "dir:/nowhere"
    assert fleet.run().code == 2


def contexts(path: Path, certificates: Certificates, servers: Mapping[str, KubernetesServer]) -> Path:
    """Write a kubeconfig with a context for each server."""
    config: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    for name, server in servers.items():
        cluster = {"server": server.url, "certificate-authority": str(certificates.authority)}
        config["clusters"].append({"name": name, "cluster": cluster})
        config["users"].append({"name": name, "user": {"token": server.token}})
        config["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    path.write_text(yaml.safe_dump(config))
    return path


def test_every_context_reads_its_own_server_and_neither_garbage_nor_one_that_hangs_stands_in_the_way(
    fleet: Fleet, certificates: Certificates, tmp_path: Path
) -> None:
    def objects(identity: str) -> list[dict[str, Any]]:
        found = World(payloads=fleet.releases).objects()
        found[0]["spec"]["clusterID"] = identity
        return found

    def release() -> None:
        """Let the one that hangs answer once all others are judged; it ends unread by itself where they wait for it."""
        rows = [fleet.result / "clusters" / name / "row.json" for name in ("prod-1", "prod-2", "prod-4")]
        while not all(row.exists() for row in rows):
            time.sleep(0.02)
        hangs.released.set()

    first = KubernetesServer(certificates, objects("11111111-0000-4000-8000-000000000001"))
    second = KubernetesServer(certificates, objects("11111111-0000-4000-8000-000000000002"), token="another-token")
    hangs = KubernetesServer(certificates, objects("11111111-0000-4000-8000-000000000003"), faults={"*": Fault("hang")})
    garbage = KubernetesServer(certificates, [], faults={"*": Fault("garbage", body=b"<html>a proxy's page</html>")})
    servers = {"prod-1": first, "prod-2": second, "prod-3": hangs, "prod-4": garbage, "lab-1": first}
    with first.run(), second.run(), hangs.run(), garbage.run():
        kubeconfig = contexts(tmp_path / "kubeconfig", certificates, servers)
        threading.Thread(target=release, daemon=True).start()
        result = fleet.run("--kubeconfig", kubeconfig, "--cluster-timeout", "60", inventory="contexts:prod-*")
    assert result.code == 3
    found = {cluster["name"]: (cluster["status"], cluster["id"]) for cluster in fleet.json()["clusters"]}
    assert found == {
        "prod-1": ("blocked", "11111111-0000-4000-8000-000000000001"),
        "prod-2": ("blocked", "11111111-0000-4000-8000-000000000002"),
        "prod-3": ("blocked", "11111111-0000-4000-8000-000000000003"),
        "prod-4": ("undetermined", None),
    }
    assert all(server.requests for server in servers.values())


def test_what_hangs_past_its_deadline_is_undetermined(fleet: Fleet, certificates: Certificates, tmp_path: Path) -> None:
    fleet.add("a")
    assert fleet.run().code == 3
    hangs = KubernetesServer(certificates, [], faults={"*": Fault("hang")})
    with hangs.run():
        kubeconfig = contexts(tmp_path / "kubeconfig", certificates, {"prod-1": hangs})
        options = ("--kubeconfig", kubeconfig, "--deadline", "0.5", "--cluster-timeout", "60", "--resume")
        result = fleet.run("contexts:prod-1", *options)
    assert result.code == 3
    assert verdicts(fleet) == {"a": "blocked", "prod-1": "undetermined"}
    assert "prod-1: not judged within its deadline" in result.err
    assert "it was not judged within its deadline" in (fleet.result / "clusters/prod-1/report.json").read_text()


def test_the_mirrors_and_the_pull_secret_of_one_cluster_are_not_for_all(fleet: Fleet) -> None:
    fleet.add("a")
    assert fleet.run("--mirrors-from-cluster").code == 2


def test_the_files_about_all_clusters_are_there_and_say_the_same(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.add("Not_a_Namespace", platform="GCP")
    fleet.run()
    reports = list(yaml.safe_load_all((fleet.result / "policyreports.yaml").read_text()))
    assert [body["metadata"].get("namespace") for body in reports] == [None, "a"]
    assert {body["metadata"]["annotations"]["upgrade-gate/verdict"] for body in reports} == {"blocked"}
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(run("schema", "fleet").out)
    jsonschema.Draft202012Validator(schema).validate(fleet.json())
    files = {path.name for path in fleet.result.iterdir()}
    written = {"fleet.csv", "fleet.html", "fleet.json", "junit.xml", "metrics.prom", "policyreports.yaml"}
    assert files == {*written, "clusters", "waves"}
    assert (fleet.result / "waves" / "4.17.0.txt").read_text() == ""


def test_a_wave_of_an_earlier_run_does_not_stay(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.run(to=fleet.old)
    assert (fleet.result / "waves" / "4.16.3.txt").exists()
    fleet.run()
    assert not (fleet.result / "waves" / "4.16.3.txt").exists()


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_merged_shards_equal_one_run_in_any_order(fleet: Fleet) -> None:
    for number in range(12):
        fleet.add(f"c{number}", platform=("AWS", "GCP")[number % 2])
    env = {"SOURCE_DATE_EPOCH": "1793491200"}
    whole = fleet.result
    fleet.run(env=env)
    parts = [fleet.folder / f"part-{index}" for index in range(3)]
    for index, part in enumerate(parts):
        fleet.result = part
        fleet.run("--shard", "3", env={**env, "JOB_COMPLETION_INDEX": str(index)})
    assert sum(len(list((part / "clusters").iterdir())) for part in parts) == 12
    for order in (parts, parts[::-1]):
        merged = fleet.folder / f"merged-{order[0].name}"
        assert run("fleet", "merge", *order, "-d", merged, env=env).code == 3
        assert tree(merged) == tree(whole)


def test_shards_of_two_fleets_are_not_merged(fleet: Fleet) -> None:
    """The cluster that came between the two runs may lie in the shard that did not know it."""
    parts = [fleet.folder / f"part-{index}" for index in (1, 2)]
    for index, part in enumerate(parts, 1):
        fleet.add(f"c{index}")
        fleet.result = part
        fleet.run("--shard", f"{index}/2")
    refused = run("fleet", "merge", *parts, "-d", fleet.folder / "merged")
    assert refused.code == 2
    assert "their inventories name other clusters" in refused.err


@pytest.mark.parametrize(
    "other", [("--fail-on", "warning"), ("--require-proof",), ("--acknowledgements", "own.yaml"), ()]
)
def test_shards_that_were_asked_something_else_are_not_merged(fleet: Fleet, other: tuple[str, ...]) -> None:
    """A row that passes for another target, or by other acknowledgements and options, is no row of this run."""
    fleet.add("a")
    (fleet.folder / "own.yaml").write_text("acknowledgements: []\n")
    parts = [fleet.folder / f"part-{index}" for index in (1, 2)]
    fleet.result = parts[0]
    assert fleet.run("--shard", "1/2").code in {0, 3}
    fleet.result = parts[1]
    words = [str(fleet.folder / word) if word.endswith(".yaml") else word for word in other]
    assert fleet.run("--shard", "2/2", *words, to=None if other else fleet.old).code in {0, 3, 4}
    refused = run("fleet", "merge", *parts, "-d", fleet.folder / "merged")
    assert refused.code == 2
    assert "asked about another target, or with other options" in refused.err


def test_a_name_that_cannot_be_printed_is_refused(fleet: Fleet) -> None:
    fleet.add("a").rename(fleet.snapshots / os.fsdecode(b"a\xff.json"))
    refused = fleet.run()
    assert refused.code == 2
    assert "has characters that cannot be printed" in refused.err


def test_merge_leaves_no_cluster_out_and_judges_nothing(fleet: Fleet) -> None:
    for name in ("a", "b", "c", "d"):
        fleet.add(name)
    parts = [fleet.folder / f"part-{index}" for index in (1, 2)]
    for index, part in enumerate(parts, 1):
        fleet.result = part
        fleet.run("--shard", f"{index}/2")
    merged = ("-d", fleet.folder / "merged")
    missing = run("fleet", "merge", parts[0], *merged)
    assert missing.code == 2
    assert "shards are missing: 2/2" in missing.err
    assert run("fleet", "merge", *parts, *merged, "--fail-on", "warning").code == 2
    assert run("fleet", "merge", *merged).code == 2
    assert run("fleet", "merge", *parts, fleet.folder / "world", *merged).code == 2
    (parts[1] / ".unfinished").touch()  # as a run leaves it that was killed
    assert "holds no finished run" in run("fleet", "merge", *parts, *merged).err
    (parts[1] / ".unfinished").unlink()
    next((parts[0] / "clusters").glob("*/row.json")).unlink()
    assert "holds no whole result" in run("fleet", "merge", *parts, *merged).err


def test_one_cluster_in_two_shards_is_an_error_when_they_are_joined(fleet: Fleet) -> None:
    names = [next(f"c{number}" for number in range(99) if Shard(index, 2).holds(f"c{number}")) for index in (1, 2)]
    for name in names:
        fleet.add(name, id_of="the same")
    parts = [fleet.folder / f"part-{index}" for index in (1, 2)]
    for index, part in enumerate(parts, 1):
        fleet.result = part
        assert fleet.run("--shard", f"{index}/2").code == 3
    merged = run("fleet", "merge", *parts, "-d", fleet.folder / "merged")
    assert merged.code == 2
    assert "are one cluster" in merged.err
    assert not (fleet.folder / "merged" / "fleet.json").exists()

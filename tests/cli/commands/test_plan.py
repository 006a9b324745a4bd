"""`plan`: the updates that are offered, and the ways to a minor release, on the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import release_image
from tests.worlds.flows import NO_ANNOTATION, World, deletion, request, write
from tests.worlds.judges import check_schema
from tests.worlds.registry_server import Handler, free_port, serve
from tests.worlds.running import run

NOW = ("--now", "2026-11-01", "--no-cache")
DESCRIBE, CREATE, TAG = "ec2:DescribeVolumes", "ec2:CreateVolume", "ec2:CreateTags"
BEFORE = (request("AWS", "comp", DESCRIBE),)
MORE = (request("AWS", "comp", DESCRIBE, CREATE),)
NEW = (*MORE, request("AWS", "new", TAG))
VERSIONS = ("4.16.3", "4.16.4", "4.17.0", "4.17.1", "4.17.2")
WORLD = World(versions=VERSIONS, payloads=(BEFORE, MORE, BEFORE, BEFORE, NEW))


def cluster(folder: Path, world: World = WORLD) -> tuple[str, ...]:
    """Write the world; return the options that name it, its releases by folder."""
    arguments = write(world, folder)
    return ("--cluster", arguments[arguments.index("--cluster") + 1], "--releases", str(folder), "--offline", *NOW)


def graph(folder: Path, edges: Sequence[tuple[str, str]], versions: Sequence[str] = VERSIONS, **more: Any) -> str:
    """Write an update graph whose images are in no registry that could be reached."""
    nodes = [{"version": version, "payload": f"r.example.com/x@sha256:{version}"} for version in versions]
    places = [[versions.index(old), versions.index(new)] for old, new in edges]
    (folder / "graph.json").write_text(json.dumps({"nodes": nodes, "edges": places, **more}))
    return str(folder / "graph.json")


def plan(*arguments: str) -> tuple[int, dict[str, Any]]:
    """Run a plan and return its exit code and answer."""
    result = run("plan", *arguments, "-o", "json")
    return result.code, json.loads(result.out)


def summed(option: dict[str, Any]) -> tuple[str, list[str], dict[str, int]]:
    """What an option says in short."""
    return option["status"], option["targets"], {key: number for key, number in option["work"].items() if number}


def test_offered_updates_are_judged_each_and_those_that_come_to_the_same_are_one(tmp_path: Path) -> None:
    code, answer = plan(*cluster(tmp_path))
    assert code == 0
    assert [summed(option) for option in answer["options"]] == [
        ("pass", ["4.17.0", "4.17.1"], {}),
        ("blocked", ["4.16.4"], {"permissions": 1}),
        ("blocked", ["4.17.2"], {"permissions": 2}),
    ]
    assert [(t["version"], t["option"], t["paths"]) for t in answer["targets"]] == [
        ("4.16.4", 2, 1),
        ("4.17.0", 1, 1),
        ("4.17.1", 1, 1),
        ("4.17.2", 3, 1),
    ]
    (secret,) = answer["options"][2]["secrets"]
    assert (secret["secret"], secret["held"]) == ("openshift-new/creds", "yes")


def test_equal_targets_are_named_as_a_range_that_nothing_else_lies_between(tmp_path: Path) -> None:
    result = run("plan", *cluster(tmp_path))
    assert "1. PASS  4.17.0 to 4.17.1, all the same: nothing to do before, on assumptions" in result.out
    assert f"   + comp, not shown to be held: {CREATE} (write)" in result.out


def test_the_answer_is_what_its_published_schema_says(tmp_path: Path) -> None:
    options = cluster(tmp_path, WORLD.but(conditional=["4.17.1"], offers=["4.17.2", "4.18.0"], token=True))
    (tmp_path / "answer.json").write_text(run("plan", *options, "-o", "json").out)
    (tmp_path / "schema.json").write_text(run("schema", "plan").out)
    assert check_schema(tmp_path / "schema.json", tmp_path / "answer.json") == ""


@pytest.mark.parametrize("target", VERSIONS[1:])
def test_a_verdict_of_the_plan_is_that_of_check(target: str, tmp_path: Path) -> None:
    options = cluster(tmp_path)
    _, answer = plan(*options)
    (option,) = (option for option in answer["options"] if target in option["targets"])
    place = tmp_path / f"{VERSIONS.index(target)}-{target}"
    known = [word for word in options if word not in ("--releases", str(tmp_path))]
    report = json.loads(
        run("check", *known, "--from", f"dir:{tmp_path}/0-4.16.3", "--to", f"dir:{place}", "-o", "json").out
    )
    assert option["status"] == report["verdict"]["status"]
    stopping = [f["fingerprint"] for f in report["findings"] if f["severity"] in ("blocker", "unknown")]
    assert [finding["fingerprint"] for finding in option["findings"]] == stopping


def test_conditional_offers_are_judged_too_and_name_their_risks(tmp_path: Path) -> None:
    world = WORLD.but(offers=["4.17.0"], conditional=["4.17.1"])
    _, answer = plan(*cluster(tmp_path, world))
    (option,) = answer["options"]
    assert [(path["to"], path["conditional"]) for path in option["paths"]] == [
        ("4.17.0", []),
        ("4.17.1", [{"from": "4.16.3", "to": "4.17.1", "risks": ["Risk: m"]}]),
    ]
    assert "conditional, 4.16.3 to 4.17.1: Risk: m" in run("plan", *cluster(tmp_path / "more", world)).out


def test_the_ways_to_a_minor_are_ordered_by_what_they_ask_for_with_what_is_needed_only_on_the_way(
    tmp_path: Path,
) -> None:
    options = cluster(tmp_path, WORLD.but(offers=[]))
    edges = [("4.16.3", "4.16.4"), ("4.16.4", "4.17.0"), ("4.16.3", "4.17.0"), ("4.17.0", "4.17.1")]
    code, answer = plan(*options, "--to-minor", "4.17", "--graph", graph(tmp_path, edges))
    assert code == 0
    best, worse = answer["options"]
    assert summed(best) == ("pass", ["4.17.0", "4.17.1"], {})
    assert summed(worse) == ("blocked", ["4.17.0", "4.17.1"], {"permissions": 1})
    (grant,) = worse["grants"]
    assert (grant["grant"]["permission"], grant["only_on_the_way"]) == (CREATE, True)
    assert [(path["stops"], path["least"]) for path in worse["paths"]] == [
        (["4.16.3", "4.16.4", "4.17.0"], False),
        (["4.16.3", "4.16.4", "4.17.0", "4.17.1"], False),
    ]
    assert all(path["least"] for path in best["paths"])


def test_only_the_releases_on_a_path_are_read(tmp_path: Path) -> None:
    options = cluster(tmp_path, WORLD.but(offers=[]))
    (tmp_path / "4-4.17.2" / "release-metadata").unlink()
    edges = [("4.16.3", "4.17.0"), ("4.17.2", "4.17.1")]
    code, answer = plan(*options, "--to-minor", "4.17", "--graph", graph(tmp_path, edges))
    assert (code, answer["unread"]) == (0, [])
    assert [target["version"] for target in answer["targets"]] == ["4.17.0"]


def test_what_the_cluster_offers_is_a_way_to_a_minor_too(tmp_path: Path) -> None:
    options = cluster(tmp_path, WORLD.but(offers=["4.17.1"]))
    _, answer = plan(*options, "--to-minor", "4.17", "--graph", graph(tmp_path, [("4.16.3", "4.17.0")]))
    assert [target["version"] for target in answer["targets"]] == ["4.17.0", "4.17.1"]


def test_a_release_that_cannot_be_read_makes_its_targets_cannot_tell_and_leaves_the_others(tmp_path: Path) -> None:
    options = cluster(tmp_path)
    (tmp_path / "2-4.17.0" / "release-metadata").write_text('{"kind": "cincinnati-metadata-v0", "version": "4.17.9"}')
    code, answer = plan(*options)
    assert code == 4
    by_version = {target["version"]: target["status"] for target in answer["targets"]}
    assert by_version == {"4.16.4": "blocked", "4.17.0": "undetermined", "4.17.1": "pass", "4.17.2": "blocked"}
    assert answer["options"][-1]["unread"] == ["4.17.0"]
    assert [(unread["version"], unread["reason"]) for unread in answer["unread"]] == [
        ("4.17.0", "it says that it is 4.17.9")
    ]


def test_a_release_that_is_nowhere_and_may_not_be_fetched_is_not_told_about(tmp_path: Path) -> None:
    options = cluster(tmp_path, WORLD.but(offers=["4.17.0", "4.18.0"]))
    result = run("plan", *options)
    assert result.code == 4
    assert "no verdict" in result.first
    assert "CANNOT TELL  4.18.0: a release on the way was not read" in result.out


def test_without_any_target_nothing_was_judged_and_it_says_why(tmp_path: Path) -> None:
    result = run("plan", *cluster(tmp_path, WORLD.but(offers=[])))
    assert result.code == 4
    assert "the cluster is offered no update from 4.16.3" in result.out


def test_updates_that_the_cluster_could_not_retrieve_are_no_empty_offer(tmp_path: Path) -> None:
    condition = {"type": "RetrievedUpdates", "status": "False", "reason": "NoChannel", "message": "no channel is set"}
    result = run("plan", *cluster(tmp_path, WORLD.but(offers=[], version_conditions=[condition])))
    assert result.code == 4
    assert "the cluster could not retrieve updates: NoChannel, no channel is set" in result.out


@pytest.mark.parametrize("named", [(), ("--no-cluster",)])
def test_without_a_cluster_the_updates_of_a_graph_from_that_release_are_judged(
    named: tuple[str, ...], tmp_path: Path
) -> None:
    cluster(tmp_path)
    edges = [("4.16.3", "4.16.4"), ("4.16.4", "4.17.0"), ("4.16.3", "4.17.0")]
    alone = (*named, "--platform", "AWS", "--releases", str(tmp_path), "--offline", *NOW)
    code, answer = plan(*alone, "--from", "4.16.3", "--graph", graph(tmp_path, edges))
    assert (code, [(t["version"], t["paths"]) for t in answer["targets"]]) == (0, [("4.16.4", 1), ("4.17.0", 1)])
    assert answer["cluster"] is None


def test_that_only_the_annotation_is_missing_is_no_work(tmp_path: Path) -> None:
    world = World(versions=("4.16.3", "4.17.0"), payloads=(BEFORE, BEFORE), annotation=None, upgradeable=NO_ANNOTATION)
    code, answer = plan(*cluster(tmp_path, world))
    (option,) = answer["options"]
    assert (code, option["status"], option["next"], option["work"]["other"]) == (0, "blocked", "annotate", 0)
    assert "only the annotation is missing" in run("plan", *cluster(tmp_path / "again", world)).out


def test_in_mint_mode_cco_makes_what_is_new_and_nothing_is_left_to_do(tmp_path: Path) -> None:
    world = World(versions=("4.16.3", "4.17.0"), payloads=(BEFORE, NEW), mode="Mint", annotation=None)
    _, answer = plan(*cluster(tmp_path, world))
    (option,) = answer["options"]
    assert option["work"] == {"permissions": 0, "secrets": 0, "trust": 0, "other": 0}
    assert {item["held"] for item in (*option["grants"], *option["secrets"])} == {"minted"}


def test_new_trust_is_named_where_components_use_tokens(tmp_path: Path) -> None:
    after = (request("AWS", "comp", DESCRIBE, accounts=("one", "two")),)
    world = World(versions=("4.16.3", "4.17.0"), payloads=(BEFORE, after), token=True)
    _, answer = plan(*cluster(tmp_path, world))
    (option,) = answer["options"]
    assert [(t["service_accounts"], t["held"]) for t in option["trust"]] == [(["two"], "unknown")]
    assert option["work"]["trust"] == 1


def test_what_was_acknowledged_is_no_work(tmp_path: Path) -> None:
    world = World(versions=("4.16.3", "4.17.0"), payloads=(BEFORE, MORE))
    options = cluster(tmp_path, world)
    _, answer = plan(*options)
    entry = {"reason": "r", "owner": "o", "expires": "2026-12-31"}
    found = [{**entry, "fingerprint": f["fingerprint"]} for f in answer["options"][0]["findings"]]
    (tmp_path / "acks.yaml").write_text(json.dumps({"acknowledgements": found}))
    _, answer = plan(*options, "--acknowledgements", str(tmp_path / "acks.yaml"))
    (option,) = answer["options"]
    assert (option["status"], option["grants"][0]["held"], option["work"]["permissions"]) == ("pass", "acknowledged", 0)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--to-minor", "4.16.3"), "not a minor release"),
        (("--to-minor", "4.15"), "is older than 4.16.3"),
        (("--to-minor", "4.19", "--graph", "GRAPH"), "has no release of 4.19"),
        (("--to-minor", "4.17"), "--offline allows no other host"),
        (("-o", "sarif"), "'sarif' is not a format"),
        (("--via", "4.16.4"), "No such option"),
    ],
)
def test_a_wrong_call_is_a_usage_error(arguments: tuple[str, ...], says: str, tmp_path: Path) -> None:
    options = cluster(tmp_path)
    place = graph(tmp_path, [("4.16.3", "4.17.0")])
    result = run("plan", *options, *(place if word == "GRAPH" else word for word in arguments))
    assert result.code == 2
    assert says in result.err


def test_two_releases_of_one_version_are_a_usage_error(tmp_path: Path) -> None:
    options = cluster(tmp_path)
    (tmp_path / "copy-of-4.17.0").mkdir()
    result = run("plan", *options)
    assert result.code == 2
    assert "are both 4.17.0" in result.err


def test_a_folder_without_a_release_is_a_usage_error(tmp_path: Path) -> None:
    options = cluster(tmp_path / "world")
    (tmp_path / "empty").mkdir()
    result = run("plan", *options, "--releases", tmp_path / "empty")
    assert result.code == 2
    assert "the folder is empty" in result.err


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("4.17.0-x86_64", True),
        ("ocp-release-4.17.0.d", True),
        ("newest", True),
        ("4.17.0-0.nightly-2024", True),
        ("14.17.0", False),
        ("4.17.01", False),
        (".4.17.0", False),
    ],
)
def test_a_release_is_found_by_the_version_in_its_name_or_by_what_it_says(
    name: str, found: bool, tmp_path: Path
) -> None:
    options = cluster(tmp_path, WORLD.but(offers=["4.17.0"]))
    (tmp_path / "2-4.17.0").rename(tmp_path / name)
    code, answer = plan(*options)
    assert (code, [unread["version"] for unread in answer["unread"]]) == ((0, []) if found else (4, ["4.17.0"]))


class Images(Handler):
    """A registry of release images, which notes whose manifest and which blobs are asked for."""

    def do_GET(self) -> None:  # noqa: N802
        """Answer with a manifest or a blob."""
        images, asked = self.server.state  # type: ignore[attr-defined]
        name = self.path.rpartition("/")[2]
        for version, image in images.items():
            if name == image.digest:
                asked.append(version)
                self.answer(200, image.manifest, {"Content-Type": image.media_type})
                return
            if name in image.blobs:
                asked.append(f"{version} {'layer' if name == image.last_layer else 'else'}")
                self.answer(200, image.blobs[name])
                return
        self.answer(200 if self.path.rstrip("/") == "/v2" else 404)

    do_HEAD = do_GET  # noqa: N815


def test_each_release_on_a_path_is_fetched_once_and_no_other_and_a_second_plan_fetches_none(tmp_path: Path) -> None:
    versions = ("4.14.1", "4.14.2", "4.14.3", "4.15.1", "4.15.2")
    images = {version: release_image.build(version) for version in versions}
    asked: list[str] = []
    edges = [(0, 1), (1, 3), (0, 3), (3, 4), (2, 4)]  # nothing leads to 4.14.3
    with serve(Images, (images, asked)) as host:
        nodes = [{"version": v, "payload": f"{host}/ocp/release@{images[v].digest}"} for v in versions]
        (tmp_path / "graph.json").write_text(json.dumps({"nodes": nodes, "edges": edges}))
        arguments = (
            "plan",
            "--no-cluster",
            "--platform",
            "AWS",
            "--from",
            "4.14.1",
            "--to-minor",
            "4.15",
            "--insecure",
            host,
        )
        more = ("--graph", tmp_path / "graph.json", "--cache-dir", tmp_path / "cache", "-o", "json")
        first = run(*arguments, *more)
        layers = [one for one in asked if one.endswith("layer")]
        assert sorted(layers) == [f"{version} layer" for version in ("4.14.1", "4.14.2", "4.15.1", "4.15.2")]
        asked.clear()
        again = run(*arguments, *more)
        assert asked == []
    assert (first.code, again.code) == (0, 0), first.err
    assert json.loads(first.out)["options"] == json.loads(again.out)["options"]


WAYS = [("4.16.3", "4.16.4"), ("4.16.3", "4.17.0"), ("4.16.4", "4.17.0"), ("4.17.0", "4.17.1"), ("4.17.0", "4.17.2")]
WAYS += [("4.17.1", "4.17.2"), ("4.16.4", "4.17.2")]
OTHER = (*BEFORE, request("AWS", "other", TAG))


QUIET = WORLD.but(offers=[])


@pytest.mark.parametrize(
    ("world", "more"),
    [
        (QUIET.but(payloads=(BEFORE, MORE, BEFORE, NEW, OTHER)), ()),
        (QUIET.but(payloads=(OTHER, OTHER, (*MORE, deletion("other")), BEFORE, NEW), token=True), ()),
        (
            QUIET.but(payloads=(BEFORE, NEW, MORE, BEFORE, OTHER), annotation=None, upgradeable=NO_ANNOTATION),
            (),
        ),
        (QUIET.but(payloads=(BEFORE, NEW, MORE, BEFORE, OTHER), mode="Mint"), ()),
        (QUIET.but(payloads=(BEFORE, NEW, MORE, BEFORE, OTHER), mode="Passthrough"), ()),
        (WORLD.but(payloads=(BEFORE,) * 5, offers=["4.17.1"]), ("--fail-on", "warning")),
    ],
    ids=["manual", "tokens", "annotation", "mint", "passthrough", "not every release is offered"],
)
def test_an_option_says_of_each_of_its_paths_what_check_says_with_those_stops(
    world: World, more: tuple[str, ...], tmp_path: Path
) -> None:
    options = (*cluster(tmp_path, world), *more)
    _, answer = plan(*options, "--to-minor", "4.17", "--graph", graph(tmp_path, WAYS))
    known = [word for word in options if word not in ("--releases", str(tmp_path))]
    place = {version: f"dir:{tmp_path}/{number}-{version}" for number, version in enumerate(VERSIONS)}
    assert sum(target["paths"] for target in answer["targets"]) == (11 if more else 9)
    for option in answer["options"]:
        for path in option["paths"]:
            start, *via, to = (place[stop] for stop in path["stops"])
            stops = [word for stop in via for word in ("--via", stop)]
            found = json.loads(run("check", *known, "--from", start, *stops, "--to", to, "-o", "json").out)
            verdict = found["verdict"]
            assert (option["status"], option["next"], option["basis"]) == (
                verdict["status"],
                verdict["next"],
                verdict["basis"],
            ), path
            severities = ("blocker", "unknown", *(["warning"] if more else []))
            stopping = {
                f["fingerprint"] for f in found["findings"] if f["status"] == "open" and f["severity"] in severities
            }
            assert stopping <= {finding["fingerprint"] for finding in option["findings"]}, path


def test_an_offer_that_names_no_image_is_looked_for_on_disk_alone(tmp_path: Path) -> None:
    options = cluster(tmp_path, WORLD.but(offers=["4.17.0", "4.18.0"]))
    dump = Path(options[1].removeprefix("must-gather:"))
    (place,) = dump.glob("cluster-scoped-resources/config.openshift.io/clusterversions/*")
    text = place.read_text()
    for version in ("4.17.0", "4.18.0"):
        text = text.replace(f"r/x@sha256:{version}", "''")
    place.write_text(text)
    _, answer = plan(*options)
    assert {t["version"]: t["status"] for t in answer["targets"]} == {"4.17.0": "pass", "4.18.0": "undetermined"}
    assert answer["unread"][0]["reason"] == "nothing that offers it names its image"
    (tmp_path / "new.tar").write_bytes(b"half an archive")
    (unread,) = plan(*options)[1]["unread"]
    assert unread["hint"].startswith("give it with --releases, where this is no release: ")
    assert f"{tmp_path / 'new.tar'}" in unread["hint"]


def test_a_cluster_that_cannot_be_read_gives_an_answer_that_says_so(tmp_path: Path) -> None:
    cluster = {"name": "c", "cluster": {"server": f"https://127.0.0.1:{free_port()}"}}
    context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
    users = [{"name": "u", "user": {"token": "t"}}]
    known = {"clusters": [cluster], "contexts": [context], "users": users, "current-context": "c"}
    (tmp_path / "kubeconfig").write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **known}))
    result = run("plan", "--kubeconfig", tmp_path / "kubeconfig", "-o", f"json={tmp_path / 'plan.json'}", "--no-cache")
    assert result.code == 4
    answer = json.loads((tmp_path / "plan.json").read_text())
    assert (answer["exit_code"], answer["targets"], answer["options"]) == (4, [], [])
    assert answer["summary"].startswith("CANNOT TELL: ")


def test_a_graph_that_cannot_be_read_leaves_one_plain_sentence_in_place_of_the_question(tmp_path: Path) -> None:
    options = cluster(tmp_path, WORLD.but(offers=[]))
    (tmp_path / "graph.json").write_text("no graph")
    page = ("-o", "text", "-o", f"html={tmp_path / 'plan.html'}", "--graph", tmp_path / "graph.json")
    result = run("plan", *options, *page, "--to-minor", "4.17")
    html = (tmp_path / "plan.html").read_text()
    assert result.code == 4
    assert "The ways to 4.17 are not known\n" in result.out
    assert "<title>The ways to 4.17 are not known</title>" in html
    assert "<dd>a release that was not read, <code>cluster</code></dd>" in html
    assert "judged from the releases alone" not in result.out + html
    assert "platform unknown, mode unknown, credentials unknown" in result.out


@pytest.mark.parametrize("asked", [(), ("--to-minor", "4.17")])
def test_what_of_a_graph_nobody_can_follow_is_counted_in_the_answer(asked: tuple[str, ...], tmp_path: Path) -> None:
    cluster(tmp_path)
    groups = [{"edges": [{"from": "4.16.3"}, {"from": "4.16.3", "to": "4.17.0"}], "risks": []}]
    alone = ("--platform", "AWS", "--releases", str(tmp_path), "--offline", *NOW, "--from", "4.16.3", *asked)
    _, answer = plan(*alone, "--graph", graph(tmp_path, [("4.16.3", "4.17.0")], conditionalEdges=groups))
    assert "conditional updates of the graph that cannot be read, and are left out: 1" in answer["notes"]

"""Ways through an update graph, held against every path by itself: followed one by one, and judged one by one."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.worlds.flows import request
from upgrade_gate import pipeline
from upgrade_gate.base.facts import Absent, Known
from upgrade_gate.gate.outcome import Judgement
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.payloads import payload as payloads
from upgrade_gate.payloads.payload import Payload
from upgrade_gate.payloads.reference import ReleaseFiles
from upgrade_gate.report import plan_items
from upgrade_gate.requests import routes
from upgrade_gate.requests.comparison import Comparison
from upgrade_gate.requests.selection_context import SelectionContext, selection_context
from upgrade_gate.requests.update import Given

CONTEXT: SelectionContext = selection_context(None, Given(platform="AWS"))
INPUTS = pipeline.Inputs(to="", given=Given(platform="AWS"))
Asked = Mapping[str, Sequence[str]]
"""What a release asks for: component to permissions."""


def release(
    version: str, asked: Asked, *, whole: bool = True, images: bool = True, more: Mapping[str, Any] | None = None
) -> Payload:
    """A release as a payload, proven whole unless told otherwise; `images`: whether it says what it consists of.

    `more` is a further document of it.
    """
    files = {
        "release-metadata": json.dumps({"kind": "cincinnati-metadata-v0", "version": version}).encode(),
        **({"image-references": b"{}"} if images else {}),
        "0000_00_service.yaml": b"apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: n}\n",
        **{
            f"0000_50_{name}.yaml": json.dumps(request("AWS", name, *permissions)).encode()
            for name, permissions in asked.items()
        },
        **({"0000_70_more.yaml": json.dumps(more).encode()} if more else {}),
    }
    return payloads.load(ReleaseFiles(version, files, digest=f"sha256:{version}", whole=whole))


def paths(start: str, target: str, edges: Sequence[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """Every path, one by one."""
    if start == target:
        yield (start,)
    for old, new in edges:
        if old == start:
            for rest in paths(new, target, edges):
                yield (start, *rest)


def needed(path: Sequence[str], world: Mapping[str, Asked]) -> frozenset[tuple[str, str, bool]]:
    """What a path newly asks for, by plain sets: (component, permission or `Secret`, whether only on the way)."""
    found: set[tuple[str, str]] = set()
    for old, new in pairwise(path):
        for component, permissions in world[new].items():
            before = set(world[old].get(component, ()))
            found |= {(component, permission) for permission in set(permissions) - before}
            if component not in world[old]:
                found.add((component, "Secret"))
    last = world[path[-1]]
    there = {(component, p) for component, permissions in last.items() for p in (*permissions, "Secret")}
    return frozenset((component, what, (component, what) not in there) for component, what in found)


def judged(way: routes.Way, context: SelectionContext = CONTEXT) -> tuple[Judgement, plan_items.Items]:
    """What the gate makes of a way."""
    outcome = pipeline.judge(Comparison(None, way.stops, way.hops, (), context), INPUTS, Weights())
    return outcome, plan_items.of_judgement(outcome, Weights())


def told(items: plan_items.Items) -> frozenset[tuple[str, str, bool]]:
    """The same of what the plan says."""
    grants = {(g.request.rpartition("/")[2], g.grant.permission, g.only_on_the_way) for g in items.grants}
    return frozenset(grants | {(s.request.rpartition("/")[2], "Secret", s.only_on_the_way) for s in items.secrets})


PERMISSIONS = tuple(f"ec2:Action{letter}" for letter in "ABCD")


@st.composite
def graphs(draw: st.DrawFn, releases: int, edges: int) -> tuple[dict[str, Asked], list[tuple[str, str]]]:
    """Releases of three minors, many of them equal in what they ask for, and updates between them."""
    contents: list[Asked] = [
        {
            "comp": draw(st.lists(st.sampled_from(PERMISSIONS), min_size=1, unique=True)),
            **({"other": ["ec2:OtherA"]} if draw(st.booleans()) else {}),
        }
        for _ in range(4)
    ]
    names = [f"4.{13 + number * 3 // releases}.{number}" for number in range(releases)]
    world = {name: contents[draw(st.integers(0, 3))] for name in names}
    pairs = [
        (old, new)
        for place, old in enumerate(names)
        for new in names[place + 1 : place + 1 + releases // 2]
        if int(new.split(".")[1]) - int(old.split(".")[1]) < 2
    ]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=edges, max_size=edges, unique=True))
    return world, chosen


@settings(max_examples=8, deadline=None)
@given(graphs(20, 40))
def test_every_way_of_20_releases_and_40_updates_is_what_its_paths_come_to_one_by_one(
    graph: tuple[dict[str, Asked], list[tuple[str, str]]],
) -> None:
    world, edges = graph
    start, targets = next(iter(world)), [version for version in world if version.startswith("4.15.")]
    there = {version: release(version, asked) for version, asked in world.items()}

    found = routes.find(start, targets, edges, there, CONTEXT, most=10_000)

    assert not found.left_out
    for target in targets:
        all_of_them = list(paths(start, target, edges))
        assert found.paths.get(target, 0) == len(all_of_them)
        right = Counter(needed(path, world) for path in all_of_them)
        said: Counter[frozenset[tuple[str, str, bool]]] = Counter()
        for way in found.ways.get(target, ()):
            outcome, items = judged(way)
            assert (outcome.verdict.status == "pass") == (not told(items))
            said[told(items)] += way.paths
        assert said == right


def whole(outcome: Judgement) -> object:
    """All that a verdict rests on, but for the hop that a finding stands at."""
    findings = sorted(
        (j.finding.rule, j.finding.severity, j.status, j.finding.fingerprint, [*map(str, j.finding.needs)])
        for j in outcome.judged
        if j.finding.severity != "info"
    )
    verdict = outcome.verdict
    return verdict.status, verdict.next, verdict.basis.assumptions[1:], findings


@settings(max_examples=10, deadline=None)
@given(graphs(8, 12))
def test_the_gate_says_of_each_path_what_it_says_of_the_way_that_the_path_is_counted_to(
    graph: tuple[dict[str, Asked], list[tuple[str, str]]],
) -> None:
    world, edges = graph
    start, *others = world
    there = {version: release(version, asked) for version, asked in world.items()}

    found = routes.find(start, others, edges, there, CONTEXT)

    for target in others:
        alone = Counter(
            str(whole(judged(next(iter(routes.find(start, [target], _only(path), there, CONTEXT).ways[target])))[0]))
            for path in paths(start, target, edges)
        )
        together: Counter[str] = Counter()
        for way in found.ways.get(target, ()):
            together[str(whole(judged(way)[0]))] += way.paths
        assert together == alone


def _only(path: Sequence[str]) -> list[tuple[str, str]]:
    return list(pairwise(path))


ONE: Asked = {"comp": ["ec2:ActionA"]}
TWO: Asked = {"comp": ["ec2:ActionA", "ec2:ActionB"]}
CHAIN = [("4.14.1", "4.14.2"), ("4.14.2", "4.15.1"), ("4.14.1", "4.15.1")]


def fan(*between: str, target: str = "4.15.1") -> list[tuple[str, str]]:
    """Updates from 4.14.1 to each of these, and from each of them to the target."""
    return [edge for place in between for edge in (("4.14.1", place), (place, target))]


def find(
    world: Mapping[str, Asked],
    edges: Sequence[tuple[str, str]],
    *targets: str,
    context: SelectionContext = CONTEXT,
    apart: Mapping[str, Payload] | None = None,
    **more: Any,
) -> routes.Routes:
    """The ways through releases that ask for this; those in `apart` are as they stand there."""
    there = {version: release(version, asked) for version, asked in world.items()} | dict(apart or {})
    return routes.find(next(iter(world)), targets, edges, there, context, **more)


def test_a_path_through_a_release_that_was_not_read_is_a_way_of_its_own_that_names_it() -> None:
    there = {version: release(version, ONE) for version in ("4.14.1", "4.15.1")}
    found = routes.find("4.14.1", ["4.15.1"], CHAIN, there, CONTEXT)
    assert [(way.stops, way.unread, len(way.hops)) for way in found.ways["4.15.1"]] == [
        (("4.14.1", "4.15.1"), (), 1),
        (("4.14.1", "4.14.2", "4.15.1"), ("4.14.2",), 0),
    ]


def test_nothing_is_told_where_the_first_release_was_not_read() -> None:
    found = routes.find("4.14.1", ["4.15.1"], CHAIN, {"4.15.1": release("4.15.1", ONE)}, CONTEXT)
    assert [(way.unread, way.hops) for way in found.ways["4.15.1"]] == [(("4.14.1", "4.14.2"), ())]


def test_all_paths_through_releases_that_were_not_read_are_one_way_that_names_them_in_their_order() -> None:
    found = find({"4.14.1": ONE, "4.15.1": ONE}, fan("4.14.9", "4.14.10"), "4.15.1")
    assert [(way.paths, way.unread) for way in found.ways["4.15.1"]] == [(2, ("4.14.9", "4.14.10"))]


def test_too_many_ways_are_counted_as_left_out_and_those_with_the_fewest_changes_stay() -> None:
    world = {"4.14.1": ONE, "4.14.2": TWO, "4.15.1": ONE}
    found = find(world, CHAIN, "4.15.1", most=1)
    assert [way.stops for way in found.ways["4.15.1"]] == [("4.14.1", "4.15.1")]
    assert (found.paths, found.left_out) == ({"4.15.1": 2}, {"4.15.1": 1})


def test_a_recommended_path_stands_for_all_before_a_shorter_conditional_one() -> None:
    world = {"4.14.1": ONE, "4.14.2": ONE, "4.14.3": ONE, "4.15.1": ONE}
    edges = [*CHAIN, ("4.14.2", "4.14.3"), ("4.14.3", "4.15.1")]
    conditional = {("4.14.1", "4.15.1"), ("4.14.2", "4.15.1")}
    found = find(world, edges, "4.15.1", conditional=conditional)
    assert ("4.14.1", "4.14.2", "4.14.3", "4.15.1") in [way.stops for way in found.ways["4.15.1"]]


TWINS = {"4.14.1": ONE, "4.14.2": ONE, "4.14.3": ONE}


def ways(world: Mapping[str, Asked], edges: Sequence[tuple[str, str]], target: str, **more: Any) -> list[int]:
    """How many paths each way to a target has."""
    return [way.paths for way in find(world, edges, target, **more).ways[target]]


def test_a_patch_update_that_changes_nothing_makes_no_way_of_its_own() -> None:
    longer = [*fan("4.14.2"), ("4.14.2", "4.14.3"), ("4.14.3", "4.15.1")]
    assert ways({**TWINS, "4.15.1": ONE}, longer, "4.15.1") == [2]


SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "more", "namespace": "n"}}
FOREIGN = request("GCP", "more", "compute.instances.get")


@pytest.mark.parametrize(
    ("more", "told"),
    [(SERVICE, [2]), (FOREIGN, [1, 1]), ({"kind": "Nameless"}, [1, 1])],
    ids=["service", "request", "unreadable"],
)
def test_releases_are_told_apart_by_the_requests_that_they_carry_and_by_what_cannot_be_read(
    more: Mapping[str, Any], told: list[int]
) -> None:
    other = release("4.14.3", ONE, more=more)
    assert ways({**TWINS, "4.15.1": ONE}, fan("4.14.2", "4.14.3"), "4.15.1", apart={"4.14.3": other}) == told


@pytest.mark.parametrize(("target", "told"), [("4.15.1", [2]), ("4.16.1", [1, 1])])
def test_an_update_that_skips_a_minor_is_told_by_its_versions(target: str, told: list[int]) -> None:
    assert ways({**TWINS, target: ONE}, fan("4.14.2", "4.14.3", target=target), target) == told


@pytest.mark.parametrize(
    ("asked", "target", "told"),
    [
        (ONE, release("4.15.1", ONE, whole=False), [2]),
        (ONE, release("4.15.1", {}), [2]),
        (ONE, release("4.15.1", {}, whole=False), [1, 1]),
        (ONE, release("4.15.1", ONE, whole=False, images=False), [1, 1]),
    ],
    ids=["nothing is gone", "gone and proven whole", "gone", "no image-references"],
)
def test_an_update_to_a_release_that_seems_not_to_be_whole_is_told_by_its_versions(
    asked: Asked, target: Payload, told: list[int]
) -> None:
    world = dict.fromkeys(TWINS, asked)
    assert ways(world, fan("4.14.2", "4.14.3"), "4.15.1", apart={"4.15.1": target}) == told


def test_a_later_patch_release_that_seems_not_to_be_whole_is_told_by_its_versions() -> None:
    parts = {version: release(version, ONE, whole=False) for version in TWINS}
    parts["4.14.4"] = release("4.14.4", ONE, whole=False, images=False)
    assert ways(TWINS, fan("4.14.2", "4.14.3", target="4.14.4"), "4.14.4", apart=parts) == [1, 1]


@pytest.mark.parametrize(("offered", "told"), [((), [2]), (("4.14.2",), [1, 1]), (("4.14.4",), [2])])
def test_whether_the_cluster_is_offered_an_update_counts_for_the_first_one(
    offered: tuple[str, ...], told: list[int]
) -> None:
    names = ("offers", "capabilities", "feature_gates", "updating_to", "excluded", "overrides", "custom_gates")
    offers = Known(tuple(SimpleNamespace(version=version) for version in offered))
    cluster: Any = SimpleNamespace(**{name: Absent() for name in names} | {"offers": offers, "history": Known(())})
    context = replace(CONTEXT, cluster=cluster, running="4.14.1")
    world = {**TWINS, "4.14.4": ONE, "4.14.5": ONE, "4.15.1": ONE}
    edges = [
        *(("4.14.1", first) for first in ("4.14.2", "4.14.3")),
        *[("4.14.2", "4.14.4"), ("4.14.3", "4.14.5"), ("4.14.4", "4.15.1"), ("4.14.5", "4.15.1")],
    ]
    assert ways(world, edges, "4.15.1", context=context) == told


def test_ways_to_a_patch_and_to_a_minor_release_that_ask_for_the_same_are_not_alike() -> None:
    """Before a minor update CVO asks whether the cluster is Upgradeable; before a patch it asks nothing."""
    world = dict.fromkeys(("4.9.1", "4.9.2", "4.9.3", "4.9.4", "4.10.1"), ONE)
    edges = [("4.9.1", "4.9.2"), ("4.9.2", "4.9.3"), ("4.9.2", "4.9.4"), ("4.9.2", "4.10.1")]
    found = find(world, edges, "4.9.3", "4.9.4", "4.10.1").ways
    one, other, minor = (found[target][0].alike for target in ("4.9.3", "4.9.4", "4.10.1"))
    assert one == other != minor


def test_an_update_that_leads_to_no_target_is_not_followed_and_no_path_is_left_out() -> None:
    found = find({"4.14.1": ONE, "4.14.2": ONE, "4.15.1": ONE}, [*CHAIN, ("4.14.1", "4.14.9")], "4.15.1")
    assert (found.paths, found.left_out) == ({"4.15.1": 2}, {})


def test_the_start_is_no_target() -> None:
    assert set(find({"4.14.1": ONE, "4.14.2": ONE, "4.15.1": ONE}, CHAIN, "4.14.1", "4.15.1").ways) == {"4.15.1"}


@pytest.mark.parametrize(
    "edge", [("4.15.1", "4.14.1"), ("4.14.1", "4.14.1"), ("4.14.1", "latest"), ("latest", "4.15.1")]
)
def test_only_updates_to_a_newer_release_lead_anywhere(edge: tuple[str, str]) -> None:
    assert routes.relevant("4.14.1", ["4.15.1"], [("4.14.1", "4.15.1"), edge]) == ("4.14.1", "4.15.1")


def test_releases_on_no_path_need_not_be_read() -> None:
    edges = [*CHAIN, ("4.14.1", "4.14.9"), ("4.15.1", "4.16.1"), ("4.13.9", "4.15.1")]
    assert routes.relevant("4.14.1", ["4.15.1"], edges) == ("4.14.1", "4.14.2", "4.15.1")
    assert routes.relevant("4.15.1", ["4.14.1"], CHAIN) == ()
    assert routes.relevant("4.14.1", ["4.14.10"], fan("4.14.9", target="4.14.10")) == ("4.14.1", "4.14.9", "4.14.10")
    assert routes.relevant("4.14.1", ["4.14.9"], [("4.14.1", "4.16.1"), ("4.16.1", "4.14.9")]) == ()

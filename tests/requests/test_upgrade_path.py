"""The path of updates: which of its hops CVO can make, and what stays unknown on them."""

from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from tests.requests.test_capabilities import _crd
from tests.requests.test_feature_gates import gate
from tests.requests.test_frame import PROFILE
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.cluster.model import ClusterCapabilities
from upgrade_gate.payloads.payload import Location, Manifest, Payload
from upgrade_gate.requests.selection_context import SelectionContext
from upgrade_gate.requests.update import Given, Hop
from upgrade_gate.requests.upgrade_path import compare


def release(version: str, *manifests: Manifest, previous: tuple[str, ...] = ()) -> Payload:
    return Payload(f"dir:{version}", version, None, verified=False, manifests=manifests, previous=previous)


def context(running: str | None = None, *, has_edge: Any = None, **facts: Any) -> SelectionContext:
    """Return a cluster that runs a release, with these facts, or none where no release is named."""
    of_frames = ("feature_gates", "capabilities", "updating_to", "excluded", "overrides", "custom_gates")
    names = (*of_frames, "offers", "history")
    about: Any = SimpleNamespace(**{name: facts.get(name, Absent()) for name in names}) if running else None
    return SelectionContext("AWS", PROFILE, None, Given(), about, running, has_edge)


def hops(*versions: str, where: SelectionContext | None = None, previous: tuple[str, ...] = ()) -> tuple[Hop, ...]:
    *before, last = versions
    return compare([*map(release, before), release(last, previous=previous)], where or context())


def entries(*versions: str) -> Known[Any]:
    return Known(tuple(SimpleNamespace(version=version) for version in versions))


def test_each_release_is_the_end_of_one_hop_and_the_start_of_the_next() -> None:
    found = hops("4.14.1", "4.14.9", "4.15.0")
    assert [(h.index, h.old.version, h.new.version, h.kind) for h in found] == [
        (0, "4.14.1", "4.14.9", "patch"),
        (1, "4.14.9", "4.15.0", "minor"),
    ]
    assert all(h.supported for h in found)


def asked(old: str, new: str) -> bool:
    """Return what an update graph says that has one edge."""
    return (old, new) == ("4.22.1", "5.0.0")


@pytest.mark.parametrize(
    ("where", "previous", "supported"),
    [
        (context(), (), False),
        (context(), ("4.22.1",), True),
        (context(), ("4.22.0",), False),
        (context(has_edge=asked), (), True),
        (context(has_edge=lambda old, new: not asked(old, new)), (), False),
        (context("4.22.1", offers=entries("5.0.0")), (), True),
        (context("4.22.1", offers=entries("5.0.1")), (), False),
        (context("4.22.0", offers=entries("5.0.0")), (), False),
        (context("4.22.1", offers=Unknown("not retrieved")), (), False),
    ],
)
def test_a_major_hop_needs_an_edge_that_somebody_names(
    where: SelectionContext, previous: tuple[str, ...], *, supported: bool
) -> None:
    """The release itself, the graph, or the cluster's offers for what it runs (docs/contract.md#kinds-of-update)."""
    (hop,) = hops("4.22.1", "5.0.0", where=where, previous=previous)
    assert hop.supported is supported
    assert bool(hop.unsupported_reason) is not supported


def test_a_graph_is_asked_about_major_hops_only() -> None:
    def refuse(*edge: str) -> bool:
        raise AssertionError(edge)

    assert not hops("4.14.1", "4.16.0", where=context(has_edge=refuse))[0].supported
    assert hops("4.14.1", "4.15.0", where=context(has_edge=refuse))[0].supported


@pytest.mark.parametrize(
    ("running", "history", "supported"),
    [
        ("4.14.9", entries("4.14.9", "4.14.3"), True),
        ("4.14.9", entries("4.14.9", "4.14.9", "4.14.3"), True),
        ("4.14.9", entries("4.14.9", "4.14.5", "4.14.3"), False),
        ("4.14.9", entries("4.14.9"), False),
        ("4.14.9", entries("4.14.10", "4.14.3"), False),
        ("4.14.9", entries("4.14.3", "4.14.9"), False),
        ("4.14.8", entries("4.14.9", "4.14.3"), False),
        ("4.14.9", entries(), False),
        ("4.14.9", Unknown("no"), False),
        (None, Absent(), False),
    ],
)
def test_cvo_goes_back_to_what_the_history_names_right_before_the_version_that_runs(
    running: str | None, history: Any, *, supported: bool
) -> None:
    (hop,) = hops("4.14.9", "4.14.3", where=context(running, history=history))
    assert hop.supported is supported


def test_a_release_without_a_version_is_judged_by_the_strict_reading() -> None:
    (hop,) = hops("4.14.9", "")
    assert hop.kind == "minor"


GATED = Manifest(
    "cloudcredential.openshift.io",
    "v1",
    "CredentialsRequest",
    "n",
    "r",
    {f"include.release.openshift.io/{PROFILE}": "true", "release.openshift.io/feature-gate": "New"},
    Location("r.yaml"),
    {"spec": {"secretRef": {"namespace": "n", "name": "s"}, "providerSpec": {"kind": "MarsProviderSpec"}}},
)


def test_gates_that_a_release_does_not_declare_are_unknown_where_a_request_hangs_on_one() -> None:
    for old, new, told in (
        (release("4.22.1", GATED), release("4.22.2", gate("Default"), GATED), {"feature gates of 4.22.1"}),
        (release("4.22.1", gate("Default"), GATED), release("4.22.2", GATED), {"feature gates of 4.22.2"}),
        (release("4.22.1", gate("Default"), GATED), release("4.22.2", gate("Default"), GATED), set()),
    ):
        (hop,) = compare([old, new], context())
        assert set(hop.unknowns) == told
        assert all("n/r depend on feature gates" in unknown.reason for unknown in hop.unknowns.values())


def test_what_is_unknown_of_the_start_is_told_on_the_first_hop_alone() -> None:
    first, second = hops("4.14.1", "4.14.9", "4.15.0", where=context("4.13.5"))
    assert set(first.unknowns) == {"running release"}
    assert not second.unknowns


def test_what_is_unknown_of_a_release_on_the_way_is_told_on_the_hop_that_leads_to_it() -> None:
    told = [set(hop.unknowns) for hop in hops("4.14.1", "9.9.0", "9.9.1")]
    assert told == [{"capabilities of 9.9.0"}, {"capabilities of 9.9.1"}]


def test_a_request_that_is_not_understood_is_told_by_its_side() -> None:
    broken = replace(GATED, body={"spec": {}})
    for old, new, side in ((broken, GATED, "from"), (GATED, broken, "to")):
        (hop,) = compare([release("4.14.1", old), release("4.14.2", new)], context())
        assert [(where, one.request) for where, one in hop.malformed] == [(side, "n/r")]


def test_a_capability_is_newly_implicit_on_the_hop_that_brings_it() -> None:
    def part(*, capable: bool) -> Manifest:
        marks = {f"include.release.openshift.io/{PROFILE}": "true"}
        marks |= {"capability.openshift.io/name": "Build"} if capable else {}
        return Manifest("", "v1", "ConfigMap", "n", "m", marks, Location("m.yaml"))

    crd = _crd("Console", "Build")
    none = Known(ClusterCapabilities(frozenset({"Console"}), frozenset({"Console"}), "None", frozenset({"Console"})))
    start, middle, end = (
        release("4.15.1", crd, part(capable=False)),
        release("4.15.9", crd, part(capable=True)),
        release("4.16.0", crd, part(capable=True)),
    )
    first, second = compare([start, middle, end], context("4.15.1", capabilities=none))
    assert (first.newly_implicit, second.newly_implicit) == (("Build",), ())
    assert first.implicit == second.implicit == ("Build",)

"""By what each release is selected: the running one by the cluster's status, every other one by its own tables."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.requests.test_capabilities import _crd
from tests.requests.test_feature_gates import gate
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.cluster.model import ClusterCapabilities, Override
from upgrade_gate.payloads.payload import Location, Manifest, Payload
from upgrade_gate.requests.frame import Frame, frame_of_start, frame_of_target
from upgrade_gate.requests.selection_context import SelectionContext
from upgrade_gate.requests.update import Given

PROFILE = "self-managed-high-availability"
V4_11 = {"baremetal", "marketplace", "openshift-samples"}
"""The set v4.11 as 4.13 has it; from 4.14 on it has MachineAPI too (docs/facts/releases.md#capabilities)."""
LAST = "5.2"
"""The last release of the table of capabilities."""


def release(version: str, *manifests: Manifest) -> Payload:
    return Payload("dir:x", version, None, verified=False, manifests=manifests)


def stated(*enabled: str, baseline: str | None = None, additional: tuple[str, ...] = ()) -> Known[ClusterCapabilities]:
    known = frozenset({"Console", "Build", *enabled})
    return Known(ClusterCapabilities(known, frozenset(enabled), baseline, frozenset(additional)))


def context(
    running: str | None = "4.13.5", *, given: Given | None = None, cluster: bool = True, **facts: Any
) -> SelectionContext:
    """Return a cluster that runs a release, with these facts; the others are absent."""
    names = ("feature_gates", "capabilities", "updating_to", "excluded", "overrides", "custom_gates")
    about: Any = SimpleNamespace(**{name: facts.get(name, Absent()) for name in names}) if cluster else None
    return SelectionContext("AWS", PROFILE, None, given or Given(), about, running)


def enabled(frame: Frame) -> set[str]:
    assert frame.filters.capabilities is not None
    return set(frame.filters.capabilities.enabled)


def test_the_running_release_goes_by_the_cluster_s_own_gates() -> None:
    payload = release("4.13.5", gate("Default", "Shipped"))
    assert frame_of_start(payload, context(feature_gates=Known(frozenset({"Own"})))).filters.gates == frozenset({"Own"})
    assert frame_of_start(payload, context(feature_gates=Unknown("no"))).filters.gates == frozenset({"Shipped"})
    other = context("4.13.6", feature_gates=Known(frozenset({"Own"})))
    assert frame_of_start(payload, other).filters.gates == frozenset({"Shipped"})
    assert frame_of_start(payload, context(None, cluster=False)).filters.gates == frozenset({"Shipped"})


@pytest.mark.parametrize(
    ("running", "version", "updating_to", "told"),
    [
        ("4.13.5", "4.13.5", Absent(), False),
        ("4.13.6", "4.13.5", Absent(), True),
        ("4.13.6", "4.13.5", Known("4.13.5"), False),
        ("4.13.6", "4.13.5", Known("4.13.7"), True),
        (None, "4.13.5", Absent(), False),
        ("4.13.6", "", Absent(), False),
    ],
)
def test_a_path_that_begins_elsewhere_than_the_cluster_is_unknown(
    running: str | None, version: str, updating_to: Any, *, told: bool
) -> None:
    frame = frame_of_start(release(version), context(running, updating_to=updating_to))
    assert ("running release" in frame.unknowns) is told


def test_without_a_cluster_a_path_begins_anywhere() -> None:
    assert not frame_of_start(release("4.13.5"), context("4.13.6", cluster=True, updating_to=Known("4.13.5"))).unknowns
    assert not frame_of_start(release("4.13.5"), context(None, cluster=False)).unknowns


@pytest.mark.parametrize("running", ["4.13.5", "4.11.0"])
def test_the_running_release_goes_by_the_cluster_s_own_capabilities(running: str) -> None:
    own = context(running, capabilities=stated("Console", *V4_11, baseline="v4.11", additional=("Console",)))
    frame = frame_of_start(release(running), own)
    assert (enabled(frame), frame.implicit) == ({"Console", *V4_11}, ())
    assert frame.filters.capabilities is not None
    assert frame.filters.capabilities.known == {"Console", "Build", *V4_11}


def test_what_is_enabled_beyond_the_spec_is_implicit_and_stays_so_in_every_later_release() -> None:
    own = context(capabilities=stated("Console", "Build", *V4_11, baseline="v4.11", additional=("Console",)))
    start = frame_of_start(release("4.13.5"), own)
    assert start.implicit == ("Build",)
    target = frame_of_target(release("4.14.0"), start, own)
    assert (enabled(target), target.implicit) == ({"Console", "Build", "MachineAPI", *V4_11}, ("Build",))


@pytest.mark.parametrize("running", ["4.13.6", "4.12.1"])
def test_another_release_than_the_running_one_has_the_cluster_s_implicit_ones_too(running: str) -> None:
    names = ("Console", "Build", "Insights", *V4_11)
    other = context(running, capabilities=stated(*names, baseline="v4.11", additional=("Console",)))
    frame = frame_of_start(release("4.13.5"), other)
    assert (enabled(frame), frame.implicit) == ({*names}, ("Build", "Insights"))


@pytest.mark.parametrize(("running", "implicit"), [("4.13.6", ("Zeta",)), ("9.9.1", ("Console", "Zeta")), (None, ())])
def test_beyond_the_current_set_is_what_the_running_release_does_not_know(
    running: str | None, implicit: tuple[str, ...]
) -> None:
    other = context(running, capabilities=stated("Console", "Zeta"))
    assert frame_of_start(release("4.13.5"), other).implicit == implicit


def test_the_current_set_is_every_capability_of_the_release_itself() -> None:
    own = context(capabilities=stated("Console", "Build", "Extra"))
    target = frame_of_target(
        release("4.14.0", _crd("Console", "Build", "Novelty")),
        frame_of_start(release("4.13.5", _crd("Console", "Build")), own),
        own,
    )
    assert enabled(target) == {"Console", "Build", "Novelty", "Extra"}


def test_a_running_release_whose_set_is_not_known_has_nothing_implicit() -> None:
    frame = frame_of_start(release("9.9.1"), context("9.9.1", capabilities=stated("Console", baseline="v9.8")))
    assert (enabled(frame), frame.implicit) == ({"Console"}, ())


def test_before_4_11_there_are_no_capabilities() -> None:
    early = frame_of_start(release("4.10.3"), context("4.10.3", capabilities=stated("Console")))
    assert (early.filters.capabilities, early.unknowns) == (None, {})


def test_without_a_word_every_capability_of_the_release_is_enabled() -> None:
    alone = context(None, cluster=False)
    start = frame_of_start(release("4.13.5", _crd("Console")), alone)
    assert enabled(start) == {"Console"}
    assert enabled(frame_of_target(release("4.14.0", _crd("Console", "Build")), start, alone)) == {"Console", "Build"}


def test_capabilities_that_were_given_count_together_with_implicit_ones() -> None:
    given = context(None, cluster=False, given=Given(capabilities=("Console",)))
    put_under = Manifest(
        "apps", "v1", "Deployment", "ns", "d", {f"include.release.openshift.io/{PROFILE}": "true"}, Location("d.yaml")
    )
    build = Manifest(
        "apps",
        "v1",
        "Deployment",
        "ns",
        "d",
        {**(put_under.annotations or {}), "capability.openshift.io/name": "Build"},
        Location("d.yaml"),
    )
    start = frame_of_start(release("4.13.5", _crd("Console", "Build"), put_under), given)
    assert enabled(start) == {"Console"}
    target = frame_of_target(release("4.14.0", _crd("Console", "Build"), build), start, given)
    assert (enabled(target), target.implicit) == ({"Console", "Build"}, ("Build",))
    gone = frame_of_target(
        release(
            "4.14.0",
            _crd("Console", "Build"),
            Manifest(
                "apps", "v1", "Deployment", "ns", "d", {"capability.openshift.io/name": "Build"}, Location("d.yaml")
            ),
        ),
        start,
        given,
    )
    assert gone.implicit == (), "what the target does not apply at all enables nothing"


@pytest.mark.parametrize(
    ("running", "target", "implicit"),
    [("4.9.9", "4.10.3", ()), ("4.10.3", "4.11.0", ()), ("4.11.0", "4.12.0", ("marketplace",))],
)
def test_from_4_11_on_the_running_release_enables_what_an_update_puts_under_a_capability(
    running: str, target: str, implicit: tuple[str, ...]
) -> None:
    applied = {f"include.release.openshift.io/{PROFILE}": "true"}
    before, after = (
        Manifest("apps", "v1", "Deployment", "ns", "d", applied | more, Location("d.yaml"))
        for more in ({}, {"capability.openshift.io/name": "marketplace"})
    )
    bare = context(None, cluster=False, given=Given(capabilities=()))
    start = frame_of_start(release(running, before), bare)
    assert frame_of_target(release(target, after), start, bare).implicit == implicit


def test_a_release_newer_than_the_table_is_unknown_where_the_payload_does_not_say() -> None:
    alone = context(None, cluster=False)
    start = frame_of_start(release("4.13.5"), alone)
    told = frame_of_target(release("9.9.0"), start, alone).unknowns["capabilities of 9.9.0"]
    assert told.reason.endswith(f"ends at {LAST}")
    assert frame_of_target(release("9.9.0", _crd("Console")), start, alone).unknowns == {}
    own = context(capabilities=stated("Console", baseline="v4.11"))
    target = frame_of_target(release("9.9.0", _crd("Console", "Build")), frame_of_start(release("4.13.5"), own), own)
    assert target.unknowns["capabilities of 9.9.0"].reason.endswith(f"ends at {LAST}")
    assert enabled(target) >= {"Console", "Build"}, "what cannot be known is looked at, never left out"


def test_what_cvo_is_told_enters_the_filters() -> None:
    override = Override("g", "k", "ns", "n", unmanaged=True)
    about = context(excluded=Known("internal-openshift-hosted"), overrides=Known((override,)))
    filters = frame_of_start(release("4.13.5"), about).filters
    assert (filters.exclude_identifier, filters.overrides) == ("internal-openshift-hosted", (override,))
    assert (filters.profile, filters.feature_set, filters.major_version) == (PROFILE, "Default", 4)
    silent = frame_of_start(release("4.13.5"), context(None, cluster=False)).filters
    assert (silent.exclude_identifier, silent.overrides) == (None, ())


def test_a_custom_set_goes_by_the_cluster_s_own_list() -> None:
    custom = SelectionContext(
        "AWS",
        PROFILE,
        "CustomNoUpgrade",
        Given(),
        context(custom_gates=Known((frozenset({"Mine"}), frozenset()))).cluster,
        "4.13.5",
    )
    frame = frame_of_start(release("4.13.5", gate("Default", "Shipped")), custom)
    assert (frame.feature_set, frame.filters.gates) == ("CustomNoUpgrade", frozenset({"Shipped", "Mine"}))

"""What ClusterVersion says: the running release, updates, overrides, capabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.cluster_objects import (
    changed,
    completed,
    condition,
    observed,
    sample,
)
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.cluster import facts_table
from upgrade_gate.cluster.model import ClusterCapabilities, Override
from upgrade_gate.cluster.rows import rows_of

if TYPE_CHECKING:
    from upgrade_gate.cluster.facts_table import Cluster


def row(found: Cluster, name: str) -> Any:
    """Return a line of the facts."""
    return next(line for line in rows_of(found) if line.name == name)


@pytest.mark.parametrize(
    ("history", "running", "newest"),
    [
        # up to 4.21 the highest of all completed, from 4.22 the newest completed (docs/facts/cco.md#annotation)
        (completed("4.14.3"), "4.14.3", "4.14.3"),
        (completed("4.20.1", "4.21.0", "4.20.0"), "4.21.0", "4.20.1"),
        (completed("4.22.1", "4.23.0", "4.22.0"), "4.22.1", "4.22.1"),
        (completed("4.9.8", "4.10.2", "4.9.7"), "4.10.2", "4.9.8"),
        (completed("4.14.3", partial="4.15.0"), "4.14.3", "4.14.3"),
        (completed("4.14.0", "4.14.0-rc.3"), "4.14.0", "4.14.0"),
        (completed("4.14.0-rc.3", "4.14.0"), "4.14.0", "4.14.0-rc.3"),
        (completed("4.15.0-0.nightly-2023-11-01-120000"), "4.15.0-0.nightly-2023-11-01-120000", None),
    ],
)
def test_the_running_version_follows_the_rule_of_its_release(
    history: list[dict[str, Any]], running: str, newest: str | None
) -> None:
    found = changed("ClusterVersion/version", lambda body: body["status"].update(history=history))
    assert found.version == Known(running)
    assert found.newest_completed == Known(newest or running)


@pytest.mark.parametrize(
    "history",
    [[], completed("", "4.14.3"), completed("4.14"), completed("v4.14.3"), completed("4.014.3"), completed("latest")],
)
def test_a_cluster_without_a_valid_completed_version_is_unknown(history: list[dict[str, Any]]) -> None:
    found = changed("ClusterVersion/version", lambda body: body["status"].update(history=history))
    assert isinstance(found.version, Unknown)
    assert isinstance(found.newest_completed, Unknown)
    assert row(found, "ClusterVersion version").state == "unknown"


def test_an_old_completed_entry_without_version_makes_the_highest_unknown_but_not_the_newest() -> None:
    history = completed("4.14.3", "not a version")
    found = changed("ClusterVersion/version", lambda body: body["status"].update(history=history))
    assert isinstance(found.version, Unknown)
    assert found.newest_completed == Known("4.14.3")


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"state": "Partial", "version": "4.15.0", "image": "i"}, Known("4.15.0")),
        ({"state": "Partial", "version": "", "image": "r/x@sha256:c"}, Known("r/x@sha256:c")),
        ({"state": "Partial", "version": None, "image": None}, Known("an unnamed release")),
    ],
)
def test_an_update_under_way_is_named(entry: dict[str, Any], expected: Known[str]) -> None:
    found = changed("ClusterVersion/version", lambda b: b["status"].update(history=[entry, *completed("4.14.3")]))
    assert found.updating_to == expected


def test_conditional_updates_carry_their_risks_unless_the_same_version_is_recommended() -> None:
    risk = {"name": "SlowDisks", "message": "disks may be slow", "url": "https://example.com"}
    updates = [
        {"release": {"version": "4.15.0", "image": "r/x@sha256:b"}, "risks": [risk]},
        {"release": {"version": "4.15.1", "image": "r/x@sha256:c"}, "risks": [risk, {"name": "Other"}]},
    ]
    found = changed("ClusterVersion/version", lambda body: body["status"].update(conditionalUpdates=updates))
    assert isinstance(found.offers, Known)
    assert [(offer.version, offer.risks) for offer in found.offers.value] == [
        ("4.15.0", ()),
        ("4.15.1", ("SlowDisks: disks may be slow", "Other")),
    ]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"desired": {"version": "4.14.3", "architecture": "Multi"}}, Known("multi")),
        (
            {"conditions": [condition("ReleaseAccepted", "True", message='version="4.14.3" architecture="arm64"')]},
            Known("arm64"),
        ),
        ({}, Absent()),
    ],
)
def test_the_architecture_is_stated_or_stands_in_a_message(status: dict[str, Any], expected: Any) -> None:
    assert changed("ClusterVersion/version", lambda b: b["status"].update(status)).architecture == expected


def test_overrides_are_read() -> None:
    override = {"group": "apps", "kind": "Deployment", "namespace": "x", "name": "y", "unmanaged": True}
    found = changed("ClusterVersion/version", lambda body: body["spec"].update(overrides=[override]))
    assert found.overrides == Known((Override("apps", "Deployment", "x", "y", unmanaged=True),))


def test_missing_capabilities_are_none_before_they_existed_and_unknown_after() -> None:
    before = changed("ClusterVersion/version", lambda b: b["status"].pop("capabilities"), "4.10.3")
    assert isinstance(before.capabilities, Known)
    assert before.capabilities.value.known == frozenset()
    after = changed("ClusterVersion/version", lambda b: b["status"].pop("capabilities"), "4.11.3")
    assert isinstance(after.capabilities, Unknown)


@pytest.mark.parametrize(
    ("status", "spec"),
    [
        ({"knownCapabilities": ["Storage"], "enabledCapabilities": ["Storage", "Console"]}, {}),
        ({"knownCapabilities": ["Storage"]}, {}),
        ({"knownCapabilities": ["Storage"]}, {"baselineCapabilitySet": "v4.12"}),
    ],
)
def test_capabilities_that_cvo_never_writes_are_unknown(status: dict[str, Any], spec: dict[str, Any]) -> None:
    def change(body: dict[str, Any]) -> None:
        body["status"]["capabilities"] = status
        body["spec"]["capabilities"] = spec

    assert isinstance(changed("ClusterVersion/version", change).capabilities, Unknown)


def test_a_cluster_may_have_no_capability_enabled() -> None:
    def change(body: dict[str, Any]) -> None:
        body["status"]["capabilities"] = {"knownCapabilities": ["Storage"]}
        body["spec"]["capabilities"] = {"baselineCapabilitySet": "None"}

    found = changed("ClusterVersion/version", change).capabilities
    assert found == Known(ClusterCapabilities(frozenset({"Storage"}), frozenset(), "None", frozenset()))


def test_without_a_cluster_version_nothing_that_it_says_reads_as_absent() -> None:
    objects = sample()
    del objects["ClusterVersion/version"]
    found = observed(objects)
    fields = [name for name, line in facts_table.TITLES.items() if line == "ClusterVersion version"]
    assert fields
    for name in fields:
        fact = getattr(found, name)
        assert isinstance(fact, Unknown), name
        assert "not an OpenShift" in fact.reason


UPDATE_LINE = "ClusterVersion version, update mode and risks agreed to"


def test_what_people_told_cvo_of_updates_is_shown() -> None:
    """Fields of openshift/api config/v1: `Update.mode`, `Update.acceptRisks`, `UpdateHistory.acceptedRisks`."""

    def told(body: dict[str, Any]) -> None:
        body["spec"]["desiredUpdate"] = {"mode": "Preflight", "acceptRisks": [{"name": "SlowDNS"}, {"name": "Alerts"}]}
        body["status"]["history"][0]["acceptedRisks"] = "ClusterVersionOverrides: see https://u:p@kb.example.com/1"

    line = row(changed("ClusterVersion/version", told), UPDATE_LINE)
    assert (line.state, line.value) == (
        "known",
        {
            "mode": "Preflight",
            "acceptRisks": ["SlowDNS", "Alerts"],
            "acceptedRisks": "ClusterVersionOverrides: see https://kb.example.com/1",
        },
    )


def test_a_cluster_to_which_nobody_told_anything_has_no_line_of_it() -> None:
    found = changed("ClusterVersion/version", lambda body: body["spec"].update(desiredUpdate={"version": "4.15.0"}))
    assert found.accepted == Absent()
    assert UPDATE_LINE not in {line.name for line in rows_of(found)}


@pytest.mark.parametrize("desired", ["4.15.0", {"mode": 1}, {"acceptRisks": [{}]}, {"acceptRisks": {"name": "A"}}])
def test_an_update_that_cannot_be_read_makes_the_line_of_its_object_unknown(desired: Any) -> None:
    found = changed("ClusterVersion/version", lambda body: body["spec"].update(desiredUpdate=desired))
    assert isinstance(found.accepted, Unknown)
    assert "desiredUpdate" in (row(found, "ClusterVersion version").reason or "")

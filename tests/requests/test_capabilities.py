"""Capabilities: tables, sets, and what an update enables by itself."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from upgrade_gate.payloads.payload import Location, Manifest, Payload
from upgrade_gate.requests import capabilities
from upgrade_gate.requests.inclusion import Capabilities, Filters


def _cases() -> list[dict[str, Any]]:
    folder = os.environ.get("UPGRADE_GATE_SHARED")
    if not folder:
        return []
    cases: list[dict[str, Any]] = json.loads((Path(folder) / "cases" / "implicit_capability_cases.json").read_text())
    return cases


def _manifest(raw: dict[str, Any]) -> Manifest:
    return Manifest(
        raw["group"], "v1", raw["kind"], raw["namespace"], raw["name"], raw["annotations"], Location(raw["file"])
    )


@pytest.mark.parametrize("case", _cases(), ids=lambda case: case["name"])
def test_upstream_case_of_implicit_enabling(case: dict[str, Any]) -> None:
    filters = Filters(capabilities=Capabilities(frozenset(case["known"]), frozenset(case["enabled"])))
    found = capabilities.implicitly_enabled(
        [_manifest(m) for m in case["update_manifests"]],
        [_manifest(m) for m in case["current_manifests"]],
        filters,
        case["implicitly_enabled"],
    )
    assert list(found) == sorted(case["want_implicit"])


def test_table_equals_the_facts(shared: Path) -> None:
    facts = json.loads((shared / "facts" / "capability_sets.json").read_text())
    table = capabilities.table()
    assert {f"{a}.{b}" for a, b in table.releases} == set(facts)
    for release, row in facts.items():
        major, minor = release.split(".")
        known, sets = table.releases[int(major), int(minor)]
        assert known == set(row["known"])
        assert {name: set(members) for name, members in sets.items()} == {
            name: set(members) for name, members in row["sets"].items()
        }


def _payload(version: str, *manifests: Manifest) -> Payload:
    return Payload("dir:x", version, None, verified=False, manifests=manifests)


def _crd(*names: str) -> Manifest:
    schema: dict[str, Any] = {"items": {"enum": list(names)}}
    for key in ("additionalEnabledCapabilities", "capabilities", "spec"):
        schema = {"properties": {key: schema}}
    body = {"spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]}}
    return Manifest(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "",
        "clusterversions.config.openshift.io",
        {},
        Location("crd.yaml"),
        body,
    )


def test_payload_without_crd_uses_the_table() -> None:
    assert set(capabilities.known_to(_payload("4.12.3")) or ()) == {
        "baremetal",
        "Console",
        "Insights",
        "marketplace",
        "Storage",
        "openshift-samples",
        "CSISnapshot",
    }


def test_payloads_own_crd_wins_over_the_table() -> None:
    assert set(capabilities.known_to(_payload("4.12.3", _crd("Console", "Novelty"))) or ()) == {"Console", "Novelty"}


def test_release_newer_than_the_table_without_crd_is_not_known() -> None:
    assert capabilities.known_to(_payload("9.9.0")) is None


@pytest.mark.parametrize(
    ("version", "baseline", "members"),
    [
        ("4.13.0", "v4.11", {"baremetal", "marketplace", "openshift-samples"}),
        ("4.14.0", "v4.11", {"baremetal", "marketplace", "openshift-samples", "MachineAPI"}),
        ("4.14.0", "None", set()),
        ("9.9.0", "None", set()),
    ],
)
def test_members_of_a_baseline_set(version: str, baseline: str, members: set[str]) -> None:
    found = capabilities.set_members(_payload(version), baseline)
    assert found is not None
    assert set(found) == members


def test_set_of_a_release_newer_than_the_table_is_not_known() -> None:
    newer = _payload("9.9.0", _crd("Console"))
    assert capabilities.set_members(newer, "v4.18") is None
    assert set(capabilities.set_members(newer, None) or ()) == {"Console"}


def test_gated_capability_counts_only_while_a_gate_is_on() -> None:
    names = frozenset({"ClusterAPI", "Console"})
    assert capabilities.without_gated(names, frozenset()) == {"Console"}
    assert capabilities.without_gated(names, frozenset({"ClusterAPIMachineManagement"})) == names
    assert capabilities.without_gated(names, None) == names

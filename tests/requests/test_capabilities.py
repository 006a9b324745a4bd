"""Capabilities: tables, sets, and what an update enables by itself."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

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


@pytest.mark.parametrize("baseline", [None, "", "vCurrent"])
def test_the_current_set_is_all_that_the_release_knows(baseline: str | None) -> None:
    assert capabilities.set_members(_payload("4.12.3", _crd("Console", "Novelty")), baseline) == frozenset(
        {"Console", "Novelty"}
    )


def test_a_set_that_the_release_does_not_have_is_not_known() -> None:
    assert capabilities.set_members(_payload("4.12.3"), "v4.13") is None


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"spec": None},
        {"spec": {"versions": None}},
        {"spec": {"versions": {"schema": 1}}},
        {"spec": {"versions": ["v1", {"schema": None}, {"schema": {"openAPIV3Schema": []}}]}},
    ],
    ids=str,
)
def test_a_crd_without_the_list_says_nothing(body: Any) -> None:
    assert capabilities.known_to(_payload("9.9.0", replace(_crd(), body=body))) is None
    assert capabilities.known_to(_payload("9.9.0", _crd())) is None


def test_a_gated_capability_leaves_both_sides() -> None:
    both = frozenset({"ClusterAPI", "Console"})
    assert capabilities.capabilities_of(both, both, frozenset()) == Capabilities(
        frozenset({"Console"}), frozenset({"Console"})
    )
    assert capabilities.capabilities_of(frozenset(), both, None) == Capabilities(known=both, enabled=frozenset())


def test_only_the_definition_of_the_cluster_version_says_what_is_known() -> None:
    other = replace(_crd("Console"), name="consoles.config.openshift.io")
    assert capabilities.known_to(_payload("9.9.0", other)) is None
    assert capabilities.known_to(_payload("9.9.0", replace(_crd("Console"), kind="ConfigMap"))) is None
    assert capabilities.known_to(_payload("9.9.0", other, _crd("Storage"))) == frozenset({"Storage"})
    odd: Any = {"not": "a name"}
    assert capabilities.known_to(_payload("9.9.0", _crd(odd, "Storage"))) == frozenset({"Storage"})
    versions = _crd("Console").body, _crd("Storage").body
    both = {"spec": {"versions": [v for body in versions if body for v in body["spec"]["versions"]]}}
    assert capabilities.known_to(_payload("9.9.0", replace(_crd(), body=both))) == frozenset({"Console", "Storage"})


def _object(name: str, capability: str | None) -> Manifest:
    annotations = {"include.release.openshift.io/self-managed-high-availability": "true"}
    if capability:
        annotations["capability.openshift.io/name"] = capability
    return Manifest("apps", "v1", "Deployment", "ns", name, annotations, Location(f"{name}.yaml"))


FILTERS = Filters(
    profile="self-managed-high-availability",
    capabilities=Capabilities(frozenset({"Console", "Build"}), frozenset({"Console"})),
)


@pytest.mark.parametrize(
    ("update", "current", "implicit"),
    [
        ([("a", "Build")], [("a", None)], ("Build",)),
        ([("a", "Build+Console")], [("a", "Console")], ("Build",)),
        ([("a", "Unheard")], [("a", None)], ("Unheard",)),
        ([("new", "Build"), ("a", "Build")], [("a", None)], ("Build",)),
        ([("a", "Build")], [("a", "Unheard"), ("a", None)], ("Build",)),
        ([("a", "Build"), ("b", "Unheard")], [("a", None), ("b", None)], ("Build", "Unheard")),
        ([("a", "Build"), ("b", "Build")], [("a", None), ("b", None)], ("Build",)),
        ([("a", "Build")], [], ()),
        ([("a", "Console")], [("a", None)], ()),
        ([("a", "Build")], [("a", "Build")], ()),
        ([("a", "Build+Unheard")], [("a", None), ("a", None)], ("Build", "Unheard")),
        ([("a", "Console+Unheard")], [("a", None)], ("Unheard",)),
        ([("a", "Unheard")], [("a", "Unheard")], ()),
    ],
)
def test_an_update_enables_what_it_puts_applied_objects_under(
    update: list[tuple[str, str]], current: list[tuple[str, str]], implicit: tuple[str, ...]
) -> None:
    old, new = [_object(*row) for row in current], [_object(*row) for row in update]
    assert capabilities.implicitly_enabled(new, old, FILTERS) == implicit
    assert capabilities.implicitly_enabled(new, old, FILTERS, ["Zeta"]) == (*implicit, "Zeta")


def test_what_the_update_leaves_out_for_any_reason_keeps_what_is_applied_today() -> None:
    """CVO asks whether the update's manifest is applied, not why it is not (docs/facts/releases.md#capabilities)."""
    unannotated = replace(_object("b", "Build"), annotations={"capability.openshift.io/name": "Build"})
    today = [_object("a", None), _object("b", None)]
    assert capabilities.implicitly_enabled([unannotated], today, FILTERS) == ("Build",)
    without = replace(FILTERS, capabilities=None)
    assert capabilities.implicitly_enabled([_object("a", "Unheard")], today, without) == ()
    assert capabilities.implicitly_enabled([_object("a", "Unheard"), unannotated], today, without) == ("Build",)
    assert capabilities.implicitly_enabled([unannotated], [_object("b", "Build")], without) == ()


def test_set_of_a_release_newer_than_the_table_is_not_known() -> None:
    newer = _payload("9.9.0", _crd("Console"))
    assert capabilities.set_members(newer, "v4.18") is None
    assert set(capabilities.set_members(newer, None) or ()) == {"Console"}


def test_gated_capability_counts_only_while_a_gate_is_on() -> None:
    names = frozenset({"ClusterAPI", "Console"})
    assert capabilities.without_gated(names, frozenset()) == {"Console"}
    assert capabilities.without_gated(names, frozenset({"ClusterAPIMachineManagement"})) == names
    assert capabilities.without_gated(names, None) == names

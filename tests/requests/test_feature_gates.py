"""Feature sets and gates that a payload's own manifests declare."""

from typing import Any

import pytest
from msgspec.structs import replace

from upgrade_gate.payloads.payload import Location, Manifest, Payload
from upgrade_gate.requests.feature_gates import default_feature_set, gates_of

PROFILE = "self-managed-high-availability"


def gate(feature_set: str, *names: str, major: str | None = None) -> Manifest:
    annotations = {
        f"include.release.openshift.io/{PROFILE}": "false-except-for-the-config-operator",
        "release.openshift.io/feature-set": feature_set,
        **({"release.openshift.io/major-version": major} if major else {}),
    }
    listed = {"enabled": [{"name": n} for n in names], "disabled": [{"name": "Off"}]}
    body: Any = {"status": {"featureGates": [listed]}}
    where = Location(f"gate-{feature_set}.yaml")
    return Manifest("config.openshift.io", "v1", "FeatureGate", "", "cluster", annotations, where, body)


def release(version: str, *manifests: Manifest) -> Payload:
    return Payload("dir:x", version, None, verified=False, manifests=manifests)


@pytest.mark.parametrize(
    ("version", "manifests", "expected"),
    [
        ("4.20.0-okd-scos.5", (gate("Default"), gate("OKD")), "OKD"),
        ("4.20.0-okd-scos.5", (replace(gate("Default"), annotations=None), gate("OKD")), "OKD"),
        ("4.20.0-okd-scos.5", (gate("Default"),), "Default"),
        ("4.20.0", (gate("Default"), gate("OKD")), "Default"),
    ],
)
def test_okd_where_version_and_payload_both_say_so(
    version: str, manifests: tuple[Manifest, ...], expected: str
) -> None:
    assert default_feature_set(release(version, *manifests)) == expected


def test_gates_are_those_of_the_feature_set_and_profile() -> None:
    payload = release("4.22.0", gate("Default", "A"), gate("TechPreviewNoUpgrade", "A", "B"))
    assert gates_of(payload, PROFILE, "Default") == frozenset({"A"})
    assert gates_of(payload, PROFILE, "TechPreviewNoUpgrade") == frozenset({"A", "B"})
    assert gates_of(payload, "another-profile", "Default") is None
    assert gates_of(release("4.22.0"), PROFILE, "Default") is None


def test_major_version_narrows_them() -> None:
    five = gate("Default", "B", major="5")
    assert gates_of(release("4.22.0", gate("Default", "A"), five), PROFILE, "Default") == frozenset({"A"})
    assert gates_of(release("5.0.0", gate("Default", "A"), five), PROFILE, "Default") == frozenset({"A", "B"})


def test_custom_set_starts_from_the_default_and_needs_the_clusters_own_list() -> None:
    payload = release("4.22.0", gate("Default", "A", "B"))
    assert gates_of(payload, PROFILE, "CustomNoUpgrade", (frozenset({"C"}), frozenset({"A"}))) == frozenset({"B", "C"})
    assert gates_of(payload, PROFILE, "CustomNoUpgrade") is None


ODD: list[Any] = [
    None,
    {},
    {"status": None},
    {"status": []},
    {"status": {"featureGates": None}},
    {"status": {"featureGates": {"enabled": []}}},
    {"status": {"featureGates": ["A"]}},
    {"status": {"featureGates": [{"enabled": None}]}},
    {"status": {"featureGates": [{"enabled": ["A"]}]}},
    {"status": {"featureGates": [{"enabled": [{"name": 7}]}]}},
    {"status": {"featureGates": [{"enabled": [{}]}]}},
    {"status": {"featureGates": []}},
    {"status": {"featureGates": [{}]}},
    {"status": {"featureGates": [{"enabled": [], "disabled": []}]}},
    {"status": {"featureGates": [{"enabeld": [{"name": "B"}], "disabled": [{"name": "A"}]}]}},
    {"status": {"featureGates": [{"enabled": [{"Name": "B"}], "disabled": [{"name": "A"}]}]}},
    {"status": {"featureGates": [{"enabled": [{"name": "B"}], "disabled": [{"name": "A"}, {"name": "B"}]}]}},
    {"status": {"featureGates": [{"enabled": [{"name": "B"}], "disabled": "A"}]}},
]


@pytest.mark.parametrize("body", ODD, ids=str)
def test_a_shape_that_is_not_the_api_s_is_not_read_as_none(body: Any) -> None:
    odd = replace(gate("Default", "A"), body=body)
    assert gates_of(release("4.22.0", odd), PROFILE, "Default") is None
    assert gates_of(release("4.22.0", gate("Default", "A"), odd), PROFILE, "Default") is None


def test_a_key_that_stands_twice_makes_the_gates_unknown() -> None:
    twice = replace(gate("Default", "A"), duplicate_keys=("status.featureGates",))
    assert gates_of(release("4.22.0", twice), PROFILE, "Default") is None


def test_a_version_without_enabled_gates_enables_none() -> None:
    body: Any = {"status": {"featureGates": [{"version": "4.22.0", "disabled": [{"name": "A"}]}]}}
    assert gates_of(release("4.22.0", replace(gate("Default"), body=body)), PROFILE, "Default") == frozenset()


@pytest.mark.parametrize(
    "other",
    [
        {"kind": "ClusterOperator"},
        {"group": "example.com"},
        {"annotations": None},
        {"annotations": {f"include.release.openshift.io/{PROFILE}": "true"}},
        {"annotations": {"release.openshift.io/feature-set": "Default"}},
    ],
    ids=str,
)
def test_only_feature_gates_of_the_profile_and_set_count(other: dict[str, Any]) -> None:
    foreign = replace(gate("Default", "B"), **other)
    assert gates_of(release("4.22.0", foreign, gate("Default", "A")), PROFILE, "Default") == frozenset({"A"})


def test_one_manifest_may_be_of_several_sets_and_no_set_is_the_default() -> None:
    both = gate("DevPreviewNoUpgrade, TechPreviewNoUpgrade", "A")
    assert gates_of(release("4.22.0", both), PROFILE, "TechPreviewNoUpgrade") == frozenset({"A"})
    assert gates_of(release("4.22.0", both), PROFILE, "Default") is None
    assert gates_of(release("4.22.0", gate("Default", "A")), PROFILE, "") == frozenset({"A"})

"""Feature sets and gates that a payload's own manifests declare."""

from typing import Any

import pytest

from upgrade_gate.payloads.payload import Location, Manifest, Payload
from upgrade_gate.requests.feature_gates import default_feature_set, gates_of

PROFILE = "self-managed-high-availability"


def gate(feature_set: str, *names: str, major: str | None = None) -> Manifest:
    annotations = {
        f"include.release.openshift.io/{PROFILE}": "false-except-for-the-config-operator",
        "release.openshift.io/feature-set": feature_set,
        **({"release.openshift.io/major-version": major} if major else {}),
    }
    body: Any = {"status": {"featureGates": [{"enabled": [{"name": n} for n in names]}]}}
    where = Location(f"gate-{feature_set}.yaml")
    return Manifest("config.openshift.io", "v1", "FeatureGate", "", "cluster", annotations, where, body)


def release(version: str, *manifests: Manifest) -> Payload:
    return Payload("dir:x", version, None, verified=False, manifests=manifests)


@pytest.mark.parametrize(
    ("version", "manifests", "expected"),
    [
        ("4.20.0-okd-scos.5", (gate("Default"), gate("OKD")), "OKD"),
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

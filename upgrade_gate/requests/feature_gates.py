"""Feature sets and gates that a payload's own FeatureGate manifests declare.

Source: oc `pkg/cli/admin/release/extract_tools.go` and cluster-config-operator: the manifest of a profile and feature
set carries both as annotations; `major-version` narrows it further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.reading.node import Malformed, Part
from upgrade_gate.requests.inclusion import FEATURE_SET, INCLUDE, Filters, include

if TYPE_CHECKING:
    from upgrade_gate.payloads.payload import Manifest, Payload


def default_feature_set(payload: Payload) -> str:
    """Return the feature set of a cluster that sets none: OKD where version and payload say so, else Default."""
    if "okd" in payload.version and any("OKD" in _sets(m) for m in _manifests(payload)):
        return "OKD"
    return "Default"


def gates_of(
    payload: Payload,
    profile: str,
    feature_set: str,
    custom: tuple[frozenset[str], frozenset[str]] | None = None,
) -> frozenset[str] | None:
    """Return the gates enabled in a release for a profile and feature set, None where the payload does not say.

    `custom` holds the enabled and disabled gates of a CustomNoUpgrade cluster, which start from the default set.
    """
    wanted = "Default" if feature_set in ("", "CustomNoUpgrade") else feature_set
    found = [m for m in _manifests(payload) if _fits(m, profile, payload.minor[0]) and wanted in _sets(m)]
    if not found:
        return None
    gates: frozenset[str] = frozenset()
    for manifest in found:
        names = None if manifest.duplicate_keys else _enabled(manifest.body)
        if names is None:
            return None
        gates = gates.union(names)
    if feature_set == "CustomNoUpgrade":
        if custom is None:
            return None
        enabled, disabled = custom
        return (gates | enabled) - disabled
    return gates


def _manifests(payload: Payload) -> list[Manifest]:
    return [m for m in payload.manifests if m.kind == "FeatureGate" and m.group == "config.openshift.io"]


def _sets(manifest: Manifest) -> list[str]:
    value = (manifest.annotations or {}).get(FEATURE_SET)
    return [part.strip() for part in value.split(",")] if value is not None else []


def _fits(manifest: Manifest, profile: str, major: int) -> bool:
    key = f"{INCLUDE}{profile}"
    return key in (manifest.annotations or {}) and include(manifest, Filters(major_version=major)) is None


def _enabled(body: Any) -> frozenset[str] | None:
    """Return the names of enabled gates; None where the shape is not the API's, which must not read as "none".

    Every gate that a release knows is on one of the two lists, so a manifest without any was cut off or misspelt.
    """
    try:
        entries = Part(body, "")["status"]["featureGates"].items()
        enabled, disabled = (
            frozenset(gate["name"].some_text() for entry in entries for gate in entry[state].items())
            for state in ("enabled", "disabled")
        )
    except Malformed:
        return None
    return enabled if enabled ^ disabled == enabled | disabled != frozenset() else None

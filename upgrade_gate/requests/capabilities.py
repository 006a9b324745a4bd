"""Cluster capabilities: which a release knows, which sets it has, and which an update enables by itself.

Sources: openshift/api `config/v1/types_cluster_version.go` (the table in `data/capabilities.json`), the enum in the
payload's own ClusterVersion CRD, and cluster-version-operator `lib/manifest/manifest.go`
GetImplicitlyEnabledCapabilities.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base import tables
from upgrade_gate.requests.inclusion import Capabilities, Filters, capability_names, include

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from upgrade_gate.payloads.payload import Manifest, Payload

FIRST_RELEASE = (4, 11)
"""Before 4.11 there are no capabilities, and the annotation means nothing."""

GATED: Mapping[str, frozenset[str]] = {
    "CompatibilityRequirements": frozenset({"CRDCompatibilityRequirementOperator", "ClusterAPIMachineManagement"}),
    "ClusterAPI": frozenset({"ClusterAPIMachineManagement"}),
}
"""Capabilities that count only while one of these gates is on (CVO lib/capability, 4.23 and 5.0 on)."""


class CapabilityTable(Struct, frozen=True):
    """The table of every release that this version of the tool knows."""

    date: str
    releases: Mapping[tuple[int, int], tuple[frozenset[str], Mapping[str, frozenset[str]]]]

    @property
    def newest(self) -> tuple[int, int]:
        """Newest release that has a row."""
        return max(self.releases)


@cache
def table() -> CapabilityTable:
    """Load the dated table from the package."""
    raw = tables.read("upgrade_gate.data", "capabilities.json")
    rows = {}
    for release, row in raw["releases"].items():
        major, minor = release.split(".")
        sets = {name: frozenset(members) for name, members in row["sets"].items()}
        rows[int(major), int(minor)] = (frozenset(row["known"]), sets)
    return CapabilityTable(raw["date"], rows)


def known_to(payload: Payload) -> frozenset[str] | None:
    """Return every capability that the release knows: its own CRD's enum, else the table's row, else None."""
    enum = _enum_of_crd(payload)
    if enum is not None:
        return enum
    row = table().releases.get(payload.minor)
    return row[0] if row else None


def set_members(payload: Payload, baseline: str | None) -> frozenset[str] | None:
    """Return the members of a baseline set as compiled into the release; None: vCurrent.

    Returns None where the release is newer than the table and the set is not vCurrent: the members cannot be known,
    and the caller must say which table to update.
    """
    known = known_to(payload)
    if baseline in (None, "", "vCurrent"):
        return known
    row = table().releases.get(payload.minor)
    if row is None:
        return frozenset() if baseline == "None" else None
    return row[1].get(str(baseline))


def without_gated(names: frozenset[str], gates: frozenset[str] | None) -> frozenset[str]:
    """Drop the capabilities whose gates are all off; gates that are not known drop nothing."""
    if gates is None:
        return names
    return frozenset(name for name in names if name not in GATED or GATED[name] & gates)


def implicitly_enabled(
    update: Iterable[Manifest],
    current: Iterable[Manifest],
    filters: Filters,
    already: Iterable[str] = (),
) -> tuple[str, ...]:
    """Return the capabilities that an update enables by itself, those already implicit included, sorted.

    A manifest that the cluster applies today must not vanish because the target puts it under a capability that is
    not enabled: CVO then enables that capability. Works over every manifest of both payloads, not only over
    CredentialsRequests. `filters` are those of the running release; its capabilities must be given.
    """
    enabled = filters.capabilities.enabled if filters.capabilities else frozenset()
    found = list(dict.fromkeys(already))
    asking = [manifest for manifest in update if not enabled.issuperset(capability_names(manifest.annotations))]
    if not asking:
        return tuple(sorted(found))
    applied: dict[tuple[str, str, str, str], list[Manifest]] = {}
    for manifest in current:
        applied.setdefault(_resource_id(manifest), []).append(manifest)
    for manifest in asking:
        candidates = applied.get(_resource_id(manifest))
        names = capability_names(manifest.annotations)
        if not candidates:
            continue
        if include(manifest, filters, allow_unknown_capabilities=True) is None:
            continue
        for before in candidates:
            if include(before, filters, allow_unknown_capabilities=True) is not None:
                continue
            had = set(capability_names(before.annotations))
            found.extend(n for n in names if n not in had and n not in found and n not in enabled)
    return tuple(sorted(found))


def _resource_id(manifest: Manifest) -> tuple[str, str, str, str]:
    return manifest.group, manifest.kind, manifest.namespace, manifest.name


def _enum_of_crd(payload: Payload) -> frozenset[str] | None:
    for manifest in payload.manifests:
        if manifest.kind == "CustomResourceDefinition" and manifest.name == "clusterversions.config.openshift.io":
            enum = _find_enum(manifest.body)
            if enum:
                return enum
    return None


def _find_enum(body: Any) -> frozenset[str]:
    path = "openAPIV3Schema.properties.spec.properties.capabilities.properties.additionalEnabledCapabilities.items.enum"
    try:
        versions = body["spec"]["versions"]
    except (TypeError, KeyError):
        return frozenset()
    found: set[str] = set()
    for version in versions if isinstance(versions, list) else ():
        node = version.get("schema") if isinstance(version, dict) else None
        for key in path.split("."):
            node = node.get(key) if isinstance(node, dict) else None
        if isinstance(node, list):
            found.update(name for name in node if isinstance(name, str))
    return frozenset(found)


def capabilities_of(names: frozenset[str], known: frozenset[str], gates: frozenset[str] | None) -> Capabilities:
    """Build the filter's capabilities, gated ones dropped from both sides."""
    return Capabilities(known=without_gated(known, gates), enabled=without_gated(names, gates))

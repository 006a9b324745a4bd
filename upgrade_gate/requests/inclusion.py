"""The CVO's own decision whether a manifest of a payload is applied, in its order.

Source: openshift/library-go `pkg/manifest/manifest.go` Manifest.Include; which release has which filter is in
`rule_set`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.reading.node import slip_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.cluster.model import Override

INCLUDE = "include.release.openshift.io/"
EXCLUDE = "exclude.release.openshift.io/"
FEATURE_SET = "release.openshift.io/feature-set"
FEATURE_GATE = "release.openshift.io/feature-gate"
MAJOR_VERSION = "release.openshift.io/major-version"
CAPABILITY = "capability.openshift.io/name"
DELETE = "release.openshift.io/delete"
_UINT64 = re.compile(r"0*([0-9]{1,20})")
"""A number of as many digits as fit into 64 bits; what is longer is never made an integer."""
KNOWN_FEATURE_SETS = frozenset({"CustomNoUpgrade", "Default", "DevPreviewNoUpgrade", "OKD", "TechPreviewNoUpgrade"})
_CLUSTER_SCOPED_MAJOR = frozenset(
    {("config.openshift.io", "FeatureGate"), ("apiextensions.k8s.io", "CustomResourceDefinition")}
)

Reason: TypeAlias = Literal[
    "no-annotations", "exclude", "feature-set", "feature-gate", "major-version", "profile", "capability", "override"
]


class Includable(Protocol):
    """What the decision looks at; a payload's Manifest has it."""

    @property
    def group(self) -> str:
        """API group."""

    @property
    def kind(self) -> str:
        """Kind."""

    @property
    def namespace(self) -> str:
        """Namespace, empty for cluster-scoped objects."""

    @property
    def name(self) -> str:
        """Name."""

    @property
    def annotations(self) -> Mapping[str, str] | None:
        """Annotations; None where there are none at all."""


class Capabilities(Struct, frozen=True):
    """Capabilities by which manifests are filtered."""

    known: frozenset[str]
    enabled: frozenset[str]


class Filters(Struct, frozen=True):
    """What a release's CVO filters by; None turns a filter off."""

    exclude_identifier: str | None = None
    feature_set: str | None = None
    """Empty text means Default."""
    profile: str | None = None
    capabilities: Capabilities | None = None
    overrides: Sequence[Override] = ()
    gates: frozenset[str] | None = None
    major_version: int | None = None
    needs_annotations: bool = True
    """From 4.7 on a manifest without any annotation is not applied."""
    old_tech_preview: bool = False
    """4.10 and 4.11: the feature set stands under the key of the later feature gate."""


class Exclusion(Struct, frozen=True):
    """Why a manifest is not applied."""

    reason: Reason
    detail: str
    """The CVO's own words."""
    unrecognised: bool = False
    """Whether a value stands outside its closed list, so that what was meant is not known."""


def rule_set(filters: Filters, release: tuple[int, int]) -> Filters:
    """Turn off the filters that the release does not have (docs/facts/releases.md#inclusion)."""
    gated = release >= (4, 22)
    return replace(
        filters,
        profile=filters.profile if release >= (4, 7) else None,
        needs_annotations=release >= (4, 7),
        feature_set=filters.feature_set if release >= (4, 10) else None,
        old_tech_preview=(4, 10) <= release < (4, 12),
        capabilities=filters.capabilities if release >= (4, 11) else None,
        gates=filters.gates if gated else None,
        major_version=filters.major_version if gated else None,
    )


def has_include_annotation(annotations: Mapping[str, str] | None) -> bool:
    """Return whether any profile is named at all; without one the CVO never applies the manifest."""
    return any(key.startswith(INCLUDE) for key in annotations or ())


def capability_names(annotations: Mapping[str, str] | None) -> tuple[str, ...]:
    """Split the capability annotation as the CVO does: on `+`, not trimmed; an empty value means none."""
    value = (annotations or {}).get(CAPABILITY, "")
    return tuple(value.split("+")) if value else ()


def include(manifest: Includable, filters: Filters, *, allow_unknown_capabilities: bool = False) -> Exclusion | None:
    """Return None if the CVO applies the manifest, else the first reason why not, in the CVO's order."""
    annotations = manifest.annotations
    if annotations is None:
        if filters.needs_annotations:
            return Exclusion("no-annotations", "no annotations")
        annotations = {}
    return (
        _excluded(annotations, filters)
        or _feature_set(annotations, filters)
        or _feature_gate(annotations, filters)
        or _major_version(manifest, annotations, filters)
        or _profile(annotations, filters)
        or _capability(annotations, filters, allow_unknown=allow_unknown_capabilities)
        or _override(manifest, filters)
    )


def _excluded(annotations: Mapping[str, str], filters: Filters) -> Exclusion | None:
    key = f"{EXCLUDE}{filters.exclude_identifier}"
    if filters.exclude_identifier is not None and annotations.get(key) == "true":
        return Exclusion("exclude", f"{key}=true")
    return None


def _feature_set(annotations: Mapping[str, str], filters: Filters) -> Exclusion | None:
    if filters.feature_set is None:
        return None
    wanted = filters.feature_set or "Default"
    if filters.old_tech_preview:
        return _old_tech_preview(annotations, wanted)
    if FEATURE_SET not in annotations:
        return None
    if filters.gates is not None and FEATURE_GATE in annotations:
        return Exclusion(
            "feature-set",
            "both feature set and feature gate annotations are present: "
            "manifests may specify either a feature set or a feature gate, but not both",
        )
    raw = annotations[FEATURE_SET]
    values = raw.split(",")
    for value in values:
        if value not in KNOWN_FEATURE_SETS:
            known = ",".join(sorted(KNOWN_FEATURE_SETS))
            return Exclusion(
                "feature-set", f'unrecognized value "{value}" in {FEATURE_SET}={raw}; known values are: {known}', True
            )
    if wanted not in values:
        return Exclusion("feature-set", f'"{wanted}" is required, and {FEATURE_SET}={",".join(sorted(values))}')
    return None


def _old_tech_preview(annotations: Mapping[str, str], wanted: str) -> Exclusion | None:
    if FEATURE_GATE not in annotations:
        return None
    value = annotations[FEATURE_GATE]
    if value != "TechPreviewNoUpgrade":
        return Exclusion("feature-set", f"unrecognized value {FEATURE_GATE}={value}", True)
    if wanted != "TechPreviewNoUpgrade":
        return Exclusion("feature-set", f"tech-preview excluded, and {FEATURE_GATE}={value}")
    return None


def _feature_gate(annotations: Mapping[str, str], filters: Filters) -> Exclusion | None:
    if filters.gates is None:
        return None
    for part in annotations.get(FEATURE_GATE, "").split(","):
        gate = part.strip()
        if not gate:
            continue
        if gate.startswith("-"):
            if gate[1:] in filters.gates:
                return Exclusion(
                    "feature-gate", f"feature gate {gate[1:]} is enabled but manifest requires it to be disabled"
                )
        elif gate not in filters.gates:
            return Exclusion("feature-gate", f"feature gate {gate} is required but not enabled")
    return None


def _major_version(manifest: Includable, annotations: Mapping[str, str], filters: Filters) -> Exclusion | None:
    if filters.major_version is None or MAJOR_VERSION not in annotations:
        return None
    if (manifest.group, manifest.kind) not in _CLUSTER_SCOPED_MAJOR:
        return Exclusion(
            "major-version", "major version filtering is only supported for feature gates and custom resources"
        )
    required: set[int] = set()
    excluded: set[int] = set()
    for part in annotations[MAJOR_VERSION].split(","):
        text = part.strip()
        if not text:
            continue
        negative = text.startswith("-")
        number = text[1:] if negative else text
        if not (number.isascii() and number.isdigit()):
            what = "excluded" if negative else "required"
            return Exclusion(
                "major-version",
                f'invalid {what} major version "{number}" in annotation: '
                f'strconv.ParseUint: parsing "{number}": invalid syntax',
            )
        digits = _UINT64.fullmatch(number)
        if digits is None or int(digits[1]) >= 2**64:
            what = "excluded" if negative else "required"
            return Exclusion("major-version", f"invalid {what} major version in annotation: value out of range")
        (excluded if negative else required).add(int(digits[1]))
    major = filters.major_version
    if required & excluded:
        return Exclusion("major-version", f"major version {min(required & excluded)} is both required and excluded")
    if major in required:
        return None
    if major in excluded:
        return Exclusion("major-version", f"major version {major} matches excluded version {major}")
    if required:
        return Exclusion("major-version", f"major version {major} does not match any required versions")
    return None


def _profile(annotations: Mapping[str, str], filters: Filters) -> Exclusion | None:
    if filters.profile is None:
        return None
    key = f"{INCLUDE}{filters.profile}"
    if key not in annotations:
        slip = slip_of(key, annotations)
        return Exclusion("profile", f"{key} unset" + (f", {slip} is set" if slip else ""), slip is not None)
    if annotations[key] != "true":
        return Exclusion("profile", f"unrecognized value {key}={annotations[key]}", True)
    return None


def _capability(annotations: Mapping[str, str], filters: Filters, *, allow_unknown: bool) -> Exclusion | None:
    if filters.capabilities is None:
        return None
    names = capability_names(annotations)
    unknown = [n for n in names if n not in filters.capabilities.known]
    if unknown and not allow_unknown:
        return Exclusion("capability", f"unrecognized capability names: {', '.join(unknown)}", True)
    disabled = [n for n in names if n not in filters.capabilities.enabled]
    if disabled:
        return Exclusion("capability", f"disabled capabilities: {', '.join(disabled)}")
    return None


def _override(manifest: Includable, filters: Filters) -> Exclusion | None:
    for override in filters.overrides:
        if (override.group, override.kind, override.name) != (manifest.group, manifest.kind, manifest.name):
            continue
        if manifest.namespace and override.namespace != manifest.namespace:
            continue
        return Exclusion("override", "overridden") if override.unmanaged else None
    return None

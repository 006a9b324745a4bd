"""By what one release of a path selects: capabilities, feature set, gates, and what an update enables by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

from upgrade_gate.base import versions
from upgrade_gate.base.facts import Known, Unknown, known_or
from upgrade_gate.requests.capabilities import (
    FIRST_RELEASE,
    capabilities_of,
    implicitly_enabled,
    known_to,
    set_members,
    table,
)
from upgrade_gate.requests.feature_gates import default_feature_set, gates_of
from upgrade_gate.requests.inclusion import Filters, capability_names, include, rule_set

if TYPE_CHECKING:
    from upgrade_gate.cluster.model import ClusterCapabilities
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.requests.inclusion import Capabilities
    from upgrade_gate.requests.selection_context import SelectionContext


class Frame(Struct, frozen=True):
    """One release with what it is selected by."""

    payload: Payload
    filters: Filters
    feature_set: str
    implicit: tuple[str, ...] = ()
    unknowns: dict[str, Unknown] = field(default_factory=dict)


def frame_of_start(payload: Payload, context: SelectionContext) -> Frame:
    """Frame the current release: by the cluster's status if the cluster runs it, else as any other release."""
    stated, under_way = (
        (context.cluster.feature_gates, context.cluster.updating_to) if context.cluster else (None, None)
    )
    feature_set = _feature_set(payload, context)
    unknowns: dict[str, Unknown] = {}
    gates = gates_of(payload, context.profile, feature_set, _custom_gates(context))
    if context.running == payload.version and isinstance(stated, Known):
        gates = stated.value
    capabilities, implicit = _current_capabilities(payload, context, gates, unknowns)
    elsewhere = context.running is not None and payload.version not in ("", context.running)
    if elsewhere and under_way != Known(payload.version):
        unknowns["running release"] = Unknown(
            f"the cluster runs {context.running}, but --from is {payload.version}",
            f"give --from {context.running}",
        )
    return Frame(payload, _filters(payload, context, feature_set, gates, capabilities), feature_set, implicit, unknowns)


def _current_capabilities(
    payload: Payload, context: SelectionContext, gates: frozenset[str] | None, unknowns: dict[str, Unknown]
) -> tuple[Capabilities | None, tuple[str, ...]]:
    stated = context.cluster.capabilities if context.cluster else None
    if isinstance(stated, Known) and context.running == payload.version and payload.minor >= FIRST_RELEASE:
        value: ClusterCapabilities = stated.value
        members = set_members(payload, value.baseline)
        wanted = (members if members is not None else value.enabled) | value.additional
        return capabilities_of(value.enabled, value.known, None), tuple(sorted(value.enabled - wanted))
    implicit = _implicit_today(context)
    return _stated_or_all(payload, context, implicit, gates, unknowns), implicit


def _implicit_today(context: SelectionContext) -> tuple[str, ...]:
    """Return what the running release enables beyond its spec: CVO never takes that back."""
    stated = context.cluster.capabilities if context.cluster else None
    if not isinstance(stated, Known) or context.running is None:
        return ()
    minor = versions.minor_of(context.running)
    sets = next((row[1] for release, row in table().releases.items() if release == minor), {})
    members = sets.get(stated.value.baseline or "vCurrent", frozenset())
    return tuple(sorted(stated.value.enabled - members - stated.value.additional))


def frame_of_target(payload: Payload, frame: Frame, context: SelectionContext) -> Frame:
    """Frame a target release: its own tables and gates, and what this update enables by itself."""
    feature_set = _feature_set(payload, context)
    unknowns: dict[str, Unknown] = {}
    gates = gates_of(payload, context.profile, feature_set, _custom_gates(context))
    bare = _filters(payload, context, feature_set, gates, None)
    implicit = frame.implicit
    running = rule_set(frame.filters, frame.payload.minor)
    if running.capabilities is not None:
        rules = rule_set(bare, payload.minor)
        # only a manifest that asks for capabilities can enable one: most ask for none
        loaded = [m for m in payload.manifests if capability_names(m.annotations) and include(m, rules) is None]
        implicit = implicitly_enabled(loaded, frame.payload.manifests, running, frame.implicit)
    capabilities = _stated_or_all(payload, context, implicit, gates, unknowns)
    return Frame(payload, _filters(payload, context, feature_set, gates, capabilities), feature_set, implicit, unknowns)


def _stated_or_all(
    payload: Payload,
    context: SelectionContext,
    implicit: tuple[str, ...],
    gates: frozenset[str] | None,
    unknowns: dict[str, Unknown],
) -> Capabilities | None:
    """Return what a release enables for this cluster's spec, or everything it knows where nobody says otherwise."""
    known = known_to(payload)
    if known is None:
        if payload.minor >= FIRST_RELEASE:
            unknowns[f"capabilities of {payload.version}"] = Unknown(
                f"the release has no ClusterVersion CRD, and the built-in table of capabilities ends at {_newest()}",
                "update upgrade-gate, or give the whole release",
            )
        return None
    enabled = known
    if context.given.capabilities is not None:
        enabled = frozenset(context.given.capabilities) | frozenset(implicit)
    elif context.cluster is not None and isinstance(context.cluster.capabilities, Known):
        stated = context.cluster.capabilities.value
        members = set_members(payload, stated.baseline)
        if members is None:
            unknowns[f"capabilities of {payload.version}"] = Unknown(
                f"baselineCapabilitySet {stated.baseline} of {payload.version} is not in the built-in table, "
                f"which ends at {_newest()}",
                "update upgrade-gate, which brings a newer table",
            )
            members = known
        enabled = members | stated.additional | frozenset(implicit)
    return capabilities_of(enabled, known, gates)


def _newest() -> str:
    """Return the last release of the built-in table."""
    return ".".join(map(str, table().newest))


def _filters(
    payload: Payload,
    context: SelectionContext,
    feature_set: str,
    gates: frozenset[str] | None,
    capabilities: Capabilities | None,
) -> Filters:
    cluster = context.cluster
    return Filters(
        exclude_identifier=known_or(cluster.excluded, None) if cluster else None,
        feature_set=feature_set,
        profile=context.profile,
        capabilities=capabilities,
        overrides=cluster.overrides.value if cluster and isinstance(cluster.overrides, Known) else (),
        gates=gates,
        major_version=payload.minor[0],
    )


def _feature_set(payload: Payload, context: SelectionContext) -> str:
    return context.feature_set or default_feature_set(payload)


def _custom_gates(context: SelectionContext) -> tuple[frozenset[str], frozenset[str]] | None:
    return known_or(context.cluster.custom_gates, None) if context.cluster else None

"""The path of updates: by what each release is selected on this cluster, and what each hop changes.

The running release is judged by the cluster's own status, the target by its own tables, gates and the capabilities
that the update enables by itself (design section 4). A later hop starts from what the earlier one leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate.base import versions
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.facts import Fact, Known, Unknown, known_or
from upgrade_gate.base.platforms import DEFAULT_PROFILE, by_name
from upgrade_gate.requests import diff
from upgrade_gate.requests.capabilities import (
    FIRST_RELEASE,
    capabilities_of,
    implicitly_enabled,
    known_to,
    set_members,
    table,
)
from upgrade_gate.requests.feature_gates import default_feature_set, gates_of
from upgrade_gate.requests.inclusion import (
    INCLUDE,
    KNOWN_FEATURE_SETS,
    Filters,
    capability_names,
    include,
    rule_set,
)
from upgrade_gate.requests.selection import Malformed, Selection, select
from upgrade_gate.requests.update import Hop, kind_of, support

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import ClusterCapabilities
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.requests.inclusion import Capabilities
    from upgrade_gate.requests.update import Given, HopKind

__all__ = ["Context", "compare", "context"]

UNKNOWN_PLATFORM = ""


class Context(Struct, frozen=True):
    """By what requests are selected on this cluster, as far as it is the same for every release."""

    platform: str
    """Empty where it is not known: then no request of a known kind applies, and the verdict cannot be pass."""
    profile: str
    feature_set: str | None
    """None: the release's default."""
    given: Given
    cluster: Cluster | None
    running: str | None
    """Version that the cluster runs."""
    has_edge: Callable[[str, str], bool] | None = None
    """Asks the update graph that was named; None where none was."""

    @property
    def given_capabilities(self) -> tuple[str, ...] | None:
        """Capabilities named on the command line."""
        return self.given.capabilities


class _Frame(Struct, frozen=True):
    """One release with what it is selected by."""

    payload: Payload
    filters: Filters
    feature_set: str
    implicit: tuple[str, ...] = ()
    unknowns: dict[str, Unknown] = field(default_factory=dict)


def context(cluster: Cluster | None, given: Given, has_edge: Callable[[str, str], bool] | None = None) -> Context:
    """Join what the cluster says with what the user says.

    Raises UsageError where an option contradicts a known fact, or where neither names the platform.
    """
    platform = _settle("--platform", given.platform, cluster.platform if cluster else None)
    profile = _settle("--profile", given.profile, cluster.profile if cluster else None)
    feature_set = _settle("--feature-set", given.feature_set, cluster.feature_set if cluster else None)
    if cluster is None and platform is None:
        raise UsageError("without a cluster nobody says which platform is meant", hint="give --platform")
    known = by_name(platform) if platform else None
    if feature_set is not None:
        spelt = {known_set.casefold(): known_set for known_set in KNOWN_FEATURE_SETS}
        feature_set = spelt.get(feature_set.casefold(), feature_set)
    if cluster is None and known is None:
        raise UsageError(f"--platform {platform}: nobody knows this platform")
    return Context(
        platform=known.name if known else platform or UNKNOWN_PLATFORM,
        profile=profile or DEFAULT_PROFILE,
        feature_set=feature_set,
        given=given,
        cluster=cluster,
        has_edge=has_edge,
        running=known_or(cluster.newest_completed, None) if cluster else None,
    )


def _settle(option: str, given: str | None, fact: Fact[str] | None) -> str | None:
    if isinstance(fact, Known):
        if given is not None and given.casefold() != fact.value.casefold():
            raise UsageError(f"{option} {given} contradicts the cluster, which says {fact.value or 'Default'}")
        return fact.value
    return given


def compare(payloads: Sequence[Payload], context: Context) -> tuple[Hop, ...]:
    """Judge each step of the path; `payloads` are from, via and to, at least two of them.

    Raises UsageError where an option names a profile, feature set or capability that none of the releases knows: a
    slip of the pen there would leave requests out without a word.
    """
    _check_names(payloads, context)
    frame = _first(payloads[0], context)
    hops: list[Hop] = []
    for index, new in enumerate(payloads[1:]):
        target = _target(frame, new, context)
        hops.append(_hop(index, frame, target, context))
        frame = target
    return tuple(hops)


def _check_names(payloads: Sequence[Payload], context: Context) -> None:
    if context.given.profile is not None:
        manifests = (m for p in payloads for m in p.manifests)
        included = {key for m in manifests for key in m.annotations or () if key.startswith(INCLUDE)}
        if included and f"{INCLUDE}{context.profile}" not in included:
            raise UsageError(
                f"--profile {context.given.profile}: no manifest of these releases is for it",
                hint=", ".join(sorted(key.removeprefix(INCLUDE) for key in included)),
            )
    if context.given.feature_set is not None and context.feature_set not in {*KNOWN_FEATURE_SETS, "LatencySensitive"}:
        raise UsageError(
            f"--feature-set {context.given.feature_set} is none", hint=", ".join(sorted(KNOWN_FEATURE_SETS))
        )
    names = frozenset(context.given_capabilities or ())
    known_names = [known for p in payloads if (known := known_to(p)) is not None]
    unknown = names.difference(*known_names) if known_names else frozenset[str]()
    if unknown:
        listed = ", ".join(sorted(frozenset[str]().union(*known_names), key=str.casefold))
        raise UsageError(f"--capabilities {', '.join(sorted(unknown))}: these releases know none such", hint=listed)
    stated = context.cluster.capabilities if context.cluster else None
    if context.given_capabilities is not None and isinstance(stated, Known) and names != stated.value.enabled:
        raise UsageError(
            "--capabilities contradicts the cluster, whose ClusterVersion says what is enabled",
            hint=f"leave it out; enabled are {', '.join(sorted(stated.value.enabled, key=str.casefold)) or 'none'}",
        )


def _first(payload: Payload, context: Context) -> _Frame:
    """Frame the current release: by the cluster's status if the cluster runs it, else as any other release."""
    cluster = context.cluster
    feature_set = _feature_set(payload, context)
    unknowns: dict[str, Unknown] = {}
    gates = gates_of(payload, context.profile, feature_set, _custom_gates(context))
    if cluster is not None and context.running == payload.version and isinstance(cluster.feature_gates, Known):
        gates = cluster.feature_gates.value
    capabilities, implicit = _current_capabilities(payload, context, gates, unknowns)
    if context.running and payload.version and context.running != payload.version and not _under_way(payload, context):
        unknowns["running release"] = Unknown(
            f"the cluster runs {context.running}, and the path begins at {payload.version}: what is granted today was "
            "granted for another release",
            f"give --from {context.running}",
        )
    return _Frame(
        payload, _filters(payload, context, feature_set, gates, capabilities), feature_set, implicit, unknowns
    )


def _current_capabilities(
    payload: Payload, context: Context, gates: frozenset[str] | None, unknowns: dict[str, Unknown]
) -> tuple[Capabilities | None, tuple[str, ...]]:
    stated = context.cluster.capabilities if context.cluster else None
    if isinstance(stated, Known) and context.running == payload.version and payload.minor >= FIRST_RELEASE:
        value: ClusterCapabilities = stated.value
        members = set_members(payload, value.baseline)
        wanted = (members if members is not None else value.enabled) | value.additional
        return capabilities_of(value.enabled, value.known, None), tuple(sorted(value.enabled - wanted))
    implicit = _implicit_today(context)
    return _stated_or_all(payload, context, implicit, gates, unknowns), implicit


def _implicit_today(context: Context) -> tuple[str, ...]:
    """Return what the running release enables beyond its spec: CVO never takes that back."""
    stated = context.cluster.capabilities if context.cluster else None
    if not isinstance(stated, Known) or context.running is None:
        return ()
    entry = table().releases.get(versions.minor_of(context.running) or (0, 0))
    sets = {**entry[1], "vCurrent": entry[0]} if entry else {}
    members = sets.get(stated.value.baseline or "vCurrent", frozenset())
    return tuple(sorted(stated.value.enabled - members - stated.value.additional))


def _under_way(payload: Payload, context: Context) -> bool:
    """Return whether the release is the one of an update that has not completed."""
    return context.cluster is not None and context.cluster.updating_to == Known(payload.version)


def _target(frame: _Frame, payload: Payload, context: Context) -> _Frame:
    """Frame a target release: its own tables and gates, and what this update enables by itself."""
    feature_set = _feature_set(payload, context)
    unknowns: dict[str, Unknown] = {}
    gates = gates_of(payload, context.profile, feature_set, _custom_gates(context))
    bare = _filters(payload, context, feature_set, gates, None)
    implicit = frame.implicit
    running = rule_set(frame.filters, frame.payload.minor)
    if running.capabilities is not None or payload.minor >= FIRST_RELEASE:
        rules = rule_set(bare, payload.minor)
        # only a manifest that asks for capabilities can enable one: most ask for none
        loaded = [m for m in payload.manifests if capability_names(m.annotations) and include(m, rules) is None]
        implicit = implicitly_enabled(loaded, frame.payload.manifests, running, frame.implicit)
    capabilities = _stated_or_all(payload, context, implicit, gates, unknowns)
    return _Frame(
        payload, _filters(payload, context, feature_set, gates, capabilities), feature_set, implicit, unknowns
    )


def _stated_or_all(
    payload: Payload,
    context: Context,
    implicit: tuple[str, ...],
    gates: frozenset[str] | None,
    unknowns: dict[str, Unknown],
) -> Capabilities | None:
    """Return what a release enables for this cluster's spec, or everything it knows where nobody says otherwise."""
    known = known_to(payload)
    if known is None:
        if payload.minor >= FIRST_RELEASE:
            newest = ".".join(map(str, table().newest))
            unknowns[f"capabilities of {payload.version}"] = Unknown(
                f"the payload carries no ClusterVersion CRD, and the table of capabilities ends at {newest}",
                "update upgrade-gate, or give the whole payload",
            )
        return None
    enabled = known
    if context.given_capabilities is not None:
        enabled = frozenset(context.given_capabilities) | frozenset(implicit)
    elif context.cluster is not None and isinstance(context.cluster.capabilities, Known):
        stated = context.cluster.capabilities.value
        members = set_members(payload, stated.baseline)
        if members is None:
            newest = ".".join(map(str, table().newest))
            unknowns[f"capabilities of {payload.version}"] = Unknown(
                f"baselineCapabilitySet {stated.baseline} of {payload.version} is not in the table, "
                f"which ends at {newest}",
                "update upgrade-gate (table of capabilities)",
            )
            members = known
        enabled = members | stated.additional | frozenset(implicit)
    return capabilities_of(enabled, known, gates)


def _filters(
    payload: Payload,
    context: Context,
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


def _feature_set(payload: Payload, context: Context) -> str:
    return context.feature_set or default_feature_set(payload)


def _custom_gates(context: Context) -> tuple[frozenset[str], frozenset[str]] | None:
    return known_or(context.cluster.custom_gates, None) if context.cluster else None


def _hop(index: int, frame: _Frame, target: _Frame, context: Context) -> Hop:
    old_selection = select(frame.payload, context.platform, frame.filters)
    new_selection = select(target.payload, context.platform, target.filters)
    old_selection, old_malformed = _understood(old_selection)
    new_selection, new_malformed = _understood(new_selection)
    kind = _kind(frame.payload, target.payload)
    supported, reason = _support(kind, frame.payload, target.payload, context)
    unknowns = {**(frame.unknowns if index == 0 else {}), **target.unknowns}
    for selection, payload in ((old_selection, frame.payload), (new_selection, target.payload)):
        if selection.gated:
            unknowns[f"feature gates of {payload.version}"] = Unknown(
                f"{', '.join(selection.gated)} hang on feature gates, and no FeatureGate manifest of the payload "
                f"is for profile {context.profile} and feature set {target.feature_set}",
                "give the whole payload",
            )
    sides: list[tuple[Literal["from", "to"], Malformed]] = [("from", m) for m in old_malformed]
    sides += [("to", m) for m in new_malformed]
    return Hop(
        index=index,
        kind=kind,
        supported=supported,
        unsupported_reason=reason,
        old=frame.payload,
        new=target.payload,
        old_selection=old_selection,
        new_selection=new_selection,
        old_filters=frame.filters,
        new_filters=target.filters,
        feature_set=target.feature_set,
        implicit=target.implicit,
        newly_implicit=tuple(n for n in target.implicit if n not in frame.implicit),
        changes=diff.compare(old_selection, new_selection),
        malformed=tuple(sides),
        unknowns=unknowns,
    )


def _understood(selection: Selection) -> tuple[Selection, tuple[Malformed, ...]]:
    """Take out the requests whose provider spec has a shape that nobody understands, and name them as malformed."""
    malformed = list(selection.malformed)
    requests = dict(selection.requests)
    for name, selected in selection.requests.items():
        try:
            _ = selected.request.grants  # read here, so that what is malformed is noticed here
        except ValueError as error:
            malformed.append(Malformed(name, selected.request.location, str(error)))
            del requests[name]
    return replace(selection, requests=requests), tuple(malformed)


def _support(kind: HopKind, old: Payload, new: Payload, context: Context) -> tuple[bool, str]:
    edges = set(new.previous)
    offers = known_or(context.cluster.offers, None) if context.cluster else None
    if any(offer.version == new.version for offer in offers or ()) and context.running:
        edges.add(context.running)
    if kind == "major" and old.version not in edges and context.has_edge and context.has_edge(old.version, new.version):
        edges.add(old.version)
    return support(kind, old.version, new.version, edges)


def _kind(old: Payload, new: Payload) -> HopKind:
    """Return the kind of a hop; where a payload hides its version (and is unreadable for it), the strict reading."""
    try:
        return kind_of(old.version, new.version)
    except ValueError:
        return "minor"

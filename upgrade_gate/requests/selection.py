"""Which CredentialsRequests a release really applies on this cluster, and why the others are left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.base.errors import ManifestError
from upgrade_gate.base.platforms import platform_of_kind
from upgrade_gate.clouds.contract.grants import canonical
from upgrade_gate.requests.credentials_request import CredentialsRequest, is_credentials_request, parse
from upgrade_gate.requests.inclusion import (
    DELETE,
    FEATURE_GATE,
    Filters,
    has_include_annotation,
    include,
    rule_set,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.payloads.payload import Location, Manifest, Payload

_DECIDING = re.compile(r"(apiVersion|kind|metadata|spec\.providerSpec\.kind)($|[.\[])|spec($|\.providerSpec$)")
"""Keys that decide whether a request applies here: which of two values counts cannot be known."""

Taken: TypeAlias = Literal["applied", "unannotated", "overridden"]
"""Why a request takes part: CVO applies it, or its component reads the Secret though CVO never applies it, or though
`spec.overrides` tells CVO to leave the cluster's own object alone."""
Status: TypeAlias = Literal["applied", "unannotated", "overridden", "excluded"]


class Decision(Struct, frozen=True):
    """What became of one document of one request."""

    request: str
    status: Status
    reason: str
    """`platform`, `delete`, or the filter that left it out; empty where it is applied all the same."""
    detail: str
    location: Location
    kind: str
    unrecognised: bool = False
    """Whether it is left out by a value that is outside its closed list."""


class Selected(Struct, frozen=True):
    """A request that takes part: applied by CVO, or not, and its component reads the Secret all the same."""

    request: CredentialsRequest
    status: Taken
    locations: tuple[Location, ...]
    """Every document that defines it; the first one is `request`'s."""


class Conflict(Struct, frozen=True):
    """Definitions of one request that contradict each other, inside one payload."""

    request: str
    locations: tuple[Location, ...]
    detail: str


class MalformedRequest(Struct, frozen=True):
    """A request that cannot be understood."""

    request: str
    location: Location
    reason: str


class Selection(Struct, frozen=True):
    """The outcome for one release."""

    requests: Mapping[str, Selected]
    """By `ns/name`, sorted."""
    decisions: tuple[Decision, ...]
    """One for each document of a request that is not in `requests`, sorted."""
    conflicts: tuple[Conflict, ...]
    malformed: tuple[MalformedRequest, ...]
    deleted: frozenset[str]
    """Requests that CVO deletes here."""
    carried: frozenset[str]
    """Every request that the payload carries, of any cloud, before any filter."""
    gated: tuple[str, ...]
    """Requests whose selection hangs on feature gates that are not known."""

    @property
    def uncertain(self) -> frozenset[str]:
        """Requests of which it is not certain what they ask for: they contradict themselves, or nobody understands."""
        return frozenset({c.request for c in self.conflicts} | {m.request for m in self.malformed})

    def status(self, request: str) -> tuple[str, str]:
        """Return `applied`, `unannotated`, `overridden`, `excluded` or `absent`, and the reason in words."""
        if request in self.requests:
            return self.requests[request].status, ""
        for decision in self.decisions:
            if decision.request == request:
                return "excluded", decision.detail
        return "absent", ""


def select(payload: Payload, platform: str, filters: Filters) -> Selection:
    """Decide for every CredentialsRequest of a payload.

    `filters` are the cluster's; those that the release does not have are turned off here. Never raises for a bad
    document: what cannot be understood is listed as malformed, unless another filter leaves it out anyway.
    """
    rules = rule_set(filters, payload.minor)
    picked: dict[str, list[Selected]] = {}
    decisions: list[Decision] = []
    malformed: list[MalformedRequest] = []
    conflicts: list[Conflict] = []
    carried: set[str] = set()
    gated: set[str] = set()
    for manifest in filter(is_credentials_request, payload.manifests):
        name = f"{manifest.namespace}/{manifest.name}"
        if _deletes(manifest):
            decisions.append(_deletion(_decide(manifest, name, "", platform, rules)))
            continue
        carried.add(name)
        match _sort(manifest, name, platform, rules):
            case Decision() as left_out:
                decisions.append(left_out)
            case MalformedRequest() as unread:
                malformed.append(unread)
            case Conflict() as conflict:
                conflicts.append(conflict)
            case Selected() as selected:
                picked.setdefault(name, []).append(selected)
                if _gates_unknown(manifest, filters, payload.minor):
                    gated.add(name)
                if manifest.duplicate_keys:
                    conflicts.append(_said_twice(manifest, name))
    merged = {name: _one(name, picked[name]) for name in sorted(picked)}
    requests = {name: selected for name, (selected, _) in merged.items()}
    conflicts += [conflict for _, conflict in merged.values() if conflict]
    left = {d for d in decisions if d.request not in requests}
    unclear = _unclear(requests)
    return Selection(
        requests={name: s for name, s in requests.items() if name not in unclear},
        decisions=tuple(sorted(left, key=lambda d: (d.request, d.location, d.reason))),
        conflicts=tuple(sorted(conflicts, key=lambda c: (c.request, c.locations))),
        malformed=(*malformed, *unclear.values()),
        deleted=frozenset({d.request for d in decisions if d.reason == "delete"} - requests.keys()),
        carried=frozenset(carried),
        gated=tuple(sorted(gated)),
    )


def _sort(
    manifest: Manifest, name: str, platform: str, rules: Filters
) -> Selected | Decision | MalformedRequest | Conflict:
    """Decide about one document: taken, left out, not understood, or in contradiction with itself."""
    if any(_DECIDING.match(key) for key in manifest.duplicate_keys):
        return _said_twice(manifest, name)
    try:
        request = parse(manifest)
    except ManifestError as error:
        decision = _decide(manifest, name, "", platform, rules)
        return decision if decision.status == "excluded" else MalformedRequest(name, manifest.location, error.message)
    decision = _decide(manifest, name, request.provider_kind, platform, rules)
    if decision.unrecognised:
        where = f"{manifest.location.file}:{manifest.location.line}"
        return MalformedRequest(name, manifest.location, f"{where}: {decision.detail}")
    return decision if decision.status == "excluded" else Selected(request, decision.status, (manifest.location,))


def _said_twice(manifest: Manifest, name: str) -> Conflict:
    keys = ", ".join(manifest.duplicate_keys)
    return Conflict(name, (manifest.location,), f"keys stand twice with differing values: {keys}")


def _unclear(requests: Mapping[str, Selected]) -> dict[str, MalformedRequest]:
    """Return the requests whose provider spec has a shape that nobody understands."""
    found: dict[str, MalformedRequest] = {}
    for name, selected in requests.items():
        try:
            _ = selected.request.grants  # read here, so that what is malformed is noticed here
        except ValueError as error:
            found[name] = MalformedRequest(name, selected.request.location, str(error))
    return found


def _deletes(manifest: Manifest) -> bool:
    return (manifest.annotations or {}).get(DELETE) == "true"


def _deletion(decision: Decision) -> Decision:
    """Return the decision on a delete manifest: what CVO would apply here, it deletes."""
    if decision.status == "overridden":
        return replace(decision, status="excluded")
    if decision.status != "applied":
        return decision
    return replace(decision, status="excluded", reason="delete", detail=f"{DELETE}=true")


def _gates_unknown(manifest: Manifest, filters: Filters, release: tuple[int, int]) -> bool:
    return release >= (4, 22) and filters.gates is None and bool((manifest.annotations or {}).get(FEATURE_GATE))


def _decide(manifest: Manifest, name: str, kind: str, platform: str, rules: Filters) -> Decision:
    def excluded(reason: str, detail: str) -> Decision:
        return Decision(name, "excluded", reason, detail, manifest.location, kind)

    owner = platform_of_kind(kind)
    if owner is not None and owner.name.casefold() != platform.casefold():
        return excluded("platform", f"{kind} is for {owner.name}, not for {platform}")
    exclusion = include(manifest, rules)
    if exclusion is None:
        return Decision(name, "applied", "", "", manifest.location, kind)
    if exclusion.reason == "override":  # CVO's last filter: all others let it pass
        detail = "spec.overrides says unmanaged: CVO leaves the cluster's object alone and updates its component"
        return Decision(name, "overridden", exclusion.reason, detail, manifest.location, kind)
    if not has_include_annotation(manifest.annotations) and not _deletes(manifest):
        # CVO never applies it, and its component reads the Secret all the same
        rest = include(manifest, replace(rules, profile=None, needs_annotations=False, overrides=()))
        if rest is None:
            return Decision(name, "unannotated", "", "", manifest.location, kind)
        exclusion = rest
    return replace(excluded(exclusion.reason, exclusion.detail), unrecognised=exclusion.unrecognised)


def _one(name: str, candidates: Sequence[Selected]) -> tuple[Selected, Conflict | None]:
    """Fold equal definitions into one; applied ones stand before unannotated ones."""
    ordered = sorted(candidates, key=lambda s: (s.status != "applied", s.locations))
    first = ordered[0]
    locations = tuple(place for candidate in ordered for place in candidate.locations)
    specs = {canonical(candidate.request.spec) for candidate in ordered}
    merged = replace(first, locations=locations)
    if len(specs) == 1:
        return merged, None
    return merged, Conflict(name, locations, f"{len(ordered)} documents define {name} differently")

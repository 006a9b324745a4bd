"""The last guard before a pass: what must hold, whatever the rules found, and whoever lowered or accepted it.

No rule is asked here and no rule's reasoning is shared: each invariant is read anew from the selections, the payloads
and the facts, so that a rule that is broken or lowered by a policy lets nothing through (docs/contract.md#verdict).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Known, Unknown
from upgrade_gate.base.platforms import (
    ALWAYS_SERVED,
    CREDENTIALS_MODES,
    FEATURE_SETS,
    PLATFORMS,
    PROFILES,
    TOPOLOGIES,
)
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.cluster.facts_table import TITLES
from upgrade_gate.gate.findings import Evidence, Finding, Severity, Status
from upgrade_gate.gate.verdict import WeighedFinding, stops
from upgrade_gate.requests.retirements import retired

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.gate.verdict import Weights
    from upgrade_gate.requests.update import Hop

_NAMES = frozenset(platform.name for platform in PLATFORMS.values())
_CLOSED: Mapping[str, Collection[str]] = MappingProxyType(
    {
        "platform": _NAMES,
        "topology": TOPOLOGIES,
        "profile": PROFILES,
        "feature_set": FEATURE_SETS,
        "credentials_mode": CREDENTIALS_MODES,
    }
)
"""The facts that are one of a closed list, and the list."""
_STATED = ("operator", "history")
"""The facts that hold states of closed lists besides."""


def guarded(judged: tuple[WeighedFinding, ...], situation: Situation, weights: Weights) -> tuple[WeighedFinding, ...]:
    """Return the findings as they are where one of them stops the upgrade; else with what forbids a pass.

    What is added is open, of severity unknown, and neither a policy nor an acknowledgement reaches it.
    """
    if any(stops(item, weights) for item in judged):
        return judged
    broken = (*_unserved(situation), *_vanished(situation, judged), *_outside(situation))
    return (*(WeighedFinding(_finding(*one), Status.OPEN) for one in broken), *judged)


def _finding(subject: str, text: str, hop: int, evidence: Evidence) -> Finding:
    return Finding(
        rule="pass-withheld",
        severity=Severity.UNKNOWN,
        headline=f"pass withheld: {text}",
        content=None,
        subject=subject,
        hop=hop,
        evidence=(evidence,),
        acknowledgeable=False,
    )


def _unserved(situation: Situation) -> Iterator[tuple[str, str, int, Evidence]]:
    """Yield each release that asks for nothing on a platform for which every release holds requests."""
    if situation.platform not in ALWAYS_SERVED:
        return
    kind = PLATFORMS[situation.platform.casefold()].kind
    sides = [("to", hop.new, hop.new_selection, hop) for hop in situation.hops]
    sides[:0] = [("from", hop.old, hop.old_selection, hop) for hop in situation.hops[:1]]
    for side, payload, selection, hop in sides:
        if all(selected.request.provider_kind != kind for selected in selection.requests.values()):
            text = (
                f"{payload.version} applies no CredentialsRequest for {situation.platform}, although every "
                "release has some"
            )
            yield payload.reference, text, hop.index, Evidence(side, "release-metadata")


def _vanished(situation: Situation, judged: Sequence[WeighedFinding]) -> Iterator[tuple[str, str, int, Evidence]]:
    """Yield each request that CVO applies today and of which a target without a digest holds no manifest.

    A person who acknowledged exactly this request has said that it is right (docs/contract.md#whole-or-not).
    """
    accepted = {
        request
        for item in judged
        if item.finding.rule == "payload-incomplete" and item.status is Status.ACKNOWLEDGED
        for what, request in item.finding.content
        if what == "request"
    }
    for hop in situation.hops:
        for name in sorted(() if hop.new.whole else _gone(hop) - accepted):
            text = f"{hop.old.version} applies {name}, and no manifest of {hop.new.version} mentions it"
            yield f"{hop.new.reference} {name}", text, hop.index, Evidence("to", "image-references")


def _gone(hop: Hop) -> set[str]:
    """Return the applied requests of which the target says nothing: no manifest, no rename, no known retirement.

    A manifest that deletes a request for another profile says nothing of this one.
    """
    spoken_of = hop.new_selection.carried | hop.new_selection.deleted
    spoken_of |= {d.request for d in hop.new_selection.decisions if d.reason == "override"}
    taken_over = {
        (selected.request.provider_kind, selected.request.secret)
        for name, selected in hop.new_selection.requests.items()
        if name not in hop.old_selection.requests
    }
    return {
        name
        for name, selected in hop.old_selection.requests.items()
        if name not in spoken_of
        and (selected.request.provider_kind, selected.request.secret) not in taken_over
        and not retired(selected.request.provider_kind, name, hop.old.version, hop.new.version)
    }


def _outside(situation: Situation) -> Iterator[tuple[str, str, int, Evidence]]:
    """Yield each closed enumeration that was outside its list: as the cluster says it, and as it was judged."""
    if situation.cluster is not None:
        yield from _outside_of_cluster(situation.cluster)
    judged_by = [("platform", situation.platform), ("profile", situation.profile)]
    judged_by += [("feature_set", hop.feature_set) for hop in situation.hops]
    for name, value in judged_by:
        if value not in _CLOSED[name]:
            text = f"{value!r} was taken for the {name.replace('_', ' ')}, and there is none of that name"
            yield f"judged by {name}", text, 0, Evidence("cluster", name)
    if situation.mode is Mode.UNKNOWN:
        yield "judged by mode", "the mode in which CCO works is not known", 0, Evidence("cluster", "mode")


def _outside_of_cluster(cluster: Cluster) -> Iterator[tuple[str, str, int, Evidence]]:
    for name in (*_CLOSED, *_STATED):
        fact, place = cluster.facts[name], Evidence("cluster", TITLES[name])
        if isinstance(fact, Unknown) and fact.read:
            yield name, fact.reason, 0, place
        elif isinstance(fact, Known) and name in _CLOSED and fact.value not in _CLOSED[name]:
            yield name, f"{TITLES[name]} says {fact.value!r}, which is not a value that exists", 0, place

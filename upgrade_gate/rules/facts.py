"""Facts that could change the verdict and could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.cluster import FIELD_ROWS
from upgrade_gate.facts import Unknown
from upgrade_gate.findings import Evidence, Finding, RemedyStep, Rule, Severity
from upgrade_gate.inclusion import capability_names
from upgrade_gate.rules.secrets import unchanged_secrets
from upgrade_gate.situation import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.situation import Situation

RULES = (
    Rule(
        "fact-unknown",
        Severity.UNKNOWN,
        "A fact that could change the verdict could not be read",
        "The finding names what was not read and the permission or file that would make it known. One finding for each "
        "fact; what is already a need of an open finding is not repeated here. An unknown platform, mode or version "
        "cannot be acknowledged.",
    ),
)

_NEVER = frozenset({"platform", "mode", "version", "newest_completed"})
"""Facts without which no verdict can rest on anything (design section 3.4)."""


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield one finding for each fact that is needed and unknown."""
    seen: set[str] = set()
    for name, fact, acknowledgeable in _needed(situation):
        if name in seen:
            continue
        seen.add(name)
        yield Finding(
            rule="fact-unknown",
            severity=Severity.UNKNOWN,
            headline=f"{name} is not known: {fact.reason}",
            content=name,
            subject=name,
            evidence=(Evidence("cluster", name),),
            remedy=(RemedyStep(fact.remedy, "before"),) if fact.remedy else (),
            acknowledgeable=acknowledgeable,
        )


def _needed(situation: Situation) -> Iterator[tuple[str, Unknown, bool]]:
    for hop in situation.hops:
        for name, unknown in sorted(hop.unknowns.items()):
            yield name, unknown, False
    cluster = situation.cluster
    if cluster is None or not situation.hops:
        return
    for name in _fields(situation):
        fact = getattr(cluster, name)
        if isinstance(fact, Unknown):
            yield FIELD_ROWS.get(name, name), fact, name not in _NEVER
    if situation.mode in (Mode.MINT, Mode.PASSTHROUGH) and isinstance(cluster.root_secret, Unknown):
        traits = situation.platform_traits
        yield f"Secret kube-system/{traits.root_secret if traits else '?'}", cluster.root_secret, True
    if situation.mode.by_hand:
        for secret, _ in unchanged_secrets(situation):
            fact = cluster.secrets.get(secret, Unknown("it was not read"))
            if isinstance(fact, Unknown):
                yield f"Secrets of {secret.namespace}", fact, True


def _fields(situation: Situation) -> Iterator[str]:
    """Yield the facts that could change this verdict: what selection, mode and blocking rules rest on."""
    given = situation.given
    yield "newest_completed"
    yield "history"
    if given.platform is None:
        yield "platform"
    yield "topology"
    if given.mode is None and situation.mode is Mode.UNKNOWN:
        yield "mode"
    if situation.mode is not Mode.ABSENT:
        yield "operator"
    if given.profile is None:
        yield "profile"
    yield "excluded"
    if given.feature_set is None:
        yield "feature_set"
    yield "overrides"
    if given.capabilities is None and _capabilities_matter(situation):
        yield "capabilities"
    if any(hop.old_selection.gated or hop.new_selection.gated for hop in situation.hops):
        yield "feature_gates"


def _capabilities_matter(situation: Situation) -> bool:
    """Return whether any request of this path hangs on a capability."""
    return any(
        capability_names(selected.request.annotations)
        for hop in situation.hops
        for selection in (hop.old_selection, hop.new_selection)
        for selected in selection.requests.values()
    ) or any(
        decision.reason == "capability"
        for hop in situation.hops
        for selection in (hop.old_selection, hop.new_selection)
        for decision in selection.decisions
    )

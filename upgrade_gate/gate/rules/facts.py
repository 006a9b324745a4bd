"""Facts that could change the verdict and could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.text import sentence
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.cluster.facts_table import TITLES
from upgrade_gate.gate.findings import Evidence, Finding, Rule, Severity, catalogue
from upgrade_gate.gate.requirements import unchanged_secrets
from upgrade_gate.gate.rules._common import reading_steps, root_name
from upgrade_gate.requests.inclusion import capability_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.gate.situation import Situation

RULES = (
    Rule(
        "fact-unknown",
        Severity.UNKNOWN,
        "A fact that could change the verdict could not be read",
        "The finding names what could not be read, and the permission or file that is missing. There is one "
        "finding for each fact; what an open finding already asks for is not repeated. A rule that `--fail-on "
        "warning` or a policy raises needs its facts too.",
        never_where="where the fact is the platform, the mode or the version, or where its value cannot be right",
    ),
)

_ALL_REQUESTS = "oc adm inspect credentialsrequests.cloudcredential.openshift.io -A"
_MUST_BE_THERE = frozenset({"platform", "topology", "feature_set", "profile", "newest_completed", "history"})
"""Facts that every cluster has: an object that is missing whole must not read as a default."""
_WORDS = {
    "capabilities": "capabilities",
    "excluded": "excluded manifests",
    "feature_gates": "feature gates",
    "feature_set": "feature set",
    "history": "update history",
    "mode": "credentials mode",
    "newest_completed": "version of the cluster",
    "operator": "state of the Cloud Credential Operator",
    "overrides": "overrides",
    "platform": "platform",
    "profile": "cluster profile",
    "topology": "control plane topology",
    "vcenters": "vCenters",
}
"""What people call these facts; the others go by their object."""
_NEVER = frozenset({"platform", "mode", "newest_completed"})
"""Facts without which no verdict can rest on anything (docs/contract.md#acknowledgements)."""


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield one finding for each fact that is needed and unknown; what it is about enters the fingerprint."""
    facts: dict[str, list[tuple[str, Unknown, bool]]] = {}
    for name, part, fact, acknowledgeable in _needed(situation):
        facts.setdefault(name, []).append((part, fact, acknowledgeable))
    for name, parts in facts.items():
        first = parts[0][1]
        reasons = dict.fromkeys(fact.reason for _, fact, _ in parts)
        yield Finding(
            rule="fact-unknown",
            severity=Severity.UNKNOWN,
            headline=f"{sentence(dict.fromkeys(_WORDS.get(part, name) for part, _, _ in parts))} unknown: "
            f"{'; '.join(reasons)}",
            content=sorted({name, *(part for part, _, _ in parts)}),
            subject=name,
            evidence=(Evidence("cluster", name),),
            remedy=reading_steps(first, situation),
            acknowledgeable=all(acknowledgeable for _, _, acknowledgeable in parts),
        )


def _needed(situation: Situation) -> Iterator[tuple[str, str, Unknown, bool]]:
    """Yield the fact's name, which part of it is needed, why it is unknown, and whether that may be accepted."""
    for hop in situation.hops:
        for name, unknown in sorted(hop.unknowns.items()):
            yield name, name, unknown, False
    cluster = situation.cluster
    if cluster is None or not situation.hops:
        return
    yield from _of_rows(situation, cluster)
    if situation.platform and situation.platform_traits is None:
        text = f"{situation.platform!r} is not a platform that this version knows"
        yield TITLES["platform"], "platform", Unknown(text, "update upgrade-gate"), False
    if situation.mode in (Mode.MINT, Mode.PASSTHROUGH) and isinstance(cluster.root_secret, Unknown):
        name = f"Secret {root_name(situation)}"
        yield name, name, cluster.root_secret, True
    if situation.mode.by_hand:
        for secret, _ in unchanged_secrets(situation):
            fact = cluster.secrets.get(secret, Unknown("it was not read"))
            if isinstance(fact, Unknown):
                yield f"Secrets of {secret.namespace}", str(secret), fact, True


def _of_rows(situation: Situation, cluster: Cluster) -> Iterator[tuple[str, str, Unknown, bool]]:
    """Yield those of the facts of which there is one for the whole cluster."""
    needed = set(_fields(situation))
    for name in sorted(needed):
        row = TITLES.get(name, name)
        fact = getattr(cluster, name)
        if isinstance(fact, Unknown):
            yield row, name, fact, name not in _NEVER and not fact.read
        elif isinstance(fact, Absent) and name in _MUST_BE_THERE:
            yield row, name, Unknown(f"there is no {row}, which every cluster has"), name not in _NEVER
    if "requests" in needed and isinstance(cluster.requests, Known):
        seen = {live.id for live in cluster.requests.value}
        start = situation.hops[0]
        for name, selected in start.old_selection.requests.items():
            if selected.status == "applied" and name not in seen:
                text = f"the cluster's own {name} is not among them, although {start.old.version} applies it"
                yield TITLES["requests"], name, Unknown(text, _ALL_REQUESTS), True


def _fields(situation: Situation) -> Iterator[str]:
    """Yield the facts that could change this verdict: what selection, mode and blocking rules rest on."""
    given = situation.given
    yield "newest_completed"
    yield "history"
    if given.platform is None or _is_wrong(situation, "platform"):
        yield "platform"
    yield "topology"
    if situation.mode is Mode.UNKNOWN or _is_wrong(situation, "mode"):
        yield "mode"
    if situation.mode is not Mode.ABSENT:
        yield "operator"
    if given.profile is None or _is_wrong(situation, "profile"):
        yield "profile"
    yield "excluded"
    if given.feature_set is None or _is_wrong(situation, "feature_set"):
        yield "feature_set"
    yield "overrides"
    if given.capabilities is None and _capabilities_matter(situation):
        yield "capabilities"
    if any(hop.old_selection.gated or hop.new_selection.gated for hop in situation.hops):
        yield "feature_gates"
    if situation.mode in (Mode.MINT, Mode.PASSTHROUGH):
        yield "requests"
    if situation.platform == "VSphere" and situation.mode.by_hand:
        yield "vcenters"  # in the other modes the finding about the root credential says it
    yield from _of_raised(situation)


def _of_raised(situation: Situation) -> Iterator[str]:
    """Yield what the raised rules rest on: a rule that stops the upgrade must be able to speak."""
    for rule in situation.raised & catalogue().keys():
        if situation.mode is not Mode.ABSENT or not rule.startswith("cco-"):
            yield from catalogue()[rule].rests_on


def _is_wrong(situation: Situation, name: str) -> bool:
    """Return whether a fact was read and cannot be right: what an option says is no answer to that."""
    fact = getattr(situation.cluster, name)
    return isinstance(fact, Unknown) and fact.read


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

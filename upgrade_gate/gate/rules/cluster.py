"""What ClusterVersion and Infrastructure say: updates under way, offered or held back, a control plane elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Known
from upgrade_gate.base.platforms import HOSTED_PROFILE
from upgrade_gate.gate import cco
from upgrade_gate.gate.findings import Finding, Need, NeedKind, NeedStatus, Rule, Severity
from upgrade_gate.gate.rules._common import first_guarded, looking, of_cluster, words_of
from upgrade_gate.requests.update import GUARDED_HOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import Condition
    from upgrade_gate.gate.situation import Situation

RULES = (
    Rule(
        "update-in-progress",
        Severity.BLOCKER,
        "Another update has not completed",
        "An update is still under way, so the cluster runs parts of two releases. Let it finish first. A warning "
        "where the target is the release that the cluster is being updated to.",
    ),
    Rule(
        "target-not-offered",
        Severity.WARNING,
        "The cluster does not offer this update",
        "The target is in neither availableUpdates nor conditionalUpdates of ClusterVersion. Info where the "
        "cluster could not retrieve its updates.",
        rests_on=("offers", "version_conditions"),
    ),
    Rule(
        "cluster-not-upgradeable",
        Severity.WARNING,
        "Something else holds the cluster back",
        "ClusterVersion reports Upgradeable=False for a reason other than CCO; CVO will refuse a minor update.",
        rests_on=("version_conditions",),
    ),
    Rule(
        "hosted-control-plane",
        Severity.UNKNOWN,
        "The control plane runs outside this cluster",
        "The credentials of a hosted control plane are not in this cluster, so this check covers only a part. "
        "Give --profile, check the control plane's roles where they are, and acknowledge.",
        never_where="without --profile",
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield the findings about the cluster itself; without one, whether its control plane runs elsewhere."""
    cluster = situation.cluster
    if not situation.hops:
        return
    yield from _hosted(situation, cluster)
    if cluster is None:
        return
    yield from _in_progress(situation, cluster)
    yield from _offered(situation, cluster)
    yield from _held_back(situation, cluster)


def _in_progress(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    hop = situation.hops[0]
    if not isinstance(cluster.updating_to, Known):
        return
    under_way = cluster.updating_to.value
    same = under_way in (hop.new.version, situation.hops[-1].new.version)
    yield Finding(
        rule="update-in-progress",
        severity=Severity.WARNING if same else Severity.BLOCKER,
        headline=f"the update to {under_way} is under way"
        + ("" if same else f" and has not completed; judged from {hop.old.version}"),
        content=[hop.old.version, under_way],
        subject="update",
        needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, "let it finish, or acknowledge the risk"),),
        evidence=(of_cluster("clusterversions/version"),),
        remedy=(looking("see its progress", "oc adm upgrade"),),
    )


def _offered(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    hop = situation.hops[0]
    if hop.kind in ("none", "downgrade") or not isinstance(cluster.offers, Known):
        return
    if cluster.updating_to == Known(hop.new.version):
        return
    if any(offer.version == hop.new.version for offer in cluster.offers.value):
        return
    retrieved = _condition(cluster, "RetrievedUpdates")
    severity, text = Severity.WARNING, f"the cluster does not offer {hop.new.version}"
    if retrieved is not None and retrieved.status != "True":
        severity = Severity.INFO
        text = f"the cluster could not retrieve updates ({words_of(retrieved)}), so it does not offer {hop.new.version}"
    yield Finding(
        rule="target-not-offered",
        severity=severity,
        headline=text,
        content=hop.new.version,
        subject="ClusterVersion version",
        evidence=(of_cluster("clusterversions/version"),),
        remedy=(looking("see what it offers", "oc adm upgrade recommend"),),
    )


def _held_back(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    hop = first_guarded(situation)
    held = _condition(cluster, "Upgradeable")
    if hop.kind not in GUARDED_HOPS or held is None or held.status != "False":
        return
    own = cco.condition(cluster, "Upgradeable")
    if isinstance(own, Known) and own.value.status == "False" and own.value.reason == held.reason:
        return
    yield Finding(
        rule="cluster-not-upgradeable",
        severity=Severity.WARNING,
        headline=f"CVO will refuse a minor update: {words_of(held)}",
        content=None,
        subject="ClusterVersion version",
        hop=hop.index,
        evidence=(of_cluster("clusterversions/version"),),
        remedy=(looking("see what holds it back", "oc adm upgrade"),),
    )


def _condition(cluster: Cluster, kind: str) -> Condition | None:
    if not isinstance(cluster.version_conditions, Known):
        return None
    return next((c for c in cluster.version_conditions.value if c.type == kind), None)


def _hosted(situation: Situation, cluster: Cluster | None) -> Iterator[Finding]:
    elsewhere = cluster is not None and cluster.topology == Known("External")
    if not elsewhere and situation.profile != HOSTED_PROFILE:
        return
    given = situation.profile_given
    profile = f"judged with --profile {situation.profile}" if given else "give --profile"
    check = (
        f"check the control plane's roles where they are, {'then' if given else 'give --profile and'} acknowledge it"
    )
    yield Finding(
        rule="hosted-control-plane",
        severity=Severity.UNKNOWN,
        headline=f"the control plane runs outside this cluster, and so do its roles; {profile}",
        content=None,
        subject="Infrastructure cluster",
        needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, check),),
        evidence=(of_cluster("infrastructures/cluster"),) if cluster is not None else (),
        acknowledgeable=given,
    )

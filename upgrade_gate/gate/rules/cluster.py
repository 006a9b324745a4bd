"""What the cluster itself says: CCO's own verdict, updates under way, Secrets, the root credential, drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.facts import Absent, Known
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.cluster.objects import UPGRADEABLE_TO
from upgrade_gate.gate import cco
from upgrade_gate.gate.findings import Evidence, Finding, Guard, Need, NeedKind, NeedStatus, RemedyStep, Rule, Severity
from upgrade_gate.requests.update import GUARDED_HOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import Condition
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.update import Hop

RULES = (
    Rule(
        "cco-not-upgradeable",
        Severity.BLOCKER,
        "CCO says that the cluster must not be upgraded",
        "The cloud-credential ClusterOperator has Upgradeable=False, and CVO refuses a minor update. In manual mode "
        "the annotation upgradeable-to must name a later minor release: set it last, when everything else is done. A "
        "warning on a patch, which CVO lets through. On a minor or major hop it cannot be acknowledged.",
    ),
    Rule(
        "cco-verdict-unproven",
        Severity.WARNING,
        "CCO says upgradeable, and that rests on nothing",
        "The platform is one that CCO never checks, or the annotation upgradeable-to is no target of this path: "
        "`ccoctl` or a person set it without looking at this release. `oc adm upgrade recommend` looks at alerts and "
        "risks, never at permissions. Info when no change is open.",
    ),
    Rule(
        "cco-unhealthy",
        Severity.BLOCKER,
        "CCO is not available, or degraded",
        "Without a working CCO its conditions mean nothing. A warning where it is only degraded.",
    ),
    Rule(
        "update-in-progress",
        Severity.BLOCKER,
        "Another update has not completed",
        "The cluster holds parts of two releases. Let the update finish first; a warning where the target is the one "
        "that is under way.",
    ),
    Rule(
        "target-not-offered",
        Severity.WARNING,
        "The cluster does not offer this update",
        "The target is in neither availableUpdates nor conditionalUpdates. Info where updates could not be retrieved.",
    ),
    Rule(
        "cluster-not-upgradeable",
        Severity.WARNING,
        "Something else holds the cluster back",
        "ClusterVersion has Upgradeable=False for a reason other than CCO; CVO will refuse a minor update.",
    ),
    Rule(
        "root-credential-missing",
        Severity.BLOCKER,
        "The root credential is missing",
        "In mint and passthrough mode CCO works with the root Secret in kube-system. Put it back before the upgrade; "
        "it cannot be acknowledged.",
        acknowledgeable=False,
    ),
    Rule(
        "live-request-drift",
        Severity.WARNING,
        "A request in the cluster is not what the release says",
        "Somebody edited it, or CVO does not manage it. CVO will write it back at the latest with the update.",
    ),
    Rule(
        "live-request-extra",
        Severity.INFO,
        "A request in the cluster is in no payload",
        "From an operator of OLM, or left by an earlier release. Its owner must keep its permissions.",
    ),
    Rule(
        "hosted-control-plane",
        Severity.UNKNOWN,
        "The control plane runs elsewhere",
        "With a hosted control plane the roles of the control plane are not in this cluster, so its requests tell only "
        "a part. Give --profile, check the control plane's roles where they are, and acknowledge.",
    ),
)

_MISSING_ANNOTATION = "MissingUpgradeableAnnotation"
_SUBJECT = "ClusterOperator cloud-credential"


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield the findings about the cluster itself; none without a cluster."""
    cluster = situation.cluster
    if cluster is None or not situation.hops:
        return
    if situation.mode is not Mode.ABSENT:
        yield from _operator(situation, cluster)
    yield from _in_progress(situation, cluster)
    yield from _offered(situation, cluster)
    yield from _held_back(situation, cluster)
    yield from _root(situation, cluster)
    yield from _drift(situation, cluster)
    yield from _hosted(situation, cluster)


def _first_guarded(situation: Situation) -> Hop:
    """Return the first hop that Upgradeable=False would hold back, else the first of all."""
    return next((hop for hop in situation.hops if hop.kind in GUARDED_HOPS), situation.hops[0])


def _operator(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    hop = _first_guarded(situation)
    match cluster.operator:
        case Absent():
            yield _unhealthy(hop, "there is no ClusterOperator cloud-credential, although CCO should run", worse=True)
            return
        case Known(value=conditions):
            by_type = {c.type: c for c in conditions}
        case _:
            return
    available, degraded = by_type.get("Available"), by_type.get("Degraded")
    if available is None or available.status != "True":
        text = _words(available) if available else "has no condition Available"
        yield _unhealthy(hop, f"CCO is not available: {text}", worse=True)
    elif degraded is not None and degraded.status == "True":
        yield _unhealthy(hop, f"CCO is degraded: {_words(degraded)}", worse=False)
    upgradeable = by_type.get("Upgradeable")
    if upgradeable is not None and upgradeable.status == "False":
        yield _not_upgradeable(situation, hop, upgradeable)
    elif hop.kind in GUARDED_HOPS:
        yield from _unproven(situation, cluster, hop, upgradeable)


def _words(condition: Condition) -> str:
    return ", ".join(part for part in (condition.reason, condition.message) if part) or f"{condition.type} says nothing"


def _unhealthy(hop: Hop, text: str, *, worse: bool) -> Finding:
    return Finding(
        rule="cco-unhealthy",
        severity=Severity.BLOCKER if worse else Severity.WARNING,
        headline=text,
        content=None,
        subject=_SUBJECT,
        hop=hop.index,
        guard=Guard.MISSED,
        guard_reason="CVO starts an update while an operator is unavailable or degraded",
        evidence=(_evidence("clusteroperators/cloud-credential"),),
        remedy=(RemedyStep("look at why", "before", ("oc", "describe", "clusteroperator", "cloud-credential")),),
    )


def _not_upgradeable(situation: Situation, hop: Hop, condition: Condition) -> Finding:
    guarded = hop.kind in GUARDED_HOPS
    guard, reason = cco.guard_operator(hop.kind)
    by_annotation = condition.reason == _MISSING_ANNOTATION
    held = _annotation_for_target(situation) if by_annotation else None
    unseen = f" (the annotation {held} is set, CCO has not seen it yet)" if held else ""
    return Finding(
        rule="cco-not-upgradeable",
        severity=Severity.BLOCKER if guarded else Severity.WARNING,
        headline=f"CCO says Upgradeable=False: {_words(condition)}{unseen}",
        content=None,
        subject=_SUBJECT,
        hop=hop.index,
        guard=guard,
        guard_reason=reason,
        evidence=(_evidence("clusteroperators/cloud-credential"),),
        remedy=(_AWAIT,) if held else annotate_steps(situation) if by_annotation and guarded else (),
        acknowledgeable=not guarded,
        closed_by_annotation=by_annotation and guarded,
    )


_AWAIT = RemedyStep(
    "wait until CCO has seen the annotation",
    "before",
    ("oc", "wait", "clusteroperator/cloud-credential", "--for=condition=Upgradeable=True", "--timeout=10m"),
)


def _annotation_for_target(situation: Situation) -> str | None:
    """Return the annotation where it names the minor of the path's end, so that there is nothing left to set."""
    held = situation.cluster.annotation if situation.cluster is not None else None
    if isinstance(held, Known) and cco.annotation_minor(held.value) == situation.hops[-1].new.minor:
        return held.value
    return None


def annotate_steps(situation: Situation) -> tuple[RemedyStep, ...]:
    """Return the last step before a guarded hop: the annotation, by command or in the console."""
    minor = situation.hops[-1].new.minor
    command = (
        "oc",
        "annotate",
        "cloudcredential.operator.openshift.io",
        "cluster",
        f"{UPGRADEABLE_TO}=v{minor[0]}.{minor[1]}",
        "--overwrite",
    )
    return (
        RemedyStep(
            "when everything else is done, set the annotation (console: Administration, CustomResourceDefinitions, "
            "CloudCredential, Instances, cluster, YAML)",
            "before",
            command,
        ),
    )


def _unproven(situation: Situation, cluster: Cluster, hop: Hop, condition: Condition | None) -> Iterator[Finding]:
    if condition is None:
        why: str | None = "CCO has no condition Upgradeable, which CVO takes for True"
    elif condition.status != "True":
        why = f"its condition Upgradeable is {condition.status}, which CVO takes for True"
    else:
        why = cco.unproven(
            platform=situation.platform,
            release=hop.old.minor,
            mode=situation.mode,
            annotation=cluster.annotation,
            targets={h.new.minor for h in situation.hops},
        )
    if why is None:
        return
    yield Finding(
        rule="cco-verdict-unproven",
        severity=Severity.WARNING,
        headline=f"that CCO says upgradeable proves nothing: {why}",
        content=None,
        subject=_SUBJECT,
        hop=hop.index,
        guard=Guard.MISSED,
        guard_reason="CVO goes by CCO's word",
        evidence=(_evidence("clusteroperators/cloud-credential"),),
    )


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
        hop=hop.index,
        needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, "let it finish, or accept the risk"),),
        evidence=(_evidence("clusterversions/version"),),
        remedy=(RemedyStep("see how far it is", "before", ("oc", "adm", "upgrade")),),
    )


def _offered(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    hop = situation.hops[0]
    if hop.kind in ("none", "downgrade") or not hop.new.version or not isinstance(cluster.offers, Known):
        return
    if cluster.updating_to == Known(hop.new.version):
        return
    if any(offer.version == hop.new.version for offer in cluster.offers.value):
        return
    retrieved = _condition(cluster, "RetrievedUpdates")
    unasked = retrieved is not None and retrieved.status != "True"
    text = f"the cluster does not offer {hop.new.version}"
    if unasked and retrieved is not None:
        text = f"the cluster could not retrieve updates ({_words(retrieved)}), so it does not offer {hop.new.version}"
    yield Finding(
        rule="target-not-offered",
        severity=Severity.INFO if unasked else Severity.WARNING,
        headline=text,
        content=hop.new.version,
        subject="ClusterVersion version",
        hop=hop.index,
        evidence=(_evidence("clusterversions/version"),),
        remedy=(RemedyStep("see what it offers", "before", ("oc", "adm", "upgrade", "recommend")),),
    )


def _held_back(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    hop = _first_guarded(situation)
    held = _condition(cluster, "Upgradeable")
    if hop.kind not in GUARDED_HOPS or held is None or held.status != "False":
        return
    own = cco.condition(cluster, "Upgradeable")
    if isinstance(own, Known) and own.value.status == "False" and own.value.reason == held.reason:
        return
    yield Finding(
        rule="cluster-not-upgradeable",
        severity=Severity.WARNING,
        headline=f"CVO will refuse a minor update: {_words(held)}",
        content=None,
        subject="ClusterVersion version",
        hop=hop.index,
        evidence=(_evidence("clusterversions/version"),),
        remedy=(RemedyStep("see what holds it back", "before", ("oc", "adm", "upgrade")),),
    )


def _condition(cluster: Cluster, kind: str) -> Condition | None:
    if not isinstance(cluster.version_conditions, Known):
        return None
    return next((c for c in cluster.version_conditions.value if c.type == kind), None)


def _root(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    traits = situation.platform_traits
    if situation.mode not in (Mode.MINT, Mode.PASSTHROUGH) or traits is None or traits.root is None:
        return
    if not isinstance(cluster.root_secret, Absent):
        return
    hop = _first_guarded(situation)
    name = str(traits.root)
    guard, reason = cco.guard_root_credential(hop_kind=hop.kind, condition=cco.upgradeable_status(cluster))
    yield Finding(
        rule="root-credential-missing",
        severity=Severity.BLOCKER,
        headline=f"the root credential {name} is missing, and CCO is in {situation.mode} mode",
        content=name,
        subject=f"Secret {name}",
        secret=name,
        hop=hop.index,
        guard=guard,
        guard_reason=reason,
        needs=(Need(NeedKind.SECRET, NeedStatus.UNMET, f"Secret {name} does not exist"),),
        evidence=(_evidence(f"secrets/{name}"),),
        remedy=(RemedyStep(f"put Secret {name} back", "before"),),
        acknowledgeable=False,
    )


def _drift(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    if not isinstance(cluster.requests, Known):
        return
    hop = situation.hops[0]
    carried = {name for h in situation.hops for s in (h.old_selection, h.new_selection) for name in s.carried}
    carried |= {d.request for h in situation.hops for s in (h.old_selection, h.new_selection) for d in s.decisions}
    for live in sorted(cluster.requests.value, key=lambda r: r.id):
        selected = hop.old_selection.requests.get(live.id)
        if selected is not None and selected.status == "applied":
            if _plain(live.spec) != _plain(selected.request.spec):
                yield Finding(
                    rule="live-request-drift",
                    severity=Severity.WARNING,
                    headline=f"{live.name} in the cluster differs from {hop.old.version}: "
                    f"{', '.join(_differing(selected.request.spec, live.spec))}",
                    content=None,
                    subject=live.id,
                    request=live.id,
                    secret=str(selected.request.secret) if selected.request.secret else None,
                    evidence=(_evidence(f"credentialsrequests/{live.id}"),),
                )
        elif live.id not in carried:
            owner = f", owned by {', '.join(live.owners)}" if live.owners else ""
            yield Finding(
                rule="live-request-extra",
                severity=Severity.INFO,
                headline=f"{live.id} is in no payload{owner}",
                content=None,
                subject=live.id,
                request=live.id,
                evidence=(_evidence(f"credentialsrequests/{live.id}"),),
            )


def _hosted(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    if cluster.topology != Known("External"):
        return
    profile = f"judged with --profile {situation.profile}" if situation.profile_given else "give --profile"
    yield Finding(
        rule="hosted-control-plane",
        severity=Severity.UNKNOWN,
        headline=f"the control plane runs elsewhere, and its roles are not in this cluster; {profile}",
        content=None,
        subject="Infrastructure cluster",
        needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, "check the control plane's own roles"),),
        evidence=(_evidence("infrastructures/cluster"),),
        acknowledgeable=situation.profile_given,
    )


def _evidence(name: str) -> Evidence:
    return Evidence("cluster", name)


def _plain(value: Any) -> Any:
    """Return a spec without empty members, which the API server may drop or add."""
    if isinstance(value, dict):
        kept = {key: _plain(member) for key, member in value.items()}
        return {key: member for key, member in kept.items() if member not in (None, [], {}, "")}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value


def _differing(before: Any, after: Any) -> list[str]:
    """Return the fields of spec that differ, the provider spec's one level deeper."""
    names: list[str] = []
    for key in sorted(before.keys() | after.keys()):
        old, new = _plain(before.get(key)), _plain(after.get(key))
        if old == new:
            continue
        if key == "providerSpec" and isinstance(old, dict) and isinstance(new, dict):
            names += [f"{key}.{inner}" for inner in sorted(old.keys() | new.keys()) if old.get(inner) != new.get(inner)]
        else:
            names.append(key)
    return names

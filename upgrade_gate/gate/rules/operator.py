"""What CCO itself says: that the cluster must not be upgraded, that it may, or nothing that counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.steps import Step
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate import cco
from upgrade_gate.gate.findings import Finding, Guard, Need, NeedKind, NeedStatus, Rule, Severity
from upgrade_gate.gate.requirements import root_keys_need
from upgrade_gate.gate.rules._common import first_guarded, looking, of_cluster, words_of
from upgrade_gate.requests.update import GUARDED_HOPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.base.platforms import Platform
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import Condition
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.update import Hop

RULES = (
    Rule(
        "cco-not-upgradeable",
        Severity.BLOCKER,
        "CCO reports that the cluster must not be upgraded",
        "ClusterOperator cloud-credential reports Upgradeable=False, so CVO refuses a minor update. In manual mode the "
        "annotation upgradeable-to must name a later minor release: set it last, when everything else is done. A "
        "warning for a patch update, which CVO does not refuse (info under `--fail-on warning` where CCO only waits "
        "for the annotation), and for a later update of a path that today's annotation does not reach.",
        never_where="for a minor or major update",
        rests_on=("annotation",),
    ),
    Rule(
        "cco-verdict-unproven",
        Severity.WARNING,
        "CCO reports Upgradeable=True without having checked this update",
        "CCO never checks this platform, or the annotation upgradeable-to names another release than the target: "
        "`ccoctl` or a person set it without looking at this release. `oc adm upgrade recommend` shows alerts "
        "and known risks, never permissions. Info when no change is open.",
        rests_on=("annotation",),
    ),
    Rule(
        "cco-unhealthy",
        Severity.BLOCKER,
        "CCO is not available, or degraded",
        "While CCO does not work, what it reports means nothing. A warning where it is only degraded.",
    ),
    Rule(
        "root-credential-missing",
        Severity.BLOCKER,
        "The root credential is missing, or lacks keys",
        "In mint and passthrough mode CCO needs the root Secret in kube-system with all its keys, and on vSphere "
        "with a user name and a password for every vCenter. A key without a value counts as missing. Complete it "
        "before the upgrade; it cannot be acknowledged.",
        acknowledgeable=False,
    ),
)

_MISSING_ANNOTATION = "MissingUpgradeableAnnotation"
_SUBJECT = "ClusterOperator cloud-credential"


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield the findings about CCO's own word, its health and its root credential; none without a cluster."""
    cluster = situation.cluster
    if cluster is None or not situation.hops:
        return
    if situation.mode is not Mode.ABSENT:
        yield from _operator(situation, cluster)
    yield from _root(situation, cluster)


def _operator(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    hop = first_guarded(situation)
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
        text = words_of(available) if available else "has no condition Available"
        yield _unhealthy(hop, f"CCO is not available: {text}", worse=True)
    elif degraded is not None and degraded.status == "True":
        yield _unhealthy(hop, f"CCO is degraded: {words_of(degraded)}", worse=False)
    upgradeable = by_type.get("Upgradeable")
    refusal = upgradeable if upgradeable is not None and upgradeable.status == "False" else None
    if refusal is not None:
        yield _not_upgradeable(situation, cluster, hop, refusal)
    elif hop.kind in GUARDED_HOPS:
        yield from _unproven(situation, cluster, hop, upgradeable)
    if refusal is None or refusal.reason != _MISSING_ANNOTATION:
        yield from _refused_later(situation, cluster)


def _unhealthy(hop: Hop, text: str, *, worse: bool) -> Finding:
    return Finding(
        rule="cco-unhealthy",
        severity=Severity.BLOCKER if worse else Severity.WARNING,
        headline=text,
        content=None,
        subject=_SUBJECT,
        hop=hop.index,
        guarded=(Guard.MISSED, "CVO starts an update while an operator is unavailable or degraded"),
        evidence=(of_cluster("clusteroperators/cloud-credential"),),
        remedy=(looking("see why", "oc describe clusteroperator cloud-credential"),),
    )


def _not_upgradeable(situation: Situation, cluster: Cluster, hop: Hop, condition: Condition) -> Finding:
    held_back = hop.kind in GUARDED_HOPS
    by_annotation = condition.reason == _MISSING_ANNOTATION
    awaited = by_annotation and _names_target(situation, cluster)
    about = f"; {_about_annotation(situation, cluster, hop)}" if by_annotation else ""
    return Finding(
        rule="cco-not-upgradeable",
        severity=Severity.BLOCKER if held_back else Severity.WARNING,
        headline=f"CCO reports Upgradeable=False: {words_of(condition)}{about}",
        content=None,
        subject=_SUBJECT,
        hop=hop.index,
        guarded=cco.guard_operator(hop.kind),
        evidence=(of_cluster("clusteroperators/cloud-credential"),),
        remedy=(_AWAIT,) if awaited else _annotate_steps(situation) if by_annotation and held_back else (),
        acknowledgeable=not held_back,
        closed_by_annotation=by_annotation and held_back,
        awaited=awaited,
        standing=by_annotation and not held_back,
    )


def _refused_later(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    """Yield the first later hop that CCO will refuse by the annotation as it stands today.

    CCO wants a minor above the one that runs at that time (docs/facts/cco.md#annotation).
    """
    held = cluster.annotation
    if isinstance(held, Unknown):
        return
    minor = cco.annotation_minor(held.value) if isinstance(held, Known) else None
    platform, mode = situation.platform, situation.mode
    for hop in situation.hops[1:]:
        release = hop.old.minor
        wanted, _ = cco.annotation_wanted(release=release, platform=platform, hop_kind=hop.kind, mode=mode)
        if not wanted or (minor is not None and minor > release):
            continue
        said = f"says {held.value[:40]!r}" if isinstance(held, Known) else "is not set"
        yield Finding(
            rule="cco-not-upgradeable",
            severity=Severity.WARNING,
            headline=f"CCO will report Upgradeable=False before {hop.old.version} to {hop.new.version}: "
            f"the annotation upgradeable-to {said}",
            content=[hop.old.version, hop.new.version],
            subject=_SUBJECT,
            hop=hop.index,
            guarded=cco.guard_operator(hop.kind),
            evidence=(of_cluster("cloudcredentials/cluster"),),
            remedy=_annotate_steps(situation),
            acknowledgeable=False,
        )
        return


_AWAIT = looking(
    "wait until CCO has noticed the annotation",
    "oc wait clusteroperator/cloud-credential --for=condition=Upgradeable=True --timeout=10m",
)


def _about_annotation(situation: Situation, cluster: Cluster, hop: Hop) -> str:
    """Say what the annotation is set to, and why CCO does not take it (docs/facts/cco.md#annotation)."""
    running = f"{hop.old.minor[0]}.{hop.old.minor[1]}"
    match cluster.annotation:
        case Known(value=str(text)):
            said, minor = text[:40], cco.annotation_minor(text)
            if _names_target(situation, cluster):
                return f"the annotation {said} is set, but CCO has not noticed it yet"
            if minor is None:
                return f"the annotation says {said!r}, which is no version to CCO"
            if minor <= hop.old.minor:
                return f"the annotation says {said!r}, and CCO wants a minor release after {running}"
            return f"the annotation says {said!r}, which CCO has not seen yet, and which is not the target"
        case Unknown():
            return "what the annotation says could not be read"
        case _:
            return "the annotation is not set"


def _names_target(situation: Situation, cluster: Cluster) -> bool:
    """Return whether the annotation names the minor of the path's end, so that there is nothing left to set.

    One that names the minor of today does nothing (docs/facts/cco.md#annotation): CCO wants a later one.
    """
    held = cluster.annotation
    return isinstance(held, Known) and cco.annotation_minor(held.value) == situation.hops[-1].new.minor > (
        situation.hops[0].old.minor
    )


def _annotate_steps(situation: Situation) -> tuple[Step, ...]:
    """Return the last step before a guarded hop: the annotation, by command or in the console."""
    step = f"when everything else is done, set the annotation (console: {cco.WHERE_TO_ANNOTATE})"
    return (Step(step, "before", commands=(cco.annotate(situation.hops[-1].new.minor),)),)


def _unproven(situation: Situation, cluster: Cluster, hop: Hop, condition: Condition | None) -> Iterator[Finding]:
    if condition is None:
        why: str | None = "CCO does not report Upgradeable, which CVO takes for True"
    elif condition.status != "True":
        why = f"it reports Upgradeable={condition.status}, which CVO takes for True"
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
        headline=f"CCO's word that the cluster can be upgraded proves nothing: {why}",
        content=None,
        subject=_SUBJECT,
        hop=hop.index,
        guarded=(Guard.MISSED, "CVO goes by what CCO reports"),
        evidence=(of_cluster("clusteroperators/cloud-credential"),),
    )


def _root(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    traits = situation.platform_traits
    if situation.mode not in (Mode.MINT, Mode.PASSTHROUGH) or traits is None:
        return
    hop = first_guarded(situation)
    name = str(traits.root)
    need, keys = (
        Need(NeedKind.SECRET, NeedStatus.UNMET, f"Secret {name} does not exist"),
        root_keys_need(situation, cluster),
    )
    text, step = f"the root credential {name} is missing", f"put Secret {name} back"
    if not isinstance(cluster.root_secret, Absent):
        if keys is None or keys.status is NeedStatus.MET:
            return
        need, text, step = keys, f"the root credential does not work: {keys.detail}", f"fill in the keys of {name}"
    elif _has_tokens(situation, cluster, traits):
        step = f"set credentialsMode of CloudCredential cluster to Manual (components log in with tokens), or {step}"
    guarded = cco.guard_root_credential(hop_kind=hop.kind, condition=cco.upgradeable_status(cluster))
    yield Finding(
        rule="root-credential-missing",
        severity=Severity.BLOCKER if need.status is NeedStatus.UNMET else Severity.UNKNOWN,
        headline=f"{text}, and CCO is in {situation.mode} mode",
        content=name,
        subject=f"Secret {name}",
        secret=name,
        hop=hop.index,
        guarded=guarded,
        needs=(need,),
        evidence=(of_cluster(f"secrets/{name}"),),
        remedy=(Step(step, "before"),),
        acknowledgeable=False,
    )


def _has_tokens(situation: Situation, cluster: Cluster, traits: Platform) -> bool:
    """Return whether the cluster looks like one of tokens that lost its Manual mode: issuer set, no root credential.

    Seen in cloud-credential-operator#851. The default mode cannot be meant there.
    """
    since = traits.token_since
    default = cluster.credentials_mode == Known("")
    issued = isinstance(cluster.issuer, Known)
    return default and issued and since is not None and situation.hops[0].old.minor >= since

"""How requests are defined: more than once, in contradiction, for no cluster profile, or left alone by CVO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Known
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate.findings import Evidence, Finding, Need, NeedKind, NeedStatus, Rule, Severity
from upgrade_gate.gate.rules._common import missed, of_cluster, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.cluster.model import Override
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.requests.selection import Conflict, Selected
    from upgrade_gate.requests.update import Hop

RULES = (
    Rule(
        "request-unannotated",
        Severity.WARNING,
        "A request that CVO never applies, and whose Secret is read all the same",
        "Without any include.release.openshift.io annotation CVO ignores the request, yet its component reads the "
        "Secret and ccoctl users create it. It takes part in the diff.",
    ),
    Rule(
        "request-overridden",
        Severity.WARNING,
        "A request that CVO leaves as it is, while its component is updated",
        "ClusterVersion spec.overrides says unmanaged: CVO does not bring the cluster's own object up to the target, "
        "yet the component that reads the Secret is the target's and needs what the target asks for. It takes part in "
        "the diff; in mint mode CCO mints from the old object, so that what is added must be granted by hand. Take the "
        "override away, or write the target's request into the cluster.",
    ),
    Rule(
        "cco-overridden",
        Severity.UNKNOWN,
        "CVO leaves the cloud-credential-operator itself alone",
        "ClusterVersion spec.overrides says unmanaged for an object that CCO runs by: it is not updated, often it is "
        "scaled down, and then its ClusterOperator is stale and nobody mints or passes on. A warning in manual mode, "
        "where nothing waits for CCO but its word on Upgradeable. Take the override away, or look and acknowledge it.",
    ),
    Rule(
        "request-duplicate",
        Severity.WARNING,
        "A request is defined more than once, equally",
        "Harmless today; the definitions may part ways in a later release.",
    ),
    Rule(
        "request-conflict",
        Severity.BLOCKER,
        "Definitions of one request contradict each other",
        "Which one wins depends on the order of files, so what the component needs cannot be known. It cannot be "
        "acknowledged; report it to the release's vendor.",
        acknowledgeable=False,
    ),
)

_CCO_NAMESPACE = "openshift-cloud-credential-operator"
_CCO_RUNS_BY = frozenset(
    {
        ("apps", "Deployment"),
        ("", "ServiceAccount"),
        ("", "Namespace"),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("rbac.authorization.k8s.io", "ClusterRole"),
        ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
        ("rbac.authorization.k8s.io", "Role"),
        ("rbac.authorization.k8s.io", "RoleBinding"),
    }
)
_CCO_OBJECTS = frozenset(
    {
        _CCO_NAMESPACE,
        "cloud-credential-operator-role",
        "cloud-credential-operator-rolebinding",
        "credentialsrequests.cloudcredential.openshift.io",
    }
)
"""Cluster-scoped objects of cloud-credential-operator `manifests/` that it cannot work without."""


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield one finding for each rule and request, of the first release that gives reason for it."""
    yield from _operator_left_alone(situation)
    seen: set[tuple[str, str]] = set()
    for hop in situation.hops:
        for finding in (*_conflicts(hop), *_marks(hop)):
            if (finding.rule, finding.subject) not in seen:
                seen.add((finding.rule, finding.subject))
                yield finding


def _conflicts(hop: Hop) -> Iterator[Finding]:
    for side, selection in (("from", hop.old_selection), ("to", hop.new_selection)):
        for conflict in selection.conflicts:
            yield _conflict(hop, side, conflict)


def _conflict(hop: Hop, side: str, conflict: Conflict) -> Finding:
    return Finding(
        rule="request-conflict",
        severity=Severity.BLOCKER,
        headline=f"{conflict.request} cannot be judged: {conflict.detail}",
        content=conflict.detail,
        subject=conflict.request,
        request=conflict.request,
        hop=hop.index,
        guarded=missed(hop),
        needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, "the payload contradicts itself"),),
        evidence=tuple(Evidence(side, p.file, p.document, p.line) for p in conflict.locations),
        acknowledgeable=False,
    )


def _operator_left_alone(situation: Situation) -> Iterator[Finding]:
    """Yield the finding about overrides of what CCO runs by (cluster-version-operator `pkg/cvo/sync_worker.go`)."""
    stated = situation.cluster.overrides if situation.cluster else None
    if not isinstance(stated, Known) or situation.mode is Mode.ABSENT:
        return
    names = sorted({f"{o.kind} {o.name}" for o in stated.value if o.unmanaged and _runs_cco(o)})
    if not names:
        return
    works = situation.mode.by_hand and situation.mode is not Mode.UNKNOWN
    yield Finding(
        rule="cco-overridden",
        severity=Severity.WARNING if works else Severity.UNKNOWN,
        headline=f"spec.overrides takes {', '.join(names)} from CVO: whether CCO works is not known",
        content=names,
        subject="overrides",
        needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, "see that CCO runs in the cluster's version"),),
        evidence=(of_cluster("clusterversions/version"),),
    )


def _runs_cco(override: Override) -> bool:
    return (override.group, override.kind) in _CCO_RUNS_BY and (
        (override.namespace == _CCO_NAMESPACE and override.name.startswith("cloud-credential-operator"))
        or (not override.namespace and override.name in _CCO_OBJECTS)
    )


def _marks(hop: Hop) -> Iterator[Finding]:
    conflicts = {c.request for c in hop.new_selection.conflicts}
    for name, selected in hop.new_selection.requests.items():
        if selected.status == "unannotated":
            yield _mark(hop, selected, "request-unannotated", "is in no cluster profile: CVO never applies it")
        if selected.status == "overridden":
            yield _mark(hop, selected, "request-overridden", "is unmanaged in spec.overrides: CVO leaves it as it is")
        if len(selected.locations) > 1 and name not in conflicts:
            yield _mark(hop, selected, "request-duplicate", "is defined more than once")


def _mark(hop: Hop, selected: Selected, rule: str, text: str) -> Finding:
    request = selected.request
    return Finding(
        rule=rule,
        severity=Severity.WARNING,
        headline=f"{request.name} {text}",
        content=None,
        subject=request.id,
        request=request.id,
        secret=str(request.secret) if request.secret else None,
        hop=hop.index,
        evidence=places("to", selected),
    )

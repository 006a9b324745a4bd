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
        "CVO never applies a CredentialsRequest whose Secret a component reads",
        "The CredentialsRequest has no include.release.openshift.io annotation, so CVO ignores it. Its component "
        "still reads the Secret, and ccoctl creates it, so its permissions are compared like all others.",
    ),
    Rule(
        "request-overridden",
        Severity.WARNING,
        "CVO does not update a CredentialsRequest, but it updates the component",
        "spec.overrides of ClusterVersion has this CredentialsRequest as unmanaged, so CVO does not update it. "
        "The component is updated and needs what the target release asks for. In mint mode CCO still works with "
        "the old object, so added permissions must be granted by hand. Remove the override, or apply the "
        "target's CredentialsRequest yourself.",
    ),
    Rule(
        "cco-overridden",
        Severity.UNKNOWN,
        "CVO does not update the Cloud Credential Operator",
        "spec.overrides of ClusterVersion has an object of the Cloud Credential Operator (CCO) as unmanaged. CCO "
        "is not updated, and may be scaled down: then what its ClusterOperator reports is old, and nothing "
        "creates credentials. A warning in manual mode, where people create them. Remove the override, or make "
        "sure that CCO works and acknowledge.",
    ),
    Rule(
        "request-duplicate",
        Severity.WARNING,
        "A CredentialsRequest is defined more than once, with the same content",
        "Harmless today, but the definitions may differ in a later release.",
    ),
    Rule(
        "request-conflict",
        Severity.BLOCKER,
        "A CredentialsRequest is defined more than once, with different content",
        "The order of the files decides which one counts, so what the component needs is not certain. It cannot "
        "be acknowledged; report it to the vendor of the release.",
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
        headline=f"spec.overrides keeps CVO from updating {', '.join(names)}, so whether CCO works is not known",
        content=names,
        subject="overrides",
        needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, "make sure that CCO runs in the cluster's version"),),
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
            yield _mark(hop, selected, "request-unannotated", "has no cluster profile: CVO never applies it")
        if selected.status == "overridden":
            yield _mark(hop, selected, "request-overridden", "is unmanaged in spec.overrides: CVO does not update it")
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
        secret=str(request.secret),
        hop=hop.index,
        evidence=places("to", selected),
    )

"""Requests as the cluster holds them, against those of the release that runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.facts import Known
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate.findings import Finding, Guard, Need, NeedKind, NeedStatus, Rule, Severity
from upgrade_gate.gate.rules._common import looking, of_cluster, words_of
from upgrade_gate.reading.node import mapping

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import LiveRequest
    from upgrade_gate.gate.situation import Situation

RULES = (
    Rule(
        "live-request-drift",
        Severity.WARNING,
        "A CredentialsRequest in the cluster differs from the release",
        "Somebody edited it, or CVO does not manage it. CVO writes it back with the update at the latest.",
        rests_on=("requests",),
    ),
    Rule(
        "live-request-failing",
        Severity.BLOCKER,
        "CCO reports that it cannot serve a CredentialsRequest",
        "The CredentialsRequest in the cluster reports InsufficientCloudCreds or CredentialsProvisionFailure, or "
        "is not provisioned. In mint and passthrough mode CCO then cannot grant what the target asks for either. "
        "A warning in manual mode, where the state may be old, and for requests that are in none of the releases.",
        rests_on=("requests",),
    ),
    Rule(
        "live-request-extra",
        Severity.INFO,
        "A CredentialsRequest in the cluster is in none of the releases",
        "It belongs to an operator of OLM, or an earlier release left it. Whoever owns it must look after its "
        "permissions.",
        rests_on=("requests",),
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield the findings about requests in the cluster; none without a cluster."""
    cluster = situation.cluster
    if cluster is None or not situation.hops:
        return
    yield from _drift(situation, cluster)
    yield from _failing(situation, cluster)


_FAILURES = ("InsufficientCloudCreds", "CredentialsProvisionFailure")


def _failing(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    """Yield one finding for each request that CCO cannot serve, by its own status.

    Source: cloud-credential-operator `pkg/operator/credentialsrequest/status.go`. A request of another cloud is marked
    Ignored and never provisioned; in plain manual mode nobody writes `provisioned`.
    """
    if not isinstance(cluster.requests, Known):
        return
    trusted = situation.mode in (Mode.MINT, Mode.PASSTHROUGH)
    ours = {name for hop in situation.hops for s in (hop.old_selection, hop.new_selection) for name in s.requests}
    for live in sorted(cluster.requests.value, key=lambda r: r.id):
        true = {c.type: c for c in live.conditions if c.status == "True"}
        if "Ignored" in true or not _is_of(situation, live):
            continue
        failures = [true[kind] for kind in _FAILURES if kind in true]
        if failures:
            why = f"{failures[0].type} ({words_of(failures[0])})"
        elif trusted and live.provisioned is False:
            why = "it is not provisioned"
        else:
            continue
        yield Finding(
            rule="live-request-failing",
            severity=Severity.BLOCKER if trusted and live.id in ours else Severity.WARNING,
            headline=f"CCO cannot serve {live.name}: {why}",
            content=None,
            subject=live.id,
            request=live.id,
            guarded=(Guard.MISSED, "neither CCO nor CVO looks at the conditions of a CredentialsRequest"),
            needs=(Need(NeedKind.DECISION, NeedStatus.UNMET, "find out why CCO cannot serve it, and fix it"),),
            evidence=(of_cluster(f"credentialsrequests/{live.id}"),),
            remedy=(looking("see why", f"oc -n {live.namespace} describe credentialsrequest {live.name}"),),
        )


def _is_of(situation: Situation, live: LiveRequest) -> bool:
    """Return whether a request is for this platform; one that does not say for which is taken for it."""
    kind = mapping(live.spec.get("providerSpec")).get("kind")
    traits = situation.platform_traits
    return traits is None or not isinstance(kind, str) or kind == traits.kind


def _drift(situation: Situation, cluster: Cluster) -> Iterator[Finding]:
    if not isinstance(cluster.requests, Known):
        return
    hop = situation.hops[0]
    carried = {name for h in situation.hops for s in (h.old_selection, h.new_selection) for name in s.carried}
    carried |= {d.request for h in situation.hops for s in (h.old_selection, h.new_selection) for d in s.decisions}
    for live in sorted(cluster.requests.value, key=lambda r: r.id):
        selected = hop.old_selection.requests.get(live.id)
        if selected is not None and selected.status in ("applied", "overridden"):
            if _plain(live.spec) != _plain(selected.request.spec):
                yield Finding(
                    rule="live-request-drift",
                    severity=Severity.WARNING,
                    headline=f"{live.name} in the cluster differs from {hop.old.version}: "
                    f"{', '.join(_differing(selected.request.spec, live.spec))}",
                    content=None,
                    subject=live.id,
                    request=live.id,
                    secret=str(selected.request.secret),
                    evidence=(of_cluster(f"credentialsrequests/{live.id}"),),
                )
        elif live.id not in carried:
            owner = f", owned by {', '.join(live.owners)}" if live.owners else ""
            yield Finding(
                rule="live-request-extra",
                severity=Severity.INFO,
                headline=f"{live.id} is in none of the releases{owner}",
                content=None,
                subject=live.id,
                request=live.id,
                evidence=(of_cluster(f"credentialsrequests/{live.id}"),),
            )


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
        if key == "providerSpec" and isinstance(new, dict):  # a release's own is one, else it is not understood
            names += [f"{key}.{inner}" for inner in sorted(old.keys() | new.keys()) if old.get(inner) != new.get(inner)]
        else:
            names.append(key)
    return names

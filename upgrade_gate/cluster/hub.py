"""What a hub of Open Cluster Management says: its managed clusters, and where cluster-proxy leads to them.

What a hub and its clusters write is believed as little as anything else: a name that is none ends the run, claims that
make no sense keep a cluster from being read. Source: docs/facts/hubs.md.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from upgrade_gate.base.errors import ClusterError
from upgrade_gate.base.facts import Fact, Known, Unknown
from upgrade_gate.cluster.model import Query
from upgrade_gate.cluster.rights import is_forbidden
from upgrade_gate.reading.node import Malformed, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from upgrade_gate.cluster.model import Reader

MANAGED_CLUSTERS: Final = Query("cluster.open-cluster-management.io", "v1", "managedclusters", "ManagedCluster")
ENGINES: Final = Query("multicluster.openshift.io", "v1", "multiclusterengines", "MultiClusterEngine")
ID: Final = "id.openshift.io"
"""The claim of `spec.clusterID` of ClusterVersion."""
VERSION: Final = "version.openshift.io"
"""The claim of the newest completed release in ClusterVersion's history."""
PRODUCT: Final = "product.open-cluster-management.io"
TOPOLOGY: Final = "controlplanetopology.openshift.io"
_CLAIMS: Final = frozenset({ID, VERSION, PRODUCT, TOPOLOGY})
ENGINE: Final = "multicluster-engine"
"""Where the engine lies unless its own object names another namespace."""
_ROUTE: Final = "cluster-proxy-addon-user"
_AUTHORITIES: Final = "kube-root-ca.crt"
_AVAILABLE: Final = "ManagedClusterConditionAvailable"
_ADDON: Final = "feature.open-cluster-management.io/addon-cluster-proxy"
"""The label in which the hub keeps how the add-on does on a cluster: available, unhealthy or unreachable."""
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
"""A managed cluster is named like the namespace that the hub has for it."""
_HOST: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z]{1,60}", re.ASCII)


class ManagedCluster(Struct, frozen=True):
    """One cluster, as its hub knows it."""

    name: str
    labels: Mapping[str, str]
    claims: Mapping[str, str]
    """What the cluster says of itself, by the name of the claim: its ID, version, product and topology."""
    unready: str | None = None
    """Why it cannot be read now; None where nothing speaks against it."""


class ClusterProxy(Struct, frozen=True):
    """Where the hub lets its users through to the managed clusters."""

    url: str
    """Without a slash at its end; the cluster's name comes after it."""
    authorities: str = ""
    """PEM certificates that the hub hands to its own pods: the one of its routes is among them."""
    unread: str | None = None
    """Why there are none."""


def route(namespace: str) -> Query:
    """Return the query for the Route of cluster-proxy."""
    return Query("route.openshift.io", "v1", "routes", "Route", namespace, _ROUTE)


def authorities(namespace: str) -> Query:
    """Return the query for the certificates that Kubernetes puts into every namespace."""
    return Query("", "v1", "configmaps", "ConfigMap", namespace, _AUTHORITIES)


def managed_clusters(reader: Reader) -> tuple[ManagedCluster, ...]:
    """Return every cluster of a hub, by name; raises ClusterError where they cannot be listed, or one has no name."""
    answer = _read(reader, MANAGED_CLUSTERS)[MANAGED_CLUSTERS]
    if not isinstance(answer, Known):
        raise ClusterError(
            f"{reader.description} is no hub: its API has no ManagedCluster", hint="name the hub's context: hub:CONTEXT"
        )
    try:
        found = [_managed(Part(item, "a ManagedCluster")) for item in answer.value]
    except Malformed as error:
        raise ClusterError(f"{reader.description}: {error}") from error
    return tuple(sorted(found, key=lambda cluster: cluster.name))


def cluster_proxy(reader: Reader) -> ClusterProxy:
    """Return the address of a hub's cluster-proxy, from its Route; raises ClusterError where there is none."""
    try:
        namespace = _namespace(reader.read([ENGINES])[ENGINES])
        wanted = route(namespace)
        answers = _read(reader, wanted, beside=authorities(namespace))
        host = _host(answers[wanted], f"Route {namespace}/{_ROUTE}")
    except Malformed as error:
        raise ClusterError(
            f"{reader.description}: the way to its clusters is not known: {error}",
            hint="turn cluster-proxy on in the hub's MultiClusterEngine, or give the address with --cluster-proxy",
        ) from error
    return ClusterProxy(f"https://{host}", *_authorities(answers[authorities(namespace)]))


def _read(reader: Reader, query: Query, *, beside: Query | None = None) -> dict[Query, Fact[Any]]:
    """Return the answers; raises ClusterError where the first one is not known."""
    answers = dict(reader.read([query] if beside is None else [query, beside]))
    answer = answers[query]
    if isinstance(answer, Unknown):
        rights = "or apply what upgrade-gate init hub-reader prints" if is_forbidden(answer) else None
        hint = "; ".join(filter(None, (answer.remedy, rights)))
        raise ClusterError(f"{reader.description}: {answer.reason}", hint=hint or None)
    return answers


def _namespace(answer: Fact[Any]) -> str:
    """Return the namespace of the engine; raises Malformed where several are named.

    Where its own object cannot be listed, the usual one: the Route is there or it is not.
    """
    engines = [Part(item, ENGINES.kind) for item in answer.value] if isinstance(answer, Known) else []
    named = {engine["spec"]["targetNamespace"].text() or ENGINE for engine in engines} or {ENGINE}
    if len(named) != 1 or not _NAME.fullmatch(found := named.pop()):
        raise Malformed("the hub's MultiClusterEngines do not name one namespace")
    return found


def _host(answer: Fact[Any], name: str) -> str:
    """Return the host of a Route; raises Malformed where there is no such Route, or its host is none."""
    if not isinstance(answer, Known):
        raise Malformed(f"there is no {name}")
    host = Part(answer.value, name)["spec"]["host"].some_text()
    if not _HOST.fullmatch(host):
        raise Malformed(f"{name} has the host {host[:60]!r}, which is not the name of a host")
    return host


def _authorities(answer: Fact[Any]) -> tuple[str, str | None]:
    """Return the certificates, or why there are none: then those of the system and of the command line must do."""
    match answer:
        case Known(value=body):
            try:
                return Part(body, f"ConfigMap {_AUTHORITIES}")["data"]["ca.crt"].some_text(), None
            except Malformed as error:
                return "", str(error)
        case Unknown(reason=why):
            return "", why
        case _:
            return "", f"there is no ConfigMap {_AUTHORITIES}"


def _managed(body: Part) -> ManagedCluster:
    """Return a cluster; what the cluster itself has written into the status spoils nothing but its own row."""
    name = body["metadata"]["name"].some_text()
    if not _NAME.fullmatch(name):
        raise Malformed(f"a ManagedCluster is named {name[:80]!r}, which is not a valid name")
    named = Part(body.value, f"ManagedCluster {name}")
    labels = {key: _label(named, key, value) for key, value in named["metadata"]["labels"].mapping().items()}
    try:
        claims = _claims(named["status"]["clusterClaims"].items())
        return ManagedCluster(name, labels, claims, _unready(named, labels))
    except Malformed as error:
        return ManagedCluster(name, labels, {}, f"what the hub says of it makes no sense: {error}")


def _label(body: Part, key: str, value: object) -> str:
    if not (isinstance(value, str) and key.isprintable() and value.isprintable()):
        raise Malformed(f"a label of {body.name} is not text")
    return value


def _claims(items: Iterable[Part]) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in items:
        name, value = item["name"].some_text(), item["value"].text()
        if name in _CLAIMS and found.setdefault(name, value) != value:
            raise Malformed(f"the claim {name} appears there twice, with two values")
    return found


def _unready(body: Part, labels: Mapping[str, str]) -> str | None:
    """Return why nothing can be asked of a cluster now."""
    if not body["metadata"]["deletionTimestamp"].missing:
        return "it is being detached from the hub"
    if body["spec"]["hubAcceptsClient"].flag() is not True:
        return "the hub has not let it join"
    states = [c for c in body["status"]["conditions"].items() if c["type"].text() == _AVAILABLE]
    if not states:
        return "the hub does not say that it is available"
    for state in states:
        if state["status"].text() != "True":
            word = state["reason"].text()
            return f"the hub says that it is not available{f' ({word})' if _WORD.fullmatch(word) else ''}"
    if (addon := labels.get(_ADDON, "available")) != "available":
        return f"its add-on cluster-proxy is {addon[:60]!r}, not available"
    return None

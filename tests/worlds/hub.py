"""A stand-in hub: an API server with ManagedClusters, and a cluster-proxy that leads to their API servers."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from tests.worlds.fleets import Fleet
from tests.worlds.flows import World
from tests.worlds.kubernetes_server import KubernetesServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.worlds.certificates import Certificates

TOKEN = "token-of-the-hub"
ENGINE = "multicluster-engine"
ROUTE = f"/apis/route.openshift.io/v1/namespaces/{ENGINE}/routes/cluster-proxy-addon-user"
CLUSTERS = "/apis/cluster.open-cluster-management.io/v1/managedclusters"


def managed(
    name: str,
    claims: dict[str, str] | None = None,
    *,
    labels: dict[str, str] | None = None,
    available: str | None = "True",
    **changes: Any,
) -> dict[str, Any]:
    """Return a ManagedCluster that joined, with the conditions and labels that a hub gives it."""
    conditions = [
        {"type": "HubAcceptedManagedCluster", "status": "True", "reason": "HubClusterAdminAccepted"},
        {"type": "ManagedClusterJoined", "status": "True", "reason": "ManagedClusterJoined"},
    ]
    if available is not None:
        reason = "ManagedClusterAvailable" if available == "True" else "ManagedClusterLeaseUpdateStopped"
        conditions.append({"type": "ManagedClusterConditionAvailable", "status": available, "reason": reason})
    given = {"product.open-cluster-management.io": "OpenShift", **(claims or {})}
    listed = [{"name": claim, "value": value} for claim, value in given.items()]
    kept = {"feature.open-cluster-management.io/addon-cluster-proxy": "available", "vendor": "OpenShift"}
    return {
        "kind": "ManagedCluster",
        "metadata": {"name": name, "labels": {**kept, **(labels or {})}, **changes.pop("metadata", {})},
        "spec": {"hubAcceptsClient": True, "leaseDurationSeconds": 60, **changes.pop("spec", {})},
        "status": {"conditions": conditions, "clusterClaims": listed, **changes},
    }


def route(host: str, namespace: str = ENGINE) -> dict[str, Any]:
    """Return the Route of cluster-proxy as the engine makes it."""
    return {
        "kind": "Route",
        "metadata": {"name": "cluster-proxy-addon-user", "namespace": namespace},
        "spec": {
            "host": host,
            "tls": {"termination": "reencrypt", "insecureEdgeTerminationPolicy": "Redirect"},
            "to": {"kind": "Service", "name": "cluster-proxy-addon-user"},
        },
    }


def authorities(certificates: Certificates, namespace: str = ENGINE) -> dict[str, Any]:
    """Return the ConfigMap that Kubernetes puts into every namespace."""
    return {
        "kind": "ConfigMap",
        "metadata": {"name": "kube-root-ca.crt", "namespace": namespace},
        "data": {"ca.crt": certificates.authority.read_text()},
    }


class Hub:
    """The hub of a fleet: `api` is its own server, `proxy` the way to `clusters`."""

    def __init__(self, fleet: Fleet, certificates: Certificates, *objects: dict[str, Any]) -> None:
        self.fleet = fleet
        self.certificates = certificates
        self.clusters: dict[str, KubernetesServer] = {}
        self.api = KubernetesServer(certificates, objects, token=TOKEN)
        self.proxy = KubernetesServer(certificates, [], token=TOKEN, managed=self.clusters)

    def add(self, name: str, cluster_id: str, **changes: Any) -> KubernetesServer:
        """Put a cluster with an ID behind the proxy."""
        found = World(payloads=self.fleet.releases).but(**changes).objects()
        found[0]["spec"]["clusterID"] = cluster_id
        self.clusters[name] = KubernetesServer(self.certificates, found, token=TOKEN)
        return self.clusters[name]

    @contextlib.contextmanager
    def run(self, folder: Path) -> Iterator[Path]:
        """Serve until the block ends; gives the kubeconfig whose current context is the hub."""
        with self.api.run(), self.proxy.run():
            yield self.api.kubeconfig(folder / "kubeconfig")

"""The hubs of a fleet: each is asked once for its clusters, and then is the way to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from upgrade_gate.base import plugins
from upgrade_gate.base.errors import ClusterError, UsageError
from upgrade_gate.cli import stderr
from upgrade_gate.cluster import hub
from upgrade_gate.cluster.hub import ClusterProxy
from upgrade_gate.reading.http import tls

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from upgrade_gate.cli.options import ClusterOptions
    from upgrade_gate.cluster.hub import ManagedCluster
    from upgrade_gate.cluster.model import Reader
    from upgrade_gate.fleet.inventory import Entry
    from upgrade_gate.payloads.reference import Settings


class _Way(Struct, frozen=True):
    """How the clusters of one hub are reached."""

    reader: Any
    """That of the hub itself."""
    proxy: ClusterProxy
    trust: ssl.SSLContext


class Hubs:
    """Lists the clusters of hubs, and opens them."""

    def __init__(self, cluster: ClusterOptions, settings: Settings, address: str | None) -> None:
        """`address` is where cluster-proxy is; None: the hub says it."""
        self._cluster, self._settings, self._address = cluster, settings, address
        self._ways: dict[str, _Way] = {}
        self._found: dict[str, Sequence[ManagedCluster]] = {}

    def clusters(self, context: str) -> Sequence[ManagedCluster]:
        """Return the clusters of the hub that a context names; the empty one is the current one.

        Each hub is asked once. Raises ClusterError where they cannot be listed, or the way to them is not known;
        UsageError without a network, and where one address would stand for two hubs.
        """
        if context in self._found:
            return self._found[context]
        if self._address and self._found:
            raise UsageError(
                "--cluster-proxy is for one hub, and the inventories name two", hint="give them one by one"
            )
        if self._settings.offline:
            raise UsageError("--offline, and a hub is a live cluster", hint="use snapshots:DIR or must-gathers:DIR")
        reader = plugins.load("cluster.readers", "live").open_cluster(
            kubeconfig=self._cluster.kubeconfig,
            context=context or None,
            timeout=self._cluster.timeout,
            progress=not stderr.silent(),
        )
        self._found[context] = hub.managed_clusters(reader)
        proxy = ClusterProxy(self._address) if self._address else hub.cluster_proxy(reader)
        try:
            trust = tls.trust_also(self._settings.certificate_authority, proxy.authorities)
        except ValueError as error:
            raise ClusterError(f"{reader.description}: the certificates for its pods: {error}") from error
        self._ways[context] = _Way(reader, proxy, trust)
        self._open(self._ways[context], "NAME")  # a login that cluster-proxy does not take is no cluster's own failure
        return self._found[context]

    def refuse_unused(self) -> None:
        """Raise UsageError where an address was given and no inventory has named a hub."""
        if self._address and not self._found:
            raise UsageError("--cluster-proxy is for a hub, and no inventory names one", hint="leave it out")

    def open(self, entry: Entry) -> Reader:
        """Open one cluster through its hub."""
        return self._open(self._ways[entry.hub], entry.where)

    def _open(self, way: _Way, name: str) -> Reader:
        live = plugins.load("cluster.readers", "live")
        reader = live.open_managed(
            way.reader,
            name,
            way.proxy,
            way.trust,
            timeout=self._cluster.timeout,
            read_secrets=self._cluster.read_secrets,
        )
        return cast("Reader", reader)

"""Which clusters of a hub are not read at all, since what they claim about themselves rules a pass out.

A claim spares a read where the row that it gives is "cannot tell": never where the cluster could pass. So a platform
rules nothing out, since a cluster on one without requests passes; and neither does the target's own version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from upgrade_gate.base import versions
from upgrade_gate.base.errors import ClusterError
from upgrade_gate.cluster import hub
from upgrade_gate.requests import update

if TYPE_CHECKING:
    from upgrade_gate.cluster.hub import ManagedCluster

_OTHERS: Final = frozenset({"AKS", "EKS", "GKE", "ICP", "IKS", "MicroShift"})
"""Products without a ClusterVersion (docs/facts/hubs.md#claims); another word may be a new name of OpenShift."""


def ruled_out(managed: ManagedCluster, target: str | None, *, may_accept: bool) -> ClusterError | None:
    """Return why a cluster is not read, None where it is to be read.

    `target` is a version, None where it is not known. `may_accept` says that the way to the target is not the straight
    one, or that somebody may have accepted it: then a version decides nothing.
    """
    if managed.unready is not None:
        return ClusterError(managed.unready, hint="see it on the hub, and run again")
    product, version = managed.claims.get(hub.PRODUCT, ""), managed.claims.get(hub.VERSION, "")
    if product in _OTHERS and not version:
        return ClusterError(
            f"its claim {hub.PRODUCT} is {product}, which is not OpenShift",
            hint="leave it out: --selector vendor=OpenShift",
        )
    if managed.claims.get(hub.TOPOLOGY) == "External":
        return ClusterError(
            f"its claim {hub.TOPOLOGY} is External, so its control plane and its roles are elsewhere",
            hint="check it alone, with --profile",
        )
    if may_accept or target is None or versions.parse(version) is None:
        return None
    kind = update.kind_of(version, target)
    # a major hop rests on the target's edges; back within a minor, on the cluster's history: both have to be read
    possible, why = (
        update.support(kind, version, target, named=False, came_from=target) if kind != "major" else (True, "")
    )
    if possible:
        return None
    return ClusterError(
        f"its claim {hub.VERSION} is {version}; {why}", hint="leave it out, or name another target with --to"
    )

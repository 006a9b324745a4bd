"""Where on this cluster the grants of one request must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.clouds.contract.scopes import places_of

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.context import Bucket
    from upgrade_gate.cluster.facts_table import Cluster


def request_scopes(cluster: Cluster, kind: str, request_name: str) -> Known[tuple[str, ...]] | Unknown:
    """Return the scopes that the grants of one request (and its providerSpec kind) must cover on this cluster."""
    places = {"network": cluster.network_scopes, "zone": cluster.zone_scopes}
    found: list[str] = []
    for part in (cluster.scopes, *(places[place] for place in places_of(kind, request_name) if place in places)):
        match part:
            case Known(value=groups):
                found += groups
            case Unknown():
                return part
            case Absent():
                pass
    return Known(tuple(dict.fromkeys(found)))


def request_bucket(cluster: Cluster, kind: str, request_name: str) -> Fact[Bucket]:
    """Return the one bucket that the component of a request works with; absent where it works with none."""
    return cluster.registry_bucket if "bucket" in places_of(kind, request_name) else Absent()

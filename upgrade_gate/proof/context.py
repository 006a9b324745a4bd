"""The cluster's own context: what its facts say about where, and under which conditions, a grant is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.facts import Fact, Known, Unknown, known_or
from upgrade_gate.clouds.contract.context import Context

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from upgrade_gate.cluster.facts_table import Cluster


class Places(Struct, frozen=True):
    """What besides the cluster's own project must be read to judge its identities; of Google Cloud alone."""

    projects: tuple[str, ...] = ()
    """Those of its zones and its network."""
    node_accounts: tuple[str, ...] = ()
    """The service accounts that its machines run as."""


def places_of(cluster: Cluster | None) -> Places:
    """Return which projects and accounts the facts of a cluster name; what is not known is not asked about."""
    if cluster is None:
        return Places()
    network = (cluster.network_project.value,) if isinstance(cluster.network_project, Known) else ()
    projects = (*known_or(cluster.zone_projects, ()), *network)
    return Places(tuple(dict.fromkeys(projects)), cluster.node_accounts_read)


def context_of(cluster: Cluster, now: datetime, *, account: str | None, assume: Sequence[str]) -> Context:
    """Return what is known of the cluster that uses a grant; what a fact does not say stays unknown.

    `account` is what the user says that the exports belong to.
    """
    own = _first(cluster.scopes)
    facts: dict[str, Fact[Any]] = {
        "private_zone_role": cluster.private_zone_role,
        "dns_projects": cluster.zone_projects,
        "network_project": cluster.network_project,
        "node_service_accounts": cluster.node_accounts,
        "vpc_group": cluster.installed_network,
        "dns_instance": cluster.dns_instance,
        "cis_instance": cluster.internet_instance,
    }
    return Context(
        account=account,
        region=known_or(cluster.region, None),
        infrastructure_name=known_or(cluster.name, None),
        now=now.isoformat(),
        project=own,
        resource_group_id=own,
        assume=tuple(assume),
        unread={name: fact.reason for name, fact in facts.items() if isinstance(fact, Unknown)},
        **{name: known_or(fact, None) for name, fact in facts.items() if name != "node_service_accounts"},
        node_service_accounts=known_or(cluster.node_accounts, cluster.node_accounts_read or None),
    )


def _first(fact: Fact[tuple[str, ...]]) -> str | None:
    return fact.value[0] if isinstance(fact, Known) and fact.value else None

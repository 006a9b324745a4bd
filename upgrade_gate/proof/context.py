"""What the facts of a cluster say of the context in which its grants are judged (docs/facts, each cloud's own page)."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from upgrade_gate.base.facts import Known
from upgrade_gate.clouds.contract.context import Context

if TYPE_CHECKING:
    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cluster.facts_table import Cluster


T = TypeVar("T")


def context_of(
    cluster: Cluster | None, *, account: str | None, now: str | None, assume: tuple[str, ...]
) -> Context | None:
    """Return the context that a cluster gives, None where no cluster was read: then only the letter counts.

    `account` is the one that the configuration names, `now` the time that was given to judge at.
    """
    if cluster is None:
        return None
    return Context(
        account=account,
        region=_known(cluster.region),
        infrastructure_name=_known(cluster.name),
        private_zone_role=_known(cluster.private_zone_role),
        now=now,
        assume=assume,
    )


def _known(fact: Fact[T]) -> T | None:
    """Return a value; what is absent decides as little as what is not known."""
    return fact.value if isinstance(fact, Known) else None

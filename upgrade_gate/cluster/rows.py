"""The lines of "read 9 of 11 facts": one for each object that was read, with a short value or the reason."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown, known_or, map_known
from upgrade_gate.base.text import data_without_credentials, without_credentials
from upgrade_gate.cluster import facts_table
from upgrade_gate.cluster.facts_table import FACTS, FIRST_WAVE, namespace_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from upgrade_gate.base.secret_ref import SecretRef
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import Query, SecretRecord


class FactRow(Struct, frozen=True):
    """One line of "read 9 of 11 facts"."""

    name: str
    state: Literal["known", "absent", "unknown"]
    value: Any
    """Short JSON value for the report, None unless known."""
    reason: str | None
    remedy: str | None = None


_SHOWN: Mapping[Query, Callable[[Cluster], Fact[Any]]] = MappingProxyType(
    {
        facts_table.VERSION: lambda cluster: cluster.version,
        facts_table.OPERATOR: lambda cluster: map_known(
            cluster.operator, lambda conditions: Known({c.type: c.status for c in conditions})
        ),
        facts_table.AUTHENTICATION: lambda cluster: (
            Known(None) if isinstance(cluster.issuer, Absent) else cluster.issuer
        ),
        facts_table.CREDENTIAL: lambda cluster: map_known(
            cluster.credentials_mode,
            lambda word: Known({"credentialsMode": word, "upgradeable-to": known_or(cluster.annotation, None)}),
        ),
        facts_table.REGISTRY: lambda cluster: map_known(
            cluster.registry_bucket, lambda bucket: Known({"bucket": bucket.name})
        ),
        facts_table.REQUESTS: lambda cluster: map_known(cluster.requests, lambda requests: Known(len(requests))),
    }
)
"""What the line of an object shows where that is not its first fact."""


def rows_of(cluster: Cluster) -> tuple[FactRow, ...]:
    """Return one line per object, then those of namespaces and Secrets, as far as they were looked for."""
    rows = [_object_row(query, cluster) for query in (*FIRST_WAVE, *cluster.looked_for)]
    if isinstance(cluster.accepted, Known):
        rows.insert(1, _row(f"{facts_table.VERSION.title}, update mode and risks agreed to", cluster.accepted))
    rows += [_row(namespace_query(name).title, _presence(fact)) for name, fact in cluster.namespaces.items()]
    rows += [_secrets_row(space, cluster.secrets) for space in sorted({ref.namespace for ref in cluster.secrets})]
    if cluster.root is not None:
        rows.append(_row(f"Secret {cluster.root}", _presence(cluster.root_secret)))
    return tuple(rows)


def _object_row(query: Query, cluster: Cluster) -> FactRow:
    facts = [cluster.facts[row.name] for row in FACTS if row.query == query]
    return _row(query.title, _SHOWN[query](cluster) if query in _SHOWN else facts[0], facts)


def _secrets_row(namespace: str, secrets: Mapping[SecretRef, Fact[SecretRecord]]) -> FactRow:
    inside = {ref.name: fact for ref, fact in secrets.items() if ref.namespace == namespace}
    shown = {
        "present": [name for name, fact in inside.items() if isinstance(fact, Known)],
        "absent": [name for name, fact in inside.items() if isinstance(fact, Absent)],
    }
    return _row(f"Secrets of {namespace}", Known(shown), inside.values())


def _presence(fact: Fact[Any]) -> Fact[Any]:
    return map_known(fact, lambda _: Known("present"))


def _row(name: str, shown: Fact[Any], facts: Iterable[Fact[Any]] = ()) -> FactRow:
    """Return the line that shows one fact; it is unknown where any of the facts behind it is."""
    match next((fact for fact in facts if isinstance(fact, Unknown)), shown):
        case Known(value=value):
            return FactRow(name, "known", data_without_credentials(value), None)
        case Absent():
            return FactRow(name, "absent", None, None)
        case Unknown(reason=reason, remedy=remedy):
            return FactRow(name, "unknown", None, without_credentials(reason), remedy)

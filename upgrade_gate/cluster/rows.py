"""The lines of "read 9 of 11 facts": one for each object that was read, with a short value or the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown, known_or
from upgrade_gate.cluster import facts_table
from upgrade_gate.cluster.model import Cluster, FactRow, SecretRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.base.secret_ref import SecretRef

__all__ = ["first_rows", "row", "secret_rows"]


def row(name: str, fact: Fact[Any], value: Any) -> FactRow:
    """Return the line of one fact; `value` is shown where it is known."""
    match fact:
        case Known():
            return FactRow(name, "known", value, None)
        case Absent():
            return FactRow(name, "absent", None, None)
        case Unknown(reason=reason, remedy=remedy):
            return FactRow(name, "unknown", None, reason, remedy)


def secret_rows(secrets: Mapping[SecretRef, Fact[SecretRecord]]) -> list[FactRow]:
    """Return one line for the Secrets of each namespace."""
    found = []
    for namespace in sorted({ref.namespace for ref in secrets}):
        inside = {ref: fact for ref, fact in secrets.items() if ref.namespace == namespace}
        unknown = [fact for fact in inside.values() if isinstance(fact, Unknown)]
        value = {
            "present": [ref.name for ref, fact in inside.items() if isinstance(fact, Known)],
            "absent": [ref.name for ref, fact in inside.items() if isinstance(fact, Absent)],
        }
        found.append(row(f"Secrets of {namespace}", unknown[0] if unknown else Known(value), value))
    return found


def first_rows(cluster: Cluster) -> tuple[FactRow, ...]:
    """Return one row per object; a fact that could not be taken from an object makes its row unknown."""

    def worst(*facts: Fact[Any]) -> Fact[Any]:
        unknown = [fact for fact in facts if isinstance(fact, Unknown)]
        return unknown[0] if unknown else facts[0]

    operator = {c.type: c.status for c in cluster.operator.value} if isinstance(cluster.operator, Known) else None
    count = len(cluster.requests.value) if isinstance(cluster.requests, Known) else None
    version = (
        cluster.version,
        cluster.newest_completed,
        cluster.id,
        cluster.history,
        cluster.offers,
        cluster.version_conditions,
        cluster.overrides,
        cluster.capabilities,
        cluster.channel,
        cluster.upstream,
        cluster.architecture,
    )
    infrastructure = (cluster.platform, cluster.name, cluster.api_url, cluster.topology, cluster.scopes, cluster.region)
    gates = (cluster.feature_set, cluster.feature_gates, cluster.custom_gates)
    names = facts_table.ROW_NAMES
    return (
        row(names[facts_table.VERSION], worst(*version), known_or(cluster.version, None)),
        row(names[facts_table.OPERATOR], cluster.operator, operator),
        row(names[facts_table.INFRASTRUCTURE], worst(*infrastructure), known_or(cluster.platform, None)),
        row(names[facts_table.AUTHENTICATION], _present(cluster.issuer), known_or(cluster.issuer, None)),
        row(names[facts_table.FEATURE_GATE], worst(*gates), known_or(cluster.feature_set, None)),
        row(
            names[facts_table.DNS], worst(cluster.base_domain, cluster.zone_scopes), known_or(cluster.base_domain, None)
        ),
        row(
            names[facts_table.CREDENTIAL],
            worst(cluster.credentials_mode, cluster.annotation),
            _credential_value(cluster),
        ),
        row(names[facts_table.CONFIGMAP], cluster.disabled, known_or(cluster.disabled, None)),
        row(names[facts_table.DEPLOYMENT], worst(cluster.profile, cluster.excluded), known_or(cluster.profile, None)),
        row(names[facts_table.REQUESTS], cluster.requests, count),
    )


def _present(fact: Fact[Any]) -> Fact[Any]:
    return Known(None) if isinstance(fact, Absent) else fact


def _credential_value(cluster: Cluster) -> Any:
    if not isinstance(cluster.credentials_mode, Known):
        return None
    annotation = cluster.annotation.value if isinstance(cluster.annotation, Known) else None
    return {"credentialsMode": cluster.credentials_mode.value, "upgradeable-to": annotation}

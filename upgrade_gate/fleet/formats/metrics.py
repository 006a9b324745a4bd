"""The verdicts for Prometheus: a file for node_exporter's textfile collector, or for a Pushgateway.

A gauge tells the exit code and another when the cluster was judged, from which a query computes the verdict's age:
`time() - upgrade_gate_judged_timestamp_seconds`. A scheduled run that no longer runs shows by it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.fleet.document import Fleet

_CODES = {
    "pass": ExitCode.PASS,
    "blocked": ExitCode.BLOCKED,
    "undetermined": ExitCode.UNDETERMINED,
}


def files(fleet: Fleet) -> Mapping[str, bytes]:
    """Return `metrics.prom` in the text format of Prometheus."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    registry = CollectorRegistry()

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"upgrade_gate_{name}", text, labels, registry=registry)

    verdict = gauge("verdict", "Exit code of check: 0 pass, 3 blocked, 4 undetermined.", "cluster", "id", "to")
    judged = gauge("judged_timestamp_seconds", "When the cluster was judged.", "cluster", "id", "to")
    collected = gauge("collected_timestamp_seconds", "When its snapshot or dump was made.", "cluster", "id", "to")
    clusters = gauge("clusters", "Clusters by verdict.", "status")
    causes = gauge(
        "cause_clusters", "Clusters by cause and how it stands.", "fingerprint", "rule", "severity", "standing"
    )
    for cluster in fleet.clusters:
        labels = (one_line(cluster.name), cluster.id or "", one_line(cluster.to))
        verdict.labels(*labels).set(_CODES[cluster.status])
        for moments, text in ((judged, cluster.generated), (collected, cluster.collected)):
            moment = _moment(text)
            if moment is not None:
                moments.labels(*labels).set(moment)
    for status, count in fleet.verdicts.items():
        clusters.labels(status).set(count)
    for cause in fleet.causes:
        for standing in cause.counts.__struct_fields__:
            causes.labels(cause.fingerprint, cause.rule, cause.severity, standing).set(getattr(cause.counts, standing))
    return {"metrics.prom": generate_latest(registry)}


def _moment(text: str | None) -> float | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None

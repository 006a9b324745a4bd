"""The verdicts for Prometheus: a file for node_exporter's textfile collector, or for a Pushgateway.

A gauge tells the exit code and another when the cluster was judged, from which a query computes the verdict's age:
`time() - upgrade_gate_judged_timestamp_seconds`. A scheduled run that no longer runs shows by it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from upgrade_gate.base.text import one_line
from upgrade_gate.fleet import document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client import Metric

    from upgrade_gate.fleet.document import Cluster, Fleet


def files(fleet: Fleet) -> Mapping[str, bytes]:
    """Return `metrics.prom` in the text format of Prometheus."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(_Verdicts(fleet))
    return {"metrics.prom": generate_latest(registry)}


class _Verdicts:
    """Yields one metric after the other: a thousand clusters need no gauge each."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics, each whole."""
        from prometheus_client.core import GaugeMetricFamily

        def gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
            return GaugeMetricFamily(f"upgrade_gate_{name}", text, labels=labels)

        fleet, who = self._fleet, ("cluster", "id", "to")
        verdict = gauge("verdict", "Exit code of check: 0 pass, 3 blocked, 4 cannot tell.", *who)
        for cluster in fleet.clusters:
            verdict.add_metric(_labels(cluster), document.EXIT_CODES[cluster.status])
        yield verdict
        judged = gauge("judged_timestamp_seconds", "When the cluster was judged.", *who)
        collected = gauge("collected_timestamp_seconds", "When its snapshot or dump was made.", *who)
        for cluster in fleet.clusters:
            for moments, text in ((judged, cluster.generated), (collected, cluster.collected)):
                moment = _moment(text)
                if moment is not None:
                    moments.add_metric(_labels(cluster), moment)
        yield judged
        yield collected
        clusters = gauge("clusters", "Clusters by verdict.", "status")
        for status, count in fleet.verdicts.items():
            clusters.add_metric((status,), count)
        yield clusters
        causes = gauge(
            "cause_clusters", "Clusters by cause and how it stands.", "fingerprint", "rule", "severity", "standing"
        )
        for cause in fleet.causes:
            for standing in cause.counts.__struct_fields__:
                labels = (cause.fingerprint, cause.rule, cause.severity, standing)
                causes.add_metric(labels, getattr(cause.counts, standing))
        yield causes


def _labels(cluster: Cluster) -> tuple[str, str, str]:
    return one_line(cluster.name), cluster.id or "", one_line(cluster.to)


def _moment(text: str | None) -> float | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found.timestamp() if found.tzinfo else None

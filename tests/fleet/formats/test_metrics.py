"""`metrics.prom`: read by Prometheus' own parser."""

from prometheus_client.parser import text_string_to_metric_families

from tests.worlds.fleets import cluster, fleet_of
from upgrade_gate.base import plugins
from upgrade_gate.fleet import document


def samples(*clusters: document.Cluster) -> dict[tuple[str, str], float]:
    content = plugins.load("fleet.formats", "metrics").files(fleet_of(*clusters))["metrics.prom"]
    return {
        (
            sample.name,
            sample.labels.get("cluster") or sample.labels.get("status") or sample.labels["standing"],
        ): sample.value
        for family in text_string_to_metric_families(content.decode())
        for sample in family.samples
    }


def test_the_verdict_and_the_time_from_which_its_age_counts() -> None:
    found = samples(cluster("a"), cluster('b"\\\n', status="undetermined", collected=None), cluster("c", status="pass"))
    assert found["upgrade_gate_verdict", "a"] == 3
    assert [value for (name, who), value in found.items() if name == "upgrade_gate_verdict" and who[0] == "b"] == [4]
    assert found["upgrade_gate_verdict", "c"] == 0
    assert found["upgrade_gate_judged_timestamp_seconds", "a"] == 1793491200
    assert found["upgrade_gate_collected_timestamp_seconds", "a"] == 1793404800
    assert sum(name == "upgrade_gate_collected_timestamp_seconds" for name, _ in found) == 2
    assert found["upgrade_gate_clusters", "blocked"] == 1
    assert found["upgrade_gate_cause_clusters", "unknown"] == 1

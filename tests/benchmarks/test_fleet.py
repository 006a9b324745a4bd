"""`fleet` over 1,000 snapshots of five platforms on one pair of releases, beside 100 of them."""

from pathlib import Path

import pytest

from tests.benchmarks.conftest import Measure
from tests.worlds.fleets import NOW, PLATFORMS, Fleet

pytestmark = pytest.mark.benchmark


def test_a_thousand_clusters_beside_a_hundred(measure: Measure, tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    peaks = []
    for count, budget in ((100, "-"), (1000, "60 s, peak within 10 % of 100 clusters")):
        platforms = list(PLATFORMS)
        for number in range(count):
            fleet.add(f"cluster-{number:04}", platform=platforms[number % len(platforms)])
        run = ("fleet", f"snapshots:{fleet.snapshots}", "--from", fleet.old, "--to", fleet.new, "--now", NOW)
        figure = measure(
            f"fleet, {count} snapshots", *run, "--no-cache", "-d", tmp_path / f"result-{count}", budget=budget, runs=1
        )
        assert figure.code == 3
        peaks.append(figure.megabytes)
    assert len(peaks) == 2

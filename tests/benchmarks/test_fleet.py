"""`fleet`: 1,000 snapshots of five platforms on one pair of releases beside 100 of them; 10,000 over 40 pairs."""

from pathlib import Path

import pytest

from tests.benchmarks.conftest import PROGRAM, Measure
from tests.benchmarks.large_fleet import PLATFORMS, LargeFleet

pytestmark = pytest.mark.benchmark
NOW = "2026-11-01"
SAMPLE = 20
"""Of so many clusters the plain program runs `check`, one after the other."""


def test_a_thousand_clusters_beside_a_hundred(measure: Measure, tmp_path: Path) -> None:
    fleet = LargeFleet(tmp_path, pairs=1, platforms=PLATFORMS[:5])
    peaks = []
    for count, budget in ((100, "-"), (1000, "60 s, peak within 10 % of 100 clusters")):
        inventory = fleet.inventory(count)
        run = ("fleet", inventory, *fleet.releases, "--now", NOW, "--no-cache", "-d", tmp_path / f"result-{count}")
        sample = sorted((tmp_path / f"snapshots-{count}").iterdir())[:SAMPLE]
        plain = ("each", PROGRAM, *fleet.first, NOW, *sample)
        told = {"plain": plain, "times": count // SAMPLE}
        figure = measure(f"fleet, {count} snapshots, one pair, five platforms", *run, budget=budget, runs=1, **told)
        assert figure.code == 3
        peaks.append(figure.megabytes)
    assert len(peaks) == 2


def test_ten_thousand_clusters_over_forty_pairs(measure: Measure, tmp_path: Path) -> None:
    fleet = LargeFleet(tmp_path, pairs=40)
    inventory = fleet.inventory(10_000)
    run = ("fleet", inventory, *fleet.releases, "--now", NOW, "--no-cache", "-d", tmp_path / "result")
    what = "fleet, 10000 snapshots, 40 pairs, eight platforms"
    assert measure(what, *run, budget="10 min, 400 MB", runs=1).code == 3

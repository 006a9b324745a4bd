"""The sample reports are what the program writes today, byte for byte."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.generators import sample_fleet, samples
from upgrade_gate.base import plugins


def _compare(folder: Path, name: str, formats: Sequence[str]) -> None:
    for form in formats:
        path = samples.REPORTS / f"{name}.{samples.ENDINGS[form]}"
        assert path.exists(), f"{path.name} is not there: run `make reports`"
        assert path.read_bytes() == (folder / path.name).read_bytes(), f"{path.name} differs: see `make reports`"


@pytest.mark.parametrize("name", sorted(samples.RUNS))
def test_the_samples_are_what_the_program_writes(name: str, tmp_path: Path) -> None:
    samples.write(tmp_path, name)
    _compare(tmp_path, name, plugins.names("report.formats"))


@pytest.mark.parametrize("name", sorted(samples.PAIRS))
def test_the_samples_of_real_releases_are_what_the_program_writes(name: str, shared: Path, tmp_path: Path) -> None:
    samples.write_pair(tmp_path, name, shared)
    _compare(tmp_path, name, samples.READ_BY_PEOPLE)


def test_the_sample_of_a_plan_is_what_the_program_writes(shared: Path, tmp_path: Path) -> None:
    samples.write_plan(tmp_path, shared)
    _compare(tmp_path, "plan", samples.PLAN_FORMATS)


def test_the_sample_of_a_fleet_is_what_the_program_writes(tmp_path: Path) -> None:
    sample_fleet.write(tmp_path)
    for ending in sample_fleet.ENDINGS:
        name = f"{sample_fleet.NAME}.{ending}"
        assert (samples.REPORTS / name).read_bytes() == (tmp_path / name).read_bytes(), f"{name}: see `make reports`"


def test_nothing_else_lies_among_the_samples() -> None:
    known = {f"{name}.{ending}" for name in samples.RUNS for ending in samples.ENDINGS.values()}
    known |= {f"{name}.{samples.ENDINGS[form]}" for name in samples.PAIRS for form in samples.READ_BY_PEOPLE}
    known |= {f"plan.{samples.ENDINGS[form]}" for form in samples.PLAN_FORMATS}
    known |= {f"{sample_fleet.NAME}.{ending}" for ending in sample_fleet.ENDINGS}
    assert {path.name for path in samples.REPORTS.iterdir()} == known | {"README.md"}


def test_the_samples_are_small_and_name_no_place_of_this_machine() -> None:
    assert sum(path.stat().st_size for path in samples.REPORTS.iterdir()) < 3_000_000
    places = (f"{samples.ROOT}/", f"{tempfile.gettempdir()}/", f"{Path.home()}/")
    for path in samples.REPORTS.iterdir():
        text = path.read_text("utf-8")
        assert not [place for place in places if place in text], path.name


def test_the_samples_readme_tells_what_each_is() -> None:
    text = (samples.REPORTS / "README.md").read_text("utf-8")
    for name in (*samples.RUNS, *samples.PAIRS, "plan", sample_fleet.NAME):
        assert f"`{name}" in text, name

"""The sample reports are what the program writes today, byte for byte."""

from pathlib import Path

import pytest

from tests import samples
from upgrade_gate import plugins


@pytest.mark.parametrize("name", sorted(samples.RUNS))
def test_the_samples_are_what_the_program_writes(name: str, tmp_path: Path) -> None:
    samples.write(tmp_path, name)
    for form in plugins.names("formats"):
        path = samples.REPORTS / f"{name}.{samples.ENDINGS[form]}"
        assert path.exists(), f"{path.name} is not there: run `make reports`"
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), f"{path.name} differs: see `make reports`"


def test_nothing_else_lies_among_the_samples() -> None:
    known = {f"{name}.{ending}" for name in samples.RUNS for ending in samples.ENDINGS.values()}
    assert {path.name for path in samples.REPORTS.iterdir()} <= known | {"README.md"}

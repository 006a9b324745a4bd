"""Fixtures of the ready files."""

from pathlib import Path

import pytest

from tests.worlds.ready_files import Workspace


@pytest.fixture
def workspace(tmp_path: Path, fixtures: Path) -> Workspace:
    """A checked out repository."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return Workspace(folder, fixtures)

"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def fixtures(repository: Path) -> Path:
    """The fixtures written by us."""
    return repository / "fixtures"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared corpus of real payloads and cases."""
    folder = os.environ.get("UPGRADE_GATE_SHARED")
    if not folder:
        pytest.skip("UPGRADE_GATE_SHARED is not set: the shared corpus is not here")
    return Path(folder)

"""Certificates for the servers of the readers' tests."""

import pytest

from tests.integration import certificates as files


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> files.Certificates:
    """An authority and a server certificate for 127.0.0.1."""
    return files.make(tmp_path_factory.mktemp("certificates"))

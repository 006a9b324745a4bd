"""What the live readers' tests share."""

import pytest

from tests.integration import certificates as files


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> files.Certificates:
    """An authority of our own and a certificate for loopback."""
    return files.make(tmp_path_factory.mktemp("certificates"))

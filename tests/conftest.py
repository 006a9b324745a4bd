"""Fixtures that every test may use."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.worlds import browser as chromium
from tests.worlds import certificates as certificate_files

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# timing never decides a test: a busy machine is no fault of the code
settings.register_profile("repository", deadline=None)
settings.load_profile("repository")

WHOLE = ("e2e", "faults", "integration")
"""Folders whose tests run the program from end to end."""


def pytest_configure() -> None:
    """Take Ctrl-C again where a shell has started this run in the background: the processes of tests inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the shared corpus, and what is slow, as far as it can be seen of a test.

    Slow are thousands of examples, and runs from end to end.
    """
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker("shared")
        folder = item.path.relative_to(item.config.rootpath / "tests").parts[0]
        if folder in WHOLE or getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("slow")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def fixtures(repository: Path) -> Path:
    """The fixtures written by us."""
    return repository / "fixtures"


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> certificate_files.Certificates:
    """An authority of our own and certificates for loopback."""
    return certificate_files.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared corpus of real payloads and cases."""
    folder = os.environ.get("UPGRADE_GATE_SHARED")
    if not folder:
        pytest.skip("UPGRADE_GATE_SHARED is not set: the shared corpus is not here")
    return Path(folder)


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """Chromium."""
    with chromium.started() as browser:
        yield browser


@pytest.fixture
def viewer(browser: "Browser", tmp_path: Path) -> Iterator[chromium.Viewer]:
    """What opens pages in Chromium and closes them."""
    viewer = chromium.Viewer(browser, tmp_path)
    yield viewer
    viewer.close()

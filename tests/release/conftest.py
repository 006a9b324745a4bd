"""What a release holds, made once for all workers of a run, and a way to run it without a network."""

import fcntl
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

PYTHON = getattr(sys, "_base_executable", sys.executable)
"""The interpreter alone, without what is installed for the tests."""

DEAD = "http://127.0.0.1:9"
NO_NETWORK = {"http_proxy": DEAD, "https_proxy": DEAD, "HTTP_PROXY": DEAD, "HTTPS_PROXY": DEAD, "no_proxy": ""}

Offline = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def release(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `wheelhouse/` and `upgrade-gate.pyz`: UPGRADE_GATE_DIST, else made here.

    To make it takes the package index, as `make wheelhouse` does.
    """
    if given := os.environ.get("UPGRADE_GATE_DIST"):
        return Path(given)
    top = tmp_path_factory.getbasetemp()
    folder = (top.parent if "PYTEST_XDIST_WORKER" in os.environ else top) / "release"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            _need_index()
            new = folder.with_suffix(".new")
            make(repository, "release.wheelhouse", str(new / "wheelhouse"))
            make(repository, "release.single_file", str(new / "wheelhouse"), str(new))
            new.rename(folder)
    return folder


def make(tree: Path, module: str, *arguments: str, umask: int = -1, env: Mapping[str, str] | None = None) -> None:
    """Run a module in a tree, with `env` besides the environment; -1 leaves the umask as it is."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=tree,
        env={**os.environ, **(env or {})},
        umask=umask,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _need_index() -> None:
    try:
        urllib.request.urlopen("https://pypi.org/simple/build/", timeout=20).close()
    except (urllib.error.URLError, OSError) as exc:
        if os.environ.get("CI"):
            pytest.fail(f"the package index cannot be reached: {exc}")
        pytest.skip(f"the package index cannot be reached: {exc}")


@pytest.fixture(scope="session")
def offline() -> Offline:
    """Run a command in a network of its own that has no way out; where that is not allowed, behind a dead proxy."""
    alone = ["unshare", "--net"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        alone = []

    def run(*command: object, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON", "COVERAGE", "COV_"))}
        return subprocess.run(
            [*alone, *map(str, command)],
            cwd=cwd,
            env={**clean, **NO_NETWORK, **(env or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    return run

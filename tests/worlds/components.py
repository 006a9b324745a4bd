"""Find the real components that tests talk to: registries, clients, browsers, judges."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JUDGES = ROOT / ".judges" / "node_modules"
"""Where `.ci/run` puts npm packages."""

OTHER_NAMES = {"chromium": ("chromium", "chromium-browser", "google-chrome")}
EXTRA_FOLDERS = ("/usr/sbin", "/usr/local/sbin")


def require(name: str) -> Path:
    """Return where a component is, or end the test: a failure under CI, a skip with a reason elsewhere.

    `name` is a program (`docker-registry`, `nginx`, `kubectl`), `node:PACKAGE` for an npm package of `.ci/run`, or
    `python:MODULE` for an importable module.
    """
    found = find(name)
    if found is not None:
        return found
    reason = f"{name} is not on this machine; .ci/run installs it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def find(name: str) -> Path | None:
    """Return where a component is, None where it is not."""
    kind, colon, rest = name.partition(":")
    if not colon:
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), *EXTRA_FOLDERS])
        places = (shutil.which(program, path=path) for program in OTHER_NAMES.get(name, (name,)))
        return next((Path(place) for place in places if place), None)
    if kind == "node":
        package = JUDGES / rest
        return package if package.is_dir() else None
    assert kind == "python", f"{name}: neither a program, nor node:PACKAGE, nor python:MODULE"
    try:
        spec = importlib.util.find_spec(rest)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin or "") if spec else None

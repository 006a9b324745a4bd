"""Real release pairs, whole gate flows and cases from the field, as their checkers in the shared corpus judge them.

The command runs inside this process, scripts of cases aside. `.ci/run` has a stage of its own for this file.
"""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.worlds.running import run

pytestmark = pytest.mark.shared

PROGRAM = str(Path(sys.executable).with_name("upgrade-gate"))
FIELD_CASES = Path(__file__).with_name("field_cases.txt").read_text(encoding="utf-8").split()
"""Cases from the field that the program meets so far; a line more with each that is mended."""
SHARED = Path(os.environ.get("UPGRADE_GATE_SHARED") or os.devnull)


def checker(name: str) -> ModuleType:
    """Load a checker, whose runs of the command are answered in this process."""
    spec = importlib.util.spec_from_file_location(name, SHARED / "check" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.subprocess = SimpleNamespace(**(vars(subprocess) | {"run": _run}))  # type: ignore[attr-defined]
    module.command_of = lambda cli: ([cli], sys.executable)  # type: ignore[attr-defined]
    return module


def _run(command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, **more: Any) -> Any:
    if command[0] != PROGRAM:
        return subprocess.run(command, cwd=cwd, env=env, check=False, **more)
    done = run(*command[1:], cwd=cwd, env=env, alone=env is not None)
    return SimpleNamespace(returncode=done.code, stdout=done.out, stderr=done.err)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One cache for all runs: they read the same releases."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def pairs() -> list[Any]:
    wants = (want for path in SHARED.glob("corpus/expected/*.json") for want in json.loads(path.read_text()))
    named = {f"{want['from']}-{want['to']}-{want['platform']}": want for want in wants}
    return [pytest.param(want, id=name) for name, want in sorted(named.items())]


@pytest.mark.parametrize("path", [("4.12.0", "4.13.0", "4.14.0"), ("4.12.0", "4.13.0", "4.14.0", "4.15.0")])
def test_each_update_of_a_path_changes_what_the_update_alone_does(path: tuple[str, ...], shared: Path) -> None:
    check = checker("conformance")
    releases = shared / "corpus" / "releases"
    alone = [json.loads((shared / f"corpus/expected/{old}--{new}.json").read_text()) for old, new in pairwise(path)]
    first, *via, last = (f"dir:{releases / version}" for version in path)
    for platform in sorted(want["platform"] for want in alone[0]):
        stops = [argument for stop in via for argument in ("--via", stop)]
        found = json.loads(run("diff", first, last, *stops, "--platform", platform, "-o", "json").out)
        assert [(hop["from"]["version"], hop["to"]["version"]) for hop in found["hops"]] == list(pairwise(path))
        for number, wants in enumerate(alone):
            (want,) = (one for one in wants if one["platform"] == platform)
            told = {c["request"]: check.normal(c) for c in found["changes"] if c["hop"] == number}
            assert told == {c["request"]: check.normal(c) for c in want["changes"]}, (platform, number)


def flows() -> list[str]:
    return sorted(path.parent.name for path in SHARED.glob("cases/gate/*/case.json"))


@pytest.mark.parametrize("want", pairs())
def test_pair_of_releases(want: dict[str, Any], shared: Path) -> None:
    assert checker("conformance").run(PROGRAM, shared / "corpus" / "releases", want) == []


@pytest.mark.parametrize("name", flows())
def test_gate_flow(name: str, shared: Path) -> None:
    assert checker("gate_cases").run(PROGRAM, shared / "corpus" / "releases", shared / "cases" / "gate" / name) == []


@pytest.mark.parametrize("name", FIELD_CASES)
def test_field_case(name: str, shared: Path) -> None:
    assert checker("gate_cases").run(PROGRAM, shared / "corpus" / "releases", shared / "cases" / "field" / name) == []

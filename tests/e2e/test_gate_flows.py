"""Whole gate flows on prepared clusters, and real release pairs, through the command line's own entry point."""

import contextlib
import importlib.util
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from upgrade_gate.cli import main


def _shared() -> Path | None:
    folder = os.environ.get("UPGRADE_GATE_SHARED")
    return Path(folder) if folder else None


def _names(pattern: str) -> list[str]:
    shared = _shared()
    return sorted(path.parent.name for path in shared.glob(pattern)) if shared else []


def _checker(shared: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, shared / "check" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Caller:
    """Runs the command line in this process, as the checker runs it outside."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture

    def __call__(self, _cli: Sequence[str], arguments: Sequence[str], cwd: Path, _env: object) -> tuple[Any, Any]:
        self._capture.readouterr()
        with contextlib.chdir(cwd):
            code = main([*arguments, "-o", "json", "--no-cache"])
        out, err = self._capture.readouterr()
        return SimpleNamespace(returncode=code, stdout=out, stderr=err), json.loads(out) if out.strip() else None


@pytest.mark.parametrize("name", _names("cases/gate/*/case.json"))
def test_gate_flow(name: str, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checker = _checker(shared, "gate_cases")
    checker.call = Caller(capsys)  # type: ignore[attr-defined]
    assert checker.run("upgrade-gate", shared / "corpus" / "releases", shared / "cases" / "gate" / name) == []


def _pairs() -> list[tuple[str, str]]:
    shared = _shared()
    if shared is None:
        return []
    return [
        (path.stem, want["platform"])
        for path in sorted((shared / "corpus" / "expected").glob("*.json"))
        for want in json.loads(path.read_text())
    ]


@pytest.mark.parametrize(("pair", "platform"), _pairs())
def test_real_pair_of_releases(
    pair: str, platform: str, shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checker = _checker(shared, "conformance")
    wants = json.loads((shared / "corpus" / "expected" / f"{pair}.json").read_text())
    want = next(w for w in wants if w["platform"] == platform)
    caller = Caller(capsys)
    checker.subprocess = SimpleNamespace(  # type: ignore[attr-defined]
        run=lambda command, **_: caller("", [a for a in command[1:] if a not in ("-o", "json")], tmp_path, None)[0]
    )
    assert checker.run("upgrade-gate", shared / "corpus" / "releases", want) == []

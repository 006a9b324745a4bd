"""`snapshot`: what it records is what `check` reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.flows import World, request, write
from upgrade_gate.cli import main

DEMO = Path(__file__).resolve().parents[3] / "upgrade_gate" / "data" / "demo"
RELEASES = ("--from", f"dir:{DEMO / 'current'}", "--to", f"dir:{DEMO / 'target'}")
NOW = ("--now", "2026-11-02", "-o", "json")


def _check(capsys: pytest.CaptureFixture[str], cluster: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["check", *RELEASES, "--cluster", cluster, *NOW]) == 3
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def test_report_from_a_snapshot_equals_that_of_its_cluster(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cluster.json"
    assert main(["snapshot", *RELEASES, "--cluster", f"must-gather:{DEMO / 'cluster'}", str(file)]) == 0
    direct = _check(capsys, f"must-gather:{DEMO / 'cluster'}")
    replayed = _check(capsys, f"snapshot:{file}")
    for report in (direct, replayed):
        for key in ("source", "collected"):
            report["cluster"].pop(key)
        report["verdict"].pop("remediate")  # the same call, with its own cluster
        report.pop("generated")
    assert replayed == direct
    assert file.stat().st_mode & 0o777 == 0o600


def test_snapshot_needs_a_cluster(tmp_path: Path) -> None:
    code = main(["snapshot", *RELEASES, "--no-cluster", "--platform", "AWS", str(tmp_path / "x.json")])
    assert code == 2
    assert not (tmp_path / "x.json").exists()


def test_the_secrets_of_the_current_release_are_recorded_too(tmp_path: Path) -> None:
    old = (request("AWS"), request("AWS", "old"))
    arguments = write(World(payloads=(old, (request("AWS"),))), tmp_path)
    option = {name: arguments[arguments.index(name) + 1] for name in ("--to", "--from", "--cluster")}
    assert main(["snapshot", *(text for pair in option.items() for text in pair), str(tmp_path / "s.json")]) == 0
    # what the cluster holds of the release that it runs can be judged from the same record
    running = [
        "check",
        "--to",
        option["--from"],
        "--from",
        option["--from"],
        "--cluster",
        f"snapshot:{tmp_path / 's.json'}",
    ]
    assert main(running) == 0

"""What tests of the export scripts share: a case's cluster, the script for it, its run with fakes, and the gate after.

The command lines on PATH are those of `fake_clouds.py`.
"""

import json
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.worlds.fake_clouds import Clouds
from tests.worlds.running import Result, run

READS: Mapping[str, Callable[[tuple[str, ...]], bool]] = {
    "aws": lambda call: call[2].startswith(("get-", "list-", "describe-")),
    "az": lambda call: "list" in call or call[1:4] == ("rest", "--method", "get"),
    "gcloud": lambda call: bool({"list", "get", "describe", "get-iam-policy", "get-ancestors"} & set(call[:5])),
    "ibmcloud": lambda call: (
        call[2] in ("service-ids", "service-id", "service-policies", "access-groups", "access-group-policies", "roles")
        or call[1:3] in (("resource", "groups"), ("resource", "service-instances"))
    ),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A prepared cluster and the releases that it is asked about."""

    cluster: Path
    old: Path
    new: Path
    account: str | None = None

    def arguments(self) -> list[str]:
        """Return what every command is told."""
        cluster = f"must-gather:{self.cluster}"
        return ["--to", f"dir:{self.new}", "--from", f"dir:{self.old}", "--cluster", cluster]

    def script(self, path: Path, *more: str | Path) -> Path:
        """Write the script for this cluster; it must be one that shellcheck has nothing against."""
        done = run("identities", "commands", *self.arguments(), *more, "--write", path)
        assert done.code == 0, done.err
        return path

    def check(self, export: Path, *more: str | Path, at: str = "2026-11-01") -> tuple[Result, Any]:
        """Judge the cluster with an export."""
        done = run("check", *self.arguments(), "--identities", f"export:{export}", *more, "--now", at, "-o", "json")
        assert done.out, done.err
        return done, json.loads(done.out)


def shared_case(shared: Path, name: str, old: str, new: str) -> Case:
    """Return a case of the shared gate flows."""
    releases = shared / "corpus" / "releases"
    return Case(shared / "cases" / "gate" / name / "cluster", releases / old, releases / new)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of a script left behind."""

    code: int
    err: str
    calls: tuple[tuple[str, ...], ...]
    folder: Path

    def only_reads(self) -> bool:
        """Whether every call to a cloud was one that reads, and there was one."""
        strange = [call for call in self.calls if not READS[call[0]](call)]
        assert not strange, strange
        return bool(self.calls)

    def documents(self, name: str) -> list[Any]:
        """Return the exported documents whose file name holds a word, in order."""
        return [json.loads(p.read_text()) for p in sorted(self.folder.glob(f"*-{name}*.json"))]


def run_script(clouds: Clouds, script: Path, folder: Path, values: Mapping[str, str] | None = None) -> Ran:
    """Run a script that writes to a folder, with nothing on PATH but the fakes and the base system."""
    programs = script.parent / "bin"
    with clouds.on_path(programs):
        done = subprocess.run(
            ["bash", str(script), str(folder)],
            env={"PATH": f"{programs}:/usr/bin:/bin", **(values or {})},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert "FAKE:" not in done.stderr, done.stderr
    return Ran(done.returncode, done.stderr, tuple(clouds.calls), folder)

"""Run the command line as its user does, with arguments, streams and an exit code: in this process, or in its own."""

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from upgrade_gate.cli import main


@dataclass(frozen=True, slots=True)
class Result:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def first(self) -> str:
        """The first line on stderr."""
        return self.err.splitlines()[0] if self.err else ""


def run(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    alone: bool = False,
) -> Result:
    """Run upgrade-gate in this process: a start of Python costs more than most runs.

    `alone` says that `env` is the whole environment, not what is added to it.
    """
    streams = [io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="") for data in (stdin.encode(), b"", b"")]
    with (
        contextlib.chdir(cwd or Path.cwd()),
        mock.patch.dict(os.environ, {"COLUMNS": "100", **(env or {})}, clear=alone),
        mock.patch.multiple(sys, stdin=streams[0], stdout=streams[1], stderr=streams[2]),
    ):
        code = main([str(argument) for argument in arguments])
    out, err = (_content(stream) for stream in streams[1:])
    return Result(code, out, err)


def _content(stream: io.TextIOWrapper) -> str:
    stream.flush()
    stream.seek(0)
    return stream.read().replace("\r\n", "\n")


def run_process(
    *arguments: str | Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    python: Sequence[str] = (),
) -> Result:
    """Run upgrade-gate as a process of its own; `python` are options of the interpreter."""
    done = subprocess.run(
        [sys.executable, *python, "-m", "upgrade_gate", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100", **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)

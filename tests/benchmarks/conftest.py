"""Measure a whole process: the best wall-clock time of several runs, and its peak memory."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Figure:
    """What one command took."""

    seconds: float
    """The best of several runs."""
    megabytes: float
    """Peak resident memory of the last run, MiB."""
    code: int


Measure = Callable[..., Figure]

# A process inherits the peak memory of the one that starts it: pytest's own would stand in every figure.
STARTER = """
import os, sys, time
null = os.open(os.devnull, os.O_WRONLY)
actions = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
began = time.perf_counter()
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
_, status, usage = os.wait4(process, 0)
print(time.perf_counter() - began, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))
"""


def _run_once(command: Sequence[str | Path], cwd: Path | None) -> tuple[float, float, int]:
    starter = [sys.executable, "-I", "-S", "-c", STARTER, *command]
    done = subprocess.run(starter, cwd=cwd, stdout=subprocess.PIPE, text=True, timeout=300, check=True)
    seconds, megabytes, code = done.stdout.split()
    return float(seconds), float(megabytes), int(code)


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Iterator[Measure]:
    """Measure `upgrade-gate ARGUMENTS` and print a line with the budget beside it."""
    lines: list[str] = []

    def run(what: str, *arguments: str | Path, budget: str, runs: int = 7, cwd: Path | None = None) -> Figure:
        command = [Path(sys.executable).with_name("upgrade-gate"), *arguments]
        results = [_run_once(command, cwd) for _ in range(runs)]
        figure = Figure(min(r[0] for r in results), results[-1][1], results[-1][2])
        lines.append(f"{what:<58} {figure.seconds:6.3f} s {figure.megabytes:6.1f} MiB   budget {budget}")
        return figure

    yield run
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    reporter.ensure_newline()
    for line in lines:
        reporter.write_line(line)

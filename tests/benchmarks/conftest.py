"""Measure a whole process: the best wall-clock time of several runs, and its peak memory.

Each figure stands beside its budget, and where there is one beside a straightforward program that does the least
(`plain.py`), run by the same Python on the same inputs in the same moments.
"""

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

    def __str__(self) -> str:
        return f"{self.seconds:7.3f} s {self.megabytes:6.1f} MiB"


PROGRAM = Path(sys.executable).with_name("upgrade-gate")
PLAIN = Path(__file__).with_name("plain.py")
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
    done = subprocess.run(starter, cwd=cwd, stdout=subprocess.PIPE, text=True, timeout=3600, check=True)
    seconds, megabytes, code = done.stdout.split()
    return float(seconds), float(megabytes), int(code)


def _best(results: Sequence[tuple[float, float, int]]) -> Figure:
    return Figure(min(seconds for seconds, _, _ in results), results[-1][1], results[-1][2])


@pytest.fixture
def measure(request: pytest.FixtureRequest) -> Iterator[Measure]:
    """Measure `upgrade-gate ARGUMENTS` and print a line with the budget beside it."""
    lines: list[str] = []

    def run(
        what: str,
        *arguments: str | Path,
        budget: str,
        runs: int = 7,
        cwd: Path | None = None,
        plain: Sequence[str | Path] = (),
        times: int = 1,
    ) -> Figure:
        """Measure both in turn; `times` is what the plain program's time counts, where it does a part of the work."""
        command = [PROGRAM, *arguments]
        beside = [sys.executable, PLAIN, *plain]
        results, others = [], []
        for _ in range(runs):
            results.append(_run_once(command, cwd))
            others += [_run_once(beside, cwd)] if plain else []
        figure = _best(results)
        line = f"{what:<58} {figure}   budget {budget:<12}"
        if plain:
            other = _best(others)
            assert other.code == 0, f"the plain program failed: {plain}"
            told = f" (a {times}th of the work, times {times})" if times > 1 else ""
            line += f"   plain program {Figure(other.seconds * times, other.megabytes, 0)}{told}"
        lines.append(line.rstrip())
        return figure

    yield run
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    assert reporter is not None
    reporter.ensure_newline()
    for line in lines:
        reporter.write_line(line)

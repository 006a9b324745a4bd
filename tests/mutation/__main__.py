"""Change the code in one place at a time and see whether a test fails: `make mutants`.

One pytest session collects the tests. A fork runs them all once and notes which test reaches which line; then each
mutant gets a fork of its own, in which its function is given the changed code and the tests that reach the changed
lines run, the quickest first, until one fails. So no mutant pays for a start of Python, and none sees what another
left behind. A mutant that no test notices is either named in `kept.yaml` with the reason why it may live, or printed,
and the exit code is 1.

    python -m tests.mutation MODULE… [--tests PATH…] [--jobs N] [--most SECONDS] [--share S] [--left FILE] [--only FILE]
"""

import argparse
import contextlib
import functools
import gc
import importlib
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import coverage
import pytest
import yaml
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Key, Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).with_name("kept.yaml")
LEFT_OUT = "not (registry or browser or kubectl or benchmark)"


@dataclass
class Reached:
    """Which tests reach which line of which file, and how many seconds of processor time each test took."""

    tests: dict[str, dict[int, set[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def of(self, mutant: Mutant) -> list[str]:
        """Name the tests that run a changed line, those about its module first, then the quickest."""
        lines = self.tests.get(str(ROOT / mutant.path), {})
        found = set().union(*(lines.get(line, set()) for line in range(mutant.first, mutant.last + 1)))
        about = f"/test_{Path(mutant.path).stem.strip('_')}"
        return sorted(found & self.seconds.keys(), key=lambda name: (about not in name, self.seconds[name], name))


class Session:
    """The plugin that takes the place of pytest's own loop over the tests."""

    def __init__(
        self, modules: Sequence[str], *, only: Collection[Key] = (), share: float = 1.0, jobs: int, most: float
    ) -> None:
        self.survivors: list[tuple[Mutant, str]] = []
        self.counts: dict[str, Counter[str]] = {}
        self._modules, self._only, self._share, self._jobs, self._most = modules, only, share, jobs, most
        self._items: dict[str, pytest.Item] = {}
        self._functions: dict[CodeType, list[FunctionType]] = {}
        self._memories: list[Any] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge every mutant with the tests that were collected."""
        self._items = {item.nodeid: item for item in session.items}
        self._look_around()
        reached = self._reached()
        running: dict[int, tuple[Mutant, Path]] = {}
        for path in self._modules:
            for mutant in self._mutants(path):
                names = self._within(reached, reached.of(mutant))
                if not names:
                    self._note(mutant, "no test")
                    continue
                while len(running) >= self._jobs:
                    self._reap(running)
                work = Path(tempfile.mkdtemp(prefix="mutant-"))
                limit = 5 + 4 * sum(reached.seconds[name] for name in names)
                running[_fork(functools.partial(self._judge, mutant, names, limit), work)] = mutant, work
        while running:
            self._reap(running)
        return True

    def _mutants(self, path: str) -> Iterator[Mutant]:
        return (
            mutant
            for mutant in mutants(ROOT, path)
            if (mutant.key in self._only if self._only else mutant.draw < self._share)
        )

    def _within(self, reached: Reached, names: list[str]) -> list[str]:
        """Take the quickest tests as far as the seconds for one mutant go, one at least."""
        total = 0.0
        chosen: list[str] = []
        for name in names:
            total += reached.seconds[name]
            if chosen and total > self._most:
                break
            chosen.append(name)
        return chosen

    def _reap(self, running: dict[int, tuple[Mutant, Path]]) -> None:
        process, status = os.wait()
        mutant, work = running.pop(process)
        shutil.rmtree(work, ignore_errors=True)
        if os.WIFSIGNALED(status):
            self._note(mutant, "timeout" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "killed")
        else:
            self._note(mutant, {0: "survived", 1: "killed"}.get(os.WEXITSTATUS(status), "broken"))

    def _note(self, mutant: Mutant, outcome: str) -> None:
        self.counts.setdefault(mutant.path, Counter())[outcome] += 1
        if outcome in ("survived", "no test", "broken"):
            self.survivors.append((mutant, outcome))
            print(f"{outcome}: {mutant}", flush=True)

    def _judge(self, mutant: Mutant, names: Sequence[str], limit: float) -> int:
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
        if not self._install(mutant):
            return 2
        for item in (self._items[name] for name in names):
            if any(report.failed for report in runtestprotocol(item, nextitem=None, log=False)):
                return 1
        return 0

    def _look_around(self) -> None:
        """Find every function that lives, and what the product's functions remember; then leave memory as it is.

        A fork that looks at every object would copy all of them.
        """
        for path in self._modules:
            importlib.import_module(".".join(Path(path).with_suffix("").parts))
        gc.collect()
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and thing.__module__ and thing.__module__.startswith("upgrade_gate"):
                self._functions.setdefault(thing.__code__, []).append(thing)
            elif isinstance(thing, functools._lru_cache_wrapper) and thing.__module__.startswith("upgrade_gate"):
                self._memories.append(thing)
        gc.freeze()

    def _install(self, mutant: Mutant) -> bool:
        """Give the function its changed code wherever it is held, and forget what functions of the product remember."""
        changed = {code.co_qualname: code for code in _codes(compile(mutant.text, str(ROOT / mutant.path), "exec"))}
        place = (str(ROOT / mutant.path), mutant.where)
        found = [code for code in self._functions if (code.co_filename, code.co_qualname) == place]
        for old, new in (pair for code in found for pair in _pairs(code, changed[mutant.where])):
            for function in self._functions.get(old, ()):
                function.__code__ = new
        self._forget()
        return bool(found)

    def _forget(self) -> None:
        for memory in self._memories:
            memory.cache_clear()

    def _reached(self) -> Reached:
        """Run all tests once in a fork, so that this process stays as it was before the first of them."""
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            os.waitpid(_fork(functools.partial(self._measure, Path(folder, "reached")), Path(folder)), 0)
            reached: Reached = pickle.loads(Path(folder, "reached").read_bytes())
        return reached

    def _measure(self, file: Path) -> int:
        reached, failed = Reached(), []
        measuring = coverage.Coverage(
            data_file=None, include=[str(ROOT / path) for path in self._modules], config_file=False
        )
        measuring.start()
        items = list(self._items.values())
        for item, following in zip(items, [*items[1:], None], strict=True):
            start = time.process_time()
            measuring.switch_context(item.nodeid)
            self._forget()  # each test that needs an answer reaches what gives it, not the first one alone
            reports = runtestprotocol(item, nextitem=following, log=False)
            if any(report.failed for report in reports):
                failed.append(item.nodeid)
            elif all(report.passed for report in reports):
                reached.seconds[item.nodeid] = time.process_time() - start
        measuring.stop()
        data = measuring.get_data()
        for path in data.measured_files():
            reached.tests[path] = {line: set(names) for line, names in data.contexts_by_lineno(path).items()}
        file.write_bytes(pickle.dumps(reached))
        print(
            f"{len(reached.seconds)} tests, {sum(reached.seconds.values()):.0f} s; failed without a mutant: {failed}",
            file=sys.__stderr__,
        )
        return 0


def _fork(work: Callable[[], int], folder: Path) -> int:
    """Do the work in a fork with a temporary folder of its own and nothing to print to; its result is the exit code."""
    process = os.fork()
    if process:
        return process
    code = 3
    with contextlib.suppress(BaseException):
        tempfile.tempdir = os.environ["TMPDIR"] = str(folder)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        code = work()
    os._exit(code)


def _pairs(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield a function's code before and after, and those of the functions that it made and that live on."""
    yield old, new
    inner = ([const for const in code.co_consts if isinstance(const, CodeType)] for code in (old, new))
    for pair in zip(*inner, strict=False):
        yield from _pairs(*pair)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes(inner)


def read(file: Path) -> Mapping[Key, str]:
    """Read a list of mutants, with the reasons why they may live."""
    rows: list[dict[str, str]] = yaml.safe_load(file.read_text(encoding="utf-8")) or []
    return {(row["module"], row["function"], row["before"], row["after"]): row["why"] for row in rows}


def write(file: Path, left: Sequence[Mutant]) -> None:
    """Write a list of mutants, without reasons."""
    rows = [dict(zip(("module", "function", "before", "after", "why"), (*m.key, ""), strict=True)) for m in left]
    file.write_text(yaml.safe_dump(rows, sort_keys=False, width=120), encoding="utf-8")


def _modules(arguments: Sequence[str]) -> list[str]:
    paths = [
        path
        for argument in arguments
        for path in ([ROOT / argument] if argument.endswith(".py") else sorted((ROOT / argument).rglob("*.py")))
    ]
    return [str(path.relative_to(ROOT)) for path in paths if path.name != "__init__.py"]


def main() -> int:
    """Run, print what lives and a line of counts for each module."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("modules", nargs="+", help="modules or folders of upgrade_gate/")
    parser.add_argument("--tests", nargs="+", default=["tests"], help="tests that may notice")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once")
    parser.add_argument("--most", type=float, default=20, help="seconds of tests for one mutant")
    parser.add_argument("--share", type=float, default=1.0, help="this share of them, by a stable hash")
    parser.add_argument("--left", type=Path, help="file for the mutants that no test noticed")
    parser.add_argument("--only", type=Path, help="such a file: judge these and no others")
    options = parser.parse_args()
    only = read(options.only) if options.only else ()
    session = Session(_modules(options.modules), only=only, share=options.share, jobs=options.jobs, most=options.most)
    os.chdir(ROOT)
    plain = ["-q", "-s", "--tb=no", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:cov", "-m", LEFT_OUT]
    if pytest.main([*plain, *options.tests], plugins=[session]):
        return 2
    reasons = read(KEPT)
    left = [mutant for mutant, _ in session.survivors if mutant.key not in reasons]
    living = {mutant.key for mutant, _ in session.survivors}
    whole = not only and options.share >= 1
    stale = [key for key in reasons if whole and key[0] in session.counts and key not in living]
    if options.left:
        write(options.left, left)
    for path, counts in session.counts.items():
        argued = sum(mutant.path == path and mutant.key in reasons for mutant, _ in session.survivors)
        lives = sum(mutant.path == path for mutant in left)
        figures = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
        print(f"{path}: {counts.total()} mutants: {figures}; of these {argued} argued, {lives} left")
    for key in stale:
        print(f"{KEPT.name}: no longer lives: {' | '.join(key)}")
    return 1 if left or stale else 0


if __name__ == "__main__":
    sys.exit(main())

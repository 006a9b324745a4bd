"""Run faults: the check on a flow with one fault in it, and what is wrong with its answer.

`make faults` runs them all, `make faults ARGS=…` some of them: `python -m tests.faults.run --help`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import re
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from tests.faults import coverage, flows, reviewed, walk
from tests.faults.walk import Fault
from tests.worlds.deadline import DeadlineError, deadline
from tests.worlds.running import run

ALLOWED = (0, 2, 3, 4)
SLOW = 10.0
"""Seconds of the processor that no run may need; those of the clock say how busy the machine is."""
_HANGS = 120
_CHUNK = 25


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check said."""

    code: int
    seconds: float
    first: str
    """The first line on stderr."""
    known: frozenset[str] = frozenset()
    """The facts of the cluster that it read, and the target's requests that it judged, a renamed one by both names."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A fault, what came of it, and what is wrong with that: nothing, as a rule."""

    fault: Fault
    base: int
    answer: Answer
    wrong: str = ""
    why: str = ""
    """Why a pass was right, where that was reviewed."""
    lost: tuple[str, ...] = ()
    """What the base knew and this pass did not."""


@dataclass(slots=True)
class Counts:
    """How many faults ended how."""

    by_kind: Counter[tuple[str, int]] = field(default_factory=Counter)
    by_sort: Counter[tuple[str, int]] = field(default_factory=Counter)
    by_base: Counter[tuple[int, int]] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)

    def add(self, one: Judged) -> None:
        """Count one more."""
        self.by_kind[one.fault.kind, one.answer.code] += 1
        self.by_sort[one.fault.sort, one.answer.code] += 1
        self.by_base[one.base, one.answer.code] += 1
        if one.why:
            self.used[one.why] += 1

    def lines(self) -> Iterator[str]:
        """Yield tables: by kind, by sort of input, by the base's own exit code."""
        for title, table in (("kind", self.by_kind), ("input", self.by_sort), ("base", self.by_base)):
            yield f"{title:44}" + "".join(f"{f'exit {code}':>9}" for code in ALLOWED) + "    other"
            for name in sorted({str(key) for key, _ in table}):
                row = {code: number for (key, code), number in table.items() if str(key) == name}
                other = sum(number for code, number in row.items() if code not in ALLOWED)
                yield f"{name:44}" + "".join(f"{row.get(code, 0):9}" for code in ALLOWED) + f"{other:9}"
        for why, number in sorted(self.used.items()):
            yield f"{number:7} reviewed: {why}"


def check(arguments: Sequence[str]) -> Answer:
    """Run the check in this process."""
    before = time.process_time()
    with deadline(_HANGS):
        try:
            done = run(*arguments, "-o", "json", "--no-cache")
        except DeadlineError:
            return Answer(-1, time.process_time() - before, "it hangs")
    report = json.loads(done.out) if done.code == 0 and done.out else {}
    return Answer(done.code, time.process_time() - before, done.first, frozenset(_known(report)))


def _known(report: Mapping[str, Any]) -> Iterator[str]:
    for fact in (report.get("cluster") or {}).get("facts", ()):
        if fact["state"] == "known":
            yield f"fact {fact['name']}"
    for request in (report.get("requests") or {}).get("to", ()):
        yield f"request {request}"
    for change in report.get("changes", ()):
        if change["was"] is not None:
            yield f"request {change['was']}"


def judge(fault: Fault, folder: Path, arguments: Sequence[str], base: Answer) -> Judged:
    """Run one fault and say what is wrong with the answer."""
    with _spoilt(walk.edits(fault, folder)):
        answer = check(arguments)
    if answer.code not in ALLOWED:
        return Judged(fault, base.code, answer, f"it ends with exit code {answer.code}: {answer.first}")
    if answer.seconds > SLOW:
        return Judged(fault, base.code, answer, f"it needs {answer.seconds:.0f} s")
    if answer.code != 0:
        return Judged(fault, base.code, answer)
    if base.code != 0:
        return _of_blocked(fault, base.code, answer)
    lost = tuple(sorted(base.known - answer.known))
    why = reviewed.entry(fault, reviewed.LOSSES) if lost else None
    wrong = f"it still passes without {', '.join(lost)}" if lost and not why else ""
    return Judged(fault, base.code, answer, wrong, why.reason if why else "", lost)


def _of_blocked(fault: Fault, base: int, answer: Answer) -> Judged:
    """Judge a pass whose base is none."""
    why = reviewed.entry(fault, reviewed.PASSES)
    wrong = "" if why else f"it passes, and exits with {base} without the fault"
    return Judged(fault, base, answer, wrong, why.reason if why else "")


@contextlib.contextmanager
def _spoilt(edits: Mapping[Path, bytes | None]) -> Iterator[None]:
    """Write these files, and what was there before again."""
    before = {path: path.read_bytes() if path.exists() else None for path in edits}
    _write(edits)
    try:
        yield
    finally:
        _write(before)


def _write(files: Mapping[Path, bytes | None]) -> None:
    for path, content in files.items():
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)


@contextlib.contextmanager
def laid_out(name: str) -> Iterator[tuple[Path, list[str]]]:
    """Lay a flow out in a folder that goes again; give the folder and the arguments."""
    folder = Path(tempfile.mkdtemp(prefix="faults-")).resolve()
    try:
        yield folder, flows.every()[name](folder)
    finally:
        shutil.rmtree(folder)


def run_flow(name: str, wanted: Sequence[Fault]) -> list[Judged]:
    """Run some faults of one flow."""
    with laid_out(name) as (folder, arguments):
        base = check(arguments)
        return [judge(fault, folder, arguments, base) for fault in wanted]


def drawn(faults: Iterable[Fault], each: int, likeness: Callable[[Fault], tuple[str, ...]]) -> list[Fault]:
    """Return so many of the faults that are alike: by their names, so always the same."""
    groups: dict[tuple[str, ...], list[Fault]] = {}
    for fault in faults:
        groups.setdefault(likeness(fault), []).append(fault)
    return [fault for group in groups.values() for fault in sorted(group, key=lambda one: one.order)[:each]]


def run_all(wanted: Mapping[str, Sequence[Fault]], jobs: int, seconds: float) -> Iterator[Judged]:
    """Run faults of many flows in so many processes, in an order drawn by their names; none begins after `seconds`."""
    until = time.monotonic() + seconds
    parts = [(name, part[at : at + _CHUNK]) for name, part in wanted.items() for at in range(0, len(part), _CHUNK)]
    with ProcessPoolExecutor(jobs) as pool:
        futures = [pool.submit(run_flow, name, part) for name, part in sorted(parts, key=lambda one: one[1][0].order)]
        for future in as_completed(futures):
            if not future.cancelled():
                yield from future.result()
            if time.monotonic() > until:
                pool.shutdown(wait=False, cancel_futures=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is wanted, print what is wrong as it comes and the counts at the end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--flows", default="", metavar="REGEX", help="only flows whose name it is found in")
    parser.add_argument("--faults", default="", metavar="REGEX", help="only faults whose name it is found in")
    parser.add_argument("--each", type=int, metavar="N", help="of faults that are alike, only N, drawn from all flows")
    parser.add_argument("--share", type=float, default=1.0, metavar="S", help="this share of them, by a stable hash")
    parser.add_argument("--minutes", type=float, default=math.inf, metavar="M", help="begin no more of them after M")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    counts, wrong, number = Counts(), 0, 0
    names = [name for name in flows.every() if re.search(options.flows, name)]
    wanted = _wanted(names, options)
    total = sum(map(len, wanted.values()))
    print(f"{total} faults in {len(names)} flows", flush=True)
    found = chain(run_all(wanted, options.jobs, options.minutes * 60), _of_exports(options))
    for number, one in enumerate(found, 1):
        counts.add(one)
        if one.wrong:
            wrong += 1
            print(f"WRONG {one.fault.name}: {one.wrong}", flush=True)
        if number % 5000 == 0:
            print(f"{number} so far", flush=True)
    print("\n".join(counts.lines()))
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{number} faults of flows and exports, {wrong} wrong; a process needed {memory} MB at most")
    return 1 if wrong else 0


def _of_exports(options: argparse.Namespace) -> Iterator[Judged]:
    """Judge the cases of coverage with every fault, as flows whose base is blocked."""
    shared = os.environ.get("UPGRADE_GATE_SHARED")
    if not shared:
        return
    for name, documents, judged in coverage.not_covered(Path(shared)):
        for fault in coverage.faults(name, documents) if re.search(options.flows, name) else ():
            if re.search(options.faults, fault.name):
                before = time.process_time()
                is_covered = coverage.covered(documents, fault, judged)
                answer = Answer(0 if is_covered else 3, time.process_time() - before, "")
                yield _of_blocked(fault, 3, answer) if is_covered else Judged(fault, 3, answer)


def _wanted(names: Sequence[str], options: argparse.Namespace) -> dict[str, list[Fault]]:
    """Return what is to be run of each flow."""
    with ProcessPoolExecutor(options.jobs) as pool:
        found = list(pool.map(_found, names, [options] * len(names)))
    bases = {name: base for name, (base, _) in zip(names, found, strict=True)}
    faults = [fault for _, some in found for fault in some]
    if options.each:
        faults = drawn(faults, options.each, lambda fault: (str(bases[fault.flow]), *fault.likeness))
    wanted: dict[str, list[Fault]] = {}
    for fault in faults:
        wanted.setdefault(fault.flow, []).append(fault)
    return wanted


def _found(name: str, options: argparse.Namespace) -> tuple[int, list[Fault]]:
    """Return how a flow ends without a fault, and its faults as far as they are wanted."""
    with laid_out(name) as (folder, arguments):
        base = check(arguments).code
        found = [fault for fault in walk.faults(name, folder) if re.search(options.faults, fault.name)]
    found = [fault for fault in found if options.share == 1 or int(fault.order[:8], 16) < options.share * 0x100000000]
    return base, drawn(found, options.each, lambda fault: fault.likeness) if options.each else found


if __name__ == "__main__":
    sys.exit(main())

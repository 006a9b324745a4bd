"""Run targets under atheris: `python -m tests.fuzz [--minutes M] [--jobs N] [TARGET…]`, what `make fuzz` calls.

Each target runs in processes of its own, since libFuzzer ends one at a hang and where memory runs out; the next goes on
with what is left of the time. A corpus grows in `.fuzz/corpus`, inputs whose outcome is wrong lie in `.fuzz/found`.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.fuzz.harness import all_targets, in_memory

WORK = Path(".fuzz")
MEMORY_MB = 2048
LONGEST = 2**18
MEASURED = 500
"""Every input of this number has its memory counted."""


def main() -> int:
    """Run the targets that were named, or all; return 1 where anything was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="for each target, times its weight")
    parser.add_argument("--jobs", type=int, default=1, help="targets at once")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*")
    options, rest = parser.parse_known_args()
    if options.inside:
        _inside(options.inside, [*rest, *options.targets])
        return 0
    known = all_targets()
    if strange := [name for name in options.targets if name not in known]:
        parser.error(f"no target {', '.join(strange)}; there are {', '.join(known)}")
    chosen = [known[name] for name in options.targets or known]
    _say(f"{'target':<16} {'minutes':>7} {'executions':>10}  found")
    with ThreadPoolExecutor(options.jobs) as pool:
        found = list(pool.map(lambda target: _run(target.name, options.minutes * target.weight), chosen))
    return int(any(found))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _run(name: str, minutes: float) -> bool:
    """Fuzz one target for so long; print its line, and return whether anything was found."""
    corpus, found = WORK / "corpus" / name, WORK / "found" / name
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + minutes * 60
    executions, places = 0, dict[str, int]()
    while (left := int(until - time.monotonic())) > 0:
        command = [sys.executable, "-m", "tests.fuzz", "--inside", name, f"-max_total_time={left}", "-timeout=20"]
        command += [f"-rss_limit_mb={MEMORY_MB}", f"-max_len={LONGEST}", f"-artifact_prefix={found}/", "-verbosity=0"]
        with (WORK / f"{name}.log").open("wb") as log, tempfile.TemporaryDirectory(dir=in_memory()) as temporary:
            environment = {
                **os.environ,
                "TMPDIR": temporary,
            }  # libFuzzer ends without leave: nothing is tidied up inside
            done = subprocess.run(
                [*command, str(corpus)], stdout=log, stderr=subprocess.STDOUT, env=environment, check=False
            )
        state: dict[str, Any] = json.loads((WORK / f"{name}.json").read_text())
        executions += state["executions"]
        for place, count in state["places"].items():
            places[place] = places.get(place, 0) + count
        if done.returncode:
            place = f"libFuzzer stopped with {done.returncode}: see {WORK / name}.log"
            places[place] = places.get(place, 0) + 1
            if not state["executions"]:
                break
    told = "; ".join(f"{place} ({count})" for place, count in sorted(places.items())) or "nothing"
    _say(f"{name:<16} {minutes:>7.1f} {executions:>10}  {told}")
    return bool(places)


def _inside(name: str, arguments: list[str]) -> None:
    """Be the process that fuzzes one target; of the folders libFuzzer writes into the first, not into the seeds."""
    import atheris

    state: dict[str, Any] = {"executions": 0, "places": {}}
    path = WORK / f"{name}.json"
    path.write_text(json.dumps(state))
    logging.getLogger().addHandler(logging.NullHandler())
    # Modules are imported when they are used: those of ours are to be instrumented whenever that is.
    atheris.instrument_imports(include=["upgrade_gate"]).__enter__()
    from tests.fuzz import harness

    target = harness.all_targets()[name]
    written = time.monotonic()

    def feed(data: bytes) -> None:
        nonlocal written
        state["executions"] += 1
        fault = harness.attempt(target, data, measured=state["executions"] % MEASURED == 0)
        if fault is not None:
            if fault.place not in state["places"]:
                place = WORK / "found" / name / fault.name
                place.write_bytes(fault.data)
                place.with_name(f"{fault.name}.txt").write_text(fault.trace, errors="backslashreplace")
            state["places"][fault.place] = state["places"].get(fault.place, 0) + 1
        if fault is not None or time.monotonic() - written > 1:
            path.write_text(json.dumps(state))
            written = time.monotonic()

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        chance = random.Random(seed)
        changed = target.mutate(data, chance) if chance.randrange(4) else atheris.Mutate(data, size)
        return bytes(changed[:size])

    atheris.Setup([sys.argv[0], *arguments, str(harness.SEEDS / name)], feed, custom_mutator=mutate)
    for seed in harness.seeds(target):  # modules are instrumented when they are imported: that is no hang of an input
        feed(seed)
    atheris.Fuzz()


if __name__ == "__main__":
    os.nice(10)
    sys.exit(main())

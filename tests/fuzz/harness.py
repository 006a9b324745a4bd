"""What a fuzz target is, and one attempt: which outcomes are right, and what is kept of the others.

Right is an answer, or an error of our own. Wrong is any other exception, an answer that a target's own checks refute
(an `AssertionError`), a run past its deadline, and memory beyond the target's cap.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import pkgutil
import tempfile
import traceback
import tracemalloc
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fuzz import mutation, targets
from tests.worlds.deadline import DeadlineError
from upgrade_gate.base.errors import OutputError, UpgradeGateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

SEEDS = Path(__file__).parent / "seeds"
DEADLINE = 20
"""Seconds for one input; the slowest takes a fraction of one on an idle machine."""


@dataclass(frozen=True)
class Target:
    """One reader that is fed with hostile input."""

    name: str
    """That of its folder of seeds, too."""
    run: Callable[[bytes], object]
    """Feeds one input. What our readers raise on purpose passes through; checks of the answer are assertions."""
    mutate: Callable[[bytes, Random], bytes] = mutation.of_bytes
    memory: int = 64 * 2**20
    """Bytes that Python may hold at once for one input. What is read is small, so the caps of a target are too."""
    weight: int = 1
    """How often as long as others `make fuzz` runs it."""


@dataclass(frozen=True)
class Fault:
    """An input whose outcome is wrong."""

    target: str
    place: str
    """Where and what: two inputs that fail at one place are one finding."""
    trace: str
    data: bytes

    @property
    def name(self) -> str:
        """A name for its file."""
        return hashlib.sha256(self.data).hexdigest()[:12]


@cache
def all_targets() -> dict[str, Target]:
    """Return every target by name, sorted; a module in `targets/` has `TARGETS`."""
    modules = (importlib.import_module(f"{targets.__name__}.{m.name}") for m in pkgutil.iter_modules(targets.__path__))
    found = [target for module in modules for target in getattr(module, "TARGETS", ())]
    return {target.name: target for target in sorted(found, key=lambda target: target.name)}


def seeds(target: Target) -> list[bytes]:
    """Return the kept inputs of a target, by file name."""
    return [path.read_bytes() for path in sorted((SEEDS / target.name).iterdir())]


def attempt(target: Target, data: bytes, *, measured: bool = False) -> Fault | None:
    """Feed one input; return what is wrong with the outcome. `measured` counts memory, which makes it slow."""
    if measured:
        tracemalloc.start()
    try:
        target.run(data)
    except OutputError as exc:  # it stands for a fault of ours, or of the disk
        return _fault(target, data, exc)
    except UpgradeGateError:
        pass
    except (Exception, DeadlineError) as exc:  # noqa: BLE001 - whatever else comes is the finding
        return _fault(target, data, exc)
    finally:
        peak = tracemalloc.get_traced_memory()[1] if measured else 0
        if measured:
            tracemalloc.stop()
    if peak > target.memory:
        return Fault(target.name, "memory", f"{peak} bytes at once, more than {target.memory}", data)
    return None


@cache
def folder() -> Path:
    """Return a folder of this process, in memory where that is possible; whoever runs the process removes it."""
    return Path(tempfile.mkdtemp(prefix="upgrade-gate-fuzz-", dir=os.environ.get("TMPDIR") or in_memory()))


def in_memory() -> Path | None:
    """Return the machine's folder in memory, None where there is none."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else None


def file(name: str, data: bytes) -> Path:
    """Return a file of that content in the folder of this process; the next of that name replaces it."""
    path = folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _fault(target: Target, data: bytes, exc: BaseException) -> Fault:
    frames = traceback.extract_tb(exc.__traceback__)
    ours = [frame for frame in frames if "upgrade_gate/" in frame.filename] or list(frames)
    words = f" {exc}"[:60] if isinstance(exc, AssertionError) else ""
    place = f"{type(exc).__name__} in {Path(ours[-1].filename).name}:{ours[-1].lineno}{words}"
    return Fault(target.name, place, "".join(traceback.format_exception(exc)), data)

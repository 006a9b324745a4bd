"""The short run: every kept seed, and a fixed number of its mutants, through every target."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from random import Random

import pytest

from tests.fuzz import harness
from tests.fuzz.harness import Fault, Target
from tests.worlds.deadline import deadline
from upgrade_gate.base.errors import OutputError, UpgradeGateError

pytestmark = pytest.mark.slow

MUTANTS = 60
"""Of each target: all together take half a minute on one core."""
MEASURED = 20
"""Every input of this number has its memory counted."""


@pytest.fixture(scope="module", autouse=True)
def folder() -> Iterator[None]:
    """Remove what the targets have written."""
    yield
    shutil.rmtree(harness.folder(), ignore_errors=True)
    harness.folder.cache_clear()


@pytest.mark.parametrize("name", harness.all_targets())
def test_hostile_input_ends_in_an_answer_or_an_error_of_our_own(name: str) -> None:
    target = harness.all_targets()[name]
    seeds, chance = harness.seeds(target), Random(name)
    assert seeds, "no seed"
    inputs = seeds + [target.mutate(chance.choice(seeds), chance) for _ in range(MUTANTS)]
    for number, data in enumerate(inputs):
        with deadline(harness.DEADLINE):
            fault = harness.attempt(target, data, measured=number % MEASURED == MEASURED - 1)
        assert fault is None, f"{fault.place}\n{data[:500]!r}\n{fault.trace}"


def _fault(run: Callable[[bytes], object], *, memory: int | None = None) -> Fault | None:
    target = Target("x", run, memory=Target.memory if memory is None else memory)
    return harness.attempt(target, b"x", measured=memory is not None)


def test_a_crash_is_a_fault_and_names_its_place() -> None:
    def crash(_: bytes) -> None:
        raise KeyError("x")

    found = _fault(crash)
    assert found is not None
    assert found.place.startswith("KeyError in test_fuzz.py:")


def test_an_error_of_our_own_is_none() -> None:
    def refuse(_: bytes) -> None:
        raise UpgradeGateError("no")

    assert _fault(refuse) is None


def test_an_output_that_cannot_be_written_is_a_fault() -> None:
    def refuse(_: bytes) -> None:
        raise OutputError("no")

    assert _fault(refuse) is not None


def test_memory_beyond_the_cap_is_a_fault() -> None:
    found = _fault(lambda _: bytes(2**20), memory=2**19)
    assert found is not None
    assert found.place == "memory"
    assert _fault(lambda _: bytes(2**10), memory=2**19) is None


def test_a_run_past_its_deadline_is_a_fault() -> None:
    def wait(_: bytes) -> None:
        while True:
            pass

    with deadline(1):
        found = _fault(wait)
    assert found is not None
    assert "longer than 1 s" in found.trace


def test_mutants_are_the_same_in_every_run() -> None:
    for target in harness.all_targets().values():
        seed = harness.seeds(target)[0]
        assert target.mutate(seed, Random(7)) == target.mutate(seed, Random(7)), target.name

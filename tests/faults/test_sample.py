"""A fixed sample of faults, which covers every kind in every sort of input; `make faults` runs all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from tests.faults import flows, run, walk
from tests.faults.walk import Fault

pytestmark = pytest.mark.no_cover
"""Counting the lines of thousands of runs takes more time than the runs; other tests reach and count them."""

_OWN, _SHARED = 12, 8
"""So many flows, drawn by their names; those with exports, snapshots and acknowledgements besides."""
_BESIDES = (
    "own/fixtures/demo",
    "own/snapshot/demo",
    "gate/aws-sts-all-done",
    "gate/aws-sts-denied",
    "gate/gcp-one-permission-forgotten",
    "gate/azure-workload-identity-done",
)


def _drawn(names: Iterable[str], number: int) -> list[str]:
    ordered = sorted(names, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return ordered[:number] + [name for name in ordered[number:] if name in _BESIDES]


def _sample(names: Sequence[str]) -> Mapping[str, Sequence[Fault]]:
    """Return one fault of every kind in every sort of input that these flows have."""
    found: list[Fault] = []
    for name in names:
        with run.laid_out(name) as (folder, _):
            found += run.drawn(walk.faults(name, folder), 1, lambda one: (one.sort, one.kind))
    wanted: dict[str, list[Fault]] = {}
    for fault in run.drawn(found, 1, lambda one: (one.sort, one.kind)):
        wanted.setdefault(fault.flow, []).append(fault)
    return wanted


def _wrong(names: Sequence[str]) -> list[str]:
    return [
        f"{one.fault.name}: {one.wrong}"
        for name, faults in _sample(names).items()
        for one in run.run_flow(name, faults)
        if one.wrong
    ]


def test_no_fault_in_our_own_flows_ends_in_a_pass() -> None:
    assert not _wrong(_drawn(flows.own(), _OWN))


def test_no_fault_in_the_gate_flows_ends_in_a_pass(shared: Path) -> None:
    assert not _wrong(_drawn(flows.of_shared(shared), _SHARED))


def test_a_fault_is_named_the_same_in_every_run() -> None:
    with run.laid_out("own/fixtures/demo") as (folder, _):
        first = [fault.name for fault in walk.faults("own/fixtures/demo", folder)]
    with run.laid_out("own/fixtures/demo") as (folder, _):
        assert [fault.name for fault in walk.faults("own/fixtures/demo", folder)] == first
    assert len(set(first)) == len(first)


def test_a_fault_is_gone_when_its_run_is_over() -> None:
    with run.laid_out("own/fixtures/demo") as (folder, arguments):
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        base = run.check(arguments)
        for fault in run.drawn(walk.faults("own/fixtures/demo", folder), 1, lambda one: (one.sort,)):
            run.judge(fault, folder, arguments, base)
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before

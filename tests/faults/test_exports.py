"""No fault in an export turns a grant that is not covered into one that is: one of each kind at each sort of node."""

from __future__ import annotations

from pathlib import Path

from tests.faults import coverage, reviewed, run


def test_what_is_not_covered_is_not_covered_by_a_fault(shared: Path) -> None:
    of_case = {name: (documents, judged) for name, documents, judged in coverage.not_covered(shared)}
    every = (fault for name, (documents, _) in of_case.items() for fault in coverage.faults(name, documents))
    wanted = run.drawn(every, 1, lambda fault: fault.likeness)
    passing = [fault for fault in wanted if coverage.covered(of_case[fault.flow][0], fault, of_case[fault.flow][1])]
    assert len(wanted) > 1000
    assert not [fault.name for fault in passing if not reviewed.entry(fault)]

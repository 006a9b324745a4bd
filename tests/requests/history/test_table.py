"""The table of the history: its rows against the facts that it is made from, and in which releases a change can be."""

import json
from pathlib import Path

import pytest

from tests.generators import history as generator
from upgrade_gate.base import versions
from upgrade_gate.requests.history.table import table


@pytest.mark.shared
def test_the_table_is_what_the_facts_give(shared: Path) -> None:
    facts = json.loads((shared / generator.FACTS).read_text(encoding="utf-8"))
    assert generator.text(generator.history(facts)) == generator.TABLE.read_text(encoding="utf-8")


def test_the_table_says_how_old_it_is_and_what_it_was_made_from() -> None:
    known = table()
    assert (known.date, known.known_until, known.released_until) == ("2026-11-30", "2026-07-23", "4.22")
    assert known.branches[0] == "4.1"
    assert known.branches[-1] == "5.1"
    assert "git history of the 9 repositories" in known.source


@pytest.mark.parametrize(
    ("version", "possible"),
    [("4.10.8", False), ("4.10.9", True), ("4.10.60", True), ("4.11.0", True), ("4.9.50", True)],
)
def test_a_backport_is_in_no_patch_release_that_was_published_before_it(version: str, *, possible: bool) -> None:
    # openshift/cluster-storage-operator#268, merged into 4.10 on 2022-04-06, when 4.10.8 was in a channel
    change = next(c for c in table().commits if c.pull_request == 268 and c.date == "2022-04-06")
    parsed = versions.parse(version)
    assert parsed is not None
    assert change.may_be_in(parsed) is possible


def test_what_was_there_before_the_first_release_can_be_in_all_of_them() -> None:
    first = next(c for c in table().commits if c.date == "2019-01-17")
    assert first.may_be_in(versions.Version(4, 1, 0))


def test_every_later_branch_inherits_the_main_line_and_none_a_backport() -> None:
    known = table()
    ten, eleven, twelve = (known.branches.index(name) for name in ("4.10", "4.11", "4.12"))
    main = next(c for c in known.commits if c.pull_request == 263 and c.date == "2022-02-28")
    backport = next(c for c in known.commits if c.pull_request == 268 and c.date == "2022-04-06")
    assert [main.is_in(branch) for branch in (ten, eleven, twelve)] == [False, True, True]
    assert [backport.is_in(branch) for branch in (ten, eleven, twelve)] == [True, False, False]
    assert not main.z_stream
    assert backport.z_stream

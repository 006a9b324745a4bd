"""The risk tables: every entry can be met, and says why and by whom."""

from collections.abc import Iterator
from typing import get_args

from upgrade_gate.base import plugins
from upgrade_gate.clouds.contract.risk import Risk
from upgrade_gate.clouds.shared.risk import RiskTable, ordered


def tables() -> Iterator[RiskTable]:
    yield from (module.TABLE for module in plugins.load_role("risk") if hasattr(module, "TABLE"))


def test_an_entry_is_met_by_its_own_permission() -> None:
    for table in tables():
        for entry in table.entries:
            assert entry in table.entries_for(entry.pattern), entry
            assert entry.risk in get_args(Risk), entry
            assert entry.reason, entry
            assert entry.source, entry


def test_a_pair_is_met_by_either_half_that_completes_it() -> None:
    pairs = [(table, pair) for table in tables() for pair in table.pairs]
    assert pairs
    for table, pair in pairs:
        assert pair in table.entries_for(pair.first, [pair.second]), pair
        assert pair in table.entries_for(pair.second, [pair.first]), pair
        assert pair not in table.entries_for(pair.first), pair
        assert pair not in table.entries_for(pair.second, [pair.second]), pair


def test_classes_stand_once_and_worst_first() -> None:
    assert ordered(["BREADTH", "DATA", "ESCALATE", "DATA"]) == ("ESCALATE", "DATA", "BREADTH")


def test_an_entry_of_another_cloud_is_not_met() -> None:
    met = [table for table in tables() if table.entries_for("iam:PassRole")]
    assert len(met) == 1

"""The risk table: every entry can be met, and says why and by whom."""

from typing import get_args

import pytest

from upgrade_gate.clouds.contract.grants import Risk
from upgrade_gate.clouds.shared import risk


@pytest.mark.parametrize("entry", risk.ENTRIES, ids=lambda e: f"{e.cloud}-{e.pattern}-{e.risk}")
def test_an_entry_is_met_by_its_own_permission(entry: risk.Entry) -> None:
    assert entry in risk.entries_for(entry.cloud, entry.pattern)
    assert entry.risk in get_args(Risk)
    assert entry.reason
    assert entry.source


@pytest.mark.parametrize("pair", risk.PAIRS, ids=lambda p: f"{p.first}+{p.second}")
def test_a_pair_is_met_by_either_half_that_completes_it(pair: risk.Pair) -> None:
    assert pair in risk.entries_for(pair.cloud, pair.first, [pair.second])
    assert pair in risk.entries_for(pair.cloud, pair.second, [pair.first])
    assert pair not in risk.entries_for(pair.cloud, pair.first)
    assert pair not in risk.entries_for(pair.cloud, pair.second, [pair.second])


def test_classes_stand_once_and_worst_first() -> None:
    assert risk.ordered(["BREADTH", "DATA", "ESCALATE", "DATA"]) == ("ESCALATE", "DATA", "BREADTH")


def test_an_entry_of_another_cloud_is_not_met() -> None:
    assert risk.entries_for("GCP", "iam:PassRole") == ()

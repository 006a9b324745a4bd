"""A reader that asks once: each question reaches the cluster one time, and a failure is no answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from upgrade_gate.base.errors import ClusterError
from upgrade_gate.base.facts import Absent, Fact, Known
from upgrade_gate.cluster.facts_table import VERSION, namespace_query
from upgrade_gate.cluster.model import Query
from upgrade_gate.cluster.remembered import Remembered


class Counting:
    """Answers everything, and keeps what it was asked; fails as often as it is told to."""

    description = "a cluster"
    collected = None

    def __init__(self, failures: int = 0) -> None:
        self.asked: list[Query] = []
        self.failures = failures

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        self.asked += queries
        if self.failures:
            self.failures -= 1
            raise ClusterError("no answer")
        return {query: Absent() if query == VERSION else Known({}) for query in queries}


def test_what_was_answered_is_not_asked_again_and_the_rest_is() -> None:
    reader = Counting()
    remembered = Remembered(reader)
    other = namespace_query("n")
    assert remembered.read([VERSION]) == {VERSION: Absent()}
    assert remembered.read([VERSION, other]) == {VERSION: Absent(), other: Known({})}
    assert reader.asked == [VERSION, other]
    assert remembered.description == "a cluster"


def test_what_failed_is_asked_again() -> None:
    reader = Counting(failures=1)
    remembered = Remembered(reader)
    with pytest.raises(ClusterError):
        remembered.read([VERSION])
    assert remembered.read([VERSION]) == {VERSION: Absent()}

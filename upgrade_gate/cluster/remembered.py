"""A reader that asks each question once: for runs that judge one cluster for several releases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cluster.model import Query, Reader


class Remembered:
    """Answers from what another reader answered before, and asks that one for the rest."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._answers: dict[Query, Fact[Any]] = {}

    @property
    def description(self) -> str:
        """What is read."""
        return self._reader.description

    @property
    def collected(self) -> str | None:
        """When the data was collected."""
        return self._reader.collected

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        """Answer every query; raises as the other reader does, and then asks again the next time."""
        fresh = [query for query in queries if query not in self._answers]
        if fresh:
            self._answers |= self._reader.read(fresh)
        return {query: self._answers[query] for query in queries if query in self._answers}

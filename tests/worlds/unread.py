"""Readers that give back what another one gives, less one thing: for tests in which each fact is unread in turn."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from upgrade_gate.base.facts import Fact, Known, Unknown
from upgrade_gate.cluster.facts_table import FACTS
from upgrade_gate.cluster.model import Query, Reader

Path: TypeAlias = "tuple[str | int, ...]"

GARBAGE: tuple[Any, ...] = (7, ["\x00"], {"\x00": 7})
"""What stands where something else is meant; the first that is of another type is taken."""


class _Watched(dict[Any, Any]):
    """A mapping that notes what is looked up in it, and whether it is there or not."""

    def __init__(self, body: Mapping[Any, Any], path: Path, seen: set[Path]) -> None:
        super().__init__({key: _watch(value, (*path, key), seen) for key, value in body.items()})
        self.path, self.seen = path, seen

    def get(self, key: Any, default: Any = None) -> Any:
        self.seen.add((*self.path, key))
        return super().get(key, default)


def _watch(value: Any, path: Path, seen: set[Path]) -> Any:
    if isinstance(value, Mapping):
        return _Watched(value, path, seen)
    if isinstance(value, list):
        return [_watch(item, (*path, number), seen) for number, item in enumerate(value)]
    return value


@dataclass
class Fault:
    """One thing that is unread: a whole answer, or what stands at a place in it."""

    query: Query
    place: Path | None = None
    """None: the answer itself."""

    def __str__(self) -> str:
        return f"{self.query.title} {'.'.join(map(str, self.place)) if self.place is not None else 'not read'}"


@dataclass
class Unread:
    """A reader from which one thing cannot be had."""

    whole: Reader
    fault: Fault

    @property
    def description(self) -> str:
        return self.whole.description

    @property
    def collected(self) -> str | None:
        return self.whole.collected

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        answers = dict(self.whole.read(queries))
        if self.fault.query in answers:
            answers[self.fault.query] = _broken(answers[self.fault.query], self.fault)
        return answers


def _broken(answer: Fact[Any], fault: Fault) -> Fact[Any]:
    if fault.place is None or not isinstance(answer, Known):
        return Unknown(f"get {fault.query.plural}: forbidden", f"a right to get {fault.query.plural}")
    value = copy.deepcopy(answer.value)
    if isinstance(value, tuple):
        value = list(value)
    target = value
    for key in fault.place[:-1]:
        if isinstance(target, dict) and not isinstance(target.get(key), (dict, list)):
            target[key] = {}
        target = target[key]
    last = fault.place[-1]
    stood = target.get(last) if isinstance(target, dict) else target[last]
    target[last] = next(one for one in GARBAGE if type(one) is not type(stood))
    return Known(value)


class Recording:
    """A reader that passes on what another one says, and notes what was asked and what it answered."""

    def __init__(self, whole: Reader) -> None:
        self.whole = whole
        self.description, self.collected = whole.description, whole.collected
        self.answers: dict[Query, Fact[Any]] = {}

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        answers = self.whole.read(queries)
        self.answers.update(answers)
        return answers

    def faults(self) -> Iterator[Fault]:
        """Yield every way in which one thing of what was asked is unread, by the product's own table of facts."""
        for query, answer in self.answers.items():
            if isinstance(answer, Unknown):
                continue
            yield Fault(query)
            for place in sorted(_looked_up(query, answer), key=str):
                yield Fault(query, place)


def _looked_up(query: Query, answer: Fact[Any]) -> set[Path]:
    """Return each place at which a fact of the table looks in an answer."""
    seen: set[Path] = set()
    if query.name is not None and isinstance(answer, Known) and isinstance(answer.value, Mapping):
        seen |= {("kind",), ("metadata",), ("metadata", "name")}  # an answer is checked to be what was asked for
    if isinstance(answer, Known) and isinstance(answer.value, (Mapping, tuple, list)):
        value = list(answer.value) if isinstance(answer.value, tuple) else answer.value
        facts: dict[str, Fact[Any]] = {}
        for row in FACTS:
            facts[row.name] = Unknown("not read")
            if row.query == query:
                facts[row.name] = row.read(Known(_watch(value, (), seen)), facts)
    return seen

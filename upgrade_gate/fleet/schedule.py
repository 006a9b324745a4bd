"""Work on many clusters at once, each with a deadline: who hangs is left behind, and delays nobody."""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")


class Done(Struct, Generic[Item, Result], frozen=True):
    """What became of one item."""

    item: Item
    result: Result | None
    """None where it failed, or did not end in time."""
    failure: Exception | None = None
    """What it failed with; None where it did not end in time."""


def run(
    items: Iterable[Item], work: Callable[[Item], Result], *, jobs: int, deadline: float
) -> Iterator[Done[Item, Result]]:
    """Yield what became of each item, as they end; `jobs` of them run at once, each for `deadline` seconds at most.

    Each item has a thread of its own that nobody waits for at the end of the process: Python cannot stop one that
    hangs. Its slot goes to the next item.
    """
    ended: SimpleQueue[tuple[int, Done[Item, Result]]] = SimpleQueue()
    waiting = enumerate(items)
    under_way: dict[int, tuple[Item, float]] = {}
    more = True
    while True:
        while more and len(under_way) < jobs:
            number, item = next(waiting, (-1, None))
            if item is None:
                more = False
                break
            under_way[number] = (item, time.monotonic() + deadline)
            Thread(target=_work, args=(number, item, work, ended), daemon=True).start()
        if not under_way:
            return
        try:
            number, done = ended.get(timeout=max(0.0, min(end for _, end in under_way.values()) - time.monotonic()))
        except Empty:
            late = [number for number, (_, end) in under_way.items() if end <= time.monotonic()]
            for number in late:
                yield Done(under_way.pop(number)[0], None)
            continue
        if under_way.pop(number, None) is not None:  # else it was given up before
            yield done


def _work(
    number: int,
    item: Item,
    work: Callable[[Item], Result],
    ended: SimpleQueue[tuple[int, Done[Item, Result]]],
) -> None:
    try:
        ended.put((number, Done(item, work(item))))
    except Exception as error:  # noqa: BLE001 - one cluster's failure is that cluster's, whatever it is
        ended.put((number, Done(item, None, error)))

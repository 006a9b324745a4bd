"""True, false, or undecided: what a condition says where only some of what it asks about is known.

An answer that is undecided names what it waits for; NOT undecided is undecided, in AND false wins, in OR true wins.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable


class Truth(Enum):
    """One of three values."""

    TRUE = "true"
    FALSE = "false"
    UNDECIDED = "undecided"


class Answer(Struct, frozen=True):
    """A value with what it rests on."""

    truth: Truth
    open: tuple[str, ...] = ()
    """What is not known and would decide it, in words; empty where it is decided."""
    rests_on: frozenset[str] = frozenset()
    """The known things that decided it, in words: what is true here need not be true elsewhere."""

    @property
    def true(self) -> bool:
        """Whether it is decided true."""
        return self.truth is Truth.TRUE

    @property
    def false(self) -> bool:
        """Whether it is decided false."""
        return self.truth is Truth.FALSE


TRUE = Answer(Truth.TRUE)
FALSE = Answer(Truth.FALSE)


def undecided(*what: str) -> Answer:
    """Return the answer that waits for what is named."""
    return Answer(Truth.UNDECIDED, what)


def not_(answer: Answer) -> Answer:
    """Return the opposite; of what is undecided, the same."""
    match answer.truth:
        case Truth.TRUE:
            return Answer(Truth.FALSE, rests_on=answer.rests_on)
        case Truth.FALSE:
            return Answer(Truth.TRUE, rests_on=answer.rests_on)
        case Truth.UNDECIDED:
            return answer


def all_of(answers: Iterable[Answer]) -> Answer:
    """Return whether all hold; of none at all, true."""
    return _fold(answers, Truth.FALSE, Truth.TRUE)


def any_of(answers: Iterable[Answer]) -> Answer:
    """Return whether one holds; of none at all, false."""
    return _fold(answers, Truth.TRUE, Truth.FALSE)


def _fold(answers: Iterable[Answer], winner: Truth, otherwise: Truth) -> Answer:
    waiting: list[str] = []
    rests_on: frozenset[str] = frozenset()
    result = otherwise
    for answer in answers:
        if answer.truth is winner:
            return Answer(winner, rests_on=answer.rests_on)
        if answer.truth is Truth.UNDECIDED:
            result = Truth.UNDECIDED
        waiting += answer.open
        rests_on |= answer.rests_on
    return Answer(result, tuple(dict.fromkeys(waiting)), rests_on)

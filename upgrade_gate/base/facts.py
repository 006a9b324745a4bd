"""What could be found out about one thing: known, absent, or unknown with the reason.

Absence is a finding of its own; "we could not look" is never absence (docs/contract.md#cluster-facts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
U = TypeVar("U")


class Known(Struct, Generic[T], frozen=True):
    """It was read."""

    value: T


class Absent(Struct, frozen=True):
    """It was looked for and is not there: a live 404, or a dump that holds the kind but not this object."""


class Unknown(Struct, frozen=True):
    """It could not be read."""

    reason: str
    """What was missing, in words: `get clusterversions/version: forbidden`, `secrets.yaml of ns/x is cut off`."""
    remedy: str | None = None
    """The permission or file that would make it known."""
    read: bool = False
    """It was read and cannot be right: no option may stand in for it."""


Fact: TypeAlias = Known[T] | Absent | Unknown


def map_known(fact: Fact[T], change: Callable[[T], Fact[U]]) -> Fact[U]:
    """Derive a fact from a known one; absence and ignorance pass through unchanged."""
    return change(fact.value) if isinstance(fact, Known) else fact


def known_or(fact: Fact[T], default: U) -> T | U:
    """Return the value, or `default` where it is absent or unknown; only where the two mean the same to the caller."""
    return fact.value if isinstance(fact, Known) else default


def unless_empty(text: str) -> Fact[str]:
    """Return a text as a fact that is absent where the text is left out or empty."""
    return Known(text) if text else Absent()

"""Text from payloads and clusters made safe to show: on one line, no control, direction or invisible character."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def one_line(text: str) -> str:
    """Return `text` on one line, each unprintable character replaced by a visible mark.

    Python's notion of printable is Unicode's: controls (C0, C1), formats (direction marks, zero-width ones), lone
    surrogates, private and unassigned code points are not; every kind of white space becomes a plain space.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else REPLACEMENT for c in text).strip()


def sentence(parts: Iterable[str]) -> str:
    """Return parts as `a, b and c`."""
    listed = list(parts)
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)

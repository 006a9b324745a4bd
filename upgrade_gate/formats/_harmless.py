"""Makes text from payloads and clusters safe to show: no control, direction or invisible character survives.

Names in a payload are chosen by whoever built it. A terminal obeys escape sequences, a browser obeys direction
marks, a CI log obeys line breaks; none of these may come from data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from upgrade_gate.report import Report

__all__ = ["harmless", "harmless_report"]

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def harmless(text: str) -> str:
    """Return `text` on one line, each unprintable character replaced by a visible mark.

    Python's notion of printable is Unicode's: controls (C0, C1), formats (direction marks, zero-width ones), lone
    surrogates, private and unassigned code points are not; every kind of white space becomes a plain space.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else " " if c.isspace() else REPLACEMENT for c in text).strip()


def harmless_report(report: Report) -> Report:
    """Return the report with every string in it harmless, keys of mappings included."""
    safe: Report = _walk(report)
    return safe


def _walk(value: Any) -> Any:
    match value:
        case str():
            return harmless(value)
        case Struct():
            return type(value)(**{name: _walk(getattr(value, name)) for name in value.__struct_fields__})
        case list():
            return [_walk(item) for item in value]
        case dict():
            return {_walk(key): _walk(item) for key, item in value.items()}
        case _:
            return value

"""Makes every text of a report safe to show: no control, direction or invisible character survives.

Names in a payload are chosen by whoever built it. A terminal obeys escape sequences, a browser obeys direction
marks, a CI log obeys line breaks; none of these may come from data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from upgrade_gate.report.document import Report


def harmless_report(report: Report) -> Report:
    """Return the report with every string in it harmless, keys of mappings included."""
    safe: Report = _walk(report)
    return safe


def _walk(value: Any) -> Any:
    match value:
        case str():
            return one_line(value)
        case Struct():
            return type(value)(**{name: _walk(getattr(value, name)) for name in value.__struct_fields__})
        case list():
            return [_walk(item) for item in value]
        case dict():
            return {_walk(key): _walk(item) for key, item in value.items()}
        case _:
            return value

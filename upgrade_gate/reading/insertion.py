"""Put values into a list of a JSON or YAML text, in the text's own style: every byte that stands there stays.

What is put in is checked by whoever parses the result: where a style is not understood there is no edit, or one whose
result says something else than was meant.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.reading.places import Place

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*(?::[A-Za-z0-9*][A-Za-z0-9._/*-]*)*")
"""Text that needs no quotes in YAML, in brackets or out of them; words that mean something else are quoted."""
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


class Edit(Struct, frozen=True):
    """A text that is put in."""

    at: int
    """Before this character."""
    text: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits; those of one place in their order."""
    pieces: list[str] = []
    done = 0
    for edit in sorted(edits, key=lambda one: one.at):
        pieces += [text[done : edit.at], edit.text]
        done = edit.at
    return "".join([*pieces, text[done:]])


def insert(text: str, root: Place, path: Sequence[str | int], values: Sequence[Any]) -> tuple[Edit, ...] | None:
    """Return the edits that put values behind the last entry of the list at a path.

    A single value there becomes the first of a list. None where there is nothing of that path, where an anchor or an
    alias makes one text stand in several places, and for a style in which it cannot be done.
    """
    places = [root.at(path[:length]) for length in range(len(path) + 1)]
    if any(place is None or place.anchored for place in places):
        return None
    place = places[-1]
    assert place is not None  # noqa: S101 - asked for above
    in_brackets = any(outer is not None and outer.flow for outer in places)
    if place.kind == "list" and place.items:
        return _into_flow(text, place, values) if place.flow else _into_block(text, place, values)
    if place.kind == "list" and place.flow:
        return (Edit(place.start + 1, ", ".join(_one_line(text, None, value) for value in values)),)
    if place.kind == "text" or in_brackets:
        added = "".join(f", {_one_line(text, place, value)}" for value in values)
        return (Edit(place.start, "["), Edit(place.end, f"{added}]"))
    return None


def _into_flow(text: str, place: Place, values: Sequence[Any]) -> tuple[Edit, ...]:
    """Put values into a list in brackets, each parted as the last two entries are."""
    last = place.items[-1]
    before = place.items[-2].end if len(place.items) > 1 else place.start + 1
    gap = text[before : last.start]
    broken = "\n" in gap
    lead = gap[gap.rfind("\n") + 1 :] if broken else ""
    if lead.strip():
        lead = " " * last.column
    part = f",{_break(text)}{lead}" if broken else ", " if " " in gap or len(place.items) == 1 else ","
    pretty = broken and "\n" in text[last.start : last.end]
    written = (_pretty(text, last, lead, value) if pretty else _one_line(text, last, value) for value in values)
    return (Edit(last.end, "".join(f"{part}{one}" for one in written)),)


def _into_block(text: str, place: Place, values: Sequence[Any]) -> tuple[Edit, ...]:
    """Put values into a list of lines that begin with a dash."""
    end = _end_of(place)
    newline = text.find("\n", end)
    stop = end if text[end - 1] == "\n" else newline + 1 if newline >= 0 else len(text)
    lines = "".join(_block(text, place, value) for value in values)
    if newline < 0 and text[end - 1] != "\n":
        lines = _break(text) + lines.removesuffix(_break(text))
    return (Edit(stop, lines),)


def _end_of(place: Place) -> int:
    """Return where the content of a value ends, without what YAML counts to a block until the next one begins."""
    inner = place.items or list(place.values.values())
    return place.end if place.flow or not inner else max(_end_of(one) for one in inner)


def _block(text: str, place: Place, value: Any) -> str:
    indent = " " * place.column
    if not isinstance(value, dict):
        return f"{indent}- {_one_line(text, place.items[-1], value)}{_break(text)}"
    lines = list(_yaml_lines(value))
    return "".join(f"{indent}{'- ' if number == 0 else '  '}{line}{_break(text)}" for number, line in enumerate(lines))


def _yaml_lines(value: dict[str, Any]) -> Iterable[str]:
    """Yield the lines of a mapping in block style: lists and mappings in it likewise, texts quoted where they must."""
    for key, one in value.items():
        name = _scalar(key, "")
        if isinstance(one, dict) and one:
            yield f"{name}:"
            yield from (f"  {line}" for line in _yaml_lines(one))
        elif isinstance(one, list) and one:
            yield f"{name}:"
            yield from (f"- {_scalar(entry, '')}" for entry in one)
        else:
            yield f"{name}: {_scalar(one, '')}"


def _pretty(text: str, last: Place, lead: str, value: Any) -> str:
    """Return a value on several lines, indented as the entry before it is."""
    inner = min(last.values.values() or last.items, key=lambda one: one.start, default=None)
    keys = min(last.keys.values(), key=lambda one: one.start, default=inner)
    begin = text.rfind("\n", 0, keys.start) + 1 if keys is not None else 0
    own = text[begin : keys.start] if keys is not None else ""
    unit = own[len(lead) :] if own.startswith(lead) and own[len(lead) :] and not own.strip() else "  "
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", f"{_break(text)}{lead}")


def _one_line(text: str, like: Place | None, value: Any) -> str:
    quote = text[like.start : like.start + 1] if like is not None and like.kind == "text" else '"'
    return _scalar(value, "" if like is not None and like.plain else quote)


def _scalar(value: Any, quote: str) -> str:
    """Return a single value as the text writes its own; what would be read otherwise is quoted."""
    if isinstance(value, str) and quote == "'":
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, str) and quote == "" and _PLAIN.fullmatch(value) and value.casefold() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _break(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"

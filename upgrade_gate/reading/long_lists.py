"""The lists of a large export, kept as text: an element is parsed when it is asked for, and not kept.

The details of an AWS account with 50,000 roles are 83 MB of JSON and 400 MB as objects, of which a run wants a few.
Every element is parsed once all the same, so that a fault anywhere in the file is found; what is needed to choose among
the elements is kept from that.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

_SPACE = " \t\n\r"


class LongList(Sequence[Any]):
    """A list that is still text."""

    def __init__(self, text: str, fields: tuple[str, ...], decoder: json.JSONDecoder) -> None:
        self._text = text
        self._fields = fields
        self._decoder = decoder
        self._starts = array("Q")
        self._briefs: list[tuple[Any, ...] | None] = []

    def keep(self, start: int, element: Any) -> None:
        """Keep where an element begins, and its fields that are texts."""
        self._starts.append(start)
        brief = None
        if isinstance(element, dict):
            values = (element.get(field) for field in self._fields)
            brief = tuple(value if isinstance(value, str) else None for value in values)
        self._briefs.append(brief)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return self._decoder.raw_decode(self._text, self._starts[index])[0]

    def briefs(self) -> Iterator[Mapping[str, Any] | None]:
        """Yield the kept fields of each element, None for one that is no object."""
        for brief in self._briefs:
            yield None if brief is None else dict(zip(self._fields, brief, strict=True))


def briefs(elements: Sequence[Any]) -> Iterator[Mapping[str, Any] | None]:
    """Yield what to choose elements by: of a long list its kept fields, of any other the elements themselves."""
    if isinstance(elements, LongList):
        yield from elements.briefs()
    else:
        yield from (element if isinstance(element, Mapping) else None for element in elements)


def parse_object(
    text: str,
    lists: Mapping[str, tuple[str, ...]],
    decoder: json.JSONDecoder,
    check: Callable[[Any], None],
) -> dict[str, Any] | None:
    """Return the one object that a text (which begins with its brace) is, with the named lists kept as text.

    None where it is anything else, so that who reads it says what is wrong with it. `lists` has the fields to keep of
    each list's elements; `check` is called with each value and raises ValueError where it must not stand there.
    """
    found: dict[str, Any] = {}
    at = _skip(text, 1)
    while True:
        if text[at : at + 1] != '"':
            return None
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        if key in found or text[at : at + 1] != ":":
            return None
        at = _skip(text, at + 1)
        if key in lists and text[at : at + 1] == "[":
            found[key], at = _parse_list(text, at, lists[key], decoder, check)
        else:
            found[key], at = decoder.raw_decode(text, at)
            check(found[key])
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            return found if _skip(text, at + 1) == len(text) else None
        if text[at : at + 1] != ",":
            return None
        at = _skip(text, at + 1)


def _parse_list(
    text: str, at: int, fields: tuple[str, ...], decoder: json.JSONDecoder, check: Callable[[Any], None]
) -> tuple[LongList, int]:
    kept = LongList(text, fields, decoder)
    at = _skip(text, at + 1)
    if text[at] == "]":
        return kept, at + 1
    while True:
        start = at
        element, at = decoder.raw_decode(text, at)
        check(element)
        kept.keep(start, element)
        at = _skip(text, at)
        if text[at] == "]":
            return kept, at + 1
        if text[at] != ",":
            raise ValueError("neither a comma nor the end of the list")
        at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    """Return the place of the next character that is no white space."""
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at

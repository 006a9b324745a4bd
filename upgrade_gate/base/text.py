"""Text from payloads and clusters made safe to show: on one line, no control, direction or invisible character."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

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


_URL = re.compile(r"(?i)\b((?:https?|socks5h?)://)([^\s'\"<>]*)")
_USER = re.compile(r"(?<![\w/.@-])[^\s/:@'\"(]+:[^\s/@]+@(?=[\w\[][\w.:\[\]-]*/)")


def without_credentials(text: str) -> str:
    """Return text whose URLs and pullspecs have lost user, password and query: they may be credentials."""
    if "://" in text:
        text = _URL.sub(_bare, text)
    return _USER.sub("", text) if "@" in text else text


def _bare(url: re.Match[str]) -> str:
    place = url[2]
    for mark in "?#":
        place = place.partition(mark)[0]
    lost = url[2].removeprefix(place)
    return url[1] + place.rpartition("@")[2] + lost[len(lost.rstrip(".,;:)")) :]


def data_without_credentials(value: Any) -> Any:
    """Return plain data whose texts have lost what may be credentials in their URLs."""
    match value:
        case str():
            return without_credentials(value)
        case dict():
            return {key: data_without_credentials(item) for key, item in value.items()}
        case list():
            return [data_without_credentials(item) for item in value]
        case tuple() if type(value) is tuple:
            return tuple(data_without_credentials(item) for item in value)
        case _:
            return value


def sentence(parts: Iterable[str]) -> str:
    """Return parts as `a, b and c`."""
    listed = list(parts)
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)


def nearly(text: str, wanted: str, *, slips: int = 2) -> bool:
    """Return whether two names are one but for case, space and a few letters.

    A plural that moved to another word is two.
    """
    found, wanted = "".join(text.split()).casefold(), wanted.casefold()
    if abs(len(found) - len(wanted)) > slips:
        return False
    row = list(range(len(wanted) + 1))
    for i, letter in enumerate(found, 1):
        before, row = row, [i]
        for j, other in enumerate(wanted, 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != other)))
    return row[-1] <= slips

"""Text as words of bash."""

from __future__ import annotations

import shlex


def quote(text: str) -> str:
    """Return text as one word of bash: nothing in it is run, and nothing in it reaches a terminal as it is."""
    if text.isprintable():
        return shlex.quote(text)
    escaped = "".join(_escape(character) for character in text)
    return f"$'{escaped}'"


def words(*argv: str) -> str:
    """Return a command line, every word quoted."""
    return " ".join(quote(word) for word in argv)


def _escape(character: str) -> str:
    code = ord(character)
    if character in "\\'":
        return f"\\{character}"
    if character.isprintable():
        return character
    raw = character.encode("utf-8", "surrogateescape" if 0xDC80 <= code <= 0xDCFF else "replace")
    return "".join(f"\\x{byte:02x}" for byte in raw)

"""Text as CommonMark that shows as it stands, on the forges too: no markup, no link, no mention (CommonMark 0.31)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&!$])")
_OPENING = re.compile(r"(?:[-+=]|(\d+)[.)](?= |$))")
_LINKING = re.compile(r"@|#\d|://|www\.|:\w+:", re.IGNORECASE)
"""What a forge turns into a mention, a reference, a link or a picture in plain text, but never in a code span."""


def escape(value: str) -> str:
    """Return text without markup."""
    return _SPECIAL.sub(r"\\\1", value)


def links(value: str) -> bool:
    """Return whether a forge would make a link or a mention of a part of it."""
    return _LINKING.search(value) is not None


def text(line: str) -> str:
    """Return one line that may begin a paragraph; words that a forge would link become code spans."""
    escaped = " ".join(_word(word) for word in line.split(" "))
    opening = _OPENING.match(escaped)
    cut = len(opening.group(1) or "") if opening else 0
    return f"{escaped[:cut]}\\{escaped[cut:]}" if opening else escaped


def _word(word: str) -> str:
    if not links(word):
        return escape(word)
    bare = word.rstrip(".,;")
    return f"{code(bare)}{word[len(bare) :]}" if bare else word


def code(line: str) -> str:
    """Return a code span, fenced by more backticks than any run in it (6.1)."""
    ticks = "`" * (_longest_run([line]) + 1)
    pad = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{ticks}{pad}{line or ' '}{pad}{ticks}"


def fence(lines: Sequence[str], language: str) -> str:
    """Return lines as a code block, fenced by more backticks than any run in it (4.5)."""
    ticks = "`" * max(3, _longest_run(lines) + 1)
    return "\n".join([f"{ticks}{language}", *lines, ticks])


def _longest_run(lines: Sequence[str]) -> int:
    return max((len(run) for line in lines for run in re.findall("`+", line)), default=0)

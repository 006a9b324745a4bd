"""Semantic versions as release payloads and the cluster's history spell them, in the order of semver 2.0.0.

Source: CVO and CCO parse history with blang/semver (three numbers, no `v`, no leading zero).
"""

from __future__ import annotations

import re
from functools import total_ordering

from msgspec import Struct

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_PRE = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_PRE}(?:\.{_PRE})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)
_LONGEST = 256


@total_ordering
class Version(Struct, frozen=True):
    """One version; build metadata takes no part in it."""

    major: int
    minor: int
    patch: int
    pre: tuple[str, ...] = ()

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor."""
        return self.major, self.minor

    def __lt__(self, other: Version) -> bool:
        return self._order() < other._order()

    def _order(self) -> tuple[int, int, int, int, tuple[tuple[int, int, str], ...]]:
        # semver 11: no pre-release above any; numbers below words; fewer fields below more.
        fields = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in self.pre)
        return self.major, self.minor, self.patch, 0 if self.pre else 1, fields

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        return f"{text}-{'.'.join(self.pre)}" if self.pre else text


def parse(text: str) -> Version | None:
    """Return the version, or None where the text is none."""
    found = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    major, minor, patch, pre = found.groups()
    return Version(int(major), int(minor), int(patch), tuple(pre.split(".")) if pre else ())


def of(text: str) -> Version:
    """Return the version of a text that was found to be one before; raises ValueError where it is none."""
    found = parse(text)
    if found is None:
        raise ValueError(f"{text!r} is no version")
    return found


def minor_of(text: str) -> tuple[int, int] | None:
    """Return major and minor of a version, or None where the text is no version."""
    version = parse(text)
    return version.release if version else None

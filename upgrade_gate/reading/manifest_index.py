"""The identity of every document of a YAML file, read from its top-level lines instead of from all of it.

A payload is mostly CRDs whose bodies nobody asks for; making Python objects of them costs more than the rest of a
run. Here a line scan finds `apiVersion`, `kind` and `metadata`, and libyaml checks the rest without making any
(`raw_parse`). The scan knows one shape, a block mapping whose keys are plain words in the first column, as all
manifests are written; at anything else it gives up, and the caller builds the file in full. It can therefore be
slow, but not wrong: what stands in the first column of a file of that shape is a key, a list item of one, a comment,
or the continuation of a quoted or flow value, and the last cannot add an identity without repeating a key.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import yaml
from msgspec import Struct, field

from upgrade_gate.base.errors import ManifestError
from upgrade_gate.reading.yaml import parse_one, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FIRST_COLUMN = re.compile(rb"\n([^ \n#][^\n]*)")
_KEY = re.compile(rb"([A-Za-z][A-Za-z0-9_-]*):(?: +(.*))?")
_SEPARATOR = re.compile(rb"--- *(?:#.*)?")
_NOTHING = re.compile(rb"(?:\n *(?:#[^\n]*)?)*")
_WORD = re.compile(rb"([A-Za-z][A-Za-z0-9./-]*|\"[A-Za-z][A-Za-z0-9./-]*\"|'[A-Za-z][A-Za-z0-9./-]*') *(?: #.*)?")
_EMPTY = re.compile(rb"(?:#.*)?")
_VALUE = r"""(?: +(?:("[^"\\\n]*"|'[^'\n]*')|([A-Za-z0-9/._][^\s#]*(?: +[^\s#]+)*)))?(?: +#[^\n]*| *)(?=\n|\Z)"""
_ENTRY = re.compile(rf"\n( +)([A-Za-z][A-Za-z0-9_./-]*):{_VALUE}")
"""A line `key: value` whose value is empty, quoted without an escape, or plain without a `#`."""
_ENTRIES = re.compile(rf"(?:{_ENTRY.pattern}|\n *(?:#[^\n]*)?(?=\n|\Z))*")
_WIDE_BREAKS = (b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
"""Line breaks of YAML 1.1 outside ASCII."""
_MAX_OPENERS = 4000
"""libyaml needs time with the square of the flow nesting: 4,000 levels 0.03 s, 100,000 levels 28 s."""
_CHECKED_WHOLE = 64 * 2**10
"""Bytes of a file up to which libyaml reads all of it. Of the 643 YAML files of release 4.12.0 it reads 626 in 0.03 s;
the other 17, CRDs of 6 MB, would take 0.06 s more to find a fault in text that nobody asks for."""
_TEXT = bytes(range(0x20, 0x7F)) + b"\n" + bytes(range(0x80, 0x100))
_MEMORY = 1024
"""Files remembered: neighbouring releases share most of theirs."""


class Outline(Struct, frozen=True):
    """Where one document of a file begins, and the three top-level values that identify it."""

    document: int
    line: int
    api_version: str
    kind: str
    metadata: Mapping[str, Any]


class _Segment(Struct):
    """What stands between two separators."""

    number: int
    start: int
    keys: dict[bytes, tuple[int, int, bytes]] = field(default_factory=dict)
    """Key to where its line starts (the line feed before it), where it ends, and what follows the colon."""


@lru_cache(maxsize=_MEMORY)
def outline(data: bytes) -> tuple[Outline, ...] | None:
    """Return the documents of a file, or None where only a full reading can tell (or where it is no valid YAML)."""
    if b"\r" in data or (not data.isascii() and any(mark in data for mark in _WIDE_BREAKS)):
        return None
    text = b"\n" + data
    found: list[Outline] = []
    line, counted = 0, 0
    try:
        for segment, end in _segments(text):
            if segment.keys:
                first = min(start for start, _, _ in segment.keys.values()) + 1
                line += text.count(b"\n", counted, first)
                counted = first
                found.append(_document(text, segment, end, line))
            elif not _NOTHING.fullmatch(text, segment.start, end):
                return None
    except _OtherShapeError:
        return None
    return tuple(found) if _valid(data) else None


class _OtherShapeError(Exception):
    """The file is not of the one shape that is known here."""


def _segments(text: bytes) -> Iterator[tuple[_Segment, int]]:
    """Yield each segment with its end; the one before the first separator is a document only if it holds a key."""
    segment, separated = _Segment(0, 0), False
    for match in _FIRST_COLUMN.finditer(text):
        line = match[1]
        keys = segment.keys
        if key := _KEY.fullmatch(line):
            if key[1] in keys or (not keys and not _NOTHING.fullmatch(text, segment.start, match.start())):
                raise _OtherShapeError
            keys[key[1]] = (match.start(), match.end(), key[2] or b"")
        elif _SEPARATOR.fullmatch(line):
            yield segment, match.start()
            segment, separated = _Segment(segment.number + (bool(keys) or separated), match.end()), True
        elif not keys or not (line == b"-" or line.startswith(b"- ")):
            raise _OtherShapeError
    yield segment, len(text)


def _document(text: bytes, segment: _Segment, end: int, line: int) -> Outline:
    """Return the outline of one document; it begins at `line`."""
    keys = segment.keys
    try:
        kind_at, api_at, (meta_start, meta_end, meta) = keys[b"kind"], keys[b"apiVersion"], keys[b"metadata"]
    except KeyError:
        raise _OtherShapeError from None
    kind, api_version = _WORD.fullmatch(kind_at[2]), _WORD.fullmatch(api_at[2])
    if kind is None or api_version is None or not _EMPTY.fullmatch(meta) or b"items" in keys:
        raise _OtherShapeError
    stop = min((start for start, _, _ in keys.values() if start > meta_start), default=end)
    try:
        metadata = _entries(text[meta_end:stop].decode())
        if metadata is None:
            metadata = parse_one(text[meta_start:stop], "metadata").body["metadata"]
    except (ManifestError, ValueError):
        raise _OtherShapeError from None
    name = kind[1].strip(b"\"'").decode()
    if not isinstance(metadata, dict) or name.endswith("List"):
        raise _OtherShapeError
    return Outline(segment.number, line, api_version[1].strip(b"\"'").decode(), name, metadata)


def _entries(block: str) -> dict[str, Any] | None:
    """Return a block of at most two levels of `key: value` lines; None where it is written any other way.

    A line that only looks like an entry would have to continue the scalar above it, and that is no valid YAML.
    """
    if not _ENTRIES.fullmatch(block):
        return None
    top: dict[str, Any] = {}
    inner: dict[str, Any] | None = None
    widths = [0, 0]
    last = ""
    for indent, key, quoted, plain in _ENTRY.findall(block):
        width = len(indent)
        if plain and (": " in plain or plain[-1] == ":"):
            return None
        value = quoted[1:-1] if quoted else resolve(plain)
        widths[0] = widths[0] or width
        if width == widths[0]:
            target, inner = top, None
            last = key
        elif width > widths[0] and inner is None and top[last] is None:
            widths[1] = width
            target = inner = top[last] = {}
        elif inner is not None and width == widths[1]:
            target = inner
        else:
            return None
        if key in target or type(resolve(key)) is not str:
            return None
        target[key] = value
    return top or None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _valid(data: bytes) -> bool:
    """Return whether libyaml accepts a file; of a large one, whether it is text that does not end inside a line."""
    if len(data) > _CHECKED_WHOLE:
        return data.endswith(b"\n") and not data.translate(None, _TEXT) and _is_utf8(data)
    if data.count(b"[") + data.count(b"{") > _MAX_OPENERS:
        return False
    loader = yaml.CSafeLoader(data)
    try:
        loader.raw_parse()
    except yaml.YAMLError:
        return False
    finally:
        loader.dispose()
    return True

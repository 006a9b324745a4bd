"""Unique marks that stand for secrets, and the search for them in whatever a program has written."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

import zstandard

if TYPE_CHECKING:
    from collections.abc import Iterator


class Marks:
    """Hands out a mark for each place, and finds them again: plain, in base64 (twice too), URL-encoded, packed."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}
        """Mark by place."""

    def __getitem__(self, place: str) -> str:
        """Return the mark of a place: letters and digits, so that no encoding of URLs or JSON changes it."""
        return self.planted.setdefault(place, f"zQ{hashlib.sha256(place.encode()).hexdigest()[:22]}Kw")

    def found_in(self, data: bytes) -> list[str]:
        """Return the places whose marks are in bytes, whatever these are packed in."""
        forms = [form for layer in _unpacked(data) for form in (layer, unquote_to_bytes(layer))]
        return sorted(
            place
            for place, mark in self.planted.items()
            if any(form in layer for layer in forms for form in _written(mark.encode()))
        )


def _written(mark: bytes) -> Iterator[bytes]:
    """Yield a mark plain, in hexadecimal, and what is sure of it in base64, once and twice, at each of its places."""
    yield mark
    yield mark.hex().encode()
    for once in _base64(mark):
        yield once
        yield from _base64(once)


def _base64(data: bytes) -> Iterator[bytes]:
    for before in range(3):
        text = base64.b64encode(b"\0" * before + data + b"\0\0\0")
        sure = text[-(-8 * before // 6) : 8 * (before + len(data)) // 6]
        yield sure
        yield sure.translate(bytes.maketrans(b"+/", b"-_"))


def _unpacked(data: bytes, depth: int = 3) -> Iterator[bytes]:
    """Yield bytes and what is packed in them, wherever it begins."""
    yield data
    if not depth:
        return
    for head, unpack in ((b"\x1f\x8b\x08", _gunzip), (b"\x28\xb5\x2f\xfd", _unzstd)):
        at = data.find(head)
        while at >= 0:
            inner = unpack(data[at:])
            if inner:
                yield from _unpacked(inner, depth - 1)
            at = data.find(head, at + 1)


def _gunzip(data: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(data)
    except (zlib.error, gzip.BadGzipFile):
        return b""


def _unzstd(data: bytes) -> bytes:
    try:
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    except zstandard.ZstdError:
        return b""

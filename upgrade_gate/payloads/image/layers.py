"""Unpack gzip, zstd or plain streams within caps, and take the release-manifests of one image layer."""

from __future__ import annotations

import hashlib
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO

from msgspec import Struct

from upgrade_gate.base.errors import SourceError
from upgrade_gate.payloads.image.tar import BLOCK, Tar
from upgrade_gate.payloads.reference import RELEASE_MANIFESTS, is_payload_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from upgrade_gate.reading.limits import Limits

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_PIECE = 2**16
_ZSTD_PIECE = 2**10
"""zstd's decompressor has no output cap; four bytes can hold a block of 128 KiB, so this is 32 MiB at most."""
_ZSTD_WINDOW = 2**27


def packing(head: bytes) -> str:
    """Return how a file is packed that begins with these bytes: `gzip`, `zstd` or, when nothing shows it, `plain`."""
    if head.startswith(_GZIP):
        return "gzip"
    return "zstd" if head.startswith(_ZSTD) or _is_skippable(head) else "plain"


def _is_skippable(head: bytes) -> bool:
    """Return whether a zstd frame without content begins here, as pzstd writes (RFC 8878, 3.1.2)."""
    return len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50


class Unpacked:
    """A packed file as a stream of its content; raises SourceError, naming it, beyond the caps or where damaged."""

    def __init__(self, raw: BinaryIO, where: str, limits: Limits, *, hashed: bool = False) -> None:
        self._raw = raw
        self._where = where
        self._limits = limits
        self._taken = 0
        self._given = 0
        self._held = b""
        self._hash = hashlib.sha256() if hashed else None
        head = raw.read(BLOCK)
        raw.seek(-len(head), 1)
        self.packing = packing(head)
        match self.packing:
            case "gzip":
                self._pieces = self._gzip()
            case "zstd":
                self._pieces = self._zstd()
            case _:
                self._pieces = self._plain()

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, fewer only at the end."""
        held = self._held
        if len(held) < size:
            parts = [held]
            missing = size - len(held)
            for piece in self._pieces:
                parts.append(piece)
                missing -= len(piece)
                if missing <= 0:
                    break
            held = b"".join(parts)
        self._held = held[size:]
        return held[:size]

    def skip(self, size: int, /) -> int:
        """Pass over `size` bytes; return how many there were."""
        left = size
        while left:
            if not self._held:
                self._held = next(self._pieces, b"")
                if not self._held:
                    break
            step = min(left, len(self._held))
            self._held = self._held[step:]
            left -= step
        return size - left

    def finish(self) -> str:
        """Read to the end, which checks what a packer wrote there; return the content's digest where it was asked."""
        self._held = b""
        for _ in self._pieces:
            pass
        return f"sha256:{self._hash.hexdigest()}" if self._hash else ""

    def _count(self, piece: bytes) -> bytes:
        """Note a piece of content, before anyone sees it."""
        self._given += len(piece)
        if self._given > self._limits.unpacked:
            raise SourceError(f"{self._where} unpacks to more than {self._limits.unpacked} bytes")
        if self._hash is not None:
            self._hash.update(piece)
        return piece

    def _take(self, size: int) -> bytes:
        data = self._raw.read(size)
        self._taken += len(data)
        if self._taken > self._limits.compressed:
            raise SourceError(f"{self._where} is larger than the {self._limits.compressed} packed bytes that are read")
        return data

    def _plain(self) -> Iterator[bytes]:
        while piece := self._raw.read(_PIECE):
            yield self._count(piece)

    def _gzip(self) -> Iterator[bytes]:
        """Unpack one gzip member after another."""
        data = b""
        while data := self._beyond_zeros(data):
            if not data.startswith(_GZIP) and len(data) >= len(_GZIP):
                raise SourceError(f"{self._where} has other data behind its gzip data")
            member = zlib.decompressobj(wbits=31)
            while not member.eof:
                data = data or self._take(_PIECE)
                try:
                    piece = member.decompress(data, _PIECE)
                except zlib.error as exc:
                    raise SourceError(f"{self._where} is damaged gzip data: {exc}", hint="fetch it again") from exc
                if not (data or piece or member.eof):
                    raise SourceError(f"{self._where} is cut off gzip data", hint="fetch it again")
                data = member.unused_data if member.eof else member.unconsumed_tail
                if piece:
                    yield self._count(piece)

    def _zstd(self) -> Iterator[bytes]:
        """Unpack one zstd frame after another."""
        import zstandard

        packer = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        data = b""
        while data := self._beyond_zeros(data):
            while len(data) < 8 and (more := self._take(_ZSTD_PIECE)):
                data += more
            if _is_skippable(data):
                data = self._beyond_skippable(data)
                continue
            if not data.startswith(_ZSTD):
                raise SourceError(f"{self._where} has other data behind its zstd data")
            frame: Any = packer.decompressobj()
            while not frame.eof:
                data = data or self._take(_ZSTD_PIECE)
                if not data:
                    raise SourceError(f"{self._where} is cut off zstd data", hint="fetch it again")
                try:
                    piece = frame.decompress(data[:_ZSTD_PIECE])
                except zstandard.ZstdError as exc:
                    raise SourceError(f"{self._where} is damaged zstd data: {exc}", hint="fetch it again") from exc
                data = (frame.unused_data if frame.eof else b"") + data[_ZSTD_PIECE:]
                if piece:
                    yield self._count(piece)

    def _beyond_zeros(self, data: bytes) -> bytes:
        """Return the next packed bytes; zeros that pad a file are no data."""
        while not (data := data.lstrip(b"\0")):
            data = self._take(_PIECE)
            if not data:
                return b""
        return data

    def _beyond_skippable(self, data: bytes) -> bytes:
        size = 8 + int.from_bytes(data[4:8], "little")
        while len(data) < size:
            size -= len(data)
            data = self._take(_PIECE)
            if not data:
                raise SourceError(f"{self._where} is cut off zstd data", hint="fetch it again")
        return data[size:]


class Layer(Struct, frozen=True):
    """What one layer says about release-manifests."""

    files: Mapping[str, bytes]
    """Name relative to release-manifests to content."""
    removed: frozenset[str] = frozenset()
    """Files, or folders, of lower layers that this one deletes."""
    opaque: bool = False
    """Whether it hides all of the lower layers' release-manifests."""
    content_digest: str = ""
    """Digest of the unpacked layer, what an image's config calls diff_id; only where it was asked for."""


def read_layer(raw: BinaryIO, where: str, limits: Limits, *, hashed: bool = False) -> Layer:
    """Return the payload files of a layer.

    Raises SourceError, naming `where` and the entry, for links and devices among them, for names that leave the
    layer, for one file twice with differing content, and for damage anywhere up to the layer's last byte.
    """
    stream = Unpacked(raw, where, limits, hashed=hashed)
    tar = Tar(stream, where, limits.entries)
    files: dict[str, bytes] = {}
    removed: set[str] = set()
    opaque = False
    for member in tar:
        folder, _, name = member.name.partition("/")
        if member.name == _WHITEOUT + RELEASE_MANIFESTS or member.name == _OPAQUE:
            opaque = True
        if folder != RELEASE_MANIFESTS:
            continue
        base = name.rpartition("/")[2]
        if base == _OPAQUE and name == base:
            opaque = True
        elif base.startswith(_WHITEOUT):
            removed.add(name.removesuffix(base) + base.removeprefix(_WHITEOUT))
        elif member.kind not in ("file", "folder"):
            raise SourceError(f"{where}: {member.name} is not a regular file", hint="no release image has links there")
        elif member.kind == "file" and not name:
            raise SourceError(f"{where}: {RELEASE_MANIFESTS} is not a folder")
        elif member.kind == "file" and is_payload_file(name):
            if member.size > limits.file:
                raise SourceError(
                    f"{where}: {member.name}: {member.size} bytes, more than the {limits.file} read of one file"
                )
            _add(files, name, tar.data(member), where)
    return Layer(files, frozenset(removed), opaque, stream.finish())


def _add(files: dict[str, bytes], name: str, content: bytes, where: str) -> None:
    if not name.isprintable():
        raise SourceError(f"{where}: the name {name!r} is not printable text")
    if files.setdefault(name, content) != content:
        raise SourceError(f"{where}: {RELEASE_MANIFESTS}/{name} appears twice with differing content")

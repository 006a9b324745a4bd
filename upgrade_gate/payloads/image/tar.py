"""The entries of a tar stream, read strictly: a damaged header is an error, never the quiet end of the archive.

Python's tarfile takes a header that it cannot read for the end, and reads extended headers of any size; both would
let a damaged or hostile archive hide files. Known here: v7, ustar, GNU long names and pax.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from upgrade_gate.base.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 512
_ZEROS = bytes(BLOCK)
_MAX_EXTENSION = 2**20
"""Bytes of one extended header."""
_DATALESS = b"123456"
"""Links, devices, folders and pipes: no data follows, whatever the size field says."""
_REGULAR = b"0\x007"
_FOLDER = b"5"
_LINK = b"12"


class Stream(Protocol):
    """A stream that only goes forward."""

    def read(self, size: int, /) -> bytes:
        """Return `size` bytes, fewer only where the stream ends."""
        ...

    def skip(self, size: int, /) -> int:
        """Pass over `size` bytes; return how many there were."""
        ...


class Member(Struct, frozen=True):
    """One entry of an archive."""

    name: str
    """A plain relative path: no leading `./`, no `..`, no trailing `/`."""
    kind: str
    """`file`, `folder`, `link`, or `other` (devices, pipes, sparse files and what nobody knows)."""
    size: int
    """Bytes of data."""
    offset: int
    """Where the data begins in the stream."""


class Tar:
    """An archive that is read from front to back; raises SourceError, naming archive and entry, for any damage."""

    def __init__(self, stream: Stream, where: str, limit: int) -> None:
        self._stream = stream
        self._where = where
        self._limit = limit
        self._position = 0
        self._end_of_data = 0
        """Where the next header stands."""

    def __iter__(self) -> Iterator[Member]:
        """Yield the entries; `data` is for the one that came last."""
        count = 0
        while (member := self._next()) is not None:
            count += 1
            if count > self._limit:
                raise SourceError(f"{self._where} has more than the {self._limit} entries that are read of an archive")
            yield member

    @property
    def position(self) -> int:
        """How many bytes of the stream were read or passed over."""
        return self._position

    def data(self, member: Member) -> bytes:
        """Return the data of the entry that was yielded last."""
        data = self._stream.read(member.size)
        self._position += len(data)
        if len(data) != member.size:
            raise SourceError(f"{self._where} is cut off inside {member.name}")
        return data

    def _next(self) -> Member | None:
        extended: dict[str, str] = {}
        while True:
            header = self._header()
            if header is None:
                if extended:
                    raise self._damaged("it ends after an extended header")
                return None
            kind = header[156:157]
            if kind in (b"x", b"g", b"L", b"K"):
                self._extend(extended, kind, self._extension(header))
                continue
            return self._member(header, kind, extended)

    def _header(self) -> bytes | None:
        """Return the next header, None at the end mark."""
        gap = self._end_of_data - self._position
        if gap and self._stream.skip(gap) != gap:
            raise SourceError(f"{self._where} is cut off")
        header = self._stream.read(BLOCK)
        self._position = self._end_of_data = self._end_of_data + BLOCK
        if len(header) != BLOCK:
            raise SourceError(f"{self._where} is cut off: it has no end mark")
        if header == _ZEROS:
            return None
        if not _checksum_holds(header):
            raise self._damaged("the checksum of a header is wrong")
        return header

    def _member(self, header: bytes, kind: bytes, extended: dict[str, str]) -> Member:
        name = extended.get("path") or self._name(header)
        size = self._size(header, extended)
        if kind in _REGULAR:
            shown = "folder" if name.endswith("/") and kind != b"7" else "file"
            if any(key.startswith("GNU.sparse.") for key in extended):
                shown = "other"
        else:
            shown = "folder" if kind == _FOLDER else "link" if kind in _LINK else "other"
        if kind == b"S":
            raise self._damaged(f"{name} is a sparse file")
        if kind in _DATALESS:
            size = 0
        offset = self._position
        self._end_of_data = offset + -(-size // BLOCK) * BLOCK
        return Member(self._plain(name), shown, size, offset)

    def _name(self, header: bytes) -> str:
        name = header[:100].split(b"\0", 1)[0]
        if header[257:263] == b"ustar\0" and (prefix := header[345:500].split(b"\0", 1)[0]):
            name = prefix + b"/" + name
        return name.decode("utf-8", "surrogateescape")

    def _plain(self, name: str) -> str:
        """Return a name as a plain relative path."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts:
            raise SourceError(f"{self._where}: the entry {name!r} points outside the archive")
        return "/".join(parts)

    def _size(self, header: bytes, extended: dict[str, str]) -> int:
        if "size" in extended:
            text = extended["size"]
            if not text.isascii() or not text.isdigit() or len(text) > 19:
                raise self._damaged(f"the size {text!r} is not a number")
            return int(text)
        field = header[124:136]
        if field[0] & 0x80:  # GNU: base 256 for what eleven octal digits cannot hold
            if field[0] != 0x80:
                raise self._damaged("the size of an entry is negative")
            return int.from_bytes(field[1:])
        try:
            return _octal(field)
        except ValueError:
            raise self._damaged(f"the size {field!r} is not a number") from None

    def _extension(self, header: bytes) -> bytes:
        """Return the data of an extended header."""
        size = self._size(header, {})
        if size > _MAX_EXTENSION:
            raise self._damaged(f"an extended header of {size} bytes")
        data = self._stream.read(size)
        self._position += len(data)
        self._end_of_data += -(-size // BLOCK) * BLOCK
        if len(data) != size:
            raise SourceError(f"{self._where} is cut off inside an extended header")
        return data

    def _extend(self, extended: dict[str, str], kind: bytes, data: bytes) -> None:
        """Note what an extended header says about the next entry."""
        if kind == b"L":
            extended["path"] = data.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")
        elif kind in (b"x", b"g"):
            found = self._records(data)
            if kind == b"x":
                extended.update(found)
            elif found.keys() & {"path", "size"}:
                raise self._damaged("a global header sets one name or size for all entries")

    def _records(self, data: bytes) -> dict[str, str]:
        """Return the records of a pax header: `LENGTH KEY=VALUE` and a line feed each."""
        found: dict[str, str] = {}
        while data.strip(b"\0"):
            length, space, _ = data[:20].partition(b" ")
            if not space or not length.isdigit():
                raise self._damaged("a pax record without its length")
            record = data[len(length) + 1 : int(length)]
            key, equals, value = record.partition(b"=")
            if int(length) > len(data) or not equals or not value.endswith(b"\n"):
                raise self._damaged("a pax record that does not end")
            found[key.decode("utf-8", "replace")] = value[:-1].decode("utf-8", "surrogateescape")
            data = data[int(length) :]
        if "\0" in found.get("path", ""):
            raise self._damaged("a name with a NUL character")
        return found

    def _damaged(self, what: str) -> SourceError:
        return SourceError(f"{self._where} is a damaged tar archive: {what}", hint="fetch it again")


def looks_like_tar(head: bytes) -> bool:
    """Return whether a file that begins so is a tar archive (an empty one too)."""
    block = head[:BLOCK]
    return len(block) == BLOCK and (block == _ZEROS or _checksum_holds(block))


def _checksum_holds(header: bytes) -> bool:
    """Return whether a header's sum is right, counting bytes without or, as old archivers did, with their sign."""
    try:
        wanted = _octal(header[148:156])
    except ValueError:
        return False
    counted = header[:148] + b" " * 8 + header[156:]
    total = sum(counted)
    return wanted in (total, total - 256 * sum(byte > 127 for byte in counted))


def _octal(field: bytes) -> int:
    """Return an octal field's number; raises ValueError for other characters."""
    text = field.strip(b" \0")
    if text.strip(b"01234567"):
        raise ValueError(text)
    return int(text, 8) if text else 0

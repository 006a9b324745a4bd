"""Blobs that lie in a folder or in a tar archive, and the OCI image layout over either."""

from __future__ import annotations

import hashlib
import io
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from msgspec import Struct

from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.payloads.image.digests import digest_of
from upgrade_gate.payloads.image.folder import open_inside
from upgrade_gate.payloads.image.release import ManifestBlob, descriptor, is_attestation, parse_json
from upgrade_gate.payloads.image.tar import Tar
from upgrade_gate.payloads.reference import is_called

if TYPE_CHECKING:
    from upgrade_gate.payloads.image.release import Descriptor
    from upgrade_gate.payloads.image.tar import Member
    from upgrade_gate.reading.limits import Limits

_PIECE = 2**20
_REF_NAME = "org.opencontainers.image.ref.name"
_CONTAINERD_NAME = "io.containerd.image.name"


class ImageFiles(Protocol):
    """Files by relative name."""

    @property
    def shown(self) -> str:
        """What the user called the folder or archive."""
        ...

    def open(self, name: str) -> tuple[BinaryIO, int]:
        """Return a file at its start, and its size; raises SourceError, naming it, where it is absent or a link."""
        ...


class ImageFolder(Struct, frozen=True):
    """The files of a folder; links are followed only where they stay inside, and only where the layout has them."""

    folder: Path
    shown: str
    links: bool = False

    def open(self, name: str) -> tuple[BinaryIO, int]:
        """Return a file of the folder."""
        base = os.path.realpath(self.folder)
        plain = os.path.join(base, name)  # noqa: PTH118 - realpath gives text, and names are joined unnormalised
        real = os.path.realpath(plain)
        if real != plain and not (self.links and real.startswith(f"{base}{os.sep}")):
            why = "is a link that leaves the folder" if self.links else "is a link; links are not followed"
            raise SourceError(f"{self.shown}/{name} {why}", hint="copy the file itself")
        handle, size = open_inside(real, f"{self.shown}/{name}")
        return os.fdopen(handle, "rb"), size


class ImageArchive:
    """The files of a plain tar archive, found by one pass over its headers."""

    def __init__(self, archive: BinaryIO, shown: str, limits: Limits) -> None:
        self.shown = shown
        self.members: dict[str, Member] = {}
        """By name; of entries with one name the last, as when unpacked."""
        self._archive = archive
        tar = Tar(_Seeking(archive), shown, limits.entries)
        for member in tar:
            self.members[member.name] = member
        self._end = tar.position

    def goes_on(self) -> bool:
        """Return whether anything but zeros follows the end mark: what lies there is lost to every reader."""
        self._archive.seek(self._end)
        return any(piece.strip(b"\0") for piece in iter(lambda: self._archive.read(_PIECE), b""))

    def open(self, name: str) -> tuple[BinaryIO, int]:
        """Return a file of the archive."""
        member = self.members.get(name)
        if member is None:
            raise SourceError(f"{self.shown} has no {name}", hint="the archive is incomplete; write it again")
        if member.kind != "file":
            raise SourceError(f"{self.shown}: {name} is not a regular file; links are not followed")
        return io.BufferedReader(_Slice(self._archive, member.offset, member.size), _PIECE), member.size


class _Seeking:
    """A file as the forward stream that a tar is read from."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        file.seek(0)

    def read(self, size: int, /) -> bytes:
        return self._file.read(size)

    def skip(self, size: int, /) -> int:
        step = min(size, self._size - self._file.tell())
        self._file.seek(step, os.SEEK_CUR)
        return step


class _Slice(io.RawIOBase):
    """A part of a file as a file of its own."""

    def __init__(self, file: BinaryIO, offset: int, size: int) -> None:
        super().__init__()
        self._file = file
        self._offset = offset
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = (0, self._at, self._size)[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: max(0, self._size - self._at)]
        self._file.seek(self._offset + self._at)
        data = self._file.read(len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)


def content(files: ImageFiles, name: str, limits: Limits) -> bytes:
    """Return a small file whole."""
    stream, size = files.open(name)
    with stream:
        if size > limits.file:
            raise SourceError(f"{files.shown}/{name}: {size} bytes, more than the {limits.file} that are read of it")
        return _read(stream, size, f"{files.shown}/{name}")


def checked(files: ImageFiles, name: str, wanted: Descriptor) -> BinaryIO:
    """Return a blob at its start, once its size and the digest of all of it are what the manifest says."""
    where = f"{files.shown}: blob {wanted.digest}"
    try:
        stream, size = files.open(name)
    except SourceError as exc:
        raise SourceError(f"{where} cannot be opened: {exc.message}", hint=exc.hint or "copy the image again") from exc
    with ExitStack() as stack:
        stack.enter_context(stream)
        if size != wanted.size:
            raise SourceError(f"{where} is {size} bytes, the manifest says {wanted.size}", hint="copy the image again")
        algorithm = wanted.digest.partition(":")[0]
        whole = hashlib.new(algorithm)
        while piece := _read(stream, _PIECE, where):
            whole.update(piece)
        if (actual := f"{algorithm}:{whole.hexdigest()}") != wanted.digest:
            raise SourceError(f"{where} has the digest {actual}: it is damaged", hint="copy the image again")
        stream.seek(0)
        stack.pop_all()
    return stream


def _read(stream: BinaryIO, size: int, where: str) -> bytes:
    try:
        return stream.read(size)
    except OSError as exc:
        raise SourceError(f"{where}: {exc.strerror}") from exc


class OciStore:
    """An OCI image layout (image-spec, image-layout.md)."""

    def __init__(self, files: ImageFiles, limits: Limits) -> None:
        self._files = files
        self._limits = limits

    def resolve(self, tag: str) -> str:
        """Return the digest that a tag, or no tag, names; raises UsageError, listing the tags, where none is clear."""
        where = f"{self._files.shown}/index.json"
        entries = parse_json(content(self._files, "index.json", self._limits), where, self._limits).get("manifests")
        if not isinstance(entries, list):
            raise SourceError(f"{where} has no list of manifests")
        images = [(descriptor(entry, where).digest, _names(entry)) for entry in entries if not is_attestation(entry)]
        found = sorted({digest for digest, names in images if not tag or tag == digest or tag in names})
        if not found:
            found = sorted({digest for digest, names in images if any(is_called(name, tag) for name in names)})
        if len(found) == 1:
            return found[0]
        if not images:
            raise SourceError(f"{self._files.shown} has no image")
        tags = sorted({name for _, names in images for name in names})
        hint = f"append :TAG, one of {', '.join(tags)}" if tags else f"append @DIGEST, one of {', '.join(found)}"
        what = (f"{len(found)} images called {tag}" if found else f"no {tag}") if tag else f"{len(found)} images"
        raise UsageError(f"{self._files.shown} has {what}", hint=hint)

    def manifest(self, reference: str) -> ManifestBlob:
        """Return the manifest of a digest."""
        data = content(self._files, _blob_name(reference), self._limits)
        return ManifestBlob(data, "", digest_of(data, reference))

    def open_blob(self, wanted: Descriptor) -> BinaryIO:
        """Return a blob whose digest was checked."""
        return checked(self._files, _blob_name(wanted.digest), wanted)


def _names(entry: dict[str, Any]) -> set[str]:
    """Return what an entry of an index may be called: the tag, and the whole name that containerd and podman keep."""
    notes = entry.get("annotations")
    if not isinstance(notes, dict):
        return set()
    given = (notes.get(_REF_NAME), notes.get(_CONTAINERD_NAME))
    names = {name for name in given if isinstance(name, str) and name}
    return names | {name.rpartition(":")[2] for name in names if ":" in name.rpartition("/")[2]}


def _blob_name(digest: str) -> str:
    algorithm, _, encoded = digest.partition(":")
    return f"blobs/{algorithm}/{encoded}"

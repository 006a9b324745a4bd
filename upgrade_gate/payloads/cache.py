"""The cache on disk: blobs and manifests by digest, and payloads that were already read (docs/contract.md#cache).

Every entry is checked when it is read, since a disk fills up and a copy breaks off; a damaged one is removed with a
warning and fetched again. Entries are written beside their place and renamed, so that runs at the same time see
whole entries or none. A cache that cannot be written is no reason to fail: the run goes on without it.

    blobs/ab/<hex>             the blob itself
    manifests/ab/<hex>         one line with the media type and a hash of it, then the manifest
    index/<version>/ab/<hex>   32 bytes SHA-256 of key and payload, then the payload as MessagePack

A blob and a manifest prove themselves by their digest. A payload that was read does not: what another user may have
written there is not used, wherever a link leads.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct

from upgrade_gate import __version__
from upgrade_gate.payloads.image.digests import SHA256
from upgrade_gate.payloads.image.release import ManifestBlob
from upgrade_gate.reading import decoding
from upgrade_gate.reading.files import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.payloads.reference import Settings

_logger = logging.getLogger(__name__)

INDEX_SCHEMA = 3
"""Raised when the meaning of a stored payload changes while its fields stay the same."""
KINDS = ("blobs", "manifests", "index")
CHUNK = 2**20
ABANDONED_SECONDS = 3600.0
TEMPORARY = ".writing-"


def default_folder() -> Path:
    """Return the platform's cache folder for this tool."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("upgrade-gate", appauthor=False))


class Cache:
    """Blobs and manifests by digest, below one folder; with no folder it holds nothing and says so to nobody."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder if folder is not None and _trusted(folder) else None

    def open_blob(self, digest: str) -> BinaryIO | None:
        """Return the blob as a file at its start, checked whole; None where it is absent or was damaged."""
        path = self._path("blobs", digest)
        if path is None:
            return None
        try:
            file = _open(path)
        except FileNotFoundError:
            return None
        except OSError as exc:
            _unreadable(path, exc)
            return None
        hasher = hashlib.sha256()
        try:
            while chunk := file.read(CHUNK):
                hasher.update(chunk)
        except OSError as exc:
            file.close()
            _unreadable(path, exc)
            return None
        if f"sha256:{hasher.hexdigest()}" != digest:
            file.close()
            _drop(path)
            return None
        file.seek(0)
        _touch(path)
        return file

    def store_blob(self, digest: str, content: BinaryIO) -> None:
        """Keep a blob whose digest was checked; `content` is read from its start and left at its start."""
        path = self._path("blobs", digest)
        if path is None:
            return
        content.seek(0)
        try:
            self._write(path, iter(lambda: content.read(CHUNK), b""))
        finally:
            content.seek(0)

    def manifest(self, digest: str) -> ManifestBlob | None:
        """Return the manifest of a digest, None where it is absent or was damaged."""
        path = self._path("manifests", digest)
        content = _read(path) if path is not None else None
        if path is None or content is None:
            return None
        first, _, data = content.partition(b"\n")
        media_type = first.partition(b" ")[0].decode("ascii", "replace")
        if first != _first_line(media_type) or f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
            _drop(path)
            return None
        _touch(path)
        return ManifestBlob(data, media_type, digest)

    def store_manifest(self, manifest: ManifestBlob) -> None:
        """Keep a manifest whose digest was checked."""
        path = self._path("manifests", manifest.digest)
        if path is not None:
            self._write(path, iter((_first_line(manifest.media_type) + b"\n", manifest.data)))

    def index(self, key: str) -> bytes | None:
        """Return what `store_index` kept under a key, None where it is absent or was damaged."""
        path = self._index_path(key)
        content = _read(path) if path is not None else None
        if path is None or content is None:
            return None
        if _seal(key, content[32:]) != content[:32]:
            _drop(path)
            return None
        _touch(path)
        return content[32:]

    def store_index(self, key: str, content: bytes) -> None:
        """Keep bytes under a key, with a hash of both before them."""
        path = self._index_path(key)
        if path is not None:
            self._write(path, iter((_seal(key, content), content)))

    def drop_index(self, key: str) -> None:
        """Remove an entry that is whole but cannot be used, with a warning."""
        path = self._index_path(key)
        if path is not None:
            _drop(path)

    def _path(self, kind: str, digest: str) -> Path | None:
        match = SHA256.fullmatch(digest)
        if self._folder is None or match is None:
            return None
        return self._folder / kind / match[1][:2] / match[1]

    def _index_path(self, key: str) -> Path | None:
        if self._folder is None:
            return None
        name = hashlib.sha256(key.encode()).hexdigest()
        return self._folder / "index" / _index_version() / name[:2] / name

    def _write(self, path: Path, chunks: Iterator[bytes]) -> None:
        """Write beside the place and rename; a full disk ends the use of the cache, not the run."""
        temporary = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            import tempfile

            descriptor, temporary = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
            Path(temporary).replace(path)
        except BaseException as exc:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
            if not isinstance(exc, OSError):  # a signal that ends the run, above all
                raise
            if self._folder is not None:
                _logger.warning(
                    "the cache in %s cannot be written (%s): going on without it; --cache-dir or --no-cache end this",
                    self._folder,
                    exc.strerror or exc,
                )
            self._folder = None


def load_index(key: str, settings: Settings) -> Payload | None:
    """Return the payload that was stored under `key` by this version of the tool, None where there is none.

    The key is the release digest, or a hash of the content where the form of the release has no digest.
    """
    cache = Cache(settings.cache_dir)
    content = cache.index(key)
    if content is None:
        return None
    import msgspec

    from upgrade_gate.payloads.payload import Payload

    try:
        return decoding.from_msgpack(content, Payload)
    except msgspec.MsgspecError as exc:
        _logger.debug("index entry of %s does not decode: %s", key, exc)
        cache.drop_index(key)
        return None


def store_index(key: str, payload: Payload, settings: Settings) -> None:
    """Keep a payload that was read whole, so that the next run needs neither network nor YAML."""
    if settings.cache_dir is None:
        return
    import msgspec

    try:
        content = msgspec.msgpack.encode(payload)
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as exc:
        _logger.debug("payload %s is not kept: %s", key, exc)
        return
    Cache(settings.cache_dir).store_index(key, content)


class Pruned(Struct, frozen=True):
    """What `prune` removed."""

    files: int
    size: int
    """Bytes."""


def prune(folder: Path, older_than_days: float) -> Pruned:
    """Remove entries that were not used for so many days, and what a run that was cut off left behind.

    Only files that this module wrote are touched, whatever else lies in the folder; links are never followed.
    """
    now = time.time()
    files = size = 0
    for kind in KINDS:
        for root, folders, names in os.walk(folder / kind, topdown=False, followlinks=False):
            for name in names:
                path = Path(root) / name
                try:
                    status = path.lstat()
                    ours = name.startswith(TEMPORARY) or re.fullmatch(r"[0-9a-f]{64}", name)
                    age = now - status.st_mtime
                    limit = ABANDONED_SECONDS if name.startswith(TEMPORARY) else older_than_days * 86400
                    if not ours or age < limit:
                        continue
                    path.unlink()
                except FileNotFoundError:
                    continue
                files += 1
                size += status.st_size
            for each in folders:
                with contextlib.suppress(OSError):
                    (Path(root) / each).rmdir()
    return Pruned(files, size)


def _index_version() -> str:
    """Name what an index entry depends on besides its key: the tool, the schema and the fields of a payload."""
    from upgrade_gate.payloads.payload import Location, Manifest, Payload, Unreadable

    names = [f"{c.__name__}.{f}" for c in (Payload, Manifest, Location, Unreadable) for f in c.__struct_fields__]
    shape = hashlib.sha256(",".join(names).encode()).hexdigest()[:8]
    return f"{__version__}-{INDEX_SCHEMA}-{shape}"


def _first_line(media_type: str) -> bytes:
    name = media_type.encode("ascii", "replace").translate(None, b" \r\n")
    return name + b" " + hashlib.sha256(name).hexdigest()[:16].encode()


def _seal(key: str, content: bytes) -> bytes:
    """Return a hash of what was read and of what it is: an entry under another's name is a damaged one."""
    return hashlib.sha256(key.encode() + b"\0" + content).digest()


def _trusted(folder: Path) -> bool:
    """Refuse a folder that others own or may write: a planted index would be a verdict of somebody else."""
    try:
        status = folder.stat()
    except OSError:
        return True  # absent: it will be made for this user only
    if status.st_uid not in _owners():
        _logger.warning("the cache in %s belongs to another user: it is not used; --cache-dir names another", folder)
        return False
    if status.st_mode & 0o002:
        _logger.warning("the cache in %s may be written by everyone: it is not used; chmod o-w ends this", folder)
        return False
    return True


def _owners() -> tuple[int, int]:
    """Return whose files are believed: this user's, and root's, who may write anything anyway."""
    return (os.geteuid(), 0)


def _open(path: Path) -> BinaryIO:
    """Open an entry; raises OSError where it is no file, or another user's."""
    file = open_file(path)
    if os.fstat(file.fileno()).st_uid in _owners():
        return file
    file.close()
    raise PermissionError(errno.EPERM, "it belongs to another user", str(path))


def _read(path: Path) -> bytes | None:
    try:
        with _open(path) as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        _unreadable(path, exc)
        return None


def _unreadable(path: Path, exc: OSError) -> None:
    _logger.warning("cache entry %s cannot be read (%s): fetching again", path, exc.strerror or exc)


def _drop(path: Path) -> None:
    _logger.warning("cache entry %s is damaged: removed, fetching again", path)
    with contextlib.suppress(OSError):
        path.unlink()


def _touch(path: Path) -> None:
    """Mark an entry as used now, for `prune`."""
    with contextlib.suppress(OSError):
        os.utime(path)

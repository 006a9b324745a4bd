"""The files of a dump: a folder or an archive, read by known path, within limits, and never through a link."""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from upgrade_gate.base.errors import ClusterError
from upgrade_gate.cluster.facts_table import KINDS, NAMESPACED_KINDS
from upgrade_gate.reading import yaml
from upgrade_gate.reading.encoding import as_utf8
from upgrade_gate.reading.files import open_file, read_file
from upgrade_gate.reading.limits import Limits

if TYPE_CHECKING:
    import tarfile
    import zipfile
    from collections.abc import Iterable

SUFFIXES = (".yaml", ".yml", ".json", "", ".yaml.gz", ".yml.gz", ".json.gz")
"""How the file of an object may end; none at all in old insights archives."""
ENDINGS = tuple(filter(None, SUFFIXES))
_LIMITS = Limits()
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
"""How a zip begins, with a member or empty; its end, which `zipfile` goes by, may be that of a tar's last member."""
_NAMESPACED = [query for query in KINDS if query.kind in NAMESPACED_KINDS]
_GROUPS = frozenset(query.group or "core" for query in _NAMESPACED)
_PLURALS = frozenset(query.plural for query in _NAMESPACED)
_SCOPED_GROUPS = frozenset(query.group or "core" for query in KINDS if query.kind not in NAMESPACED_KINDS)
_MOST_MEMBERS = 2_000_000
_MOST_KEPT = 20_000


class Unusable(Exception):  # noqa: N818 - a state of a file, caught where it becomes an Unknown
    """A file that is there and cannot be used; the text names it and says why."""


class Files(Protocol):
    """Where the files of a dump lie."""

    def read(self, path: str) -> bytes | None:
        """Return a file's content, None where there is no such file; raises Unusable."""
        ...

    def names(self, folder: str) -> tuple[tuple[str, bool], ...]:
        """Return the sorted entries of a folder, each with whether it is a folder; none where there is no folder.

        A link counts as a file, whatever it leads to: `read` refuses it by name.
        """
        ...


@dataclass(frozen=True, slots=True)
class FolderFiles:
    """A folder on disk."""

    root: Path

    def read(self, path: str) -> bytes | None:
        """Return a file's content; no component below the root may be a link."""
        where = self.root
        try:
            for part in Path(path).parts:
                where = where / part
                mode = where.lstat().st_mode
                if stat.S_ISLNK(mode):
                    raise Unusable(f"{path} is a symbolic link, or lies behind one")
            if not stat.S_ISREG(mode):
                return None
            if where.stat().st_size > _LIMITS.file:
                raise Unusable(f"{path} is larger than {_LIMITS.file} bytes")
            return read_file(where)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Unusable(f"{path} cannot be read: {error.strerror or error}") from error

    def names(self, folder: str) -> tuple[tuple[str, bool], ...]:
        """Return the entries of a folder."""
        try:
            entries = sorted((self.root / folder).iterdir(), key=lambda p: p.name)
            found = [(entry.name, entry.lstat().st_mode) for entry in entries]
        except OSError:
            return ()
        return tuple((name, stat.S_ISDIR(mode)) for name, mode in found)


@dataclass(frozen=True, slots=True)
class ArchiveFiles:
    """The members of an archive that can matter, unpacked in memory."""

    members: dict[str, bytes | str]
    """Content, or the reason why it cannot be used."""
    folders: dict[str, dict[str, bool]] = field(default_factory=dict)

    def read(self, path: str) -> bytes | None:
        """Return a member's content."""
        found = self.members.get(path)
        if isinstance(found, str):
            raise Unusable(found)
        return found

    def names(self, folder: str) -> tuple[tuple[str, bool], ...]:
        """Return the entries of a folder."""
        return tuple(sorted(self.folders.get(folder.strip("/"), {}).items()))


def open_archive(path: Path) -> ArchiveFiles:
    """Read the members of an archive (tar, plain or compressed, or zip) that can belong to a dump's facts.

    Logs and the like, most of a must-gather, are passed over. Links, absolute names and `..` are refused. Raises
    ClusterError where the archive is damaged or too large.
    """
    import lzma
    import tarfile

    members: dict[str, bytes | str] = {}
    total = count = 0
    try:
        with open_file(path) as stream:
            if stream.read(4) in _ZIP:
                return _open_zip(path)
        with tarfile.open(path, mode="r:*") as archive:
            for member in archive:
                count += 1
                if count > _MOST_MEMBERS or len(members) > _MOST_KEPT:
                    raise ClusterError(f"{path}: more files than a dump of a cluster has", hint="unpack it by hand")
                name = _member_name(member.name)
                if name is None or not _matters(name):
                    continue
                content = _member(archive, member, name)
                total += len(content)
                if total > _LIMITS.unpacked:
                    raise ClusterError(f"{path}: unpacks to more than {_LIMITS.unpacked} bytes")
                members[name] = content
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise ClusterError(
            f"{path}: neither an archive of a dump nor a file of dumped objects (.yaml, .json), or it is damaged",
            hint="give the unpacked folder, or fetch it again",
        ) from error
    return ArchiveFiles(members, _folders(members))


def _open_zip(path: Path) -> ArchiveFiles:
    import lzma
    import zipfile

    members: dict[str, bytes | str] = {}
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > _MOST_MEMBERS:
                raise ClusterError(f"{path}: more files than a dump of a cluster has", hint="unpack it by hand")
            for entry in entries:
                name = _member_name(entry.filename)
                if name is None or entry.is_dir() or not _matters(name):
                    continue
                content = _entry(archive, entry, name)
                total += len(content)
                if total > _LIMITS.unpacked or len(members) > _MOST_KEPT:
                    raise ClusterError(f"{path}: unpacks to more than a dump of a cluster", hint="unpack it by hand")
                members[name] = content
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise ClusterError(
            f"{path}: not a readable zip archive: {error}", hint="give the unpacked folder, or fetch it again"
        ) from error
    return ArchiveFiles(members, _folders(members))


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes | str:
    kind = stat.S_IFMT(entry.external_attr >> 16)  # the mode of Unix, nothing where the archive was made elsewhere
    if kind not in (0, stat.S_IFREG):
        return f"{name} is a link" if kind == stat.S_IFLNK else f"{name} is not a plain file"
    try:
        with archive.open(entry) as stream:
            content = stream.read(_LIMITS.file + 1)
    except (RuntimeError, NotImplementedError) as error:  # encrypted, or packed in a way that Python does not know
        return f"{name} cannot be unpacked: {error}"
    return content if len(content) <= _LIMITS.file else f"{name} is larger than {_LIMITS.file} bytes"


def _member_name(name: str) -> str | None:
    """Return a member's name without leading `./`; None where it could lead outside."""
    parts = [part for part in name.split("/") if part not in {"", "."}]
    return None if name.startswith("/") or ".." in parts or not parts else "/".join(parts)


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo, name: str) -> bytes | str:
    if member.issym() or member.islnk():
        return f"{name} is a link"
    if member.size > _LIMITS.file:
        return f"{name} is larger than {_LIMITS.file} bytes"
    stream = archive.extractfile(member) if member.isfile() else None
    return stream.read() if stream else f"{name} is not a plain file"


def _matters(name: str) -> bool:
    """Return whether a member can hold a fact: objects by their known folders, never logs."""
    parts = name.split("/")
    if parts[-1] in {"timestamp", "id"} or "config" in parts[:4]:
        return True
    if not parts[-1].endswith(ENDINGS):
        return False
    if "cluster-scoped-resources" in parts:
        return not _SCOPED_GROUPS.isdisjoint(parts)
    if "namespaces" in parts:
        below = parts[parts.index("namespaces") + 2 :]
        return len(below) == 1 or (below[0] in _GROUPS and below[1].split(".")[0] in _PLURALS)
    return len(parts) <= 3


def _folders(names: Iterable[str]) -> dict[str, dict[str, bool]]:
    folders: dict[str, dict[str, bool]] = {}
    for name in names:
        parts = name.split("/")
        for depth, part in enumerate(parts):
            folders.setdefault("/".join(parts[:depth]), {})[part] = depth < len(parts) - 1
    return folders


def stem(name: str) -> str:
    """Return a file's name without the endings of `SUFFIXES`."""
    for suffix in sorted(ENDINGS, key=len, reverse=True):
        if name.endswith(suffix):
            return name[: -len(suffix)]
    return name


def load(content: bytes, path: str) -> list[Any]:
    """Return the documents of a file; raises Unusable where it is empty, cut off or no YAML or JSON.

    Dumps are not written atomically. What oc writes ends with a line end, so YAML that does not was cut off even
    where the rest still parses; the same holds for a last line that opens a block and leaves it empty.
    """
    if content[:2] == b"\x1f\x8b":
        content = _gunzip(content, path)
    try:
        content = as_utf8(content)
    except UnicodeDecodeError as error:
        raise Unusable(f"{path} is damaged UTF-16 text") from error
    text = content.rstrip()
    if not text:
        raise Unusable(f"{path} is empty")
    is_json = text[:1] in b"{["
    if not is_json and not content.endswith(b"\n"):
        raise Unusable(f"{path} is cut off: it does not end with a line end")
    if not is_json and text.endswith(b":"):
        raise Unusable(f"{path} is cut off: its last line opens a block that is not there")
    try:
        bodies = [document.body for document in yaml.parse(content, path, limits=_LIMITS)]
    except yaml.DocumentError as error:
        raise Unusable(f"{path} cannot be parsed: line {error.line}: {error.problem}") from error
    if not bodies:
        raise Unusable(f"{path} holds no document")
    return bodies


def _gunzip(content: bytes, path: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            plain = stream.read(_LIMITS.file + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise Unusable(f"{path} is a damaged gzip file: {error}") from error
    if len(plain) > _LIMITS.file:
        raise Unusable(f"{path} unpacks to more than {_LIMITS.file} bytes")
    return plain

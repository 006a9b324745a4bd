"""How a file that somebody named is opened: one that ends, never a pipe, a device or a socket that may not."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from upgrade_gate.base.errors import ReadError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECE = 2**16
_HANDED_OVER = re.compile(r"/dev/(stdin|null|fd/\d+)|/proc/self/fd/\d+", re.ASCII)


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading; raises OSError, whose `strerror` says so in words, where it is no file that ends.

    What the user hands over open is read as it is: `/dev/stdin`, `/dev/fd/63` of a shell's `<(command)`.
    """
    if _HANDED_OVER.fullmatch(str(path)):
        return path.open("rb")
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        if exc.errno == errno.ENXIO:
            raise _refusal(path, stat.S_IFSOCK) from exc
        raise
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise _refusal(path, mode)


def read_file(path: Path, most: int = -1) -> bytes:
    """Return what a file holds, `most` bytes of it at most; raises OSError as `open_file` does."""
    with open_file(path) as stream:
        return stream.read() if most < 0 else _read(stream, most)


def _read(stream: BinaryIO, most: int) -> bytes:
    """Read as much; `stream.read(most)` would take the memory of `most` at once, however little there is."""
    found = stream.read(min(os.fstat(stream.fileno()).st_size, most))
    while len(found) < most and (more := stream.read(min(max(len(found) // 8, _PIECE), most - len(found)))):
        found += more
    return found


def read_stdin(most: int) -> bytes:
    """Return what stands on stdin, `most` bytes of it at most; raises OSError where it is closed."""
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed", "stdin")
    return sys.stdin.buffer.read(most)


@contextmanager
def temporary_room(what: str, error: type[ReadError] = SourceError) -> Iterator[None]:
    """Make or fill a temporary file; raises an error that names the folder and the next step where that fails.

    `what` is to be kept there.
    """
    try:
        yield
    except OSError as exc:
        import tempfile

        place = tempfile.tempdir or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108 - what Python looks in
        raise error(
            f"the temporary folder {place} cannot take {what}: {exc.strerror or exc}",
            hint="make room there, or set TMPDIR to a folder with room",
        ) from exc


def kind_of(mode: int) -> str:
    """Return what something is that is no file, by its mode."""
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a pipe"
    return "a socket" if stat.S_ISSOCK(mode) else "a device"


def _refusal(path: Path, mode: int) -> OSError:
    if stat.S_ISDIR(mode):
        return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return OSError(errno.EINVAL, f"it is {kind_of(mode)}, no file", str(path))

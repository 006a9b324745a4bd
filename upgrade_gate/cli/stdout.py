"""How a document leaves the process: whole, as UTF-8, on stdout or as a file that appears at once."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from upgrade_gate.base.errors import OutputError, UsageError
from upgrade_gate.reading.files import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_OWN_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr|fd/\d+)|/proc/self/fd/\d+", re.ASCII)
_IN_PLACE = frozenset({"/dev/null", "/dev/full", "/dev/tty"})
"""Devices that a document may be sent to; no other one has any use for it."""


def write(document: bytes | str) -> None:
    """Write a document to stdout and flush it.

    Raises BrokenPipeError where the reader went away, OutputError where stdout is closed or its disk is full:
    a report that nobody got must never read as a pass.
    """
    if sys.stdout is None:
        raise OutputError("stdout is closed: the report has nowhere to go", hint="name a file with -o FORMAT=PATH")
    data = document.encode() if isinstance(document, str) else document
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        discard()
        hint = "the report was not written whole; write it to a file with -o FORMAT=PATH"
        raise OutputError(f"stdout: {exc.strerror or exc}", hint=hint) from exc


def flush() -> None:
    """Flush stdout, so that a full disk is seen before the exit code is chosen; raises as `write` does."""
    if sys.stdout is not None:
        write(b"")


def discard() -> None:
    """Send what is left in stdout's buffer nowhere, so that the interpreter's last flush cannot fail."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):
        return
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, descriptor)
    os.close(sink)


def wants_color(choice: str) -> bool:
    """Return whether stdout is coloured.

    An explicit choice wins over NO_COLOR, that over FORCE_COLOR and CLICOLOR_FORCE, and these over the terminal
    (no-color.org, force-color.org, bixense.com/clicolors).
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR") or sys.stdout is None:
        return False
    if any(os.environ.get(name, "") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return os.environ.get("TERM") != "dumb" and os.environ.get("CLICOLOR") != "0" and sys.stdout.isatty()


def check_file(path: Path) -> None:
    """Raise OutputError where a document cannot be written to a path; asked before the work, so that none is lost."""
    if refused := _refused(path):
        raise OutputError(f"{path}: {refused}", hint="nothing was read; name a file in a folder that is there")


def check_folder(path: Path) -> None:
    """Raise UsageError where a folder cannot be made, OutputError where it cannot be written to."""
    try:
        is_link = path.is_symlink()
    except OSError as exc:  # no folder can have that name
        raise UsageError(f"{path}: {exc.strerror or exc}", hint="nothing was read") from exc
    if is_link:
        raise UsageError(f"{path}: it is a link; name the folder itself", hint="nothing was read")
    place = path
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise UsageError(f"{path}: {place} is not a folder", hint="name a new one")
    if not os.access(place, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: no permission to write in {place}", hint="name another folder")


def write_reports(rendered: Sequence[tuple[Path | None, bytes]]) -> None:
    """Write reports, those without a path to standard output, last; raises OutputError where one cannot be written."""
    for path, content in rendered:
        if path is not None:
            write_file(path, content, mode=0o600)
    for path, content in rendered:
        if path is None:
            write(content)


def write_file(path: Path, document: bytes | str | Iterable[bytes], *, mode: int = 0o644) -> None:
    """Write a file, whole or in pieces, beside its target and rename it, so that nobody ever reads half of it.

    `mode` is 0o600 for what may hold identities. An existing file's mode is not kept. `/dev/null` and this process's
    own descriptors (`/dev/stderr`, `>(cmd)`) are written in place; a link or a pipe is not written at all.
    Raises OutputError, naming the path.
    """
    import tempfile

    whole = document.encode() if isinstance(document, str) else document
    pieces = (whole,) if isinstance(whole, bytes) else whole
    if refused := _refused(path):
        raise OutputError(f"{path}: {refused}", hint="nothing was written there; name another file")
    try:
        if _own_descriptor(path) or str(path) in _IN_PLACE:
            with path.open("ab", buffering=0) as stream:
                for piece in pieces:
                    stream.write(piece)
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = type(path)(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                for piece in pieces:
                    stream.write(piece)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(mode & ~_umask() if mode != 0o600 else mode)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise OutputError(
            f"{path}: {exc.strerror or exc}", hint="nothing was written there; make room, or write elsewhere"
        ) from exc


def _refused(path: Path) -> str | None:
    """Return why a document is not written to a path, None where nothing speaks against it.

    A link may lead anywhere, and a pipe that nobody reads would hold the run for ever.
    """
    if _own_descriptor(path):
        return None if path.exists() else "there is no such descriptor"
    if str(path) in _IN_PLACE:
        return None
    if "\0" in str(path):
        return "a NUL is in its name"
    try:
        return _refused_file(path)
    except OSError as exc:
        return exc.strerror or str(exc)


def _refused_file(path: Path) -> str | None:
    if path.is_symlink():
        return "it is a link; name the file itself"
    if path.is_dir():
        return "it is a folder"
    if not path.parent.is_dir():
        return f"the folder {path.parent} is not there"
    if path.exists() and not path.is_file():
        return f"it is {kind_of(path.stat().st_mode)}, no file"
    if path.exists() and path.stat().st_nlink > 1:
        return "it has other names (hard links), which would keep the old content"
    return None if os.access(path.parent, os.W_OK | os.X_OK) else f"no permission to write in {path.parent}"


def _own_descriptor(path: Path) -> bool:
    """Return whether a path names what this process has open: `/dev/stderr`, `/dev/fd/63`."""
    return _OWN_DESCRIPTOR.fullmatch(str(path)) is not None


def make_folder(path: Path) -> None:
    """Make a folder and those above it; raises OutputError, naming it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(
            f"{path}: {exc.strerror or exc}", hint="nothing was written there; make room, or write elsewhere"
        ) from exc


def write_folder(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write the files of a new or empty folder, or leave it as it was: a program that takes every file takes no half.

    A new folder appears at once. One that is there keeps its place (it may be a volume), and what was written into it
    is taken away again where the run ends before the last file. Raises OutputError, naming the path.
    """
    import shutil
    import tempfile

    if directory.exists():
        try:
            for name, content in files.items():
                write_file(directory / name, content)
        except BaseException:
            for name in files:
                (directory / name).unlink(missing_ok=True)
            raise
        return
    make_folder(directory.parent)
    try:
        beside = type(directory)(tempfile.mkdtemp(dir=directory.parent, prefix=f".{directory.name}."))
        try:
            for name, content in files.items():
                write_file(beside / name, content)
            beside.chmod(0o777 & ~_umask())
            beside.replace(directory)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    except OSError as exc:
        raise OutputError(
            f"{directory}: {exc.strerror or exc}", hint="nothing was written there; make room, or write elsewhere"
        ) from exc


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current

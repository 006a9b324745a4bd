"""How a document leaves the process: whole, as UTF-8, on stdout or as a file that appears at once."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from upgrade_gate.base.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path


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
        raise OutputError(f"stdout: {exc.strerror or exc}", hint="the report was not written whole") from exc


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


def write_file(path: Path, document: bytes | str, *, mode: int = 0o644) -> None:
    """Write a file beside its target and rename it, so that nobody ever reads half of it.

    `mode` is 0o600 for what may hold identities. An existing file's mode is not kept. A device or a pipe
    (`/dev/stderr`, `>(cmd)`) is written in place. Raises OutputError, naming the path.
    """
    import tempfile

    data = document.encode() if isinstance(document, str) else document
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
            return
        target = path.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        temporary = type(path)(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(mode & ~_umask() if mode != 0o600 else mode)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise OutputError(f"{path}: {exc.strerror or exc}", hint="nothing was written there") from exc


def make_folder(path: Path) -> None:
    """Make a folder and those above it; raises OutputError, naming it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise OutputError(f"{path}: {exc.strerror or exc}", hint="nothing was written there") from exc


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current

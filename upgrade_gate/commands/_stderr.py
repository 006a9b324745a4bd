"""What goes to stderr, and in which order: the line that says no verdict was reached stands before everything else.

Warnings of a run are held back until that line is out. Under `-v` they stream, and then log lines may come first.
"""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

__all__ = ["error", "hold_back_logs", "let_logs_go", "no_verdict", "plain", "say", "set_quiet", "set_verbose", "silent"]

_LOG_FORMAT = "%(levelname)s %(name)s: %(message)s"


class _State:
    """What this process has been told about stderr, and what it said already."""

    verbose = False
    quiet = False
    told = False
    held: logging.Handler | None = None


def plain(text: str) -> str:
    """Return text without terminal control characters: messages may quote what a payload or a server sent."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)


def say(line: str) -> None:
    """Print one line of progress or summary; nothing under `-q`."""
    if not _State.quiet:
        error(line)


def error(text: str) -> None:
    """Print text, always."""
    if sys.stderr is None:  # started with stderr closed
        return
    sys.stderr.write(plain(text) + "\n")
    sys.stderr.flush()


def no_verdict(
    message: str, *, hint: str | None = None, details: str | None = None, cause: BaseException | None = None
) -> None:
    """Say, once in a run, that no verdict was reached and why; under `-v` with the traceback of the cause.

    A second call says nothing: the first reason is the one that counts.
    """
    if _State.told:
        return
    _State.told = True
    error(f"error: no verdict was reached: {' '.join(message.split())}")
    if details:
        error(details)
    if hint:
        error(f"hint: {hint}")
    if cause is not None and _State.verbose:
        error("".join(traceback.format_exception(cause)))


def silent() -> bool:
    """Return whether progress is unwanted: `-q`, or stderr is no terminal."""
    return _State.quiet or sys.stderr is None or not sys.stderr.isatty()


def set_quiet() -> None:
    """Follow `-q`: errors only."""
    _State.quiet = True


def set_verbose() -> None:
    """Follow `-v`: log lines as they come, tracebacks with errors."""
    import logging

    _State.verbose = True
    let_logs_go()
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(_LOG_FORMAT))
    root = logging.getLogger()
    root.addHandler(handler)
    logging.getLogger("upgrade_gate").setLevel(logging.DEBUG)


def hold_back_logs() -> None:
    """Collect warnings, those of libraries included, until `let_logs_go`; begins a run."""
    import logging
    from logging.handlers import MemoryHandler

    _State.verbose = _State.quiet = _State.told = False
    target = logging.StreamHandler()
    target.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    held = MemoryHandler(capacity=10_000, flushLevel=logging.CRITICAL + 1, target=target)
    held.setLevel(logging.WARNING)
    _State.held = held
    logging.captureWarnings(capture=True)
    logging.getLogger().addHandler(held)


def let_logs_go() -> None:
    """Print what was held back; nothing of it under `-q`."""
    import logging

    held, _State.held = _State.held, None
    if held is None:
        return
    logging.getLogger().removeHandler(held)
    logging.captureWarnings(capture=False)
    if not _State.quiet:
        held.flush()

"""What goes to stderr, and in which order: the line that says no verdict was reached stands before everything else.

Warnings of a run are held back until that line is out. Under `-v` they stream, and then log lines may come first.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from upgrade_gate.base.text import one_line, without_credentials

if TYPE_CHECKING:
    import logging

    from upgrade_gate.cli.held_logs import HeldLogs


class _State:
    """What this process has been told about stderr, and what it said already."""

    verbose = False
    quiet = False
    told = False
    held: HeldLogs | None = None
    streamed: logging.Handler | None = None


def plain(text: str) -> str:
    """Return text without terminal control characters and credentials of URLs: it may quote what a server sent."""
    shown = "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    return without_credentials(shown)


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
        import traceback

        error("".join(traceback.format_exception(cause)))


def silent() -> bool:
    """Return whether progress is unwanted: `-q`, or stderr is no terminal."""
    return _State.quiet or sys.stderr is None or not sys.stderr.isatty()


def verbose() -> bool:
    """Return whether `-v` asks for more."""
    return _State.verbose


def set_quiet() -> None:
    """Follow `-q`: errors only."""
    _State.quiet = True


def set_verbose() -> None:
    """Follow `-v`: log lines as they come, tracebacks with errors."""
    import logging

    if _State.verbose:
        return
    _State.verbose = True
    _let_held_go()
    streamed = logging.StreamHandler()
    streamed.addFilter(_bare)
    streamed.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(streamed)
    logging.getLogger("upgrade_gate").setLevel(logging.DEBUG)
    _State.streamed = streamed


def _bare(record: logging.LogRecord) -> bool:
    """Take credentials and control characters out of a log line, whichever library wrote it: it may quote input."""
    record.msg, record.args = without_credentials(one_line(record.getMessage())), ()
    return True


def hold_back_logs() -> None:
    """Collect warnings, those of libraries included, until the run ends or `-v` is seen."""
    import logging

    from upgrade_gate.cli.held_logs import HeldLogs

    printed = logging.StreamHandler()
    printed.addFilter(_bare)
    printed.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    held = HeldLogs(printed)
    logging.captureWarnings(capture=True)
    logging.getLogger().addHandler(held)
    _State.held = held


def end() -> None:
    """Print what was held back, nothing of it under `-q`, and forget this run."""
    _let_held_go()
    if _State.streamed is not None:
        import logging

        logging.getLogger().removeHandler(_State.streamed)
        logging.getLogger("upgrade_gate").setLevel(logging.NOTSET)
    _State.verbose = _State.quiet = _State.told = False
    _State.streamed = None


def _let_held_go() -> None:
    held, _State.held = _State.held, None
    if held is None:
        return
    import logging

    logging.getLogger().removeHandler(held)
    logging.captureWarnings(capture=False)
    if _State.quiet:
        held.clear()
    held.close()

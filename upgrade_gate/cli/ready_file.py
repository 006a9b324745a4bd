"""Where a ready file goes: stdout, or a new file; never over a file that somebody may have changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from upgrade_gate.base.errors import UsageError
from upgrade_gate.cli import stderr, stdout

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def write_options(function: F) -> F:
    """Add `--write` and `--force`; the command takes `write: Path | None` and `force: bool`."""
    write = click.option(
        "--write",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write it there instead of printing it.",
    )
    force = click.option("--force", is_flag=True, help="Write over a file that is there.")
    return write(force(function))


def deliver(text: str, write: Path | None, *, force: bool) -> None:
    """Print the file or write it, with the folders it needs.

    Raises UsageError where a file is there that says something else, OutputError where it cannot be written.
    """
    if write is None:
        if force:
            raise UsageError("--force is for --write FILE")
        stdout.write(text)
        return
    if write.parent.exists():
        stdout.check_file(write)
    if not force and write.is_file() and write.read_bytes() != text.encode():
        raise UsageError(f"{write} is there and says something else", hint="--force writes over it")
    stdout.make_folder(write.parent)
    stdout.write_file(write, text)
    stderr.say(f"{write} written")

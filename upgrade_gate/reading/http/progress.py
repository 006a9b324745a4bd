"""What a person sees on a terminal while something is read: a line per download or wave of reads, then nothing."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.reading.http.options import HttpOptions


class Advance(Protocol):
    """Is called with what is there so far, bytes or answers; starts again at 0 when a download is retried."""

    def __call__(self, received: int) -> None:
        """Show how far it is."""
        ...


class _Board:
    """One display for all downloads of the process: rich allows one live display at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.progress: Any = None


_board = _Board()


@contextmanager
def download(label: str, size: int | None, options: HttpOptions) -> Iterator[Advance | None]:
    """Show one download while the block runs; gives None, at no cost, unless `options.progress` asks for it."""
    with _shown(label, size, counted=False, wanted=options.progress) as advance:
        yield advance


@contextmanager
def reads(label: str, number: int, *, wanted: bool) -> Iterator[Advance | None]:
    """Show how many of so many reads are done while the block runs; gives None, at no cost, unless it is wanted."""
    with _shown(label, number, counted=True, wanted=wanted) as advance:
        yield advance


@contextmanager
def _shown(label: str, total: int | None, *, counted: bool, wanted: bool) -> Iterator[Advance | None]:
    if not wanted:
        yield None
        return
    with _board.lock:
        if _board.users == 0:
            _board.progress = _start()
        _board.users += 1
        progress = _board.progress
        task = progress.add_task(label, total=total, counted=counted)

    def advance(received: int) -> None:
        progress.update(task, completed=received)

    try:
        yield advance
    finally:
        with _board.lock:
            progress.remove_task(task)
            _board.users -= 1
            if _board.users == 0:
                progress.stop()
                _board.progress = None


def _start() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, Task, TextColumn, TransferSpeedColumn
    from rich.text import Text

    class Amount(DownloadColumn):
        def render(self, task: Task) -> Text:
            if task.fields["counted"]:
                return Text(f"{task.completed:.0f} of {task.total or 0:.0f} read")
            return super().render(task)

    class Speed(TransferSpeedColumn):
        def render(self, task: Task) -> Text:
            return Text() if task.fields["counted"] else super().render(task)

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        Amount(),
        Speed(),
        console=Console(stderr=True),
        transient=True,
    )
    progress.start()
    return progress

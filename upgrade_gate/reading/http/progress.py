"""What a person sees on a terminal while releases are fetched: one line per download, on stderr, then nothing."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.reading.http.options import HttpOptions


class Advance(Protocol):
    """Is called with the bytes received so far; starts again at 0 when a download is retried."""

    def __call__(self, received: int) -> None:
        """Show how far the download is."""
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
    if not options.progress:
        yield None
        return
    with _board.lock:
        if _board.users == 0:
            _board.progress = _start()
        _board.users += 1
        progress = _board.progress
        task = progress.add_task(label, total=size)

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
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    progress.start()
    return progress

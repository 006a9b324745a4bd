"""An end for code that may hang."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class DeadlineError(BaseException):
    """The time is up; no `except Exception` may hold it back, nor one of `OSError`, which a TimeoutError is."""


@contextmanager
def deadline(seconds: int) -> Iterator[None]:
    """Raise DeadlineError in the main thread when the time is up."""

    def ring(*_: object) -> None:
        raise DeadlineError(f"longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

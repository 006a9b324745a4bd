"""Warnings that wait for the line that stands before them."""

from __future__ import annotations

import logging

CAPACITY = 10_000
"""A run that says more than this says it early."""


class HeldLogs(logging.Handler):
    """Keeps records until `flush` hands them to another handler; `logging.handlers` would load sockets and pickle."""

    def __init__(self, target: logging.Handler) -> None:
        super().__init__(logging.WARNING)
        self._target = target
        self._records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self._records.append(record)
        if len(self._records) >= CAPACITY:
            self.flush()

    def clear(self) -> None:
        """Forget what is held."""
        self._records.clear()

    def flush(self) -> None:
        """Hand over what is held."""
        held, self._records = self._records, []
        for record in held:
            self._target.handle(record)

    def close(self) -> None:
        """Hand over what is held, and hold nothing more."""
        self.flush()
        super().close()

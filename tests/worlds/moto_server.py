"""AWS on loopback: moto, as a process of its own.

Inside the tests' process it leaves sockets to the garbage collector where a client goes away in the middle of an
answer, and some later test would be blamed for them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.worlds.components import require

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60.0
_RUNNING = re.compile(r"Running on (http://127\.0\.0\.1:[0-9]+)")


@contextmanager
def moto_server() -> Iterator[str]:
    """Run moto on a free port; gives its URL."""
    require("python:moto")
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0"]
    with tempfile.NamedTemporaryFile("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield _address(process, Path(log.name))
        finally:
            process.terminate()
            process.wait(timeout=START_SECONDS)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if found := _RUNNING.search(log.read_text(errors="replace")):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"moto does not run:\n{log.read_text(errors='replace')}")

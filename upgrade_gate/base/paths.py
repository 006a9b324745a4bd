"""Paths as users write them: a name that no file can have, or that may not be looked at, names nothing.

`Path.exists` and its kin raise where a name is too long, a folder above is closed or, in `~nobody/x`, there is no such
user; those of `os.path` answer no, and whoever opens the file says why it cannot be.
"""

from __future__ import annotations

import os
from pathlib import Path


def expanded(text: str) -> Path:
    """Return a path with `~` replaced, as it is where nobody has that name."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path's own raises RuntimeError


def exists(path: Path) -> bool:
    """Return whether something is there."""
    return os.path.exists(path)  # noqa: PTH110


def is_dir(path: Path) -> bool:
    """Return whether a folder is there."""
    return os.path.isdir(path)  # noqa: PTH112


def is_file(path: Path) -> bool:
    """Return whether a file is there."""
    return os.path.isfile(path)  # noqa: PTH113

"""The dated tables that ship beside the code which reads them."""

from __future__ import annotations

import pkgutil
from typing import Any

import msgspec


def read(package: str, name: str) -> Any:
    """Return a JSON table of a package; `importlib.resources` finds it as well and takes 8 ms to import."""
    content = pkgutil.get_data(package, name)
    if content is None:
        raise FileNotFoundError(f"{package} has no {name}")
    return msgspec.json.decode(content)

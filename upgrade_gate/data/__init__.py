"""Dated tables and the demo's inputs."""

import pkgutil

__all__ = ["read"]


def read(name: str) -> bytes:
    """Return a table; `importlib.resources` does the same and takes 8 ms to import."""
    content = pkgutil.get_data(__name__, name)
    if content is None:
        raise FileNotFoundError(f"{__name__} has no {name}")
    return content

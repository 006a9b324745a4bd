"""Caps on what is read: everything is hostile until it is parsed."""

from __future__ import annotations

from msgspec import Struct


class Limits(Struct, frozen=True):
    """How much one input may hold; bytes unless said otherwise."""

    compressed: int = 256 * 2**20
    unpacked: int = 1024 * 2**20
    file: int = 32 * 2**20
    depth: int = 200
    """Levels of nesting in a document."""
    nodes: int = 1_000_000
    """Nodes of one document, aliases expanded."""
    entries: int = 200_000
    """Entries of one archive or layer."""

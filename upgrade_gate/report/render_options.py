"""What a caller may choose about a rendering; formats ignore what does not concern them."""

from __future__ import annotations

from msgspec import Struct


class RenderOptions(Struct, frozen=True):
    """Choices that change how a report looks, never what it says."""

    color: bool = False
    """Colour for a terminal; text only."""
    width: int = 80
    """Columns of the terminal; text only."""
    verbose: bool = False
    """Fingerprints of findings that need no action too; text only."""
    max_bytes: int | None = None
    """Upper bound of the document; markdown only, which has a default of its own."""

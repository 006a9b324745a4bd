"""Where a Secret lives: what requests ask for, clusters hold and identities serve."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["SecretRef"]


class SecretRef(Struct, frozen=True, order=True):
    """Where a Secret lives."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

"""Which identity serves which Secret, where the user says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Identities"]


class Identities(Struct, frozen=True):
    """Which identity serves which Secret (design 16.2)."""

    by_secret: Mapping[str, str] = field(default_factory=dict)
    """`namespace/secret` to the identity: role or user ARN, client ID or `principal:ID`, email, `iam-ServiceId-…`."""
    default: str | None = None
    """Stands for all other Secrets."""
    account: str | None = None
    """The account, subscription or project that exports must belong to."""

    def of(self, secret: str) -> str | None:
        """Return the identity of `namespace/secret`, None where the configuration does not say."""
        return self.by_secret.get(secret, self.default)

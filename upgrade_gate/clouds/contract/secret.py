"""The keys of a Secret: which a component must find there, and which must not stand together."""

from __future__ import annotations

from typing import Protocol, cast

from upgrade_gate.base import plugins


class Secret(Protocol):
    """What a cloud's `secret` knows; `token` says which form is asked for, `release` is the target's minor."""

    def missing_keys(self, keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the keys that are missing (docs/facts/cco.md#secret-keys), empty when all are there."""
        ...

    def missing_root_keys(self, keys: frozenset[str]) -> tuple[str, ...]:
        """Return the keys that CCO needs of the platform's root Secret, and that are missing."""
        ...

    def missing_by_server(self, keys: frozenset[str], servers: tuple[str, ...]) -> tuple[str, ...]:
        """Return the keys that are missing for one of the servers that the Secret must serve: vSphere's vCenters."""
        ...

    def secret_keys(self, *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the key names that a Secret made by hand should have, in the order of its table.

        See docs/facts/cco.md#secret-keys.
        """
        ...

    def conflicting_keys(self, keys: frozenset[str]) -> tuple[str, ...]:
        """Return keys that must not stand together (docs/facts/cco.md#secret-keys), empty when none do."""
        ...


def secret_of(kind: str) -> Secret | None:
    """Return what knows the Secrets of a providerSpec kind, None for an unmodelled kind."""
    return cast("Secret | None", plugins.for_kind("secret", kind))

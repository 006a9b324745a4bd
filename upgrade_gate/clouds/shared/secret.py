"""Secrets that have the same keys in every form."""

from __future__ import annotations

from msgspec import Struct


class Keys(Struct, frozen=True):
    """The keys of a Secret; none of them fights with another."""

    keys: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    """Keys that a Secret may lack."""

    def missing_keys(self, keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the keys that are missing and not optional."""
        wanted = self.secret_keys(token=token, release=release)
        return tuple(k for k in wanted if k not in keys and k not in self.optional)

    def secret_keys(self, *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the keys that a component reads."""
        del token, release
        return self.keys

    def missing_root_keys(self, keys: frozenset[str]) -> tuple[str, ...]:
        """Return the keys that the root Secret lacks: it is copied as it is."""
        return self.missing_keys(keys, token=False, release=(0, 0))

    def missing_by_server(self, keys: frozenset[str], servers: tuple[str, ...]) -> tuple[str, ...]:
        """Return none: there is one place to log in to."""
        del keys, servers
        return ()

    def conflicting_keys(self, keys: frozenset[str]) -> tuple[str, ...]:
        """Return none: these keys may stand together."""
        del keys
        return ()

"""A release payload: every document of every file, with its place, and the few that matter constructed whole."""

from __future__ import annotations

from collections.abc import Mapping  # at run time too: the cache (sources/_cache.py) decodes into these types
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Location", "Manifest", "Payload", "Unreadable"]


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """Where a document stands: file name in the payload, document number from 0, first line from 1."""

    file: str
    document: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """One document of a payload."""

    group: str
    version: str
    kind: str
    namespace: str
    """Empty for cluster-scoped objects."""
    name: str
    annotations: Mapping[str, str] | None
    """None when the document has no annotations at all, which is not the same as an empty map (releases.md 1.1)."""
    location: Location
    body: Mapping[str, Any] | None = None
    """The whole document, only for CredentialsRequests, FeatureGates and the ClusterVersion CRD."""
    duplicate_keys: tuple[str, ...] = ()
    """Paths of keys that stand twice with differing values; the last one won, as upstream."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file, or a document of it, that could not be parsed."""

    location: Location
    reason: str
    harmless: bool
    """True only where it provably holds no request, no feature gate and nothing implicit enabling needs."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One release payload, read."""

    reference: str
    version: str
    """From release-metadata; empty when that is missing (then `unreadable` says so)."""
    digest: str | None
    verified: bool
    manifests: tuple[Manifest, ...]
    unreadable: tuple[Unreadable, ...] = ()
    previous: tuple[str, ...] = ()
    """Versions that may update to this one, from release-metadata."""
    verification: str = ""
    pullspec: str | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor of the version; (0, 0) when it is not known."""
        parts = self.version.split(".")
        try:
            return int(parts[0]), int(parts[1])
        except (IndexError, ValueError):
            return 0, 0

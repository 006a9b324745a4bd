"""Read a release image out of a store of manifests and blobs: which manifest, which layers, which files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.source import Limits

__all__ = ["Descriptor", "ImageRelease", "ManifestBlob", "Store", "read_release"]


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says about a blob or another manifest."""

    digest: str
    """`sha256:` and 64 hex digits."""
    size: int
    """Bytes."""
    media_type: str
    platform: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ManifestBlob:
    """A manifest as a store gave it."""

    data: bytes
    media_type: str
    """Empty where the store does not know it; then the content tells."""
    digest: str
    """Digest of `data`, computed by the store over the bytes it returns."""


class Store(Protocol):
    """Where manifests and blobs come from: a layout on disk, an archive, a registry."""

    def manifest(self, reference: str) -> ManifestBlob:
        """Return the manifest of a tag or digest; raises SourceError, naming it."""
        ...

    def open_blob(self, descriptor: Descriptor) -> BinaryIO:
        """Return the blob as a seekable file at its start; size and digest of the WHOLE blob were checked before."""
        ...


@dataclass(frozen=True, slots=True)
class ImageRelease:
    """The files of a release image."""

    files: Mapping[str, bytes]
    """Name relative to release-manifests to content, sorted by name."""
    digest: str
    """Of what the reference named: the list's digest for a list."""
    image_digest: str
    """Of the manifest that was read."""
    notes: tuple[str, ...] = ()


def read_release(store: Store, reference: str, limits: Limits) -> ImageRelease:
    """Return the files of the release image that `reference` (a tag or a digest) names."""
    raise NotImplementedError

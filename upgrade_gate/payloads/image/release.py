"""Read a release image out of a store of manifests and blobs: which manifest, which layers, which files."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from msgspec import Struct

from upgrade_gate.base.errors import ManifestError, SourceError
from upgrade_gate.payloads.image.digests import DIGEST, check_digest, digest_of
from upgrade_gate.payloads.image.layers import read_layer
from upgrade_gate.payloads.reference import IMAGE_REFERENCES, RELEASE_MANIFESTS, RELEASE_METADATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from upgrade_gate.payloads.image.layers import Layer
    from upgrade_gate.reading.limits import Limits

_logger = logging.getLogger(__name__)
LISTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
IMAGES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
"""Media types of manifests."""
_NESTING = 1
"""Lists inside a list."""


class Descriptor(Struct, frozen=True):
    """What a manifest says about a blob or another manifest."""

    digest: str
    """`sha256:` and 64 hex digits."""
    size: int
    """Bytes."""
    media_type: str
    platform: Mapping[str, str] | None = None


class ManifestBlob(Struct, frozen=True):
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


class ImageRelease(Struct, frozen=True):
    """The files of a release image."""

    files: Mapping[str, bytes]
    """Name relative to release-manifests to content, sorted by name."""
    digest: str
    """Of what the reference named: the list's digest for a list."""
    image_digest: str
    """Of the manifest that was read."""
    notes: tuple[str, ...] = ()


def read_release(store: Store, reference: str, limits: Limits) -> ImageRelease:
    """Return the files of the release image that `reference` (a tag or a digest) names.

    Of a list the entry for linux/amd64 is read, else the first for linux, whatever machine this is: the manifests of
    a release do not differ by architecture (oc pkg/cli/admin/release/new.go). Raises SourceError, naming the digest,
    where a manifest is none, is not what its digest says, or holds no release.
    """
    named = _manifest(store, reference, limits)
    blob, body = named
    notes: list[str] = []
    for _ in range(_NESTING + 1):
        if not _is_list(body, blob):
            break
        chosen = _choose(body, blob.digest)
        notes.append(f"read {chosen.digest} ({_platform(chosen)}) of the list {blob.digest}")
        blob, body = _manifest(store, chosen.digest, limits, chosen)
    if _is_list(body, blob):
        raise SourceError(f"{named[0].digest}: lists of images inside lists inside a list", hint="name the image")
    layers = [descriptor(entry, f"manifest {blob.digest}") for entry in _image_layers(body, blob)]
    files, removed = collect(
        (partial(_layer, store, layer, limits) for layer in reversed(layers)), f"image {blob.digest}"
    )
    return ImageRelease(files, named[0].digest, blob.digest, (*notes, *removed))


def collect(layers: Iterable[Callable[[], Layer]], where: str) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return the payload files of layers (functions that return a Layer, the uppermost first), and notes.

    Reading stops when release-metadata and image-references are found, since the layer that oc appends begins with
    them. Above that the upper layer wins for each path, and what it deletes is gone, as in the container that the
    CVO runs in. Raises SourceError where no layer has release-manifests.
    """
    files: dict[str, bytes] = {}
    hidden: set[str] = set()
    notes: list[str] = []
    for depth, read in enumerate(layers):
        layer = read()
        fresh = {n: c for n, c in layer.files.items() if n not in files and not _is_hidden(n, hidden)}
        if dropped := sorted(n for n in layer.files if n not in files and n not in fresh):
            notes.append(f"an upper layer deletes {len(dropped)} files of the release: {', '.join(dropped[:5])}")
        files.update(fresh)
        _logger.debug("%s: layer %d from the top has %d files", where, depth, len(fresh))
        if layer.opaque or (RELEASE_METADATA in files and IMAGE_REFERENCES in files):
            break
        hidden |= layer.removed
    if not files:
        raise SourceError(
            f"{where} is not a release image: no layer holds {RELEASE_MANIFESTS}/",
            hint="a component's image was named instead of the release's",
        )
    return dict(sorted(files.items())), tuple(notes)


def parse_json(data: bytes, where: str, limits: Limits) -> dict[str, Any]:
    """Return a JSON object of an image; raises SourceError, naming it."""
    from upgrade_gate.reading import yaml

    try:
        body = yaml.parse_one(data, where, limits=limits).body
    except ManifestError as exc:
        raise SourceError(f"{where} cannot be read: {exc.message}") from exc
    if not isinstance(body, dict):
        raise SourceError(f"{where} is not a JSON object")
    return body


def _manifest(
    store: Store, reference: str, limits: Limits, listed: Descriptor | None = None
) -> tuple[ManifestBlob, dict[str, Any]]:
    """Return a manifest and its content, checked against its digest where it was addressed by one."""
    blob = store.manifest(reference)
    by_digest = DIGEST.fullmatch(reference) is not None
    actual = digest_of(blob.data, reference if by_digest else "sha256:")
    if by_digest and actual != reference:
        raise SourceError(
            f"manifest {reference}: what was read has the digest {actual}",
            hint="the registry, mirror or copy changed it; fetch it again",
        )
    if listed is not None and len(blob.data) != listed.size:
        raise SourceError(f"manifest {reference} is {len(blob.data)} bytes, its list says {listed.size}")
    body = parse_json(blob.data, f"manifest {actual}", limits)
    if body.get("schemaVersion") != 2:
        raise SourceError(
            f"manifest {actual} has schemaVersion {body.get('schemaVersion')!r}; 2 is read",
            hint="copy the image once with skopeo, which converts it",
        )
    return ManifestBlob(blob.data, blob.media_type, actual), body


def _is_list(body: dict[str, Any], blob: ManifestBlob) -> bool:
    """Return whether a manifest is a list; what could be read as both is refused (CVE-2021-41190)."""
    if "manifests" in body and ("layers" in body or "config" in body):
        raise SourceError(f"manifest {blob.digest} is a list and an image at once")
    media_type = body.get("mediaType") or blob.media_type
    wanted = "manifests" if media_type in LISTS else "layers" if media_type in IMAGES else ""
    if wanted and wanted not in body:
        raise SourceError(f"manifest {blob.digest} is called {media_type}, but has no {wanted!r}")
    return "manifests" in body


def _choose(body: dict[str, Any], digest: str) -> Descriptor:
    """Return the entry of a list that is read."""
    entries = body["manifests"]
    if not isinstance(entries, list):
        raise SourceError(f"list {digest}: `manifests` is not a list")
    images = [descriptor(entry, f"list {digest}") for entry in entries if not is_attestation(entry)]
    linux = [image for image in images if (image.platform or {}).get("os") == "linux"]
    amd64 = [image for image in linux if (image.platform or {}).get("architecture") == "amd64"]
    unnamed = [image for image in images if not image.platform]
    for found in (amd64, linux, unnamed):
        if found:
            return found[0]
    held = ", ".join(_platform(image) for image in images) or "nothing"
    raise SourceError(f"list {digest} has no linux image, only {held}", hint="name the digest of one image")


def is_attestation(entry: object) -> bool:
    """Return whether an entry is no image but about one, as docker buildx adds them."""
    if not isinstance(entry, dict):
        return False
    platform, notes = entry.get("platform"), entry.get("annotations")
    if isinstance(notes, dict) and notes.get("vnd.docker.reference.type") == "attestation-manifest":
        return True
    return isinstance(platform, dict) and platform.get("os") == platform.get("architecture") == "unknown"


def _platform(image: Descriptor) -> str:
    platform = image.platform or {}
    return "/".join(str(platform[key]) for key in ("os", "architecture", "variant") if platform.get(key)) or "unnamed"


def _image_layers(body: dict[str, Any], blob: ManifestBlob) -> list[Any]:
    layers = body.get("layers")
    if not isinstance(layers, list) or not layers:
        raise SourceError(f"manifest {blob.digest} has no layers", hint="it is not an image; name a release image")
    return layers


def descriptor(entry: object, where: str) -> Descriptor:
    """Return an entry of a list, an index or an image; raises SourceError, naming `where` it stands, for another."""
    found: dict[str, Any] = entry if isinstance(entry, dict) else {}
    digest, size, platform = found.get("digest"), found.get("size"), found.get("platform")
    if not isinstance(digest, str) or type(size) is not int or size < 0:
        raise SourceError(f"{where} has an entry without digest and size")
    return Descriptor(
        check_digest(digest, where),
        size,
        str(found.get("mediaType") or ""),
        {str(key): str(value) for key, value in platform.items()} if isinstance(platform, dict) else None,
    )


def _layer(store: Store, layer: Descriptor, limits: Limits) -> Layer:
    most = limits.unpacked if layer.media_type.endswith(".tar") else limits.compressed
    if layer.size > most:
        raise SourceError(f"layer {layer.digest} is {layer.size} bytes, more than the {most} that are read of a layer")
    with store.open_blob(layer) as raw:
        return read_layer(raw, f"layer {layer.digest}", limits)


def _is_hidden(name: str, hidden: set[str]) -> bool:
    """Return whether an upper layer deletes a file or a folder that it stands in."""
    parts = name.split("/")
    return any("/".join(parts[:i]) in hidden for i in range(1, len(parts) + 1))

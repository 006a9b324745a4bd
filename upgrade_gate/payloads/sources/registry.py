"""Release images in a registry: `quay.io/openshift-release-dev/ocp-release:4.15.3-x86_64`, or by digest.

Only manifests, the image's configuration and the last layer move (lower layers only where the last one lacks the
release's metadata), and nothing at all for what the cache holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.payloads.reference import ReleaseFiles
from upgrade_gate.payloads.registry.image_name import parse_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.payloads.reference import Reference, Settings
    from upgrade_gate.payloads.registry.image_name import ImageName

__all__ = ["SCHEMES", "fetch", "peek"]

SCHEMES: tuple[str, ...] = ("registry",)


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the files of a release image, from the first of its mirrors that has it, else from the source itself.

    Raises UsageError where the registry knows no such tag, SourceError for every other failure; under `--offline`
    only what the cache holds by digest is read.
    """
    from upgrade_gate.payloads.image.image import read_release
    from upgrade_gate.payloads.registry.repository import Places

    name = parse_name(reference.target)
    with Places(name, settings) as places:
        image = places.first(lambda store: read_release(store, name.version, settings.limits))
    return _released(reference, name, image.digest, settings, files=dict(image.files), notes=image.notes)


def peek(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return all about a release but its files: enough to look for it in the index cache.

    A digest costs nothing, a tag one request without a body.
    """
    name = parse_name(reference.target)
    digest = name.digest
    if digest is None:
        from upgrade_gate.payloads.registry.repository import Places

        with Places(name, settings) as places:
            digest = places.first(lambda store: store.resolve(name.version))
    return _released(reference, name, digest, settings, files={}, notes=())


def _released(
    reference: Reference,
    name: ImageName,
    digest: str,
    settings: Settings,
    *,
    files: dict[str, bytes],
    notes: Sequence[str],
) -> ReleaseFiles:
    from upgrade_gate.payloads.signatures import verification as _signatures

    verified, verification = _signatures.verify(digest, settings)
    return ReleaseFiles(
        reference=reference.text,
        files=files,
        digest=digest,
        verified=verified,
        verification=verification,
        pullspec=f"{name.repository}@{digest}",
        notes=notes,
    )

"""Release images in a registry: `quay.io/openshift-release-dev/ocp-release:4.15.3-x86_64`, or by digest.

Only manifests, the image's configuration and the last layer move (lower layers only where the last one lacks the
release's metadata), and nothing at all for what the cache holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.payloads.registry.image_name import parse_name
from upgrade_gate.payloads.sources._released import released

if TYPE_CHECKING:
    from upgrade_gate.payloads.reference import Reference, ReleaseFiles, Settings


SCHEMES: tuple[str, ...] = ("registry",)


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the files of a release image, from the first of its mirrors that has it, else from the source itself.

    Raises UsageError where the registry knows no such tag, SourceError for every other failure; under `--offline`
    only what the cache holds by digest is read.
    """
    from upgrade_gate.payloads.image.release import read_release
    from upgrade_gate.payloads.registry.repository import Places

    name = parse_name(reference.target)
    with Places(name, settings) as places:
        image = places.first(lambda store: read_release(store, name.version, settings.limits))
    pullspec = f"{name.repository}@{image.digest}"
    return released(reference, image.digest, settings, files=image.files, notes=image.notes, pullspec=pullspec)


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
    return released(reference, digest, settings, files={}, notes=(), pullspec=f"{name.repository}@{digest}")

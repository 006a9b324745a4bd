"""Release images in a registry: `quay.io/openshift-release-dev/ocp-release:4.15.3-x86_64`, or by digest.

Only manifests, the image's configuration and the last layer move (lower layers only where the last one lacks the
release's metadata), and nothing at all for what the cache holds.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base.errors import UsageError
from upgrade_gate.payloads.image.image import DIGEST
from upgrade_gate.payloads.reference import ReleaseFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.payloads.reference import Reference, Settings

__all__ = ["SCHEMES", "ImageName", "fetch", "parse_name", "peek"]

SCHEMES: tuple[str, ...] = ("registry",)

HOST = re.compile(r"(?:localhost|[A-Za-z0-9._-]*[.][A-Za-z0-9._-]*|[A-Za-z0-9._-]+:\d+|\[[0-9A-Fa-f:.]+\])(?::\d+)?")
PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
DOCKER_HUB = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})


class ImageName(Struct, frozen=True):
    """A pullspec, taken apart; a digest beside a tag decides, as everywhere."""

    repository: str
    """`host[:port]/path`."""
    tag: str | None
    digest: str | None

    @property
    def version(self) -> str:
        """What the registry is asked for: the digest, else the tag."""
        return self.digest or self.tag or ""

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


def parse_name(text: str) -> ImageName:
    """Take a pullspec apart; raises UsageError for what is none, and for one without host, tag or digest."""
    rest = text.removeprefix("docker://")
    rest, at, digest = rest.partition("@")
    if "/" in digest:
        raise UsageError(f"user and password do not belong into a pullspec ({digest})", hint="give them with -a FILE")
    if at and not DIGEST.fullmatch(digest):
        raise UsageError(f"{text}: no digest after the @", hint="write host/path@sha256: and 64 hexadecimal digits")
    host, slash, path = rest.partition("/")
    tag = None
    if ":" in path:
        path, _, tag = path.partition(":")
        if not TAG.fullmatch(tag):
            raise UsageError(f"{text}: {tag!r} is no tag")
    if not slash or not HOST.fullmatch(host):
        raise UsageError(
            f"{text} names no registry host",
            hint="write host[:port]/path:tag for an image, 4.15.3 for a version, dir:PATH for a folder",
        )
    if not PATH.fullmatch(path):
        raise UsageError(f"{text}: {path!r} is no repository path", hint="paths are in lower case")
    if not digest and tag is None:
        raise UsageError(f"{text} names neither tag nor digest", hint="append :TAG or @sha256:DIGEST")
    if host in DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return ImageName(f"{host}/{path}", tag, digest or None)


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

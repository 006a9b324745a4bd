"""The name of an image in a registry: host, path, and a tag or a digest."""

from __future__ import annotations

import re

from msgspec import Struct

from upgrade_gate.base.errors import UsageError
from upgrade_gate.payloads.image.digests import DIGEST

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
        raise UsageError(
            f"user and password do not belong in a pullspec ({digest.rpartition('@')[2]})",
            hint="give them with -a FILE",
        )
    if at and not DIGEST.fullmatch(digest):
        raise UsageError(f"{text}: no digest after the @", hint="write host/path@sha256: and 64 hexadecimal digits")
    host, slash, path = rest.partition("/")
    tag = None
    if ":" in path:
        path, _, tag = path.partition(":")
        if not TAG.fullmatch(tag):
            raise UsageError(f"{text}: {tag!r} is not a tag")
    if not slash or not HOST.fullmatch(host):
        raise UsageError(
            f"{text} names no registry host",
            hint="write host[:port]/path:tag for an image, 4.15.3 for a version, dir:PATH for a folder",
        )
    if not PATH.fullmatch(path):
        raise UsageError(f"{text}: {path!r} is not a repository path", hint="paths are in lower case")
    if not digest and tag is None:
        raise UsageError(f"{text} names neither tag nor digest", hint="append :TAG or @sha256:DIGEST")
    if host in DOCKER_HUB and "/" not in path:
        path = f"library/{path}"
    return ImageName(f"{host}/{path}", tag, digest or None)

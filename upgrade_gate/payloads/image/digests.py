"""Digests of manifests and blobs."""

from __future__ import annotations

import hashlib
import re

from upgrade_gate.base.errors import SourceError

DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
"""What digests look like here; others are refused."""
SHA256 = re.compile(r"sha256:([0-9a-f]{64})")


def check_digest(digest: str, where: str) -> str:
    """Return a digest that is well formed; raises SourceError for another algorithm or shape."""
    if not DIGEST.fullmatch(digest):
        raise SourceError(f"{where}: {digest!r} is not a sha256 or sha512 digest")
    return digest


def digest_of(data: bytes, like: str = "sha256:") -> str:
    """Return the digest of data, by the algorithm of another digest."""
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"

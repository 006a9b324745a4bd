"""What was read of an image, as a release: with what its signature says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.payloads.reference import ReleaseFiles
from upgrade_gate.payloads.signatures.verification import verify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from upgrade_gate.payloads.reference import Reference, Settings


def released(
    reference: Reference,
    digest: str,
    settings: Settings,
    *,
    files: Mapping[str, bytes],
    notes: Sequence[str],
    pullspec: str | None = None,
    mirror_folder: Path | None = None,
) -> ReleaseFiles:
    """Return the files of a release image; `mirror_folder` is where a mirror keeps signatures beside it."""
    verified, verification = verify(digest, settings, mirror_folder)
    return ReleaseFiles(reference.text, files, digest, verified, verification, pullspec, notes, whole=True)

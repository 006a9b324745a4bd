"""Read a release from an OCI image layout on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.errors import UsageError
from upgrade_gate.payloads.image.folder import split_path
from upgrade_gate.payloads.image.image import read_release
from upgrade_gate.payloads.image.layout import FolderFiles, OciStore
from upgrade_gate.payloads.reference import ReleaseFiles
from upgrade_gate.payloads.signatures.verification import verify

if TYPE_CHECKING:
    from upgrade_gate.payloads.reference import Reference, Settings

__all__ = ["SCHEMES", "fetch"]

SCHEMES: tuple[str, ...] = ("oci",)


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the release of `PATH[:TAG]` or `PATH@DIGEST`: what skopeo, crane and docker buildx write."""
    folder, tag = split_path(reference.target)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint=f"for an archive file write archive:{folder}")
    if not (folder / "index.json").exists():
        raise UsageError(f"{folder} is no OCI layout: it has no index.json", hint=f"for manifests write dir:{folder}")
    store = OciStore(FolderFiles(folder, str(folder)), settings.limits)
    image = read_release(store, store.resolve(tag), settings.limits)
    verified, verification = verify(image.digest, settings)
    return ReleaseFiles(
        reference=reference.text,
        files=image.files,
        digest=image.digest,
        verified=verified,
        verification=verification,
        notes=image.notes,
    )

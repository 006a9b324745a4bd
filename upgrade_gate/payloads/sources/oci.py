"""Read a release from an OCI image layout on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.paths import exists, is_dir
from upgrade_gate.payloads.image.folder import split_path
from upgrade_gate.payloads.image.layout import ImageFolder, OciStore
from upgrade_gate.payloads.image.release import read_release
from upgrade_gate.payloads.sources._released import released

if TYPE_CHECKING:
    from upgrade_gate.payloads.reference import Reference, ReleaseFiles, Settings


SCHEMES: tuple[str, ...] = ("oci",)


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the release of `PATH[:TAG]` or `PATH@DIGEST`: what skopeo, crane and docker buildx write."""
    folder, tag = split_path(reference.target)
    if not is_dir(folder):
        raise UsageError(f"{folder} is not a folder", hint=f"for an archive file write archive:{folder}")
    if not exists(folder / "index.json"):
        raise UsageError(
            f"{folder} is not an OCI layout: it has no index.json", hint=f"for manifests write dir:{folder}"
        )
    store = OciStore(ImageFolder(folder, str(folder)), settings.limits)
    image = read_release(store, store.resolve(tag), settings.limits)
    return released(reference, image.digest, settings, files=image.files, notes=image.notes)

"""Read a release from an OCI image layout: a folder with index.json and blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.errors import SourceError, UsageError
from upgrade_gate.source import ReleaseFiles
from upgrade_gate.sources import _folder, _signatures
from upgrade_gate.sources._image import parse_json, read_release
from upgrade_gate.sources._layout import LayoutStore, choose_entry, folder_opener

if TYPE_CHECKING:
    from upgrade_gate.source import Reference, Settings

__all__ = ["SCHEMES", "blob_path", "fetch"]

SCHEMES: tuple[str, ...] = ("oci",)


def blob_path(digest: str) -> str:
    """Return where a layout keeps a blob."""
    kind, _, value = digest.partition(":")
    return f"blobs/{kind}/{value}"


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the release that the layout's only entry, or the one named by tag or digest, holds."""
    folder, tag = _folder.split_path(reference.target)
    shown = str(folder)
    if not (folder / "index.json").is_file():
        raise UsageError(f"{shown} is no OCI layout: it has no index.json", hint="a folder of manifests is dir:PATH")
    open_file = folder_opener(folder, shown, settings.limits)
    with open_file("index.json") as stream:
        index = parse_json(stream.read(settings.limits.file), f"{shown}/index.json", settings.limits)
    store = LayoutStore(shown, open_file, blob_path)
    release = read_release(store, choose_entry(index, tag, shown), settings.limits)
    if not release.files:
        raise SourceError(f"{shown} holds no release-manifests")
    verified, sentence = _signatures.verify(release.digest, settings)
    return ReleaseFiles(
        reference=reference.text,
        files=release.files,
        digest=release.digest,
        verified=verified,
        verification=sentence,
        notes=release.notes,
    )

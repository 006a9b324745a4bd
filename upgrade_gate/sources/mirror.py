"""Read a release from what `oc adm release mirror --to-dir` writes: `v2/REPOSITORY/{manifests,blobs}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.errors import SourceError, UsageError
from upgrade_gate.source import ReleaseFiles
from upgrade_gate.sources import _folder, _signatures
from upgrade_gate.sources._image import digest_of, read_release
from upgrade_gate.sources._layout import LayoutStore, folder_opener

if TYPE_CHECKING:
    from pathlib import Path

    from upgrade_gate.source import Reference, Settings

__all__ = ["SCHEMES", "fetch"]

SCHEMES: tuple[str, ...] = ("mirror",)
_MANIFEST_CAP = 8 * 2**20


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the release that the mirror's only tag, or the one that is named, holds.

    The manifests there are links to files named by digest, inside the folder; links that leave it are refused.
    """
    folder, tag = _folder.split_path(reference.target)
    repository = _repository(folder)
    shown = str(repository)
    names = sorted(p.name for p in (repository / "manifests").iterdir())
    tags = [name for name in names if ":" not in name]
    if not tag:
        candidates = tags or names
        if len(candidates) != 1:
            raise UsageError(f"{shown} holds {len(candidates)} releases", hint=f"append :TAG, {', '.join(candidates)}")
        tag = candidates[0]
    if tag not in names:
        raise UsageError(f"{shown} has no {tag}", hint=f"it has {', '.join(names) or 'nothing'}")
    open_file = folder_opener(repository, shown, settings.limits)
    with open_file(f"manifests/{tag}") as stream:
        data = stream.read(_MANIFEST_CAP)
    digest = digest_of(data)
    if ":" in tag and digest != tag:
        raise SourceError(f"{shown}: manifest {tag} is damaged: its digest is {digest}", hint="mirror it again")

    def path_of(wanted: str) -> str:
        if wanted == digest:
            return f"manifests/{tag}"
        return f"manifests/{wanted}" if wanted in names else f"blobs/{wanted}"

    release = read_release(LayoutStore(shown, open_file, path_of), digest, settings.limits)
    verified, sentence = _signatures.verify(release.digest, settings, mirror_folder=folder)
    return ReleaseFiles(
        reference=reference.text,
        files=release.files,
        digest=release.digest,
        verified=verified,
        verification=sentence,
        notes=release.notes,
    )


def _repository(folder: Path) -> Path:
    """Return the folder that has `manifests`: the given one, or the only one below `v2`."""
    if (folder / "manifests").is_dir():
        return folder
    base = folder / "v2"
    if not base.is_dir():
        raise UsageError(f"{folder} is no mirror folder: it has no v2", hint="oc adm release mirror --to-dir makes one")
    found = sorted(p.parent for p in base.glob("**/manifests") if p.is_dir())
    if len(found) != 1:
        listed = ", ".join(str(p) for p in found) or "none"
        raise UsageError(f"{folder} holds {len(found)} repositories: {listed}", hint="name one of these folders")
    return found[0]

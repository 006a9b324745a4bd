"""Read a release from the folder that `oc adm release mirror --to-dir` writes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.base.paths import is_dir
from upgrade_gate.payloads.image.digests import digest_of
from upgrade_gate.payloads.image.folder import split_path
from upgrade_gate.payloads.image.layout import ImageFolder, checked, content
from upgrade_gate.payloads.image.release import ManifestBlob, read_release
from upgrade_gate.payloads.reference import is_called
from upgrade_gate.payloads.sources._released import released

if TYPE_CHECKING:
    from pathlib import Path

    from upgrade_gate.payloads.image.release import Descriptor
    from upgrade_gate.payloads.reference import Reference, ReleaseFiles, Settings
    from upgrade_gate.reading.limits import Limits


SCHEMES: tuple[str, ...] = ("mirror",)

_DEPTH = 6
"""Parts of a repository's name."""


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the release of `PATH[:TAG]`, `PATH:REPOSITORY:TAG` or `PATH@DIGEST`.

    The folder holds `v2/REPOSITORY/manifests/` (digests, and tags as links to them) and `blobs/` beside it. Among
    the tags are those of all components, `4.15.3-x86_64-cli` and so on: without TAG the one that the others begin
    with is read.
    """
    folder, wanted = split_path(reference.target)
    if not is_dir(folder):
        raise UsageError(f"{folder} is not a folder", hint=f"for an archive file write archive:{folder}")
    repositories = _repositories(folder)
    if not repositories:
        raise UsageError(
            f"{folder} is not a mirror: it has no v2/REPOSITORY/manifests", hint="see oc adm release mirror --to-dir"
        )
    repository, tag = _select(repositories, wanted, str(folder))
    store = _MirrorStore(ImageFolder(folder, str(folder), links=True), repository, settings.limits)
    image = read_release(store, tag, settings.limits)
    return released(reference, image.digest, settings, files=image.files, notes=image.notes, mirror_folder=folder)


def _repositories(folder: Path) -> dict[str, list[str]]:
    """Return the names under each `manifests` folder, by the repository's path below `folder` (`v2/…` as a rule)."""
    found: dict[str, list[str]] = {}
    pending = [("", 0)]
    while pending:
        inner, depth = pending.pop()
        try:
            with os.scandir(folder / inner) as entries:
                names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
            if {"manifests", "blobs"} <= set(names):
                found[inner.rstrip("/")] = sorted(path.name for path in (folder / inner / "manifests").iterdir())
                continue
        except OSError as exc:
            raise SourceError(f"{folder / inner}: {exc.strerror}", hint="the mirror must be readable") from exc
        if depth < _DEPTH + 1:
            pending.extend((f"{inner}{name}/", depth + 1) for name in names if depth or name == "v2")
    return found


def _select(repositories: dict[str, list[str]], wanted: str, shown: str) -> tuple[str, str]:
    """Return repository and tag (or digest) of the release; raises UsageError, listing the choice, where unclear."""
    name, _, version = ("", "", wanted) if wanted.startswith("sha") else wanted.rpartition(":")
    chosen = {
        path: names
        for path, names in repositories.items()
        if not name or path.removeprefix("v2/") == name or path == name
    }
    found: list[tuple[str, str]] = []
    for path, names in sorted(chosen.items()):
        tags = _releases(names)
        if version:
            tags = [version] if version in names else [tag for tag in tags if is_called(tag, version)]
        found.extend((path, tag) for tag in tags)
    if len(found) == 1:
        return found[0]
    held = [(path, tag) for path, names in sorted(repositories.items()) for tag in _releases(names)]
    listed = ", ".join(f"{path.removeprefix('v2/')}:{tag}" for path, tag in held) or "no tag"
    if not found:
        what = f"no {wanted}" if wanted else "no tag; name a digest with @sha256:…"
        raise UsageError(f"{shown} has {what}", hint=f"it has {listed}")
    raise UsageError(f"{shown} has {len(found)} releases", hint=f"append :TAG or :REPOSITORY:TAG, one of {listed}")


def _releases(names: list[str]) -> list[str]:
    """Return the tags that are no component's: a component's tag is the release's, `-`, and its name."""
    tags = [name for name in names if not name.startswith(("sha256:", "sha512:"))]
    return [tag for tag in tags if not any(tag.startswith(f"{other}-") for other in tags)]


class _MirrorStore:
    """One repository of a mirror folder."""

    def __init__(self, files: ImageFolder, repository: str, limits: Limits) -> None:
        self._files = files
        self._prefix = f"{repository}/" if repository else ""
        self._limits = limits

    def manifest(self, reference: str) -> ManifestBlob:
        """Return the manifest of a tag or digest."""
        data = content(self._files, f"{self._prefix}manifests/{reference}", self._limits)
        like = reference if reference.startswith(("sha256:", "sha512:")) else "sha256:"
        return ManifestBlob(data, "", digest_of(data, like))

    def open_blob(self, wanted: Descriptor) -> BinaryIO:
        """Return a blob whose digest was checked."""
        return checked(self._files, f"{self._prefix}blobs/{wanted.digest}", wanted)

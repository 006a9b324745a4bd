"""Blobs and manifests that lie as files: in an OCI layout, in a mirror folder, or unpacked from an archive."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from upgrade_gate.errors import SourceError, UsageError
from upgrade_gate.sources import _folder
from upgrade_gate.sources._image import Descriptor, ManifestBlob, check_digest, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from upgrade_gate.source import Limits

__all__ = ["LayoutStore", "choose_entry", "folder_opener"]

_MANIFEST_CAP = 8 * 2**20
_PIECE = 2**20
REF_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True, slots=True)
class LayoutStore:
    """A store over named files."""

    where: str
    """For messages."""
    open_file: Callable[[str], BinaryIO]
    """Open a file by its name in the layout; raises FileNotFoundError where there is none."""
    path_of: Callable[[str], str]
    """Name of the blob of a digest."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tag to digest."""

    def manifest(self, reference: str) -> ManifestBlob:
        """Return the manifest of a digest or tag; raises SourceError, naming it."""
        digest = check_digest(self.tags.get(reference, reference), self.where)
        try:
            with self.open_file(self.path_of(digest)) as stream:
                data = stream.read(_MANIFEST_CAP + 1)
        except FileNotFoundError as error:
            raise SourceError(f"{self.where}: manifest {digest} is not there") from error
        if len(data) > _MANIFEST_CAP:
            raise SourceError(f"{self.where}: manifest {digest} is larger than {_MANIFEST_CAP} bytes")
        return ManifestBlob(data, "", digest_of(data, digest))

    def open_blob(self, descriptor: Descriptor) -> BinaryIO:
        """Return the blob once its size and digest were checked over the whole."""
        digest = check_digest(descriptor.digest, self.where)
        try:
            stream = self.open_file(self.path_of(digest))
        except FileNotFoundError as error:
            raise SourceError(f"{self.where}: layer {digest} is not there", hint="the copy is incomplete") from error
        whole = hashlib.new(digest.partition(":")[0])
        size = 0
        while piece := stream.read(_PIECE):
            whole.update(piece)
            size += len(piece)
        if size != descriptor.size or whole.hexdigest() != digest.partition(":")[2]:
            stream.close()
            raise SourceError(
                f"{self.where}: layer {digest} is damaged: {size} bytes with digest {whole.name}:{whole.hexdigest()}, "
                f"the manifest says {descriptor.size}",
                hint="copy the image again",
            )
        stream.seek(0)
        return stream


def folder_opener(folder: Path, shown: str, limits: Limits) -> Callable[[str], BinaryIO]:
    """Return a function that opens files inside a folder; links that leave it are refused."""
    root = folder.resolve()

    def open_file(name: str) -> BinaryIO:
        path = root / name
        if not path.exists():
            raise FileNotFoundError(name)
        real = path.resolve()
        if not real.is_relative_to(root):
            raise SourceError(f"{shown}/{name} is a link that leaves the folder", hint="copy the file itself")
        descriptor, size = _folder.open_inside(real, f"{shown}/{name}")
        if size > limits.compressed:
            os.close(descriptor)
            raise SourceError(f"{shown}/{name}: {size} bytes, more than the {limits.compressed} that are read")
        return io.BufferedReader(io.FileIO(descriptor, closefd=True))

    return open_file


def choose_entry(index: Mapping[str, object], tag: str, where: str) -> str:
    """Return the digest that an index.json means: by tag or digest, or its only entry.

    Raises UsageError, listing the tags, where several entries are there and none is named, or none has that name.
    """
    entries = index.get("manifests")
    names: dict[str, str] = {}
    digests: list[str] = []
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("digest"), str):
            raise SourceError(f"{where}: an entry of index.json has no digest")
        digests.append(entry["digest"])
        annotations = entry.get("annotations")
        name = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
        if isinstance(name, str):
            names[name] = entry["digest"]
            names.setdefault(name.rpartition(":")[2], entry["digest"])
    if tag:
        if tag in names:
            return names[tag]
        if tag in digests:
            return tag
        raise UsageError(f"{where} has no {tag}", hint=f"it has {', '.join(sorted(names) or digests) or 'nothing'}")
    if len(set(digests)) == 1:
        return digests[0]
    if not digests:
        raise SourceError(f"{where}: index.json lists no image")
    raise UsageError(f"{where} holds {len(digests)} images", hint=f"append :TAG, one of {', '.join(sorted(names))}")

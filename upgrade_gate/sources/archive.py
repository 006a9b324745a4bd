"""Read a release from one file: docker-archive, oci-archive, or a tar of manifests, plain or packed."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from upgrade_gate.errors import SourceError, UsageError
from upgrade_gate.source import ReleaseFiles, is_payload_file
from upgrade_gate.sources import _folder, _signatures
from upgrade_gate.sources._image import check_digest, collect, parse_json, read_release
from upgrade_gate.sources._layers import Unpacked, read_layer
from upgrade_gate.sources._layout import LayoutStore, choose_entry
from upgrade_gate.sources._tar import Tar
from upgrade_gate.sources.oci import blob_path

if TYPE_CHECKING:
    from upgrade_gate.source import Limits, Reference, Settings
    from upgrade_gate.sources._layers import Layer

__all__ = ["SCHEMES", "fetch"]

SCHEMES: tuple[str, ...] = ("archive",)


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the release of a file; its form is told by its content, not by its name.

    Raises UsageError where the file does not exist, SourceError (naming file or digest) where it holds no release or
    is damaged anywhere: the archive is read to its end before anything of it counts.
    """
    path = Path(reference.target).expanduser()
    tag = ""
    if not path.is_file():
        path, tag = _folder.split_path(reference.target)
    if not path.is_file():
        raise UsageError(f"{reference.target} is no file", hint=f"for a folder write dir:{reference.target}")
    shown = str(path)
    if path.stat().st_size > settings.limits.unpacked:
        raise SourceError(f"{shown}: larger than the {settings.limits.unpacked} bytes that are read")
    with tempfile.TemporaryDirectory(prefix="upgrade-gate-") as scratch, path.open("rb") as raw:
        members = _unpack(raw, shown, settings.limits, Path(scratch))
        if "index.json" in members and "oci-layout" in members:
            return _oci(reference, members, tag, shown, settings)
        if "manifest.json" in members:
            return _docker(reference, members, tag, shown, settings.limits)
        return _manifests(reference, members, shown, settings.limits)


def _unpack(raw: BinaryIO, shown: str, limits: Limits, scratch: Path) -> dict[str, Path]:
    """Write every regular file of the tar into scratch, under numbers: no name of the archive becomes a path."""
    stream = Unpacked(raw, shown, limits)
    tar = Tar(stream, shown, limits.entries)
    members: dict[str, Path] = {}
    for number, member in enumerate(tar):
        name = member.name.removeprefix("./")
        if member.kind == "folder":
            continue
        if member.kind != "file":
            if is_payload_file(name):
                raise SourceError(f"{shown}: {name} is no regular file", hint="links in archives are not followed")
            continue  # docker-archives link the layers' old names; nothing is read through a link
        target = scratch / str(number)
        target.write_bytes(tar.data(member))
        members[name] = target
    stream.finish()
    if not members:
        raise SourceError(f"{shown} holds no file")
    return members


def _opener(members: dict[str, Path], name: str) -> BinaryIO:
    if name not in members:
        raise FileNotFoundError(name)
    return members[name].open("rb")


def _oci(reference: Reference, members: dict[str, Path], tag: str, shown: str, settings: Settings) -> ReleaseFiles:
    limits = settings.limits
    index = parse_json(members["index.json"].read_bytes(), f"{shown}: index.json", limits)
    store = LayoutStore(shown, lambda name: _opener(members, name), blob_path)
    release = read_release(store, choose_entry(index, tag, shown), limits)
    verified, sentence = _signatures.verify(release.digest, settings)
    return ReleaseFiles(
        reference=reference.text,
        files=release.files,
        digest=release.digest,
        verified=verified,
        verification=sentence,
        notes=release.notes,
    )


def _docker(reference: Reference, members: dict[str, Path], tag: str, shown: str, limits: Limits) -> ReleaseFiles:
    """Read a docker-archive: its layers are unpacked tars, and only the image's config vouches for them."""
    import json

    try:
        images = json.loads(members["manifest.json"].read_bytes())
    except ValueError as error:
        raise SourceError(f"{shown}: manifest.json is no JSON: {error}") from error
    if not isinstance(images, list) or not all(isinstance(image, dict) for image in images):
        raise SourceError(f"{shown}: manifest.json is no list of images")
    if tag:
        images = [i for i in images if any(str(t).rpartition(":")[2] == tag for t in i.get("RepoTags") or ())]
    if len(images) != 1:
        raise UsageError(f"{shown} holds {len(images)} such images", hint=f"name one: archive:{shown}:TAG")
    layers = images[0].get("Layers")
    config = images[0].get("Config")
    if not isinstance(layers, list) or not layers or not isinstance(config, str) or config not in members:
        raise SourceError(f"{shown}: manifest.json names no layers or no config")
    vouched = _diff_ids(members[config].read_bytes(), config, shown, limits)
    if len(vouched) != len(layers):
        raise SourceError(f"{shown}: {config} vouches for {len(vouched)} layers, manifest.json names {len(layers)}")

    def layer(name: str, digest: str) -> Layer:
        if name not in members:
            raise SourceError(f"{shown}: layer {name} is not there", hint="the archive is incomplete")
        with members[name].open("rb") as stream:
            read = read_layer(stream, f"{shown}: layer {name}", limits)
        if read.content_digest != digest:
            raise SourceError(f"{shown}: layer {name} is damaged: its digest is {read.content_digest}, not {digest}")
        return read

    pairs = list(zip(layers, vouched, strict=True))
    files, notes = collect(
        (lambda n=name, d=digest: layer(n, d) for name, digest in reversed(pairs)),  # type: ignore[misc]
        shown,
    )
    return ReleaseFiles(
        reference=reference.text,
        files=files,
        verification="a docker-archive does not keep the digest that was signed",
        notes=notes,
    )


def _diff_ids(data: bytes, name: str, shown: str, limits: Limits) -> list[str]:
    rootfs = parse_json(data, f"{shown}: {name}", limits).get("rootfs")
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(found, list) or not all(isinstance(d, str) for d in found):
        raise SourceError(f"{shown}: {name} lists no layer digests")
    return [check_digest(d, shown) for d in found]


def _manifests(reference: Reference, members: dict[str, Path], shown: str, limits: Limits) -> ReleaseFiles:
    root = _folder.find_root(members, shown)
    files: dict[str, bytes] = {}
    for name in sorted(members):
        inner = name.removeprefix(root)
        if not name.startswith(root) or not is_payload_file(inner):
            continue
        size = members[name].stat().st_size
        if size > limits.file:
            raise SourceError(f"{shown}: {name}: {size} bytes, more than the {limits.file} that are read of one file")
        with io.BytesIO(members[name].read_bytes()) as stream:
            files[inner] = stream.read()
    return ReleaseFiles(
        reference=reference.text, files=files, verification="a tar of manifests has no digest that could be signed"
    )

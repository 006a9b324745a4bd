"""Read a release from one file: a docker-archive, an oci-archive, or a tar of manifests, packed or not."""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from upgrade_gate.base.errors import ManifestError, SourceError, UsageError
from upgrade_gate.base.paths import is_dir
from upgrade_gate.payloads.image.digests import digest_of
from upgrade_gate.payloads.image.folder import find_root, find_roots, open_inside, refuse_guesses, split_path
from upgrade_gate.payloads.image.layers import Unpacked, packing, read_layer
from upgrade_gate.payloads.image.layout import ImageArchive, OciStore, content
from upgrade_gate.payloads.image.release import collect, parse_json, read_release
from upgrade_gate.payloads.image.tar import BLOCK, looks_like_tar
from upgrade_gate.payloads.reference import RELEASE_METADATA, ReleaseFiles, is_called, is_payload_file, misnamed
from upgrade_gate.payloads.sources._released import released
from upgrade_gate.reading import yaml
from upgrade_gate.reading.files import temporary_room
from upgrade_gate.reading.node import mapping, sequence, text

if TYPE_CHECKING:
    from upgrade_gate.payloads.image.layers import Layer
    from upgrade_gate.payloads.reference import Reference, Settings
    from upgrade_gate.reading.limits import Limits


SCHEMES: tuple[str, ...] = ("archive",)

_PIECE = 2**20
_MANY = 100
"""Releases of one archive that are looked at."""
_NAMED_BY_DIGEST = re.compile(r"(?:.*/)?([0-9a-f]{64})(?:\.json)?")


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the release of `FILE[:TAG]`; its content tells the form and the packing, not its name.

    TAG is a tag, a version or a digest where the archive holds several releases.
    """
    path, tag = split_path(reference.target)
    if is_dir(path):
        raise UsageError(f"{path} is a folder", hint=f"write dir:{path}, oci:{path} or mirror:{path}")
    limits, shown = settings.limits, str(path)
    whole, damage = True, list[str]()
    with ExitStack() as stack:
        handle, _ = open_inside(os.path.realpath(path), shown)
        archive = _plain(stack.enter_context(os.fdopen(handle, "rb")), shown, limits, stack)
        files = ImageArchive(archive, shown, limits)
        if "index.json" in files.members:
            return _oci(files, tag, reference, settings)
        if "manifest.json" in files.members and "release-metadata" not in files.members:
            found, notes = _docker(files, tag, limits)
            why = "a docker-archive does not keep the digest that signatures are for"
        else:
            found, notes, whole = _manifests(files, tag, limits), (), False
            damage = ["data follows the end mark of the archive"] * files.goes_on()
            damage += misnamed(sorted(name.rpartition("/")[2] for name in files.members))
            why = "an archive of manifests has no digest that could be signed"
    return ReleaseFiles(reference.text, found, verification=why, notes=notes, whole=whole, damage=damage)


def _plain(file: BinaryIO, shown: str, limits: Limits, stack: ExitStack) -> BinaryIO:
    """Return an archive unpacked: itself, or a temporary file without a name."""
    head = file.read(BLOCK)
    file.seek(0)
    if packing(head) != "plain":
        with temporary_room("the unpacked archive"):
            unpacked = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
        stream = Unpacked(file, shown, limits)
        while piece := stream.read(_PIECE):
            with temporary_room("the unpacked archive"):
                unpacked.write(piece)
        with temporary_room("the unpacked archive"):
            unpacked.seek(0)
        file, head = unpacked, unpacked.read(BLOCK)
        file.seek(0)
    if not looks_like_tar(head):
        raise SourceError(
            f"{shown} is not a tar archive, plain, gzip or zstd", hint="docker-archive, oci-archive or tar"
        )
    return file


def _oci(files: ImageArchive, tag: str, reference: Reference, settings: Settings) -> ReleaseFiles:
    store = OciStore(files, settings.limits)
    image = read_release(store, store.resolve(tag), settings.limits)
    return released(reference, image.digest, settings, files=image.files, notes=image.notes)


def _docker(files: ImageArchive, tag: str, limits: Limits) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return the release of a docker-archive (`docker save`, `podman save`, skopeo), its layers checked by diff_id."""
    where = f"{files.shown}: manifest.json"
    try:
        images = yaml.parse_one(content(files, "manifest.json", limits), where, limits=limits).body
    except ManifestError as exc:
        raise SourceError(f"{where} cannot be read: {exc.message}") from exc
    if not isinstance(images, list) or not images:
        raise SourceError(f"{where} lists no image")
    image = _select(images, tag, files.shown)
    match image:
        case {"Config": str(config), "Layers": [*layers]} if layers and all(isinstance(name, str) for name in layers):
            pass
        case _:
            raise SourceError(f"{where} has an image without config and layers")
    digests = _diff_ids(files, config, limits)
    if len(digests) != len(layers):
        raise SourceError(f"{where} names {len(layers)} layers, the image's config {len(digests)}")
    pairs = zip(reversed(layers), reversed(digests), strict=True)
    return collect((partial(_layer, files, name, digest, limits) for name, digest in pairs), files.shown)


def _select(images: list[Any], tag: str, shown: str) -> object:
    """Return the image that a tag, or no tag, names."""
    tags = [tuple(filter(None, map(text, sequence(mapping(image).get("RepoTags")) or ()))) for image in images]
    found = [
        image
        for image, names in zip(images, tags, strict=True)
        if not tag or any(name == tag or is_called(name.rpartition(":")[2], tag) for name in names)
    ]
    if len(found) == 1:
        return found[0]
    held = "; ".join(", ".join(names) or "no tag" for names in tags)
    which = f"{len(found)} images with the tag {tag}" if tag else f"{len(found)} images; name one by :TAG"
    raise UsageError(f"{shown} has {which}", hint=f"it has: {held}")


def _diff_ids(files: ImageArchive, config: str, limits: Limits) -> list[str]:
    """Return the digests of the unpacked layers, from the config, whose own name is a digest as a rule."""
    where = f"{files.shown}: config {config}"
    data = content(files, config, limits)
    if (named := _NAMED_BY_DIGEST.fullmatch(config)) and digest_of(data) != f"sha256:{named[1]}":
        raise SourceError(f"{where} has the digest {digest_of(data)}: it is damaged", hint="save the image again")
    rootfs = parse_json(data, where, limits).get("rootfs")
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    if not isinstance(found, list) or not all(isinstance(digest, str) for digest in found):
        raise SourceError(f"{where} does not say what its layers are (rootfs.diff_ids)")
    return found


def _layer(files: ImageArchive, name: str, digest: str, limits: Limits) -> Layer:
    stream, _ = files.open(name)
    where = f"{files.shown}: layer {name}"
    with stream:
        layer = read_layer(stream, where, limits, hashed=True)
    if layer.content_digest != digest:
        raise SourceError(
            f"{where} has the digest {layer.content_digest}, the image's config says {digest}: it is damaged",
            hint="save the image again",
        )
    return layer


def _manifests(files: ImageArchive, tag: str, limits: Limits) -> dict[str, bytes]:
    """Return the files of a tar of manifests, whatever folder they stand in."""
    root = _root(files, tag, limits)
    found: dict[str, bytes] = {}
    for name in sorted(files.members):
        member = files.members[name]
        if not name.startswith(root) or member.kind == "folder":
            continue
        if member.kind != "file":
            raise SourceError(f"{files.shown}: {name} is not a regular file; links are not followed")
        if is_payload_file(name[len(root) :]):
            found[name[len(root) :]] = content(files, name, limits)
    return found


def _root(files: ImageArchive, tag: str, limits: Limits) -> str:
    """Return the folder of the one release that is there, or that a version or a folder's name chooses.

    What oc-mirror writes for an update holds both of its releases, and no folder of an archive can be named.
    """
    names = [name for name, member in files.members.items() if member.kind != "folder"]
    roots = find_roots(names)
    if len(roots) <= 1 and not tag:
        return find_root(names, files.shown)
    if not tag:
        refuse_guesses(roots, names, files.shown)
    called = {root: _version(files, root, limits) for root in roots[:_MANY]}
    exact = [root for root, version in called.items() if tag and (version == tag or tag in root.split("/"))]
    chosen = exact or [r for r in called if not tag or any(is_called(part, tag) for part in r.split("/"))]
    if len(chosen) == 1:
        return chosen[0]
    which = f"{len(chosen) if tag else len(roots)} releases" if chosen else "no release"
    listed = sorted(version or root.rstrip("/") for root, version in called.items()) or ["no release at all"]
    raise UsageError(
        f"{files.shown} holds {which}{f' called {tag}' if tag else ''}: it has {', '.join(listed)}",
        hint=f"choose one by its version: archive:{files.shown}:{listed[-1]}; or unpack it and name one of "
        + ", ".join(root.rstrip("/") or "." for root in called),
    )


def _version(files: ImageArchive, root: str, limits: Limits) -> str:
    """Return the version that a folder's release-metadata names, empty where there is none."""
    name = f"{root}{RELEASE_METADATA}"
    if name not in files.members:
        return ""
    try:
        version = parse_json(content(files, name, limits), name, limits).get("version")
    except SourceError:
        return ""
    return version if isinstance(version, str) else ""

"""Release images as files: OCI layouts, archives, mirror folders, made from an image of the tests."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING

import zstandard

from tests.worlds.release_image import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.worlds.release_image import Image


def packed(files: Mapping[str, bytes], packing: str) -> bytes:
    """Return a tar of files, plain or packed with gzip or zstd."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return pack(buffer.getvalue(), packing)


def pack(data: bytes, packing: str) -> bytes:
    """Return bytes as they are, or packed with gzip or zstd."""
    match packing:
        case "gzip":
            return gzip.compress(data, mtime=0)
        case "zstd":
            return zstandard.ZstdCompressor().compress(data)
        case _:
            return data


def layout_files(image: Image, tags: tuple[str, ...] = ("latest",)) -> dict[str, bytes]:
    """Return the files of an OCI layout."""
    entries = [
        {
            "mediaType": image.media_type,
            "digest": image.digest,
            "size": len(image.manifest),
            "annotations": {"org.opencontainers.image.ref.name": tag},
        }
        for tag in tags
    ]
    files = {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps({"schemaVersion": 2, "manifests": entries}).encode(),
    }
    for part in (image, *image.children):
        files[f"blobs/sha256/{part.digest.partition(':')[2]}"] = part.manifest
        files.update({f"blobs/sha256/{d.partition(':')[2]}": data for d, data in part.blobs.items()})
    return files


def docker_files(image: Image) -> dict[str, bytes]:
    """Return the files of a docker-archive: unpacked layers, and the config that vouches for them."""
    manifest = json.loads(image.manifest)
    config = image.blobs[manifest["config"]["digest"]]
    files: dict[str, bytes] = {}
    names = []
    for entry in manifest["layers"]:
        data = image.blobs[entry["digest"]]
        plain = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
        names.append(f"{digest_of(plain).partition(':')[2]}/layer.tar")
        files[names[-1]] = plain
    name = f"{digest_of(config).partition(':')[2]}.json"
    files[name] = config
    listed = [{"Config": name, "RepoTags": ["release:x"], "Layers": names}]
    return {**files, "manifest.json": json.dumps(listed).encode()}


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder and return it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def mirror(folder: Path, image: Image, tag: str = "4.15.3-x86_64", *, repository: str = "openshift/release") -> Path:
    """Write what `oc adm release mirror --to-dir` writes; the tag is a link to the file named by digest."""
    base = folder / "v2" / repository
    write(base, {f"manifests/{image.digest}": image.manifest})
    write(base, {f"blobs/{digest}": data for digest, data in image.blobs.items()})
    (base / "manifests" / tag).symlink_to(image.digest)
    return folder

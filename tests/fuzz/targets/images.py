"""Images on disk: layers, archives, OCI layouts and mirror folders, with digests that are right around the input.

The first byte of an input says which part of an image the rest is; the other parts are those of a good image, and every
digest is made anew, so that what is hostile is read and not merely found to be damaged.
"""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
from functools import cache
from typing import TYPE_CHECKING

import zstandard

from tests.fuzz import harness
from tests.fuzz.harness import Target
from tests.fuzz.mutation import of_bytes, of_tree
from tests.worlds.release_image import OCI, OCI_CONFIG, OCI_INDEX, OCI_LAYER, digest_of, release_files, tar_of
from upgrade_gate.payloads import reference
from upgrade_gate.payloads.image.layers import read_layer
from upgrade_gate.payloads.reference import Reference, ReleaseFiles, Settings, is_payload_file
from upgrade_gate.reading.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

LIMITS = Limits(compressed=2**20, unpacked=2**20, file=2**17, entries=500)
LAYER, MANIFEST, CONFIG, INDEX = b"L", b"M", b"C", b"I"
PLAIN, GZIP, ZSTD, AS_IS = b"0", b"1", b"2", b"3"
BLOCK = 512


def mended(tar: bytes) -> bytes:
    """Return a tar whose headers have their right sums again."""
    found = bytearray(tar)
    for start in range(0, len(found) - BLOCK + 1, BLOCK):
        header = found[start : start + BLOCK]
        if header[257:262] == b"ustar":
            header[148:156] = b" " * 8
            found[start + 148 : start + 156] = b"%06o\0 " % sum(header)
    return bytes(found)


def packed(data: bytes) -> bytes:
    """Return the tar of an input, packed as its first byte says."""
    how, tar = data[:1], mended(data[1:])
    match how:
        case b"1":
            return gzip.compress(tar, 1, mtime=0)
        case b"2":
            return zstandard.ZstdCompressor(level=1).compress(tar)
        case b"3":
            return data[1:]
        case _:
            return tar


def unpack_layer(data: bytes) -> None:
    """Nothing leaves release-manifests, and nothing is larger than allowed."""
    layer = read_layer(io.BytesIO(packed(data)), "layer", LIMITS, hashed=True)
    for name, content in layer.files.items():
        assert is_payload_file(name)
        assert ".." not in name.split("/")
        assert not name.startswith("/")
        assert len(content) <= LIMITS.file
    assert sum(map(len, layer.files.values())) <= LIMITS.unpacked


def read_archive(data: bytes) -> None:
    """A tar of manifests, packed or not."""
    _check(_fetch("archive", harness.file("release.tar", packed(data))))


@cache
def _good() -> dict[bytes, bytes]:
    """Return the parts of a good image."""
    layer = tar_of(release_files("4.15.3"))
    config = json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": [digest_of(layer)]}}).encode()
    return {LAYER: layer, CONFIG: config}


def _parts(data: bytes) -> tuple[dict[bytes, bytes], dict[str, bytes]]:
    """Return layer, config, manifest and index, one of them the input, and the blobs by their right digests."""
    parts = dict(_good())
    which, content = data[:1], data[1:]
    if which in (LAYER, CONFIG):
        parts[which] = packed(content) if which == LAYER else content
    layer, config = parts[LAYER], parts[CONFIG]
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": {"mediaType": OCI_CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": OCI_LAYER, "digest": digest_of(layer), "size": len(layer)}],
    }
    parts[MANIFEST] = content if which == MANIFEST else json.dumps(manifest).encode()
    entry = {"mediaType": OCI, "digest": digest_of(parts[MANIFEST]), "size": len(parts[MANIFEST])}
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry]}
    parts[INDEX] = content if which == INDEX else json.dumps(index).encode()
    return parts, {digest_of(parts[key]): parts[key] for key in (LAYER, CONFIG, MANIFEST)}


def read_oci(data: bytes) -> None:
    """An OCI layout: where it is read, its digest is that of the manifest."""
    parts, blobs = _parts(data)
    root = _empty("oci")
    harness.file("oci/oci-layout", b'{"imageLayoutVersion": "1.0.0"}')
    harness.file("oci/index.json", parts[INDEX])
    for digest, content in blobs.items():
        harness.file(f"oci/blobs/{digest.replace(':', '/')}", content)
    found = _check(_fetch("oci", root))
    assert found.digest in blobs, "a digest that nothing has"


def read_mirror(data: bytes) -> None:
    """What `oc adm release mirror --to-dir` writes; an index stands behind the tag where the input is one."""
    parts, blobs = _parts(data)
    root = _empty("mirror")
    base = "mirror/v2/ocp/release"
    harness.file(f"{base}/manifests/4.15.3-x86_64", parts[INDEX] if data[:1] == INDEX else parts[MANIFEST])
    for digest, content in blobs.items():
        harness.file(f"{base}/blobs/{digest}", content)
        harness.file(f"{base}/manifests/{digest}", content)
    found = _check(_fetch("mirror", root))
    assert found.digest in {*blobs, digest_of(parts[INDEX])}, "a digest that nothing has"


def read_docker_archive(data: bytes) -> None:
    """What `docker save` writes; its layers are checked by the config."""
    parts, _ = _parts(data)
    layer = parts[LAYER]
    config = json.dumps({"rootfs": {"diff_ids": [digest_of(layer)]}}).encode()
    config = parts[CONFIG] if data[:1] == CONFIG else config
    listed = [{"Config": "config.json", "RepoTags": ["r/x:4.15.3"], "Layers": ["layer.tar"]}]
    manifest = parts[MANIFEST] if data[:1] == MANIFEST else json.dumps(listed).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in (("manifest.json", manifest), ("config.json", config), ("layer.tar", layer)):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    _check(_fetch("archive", harness.file("image.tar", buffer.getvalue())))


def _empty(name: str) -> Path:
    root = harness.folder() / name
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    return root


def _fetch(scheme: str, path: Path) -> ReleaseFiles:
    return reference.fetch(Reference(f"{scheme}:{path}", scheme, str(path)), Settings(limits=LIMITS, verify="off"))


def _check(found: ReleaseFiles) -> ReleaseFiles:
    for name, content in found.files.items():
        assert is_payload_file(name)
        assert ".." not in name.split("/")
        assert len(content) <= LIMITS.file
    return found


def mutate(data: bytes, random: Random) -> bytes:
    """Change JSON as a tree and tars as bytes; the first byte, which says what the rest is, seldom."""
    if random.randrange(12) == 0:
        return random.choice((LAYER, MANIFEST, CONFIG, INDEX, PLAIN, GZIP, ZSTD, AS_IS)) + data[1:]
    change = of_tree if data[:1] in (MANIFEST, CONFIG, INDEX) else of_bytes
    return data[:1] + change(data[1:], random)


TARGETS = (
    Target("layers", unpack_layer, mutate, weight=2),
    Target("archives", read_archive, mutate, weight=2),
    Target("oci", read_oci, mutate),
    Target("mirrors", read_mirror, mutate),
    Target("docker-archives", read_docker_archive, mutate),
)

"""Release images as `oc adm release new` builds them: a base, and one last layer with `release-manifests/`."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json"
SCHEMA2_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
FOLDER = "release-manifests"


def digest_of(data: bytes) -> str:
    """Return `sha256:…` of data."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass
class Image:
    """A manifest with every blob and manifest below it."""

    manifest: bytes
    media_type: str
    blobs: dict[str, bytes] = field(default_factory=dict)
    children: list[Image] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Of the manifest."""
        return digest_of(self.manifest)

    @property
    def last_layer(self) -> str:
        """Digest of the last layer; of a list, of the first child's."""
        if self.children:
            return self.children[0].last_layer
        layer: str = json.loads(self.manifest)["layers"][-1]["digest"]
        return layer


def release_files(version: str, extra: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Return the files of a small release, the two metadata files first as in a real one."""
    metadata = {"kind": "cincinnati-metadata-v0", "version": version, "previous": [], "metadata": {}}
    references = {"kind": "ImageStream", "apiVersion": "image.openshift.io/v1", "metadata": {"name": version}}
    request = (
        "apiVersion: cloudcredential.openshift.io/v1\nkind: CredentialsRequest\n"
        "metadata:\n  name: storage\n  namespace: openshift-cloud-credential-operator\n"
        '  annotations:\n    include.release.openshift.io/self-managed-high-availability: "true"\n'
        "spec:\n  secretRef: {name: cloud, namespace: openshift-storage}\n"
        "  providerSpec:\n    apiVersion: cloudcredential.openshift.io/v1\n    kind: AWSProviderSpec\n"
        "    statementEntries:\n    - effect: Allow\n      action: ['ec2:DescribeVolumes']\n      resource: '*'\n"
    )
    return {
        "image-references": json.dumps(references).encode(),
        "release-metadata": json.dumps(metadata).encode(),
        "0000_50_storage_03_request.yaml": request.encode(),
        **(extra or {}),
    }


def tar_of(files: Mapping[str, bytes], *, folder: str = FOLDER, odd: list[tarfile.TarInfo] | None = None) -> bytes:
    """Return a tar of files below a folder; `odd` are further entries without content, such as links."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        top = tarfile.TarInfo(folder)
        top.type, top.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(top)
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
        for entry in odd or ():
            tar.addfile(entry)
    return buffer.getvalue()


@cache
def base_layer(size: int) -> bytes:
    """Return a base layer of about so many bytes that does not compress; always the same."""
    content = random.Random(size).randbytes(size)
    return gzip.compress(tar_of({"usr/bin/cluster-version-operator": content}, folder="base"), 1, mtime=0)


@cache
def diff_id(layer: bytes) -> str:
    """Return the digest of a layer unpacked, as an image's configuration names it."""
    if layer.startswith(b"\x1f\x8b"):
        return digest_of(gzip.decompress(layer))
    if layer.startswith(b"\x28\xb5\x2f\xfd"):
        return digest_of(zstandard.ZstdDecompressor().decompressobj().decompress(layer))
    return digest_of(layer)


def build(
    version: str,
    *,
    base: int = 20_000,
    files: Mapping[str, bytes] | None = None,
    layer: tuple[bytes, str] | None = None,
    lower: list[tuple[bytes, str]] | None = None,
    oci: bool = False,
) -> Image:
    """Build a single-arch image; `layer` replaces the last layer, `lower` stands between it and the base."""
    packed = gzip.compress(tar_of(files if files is not None else release_files(version)), mtime=0)
    kind = f"{OCI_LAYER}+gzip" if oci else DOCKER_LAYER
    layers = [(base_layer(base), kind), *(lower or []), layer or (packed, kind)]
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"io.openshift.release": version}},
            "rootfs": {"type": "layers", "diff_ids": [diff_id(data) for data, _ in layers]},
        }
    ).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI if oci else SCHEMA2,
        "config": _descriptor(config, OCI_CONFIG if oci else DOCKER_CONFIG),
        "layers": [_descriptor(data, media) for data, media in layers],
    }
    blobs = {digest_of(data): data for data in (config, *(data for data, _ in layers))}
    return Image(json.dumps(manifest).encode(), OCI if oci else SCHEMA2, blobs)


def build_list(images: Mapping[str, Image], *, oci: bool = False) -> Image:
    """Build a manifest list of images by architecture."""
    entries = [
        {
            "digest": image.digest,
            "size": len(image.manifest),
            "mediaType": image.media_type,
            "platform": {"os": "linux", "architecture": architecture},
        }
        for architecture, image in images.items()
    ]
    kind = OCI_INDEX if oci else SCHEMA2_LIST
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": entries}).encode()
    return Image(manifest, kind, children=list(images.values()))


def _descriptor(data: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}

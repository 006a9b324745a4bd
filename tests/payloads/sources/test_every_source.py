"""One release in every form: the same manifests, whatever it came in (the real payloads of the shared corpus)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from tests.worlds import images
from tests.worlds.release_image import OCI_LAYER, Image, build, build_list, tar_of
from upgrade_gate.payloads import payload
from upgrade_gate.payloads import reference as source
from upgrade_gate.payloads.payload import Payload
from upgrade_gate.payloads.reference import Settings

Form = Callable[[Path, dict[str, bytes]], str]


def image_of(files: dict[str, bytes], *, oci: bool, zstd: bool = False) -> Image:
    layer = (zstandard.ZstdCompressor().compress(tar_of(files)), f"{OCI_LAYER}+zstd") if zstd else None
    return build("x", files=files, oci=oci, layer=layer)


def archive(name: str, packing: str, contents: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Form:
    def write(folder: Path, files: dict[str, bytes]) -> str:
        path = folder / name
        path.write_bytes(images.packed(contents(files), packing))
        return f"archive:{path}"

    return write


def layout(folder: Path, files: dict[str, bytes]) -> str:
    return f"oci:{images.write(folder / 'layout', images.layout_files(image_of(files, oci=True)))}:latest"


def zstd_list(folder: Path, files: dict[str, bytes]) -> str:
    other = build("x", oci=True)
    whole = build_list({"s390x": other, "amd64": image_of(files, oci=True, zstd=True)}, oci=True)
    return f"oci:{images.write(folder / 'list', images.layout_files(whole))}"


def mirror(folder: Path, files: dict[str, bytes]) -> str:
    return f"mirror:{images.mirror(folder / 'mirror', image_of(files, oci=False))}"


FORMS: dict[str, Form] = {
    "docker-archive": archive("docker.tar", "plain", lambda f: images.docker_files(image_of(f, oci=False))),
    "docker-archive.gz": archive("docker.tar.gz", "gzip", lambda f: images.docker_files(image_of(f, oci=False))),
    "oci-archive": archive("oci.tar", "plain", lambda f: images.layout_files(image_of(f, oci=True))),
    "tar.zst": archive("release.tar.zst", "zstd", dict),
    "tar.gz of the folder": archive(
        "r.tgz", "gzip", lambda f: {f"./4.x/release-manifests/{n}": c for n, c in f.items()}
    ),
    "OCI layout": layout,
    "OCI list with zstd layers": zstd_list,
    "mirror": mirror,
}


def read(reference: str) -> Payload:
    return payload.load(source.fetch(source.parse_reference(reference), Settings(verify="off")))


@pytest.mark.parametrize("version", ["4.12.0", "4.13.0"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_manifests(form: str, version: str, shared: Path, tmp_path: Path) -> None:
    folder = shared / "corpus" / "releases" / version
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    expected = read(f"dir:{folder}")
    found = read(FORMS[form](tmp_path, files))
    assert found.manifests == expected.manifests
    assert (found.version, found.previous) == (expected.version, expected.previous) == (version, expected.previous)
    assert found.unreadable == expected.unreadable == ()


def test_packed_forms_are_not_told_by_their_names(tmp_path: Path) -> None:
    files = {"release-metadata": json.dumps({"kind": "cincinnati-metadata-v0", "version": "4.15.3"}).encode()}
    path = tmp_path / "release.zip"
    path.write_bytes(gzip.compress(images.packed(files, "plain")))
    assert read(str(path)).version == "4.15.3"

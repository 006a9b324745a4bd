"""Releases in one file: what each form gives, and what is refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tests import images
from tests.integration.release_image import build, release_files, tar_of
from upgrade_gate import payload, source
from upgrade_gate.errors import SourceError, UsageError
from upgrade_gate.source import ReleaseFiles, Settings

FILES = release_files("4.15.3")


def fetch(path: Path, tag: str = "") -> ReleaseFiles:
    return source.fetch(source.parse_reference(f"archive:{path}{tag}"), Settings(verify="off"))


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
@pytest.mark.parametrize("form", ["manifests", "release-manifests", "docker", "oci"])
def test_every_form_gives_the_same_files(form: str, packing: str, tmp_path: Path) -> None:
    image = build("4.15.3", oci=form == "oci")
    contents = {
        "manifests": FILES,
        "release-manifests": {f"release-manifests/{name}": data for name, data in FILES.items()},
        "docker": images.docker_files(image),
        "oci": images.layout_files(image),
    }[form]
    path = tmp_path / "release.bin"
    path.write_bytes(images.packed(contents, packing))
    found = fetch(path)
    assert dict(found.files) == dict(sorted(FILES.items()))
    assert payload.load(found).version == "4.15.3"
    assert found.digest == (image.digest if form == "oci" else None)


def test_flipped_byte_in_a_layer_is_named(tmp_path: Path) -> None:
    image = build("4.15.3", oci=True)
    files = images.layout_files(image)
    name = f"blobs/sha256/{image.last_layer.partition(':')[2]}"
    files[name] = files[name][:40] + bytes([files[name][40] ^ 1]) + files[name][41:]
    path = tmp_path / "release.tar"
    path.write_bytes(images.packed(files, "plain"))
    with pytest.raises(SourceError, match=image.last_layer):
        fetch(path)


def test_layer_of_a_docker_archive_must_be_the_one_its_config_vouches_for(tmp_path: Path) -> None:
    files = images.docker_files(build("4.15.3"))
    last = [name for name in files if name.endswith("layer.tar")][-1]
    files[last] = tar_of(release_files("4.16.0"))
    path = tmp_path / "release.tar"
    path.write_bytes(images.packed(files, "plain"))
    with pytest.raises(SourceError, match="damaged"):
        fetch(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_link_or_device_in_place_of_a_manifest_is_refused(kind: bytes, tmp_path: Path) -> None:
    entry = tarfile.TarInfo("0000_50_evil.yaml")
    entry.type, entry.linkname = kind, "/etc/passwd"
    path = tmp_path / "release.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        tar.addfile(entry)
    with pytest.raises(SourceError, match=r"0000_50_evil\.yaml"):
        fetch(path)


@pytest.mark.parametrize("name", ["../0000_50_evil.yaml", "/0000_50_evil.yaml", "a/../../0000_50_evil.yaml"])
def test_name_that_leaves_the_archive_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "release.tar"
    path.write_bytes(images.packed({**FILES, name: b"kind: X"}, "plain"))
    with pytest.raises(SourceError):
        fetch(path)


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_truncated_archive_is_an_error_that_names_it(packing: str, tmp_path: Path) -> None:
    data = images.packed({**FILES, "filler": bytes(range(256)) * 400}, packing)
    path = tmp_path / "release.tar"
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(SourceError, match=r"release\.tar"):
        fetch(path)


def test_empty_file_and_folder_and_missing_file_say_what_to_do(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    with pytest.raises(SourceError, match="empty"):
        fetch(empty)
    with pytest.raises(UsageError, match="dir:"):
        fetch(tmp_path)
    with pytest.raises(UsageError):
        fetch(tmp_path / "missing.tar")


def test_archive_of_two_docker_images_asks_for_one(tmp_path: Path) -> None:
    files = images.docker_files(build("4.15.3"))
    listed = files["manifest.json"]
    files["manifest.json"] = b"[" + listed[1:-1] + b"," + listed[1:-1].replace(b"release:x", b"release:y") + b"]"
    path = tmp_path / "release.tar"
    path.write_bytes(images.packed(files, "plain"))
    with pytest.raises(UsageError):
        fetch(path)
    assert payload.load(fetch(path, ":y")).version == "4.15.3"


@pytest.mark.parametrize("manifest", [b"{", b"{}", b"[{}]", b'[{"Config": "x", "Layers": []}]'])
def test_broken_docker_manifest_is_an_error(manifest: bytes, tmp_path: Path) -> None:
    path = tmp_path / "release.tar"
    path.write_bytes(images.packed({**images.docker_files(build("4.15.3")), "manifest.json": manifest}, "plain"))
    with pytest.raises((SourceError, UsageError)):
        fetch(path)

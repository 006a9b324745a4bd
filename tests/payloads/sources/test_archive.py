"""Releases in one file: what each form gives, and what is refused."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from tests.worlds import images
from tests.worlds.release_image import build, release_files, tar_of
from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.payloads import payload, reference
from upgrade_gate.payloads.reference import ReleaseFiles, Settings
from upgrade_gate.reading.limits import Limits

FILES = release_files("4.15.3")


def fetch(path: Path, tag: str = "") -> ReleaseFiles:
    return reference.fetch(reference.parse_reference(f"archive:{path}{tag}"), Settings(verify="off"))


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


@pytest.mark.parametrize("tags", [1, True, {"release:x": 1}, "release:x", [1, None, ["release:x"]]])
def test_tags_of_another_type_name_no_image(tags: object, tmp_path: Path) -> None:
    files = images.docker_files(build("4.15.3"))
    listed = json.loads(files["manifest.json"])
    files["manifest.json"] = json.dumps([{**listed[0], "RepoTags": tags}]).encode()
    path = archive(tmp_path, files)
    assert payload.load(fetch(path)).version == "4.15.3"
    with pytest.raises(UsageError, match="0 images with the tag x"):
        fetch(path, ":x")


@pytest.mark.parametrize("manifest", [b"{", b"{}", b"[{}]", b'[{"Config": "x", "Layers": []}]'])
def test_broken_docker_manifest_is_an_error(manifest: bytes, tmp_path: Path) -> None:
    path = tmp_path / "release.tar"
    path.write_bytes(images.packed({**images.docker_files(build("4.15.3")), "manifest.json": manifest}, "plain"))
    with pytest.raises((SourceError, UsageError)):
        fetch(path)


def archive(tmp_path: Path, files: dict[str, bytes], *odd: tarfile.TarInfo) -> Path:
    path = tmp_path / "release.tar"
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in odd:
            tar.addfile(info)
    return path


def config_of(files: dict[str, bytes]) -> str:
    return next(name for name in files if name.endswith(".json") and name != "manifest.json")


def test_tag_of_a_docker_archive_may_be_the_whole_name(tmp_path: Path) -> None:
    path = archive(tmp_path, images.docker_files(build("4.15.3")))
    assert payload.load(fetch(path, ":release:x")).version == "4.15.3"
    with pytest.raises(UsageError, match="0 images with the tag z") as error:
        fetch(path, ":z")
    assert "release:x" in str(error.value.hint)


def test_manifests_of_another_version_than_the_named_one_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, FILES)
    assert dict(fetch(path, ":4.15.3").files) == dict(sorted(FILES.items()))
    for wrong in (":4.15.30", ":4.15", ":latest"):
        with pytest.raises(UsageError, match=r"no release called .* it has 4\.15\.3"):
            fetch(path, wrong)


def test_archive_of_docker_25_is_read_by_its_layout(tmp_path: Path) -> None:
    """`docker save` writes both forms since then; only the layout has the digest."""
    image = build("4.15.3", oci=True)
    found = fetch(archive(tmp_path, {**images.docker_files(image), **images.layout_files(image)}))
    assert found.digest == image.digest


def test_link_in_place_of_a_layer_is_refused(tmp_path: Path) -> None:
    files = images.docker_files(build("4.15.3"))
    last = [name for name in files if name.endswith("layer.tar")][-1]
    del files[last]
    link = tarfile.TarInfo(last)
    link.type, link.linkname = tarfile.SYMTYPE, "../other/layer.tar"
    with pytest.raises(SourceError, match=r"layer\.tar is not a regular file"):
        fetch(archive(tmp_path, files, link))
    with pytest.raises(SourceError, match=f"has no {last}"):
        fetch(archive(tmp_path, files))


def test_config_of_a_docker_archive_must_be_what_its_name_says(tmp_path: Path) -> None:
    files = images.docker_files(build("4.15.3"))
    name = config_of(files)
    files[name] += b" "
    with pytest.raises(SourceError, match=rf"config {name} has the digest sha256:"):
        fetch(archive(tmp_path, files))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (b"{", "cannot be read"),
        (b"{}", "diff_ids"),
        (b'{"rootfs": {"diff_ids": [1]}}', "diff_ids"),
        (b'{"rootfs": {"diff_ids": []}}', "names 2 layers, the image's config 0"),
    ],
)
def test_config_that_does_not_vouch_for_the_layers_is_refused(config: bytes, words: str, tmp_path: Path) -> None:
    files = images.docker_files(build("4.15.3"))
    files["manifest.json"] = files["manifest.json"].replace(config_of(files).encode(), b"config")
    with pytest.raises(SourceError, match=words):
        fetch(archive(tmp_path, {**files, "config": config}))


@pytest.mark.parametrize(
    "manifest", [b"[]", b"{}", b'[{"Config": "c", "Layers": []}]', b'[{"Config": "c", "Layers": [1]}]']
)
def test_docker_archive_without_an_image_is_an_error(manifest: bytes, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"manifest\.json"):
        fetch(archive(tmp_path, {**images.docker_files(build("4.15.3")), "manifest.json": manifest}))


def test_link_beside_the_manifests_is_of_no_concern(tmp_path: Path) -> None:
    link = tarfile.TarInfo("usr/bin/sh")
    link.type, link.linkname = tarfile.SYMTYPE, "bash"
    path = archive(tmp_path, {f"release-manifests/{name}": data for name, data in FILES.items()}, link)
    assert dict(fetch(path).files) == dict(sorted(FILES.items()))


HELD = {
    f"working-dir/hold-release/ocp-release/{folder}/release-manifests/{name}": data
    for folder, version in (("4.15.3-x86_64", "4.15.3"), ("4.16.0-x86_64", "4.16.0"), ("sha256:ab", "4.16.1"))
    for name, data in release_files(version).items()
}


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        (":4.15.3", "4.15.3"),
        (":4.16.0", "4.16.0"),
        (":4.16.0-x86_64", "4.16.0"),
        (":4.16.1", "4.16.1"),
        (":sha256:ab", "4.16.1"),
        ("@sha256:ab", "4.16.1"),
    ],
)
@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
def test_one_of_several_releases_is_chosen_by_version_tag_or_digest(
    tag: str, version: str, packing: str, tmp_path: Path
) -> None:
    path = tmp_path / "mirror_000001.tar"
    path.write_bytes(images.packed(HELD, packing))
    assert payload.load(fetch(path, tag)).version == version


@pytest.mark.parametrize("tag", ["", ":4.1", ":4.16", ":4.16.0-s390x"])
def test_several_releases_say_how_one_is_chosen(tag: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"4\.15\.3, 4\.16\.0, 4\.16\.1") as error:
        fetch(archive(tmp_path, HELD), tag)
    assert "archive:" in str(error.value.hint)
    assert ":4.16.1" in str(error.value.hint)


def test_two_architectures_of_one_version_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    both = {f"{folder}/{name}": data for folder in ("4.15.3-x86_64", "4.15.3-s390x") for name, data in FILES.items()}
    path = archive(tmp_path, both)
    with pytest.raises(UsageError, match="2 releases called"):
        fetch(path, ":4.15.3")
    assert payload.load(fetch(path, ":4.15.3-s390x")).version == "4.15.3"


def test_two_releases_in_one_archive_ask_for_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="2 releases"):
        fetch(archive(tmp_path, {f"{v}/{name}": data for v in ("4.15.3", "4.16.0") for name, data in FILES.items()}))


def test_a_dump_of_a_cluster_is_called_no_release_rather_than_many(tmp_path: Path) -> None:
    dump = archive(tmp_path, {f"mg/namespaces/{name}/core/secrets.yaml": b"kind: SecretList\n" for name in ("a", "b")})
    with pytest.raises(
        UsageError, match=r"is no release: 2 of its folders hold YAML.* none has release-metadata"
    ) as failed:
        fetch(dump)
    assert "--cluster" in str(failed.value.hint)


def test_image_of_an_oci_archive_is_chosen_by_its_version_alone(tmp_path: Path) -> None:
    held = images.layout_files(build("4.15.3", oci=True), tags=("4.15.3-x86_64",))
    assert payload.load(fetch(archive(tmp_path, held), ":4.15.3")).version == "4.15.3"
    with pytest.raises(UsageError, match=r"no 4\.15"):
        fetch(archive(tmp_path, held), ":4.15")


@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
@pytest.mark.parametrize("marks", [1, 2, 9])
def test_data_behind_the_end_mark_of_a_tar_of_manifests_is_told(marks: int, packing: str, tmp_path: Path) -> None:
    first, rest = tar_of(dict(list(FILES.items())[:2])), tar_of(dict(list(FILES.items())[2:]))
    body = first.rstrip(b"\0")
    body += bytes(-len(body) % 512)
    path = tmp_path / "release.tar"
    path.write_bytes(images.pack(body + bytes(512 * marks) + rest, packing))
    assert fetch(path).damage
    path.write_bytes(images.pack(first, packing))
    assert not fetch(path).damage


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(600), b"kind: A\n" * 100, b"BZh9" + bytes(600)])
def test_file_of_another_kind_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "release.bin"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"release\.bin is not a tar archive"):
        fetch(path)


def test_archive_without_manifests_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no manifests"):
        fetch(archive(tmp_path, {"readme.txt": b"x"}))


def test_archive_named_through_a_link_is_read_and_a_pipe_is_not(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(archive(tmp_path, FILES))
    assert dict(fetch(tmp_path / "link").files) == dict(sorted(FILES.items()))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SourceError, match="pipe is not a regular file"):
        fetch(tmp_path / "pipe")


def test_bomb_stops_at_the_cap(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tar.gz"
    path.write_bytes(gzip.compress(images.packed({"a.yaml": bytes(2**22)}, "plain")))
    settings = Settings(limits=Limits(unpacked=2**20))
    with pytest.raises(SourceError, match=r"bomb\.tar\.gz unpacks to more than 1048576 bytes"):
        reference.fetch(reference.parse_reference(str(path)), settings)


def test_one_manifest_has_a_cap(tmp_path: Path) -> None:
    settings = Settings(limits=Limits(file=100))
    path = archive(tmp_path, {"release-metadata": b"{}", "0000_50_large.yaml": b"#" * 101})
    with pytest.raises(SourceError, match=r"0000_50_large\.yaml: 101 bytes"):
        reference.fetch(reference.parse_reference(str(path)), settings)

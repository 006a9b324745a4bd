"""OCI layouts: the only image or the named one, checked whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.worlds import images
from tests.worlds.release_image import build, build_list, release_files
from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.payloads import payload, reference
from upgrade_gate.payloads.reference import ReleaseFiles, Settings

FILES = release_files("4.15.3")


def fetch(path: Path, tag: str = "") -> ReleaseFiles:
    return reference.fetch(reference.parse_reference(f"oci:{path}{tag}"), Settings(verify="off"))


def test_only_image_needs_no_tag(tmp_path: Path) -> None:
    image = build("4.15.3", oci=True)
    found = fetch(images.write(tmp_path, images.layout_files(image)))
    assert dict(found.files) == dict(sorted(FILES.items()))
    assert found.digest == image.digest


def test_list_is_named_by_its_own_digest_and_read_for_amd64(tmp_path: Path) -> None:
    whole = build_list(
        {"arm64": build("4.15.3", files=release_files("9.9.9"), oci=True), "amd64": build("4.15.3", oci=True)}, oci=True
    )
    found = fetch(images.write(tmp_path, images.layout_files(whole)))
    assert found.digest == whole.digest
    assert payload.load(found).version == "4.15.3"


def test_several_images_ask_for_a_tag(tmp_path: Path) -> None:
    first, second = build("4.15.3", oci=True), build("4.16.0", files=release_files("4.16.0"), oci=True)
    one, two = images.layout_files(first, ("a",)), images.layout_files(second, ("b",))
    entries = json.loads(one["index.json"])["manifests"] + json.loads(two["index.json"])["manifests"]
    index = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
    layout = images.write(tmp_path, {**one, **two, "index.json": index})
    with pytest.raises(UsageError) as error:
        fetch(layout)
    assert error.value.hint == "append :TAG, one of a, b"
    assert payload.load(fetch(layout, ":b")).version == "4.16.0"
    assert payload.load(fetch(layout, f"@{first.digest}")).version == "4.15.3"
    with pytest.raises(UsageError, match="no c"):
        fetch(layout, ":c")


def test_missing_and_damaged_blobs_are_named(tmp_path: Path) -> None:
    image = build("4.15.3", oci=True)
    layout = images.write(tmp_path, images.layout_files(image))
    blob = layout / "blobs" / "sha256" / image.last_layer.partition(":")[2]
    whole = blob.read_bytes()
    blob.write_bytes(whole[:-1])
    with pytest.raises(SourceError, match=image.last_layer):
        fetch(layout)
    blob.unlink()
    with pytest.raises(SourceError, match=image.last_layer):
        fetch(layout)


def test_link_that_leaves_the_layout_is_refused(tmp_path: Path) -> None:
    image = build("4.15.3", oci=True)
    layout = images.write(tmp_path / "layout", images.layout_files(image))
    blob = layout / "blobs" / "sha256" / image.last_layer.partition(":")[2]
    outside = tmp_path / "outside"
    outside.write_bytes(blob.read_bytes())
    blob.unlink()
    blob.symlink_to(outside)
    with pytest.raises(SourceError, match="is a link"):
        fetch(layout)


@pytest.mark.parametrize("index", [b"{", b"{}", b'{"manifests": [{}]}', b'{"manifests": []}'])
def test_broken_index_is_an_error(index: bytes, tmp_path: Path) -> None:
    layout = images.write(tmp_path, {**images.layout_files(build("4.15.3", oci=True)), "index.json": index})
    with pytest.raises(SourceError):
        fetch(layout)


def test_folder_of_manifests_is_no_layout(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not an OCI layout"):
        fetch(images.write(tmp_path, FILES))


def test_file_in_place_of_a_layout_names_the_other_form(tmp_path: Path) -> None:
    path = tmp_path / "oci.tar"
    path.touch()
    with pytest.raises(UsageError) as error:
        fetch(path)
    assert f"archive:{path}" in str(error.value.hint)


@pytest.mark.parametrize(
    ("notes", "tag", "found"),
    [
        ({"org.opencontainers.image.ref.name": "4.15.3"}, "4.15.3", True),
        ({"org.opencontainers.image.ref.name": "quay.io:443/okd/scos:4.15.3"}, "4.15.3", True),
        ({"org.opencontainers.image.ref.name": "quay.io/okd/scos:4.15.3"}, "quay.io/okd/scos:4.15.3", True),
        ({"io.containerd.image.name": "quay.io/okd/scos:4.15.3"}, "4.15.3", True),
        ({"org.opencontainers.image.ref.name": "quay.io:443/okd/scos"}, "443/okd/scos", False),
        ({"org.opencontainers.image.ref.name": "4.15.30"}, "4.15.3", False),
        ({}, "4.15.3", False),
        (None, "4.15.3", False),
        ({"org.opencontainers.image.ref.name": ["4.15.3"]}, "4.15.3", False),
        ({"org.opencontainers.image.ref.name": {"tag": "4.15.3"}}, "4.15.3", False),
        ({"org.opencontainers.image.ref.name": 4.15, "io.containerd.image.name": 1}, "4.15", False),
    ],
)
def test_tag_is_found_by_what_the_tools_write(notes: object, tag: str, found: bool, tmp_path: Path) -> None:
    image = build("4.15.3", oci=True)
    entry = {"digest": image.digest, "size": len(image.manifest), "annotations": notes}
    files = {**images.layout_files(image), "index.json": json.dumps({"manifests": [entry]}).encode()}
    layout = images.write(tmp_path, files)
    assert fetch(layout).digest == image.digest
    if found:
        assert fetch(layout, f":{tag}").digest == image.digest
    else:
        with pytest.raises(UsageError, match=f"has no {tag}"):
            fetch(layout, f":{tag}")


def test_one_image_under_two_tags_needs_no_name(tmp_path: Path) -> None:
    image = build("4.15.3", oci=True)
    assert fetch(images.write(tmp_path, images.layout_files(image, ("a", "b")))).digest == image.digest


def test_images_without_tags_are_listed_by_digest(tmp_path: Path) -> None:
    entries = [{"digest": f"sha256:{c * 64}", "size": 1} for c in "ab"]
    layout = images.write(tmp_path, {"index.json": json.dumps({"manifests": entries}).encode()})
    with pytest.raises(UsageError, match="2 images") as error:
        fetch(layout)
    assert all(f"sha256:{c * 64}" in str(error.value.hint) for c in "ab")


def test_digest_that_is_no_path_of_the_layout_is_refused(tmp_path: Path) -> None:
    entry = {"digest": "sha256:../../../etc/passwd", "size": 1}
    layout = images.write(tmp_path, {"index.json": json.dumps({"manifests": [entry]}).encode()})
    with pytest.raises(SourceError, match="not a sha256 or sha512 digest"):
        fetch(layout)


def test_folder_of_blobs_that_is_a_link_is_refused(tmp_path: Path) -> None:
    layout = images.write(tmp_path / "layout", images.layout_files(build("4.15.3", oci=True)))
    (layout / "blobs").rename(tmp_path / "outside")
    (layout / "blobs").symlink_to(tmp_path / "outside")
    with pytest.raises(SourceError, match="is a link"):
        fetch(layout)


def test_blob_of_the_right_size_and_other_content_is_named(tmp_path: Path) -> None:
    image = build("4.15.3", oci=True)
    layout = images.write(tmp_path, images.layout_files(image))
    blob = layout / "blobs" / "sha256" / image.last_layer.partition(":")[2]
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    with pytest.raises(SourceError, match=f"blob {image.last_layer} has the digest sha256:"):
        fetch(layout)

"""Release images: which manifest of a list is read, which layers, and what is refused by its digest."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from hashlib import sha512
from typing import Any, BinaryIO

import pytest

from tests.worlds.release_image import OCI_INDEX, Image, build, build_list, digest_of, release_files, tar_of
from upgrade_gate.base.errors import SourceError
from upgrade_gate.payloads.image.release import Descriptor, ImageRelease, ManifestBlob, read_release
from upgrade_gate.reading.limits import Limits

GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"
LIMITS = Limits()


class Memory:
    """A store of manifests and blobs by any name, that remembers which blobs were opened."""

    def __init__(self, *images: Image, tags: Mapping[str, str] | None = None) -> None:
        self.manifests: dict[str, bytes] = {}
        self.blobs: dict[str, bytes] = {}
        self.tags = tags or {}
        self.opened: list[str] = []
        for image in images:
            self.add(image)

    def add(self, image: Image) -> None:
        self.manifests[image.digest] = image.manifest
        self.blobs.update(image.blobs)
        for child in image.children:
            self.add(child)

    def manifest(self, reference: str) -> ManifestBlob:
        data = self.manifests[self.tags.get(reference, reference)]
        return ManifestBlob(data, "", digest_of(data))

    def open_blob(self, descriptor: Descriptor) -> BinaryIO:
        self.opened.append(descriptor.digest)
        return io.BytesIO(self.blobs[descriptor.digest])


def packed(files: Mapping[str, bytes], odd: list[str] | None = None) -> tuple[bytes, str]:
    """Return a layer of release-manifests, with empty entries of any name behind."""
    return gzip.compress(tar_of(files, odd=[tarfile.TarInfo(name) for name in odd or ()]), mtime=0), GZIP


def read(image: Image, limits: Limits = LIMITS) -> ImageRelease:
    return read_release(Memory(image), image.digest, limits)


def raw(body: object) -> Image:
    return Image(json.dumps(body).encode(), "")


def listed(*entries: object) -> Image:
    return raw({"schemaVersion": 2, "manifests": list(entries)})


def described(image: Image, **more: Any) -> dict[str, Any]:
    return {"digest": image.digest, "size": len(image.manifest), "mediaType": image.media_type, **more}


@pytest.mark.parametrize("oci", [True, False])
def test_last_layer_is_enough(oci: bool) -> None:
    image = build("4.15.3", oci=oci)
    store = Memory(image)
    found = read_release(store, image.digest, LIMITS)
    assert found == ImageRelease(dict(sorted(release_files("4.15.3").items())), image.digest, image.digest)
    assert list(found.files) == sorted(found.files)
    assert store.opened == [image.last_layer]


def test_tag_is_answered_with_the_digest() -> None:
    image = build("4.15.3")
    assert read_release(Memory(image, tags={"4.15.3": image.digest}), "4.15.3", LIMITS).digest == image.digest


def test_layer_behind_the_manifests_is_walked_over() -> None:
    """A label or a file added on top must not hide the release."""
    image = build("4.15.3", lower=[packed(release_files("4.15.3"))], layer=packed({}, ["etc/motd"]))
    store = Memory(image)
    assert dict(read_release(store, image.digest, LIMITS).files) == release_files("4.15.3")
    assert len(store.opened) == 2


def test_upper_layer_wins_for_each_path() -> None:
    upper = packed({"0000_50_storage_03_request.yaml": b"upper", "0000_90_more.yaml": b"more"})
    found = read(build("4.15.3", lower=[packed(release_files("4.15.3"))], layer=upper)).files
    assert found["0000_50_storage_03_request.yaml"] == b"upper"
    assert found["0000_90_more.yaml"] == b"more"
    assert found["release-metadata"] == release_files("4.15.3")["release-metadata"]


def test_stale_files_of_an_older_release_below_do_not_leak_in() -> None:
    """`oc adm release new --keep-manifest-list` may build upon an older release image."""
    older = packed(release_files("4.14.0", {"0000_50_stale.yaml": b"stale"}))
    image = build("4.15.3", lower=[older], layer=packed(release_files("4.15.3")))
    assert dict(read(image).files) == release_files("4.15.3")


@pytest.mark.parametrize("removed", ["0000_50_gone.yaml", "sub"])
def test_what_an_upper_layer_deletes_is_gone_and_said(removed: str) -> None:
    files = release_files("4.15.3", {"0000_50_gone.yaml": b"x", "sub/a.yaml": b"y"})
    found = read(build("4.15.3", lower=[packed(files)], layer=packed({}, [f"release-manifests/.wh.{removed}"])))
    gone = "sub/a.yaml" if removed == "sub" else removed
    assert set(files) - set(found.files) == {gone}
    assert found.notes == (f"an upper layer deletes 1 files of the release: {gone}",)


def test_file_deleted_and_written_again_is_the_new_one() -> None:
    name = "0000_50_storage_03_request.yaml"
    upper = packed({name: b"new"}, [f"release-manifests/.wh.{name}"])
    found = read(build("4.15.3", lower=[packed(release_files("4.15.3"))], layer=upper))
    assert found.files[name] == b"new"
    assert found.notes == ()


@pytest.mark.parametrize("name", ["release-manifests/.wh..wh..opq", ".wh.release-manifests"])
def test_layer_that_hides_all_below_ends_the_walk(name: str) -> None:
    image = build("4.15.3", lower=[packed(release_files("4.15.3"))], layer=packed({"a.yaml": b"x"}, [name]))
    assert dict(read(image).files) == {"a.yaml": b"x"}


def test_image_without_metadata_gives_what_it_has() -> None:
    """The payload says then that its version is unknown."""
    files = {"0000_50_a.yaml": b"kind: A"}
    assert dict(read(build("4.15.3", files=files)).files) == files


@pytest.mark.parametrize("files", [{}, {"readme.txt": b"x"}])
def test_image_of_a_component_is_no_release(files: dict[str, bytes]) -> None:
    image = build("4.15.3", files=files)
    with pytest.raises(SourceError, match=f"image {image.digest} is not a release image") as error:
        read(image)
    assert "component" in str(error.value.hint)


def test_layer_is_named_when_it_is_damaged() -> None:
    image = build("4.15.3", layer=(b"no tar", GZIP))
    with pytest.raises(SourceError, match=image.last_layer):
        read(image)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["arm64", "amd64", "s390x"], "amd64"),
        (["s390x", "arm64"], "s390x"),
        (["ppc64le"], "ppc64le"),
    ],
)
@pytest.mark.parametrize("oci", [True, False])
def test_amd64_of_a_list_is_read_else_the_first(names: list[str], expected: str, oci: bool) -> None:
    images = {name: build("4.15.3", files=release_files("4.15.3", {f"{name}.yaml": b""}), oci=oci) for name in names}
    whole = build_list(images, oci=oci)
    found = read(whole)
    assert f"{expected}.yaml" in found.files
    assert (found.digest, found.image_digest) == (whole.digest, images[expected].digest)
    assert found.notes == (f"read {images[expected].digest} (linux/{expected}) of the list {whole.digest}",)


def test_attestations_and_other_systems_are_passed_over() -> None:
    image, other = build("4.15.3", oci=True), build("4.16.0", files=release_files("4.16.0"), oci=True)
    windows = {"os": "windows", "architecture": "amd64"}
    unknown = {"os": "unknown", "architecture": "unknown"}
    whole = listed(
        described(other, platform=windows),
        described(other, platform=unknown),
        described(other, annotations={"vnd.docker.reference.type": "attestation-manifest"}),
        described(image, platform={"os": "linux", "architecture": "arm64", "variant": "v8"}),
    )
    whole.children = [image, other]
    found = read(whole)
    assert found.image_digest == image.digest
    assert "(linux/arm64/v8)" in found.notes[0]


def test_entry_without_a_platform_is_the_last_resort() -> None:
    image, other = build("4.15.3"), build("4.16.0", files=release_files("4.16.0"))
    whole = listed(described(other, platform={"os": "windows", "architecture": "amd64"}), described(image))
    whole.children = [image, other]
    assert read(whole).image_digest == image.digest


def test_list_without_linux_says_what_it_has() -> None:
    whole = listed(described(build("4.15.3"), platform={"os": "windows", "architecture": "amd64"}))
    with pytest.raises(SourceError, match="no linux image, only windows/amd64"):
        read(whole)
    with pytest.raises(SourceError, match="no linux image, only nothing"):
        read(listed())


def test_list_may_stand_in_a_list_but_not_deeper() -> None:
    image = build("4.15.3", oci=True)
    nested = image
    found = []
    for _ in range(3):
        inner = nested
        nested = listed(described(inner, mediaType=OCI_INDEX if inner is not image else inner.media_type))
        nested.children = [inner]
        found.append(nested)
    assert read(found[0]).image_digest == image.digest
    assert read(found[1]).digest == found[1].digest
    with pytest.raises(SourceError, match="lists inside a list"):
        read(found[2])


def test_manifest_that_is_not_what_its_digest_says_is_refused() -> None:
    image, other = build("4.15.3"), build("4.16.0")
    store = Memory(image, other, tags={image.digest: other.digest})
    with pytest.raises(SourceError, match=f"manifest {image.digest}: what was read has the digest {other.digest}"):
        read_release(store, image.digest, LIMITS)


def test_entry_of_a_list_is_checked_too() -> None:
    image, other = build("4.15.3"), build("4.16.0")
    whole = build_list({"amd64": image})
    store = Memory(whole, other)
    store.manifests[image.digest] = other.manifest
    with pytest.raises(SourceError, match=image.digest):
        read_release(store, whole.digest, LIMITS)
    wrong_size = listed({**described(image), "size": 3})
    wrong_size.children = [image]
    with pytest.raises(SourceError, match=f"{image.digest} is .* bytes, its list says 3"):
        read(wrong_size)


def test_sha512_is_checked_by_its_own_algorithm() -> None:
    image = build("4.15.3")
    digest = f"sha512:{sha512(image.manifest).hexdigest()}"
    assert read_release(Memory(image, tags={digest: image.digest}), digest, LIMITS).digest == digest
    wrong = f"sha512:{'0' * 128}"
    with pytest.raises(SourceError, match=wrong):
        read_release(Memory(image, tags={wrong: image.digest}), wrong, LIMITS)


LAYER = {"digest": f"sha256:{'0' * 64}", "size": 1, "mediaType": GZIP}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "not a JSON object"),
        ("text", "not a JSON object"),
        ({}, "schemaVersion None"),
        ({"schemaVersion": 1, "fsLayers": []}, "schemaVersion 1"),
        ({"schemaVersion": 2}, "no layers"),
        ({"schemaVersion": 2, "layers": []}, "no layers"),
        ({"schemaVersion": 2, "layers": {}}, "no layers"),
        ({"schemaVersion": 2, "layers": ["x"]}, "without digest and size"),
        ({"schemaVersion": 2, "layers": [{**LAYER, "size": -1}]}, "without digest and size"),
        ({"schemaVersion": 2, "layers": [{**LAYER, "size": True}]}, "without digest and size"),
        ({"schemaVersion": 2, "layers": [{**LAYER, "size": "1"}]}, "without digest and size"),
        ({"schemaVersion": 2, "layers": [{**LAYER, "digest": "md5:00"}]}, "not a sha256 or sha512"),
        ({"schemaVersion": 2, "layers": [{**LAYER, "digest": "sha256:../../etc"}]}, "not a sha256 or sha512"),
        ({"schemaVersion": 2, "layers": [{**LAYER, "digest": f"sha256:{'A' * 64}"}]}, "not a sha256 or sha512"),
        ({"schemaVersion": 2, "manifests": {}}, "not a list"),
        ({"schemaVersion": 2, "manifests": [], "layers": []}, "a list and an image at once"),
        ({"schemaVersion": 2, "manifests": [], "config": {}}, "a list and an image at once"),
        ({"schemaVersion": 2, "mediaType": OCI_INDEX, "layers": [LAYER]}, "has no 'manifests'"),
        (
            {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "manifests": []},
            "no 'layers'",
        ),
    ],
)
def test_manifest_of_another_shape_is_named_by_its_digest(body: object, words: str) -> None:
    image = raw(body)
    with pytest.raises(SourceError, match=words) as error:
        read(image)
    assert image.digest in error.value.message


def test_manifest_that_is_no_json_is_named() -> None:
    with pytest.raises(SourceError, match="sha256:"):
        read(Image(b'{"schemaVersion": 2, "layers": [', ""))


@pytest.mark.parametrize(
    ("media_type", "refused"),
    [(GZIP, True), ("application/vnd.oci.image.layer.v1.tar", False), ("", True)],
)
def test_layer_over_the_cap_is_refused_before_it_is_fetched(media_type: str, refused: bool) -> None:
    image = build("4.15.3", layer=(tar_of(release_files("4.15.3")), media_type))
    store = Memory(image)
    limits = Limits(compressed=1000)
    if refused:
        with pytest.raises(SourceError, match=f"layer {image.last_layer} is .* more than the 1000"):
            read_release(store, image.digest, limits)
        assert store.opened == []
    else:
        assert read_release(store, image.digest, limits).files

"""Mirror folders as `oc adm release mirror --to-dir` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.worlds import images
from tests.worlds.release_image import build, release_files
from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.payloads import reference
from upgrade_gate.payloads.reference import ReleaseFiles, Settings

FILES = release_files("4.15.3")


def fetch(path: Path, tag: str = "") -> ReleaseFiles:
    return reference.fetch(reference.parse_reference(f"mirror:{path}{tag}"), Settings(verify="off"))


def test_only_tag_needs_no_name(tmp_path: Path) -> None:
    image = build("4.15.3")
    found = fetch(images.mirror(tmp_path, image))
    assert dict(found.files) == dict(sorted(FILES.items()))
    assert found.digest == image.digest


@pytest.mark.parametrize("by", ["tag", "digest", "repository"])
def test_release_is_found_by_tag_by_digest_and_in_its_repository(by: str, tmp_path: Path) -> None:
    image = build("4.15.3")
    folder = images.mirror(tmp_path, image)
    tag = {"tag": ":4.15.3-x86_64", "digest": f"@{image.digest}", "repository": ""}[by]
    place = folder / "v2" / "openshift" / "release" if by == "repository" else folder
    assert fetch(place, tag).digest == image.digest


def test_several_releases_ask_for_a_tag(tmp_path: Path) -> None:
    images.mirror(tmp_path, build("4.15.3"))
    images.mirror(tmp_path, build("4.16.0", files=release_files("4.16.0")), "4.16.0-x86_64")
    with pytest.raises(UsageError) as error:
        fetch(tmp_path)
    assert "4.16.0-x86_64" in str(error.value.hint)
    assert fetch(tmp_path, ":4.16.0").digest == fetch(tmp_path, ":4.16.0-x86_64").digest
    with pytest.raises(UsageError, match=r"no 4\.17\.0"):
        fetch(tmp_path, ":4.17.0")


def test_damaged_blob_is_named(tmp_path: Path) -> None:
    image = build("4.15.3")
    folder = images.mirror(tmp_path, image)
    blob = folder / "v2" / "openshift" / "release" / "blobs" / image.last_layer
    blob.write_bytes(blob.read_bytes()[:-1])
    with pytest.raises(SourceError, match=image.last_layer):
        fetch(folder)


def test_damaged_manifest_is_named(tmp_path: Path) -> None:
    image = build("4.15.3")
    folder = images.mirror(tmp_path, image)
    manifest = folder / "v2" / "openshift" / "release" / "manifests" / image.digest
    manifest.write_bytes(manifest.read_bytes() + b" ")
    with pytest.raises(SourceError, match=image.digest):
        fetch(folder, f"@{image.digest}")


def test_folder_without_v2_and_two_repositories_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no v2"):
        fetch(images.write(tmp_path / "plain", FILES))
    image = build("4.15.3")
    images.mirror(tmp_path / "two", image)
    images.mirror(tmp_path / "two", image, repository="okd/other")
    with pytest.raises(UsageError, match="2 releases") as error:
        fetch(tmp_path / "two")
    assert "okd/other:4.15.3-x86_64" in str(error.value.hint)
    assert fetch(tmp_path / "two", ":okd/other:4.15.3-x86_64").digest == image.digest


def test_release_is_told_from_its_components_by_their_tags(tmp_path: Path) -> None:
    """Each component's tag is the release's with its name behind."""
    image = build("4.15.3")
    images.mirror(tmp_path, image)
    for component in ("cli", "cluster-version-operator"):
        images.mirror(tmp_path, build("x", files={"a.yaml": component.encode()}), f"4.15.3-x86_64-{component}")
    assert fetch(tmp_path).digest == image.digest
    images.mirror(tmp_path, build("y", files={}), "4.15.3-x86_64-empty")
    with pytest.raises(SourceError, match="not a release image"):
        fetch(tmp_path, ":4.15.3-x86_64-empty")


def test_tag_that_is_a_file_is_read_too(tmp_path: Path) -> None:
    """File systems without links get copies."""
    image = build("4.15.3")
    tag = images.mirror(tmp_path, image) / "v2" / "openshift" / "release" / "manifests" / "4.15.3-x86_64"
    tag.unlink()
    tag.write_bytes(image.manifest)
    assert fetch(tmp_path).digest == image.digest


@pytest.mark.parametrize("place", ["manifests/4.15.3-x86_64", "blobs/LAYER"])
def test_link_that_leaves_the_mirror_is_refused(place: str, tmp_path: Path) -> None:
    image = build("4.15.3")
    path = images.mirror(tmp_path / "mirror", image) / "v2/openshift/release" / place.replace("LAYER", image.last_layer)
    outside = tmp_path / "outside"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)
    with pytest.raises(SourceError, match="leaves the folder"):
        fetch(tmp_path / "mirror")


def test_mirror_without_tags_wants_a_digest(tmp_path: Path) -> None:
    image = build("4.15.3")
    (images.mirror(tmp_path, image) / "v2" / "openshift" / "release" / "manifests" / "4.15.3-x86_64").unlink()
    with pytest.raises(UsageError, match="no tag"):
        fetch(tmp_path)
    assert fetch(tmp_path, f"@{image.digest}").digest == image.digest


def test_file_in_place_of_a_mirror_names_the_other_form(tmp_path: Path) -> None:
    path = tmp_path / "mirror.tar"
    path.touch()
    with pytest.raises(UsageError) as error:
        fetch(path)
    assert f"archive:{path}" in str(error.value.hint)

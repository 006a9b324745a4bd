"""Mirror folders as `oc adm release mirror --to-dir` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import images
from tests.integration.release_image import build, release_files
from upgrade_gate import source
from upgrade_gate.errors import SourceError, UsageError
from upgrade_gate.source import ReleaseFiles, Settings

FILES = release_files("4.15.3")


def fetch(path: Path, tag: str = "") -> ReleaseFiles:
    return source.fetch(source.parse_reference(f"mirror:{path}{tag}"), Settings(verify="off"))


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
    images.mirror(tmp_path / "two", build("4.15.3"))
    (tmp_path / "two" / "v2" / "other" / "manifests").mkdir(parents=True)
    with pytest.raises(UsageError, match="2 repositories"):
        fetch(tmp_path / "two")

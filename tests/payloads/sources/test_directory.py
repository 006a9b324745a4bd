"""Folders of manifests, as the tools that write them leave them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.worlds import images
from tests.worlds.release_image import release_files
from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.payloads import payload, reference
from upgrade_gate.payloads.reference import ReleaseFiles, Settings
from upgrade_gate.reading.limits import Limits

FILES = release_files("4.15.3")


def fetch(path: Path, limits: Limits | None = None) -> ReleaseFiles:
    return reference.fetch(reference.parse_reference(f"dir:{path}"), Settings(limits=limits or Limits()))


@pytest.mark.parametrize(
    "inside",
    ["", "release-manifests", "hold-release/ocp-release/4.15.3-x86_64/release-manifests", "4.15.3"],
)
def test_folder_or_one_that_holds_it(inside: str, tmp_path: Path) -> None:
    images.write(tmp_path / inside, FILES)
    found = fetch(tmp_path)
    assert dict(found.files) == dict(sorted(FILES.items()))
    assert found.digest is None


def test_existing_folder_needs_no_prefix(tmp_path: Path) -> None:
    assert reference.parse_reference(str(images.write(tmp_path, FILES))).scheme == "dir"


def test_link_is_refused(tmp_path: Path) -> None:
    images.write(tmp_path, FILES)
    (tmp_path / "0000_50_evil.yaml").symlink_to("/etc/passwd")
    with pytest.raises(SourceError, match=r"0000_50_evil\.yaml"):
        fetch(tmp_path)


def test_two_releases_below_ask_for_one(tmp_path: Path) -> None:
    images.write(tmp_path / "a", FILES)
    images.write(tmp_path / "b", FILES)
    with pytest.raises(UsageError, match="2 releases"):
        fetch(tmp_path)


def test_missing_folder_file_and_empty_folder_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        fetch(tmp_path / "missing")
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(UsageError, match="not a folder"):
        fetch(file)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="no manifests"):
        fetch(tmp_path / "empty")


def test_file_and_folder_over_the_cap_are_named(tmp_path: Path) -> None:
    images.write(tmp_path, {**FILES, "0000_90_large.yaml": b"#" * 5000})
    with pytest.raises(SourceError, match=r"0000_90_large\.yaml"):
        fetch(tmp_path, Limits(file=4000))
    with pytest.raises(SourceError, match="4000 bytes"):
        fetch(tmp_path, Limits(unpacked=4000))


def test_folder_without_metadata_has_no_version_and_says_so(tmp_path: Path) -> None:
    images.write(tmp_path, {name: data for name, data in FILES.items() if name != "release-metadata"})
    loaded = payload.load(fetch(tmp_path))
    assert loaded.version == ""
    assert any(not u.harmless for u in loaded.unreadable)


def test_folders_inside_are_read_and_hidden_ones_are_not(tmp_path: Path) -> None:
    images.write(tmp_path, {**FILES, "sub/a.yaml": b"", ".git/b.yaml": b"", ".c.yaml": b"", "openshift-install": b"x"})
    assert set(fetch(tmp_path).files) == {*FILES, "sub/a.yaml"}


def test_folders_far_below_are_not_looked_into(tmp_path: Path) -> None:
    images.write(tmp_path / "/".join("abcdefghij"), FILES)
    with pytest.raises(SourceError, match="no manifests"):
        fetch(tmp_path)


def test_release_manifests_is_preferred_to_other_manifests_beside_it(tmp_path: Path) -> None:
    images.write(tmp_path, {"manifests/0000_00_cvo.yaml": b"x", "0000_01_other.yaml": b"y"})
    images.write(tmp_path / "release-manifests", FILES)
    assert set(fetch(tmp_path).files) == set(FILES)


@pytest.mark.parametrize("inside", ["", "requests"])
def test_folder_of_requests_alone_is_read(inside: str, tmp_path: Path) -> None:
    """What `oc adm release extract --credentials-requests` writes: no metadata, which the payload says."""
    images.write(tmp_path / inside, {"0000_50_a.yaml": b"kind: A"})
    assert set(fetch(tmp_path).files) == {"0000_50_a.yaml"}


def test_links_to_folders_and_folders_beside_the_release_are_not_followed(tmp_path: Path) -> None:
    images.write(tmp_path / "outside", FILES)
    images.write(tmp_path / "in" / "release-manifests", FILES)
    (tmp_path / "in" / "beside").symlink_to(tmp_path / "outside")
    assert set(fetch(tmp_path / "in").files) == set(FILES)
    (tmp_path / "in" / "release-manifests" / "sub").symlink_to(tmp_path / "outside")
    with pytest.raises(SourceError, match="release-manifests/sub is a link"):
        fetch(tmp_path / "in")


def test_folder_that_is_named_through_a_link_is_read(tmp_path: Path) -> None:
    images.write(tmp_path / "real", FILES)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert set(fetch(tmp_path / "link").files) == set(FILES)


def test_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    images.write(tmp_path, FILES)
    os.mkfifo(tmp_path / "0000_90_pipe.yaml")
    with pytest.raises(SourceError, match=r"0000_90_pipe\.yaml is not a regular file"):
        fetch(tmp_path)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    images.write(tmp_path, FILES)
    with pytest.raises(SourceError, match="more than 2 files"):
        fetch(tmp_path, Limits(entries=2))

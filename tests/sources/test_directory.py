"""Folders of manifests, as the tools that write them leave them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import images
from tests.integration.release_image import release_files
from upgrade_gate import payload, source
from upgrade_gate.errors import SourceError, UsageError
from upgrade_gate.source import Limits, ReleaseFiles, Settings

FILES = release_files("4.15.3")


def fetch(path: Path, limits: Limits | None = None) -> ReleaseFiles:
    return source.fetch(source.parse_reference(f"dir:{path}"), Settings(limits=limits or Limits()))


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
    assert source.parse_reference(str(images.write(tmp_path, FILES))).scheme == "dir"


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
    with pytest.raises(UsageError, match="no folder"):
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

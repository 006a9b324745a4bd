"""Paths as users write them: names that no file can have name nothing, and raise nothing."""

from pathlib import Path

import pytest

from upgrade_gate.base import paths

NAMES = ("x" * 5000, "/" + "y/" * 3000, "a\0b", "~nobody-has-this-name/x")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_no_file_can_have_names_nothing(name: str) -> None:
    path = paths.expanded(name)
    assert not paths.exists(path)
    assert not paths.is_dir(path)
    assert not paths.is_file(path)


def test_what_is_there_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths.expanded("~/file") == tmp_path / "file"
    assert paths.is_file(tmp_path / "file")
    assert not paths.is_dir(tmp_path / "file")
    assert paths.is_dir(tmp_path)
    assert not paths.is_file(tmp_path)
    assert paths.exists(tmp_path)
    assert paths.exists(tmp_path / "file")

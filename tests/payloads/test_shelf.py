"""Releases of many clusters: read once, failed once."""

import threading
from pathlib import Path

import pytest

from upgrade_gate.base.errors import SourceError
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.payloads.shelf import Shelf


def test_a_release_is_read_once_whoever_asks(fixtures: Path) -> None:
    shelf, text = Shelf(), f"dir:{fixtures / 'releases' / '4.18.7'}"
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(shelf.read(text, Settings()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(payload is found[0] for payload in found)


def test_what_failed_once_fails_for_everybody(tmp_path: Path) -> None:
    shelf, file = Shelf(), tmp_path / "release.tar"
    file.write_bytes(b"no archive")
    for _ in range(2):
        with pytest.raises(SourceError, match=r"release\.tar"):
            shelf.read(f"archive:{file}", Settings())
        file.write_bytes(b"another")

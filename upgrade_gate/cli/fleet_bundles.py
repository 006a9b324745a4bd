"""The folder of a fleet's bundles: one folder for each cloud account, and in it one for each cluster.

Clusters' bundles are written as their results come. What belongs to accounts and to all is written at the end, and a
SHA256SUMS on each level names those below, so that a folder with a file that somebody filled in is known and left.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.paths import exists
from upgrade_gate.cli import bundle_folder, stdout
from upgrade_gate.remedy import account_bundle
from upgrade_gate.remedy.account_bundle import Member
from upgrade_gate.remedy.bundle import CHECKSUMS, README

if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from pathlib import Path

UNFINISHED: Final = ".unfinished"
RECORD: Final = "bundle.json"
"""Beside a cluster's report: what the fleet's bundle says of it, or why there is none."""


class Record(Struct, frozen=True):
    """What a run knows about the bundle of one cluster."""

    member: Member | None
    why: str
    """Why there is none."""


class Bundles:
    """Writes the bundles of a run's clusters, and at the end what is about all of them."""

    def __init__(self, directory: Path, results: Path, *, resume: bool) -> None:
        """Look at the folder first: raises UsageError where it holds anything but earlier bundles as they were."""
        self._directory, self._results = directory, results
        self._resume = resume
        check(directory)

    def begin(self) -> None:
        """Take the earlier bundles away, unless the run goes on with them."""
        stdout.make_folder(self._directory)
        stdout.write_file(self._directory / UNFINISHED, b"", mode=0o600)
        if self._resume:
            return
        for path in self._directory.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != UNFINISHED:
                path.unlink()

    def keeps(self, folder: str) -> bool:
        """Return whether what an earlier run has made for a cluster is there."""
        record = self._record(folder)
        if record is None:
            return False
        return record.member is None or exists(self._place(record.member) / CHECKSUMS)

    def write(self, folder: str, record: Record, files: Mapping[str, bytes]) -> None:
        """Write the bundle of a cluster, and what is to be said of it."""
        if record.member is not None:
            stdout.make_folder(self._place(record.member).parent)
            bundle_folder.write(files, self._place(record.member))
        stdout.make_folder(self._results / folder)
        stdout.write_file(self._results / folder / RECORD, msgspec.json.encode(record) + b"\n", mode=0o600)

    def finish(self, folders: Mapping[str, str]) -> int:
        """Write what is about accounts and about all; return how many clusters have a bundle.

        `folders` are those of the run's clusters, with the clusters' names; bundles of others are taken away.
        """
        records = {name: self._record(folder) for folder, name in folders.items()}
        members = [one.member for one in records.values() if one is not None and one.member is not None]
        without = {name: one.why for name, one in sorted(records.items()) if one is not None and one.member is None}
        groups = account_bundle.grouped(members)
        tops = {README: account_bundle.overview(members, without)}
        for group, found in groups.items():
            place = self._directory / group
            _remove_others(place, {one.folder for one in found})
            files = dict(account_bundle.files(found))
            named = files | {f"{m.folder}/{CHECKSUMS}": (place / m.folder / CHECKSUMS).read_bytes() for m in found}
            files[CHECKSUMS] = bundle_folder.checksums(named)
            for name, content in files.items():
                stdout.write_file(place / name, content, mode=0o600)
            tops[f"{group}/{CHECKSUMS}"] = files[CHECKSUMS]
        _remove_others(self._directory, groups.keys())
        stdout.write_file(self._directory / README, tops[README], mode=0o600)
        stdout.write_file(self._directory / CHECKSUMS, bundle_folder.checksums(tops), mode=0o600)
        (self._directory / UNFINISHED).unlink(missing_ok=True)
        return len(members)

    def _place(self, member: Member) -> Path:
        return self._directory / member.group / member.folder

    def _record(self, folder: str) -> Record | None:
        try:
            return msgspec.json.decode((self._results / folder / RECORD).read_bytes(), type=Record)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None


def check(directory: Path) -> None:
    """Raise UsageError where a folder is no place for a fleet's bundles.

    It may be new, empty, or hold the bundles of an earlier run, of one that was stopped too, in which nobody has
    changed anything.
    """
    if not exists(directory / UNFINISHED):
        bundle_folder.check(directory)
        return
    for path in directory.glob(f"*/*/{CHECKSUMS}"):
        bundle_folder.check(path.parent)
    known = {UNFINISHED, README, CHECKSUMS}
    strange = next((path.name for path in directory.iterdir() if not path.is_dir() and path.name not in known), None)
    if strange is not None:
        raise UsageError(f"{directory} holds {strange}, which is no part of a bundle", hint="name a new folder")


def _remove_others(place: Path, kept: Container[str]) -> None:
    for path in place.iterdir():
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path)

"""The folder that a fleet's run writes: each cluster's result as it comes, then the files about all of them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import msgspec

from upgrade_gate.base import plugins
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.paths import exists
from upgrade_gate.base.text import one_line
from upgrade_gate.cli import input_paths, stdout
from upgrade_gate.fleet import document, inventory, results, shard, summary, terminal
from upgrade_gate.reading.files import read_file
from upgrade_gate.report import document as report_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from upgrade_gate.fleet.inventory import Entry

FLEET = "fleet.json"
"""What the next run into the folder compares with: written last."""
WAVES = "waves"
POLICY_REPORTS = "policyreports.yaml"
SHARD = "shard.json"
UNFINISHED = ".unfinished"
"""There while a run goes on, and after one that stopped: what the run before said, empty where there was none."""
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_MOST_BYTES = 512 * 2**20


def check(directory: Path, inventories: Iterable[str]) -> None:
    """Raise UsageError where a folder is no place for a fleet's files: it holds others, or an inventory reads it."""
    stdout.check_folder(directory)
    input_paths.refuse(directory)
    refuse_inventories(directory, inventories)
    if not exists(directory):
        return
    ours = (directory / results.CLUSTERS).is_dir() or exists(directory / UNFINISHED)
    # a run that was killed at its very beginning leaves what it was about to rename
    held = [entry for entry in directory.iterdir() if not entry.name.startswith(f".{UNFINISHED}.")]
    if held and not ours:
        raise UsageError(f"{directory} holds something other than a fleet's results", hint="name a new folder")


def refuse_inventories(directory: Path, inventories: Iterable[str]) -> None:
    """Raise UsageError where a folder lies in one that an inventory reads whole."""
    place = directory.resolve()
    for folder in inventory.folders(inventories):
        if folder.resolve() in (place, *place.parents):
            raise UsageError(f"{directory} lies in {folder}, which this run reads", hint="name a place outside of it")


class Results:
    """Writes the results of clusters, whole, and tells which are there."""

    def __init__(self, directory: Path, owners: dict[str, str]) -> None:
        """Take the folder; `owners` says whose ID is known already."""
        self._folder = directory / results.CLUSTERS
        stdout.make_folder(self._folder)
        self._owners = owners

    def keep(self, entry: Entry, made_from: str) -> bool:
        """Return whether a cluster's result was made from the same inputs, and is as an earlier run wrote it."""
        found = results.kept(self._folder / entry.folder)
        if found is None or found[0].made_from != made_from:
            return False
        self._note(entry, found[1])
        return True

    def forget(self, entry: Entry) -> None:
        """Take an earlier result away, so that nobody takes it for one of this run."""
        (self._folder / entry.folder / results.ROW).unlink(missing_ok=True)

    def write(self, entry: Entry, report: bytes, made_from: str) -> None:
        """Write a cluster's result, its row last; raises UsageError where another row is about the same cluster."""
        folder = self._folder / entry.folder
        stdout.make_folder(folder)
        stdout.write_file(folder / results.REPORT, report, mode=0o600)
        row = results.row(entry.name, entry.source, dict(entry.labels), made_from, report)
        stdout.write_file(folder / results.ROW, row, mode=0o600)
        self._note(entry, msgspec.json.decode(report, type=results.Report))

    def _note(self, entry: Entry, report: results.Report) -> None:
        summary.refuse_twice(self._owners, entry.name, report.cluster.id if report.cluster else None)


def begin(directory: Path, part: shard.Shard | None) -> None:
    """Take the last run's files about all clusters away, and write down which part of the fleet this run judges.

    Where this run stops, nobody may take the last one's verdicts for its own: they may be about another target.
    """
    stdout.make_folder(directory)
    if exists(directory / FLEET):
        (directory / FLEET).replace(directory / UNFINISHED)
    elif not exists(directory / UNFINISHED):
        stdout.write_file(directory / UNFINISHED, b"", mode=0o600)
    nothing = summary.summarise((), None)
    names = {name for plugin in plugins.load_all("fleet.formats") for name in plugin.files(nothing)}
    for path in (*(directory / name for name in (*names, POLICY_REPORTS)), *(directory / WAVES).glob("*")):
        path.unlink(missing_ok=True)
    if part is None:
        (directory / SHARD).unlink(missing_ok=True)
    else:
        stdout.write_file(directory / SHARD, msgspec.json.encode(part) + b"\n", mode=0o600)


def merge(parts: Sequence[Path], directory: Path) -> document.Fleet:
    """Join the results of several runs in one folder, whatever their order.

    Raises UsageError where a part is not whole, a shard is missing, or two results are about one cluster.
    """
    shard.refuse_missing([_shard_of(part) for part in parts])
    folders: dict[str, Path] = {}
    given: list[document.Acknowledgement] = []
    for part in parts:
        finished = _finished(part)
        given += finished.acknowledgements
        for cluster in finished.clusters:  # what else lies there is of an earlier run
            folder = part / results.CLUSTERS / PurePosixPath(cluster.report).parent.name
            other = folders.setdefault(folder.name, folder)
            if other is not folder:
                raise UsageError(f"{other} and {folder} are about one cluster", hint="leave one of the folders out")
            results.whole(folder)
    begin(directory, None)
    for name, folder in folders.items():
        place = directory / results.CLUSTERS / name
        stdout.make_folder(place)
        for file in (results.REPORT, results.ROW):
            stdout.write_file(place / file, read_file(folder / file, _MOST_BYTES), mode=0o600)
    stdout.make_folder(directory / results.CLUSTERS)
    return summarise(directory, folders, given)


def _finished(part: Path) -> document.Fleet:
    found = None if exists(part / UNFINISHED) else _before(part)
    if found is None:
        raise UsageError(
            f"{part} holds no finished run of fleet",
            hint="give the folder that -d named in that run, and finish it with --resume",
        )
    return found


def _shard_of(part: Path) -> shard.Shard | None:
    if not exists(part / SHARD):
        return None
    try:
        return msgspec.json.decode(read_file(part / SHARD, _MOST_BYTES), type=shard.Shard)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise UsageError(f"{part / SHARD} cannot be read: {exc}") from exc


def summarise(
    directory: Path, folders: Iterable[str], given: Iterable[document.Acknowledgement] = ()
) -> document.Fleet:
    """Write the files about these clusters and return what they say; others in the folder are of an earlier run."""
    fleet = summary.summarise(results.read(directory, folders), _before(directory), given)
    for plugin in plugins.load_all("fleet.formats"):
        for name, content in plugin.files(fleet).items():
            stdout.make_folder((directory / name).parent)
            stdout.write_file(directory / name, content, mode=0o600)
    stdout.write_file(directory / POLICY_REPORTS, _policy_reports(directory, fleet), mode=0o600)
    stdout.write_file(directory / FLEET, document.encode(fleet), mode=0o600)
    (directory / UNFINISHED).unlink(missing_ok=True)
    return fleet


def text(fleet: document.Fleet, *, changed_only: bool) -> str:
    """Return the text for a terminal."""
    return terminal.render(fleet, changed_only=changed_only)


def _policy_reports(directory: Path, fleet: document.Fleet) -> Iterator[bytes]:
    """Yield a PolicyReport for each cluster, one after the other: all of them at once would fill the memory.

    It lies in the namespace that a hub has for the cluster, where the cluster's name can be that of a namespace.
    """
    policy = plugins.load("report.formats", "policyreport")
    for cluster in fleet.clusters:
        content = read_file(directory / cluster.report, _MOST_BYTES)
        body = policy.document(msgspec.json.decode(content, type=report_document.Report))
        if _NAMESPACE.fullmatch(cluster.name):
            body["metadata"]["namespace"] = cluster.name
        body["metadata"]["annotations"]["upgrade-gate/fleet-name"] = one_line(cluster.name)
        yield b"---\n" + policy.encode(body)


def _before(directory: Path) -> document.Fleet | None:
    """Return what the last run into a folder said; raises UsageError where that cannot be read."""
    path = directory / (UNFINISHED if exists(directory / UNFINISHED) else FLEET)
    if not exists(path):
        return None
    try:
        content = read_file(path, _MOST_BYTES)
        return document.decode(content) if content else None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise UsageError(
            f"{path} cannot be read: {exc}", hint="remove it; then nothing is compared with the last run"
        ) from exc

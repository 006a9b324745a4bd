"""Read a dump: must-gather, `oc adm inspect`, an insights archive, or a folder of dumped YAML or JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from upgrade_gate.base.errors import ClusterError, UsageError
from upgrade_gate.base.facts import Fact, Known, Unknown
from upgrade_gate.base.paths import exists, is_dir
from upgrade_gate.cluster.facts_table import INFRASTRUCTURE, VERSION
from upgrade_gate.cluster.readers._dump_files import ENDINGS, FolderFiles, Unusable, open_archive
from upgrade_gate.cluster.readers._dump_flat import FlatLayout
from upgrade_gate.cluster.readers._dump_insights import InsightsLayout
from upgrade_gate.cluster.readers._dump_remedy import remedy
from upgrade_gate.cluster.readers._dump_tree import TreeLayout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from upgrade_gate.cluster.model import Query
    from upgrade_gate.cluster.readers._dump_files import Files

_DEPTH = 3
_SNAPSHOT = b'"upgrade-gate/snapshot/'
_HOSTED = "hostedcluster-"
"""Below the dump of a management cluster, `hypershift dump` keeps those of its hosted clusters in such folders."""
_MOST_FOLDERS = 5_000
_MOST_FLAT = 5_000


class Layout(Protocol):
    """One dump of one cluster in one layout."""

    @property
    def path(self) -> str:
        """Where it lies."""
        ...

    @property
    def timestamp(self) -> str | None:
        """When its collection ended, in UTC; as the folder above says where it does not itself."""
        ...

    @property
    def own_time(self) -> str | None:
        """When its collection ended by its own word."""
        ...

    def answer(self, query: Query) -> Fact[Any] | None:
        """Answer a query from this dump, None where it did not collect that kind."""
        ...


@dataclass(frozen=True, slots=True)
class MustGatherReader:
    """Answers queries from one or more dumps of one cluster, the newest first."""

    description: str
    collected: str | None
    layouts: tuple[Layout, ...]
    dump: Path

    @property
    def holds_objects(self) -> bool:
        """Whether anything of a cluster is in it, or may be in what could not be parsed."""
        return any(
            not isinstance(layout, FlatLayout) or layout.objects or layout.collected or layout.broken
            for layout in self.layouts
        )

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        """Answer every query; a kind that no dump collected is Unknown."""
        return {query: self._answer(query) for query in queries}

    def _answer(self, query: Query) -> Fact[Any]:
        for layout in self.layouts:
            found = layout.answer(query)
            if found is not None:
                return found
        return Unknown(_not_collected(query), remedy=remedy(query, self.dump, self.layouts[0]))


def _not_collected(query: Query) -> str:
    where = f" of namespace {query.namespace}" if query.namespace else ""
    if query.name:
        return f"{query.kind}/{query.name}{where} is not in the must-gather"
    return f"the list of {query.plural}{where} is not in the must-gather"


def open_dump(path: Path, *, read_secrets: bool = False) -> MustGatherReader:
    """Open a dump: a folder, a tar archive of one, or one file of dumped objects.

    Raises UsageError where the path does not exist or holds dumps of several clusters, ClusterError where it cannot
    be read at all. A dump that holds nothing answers every query with Unknown.
    """
    if not exists(path):
        raise UsageError(f"must-gather:{path} does not exist", hint="give the folder or archive of the dump")
    if not path.is_dir() and not path.is_file():
        raise UsageError(
            f"must-gather:{path} is neither file nor folder", hint="give the folder or archive of the dump"
        )
    files, layouts = _layouts(path, read_secrets)
    if not layouts:
        flat = _flat(path, files, read_secrets)
        _refuse_nothing(path, files, flat)
        layouts = [flat]
    told = ""
    if len(layouts) > 1:
        layouts = _one_cluster(path, layouts)
        told = f" ({len(layouts)} dumps of one cluster, merged: {layouts[0].path} is the newest)"
    stamps = [layout.timestamp for layout in layouts if layout.timestamp]
    return MustGatherReader(
        description=f"must-gather {path.name}{told}",
        collected=max(stamps, default=None),
        layouts=tuple(layouts),
        dump=path,
    )


def _refuse_nothing(path: Path, files: Files, flat: FlatLayout) -> None:
    """Raise UsageError where a path holds no object at all, and nothing that could hide one: it is another path."""
    if flat.objects or flat.collected or flat.broken:
        return
    if path.is_file() and path.name.endswith(ENDINGS) and _SNAPSHOT in (files.read(path.name) or b""):
        raise UsageError(f"must-gather:{path} is a snapshot, not a dump", hint=f"give snapshot:{path}")
    what = "is a file that holds" if path.is_file() else f"is empty: down to {_DEPTH} folders it holds"
    raise UsageError(
        f"must-gather:{path} {what} no object of a cluster",
        hint="give the folder or archive that must-gather or `oc adm inspect` wrote",
    )


def _layouts(path: Path, read_secrets: bool) -> tuple[Files, list[Layout]]:
    files: Files
    if is_dir(path):
        files = FolderFiles(path)
    elif path.name.endswith(ENDINGS):
        files = FolderFiles(path.parent)
        return files, []
    else:
        files = open_archive(path)
    found: list[Layout] = []
    for base in _roots(files):
        own = _timestamp(files, base)
        above = base.rstrip("/").rpartition("/")[0]
        timestamp = own or _timestamp(files, f"{above}/" if above else "")
        shown = base.rstrip("/") or "."
        if _is_tree(files, base):
            found.append(TreeLayout(files, base, shown, read_secrets, timestamp, own))
        else:
            found.append(InsightsLayout(files, base, shown, timestamp, own))
    return files, found


def _is_tree(files: Files, base: str) -> bool:
    names = {name for name, is_folder in files.names(base.rstrip("/")) if is_folder}
    return bool(names & {"cluster-scoped-resources", "namespaces"})


def _is_insights(files: Files, base: str) -> bool:
    names = {name.removesuffix(".json") for name, _ in files.names(f"{base}config")}
    return bool(names & {"version", "infrastructure", "clusteroperator"})


def _roots(files: Files) -> Iterator[str]:
    """Yield the roots of dumps at depth 0 to 3; below a root only those of the clusters that it hosts."""
    queue = [("", 0)]
    seen = 0
    while queue:
        base, depth = queue.pop(0)
        seen += 1
        if seen > _MOST_FOLDERS:
            raise ClusterError("more folders than a dump has", hint="give the folder of the dump itself")
        if _is_tree(files, base) or _is_insights(files, base):
            yield base
            hosted = [
                name for name, is_folder in files.names(base.rstrip("/")) if is_folder and name.startswith(_HOSTED)
            ]
            queue += [(f"{base}{name}/", _DEPTH) for name in hosted]
            continue
        if depth < _DEPTH:
            queue += [(f"{base}{name}/", depth + 1) for name, is_folder in files.names(base.rstrip("/")) if is_folder]


_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)? ?(Z|[+-]\d\d:?\d\d)?")


def _timestamp(files: Files, base: str) -> str | None:
    """Return the end of the collection in UTC: the last line of the file `timestamp`."""
    try:
        content = files.read(f"{base}timestamp")
    except Unusable:
        return None
    stamps = _STAMP.findall((content or b"")[:1000].decode(errors="replace"))
    return _moment(*stamps[-1]) if stamps else None


def _moment(day: str, time: str, zone: str) -> str | None:
    try:
        moment = datetime.fromisoformat(f"{day}T{time}+00:00")
    except ValueError:
        return None
    if zone and zone != "Z":
        sign, digits = zone[0], zone[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        moment -= offset if sign == "+" else -offset
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _flat(path: Path, files: Files, read_secrets: bool) -> FlatLayout:
    layout = FlatLayout(".", read_secrets)
    alone = path.is_file() and path.name.endswith(ENDINGS)
    names = [path.name] if alone else list(_flat_names(files, "", _DEPTH))
    if len(names) > _MOST_FLAT:
        raise ClusterError(f"{path} holds more than {_MOST_FLAT} files", hint="give the folder of the dump itself")
    for name in names:
        try:
            content = files.read(name)
        except Unusable as error:
            layout.broken.append(str(error))
            continue
        if content is not None:
            layout.add(content, name)
    return layout


def _flat_names(files: Files, base: str, depth: int) -> Iterator[str]:
    for name, is_folder in files.names(base.rstrip("/")):
        if not is_folder:
            if name.endswith(ENDINGS):
                yield base + name
        elif depth:
            yield from _flat_names(files, f"{base}{name}/", depth - 1)


def _one_cluster(path: Path, layouts: list[Layout]) -> list[Layout]:
    """Return the dumps of the one cluster, newest first.

    Raises UsageError where there are several clusters, or where nothing tells which dump is the newer one.
    """
    owners = {layout.path: _owner(layout) for layout in layouts}
    known = sorted({owner for owner in owners.values() if owner is not None})
    if len(known) > 1:
        listed = "; ".join(f"{owner or 'unnamed'}: {path / place}" for place, owner in sorted(owners.items()))
        raise UsageError(f"must-gather:{path} holds {len(known)} clusters: {listed}", hint="give the folder of one")
    ages = [layout.own_time for layout in layouts]
    if None in ages or len(set(ages)) < len(ages):
        listed = "; ".join(f"{path / layout.path}: {layout.own_time or 'no time'}" for layout in layouts)
        raise UsageError(
            f"must-gather:{path} holds {len(layouts)} dumps of one cluster and no time that shows which is newer: "
            f"{listed}",
            hint="give the folder of one; the file timestamp beside a dump tells its age",
        )
    return sorted(layouts, key=lambda layout: layout.own_time or "", reverse=True)


def _owner(layout: Layout) -> str | None:
    """Return the cluster's ID, else its infrastructure name, None where the dump tells neither."""
    for query, path in ((VERSION, ("spec", "clusterID")), (INFRASTRUCTURE, ("status", "infrastructureName"))):
        answer = layout.answer(query)
        value: Any = answer.value if isinstance(answer, Known) else None
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and value and set(value) - {"x", "-"}:
            return value
    return None

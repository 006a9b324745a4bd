"""The clusters of a fleet: read from folders, from the contexts of a kubeconfig, from a hub, or from a file.

A file is YAML or JSON, and its paths are meant from the folder that it lies in:

    clusters:
      - name: prod-eu-1
        cluster: snapshot:prod-eu-1.json     or must-gather:DIR, context:NAME, hub:NAME, hub:CONTEXT/NAME
        to: 4.19.2                           optional, like all that follows; else --to
        via: [4.18.9]                        instead of --via; stops that it has passed are left out
        labels: {env: prod}
        config: prod.yaml                    identities and policy for this cluster, instead of those of --config
        identities: export:exports/prod      instead of --identities
        acknowledgements: [accepted.yaml]    beside those of --acknowledgements
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import quote

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.paths import exists, is_dir
from upgrade_gate.cluster.hub import ID
from upgrade_gate.reading import required_version, settings_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from upgrade_gate.cluster.hub import ManagedCluster
    from upgrade_gate.reading.settings_file import Value

SourceKind: TypeAlias = Literal["snapshot", "must-gather", "context", "hub"]
Hub: TypeAlias = "Callable[[str], Iterable[ManagedCluster]]"
"""Lists the clusters of a hub, which a context of the kubeconfig names; the empty one is the current one."""
_FOLDERS: Final[Mapping[str, SourceKind]] = {"snapshots": "snapshot", "must-gathers": "must-gather"}
HUB: Final = "hub"
"""In place of a file: the clusters of the hub at the current context. A file of that name is given as `./hub`."""
_KEYS: Final = ("name", "cluster", "to", "via", "labels", "config", "identities", "acknowledgements")
_LONGEST: Final = 120
"""Characters of a folder's name; file systems end at 255 bytes."""


class Entry(Struct, frozen=True):
    """One cluster of the fleet."""

    name: str
    """One of its kind in the fleet."""
    kind: SourceKind
    where: str
    """The file or folder, the name of the context, or that of the managed cluster."""
    to: str | None = None
    """None: the target of the whole run."""
    via: tuple[str, ...] | None = None
    """None: the stops of the whole run."""
    labels: Mapping[str, str] = field(default_factory=dict)
    config: Path | None = None
    identities: str | None = None
    """As `--identities` takes it."""
    acknowledgements: tuple[str, ...] = ()
    hub: str = ""
    """The context of its hub; empty: the current one."""
    managed: ManagedCluster | None = None
    """What the hub says of it; None where it comes from no hub."""

    @property
    def source(self) -> str:
        """Where it is read, in one word: `snapshot:FILE`."""
        return f"{self.kind}:{self.hub}/{self.where}" if self.hub else f"{self.kind}:{self.where}"

    @property
    def claimed_id(self) -> str | None:
        """Its cluster ID as far as it is known before anything is read of it."""
        return (self.managed.claims.get(ID) or None) if self.managed else None

    @property
    def folder(self) -> str:
        """The name of its folder: one of its kind as its name is, with nothing in it that means a path."""
        safe = quote(self.name, safe="").replace("~", "%7E")
        safe = f"%2E{safe[1:]}" if safe.startswith(".") else safe
        return safe if len(safe) <= _LONGEST else f"{safe[:90]}~{sha256(self.name.encode()).hexdigest()[:16]}"


def read(inventories: Sequence[str], contexts: Callable[[], Iterable[str]], hub: Hub) -> tuple[Entry, ...]:
    """Return the clusters of all inventories, sorted by name; `contexts` lists those of the kubeconfig.

    Raises UsageError for an inventory without a cluster, for two clusters of one name, for a name that cannot be
    printed, and for what cannot be opened, ClusterError for a hub that cannot be read.
    """
    found: dict[str, Entry] = {}
    for text in inventories:
        entries = tuple(_read(text, contexts, hub))
        if not entries:
            raise UsageError(f"{text} holds no cluster", hint="an inventory without one is left out")
        for entry in entries:
            if not entry.name.isprintable():
                raise UsageError(
                    f"{text}: {entry.name!r} has characters that cannot be printed", hint="give it another name"
                )
            other = found.setdefault(entry.name, entry)
            if other is not entry:
                raise UsageError(
                    f"two clusters are named {entry.name!r}: {other.source} and {entry.source}",
                    hint="name them in a file: clusters: [{name: …, cluster: …}]",
                )
    folders: dict[str, Entry] = {}
    for entry in found.values():
        other = folders.setdefault(entry.folder.casefold(), entry)  # some file systems know no case
        if other is not entry:
            raise UsageError(f"the names {other.name!r} and {entry.name!r} differ by case only")
    return tuple(sorted(found.values(), key=lambda entry: entry.name))


def folders(inventories: Iterable[str]) -> Iterator[Path]:
    """Yield the folders that inventories read whole: nothing may be written there."""
    for text in inventories:
        kind, _, rest = text.partition(":")
        if kind in _FOLDERS and rest:
            yield Path(rest)


def _read(text: str, contexts: Callable[[], Iterable[str]], hub: Hub) -> Iterator[Entry]:
    kind, colon, rest = text.partition(":")
    if kind in _FOLDERS and rest:
        yield from _of_folder(_FOLDERS[kind], Path(rest), text)
    elif kind == "contexts" and rest:
        yield from (Entry(name, "context", name) for name in sorted(set(contexts())) if fnmatchcase(name, rest))
    elif kind == HUB and (rest or not colon):
        yield from (_managed(rest, managed, managed.name) for managed in hub(rest))
    elif exists(Path(text)) and not is_dir(Path(text)):
        yield from _of_file(Path(text), hub)
    else:
        raise UsageError(
            f"{text!r} is no inventory",
            hint="snapshots:DIR, must-gathers:DIR, contexts:GLOB, hub, hub:CONTEXT, or a YAML or JSON file",
        )


def _of_folder(kind: SourceKind, folder: Path, text: str) -> Iterator[Entry]:
    """Yield a cluster for each entry of a folder but hidden ones: what is no snapshot or dump says so in its row."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as exc:
        raise UsageError(f"{text}: {exc.strerror or exc}", hint="name a folder") from exc
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if kind == "snapshot" and entry.is_dir():
            raise UsageError(f"{entry.path} is a folder", hint=f"name it as well: snapshots:{entry.path}")
        name = Path(entry.name).stem if kind == "snapshot" else entry.name
        yield Entry(name, kind, entry.path)


def _of_file(path: Path, hub: Hub) -> Iterator[Entry]:
    root = settings_file.read(path)
    if root is None:
        return
    required_version.check(root)
    fields = root.fields(("clusters", required_version.KEY), required=("clusters",))
    for item in fields["clusters"].items():
        yield _entry(item, path.parent, hub)


def _entry(item: Value, base: Path, hub: Hub) -> Entry:
    fields = item.fields(_KEYS, required=("name", "cluster"))
    name = fields["name"].text()
    if name != name.strip():
        raise fields["name"].error(f"{name!r} has space around it")
    found = _source(name, fields["cluster"], base, hub)
    accepted = fields.get("acknowledgements")
    files = () if accepted is None else _listed(accepted)
    labels = fields["labels"].mapping() if "labels" in fields else {}
    return replace(
        found,
        to=_place(fields["to"].text(), base) if "to" in fields else None,
        via=tuple(_place(stop, base) for stop in _listed(fields["via"])) if "via" in fields else None,
        labels={**found.labels, **{key: value.written() for key, value in sorted(labels.items())}},
        config=base / fields["config"].text() if "config" in fields else None,
        identities=_place(fields["identities"].text(), base) if "identities" in fields else None,
        acknowledgements=tuple(str(base / file) for file in files),
    )


def _listed(value: Value) -> tuple[str, ...]:
    """Return the texts of a list, or one text that stands alone."""
    return tuple(value.texts()) if value.kind == "list" else (value.text(),)


def _source(name: str, value: Value, base: Path, hub: Hub) -> Entry:
    """Return the entry with what says where the cluster is, and what its hub says of it."""
    kind, _, rest = value.text().strip().partition(":")
    if rest and kind == "context":
        return Entry(name, "context", rest)
    if rest and kind == "snapshot":
        return Entry(name, "snapshot", str(base / rest))
    if rest and kind == "must-gather":
        return Entry(name, "must-gather", str(base / rest))
    if rest and kind == HUB:
        context, _, own = rest.rpartition("/")
        for managed in hub(context):
            if managed.name == own:
                return _managed(context, managed, name)
        raise value.error(f"is {rest!r}, which the hub has not", "oc get managedclusters shows their names")
    raise value.error("is no cluster", "snapshot:FILE, must-gather:DIR, context:NAME, hub:NAME or hub:CONTEXT/NAME")


def _managed(context: str, managed: ManagedCluster, name: str) -> Entry:
    return Entry(name, "hub", managed.name, labels=managed.labels, hub=context, managed=managed)


def _place(text: str, base: Path) -> str:
    """Return a form with the path in it meant from the folder of the file: `dir:RELEASE`, `policies:PATH`."""
    form, colon, rest = text.strip().partition(":")
    if colon and form in {"dir", "archive", "oci", "mirror", "export", "policies"} and not rest.startswith("~"):
        return f"{form}:{base / rest}"
    return text.strip()

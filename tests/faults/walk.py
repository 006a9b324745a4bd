"""The walk over a flow: every input, every single fault that it can have, each with a name that stays."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults import documents, kinds

_JUDGED = re.compile(rb"CredentialsRequest|FeatureGate|clusterversions\.config\.openshift\.io")
"""What a manifest says that a verdict can rest on; others are faulted as files only."""
_TABLES = ("image-references", "release-metadata")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in one input of a flow."""

    flow: str
    file: str
    """Below the flow's folder."""
    sort: str
    """What sort of input: `dump Secret`, `payload CredentialsRequest`, `export`, …"""
    kind: str
    path: kinds.Path = ()
    """The node; nothing: the file."""
    cloud: str = ""
    """The kind of providerSpec of the request that the node belongs to."""

    @property
    def name(self) -> str:
        """What it is called, on every machine and in every run."""
        return f"{self.flow} | {self.file} | {'.'.join(map(str, self.path)) or '-'} | {self.kind}"

    @property
    def shape(self) -> str:
        """The way to its node without places in lists."""
        return ".".join("*" if isinstance(step, int) else step for step in self.path[1:])

    @property
    def likeness(self) -> tuple[str, ...]:
        """What faults that are alike have in common: side, sort, cloud, way to the node, kind."""
        return re.sub(r"\d+\.\d+\.\d+", "", self.file.partition("/")[0]), self.sort, self.cloud, self.shape, self.kind

    @property
    def order(self) -> str:
        """A stable hash by which samples are drawn."""
        return hashlib.sha256(self.name.encode()).hexdigest()


def faults(flow: str, folder: Path) -> Iterator[Fault]:
    """Yield every single fault of a flow whose inputs lie in this folder."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        file = path.relative_to(folder).as_posix()
        content = path.read_bytes()
        found = documents.read(content) if _matters(file, content) else None
        sort = _sort(file, found)
        yield from (Fault(flow, file, sort, kind) for kind in (*kinds.FILES, *kinds.NAMES, *kinds.COPIES))
        for way, value in kinds.nodes(found or []):
            body = _object_at(found, way)
            below, cloud = _sort(file, [body]), _cloud(body)
            yield from (Fault(flow, file, below, kind, way, cloud) for kind in kinds.of_node(way[-1], value))


def edits(fault: Fault, folder: Path) -> Mapping[Path, bytes | None]:
    """Return what the fault makes of the files: their new content, None where one is gone."""
    path = folder / fault.file
    content = path.read_bytes()
    if fault.kind in kinds.FILES and not fault.path:
        return {path: kinds.FILES[fault.kind](content)}
    if fault.kind in kinds.NAMES and not fault.path:
        return {path: None, path.with_name(kinds.NAMES[fault.kind](path.name)): content}
    if fault.kind in kinds.COPIES and not fault.path:
        return {path.with_name(kinds.COPIES[fault.kind](path.name)): content}
    found = documents.read(content)
    assert found is not None, fault.name
    return {path: documents.written(kinds.spoil(found, fault.path, fault.kind), content)}


def _matters(file: str, content: bytes) -> bool:
    """Return whether the leaves of a file are faulted: of a payload, only what holds requests, gates and tables."""
    if not _of_payload(file):
        return True
    return file.endswith(_TABLES) or _JUDGED.search(content) is not None


def _of_payload(file: str) -> bool:
    return re.match(r"(release-|releases/|\d+-\d|current/|target/|\d+\.\d+\.\d+/)", file) is not None


def _sort(file: str, found: Any) -> str:
    """Return the sort of input: where it lies, and the kind of object where it is one."""
    body = found[0] if found else None
    kind = body.get("kind") if isinstance(body, dict) else None
    if _of_payload(file):
        table = next((name for name in _TABLES if file.endswith(name)), None)
        return f"payload {table or kind or 'manifest'}"
    first = file.partition("/")[0]
    where = {"identities": "export", "export": "export", "config.yaml": "configuration"}.get(first)
    where = where or {"identities.yaml": "configuration", "acknowledgements.yaml": "acknowledgements"}.get(first)
    where = where or {"snapshot.json": "snapshot"}.get(first)
    return where or f"dump {kind or 'file'}"


def _object_at(found: Any, path: kinds.Path) -> Any:
    """Return the object that a node belongs to: an item of a list, else the document."""
    body = found[path[0]]
    if isinstance(body, dict) and isinstance(body.get("items"), list) and path[1:2] == ("items",) and len(path) > 2:
        return body["items"][int(path[2])]
    return body


def _cloud(body: Any) -> str:
    try:
        return str(body["spec"]["providerSpec"]["kind"])
    except (KeyError, TypeError):
        return ""

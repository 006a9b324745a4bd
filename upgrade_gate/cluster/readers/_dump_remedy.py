"""How what a dump lacks is added to it, in the layout that it has (docs/facts/dumps.md#layouts)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.paths import is_dir
from upgrade_gate.base.shell import quote, words
from upgrade_gate.cluster.readers._dump_flat import FlatLayout
from upgrade_gate.cluster.readers._dump_tree import TreeLayout

if TYPE_CHECKING:
    from pathlib import Path

    from upgrade_gate.cluster.model import Query


def remedy(query: Query, path: Path, newest: object) -> str:
    """Return what makes the answer to a query part of the dump at `path`, whose newest layout is `newest`.

    `oc adm inspect` adds to a tree of its own. It adds to nothing else: two dumps of one cluster are not joined, so a
    second one beside the first would not be read. An archive is unpacked first.
    """
    folder = path.resolve().name if is_dir(path) else path.name.partition(".")[0] or "must-gather"
    if isinstance(newest, TreeLayout):
        command, then = _inspect(query, f"{folder}/{newest.base}".rstrip("/")), ""
    elif isinstance(newest, FlatLayout):
        command, then = _in_folder(query, folder)
    else:
        return "read the live cluster, or a must-gather: an Insights archive does not have it"
    if is_dir(path):
        return f"collect with {command}, then {then}" if then else command
    alone = path.suffix in {".yaml", ".yml", ".json"}
    first = f"move {path.name} into a folder {folder}" if alone else f"unpack {path.name} into the folder {folder}"
    given = f"and give --cluster {quote(f'must-gather:{folder}')}"
    return ", ".join(part for part in (first, f"run {command}", then, given) if part)


def _inspect(query: Query, into: str) -> str:
    if query.namespace and query.group in {"", "apps"}:
        # the whole namespace, which writes lists: only those prove absence
        return words("oc", "adm", "inspect", f"namespace/{query.namespace}", "--dest-dir", into)
    where = ("-n", query.namespace) if query.namespace else () if query.name else ("-A",)
    return words("oc", "adm", "inspect", query.resource, *where, "--dest-dir", into)


def _in_folder(query: Query, folder: str) -> tuple[str, str]:
    """Return the command that writes one more file, and what is to be done after it.

    `oc get` would write the values of Secrets; `oc adm inspect` leaves them out.
    """
    into = quote(f"{folder}/{'-'.join(part for part in (query.namespace, query.plural, 'added.yaml') if part)}")
    if query.kind == "Secret":
        return _inspect(
            query, "added"
        ), f"copy {quote(f'added/namespaces/{query.namespace}/core/secrets.yaml')} to {into}"
    kind = f"{query.plural}.{query.group}" if query.group else query.plural
    what = (kind, "-n", query.namespace) if query.namespace else (query.resource,) if query.name else (kind, "-A")
    return f"{words('oc', 'get', *what, '-o', 'yaml')} > {into}", ""

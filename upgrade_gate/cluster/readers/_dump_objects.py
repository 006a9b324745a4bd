"""From the documents of a dumped file to objects: lists taken apart, names checked, kind and version completed.

`shown` is the file in words; what cannot be used raises Unusable with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.facts import Absent, Fact
from upgrade_gate.base.secret_ref import OBJECT_NAME
from upgrade_gate.cluster.readers._dump_files import Unusable
from upgrade_gate.cluster.readers._kept import kept, without_managed_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.cluster.model import Query


def is_legal(name: str) -> bool:
    """Return whether the API takes this name, so that it may stand in a path."""
    return OBJECT_NAME.fullmatch(name) is not None


def is_list(body: Any) -> bool:
    """Return whether a document is a list: `List`, `XList`, or a list without a kind."""
    if not isinstance(body, dict):
        return False
    kind = body.get("kind")
    return (isinstance(kind, str) and kind.endswith("List")) or (kind is None and "items" in body)


def is_page(body: Any) -> bool:
    """Return whether a list says that it goes on elsewhere: what is not in it may be on the next page.

    Source: Kubernetes, `ListMeta` (`continue`, `remainingItemCount`).
    """
    metadata = body.get("metadata") if is_list(body) else None
    return isinstance(metadata, dict) and any(metadata.get(key) for key in ("continue", "remainingItemCount"))


def entries(bodies: Iterable[Any], shown: str) -> list[Any]:
    """Return the objects of a file, those of its lists one by one."""
    return [item for body in bodies for item in (items_of(body, shown) if is_list(body) else [body])]


def items_of(body: dict[str, Any], shown: str) -> list[Any]:
    """Return the objects of a list."""
    items = body.get("items")
    if not isinstance(items, list):
        raise Unusable(f"{shown} is a list without items")
    if not all(isinstance(item, dict) for item in items):
        raise Unusable(f"{shown} holds an entry that is not an object")
    return items


def key_of(body: Any, shown: str) -> tuple[str, str]:
    """Return an object's namespace, empty for none, and its name."""
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if not isinstance(metadata, dict):
        raise Unusable(f"{shown} holds an object without metadata")
    namespace, name = metadata.get("namespace", ""), metadata.get("name")
    if not isinstance(name, str) or not isinstance(namespace, str):
        raise Unusable(f"{shown} holds an object without a name")
    return namespace, name


def pick(
    bodies: Sequence[Any], query: Query, shown: str, read_secrets: bool, *, missing_is_absent: bool = False
) -> Fact[Any]:
    """Return the object of that name among the documents of its file or list."""
    named = [body for body in bodies if key_of(body, shown)[1] == query.name]
    if not named and missing_is_absent:
        return Absent()
    if len(named) != 1:
        raise Unusable(f"{shown} holds {len(named)} objects named {query.name}, not one")
    return kept(completed(named[0], query, shown), query, read_secrets=read_secrets)


def completed(body: Any, query: Query, shown: str, *, needs_name: bool = True) -> dict[str, Any]:
    """Return the object with kind and version from its place, without managedFields; Unusable where they differ.

    Cleaning tools take API groups for host names and replace them: such an object is unusable, not another one.
    """
    if not isinstance(body, dict):
        raise Unusable(f"{shown} is not an object")
    if needs_name:
        key_of(body, shown)
    stated = body.get("apiVersion", query.api_version)
    if stated != query.api_version:
        raise Unusable(f"{shown} has the unknown apiVersion {str(stated)[:60]!r}")
    if body.get("kind", query.kind) != query.kind:
        raise Unusable(f"{shown} is of kind {str(body.get('kind'))[:60]!r}, not {query.kind}")
    if query.kind == "ClusterOperator" and _lacks_versions(body) and not shown.endswith((".json", ".json.gz")):
        raise Unusable(f"{shown} is cut off: it has no status.versions")
    return without_managed_fields({**body, "apiVersion": stated, "kind": query.kind})


def _lacks_versions(body: dict[str, Any]) -> bool:
    # The last field of every real ClusterOperator: YAML that was cut between two lines lacks it.
    status = body.get("status")
    return isinstance(status, dict) and "versions" not in status


def selected(body: dict[str, Any], selector: str | None) -> bool:
    """Return whether an object carries the label of a selector; only `key` and `key=value` are used."""
    if selector is None:
        return True
    key, _, value = selector.partition("=")
    labels = body["metadata"].get("labels")
    return isinstance(labels, dict) and key in labels and (not value or labels[key] == value)

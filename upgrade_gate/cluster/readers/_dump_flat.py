"""A folder of dumped YAML or JSON files in which the objects themselves say what they are.

See docs/facts/dumps.md#layouts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.cluster.facts_table import KINDS, NAMESPACED_KINDS
from upgrade_gate.cluster.model import KINDS_OF_SEVERAL_GROUPS
from upgrade_gate.cluster.readers._dump_files import Unusable, load, stem
from upgrade_gate.cluster.readers._dump_objects import completed, is_list, is_page, items_of, key_of, selected
from upgrade_gate.cluster.readers._kept import kept
from upgrade_gate.reading.node import slip_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.cluster.model import Query

_KIND_OF_FILE: Mapping[str, str] = MappingProxyType(
    {
        "version": "ClusterVersion",
        **{name: query.kind for query in KINDS for name in (query.plural, query.kind.lower())},
    }
)
_KINDS = frozenset(query.kind for query in KINDS)
_API_VERSIONS = frozenset(query.api_version for query in KINDS)
_NAMESAKES = frozenset({("Authentication", "operator.openshift.io/v1"), ("DNS", "operator.openshift.io/v1")})
"""What people dump beside the objects of config.openshift.io, and what is called as they are."""


@dataclass(slots=True)
class FlatLayout:
    """A folder of dumped YAML or JSON files in which the objects themselves say what they are."""

    path: str
    read_secrets: bool = False
    timestamp: str | None = None
    own_time: str | None = None
    objects: dict[tuple[str, str, str], tuple[Any, str]] = field(default_factory=dict)
    """(kind, namespace, name) to the object and the file it came from."""
    collected: set[tuple[str, str]] = field(default_factory=set)
    """(kind, namespace) of which a list was dumped: only there is absence known."""
    single: set[tuple[str, str]] = field(default_factory=set)
    """(kind, namespace) of which objects were dumped one by one."""
    contradictions: dict[tuple[str, str, str], str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, content: bytes, shown: str) -> None:
        """Take in one file; a broken one is remembered, for then absence proves nothing."""
        try:
            for body in load(content, shown):
                self._take(body, shown)
        except Unusable as error:
            self.broken.append(str(error))

    def _take(self, body: Any, shown: str) -> None:
        if not is_list(body):
            self._keep(body, shown, self.single)
            return
        kind = (body.get("kind") or "").removesuffix("List") or _kind_by_name(shown)
        if not kind and "kind" not in body and not _holds_objects(body["items"]):
            return  # a schema, a values file: they have `items` too
        items, page = items_of(body, shown), is_page(body)
        for item in items:
            whole = item if "kind" in item else {**item, "kind": kind}
            if not _is_object(whole):
                raise Unusable(f"{shown} is a list with an entry that has no kind or no metadata")
            self._keep(whole, shown, self.single if page else self.collected)
        if not items and not page:
            # Of which namespace an empty list is, only the folder that it lies in can tell.
            folders = shown.split("/")[:-1] if kind in NAMESPACED_KINDS else ["*"]
            self.collected |= {(kind, folder) for folder in folders}
            self.single.add((kind, ""))

    def _keep(self, item: Any, shown: str, places: set[tuple[str, str]]) -> None:
        if not isinstance(item, dict):
            raise Unusable(f"{shown} holds a document that is not an object")
        if not _is_object(item):
            return  # a template, a schema, a values file: not an object of the API
        kind = item["kind"]
        if (meant := slip_of(kind, _KINDS)) is not None:
            raise Unusable(f"{shown} holds an object of kind {kind[:60]!r}, which does not exist: {meant} is meant?")
        stated = item.get("apiVersion")
        if (kind, stated) in _NAMESAKES or (kind in KINDS_OF_SEVERAL_GROUPS and stated not in _API_VERSIONS):
            return  # another API's object of the same name
        namespace, name = key_of(item, shown)
        key = (kind, namespace, name)
        if key in self.objects and self.objects[key][0] != item:
            self.contradictions[key] = f"{self.objects[key][1]} and {shown} hold two states of {kind} {name}"
        self.objects[key] = (item, shown)
        places.add((kind, namespace))

    def answer(self, query: Query) -> Fact[Any] | None:
        """Answer from the objects; a broken file makes every absence Unknown."""
        try:
            if query.name is not None:
                return self._named(query)
            return self._list(query)
        except Unusable as error:
            return Unknown(str(error))

    def _named(self, query: Query) -> Fact[Any] | None:
        key = (query.kind, query.namespace or "", query.name or "")
        if key in self.contradictions:
            return Unknown(self.contradictions[key], remedy="keep the newer one")
        found = self.objects.get(key)
        if found is not None:
            body, shown = found
            return kept(completed(body, query, shown), query, read_secrets=self.read_secrets)
        if self.broken:
            return Unknown(f"{query.kind} {query.name} is not in the readable files; {'; '.join(self.broken[:3])}")
        places = {(query.kind, query.namespace or ""), (query.kind, "*")}
        return Absent() if places & self.collected else None

    def _list(self, query: Query) -> Fact[Any] | None:
        for (kind, _, _), reason in self.contradictions.items():
            if kind == query.kind:
                return Unknown(reason, remedy="keep the newer one")
        if self.broken:
            return Unknown(f"{query.plural} may be in a file that cannot be read: {'; '.join(self.broken[:3])}")
        found = [
            completed(body, query, shown)
            for (kind, namespace, _), (body, shown) in sorted(self.objects.items(), key=lambda entry: entry[0])
            if kind == query.kind and query.namespace in {None, namespace} and selected(body, query.label_selector)
        ]
        listed, single = (
            any(
                kind == query.kind and (query.namespace is None or place in {query.namespace, "*"})
                for kind, place in of
            )
            for of in (self.collected, self.single)
        )
        if single and not listed and query.namespace is not None and query.label_selector is None:
            return Unknown(
                f"{query.plural} were dumped one by one: whether these are all is not known", _listing(query)
            )
        return Known(tuple(found)) if listed or single else None


def _is_object(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("metadata"), dict) and isinstance(item.get("kind"), str)


def _holds_objects(items: Any) -> bool:
    return isinstance(items, list) and any(map(_is_object, items))


def _listing(query: Query) -> str:
    return f"oc -n {query.namespace} get {query.plural} -o yaml"


def _kind_by_name(shown: str) -> str:
    """Return the kind of a list that does not say it, by the name of its file; empty where that does not tell."""
    return _KIND_OF_FILE.get(stem(shown.rpartition("/")[2]).lower(), "")

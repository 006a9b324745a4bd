"""The tree that must-gather and `oc adm inspect` write (docs/facts/dumps.md#layouts).

Absence is known only where the kind was collected as a list, per namespace for namespaced objects: what was dumped
one by one proves itself and nothing else (docs/facts/dumps.md#absence).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.cluster.facts_table import NAMESPACED_KINDS
from upgrade_gate.cluster.readers._dump_files import ENDINGS, Unusable, load
from upgrade_gate.cluster.readers._dump_objects import completed, entries, is_legal, is_page, key_of, pick, selected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.cluster.model import Query
    from upgrade_gate.cluster.readers._dump_files import Files


@dataclass(frozen=True, slots=True)
class TreeLayout:
    """What must-gather and `oc adm inspect` write below their root."""

    files: Files
    base: str
    """Path of the root inside the files, empty or ending with a slash."""
    path: str
    read_secrets: bool = False
    timestamp: str | None = None
    own_time: str | None = None

    def answer(self, query: Query) -> Fact[Any] | None:
        """Answer from the object's own file, else from the list of its kind."""
        try:
            if query.name is None:
                return self._list(query)
            if not is_legal(query.name) or (query.namespace is not None and not is_legal(query.namespace)):
                return Unknown(f"{query.kind} {query.namespace}/{query.name} is not a legal name")
            return self._named(query)
        except Unusable as error:
            return Unknown(str(error), remedy="collect the dump again")

    def _named(self, query: Query) -> Fact[Any] | None:
        place = _place(query, query.namespace)
        own = [f"namespaces/{query.name}/{query.name}"] if query.kind == "Namespace" else []
        if found := next(filter(None, map(self._load, (*own, f"{place}/{query.name}"))), None):
            shown, bodies = found
            return pick(entries(bodies, shown) if len(bodies) == 1 else bodies, query, shown, self.read_secrets)
        if listed := self._load(place):
            shown, bodies = listed
            answer = pick(entries(bodies, shown), query, shown, self.read_secrets, missing_is_absent=True)
            if isinstance(answer, Absent) and any(map(is_page, bodies)):
                raise Unusable(f"{shown} is one page of a list: {query.kind} {query.name} may be on the next one")
            return answer
        return None

    def _list(self, query: Query) -> Fact[Any] | None:
        namespaces = [query.namespace]
        if query.namespace is None and query.kind in NAMESPACED_KINDS:
            namespaces = list(self._namespaces())
        lists = [self._list_at(query, _place(query, namespace)) for namespace in namespaces]
        collected = [objects for objects in lists if objects is not None]
        everything = {key: body for objects in collected for key, body in objects.items()}
        chosen = (body for body in everything.values() if selected(body, query.label_selector))
        return Known(tuple(chosen)) if collected else None

    def _namespaces(self) -> Iterator[str]:
        for name, is_folder in self.files.names(f"{self.base}namespaces"):
            if is_folder:
                yield name
            else:
                self.files.read(f"{self.base}namespaces/{name}")  # raises for a link: it may hide a namespace

    def _list_at(self, query: Query, place: str) -> dict[tuple[str, str], Any] | None:
        """Return every object at a place by namespace and name, None where nothing was collected."""
        listed, names = self._load(place), list(self._files_in(place))
        if listed is None and not names:
            return None
        shown, bodies = listed or ("", [])
        if any(map(is_page, bodies)):
            raise Unusable(f"{shown} is one page of a list: the others are missing")
        objects = {key_of(item, shown): completed(item, query, shown) for item in entries(bodies, shown)}
        for name in names:
            shown, bodies = self._load_exact(f"{place}/{name}") or ("", [])
            objects |= {key_of(body, shown): completed(body, query, shown) for body in bodies}
        return objects

    def _files_in(self, place: str) -> Iterator[str]:
        """Yield the names of the files of objects in a folder."""
        for name, is_folder in self.files.names(self.base + place):
            if not is_folder and name.endswith(ENDINGS):
                yield name

    def _load(self, place: str) -> tuple[str, list[Any]] | None:
        """Return the documents of the file of that name and any ending, with the file in words."""
        return next(filter(None, (self._load_exact(place + ending) for ending in ENDINGS)), None)

    def _load_exact(self, place: str) -> tuple[str, list[Any]] | None:
        content = self.files.read(self.base + place)
        return None if content is None else (self.base + place, load(content, self.base + place))


def _place(query: Query, namespace: str | None) -> str:
    """Return where the objects of a kind lie: their list with an ending, a folder of single objects without."""
    scope = "cluster-scoped-resources" if namespace is None else f"namespaces/{namespace}"
    return f"{scope}/{query.group or 'core'}/{query.plural}"

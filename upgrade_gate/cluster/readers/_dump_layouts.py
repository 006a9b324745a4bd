"""The layouts of dumps: where must-gather, `oc adm inspect`, insights archives and plain folders keep an object.

Layouts: must-gather.md sections 1 and 2. Absence is known only where the kind was collected: per namespace for
namespaced objects, per list or folder for cluster-scoped ones (design 16.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.base.secret_ref import OBJECT_NAME, SecretRef
from upgrade_gate.cluster.readers._dump_files import SUFFIXES, Unusable, load, stem
from upgrade_gate.cluster.readers._secrets import reduce_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.cluster.model import Query
    from upgrade_gate.cluster.readers._dump_files import Files

__all__ = ["FlatLayout", "InsightsLayout", "Layout", "TreeLayout"]


class Layout(Protocol):
    """One dump of one cluster in one layout."""

    @property
    def path(self) -> str:
        """Where it lies."""
        ...

    @property
    def timestamp(self) -> str | None:
        """When its collection ended, in UTC."""
        ...

    def answer(self, query: Query) -> Fact[Any] | None:
        """Answer a query from this dump, None where it did not collect that kind."""
        ...


@dataclass(frozen=True, slots=True)
class TreeLayout:
    """What must-gather and `oc adm inspect` write below their root."""

    files: Files
    base: str
    """Path of the root inside the files, empty or ending with a slash."""
    path: str
    read_secrets: bool = False
    timestamp: str | None = None

    def answer(self, query: Query) -> Fact[Any] | None:
        """Answer from the object's own file, else from the list of its kind."""
        try:
            if query.name is None:
                return self._list(query)
            if not _legal(query.name) or (query.namespace is not None and not _legal(query.namespace)):
                return Unknown(f"{query.kind} {query.namespace}/{query.name} is no legal name")
            return self._named(query)
        except Unusable as error:
            return Unknown(str(error), remedy="collect the dump again")

    def _named(self, query: Query) -> Fact[Any] | None:
        assert query.name is not None  # noqa: S101 - for the type checker
        for place in self._object_places(query):
            found = self._load(place)
            if found is not None:
                shown, bodies = found
                if len(bodies) == 1 and _is_list(bodies[0]):
                    bodies = _items(bodies[0], shown)
                return _pick(bodies, query, shown, self.read_secrets)
        collected = False
        for place in self._kind_places(query):
            found = self._load(place)
            if found is not None:
                shown, bodies = found
                items = [item for body in bodies for item in (_items(body, shown) if _is_list(body) else [body])]
                answer = _pick(items, query, shown, self.read_secrets, missing_is_absent=True)
                if not isinstance(answer, Absent):
                    return answer
                collected = True
            elif any(
                not is_folder and name.endswith(_ENDINGS) for name, is_folder in self.files.names(self.base + place)
            ):
                collected = True
        return Absent() if collected else None

    def _list(self, query: Query) -> Fact[Any] | None:
        if query.namespace is not None or not _namespaced(query):
            found = self._list_in(query, self._kind_places(query))
            return None if found is None else Known(tuple(found.values()))
        everything: dict[tuple[str, str], Any] = {}
        collected = False
        for namespace, is_folder in self.files.names(f"{self.base}namespaces"):
            if not is_folder:
                self.files.read(f"{self.base}namespaces/{namespace}")  # raises for a link: it may hide a namespace
            else:
                place = f"namespaces/{namespace}/{query.group or 'core'}/{query.plural}"
                found = self._list_in(query, [place])
                collected = collected or found is not None
                everything.update(found or {})
        return Known(tuple(everything.values())) if collected else None

    def _list_in(self, query: Query, places: Sequence[str]) -> dict[tuple[str, str], Any] | None:
        """Return every object below the places by namespace and name, None where nothing was collected."""
        objects: dict[tuple[str, str], Any] = {}
        collected = False
        for place in places:
            found = self._load(place)
            if found is not None:
                collected = True
                shown, bodies = found
                for body in bodies:
                    for item in _items(body, shown) if _is_list(body) else [body]:
                        objects[_key(item, shown)] = _completed(item, query, shown)
            for name, is_folder in self.files.names(self.base + place):
                if is_folder or not name.endswith(_ENDINGS):
                    continue
                collected = True
                shown, bodies = self._load_exact(f"{place}/{name}") or ("", [])
                for body in bodies:
                    objects[_key(body, shown)] = _completed(body, query, shown)
        if not collected:
            return None
        return {key: body for key, body in objects.items() if _selected(body, query.label_selector)}

    def _object_places(self, query: Query) -> list[str]:
        places = [f"{place}/{query.name}" for place in self._kind_places(query)]
        if query.kind == "Namespace":
            places.insert(0, f"namespaces/{query.name}/{query.name}")
        return places

    def _kind_places(self, query: Query) -> list[str]:
        group = query.group or "core"
        if query.namespace is not None:
            return [f"namespaces/{query.namespace}/{group}/{query.plural}"]
        return [f"cluster-scoped-resources/{group}/{query.plural}"]

    def _load(self, place: str) -> tuple[str, list[Any]] | None:
        for suffix in SUFFIXES:
            if suffix and (found := self._load_exact(place + suffix)) is not None:
                return found
        return None

    def _load_exact(self, place: str) -> tuple[str, list[Any]] | None:
        content = self.files.read(self.base + place)
        if content is None:
            return None
        return self.base + place, load(content, self.base + place)


_ENDINGS = tuple(suffix for suffix in SUFFIXES if suffix)
_INSIGHTS = {
    "clusterversions": "config/version",
    "infrastructures": "config/infrastructure",
    "featuregates": "config/featuregate",
    "authentications": "config/authentication",
    "dnses": "config/dns",
}
_INSIGHTS_OPERATORS = "config/clusteroperator"


@dataclass(frozen=True, slots=True)
class InsightsLayout:
    """What the insights operator keeps: cut-down objects, told by their path alone."""

    files: Files
    base: str
    path: str
    timestamp: str | None = None

    def answer(self, query: Query) -> Fact[Any] | None:
        """Answer from the object's file; only ClusterOperators were collected as a whole kind."""
        place = self._place(query)
        if place is None:
            return None
        try:
            for suffix in SUFFIXES:
                content = self.files.read(self.base + place + suffix)
                if content is not None:
                    shown = self.base + place + suffix
                    return self._object(load(content, shown), query, shown)
        except Unusable as error:
            return Unknown(str(error), remedy="fetch the archive again")
        if query.plural == "clusteroperators":
            entries = self.files.names(self.base + _INSIGHTS_OPERATORS)
            return Absent() if any(not is_folder for _, is_folder in entries) else None
        return None

    def _place(self, query: Query) -> str | None:
        if query.name is None or query.namespace is not None or not _legal(query.name):
            return None
        if query.plural == "clusteroperators":
            return f"{_INSIGHTS_OPERATORS}/{query.name}"
        if query.plural == "cloudcredentials":
            return f"{_INSIGHTS_OPERATORS}/operator.openshift.io/cloudcredential/{query.name}"
        if query.plural in _INSIGHTS and query.name == ("version" if query.plural == "clusterversions" else "cluster"):
            return _INSIGHTS[query.plural]
        return None

    def _object(self, bodies: list[Any], query: Query, shown: str) -> Fact[Any]:
        if len(bodies) != 1 or not isinstance(bodies[0], dict):
            raise Unusable(f"{shown} is not one object")
        body = bodies[0]
        if query.plural == "cloudcredentials":
            # The operator records only four fields of it, in 2020 with capital letters.
            body = {key[:1].lower() + key[1:] if key != "APIVersion" else "apiVersion": v for key, v in body.items()}
            if "metadata" not in body and body.get("name") not in {None, query.name}:
                raise Unusable(f"{shown} is about another object")
        return Known(_completed(body, query, shown, needs_name=False))


@dataclass(slots=True)
class FlatLayout:
    """A folder of dumped YAML or JSON files in which the objects themselves say what they are."""

    path: str
    read_secrets: bool = False
    timestamp: str | None = None
    objects: dict[tuple[str, str, str], tuple[Any, str]] = field(default_factory=dict)
    """(kind, namespace, name) to the object and the file it came from."""
    collected: set[tuple[str, str]] = field(default_factory=set)
    """(kind, namespace) of which something, or an empty list, was dumped."""
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
        if not _is_list(body):
            self._keep(body, shown)
            return
        kind = body.get("kind")
        item_kind = kind[: -len("List")] if isinstance(kind, str) and kind.endswith("List") else ""
        name = stem(shown.rpartition("/")[2]).lower()
        items = _items(body, shown)
        for item in items:
            told = {"kind": item_kind or _KIND_OF_FILE.get(name, "")} if "kind" not in item else {}
            self._keep({**item, **told}, shown)
        if not items:
            self.collected.add((item_kind or _KIND_OF_FILE.get(name, ""), "*"))

    def _keep(self, item: Any, shown: str) -> None:
        if not isinstance(item, dict):
            raise Unusable(f"{shown} holds a document that is no object")
        metadata, kind = item.get("metadata"), item.get("kind")
        if not isinstance(metadata, dict) or not isinstance(kind, str):
            return  # a template, a schema, a values file: not an object of the API
        namespace, name = metadata.get("namespace", ""), metadata.get("name")
        if not isinstance(name, str) or not isinstance(namespace, str):
            raise Unusable(f"{shown} holds an object without a name")
        key = (kind, namespace, name)
        if key in self.objects and self.objects[key][0] != item:
            self.contradictions[key] = f"{self.objects[key][1]} and {shown} hold two states of {kind} {name}"
        self.objects[key] = (item, shown)
        self.collected.add((kind, namespace))

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
            return _kept(_completed(body, query, shown), query, self.read_secrets)
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
            _completed(body, query, shown)
            for (kind, namespace, _), (body, shown) in sorted(self.objects.items(), key=lambda entry: entry[0])
            if kind == query.kind and query.namespace in {None, namespace} and _selected(body, query.label_selector)
        ]
        wanted = {place for place in self.collected if place[0] == query.kind and query.namespace in {None, place[1]}}
        return Known(tuple(found)) if wanted or (query.kind, "*") in self.collected else None


_KIND_OF_FILE = {
    plural: kind
    for kind, plurals in {
        "ClusterVersion": "clusterversions clusterversion version",
        "ClusterOperator": "clusteroperators clusteroperator",
        "Infrastructure": "infrastructures infrastructure",
        "Authentication": "authentications authentication",
        "FeatureGate": "featuregates featuregate",
        "DNS": "dnses dns",
        "CloudCredential": "cloudcredentials cloudcredential",
        "ConfigMap": "configmaps configmap",
        "Deployment": "deployments deployment",
        "CredentialsRequest": "credentialsrequests credentialsrequest",
        "Secret": "secrets secret",
        "Namespace": "namespaces namespace",
    }.items()
    for plural in plurals.split()
}


def _legal(name: str) -> bool:
    return OBJECT_NAME.fullmatch(name) is not None


def _namespaced(query: Query) -> bool:
    return query.kind in {"CredentialsRequest", "Secret", "ConfigMap", "Deployment"}


def _is_list(body: Any) -> bool:
    """Return whether a document is a list: `List`, `XList`, or a list without a kind."""
    if not isinstance(body, dict):
        return False
    kind = body.get("kind")
    return (isinstance(kind, str) and kind.endswith("List")) or (kind is None and "items" in body)


def _items(body: dict[str, Any], shown: str) -> list[Any]:
    items = body.get("items")
    if not isinstance(items, list):
        raise Unusable(f"{shown} is a list without items")
    if not all(isinstance(item, dict) for item in items):
        raise Unusable(f"{shown} holds an entry that is no object")
    return items


def _key(body: Any, shown: str) -> tuple[str, str]:
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if not isinstance(metadata, dict):
        raise Unusable(f"{shown} holds an object without metadata")
    namespace, name = metadata.get("namespace", ""), metadata.get("name")
    if not isinstance(name, str) or not isinstance(namespace, str):
        raise Unusable(f"{shown} holds an object without a name")
    return namespace, name


def _pick(
    bodies: Sequence[Any], query: Query, shown: str, read_secrets: bool, *, missing_is_absent: bool = False
) -> Fact[Any]:
    """Return the object of that name among the documents of its file or list."""
    named = [body for body in bodies if _key(body, shown)[1] == query.name]
    if not named and missing_is_absent:
        return Absent()
    if len(named) != 1:
        raise Unusable(f"{shown} holds {len(named)} objects named {query.name}, not one")
    return _kept(_completed(named[0], query, shown), query, read_secrets)


def _completed(body: Any, query: Query, shown: str, *, needs_name: bool = True) -> dict[str, Any]:
    """Return the object with kind and version from its place, without managedFields; Unusable where they differ.

    Cleaning tools take API groups for host names and replace them: such an object is unusable, not another one.
    """
    if not isinstance(body, dict):
        raise Unusable(f"{shown} is no object")
    if needs_name:
        _key(body, shown)
    version = f"{query.group}/{query.version}" if query.group else query.version
    stated = body.get("apiVersion", version)
    group = stated.rpartition("/")[0] if isinstance(stated, str) else None
    if group != query.group:
        raise Unusable(f"{shown} has the unknown apiVersion {str(stated)[:60]!r}")
    if body.get("kind", query.kind) != query.kind:
        raise Unusable(f"{shown} is of kind {str(body.get('kind'))[:60]!r}, not {query.kind}")
    if query.kind == "ClusterOperator" and _lacks_versions(body) and not shown.endswith((".json", ".json.gz")):
        raise Unusable(f"{shown} is cut off: it has no status.versions")
    whole = {**body, "apiVersion": stated, "kind": query.kind}
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        whole["metadata"] = {key: value for key, value in metadata.items() if key != "managedFields"}
    return whole


def _lacks_versions(body: dict[str, Any]) -> bool:
    # The last field of every real ClusterOperator: YAML that was cut between two lines lacks it.
    status = body.get("status")
    return isinstance(status, dict) and "versions" not in status


def _kept(body: dict[str, Any], query: Query, read_secrets: bool) -> Fact[Any]:
    if query.kind == "Secret":
        return reduce_secret(body, SecretRef(query.namespace or "", query.name or ""), read_values=read_secrets)
    return Known(body)


def _selected(body: dict[str, Any], selector: str | None) -> bool:
    """Return whether an object carries the label of a selector; only `key` and `key=value` are used."""
    if selector is None:
        return True
    key, _, value = selector.partition("=")
    labels = body["metadata"].get("labels")
    return isinstance(labels, dict) and key in labels and (not value or labels[key] == value)

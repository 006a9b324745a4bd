"""From a version to its release image, and from one version to the next: the update graph (Cincinnati).

Source: openshift/cincinnati `docs/design/cincinnati.md` and `openshift.md`: `{nodes: [{version, payload, metadata}],
edges: [[from, to]], conditionalEdges: [{edges: [{from, to}], risks}]}`, asked for one channel and architecture.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from msgspec import Struct

from upgrade_gate.base import versions
from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.reading.files import read_file
from upgrade_gate.reading.http.urls import shown_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from upgrade_gate.cluster.model import AvailableUpdate
    from upgrade_gate.payloads.reference import Settings

_logger = logging.getLogger(__name__)

PUBLIC_GRAPH = "https://api.openshift.com/api/upgrades_info/v1/graph"
MAX_GRAPH = 32 * 2**20
NEARBY = 8
ARCHITECTURE = "release.openshift.io/architecture"
FILE_FORMS = "give the release as dir:PATH, archive:FILE, oci:PATH or mirror:PATH, or the graph as --graph FILE"


class Graph(Struct, frozen=True):
    """What one graph says."""

    name: str
    """File, or host with the channel, for messages."""
    payloads: Mapping[str, str]
    """Version to pullspec."""
    edges: frozenset[tuple[str, str]]
    """Supported updates by version, conditional ones included."""
    risks: Mapping[tuple[str, str], tuple[str, ...]] = {}
    """Of the conditional ones, as `name: message`; what a cluster itself offers knows which of them hold for it."""
    unread: int = 0
    """Conditional updates that do not say from which version to which."""


_fetched: dict[str, Graph] = {}
_lock = threading.Lock()


def resolve_version(
    version: str,
    settings: Settings,
    *,
    offered: Sequence[AvailableUpdate] = (),
    upstream: str | None = None,
    channel: str | None = None,
) -> str:
    """Return the pullspec of a version: from what the cluster offers or has run, else from an update graph.

    Raises UsageError where no graph has the version (with what is near it), or where a graph would have to be
    fetched under `--offline`; SourceError where a graph cannot be read.
    """
    for offer in offered:
        if offer.version == version and offer.image:
            return offer.image
    seen: list[Graph] = []
    for graph in graphs(version, settings, upstream=upstream, channel=channel):
        if version in graph.payloads:
            _logger.info("version %s is %s by %s", version, graph.payloads[version], graph.name)
            return graph.payloads[version]
        seen.append(graph)
    known = {each for graph in seen for each in graph.payloads} | {offer.version for offer in offered}
    names = ", ".join(graph.name for graph in seen)
    raise UsageError(
        f"version {version} is not in the update graph ({names})",
        hint=f"{_nearby(version, known)}; name another --channel or --graph, or the release image itself",
    )


def has_edge(
    old: str, new: str, settings: Settings, *, upstream: str | None = None, channel: str | None = None
) -> bool:
    """Return whether an update graph supports the update from one version to another, conditionally or not.

    Raises like `resolve_version`, but for versions that no graph has: then there is no edge.
    """
    return any((old, new) in graph.edges for graph in graphs(new, settings, upstream=upstream, channel=channel))


def graphs(
    version: str, settings: Settings, *, upstream: str | None = None, channel: str | None = None
) -> Iterator[Graph]:
    """Yield the graphs that may know a version, the likeliest first; each is fetched when it is asked for.

    `--channel` decides alone; otherwise the cluster's channel, the stable channel of the version's minor, and
    candidate, which every release passes through.
    """
    found = versions.parse(version)
    minor = f"{found.major}.{found.minor}" if found else ""
    channels = [settings.channel] if settings.channel else [channel, f"stable-{minor}", f"candidate-{minor}"]
    yield from _named(f"version {version}", channels, settings, upstream)


def _named(what: str, channels: Sequence[str | None], settings: Settings, upstream: str | None) -> Iterator[Graph]:
    """Yield the graph of each channel; a file is one graph, whatever the channel."""
    place = settings.graph or upstream or PUBLIC_GRAPH
    if urlsplit(place).scheme not in ("http", "https"):
        yield _read_file(place)
        return
    if settings.offline:
        raise UsageError(
            f"{what} has to be looked up in {shown_url(place)}, and --offline allows no other host", hint=FILE_FORMS
        )
    for each in dict.fromkeys(name for name in channels if name):
        yield _fetch(place, each, settings)


def between(
    start: str, minor: tuple[int, int], settings: Settings, *, upstream: str | None = None, channel: str | None = None
) -> Graph:
    """Return what the graphs know on the way from a version to a minor release, joined.

    `--channel` decides alone; otherwise the cluster's channel and the stable ones from the version's minor on. An
    update that one of them recommends is not conditional. Raises like `resolve_version`.
    """
    first = versions.minor_of(start) or minor
    steps = range(first[1], minor[1] + 1) if first[0] == minor[0] else ()
    minors = [f"{minor[0]}.{step}" for step in steps] or [f"{first[0]}.{first[1]}", f"{minor[0]}.{minor[1]}"]
    named = [settings.channel] if settings.channel else [channel, *(f"stable-{each}" for each in minors)]
    found = list(_named(f"the way to {minor[0]}.{minor[1]}", named, settings, upstream))
    recommended = {edge for graph in found for edge in graph.edges - graph.risks.keys()}
    risks = {edge: risks for graph in found for edge, risks in graph.risks.items() if edge not in recommended}
    return Graph(
        "; ".join(graph.name for graph in found),
        {version: payload for graph in reversed(found) for version, payload in graph.payloads.items()},
        frozenset(edge for graph in found for edge in graph.edges),
        risks,
        sum(graph.unread for graph in found),
    )


def of_version(version: str, settings: Settings) -> Graph:
    """Return the first graph that has a version; raises like `resolve_version`."""
    seen: list[str] = []
    for graph in graphs(version, settings):
        if version in graph.payloads:
            return graph
        seen.append(graph.name)
    raise UsageError(
        f"version {version} is not in the update graph ({', '.join(seen)})",
        hint="name another --channel or --graph",
    )


def parse_graph(content: bytes, name: str, architecture: str) -> Graph:
    """Read a graph; raises SourceError, naming it, where it cannot be understood."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as exc:
        raise SourceError(f"update graph {name} is not valid JSON") from exc
    nodes = document.get("nodes") if isinstance(document, dict) else None
    if not isinstance(nodes, list):
        raise SourceError(f"update graph {name} holds no nodes", hint="it should be Cincinnati's JSON")
    named = [_version(node, name) for node in nodes]
    payloads: dict[str, str] = {}
    for version, node in zip(named, nodes, strict=True):
        payload = node.get("payload")
        if not isinstance(payload, str) or not payload or payload.startswith("-"):
            raise SourceError(f"update graph {name}: version {version} has no payload")
        metadata = node.get("metadata")
        of_node = metadata.get(ARCHITECTURE) if isinstance(metadata, dict) else None
        # A graph of several architectures names one on its nodes; the wanted one wins, whatever the order.
        if version not in payloads or of_node == architecture:
            payloads[version] = payload
    edges = set(_edges(document, named, name))
    conditional = list(_conditional(document, name))
    risks = {edge: told for edge, told in conditional if edge is not None and edge not in edges}
    unread = sum(edge is None for edge, _ in conditional)
    return Graph(name, payloads, frozenset({*edges, *risks}), risks, unread)


def _version(node: object, name: str) -> str:
    version = node.get("version") if isinstance(node, dict) else None
    if not isinstance(version, str) or not version:
        raise SourceError(f"update graph {name} has a node without a version")
    return version


def _edges(document: Mapping[str, Any], nodes: Sequence[str], name: str) -> Iterator[tuple[str, str]]:
    for edge in _listed(document, "edges", name):
        match edge:
            case [int(start), int(end)] if 0 <= start < len(nodes) and 0 <= end < len(nodes):
                yield nodes[start], nodes[end]
            case _:
                raise SourceError(f"update graph {name} has an edge that names no two of its nodes")


def _conditional(document: Mapping[str, Any], name: str) -> Iterator[tuple[tuple[str, str] | None, tuple[str, ...]]]:
    """Yield each conditional update with its risks; None for one that does not say from where to where."""
    for group in _listed(document, "conditionalEdges", name):
        if not isinstance(group, dict):
            yield None, ()
            continue
        risks = tuple(map(_risk, _listed(group, "risks", name)))
        for edge in _listed(group, "edges", name):
            match edge:
                case {"from": str(start), "to": str(end)}:
                    yield (start, end), risks
                case _:
                    yield None, ()


def _risk(risk: object) -> str:
    """Return a risk as `name: message`, in words where it has neither."""
    told = [risk.get(key) for key in ("name", "message")] if isinstance(risk, dict) else []
    return ": ".join(text for text in told if isinstance(text, str) and text) or "a risk that the graph does not name"


def _listed(document: Mapping[str, Any], key: str, name: str) -> list[Any]:
    """Return a list of the graph, which leaves out the empty ones."""
    found = document.get(key)
    if not isinstance(found, list | None):
        raise SourceError(f"update graph {name}: `{key}` is not a list")
    return found or []


def _read_file(place: str) -> Graph:
    path = Path(place.removeprefix("file://"))
    try:
        content = read_file(path, MAX_GRAPH + 1)
    except OSError as exc:
        raise UsageError(
            f"update graph {path} cannot be read: {exc.strerror}", hint="--graph takes a URL or a file"
        ) from exc
    if len(content) > MAX_GRAPH:
        raise SourceError(f"update graph {path} is larger than {MAX_GRAPH >> 20} MiB")
    return parse_graph(content, str(path), "")


def _fetch(place: str, channel: str, settings: Settings) -> Graph:
    from upgrade_gate.reading.http.client import Transport
    from upgrade_gate.reading.http.response import registry_words

    parts = urlsplit(place)
    query = [(k, v) for k, v in parse_qsl(parts.query) if k not in ("channel", "arch")]
    query += [("channel", channel), ("arch", settings.architecture)]
    url = urlunsplit(parts._replace(query=urlencode(query)))
    with _lock:
        if url in _fetched:
            return _fetched[url]
    name = f"{shown_url(place)}, channel {channel}, {settings.architecture}"
    with Transport(settings) as transport:
        headers = {"Accept": "application/json"}
        try:
            response = transport.send("GET", url, f"update graph {name}", headers=headers, limit=MAX_GRAPH, plain=True)
        except SourceError as exc:
            hint = f"{exc.hint}; or {FILE_FORMS}" if exc.hint else FILE_FORMS
            raise SourceError(exc.message, hint=hint) from exc
    if response.status != 200:
        raise SourceError(
            f"update graph {name}: the server answered {response.status}{registry_words(response)}",
            hint=f"check --graph and --channel, or {FILE_FORMS}",
        )
    graph = parse_graph(response.read(), name, settings.architecture)
    with _lock:
        return _fetched.setdefault(url, graph)


def _nearby(version: str, known: set[str]) -> str:
    """Say which versions are near: those of the same minor, closest first, else the minors there are."""
    wanted = versions.parse(version)
    parsed = sorted(v for v in map(versions.parse, known) if v is not None)
    if not parsed:
        return "it offers no version at all there"
    same = [v for v in parsed if wanted is not None and v.release == wanted.release]
    if wanted is not None and same:
        nearest = sorted(same, key=lambda v: (abs(v.patch - wanted.patch), v))[:NEARBY]
        return f"it offers {', '.join(str(v) for v in sorted(nearest))}"
    minors = list(dict.fromkeys(f"{v.major}.{v.minor}" for v in parsed))
    return f"it offers versions of {', '.join(minors[-NEARBY:])} only, up to {parsed[-1]}"

"""From what the user wrote to a payload that is read: versions resolved, the index cache asked first."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from msgspec.structs import replace

from upgrade_gate.base import plugins
from upgrade_gate.base.errors import ClusterError, SourceError, UsageError
from upgrade_gate.base.facts import Absent, Known, Unknown, known_or
from upgrade_gate.payloads import payload
from upgrade_gate.payloads.reference import fetch, parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.payloads.reference import ReleaseFiles, Settings

_logger = logging.getLogger(__name__)


def resolve(text: str, cluster: Cluster | None, settings: Settings) -> str:
    """Return a reference that a source can fetch: `cluster` and bare versions become pullspecs, others stay.

    Raises UsageError where there is no cluster to ask or no graph knows the version, ClusterError where the cluster
    did not say what it runs.
    """
    reference = parse_reference(text)
    match reference.scheme:
        case "cluster":
            return _running(cluster)
        case "version":
            return _of_version(reference.target, cluster, settings)
        case _:
            return text


def _running(cluster: Cluster | None) -> str:
    if cluster is None:
        raise UsageError("no cluster says which release it runs", hint="give --from")
    match cluster.image:
        case Known(value=pullspec):
            return pullspec
        case Absent():
            raise ClusterError("no update of this cluster has completed yet", hint="give --from")
        case Unknown(reason=reason, remedy=remedy):
            raise ClusterError(
                f"which release the cluster runs is not known: {reason}",
                hint=f"give --from, or {remedy}" if remedy else "give --from",
            )


def _of_version(version: str, cluster: Cluster | None, settings: Settings) -> str:
    history = known_or(cluster.history, ()) if cluster else ()
    for entry in history:
        if entry.version == version and entry.image:
            return entry.image
    from upgrade_gate.payloads import graph

    pullspec: str = graph.resolve_version(
        version,
        settings,
        offered=cluster.offers.value if cluster and isinstance(cluster.offers, Known) else (),
        upstream=known_or(cluster.upstream, None) if cluster else None,
        channel=known_or(cluster.channel, None) if cluster else None,
    )
    return pullspec


def graph_edges(cluster: Cluster | None, settings: Settings) -> Callable[[str, str], bool] | None:
    """Return what asks the update graph whether one version updates to another; None where no graph was named.

    The public graph is not asked for this: a hop between two folders must not call another host unasked. A graph
    that cannot be read supports nothing.
    """
    if settings.graph is None:
        return None
    channel = known_or(cluster.channel, None) if cluster else None

    def has_edge(old: str, new: str) -> bool:
        from upgrade_gate.payloads import graph

        try:
            return graph.has_edge(old, new, settings, channel=channel)
        except SourceError as error:
            _logger.warning("the update graph was not read, so a major update counts as unsupported: %s", error)
            return False

    return has_edge


def read(text: str, settings: Settings) -> Payload:
    """Fetch and read one release; a payload that was read whole before comes from the index cache.

    Raises as the source does.
    """
    reference = parse_reference(text)
    from upgrade_gate.payloads import cache

    index = cache if settings.cache_dir is not None else None
    if index is not None and reference.scheme == "registry":
        about = plugins.load("payloads.sources", "registry").peek(reference, settings)
        kept: Payload | None = index.load_index(about.digest, settings)
        if kept is not None:
            # A registry's notes are about the image itself, so they hold for every run.
            return _described(kept, replace(about, notes=kept.notes))
    files = fetch(reference, settings)
    if index is None:
        return payload.load(files, settings.limits)
    key = files.digest or _content_key(files)
    kept = index.load_index(key, settings)
    if kept is not None:
        return _described(kept, files)
    loaded = payload.load(files, settings.limits)
    if not loaded.unreadable:
        index.store_index(key, loaded, settings)
    return loaded


def _described(kept: Payload, files: ReleaseFiles) -> Payload:
    """Return a kept payload with what this run's source says about it; nothing of an earlier run's words is left."""
    return replace(
        kept,
        reference=files.reference,
        digest=files.digest,
        verified=files.verified,
        verification=files.verification,
        pullspec=files.pullspec,
        notes=tuple(files.notes),
        whole=files.whole,
        damage=tuple(files.damage),
    )


def _content_key(files: ReleaseFiles) -> str:
    """Return a digest over names and contents, for forms of a release that have none."""
    whole = hashlib.sha256()
    for name in sorted(files.files):
        content = files.files[name]
        whole.update(f"{len(name)}:{name}:{len(content)}:".encode())
        whole.update(content)
    return f"sha256:{whole.hexdigest()}"

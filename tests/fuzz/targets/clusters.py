"""Clusters: kubeconfig, API objects, dumps and snapshots."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from tests.fuzz import harness
from tests.fuzz.harness import Target
from tests.fuzz.mutation import of_bytes, with_words
from tests.worlds.cluster_objects import EBS_SECRET, STORAGE, Objects
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.cluster import hub, observe
from upgrade_gate.cluster.facts_table import Cluster
from upgrade_gate.cluster.model import Reader
from upgrade_gate.cluster.readers import _live_login, snapshot
from upgrade_gate.cluster.readers.must_gather import open_dump
from upgrade_gate.fleet import claims
from upgrade_gate.fleet.inventory import Entry


class _Nothing(subprocess.Popen[bytes]):
    """A process that is never started: what a hostile kubeconfig names must not run here."""

    def __init__(self, *_: object, **__: object) -> None:
        raise FileNotFoundError(2, "no program is run while fuzzing")


def read_kubeconfig(data: bytes) -> None:
    """A login has a server, and sends a credential nowhere without TLS."""
    if b"/dev" in data or b"/proc" in data:  # a device may never end
        return
    path = harness.file("kubeconfig", data)
    with mock.patch.object(subprocess, "Popen", _Nothing):
        login = _live_login.log_in(path, timeout=1)
    assert login.server.startswith(("https://", "http://"))
    assert "@" not in login.description.partition("://")[2].partition("/")[0]
    header = login.credential.authorization
    assert header is None or header.startswith(("Bearer ", "Basic "))


def read_objects(data: bytes) -> None:
    """API objects of any content become facts: known, absent or unknown, never a crash."""
    try:
        listed = json.loads(data)
    except (ValueError, RecursionError):
        return
    objects: dict[str, Any] = {}
    for body in listed if isinstance(listed, list) else [listed]:
        metadata = body.get("metadata") if isinstance(body, dict) else None
        kind = body.get("kind") if isinstance(body, dict) else None
        objects[f"{kind}/{metadata.get('name') if isinstance(metadata, dict) else ''}"] = body
    _observe(Objects(objects))


def read_hub(data: bytes) -> None:
    """A hub lists clusters whose names are safe in a path, and names a way that loses no token; or it is an error."""
    try:
        listed = json.loads(data)
    except (ValueError, RecursionError):
        return
    bodies = [body for body in listed if isinstance(body, dict)] if isinstance(listed, list) else []
    route = next((body for body in bodies if body.get("kind") == "Route"), None)
    found: dict[Any, Any] = {
        hub.MANAGED_CLUSTERS: Known(tuple(body for body in bodies if body is not route)),
        hub.route(hub.ENGINE): Known(route) if route else Absent(),
    }
    reader = mock.Mock(description="hub", read=lambda queries: {query: found.get(query, Absent()) for query in queries})
    url = urlsplit(hub.cluster_proxy(reader).url)
    assert (url.scheme, url.path, url.query, url.username, url.port) == ("https", "", "", None, None)
    for managed in hub.managed_clusters(reader):
        assert Entry(managed.name, "hub", managed.name, managed=managed).folder == managed.name
        assert all(text.isprintable() for pair in managed.labels.items() for text in pair)
        why = claims.ruled_out(managed, "4.17.0", may_accept=False)
        assert why is not None or managed.unready is None


def read_snapshot(data: bytes) -> None:
    """A snapshot answers with what it holds; Secrets have no values."""
    _observe(snapshot.open_snapshot(harness.file("snapshot.json", data)))


def read_dump(data: bytes) -> None:
    """A dump of which one file is the input: the name of the file is its first line."""
    name, _, content = data.partition(b"\n")
    root = harness.folder() / "dump"
    shutil.rmtree(root, ignore_errors=True)
    harness.file(
        "dump/version.yaml", b"apiVersion: config.openshift.io/v1\nkind: ClusterVersion\nmetadata: {name: version}\n"
    )
    harness.file(f"dump/{_PLACES.get(name.decode(errors='replace'), 'input.yaml')}", content)
    _observe(open_dump(root, read_secrets=True))


_PLACES = {
    "flat": "all.yaml",
    "tree": "mg/cluster-scoped-resources/config.openshift.io/clusterversions/version.yaml",
    "list": "mg/cluster-scoped-resources/config.openshift.io/infrastructures.yaml",
    "secrets": f"mg/namespaces/{STORAGE}/core/secrets.yaml",
    "insights": "config/version.json",
    "described": "secret.txt",
}


def read_archive(data: bytes) -> None:
    """A dump as one file: tar, zip, packed or not."""
    _observe(open_dump(harness.file("dump.tar", data), read_secrets=True))


def _observe(reader: Reader) -> None:
    cluster = observe.observe_secrets(
        observe.observe(reader), reader, [STORAGE, "kube-system"], [EBS_SECRET], proof=True
    )
    for name in Cluster.__struct_fields__:
        fact = getattr(cluster, name)
        if isinstance(fact, Known | Absent | Unknown):
            repr(fact)


_WORDS = (
    "AWS", "Azure", "GCP", "aws", "AWS ", "True", "False", "Unknown", "Completed", "Partial", "4.17.0", "4.17",
    "Manual", "Mint", "manual", "config.openshift.io/v1", "List", "SecretList", "HighlyAvailable", "External",
    "version", "cluster",
)  # fmt: skip
TARGETS = (
    Target(
        "kubeconfig",
        read_kubeconfig,
        with_words("http://127.0.0.1", "https://[::1]:6443", "https://a@b:c", "dG9rZW4=", "a\nb"),
    ),
    Target("objects", read_objects, with_words(*_WORDS), weight=2),
    Target("hubs", read_hub, with_words(*_WORDS, "../x", "a.example.com", "available", "EKS", "5.0.0")),
    Target("snapshots", read_snapshot, with_words(*_WORDS)),
    Target("dumps", read_dump, of_bytes),
    Target("dump-archives", read_archive, of_bytes),
)

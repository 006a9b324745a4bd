"""Ask a reader for the facts of one cluster, and check that each answer is the object that was asked for.

Readers (`readers/`) answer `Query` objects with the raw API objects, or say why they could not; `facts_table` turns
the answers into facts in one way, whether they came from a live API server, a must-gather or a snapshot.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from upgrade_gate.base import platforms
from upgrade_gate.base.errors import ClusterError
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster.facts_table import FIRST_WAVE, Cluster, for_proof, namespace_query, secret_query, take
from upgrade_gate.cluster.model import Query, Reader, SecretRecord
from upgrade_gate.reading.node import Malformed, Part, attempt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from upgrade_gate.cluster.credentials_mode import Mode


_PHASES = frozenset({"Active", "Terminating"})
"""What a Namespace's `status.phase` can be (Kubernetes, `NamespacePhase`)."""


def observe(reader: Reader) -> Cluster:
    """Read the first wave and turn it into facts; Secrets and namespaces are still unread.

    Raises ClusterError only where the reader can read nothing at all.
    """
    raw = reader.read(FIRST_WAVE)
    facts = take({query: _checked(query, raw) for query in FIRST_WAVE})
    return Cluster(reader.description, reader.collected, facts)


def nothing(description: str, error: ClusterError) -> Cluster:
    """Return what is known of a cluster of which nothing could be read: of every fact, why it is not known."""
    unread = Unknown(error.message, error.hint)
    return Cluster(description, None, take(dict.fromkeys(FIRST_WAVE, unread)), root_secret=unread)


def second_wave(namespaces: Iterable[str], refs: Iterable[SecretRef], root: SecretRef | None) -> tuple[Query, ...]:
    """Return the reads that need the requests: namespaces, the required Secrets, and the platform's root Secret."""
    secrets = {*refs, *([root] if root is not None else [])}
    return (
        *(namespace_query(name) for name in sorted(set(namespaces))),
        *(secret_query(ref) for ref in sorted(secrets)),
    )


def root_ref(platform: str, mode: Fact[Mode] | None = None) -> SecretRef | None:
    """Return the Secret of a platform's root credential; None where CCO has no actuator there, or is absent."""
    traits = platforms.by_name(platform)
    return None if traits is None or isinstance(mode, Absent) else traits.root


def observe_secrets(
    cluster: Cluster, reader: Reader, namespaces: Iterable[str], refs: Iterable[SecretRef], *, proof: bool = False
) -> Cluster:
    """Read the second wave: with the root Secret, the default mode is known too.

    `proof` adds what proof rests on where it says where a grant must hold.
    """
    names, wanted = sorted(set(namespaces)), sorted(set(refs))
    root = root_ref(cluster.platform.value, cluster.mode) if isinstance(cluster.platform, Known) else None
    besides = for_proof(cluster.platform.value) if proof and isinstance(cluster.platform, Known) else ()
    queries = (*second_wave(names, wanted, root), *besides)
    raw: Mapping[Query, Fact[Any]]
    try:
        raw = reader.read(queries)
    except ClusterError as error:  # the first wave was read: what it says still stands, and the report names the rest
        raw = dict.fromkeys(queries, Unknown(error.message, error.hint))
    secrets = {ref: _secret(raw, ref) for ref in wanted}
    present = {name: _namespace(raw, name, secrets) for name in names}
    root_secret: Fact[SecretRecord] = Absent()
    if root is not None:
        root_secret = _secret(raw, root)
    elif not isinstance(cluster.platform, Known):
        root_secret = Unknown("the platform is unknown, and so is the name of its root Secret")
    return replace(
        cluster,
        facts=take({query: _checked(query, raw) for query in besides}, cluster.facts),
        looked_for=besides,
        root=root,
        root_secret=root_secret,
        namespaces=MappingProxyType(present),
        secrets=MappingProxyType({ref: _lasting(fact, present.get(ref.namespace)) for ref, fact in secrets.items()}),
    )


def _checked(query: Query, raw: Mapping[Query, Fact[Any]]) -> Fact[Any]:
    """Return an answer that has the shape and the name that was asked for, else Unknown."""
    answer = raw.get(query)
    match answer:
        case None:
            return Unknown(f"{query.title} was not answered")
        case Known(value=value) if query.name is None:
            return answer if isinstance(value, (tuple, list)) else Unknown(f"{query.title}: the answer is not a list")
        case Known(value=value):
            return _identified(query, value)
        case _:
            return answer


def _identified(query: Query, value: object) -> Fact[Any]:
    if not isinstance(value, dict):
        return Unknown(f"{query.title}: the answer is not an object")
    kind = value.get("kind")
    if kind is not None and kind != query.kind:
        return Unknown(f"{query.title}: the answer is of kind {str(kind)[:60]!r}")
    metadata = value.get("metadata")
    if metadata is not None:
        try:
            found = Part(value, query.title)["metadata"]["name"].text()
        except Malformed as error:
            return Unknown(str(error))
        if found != query.name:
            return Unknown(f"{query.title}: the answer is named {found[:60]!r}")
    return Known(value)


def _secret(raw: Mapping[Query, Fact[Any]], ref: SecretRef) -> Fact[SecretRecord]:
    answer = raw.get(secret_query(ref))
    match answer:
        case None:
            return Unknown(f"Secret {ref} was not answered")
        case Known(value=SecretRecord(ref=found)) if found == ref:
            return answer
        case Known():
            return Unknown(f"Secret {ref}: the answer is not that Secret's metadata")
        case _:
            return answer


def _namespace(
    raw: Mapping[Query, Fact[Any]], name: str, secrets: Mapping[SecretRef, Fact[SecretRecord]]
) -> Fact[bool]:
    query = namespace_query(name)
    checked = _checked(query, raw)
    if isinstance(checked, Known):
        return attempt(lambda: _alive(Part(checked.value, query.title)))
    if isinstance(checked, Unknown) and any(
        ref.namespace == name and isinstance(fact, Known) for ref, fact in secrets.items()
    ):
        return Known(True)  # what lies in a namespace proves that it is there
    return checked


def _lasting(secret: Fact[SecretRecord], namespace: Fact[bool] | None) -> Fact[SecretRecord]:
    """Return a Secret that was read as not known where its namespace is not: it goes with it."""
    if not isinstance(secret, Known) or namespace is None or isinstance(namespace, Known):
        return secret
    if isinstance(namespace, Absent):
        return Unknown(f"Secret {secret.value.ref} was found, and its namespace was not")
    return namespace


def _alive(body: Part) -> Fact[bool]:
    phase, going = body["status"]["phase"], body["metadata"]["deletionTimestamp"]
    if not going.missing or (not phase.missing and phase.one_of(_PHASES) == "Terminating"):
        return Unknown(f"{body.name} is being deleted", remedy="run again when it is gone")
    return Known(True)

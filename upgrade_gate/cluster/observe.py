"""The facts of one cluster: what was read, and what it means.

Readers (`readers/`) answer `Query` objects with the raw API objects, or say why they could not. This module turns
the answers into facts in one way, whether they came from a live API server, a must-gather or a snapshot. The types
are in `_cluster_model.py`, the queries in `_cluster_queries.py`, what each object says in `_cluster_objects.py`,
the mode in `_cluster_mode.py`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from upgrade_gate.base import platforms, versions
from upgrade_gate.base.errors import ClusterError
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.clouds.contract.scopes import places_of
from upgrade_gate.cluster import objects
from upgrade_gate.cluster.credentials_mode import configured_mode
from upgrade_gate.cluster.facts_table import (
    AUTHENTICATION,
    CONFIGMAP,
    CREDENTIAL,
    DEPLOYMENT,
    DNS,
    FEATURE_GATE,
    FIELD_ROWS,
    FIRST_WAVE,
    INFRASTRUCTURE,
    MIRROR_POLICIES,
    OPERATOR,
    PULL_SECRET,
    REQUESTS,
    ROW_NAMES,
    SIGNATURE_CONFIGMAPS,
    VERIFICATION_CONFIGMAP,
    VERSION,
    first_wave,
    namespace_query,
    secret_query,
)
from upgrade_gate.cluster.model import (
    AvailableUpdate,
    Cluster,
    ClusterCapabilities,
    Condition,
    FactRow,
    HistoryEntry,
    JsonObject,
    LiveRequest,
    Override,
    Query,
    Reader,
    SecretRecord,
)
from upgrade_gate.cluster.rows import first_rows, row, secret_rows
from upgrade_gate.reading.node import Malformed, Part, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeVar

    from upgrade_gate.cluster.credentials_mode import Mode

    T = TypeVar("T")

__all__ = [
    "FIELD_ROWS",
    "MIRROR_POLICIES",
    "PULL_SECRET",
    "SIGNATURE_CONFIGMAPS",
    "VERIFICATION_CONFIGMAP",
    "Absent",
    "AvailableUpdate",
    "Cluster",
    "ClusterCapabilities",
    "Condition",
    "Fact",
    "FactRow",
    "HistoryEntry",
    "JsonObject",
    "Known",
    "LiveRequest",
    "Override",
    "Query",
    "Reader",
    "SecretRecord",
    "SecretRef",
    "Unknown",
    "first_wave",
    "namespace_query",
    "observe",
    "observe_secrets",
    "request_scopes",
    "root_ref",
    "second_wave",
    "secret_query",
]


def observe(reader: Reader) -> Cluster:
    """Read the first wave and turn it into facts; Secrets and namespaces are still unread.

    Raises ClusterError only where the reader can read nothing at all.
    """
    answers = _Answers(reader.read(FIRST_WAVE))
    version = answers.derive_version()
    newest = version.newest_completed
    release = versions.minor_of(newest.value) if isinstance(newest, Known) else None
    operator = answers.derive(OPERATOR, lambda b: Known(objects.conditions(b["status"].required())))
    platform = answers.derive(INFRASTRUCTURE, objects.platform)
    own = answers.derive(INFRASTRUCTURE, objects.scopes)
    cluster = Cluster(
        description=reader.description,
        collected=reader.collected,
        id=version.id,
        name=answers.derive(INFRASTRUCTURE, objects.infrastructure_name),
        api_url=answers.derive(
            INFRASTRUCTURE, lambda b: objects.optional_text(lambda: b["status"].required()["apiServerURL"])
        ),
        version=version.version,
        newest_completed=newest,
        image=version.image,
        history=version.history,
        updating_to=version.updating_to,
        channel=version.channel,
        upstream=version.upstream,
        architecture=version.architecture,
        offers=version.offers,
        version_conditions=version.conditions,
        overrides=version.overrides,
        capabilities=version.capabilities,
        operator=operator,
        platform=platform,
        region=answers.derive(INFRASTRUCTURE, objects.region),
        scopes=own,
        topology=answers.derive(INFRASTRUCTURE, lambda b: objects.topology(b, release)),
        issuer=answers.derive(AUTHENTICATION, objects.issuer, always=True),
        feature_set=answers.derive(FEATURE_GATE, objects.feature_set),
        feature_gates=answers.derive(FEATURE_GATE, lambda b: objects.feature_gates(b, newest)),
        custom_gates=answers.derive(FEATURE_GATE, objects.custom_gates),
        profile=answers.derive(DEPLOYMENT, lambda b: objects.environment(b, "CLUSTER_PROFILE", release)),
        excluded=answers.derive(DEPLOYMENT, lambda b: objects.environment(b, "EXCLUDE_MANIFESTS", release)),
        credentials_mode=answers.derive(CREDENTIAL, objects.credentials_mode),
        disabled=answers.derive(CONFIGMAP, objects.disabled),
        mode=Unknown("not read yet"),
        mode_reason="",
        annotation=answers.derive(CREDENTIAL, objects.annotation),
        requests=answers.requests(),
        root_secret=Unknown("not read yet"),
        namespaces=MappingProxyType({}),
        secrets=MappingProxyType({}),
        rows=(),
        network_scopes=answers.derive(INFRASTRUCTURE, objects.network_scopes),
        zone_scopes=answers.derive(DNS, lambda b: objects.zone_scopes(b, own)),
        base_domain=answers.derive(DNS, objects.base_domain),
    )
    mode, mode_reason = configured_mode(cluster)
    return replace(cluster, mode=mode, mode_reason=mode_reason, rows=first_rows(cluster))


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
    if traits is None or traits.root_secret is None or isinstance(mode, Absent):
        return None
    return SecretRef("kube-system", traits.root_secret)


def observe_secrets(cluster: Cluster, reader: Reader, namespaces: Iterable[str], refs: Iterable[SecretRef]) -> Cluster:
    """Read the second wave and resolve the default mode by the root Secret's annotation."""
    names, wanted = sorted(set(namespaces)), sorted(set(refs))
    root = root_ref(cluster.platform.value, cluster.mode) if isinstance(cluster.platform, Known) else None
    queries = second_wave(names, wanted, root)
    raw: Mapping[Query, Fact[Any]]
    try:
        raw = reader.read(queries)
    except ClusterError as error:  # the first wave was read: what it says still stands, and the report names the rest
        raw = dict.fromkeys(queries, Unknown(error.message, error.hint))
    secrets = {ref: _secret(raw, ref) for ref in wanted}
    spaces = {name: _namespace(raw, name, secrets) for name in names}
    if root is not None:
        root_secret = _secret(raw, root)
    elif isinstance(cluster.platform, Known):
        root_secret = Absent()
    else:
        root_secret = Unknown("the platform is not known, so neither is the name of its root Secret")
    mode, mode_reason = configured_mode(replace(cluster, root_secret=root_secret))
    rows = [line for line in cluster.rows if not line.name.startswith(("Namespace ", "Secrets of ", "Secret "))]
    rows += [row(f"Namespace {name}", fact, "present") for name, fact in spaces.items()]
    rows += secret_rows(secrets)
    if root is not None:
        rows.append(row(f"Secret {root}", root_secret, "present"))
    return replace(
        cluster,
        mode=mode,
        mode_reason=mode_reason,
        root_secret=root_secret,
        namespaces=MappingProxyType(spaces),
        secrets=MappingProxyType(secrets),
        rows=tuple(rows),
    )


def request_scopes(cluster: Cluster, kind: str, request_name: str) -> Fact[tuple[str, ...]]:
    """Return the scopes that the grants of one request (and its providerSpec kind) must cover on this cluster."""
    places = {"network": cluster.network_scopes, "zone": cluster.zone_scopes}
    found: list[str] = []
    for part in (cluster.scopes, *(places[place] for place in places_of(kind, request_name))):
        match part:
            case Known(value=groups):
                found += groups
            case Unknown():
                return part
            case Absent():
                pass
    return Known(tuple(dict.fromkeys(found)))


class _Answers:
    """The reader's answers, each checked to be the object that was asked for."""

    def __init__(self, raw: Mapping[Query, Fact[Any]]) -> None:
        self.facts: dict[Query, Fact[Any]] = {query: _checked(query, raw) for query in FIRST_WAVE}

    def derive(self, query: Query, read: Callable[[Part], Fact[T]], *, always: bool = False) -> Fact[T]:
        """Derive a fact from one object; absence and ignorance pass through.

        `always`: every cluster has the object, and the fact may well be absent from it. Then the absence of the
        object itself must not read as the absence of the fact.
        """
        answer = self.facts[query]
        if always and isinstance(answer, Absent):
            return Unknown(f"there is no {ROW_NAMES[query]}, which every cluster has")
        if not isinstance(answer, Known):
            return answer
        return attempt(lambda: read(Part(answer.value, ROW_NAMES[query])))

    def derive_version(self) -> objects.VersionFacts:
        """Read the ClusterVersion; when it is not known, nothing that it says is."""
        answer = self.facts[VERSION]
        if isinstance(answer, Known):
            return objects.version_facts(Part(answer.value, ROW_NAMES[VERSION]))
        # A cluster without a ClusterVersion is no OpenShift cluster: nothing about it may read as absent.
        missing: Unknown = (
            answer
            if isinstance(answer, Unknown)
            else Unknown("there is no ClusterVersion version: this is not an OpenShift or OKD cluster")
        )
        return objects.VersionFacts(*[missing] * len(objects.VersionFacts.__struct_fields__))

    def requests(self) -> Fact[tuple[LiveRequest, ...]]:
        """Return every CredentialsRequest, sorted; one malformed one makes the list Unknown."""
        answer = self.facts[REQUESTS]
        match answer:
            case Known(value=bodies):

                def read() -> Fact[tuple[LiveRequest, ...]]:
                    found = [objects.live_request(Part(body, _request_name(body))) for body in bodies]
                    return Known(tuple(sorted(found, key=lambda r: (r.namespace, r.name))))

                return attempt(read)
            case Absent():
                return Known(())
            case Unknown():
                return answer


def _request_name(body: object) -> str:
    metadata = body.get("metadata") if isinstance(body, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"CredentialsRequest {name}" if isinstance(name, str) else "a CredentialsRequest"


def _checked(query: Query, raw: Mapping[Query, Fact[Any]]) -> Fact[Any]:
    """Return an answer that has the shape and the name that was asked for, else Unknown."""
    answer = raw.get(query)
    name = ROW_NAMES.get(query) or f"{query.kind} {query.name}"
    match answer:
        case None:
            return Unknown(f"{name} was not answered")
        case Known(value=value) if query.name is None:
            return answer if isinstance(value, (tuple, list)) else Unknown(f"{name}: the answer is no list")
        case Known(value=value):
            return _identified(query, value, name)
        case _:
            return answer


def _identified(query: Query, value: object, name: str) -> Fact[Any]:
    if not isinstance(value, dict):
        return Unknown(f"{name}: the answer is no object")
    kind = value.get("kind")
    if kind is not None and kind != query.kind:
        return Unknown(f"{name}: the answer is of kind {str(kind)[:60]!r}")
    metadata = value.get("metadata")
    if metadata is not None:
        try:
            found = Part(value, name)["metadata"]["name"].text()
        except Malformed as error:
            return Unknown(str(error))
        if found != query.name:
            return Unknown(f"{name}: the answer is named {found[:60]!r}")
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
        body = Part(checked.value, f"Namespace {name}")
        return attempt(lambda: _alive(body, name))
    if isinstance(checked, Unknown) and any(
        ref.namespace == name and isinstance(fact, Known) for ref, fact in secrets.items()
    ):
        return Known(True)  # what lies in a namespace proves that it is there
    return checked


def _alive(body: Part, name: str) -> Fact[bool]:
    if body["status"]["phase"].text() == "Terminating":
        return Unknown(f"Namespace {name} is being deleted", remedy="run again when it is gone")
    return Known(True)

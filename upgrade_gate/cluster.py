"""The facts of one cluster: what was read, and what it means.

Readers (`readers/`) answer `Query` objects with the raw API objects, or say why they could not. This module turns
the answers into facts in one way, whether they came from a live API server, a must-gather or a snapshot. The types
are in `_cluster_model.py`, what each object says in `_cluster_objects.py`, the mode in `_cluster_mode.py`.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from upgrade_gate import _cluster_mode as mode_of
from upgrade_gate import _cluster_objects as objects
from upgrade_gate import platforms, semver
from upgrade_gate._cluster_model import (
    Cluster,
    ClusterCapabilities,
    Condition,
    FactRow,
    HistoryEntry,
    JsonObject,
    LiveRequest,
    Offer,
    Override,
    Query,
    Reader,
    SecretRecord,
    SecretRef,
)
from upgrade_gate._cluster_parts import Malformed, Part, attempt
from upgrade_gate.facts import Absent, Fact, Known, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeVar

    T = TypeVar("T")

__all__ = [
    "FIELD_ROWS",
    "MIRROR_POLICIES",
    "PULL_SECRET",
    "SIGNATURE_CONFIGMAPS",
    "VERIFICATION_CONFIGMAP",
    "Absent",
    "Cluster",
    "ClusterCapabilities",
    "Condition",
    "Fact",
    "FactRow",
    "HistoryEntry",
    "JsonObject",
    "Known",
    "LiveRequest",
    "Offer",
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
    "second_wave",
    "secret_query",
]

_CONFIG = "config.openshift.io"
_CCO_NAMESPACE = "openshift-cloud-credential-operator"
_VERSION = Query(_CONFIG, "v1", "clusterversions", "ClusterVersion", name="version")
_OPERATOR = Query(_CONFIG, "v1", "clusteroperators", "ClusterOperator", name="cloud-credential")
_INFRASTRUCTURE = Query(_CONFIG, "v1", "infrastructures", "Infrastructure", name="cluster")
_AUTHENTICATION = Query(_CONFIG, "v1", "authentications", "Authentication", name="cluster")
_FEATURE_GATE = Query(_CONFIG, "v1", "featuregates", "FeatureGate", name="cluster")
_DNS = Query(_CONFIG, "v1", "dnses", "DNS", name="cluster")
_CREDENTIAL = Query("operator.openshift.io", "v1", "cloudcredentials", "CloudCredential", name="cluster")
_CONFIGMAP = Query("", "v1", "configmaps", "ConfigMap", _CCO_NAMESPACE, "cloud-credential-operator-config")
_DEPLOYMENT = Query("apps", "v1", "deployments", "Deployment", "openshift-cluster-version", "cluster-version-operator")
_REQUESTS = Query("cloudcredential.openshift.io", "v1", "credentialsrequests", "CredentialsRequest")
_FIRST = (
    _VERSION,
    _OPERATOR,
    _INFRASTRUCTURE,
    _AUTHENTICATION,
    _FEATURE_GATE,
    _DNS,
    _CREDENTIAL,
    _CONFIGMAP,
    _DEPLOYMENT,
    _REQUESTS,
)

MIRROR_POLICIES = (
    Query(_CONFIG, "v1", "imagedigestmirrorsets", "ImageDigestMirrorSet"),
    Query(_CONFIG, "v1", "imagetagmirrorsets", "ImageTagMirrorSet"),
    Query("operator.openshift.io", "v1alpha1", "imagecontentsourcepolicies", "ImageContentSourcePolicy"),
)
"""Read only when the cluster's mirrors are asked for."""
_MANAGED = "openshift-config-managed"
SIGNATURE_CONFIGMAPS = Query(
    "", "v1", "configmaps", "ConfigMap", _MANAGED, label_selector="release.openshift.io/verification-signatures"
)
VERIFICATION_CONFIGMAP = Query("", "v1", "configmaps", "ConfigMap", _MANAGED, "release-verification")
"""Signatures and keyrings that the cluster itself trusts (releases.md 2, signatures)."""
PULL_SECRET = SecretRef("openshift-config", "pull-secret")

_ROWS: Mapping[Query, str] = MappingProxyType(
    {
        _VERSION: "ClusterVersion version",
        _OPERATOR: "ClusterOperator cloud-credential",
        _INFRASTRUCTURE: "Infrastructure cluster",
        _AUTHENTICATION: "Authentication cluster",
        _FEATURE_GATE: "FeatureGate cluster",
        _DNS: "DNS cluster",
        _CREDENTIAL: "CloudCredential cluster",
        _CONFIGMAP: "ConfigMap cloud-credential-operator-config",
        _DEPLOYMENT: "Deployment cluster-version-operator",
        _REQUESTS: "CredentialsRequests",
    }
)

FIELD_ROWS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "id",
                "version",
                "newest_completed",
                "image",
                "history",
                "updating_to",
                "channel",
                "upstream",
                "architecture",
                "offers",
                "version_conditions",
                "overrides",
                "capabilities",
            ),
            _ROWS[_VERSION],
        ),
        "operator": _ROWS[_OPERATOR],
        **dict.fromkeys(
            ("name", "api_url", "platform", "region", "scopes", "network_scopes", "topology"), _ROWS[_INFRASTRUCTURE]
        ),
        "issuer": _ROWS[_AUTHENTICATION],
        **dict.fromkeys(("feature_set", "feature_gates", "custom_gates"), _ROWS[_FEATURE_GATE]),
        **dict.fromkeys(("base_domain", "zone_scopes"), _ROWS[_DNS]),
        **dict.fromkeys(("mode", "annotation"), _ROWS[_CREDENTIAL]),
        **dict.fromkeys(("profile", "excluded"), _ROWS[_DEPLOYMENT]),
        "requests": _ROWS[_REQUESTS],
    }
)
"""Which row of the report a field of `Cluster` comes from: the name of a `fact-unknown` about it."""


def first_wave() -> tuple[Query, ...]:
    """Return what is read of every cluster, whatever the releases are (design section 3.2)."""
    return _FIRST


def secret_query(ref: SecretRef) -> Query:
    """Return the query for one Secret; readers answer it with a `SecretRecord`."""
    return Query("", "v1", "secrets", "Secret", ref.namespace, ref.name)


def namespace_query(name: str) -> Query:
    """Return the query for one Namespace."""
    return Query("", "v1", "namespaces", "Namespace", name=name)


def observe(reader: Reader) -> Cluster:
    """Read the first wave and turn it into facts; Secrets and namespaces are still unread.

    Raises ClusterError only where the reader can read nothing at all.
    """
    answers = _Answers(reader.read(_FIRST))
    version = answers.derive_version()
    newest = version.newest_completed
    release = semver.minor_of(newest.value) if isinstance(newest, Known) else None
    operator = answers.derive(_OPERATOR, lambda b: Known(objects.conditions(b["status"].required())))
    platform = answers.derive(_INFRASTRUCTURE, objects.platform)
    disabled = answers.derive(_CONFIGMAP, objects.disabled)
    credential = answers.derive(_CREDENTIAL, objects.credentials_mode)
    mode, mode_reason = mode_of.configured_mode(
        platform=platform,
        version=newest,
        credential=credential,
        disabled=disabled,
        installed=mode_of.is_installed(version.capabilities),
    )
    own = answers.derive(_INFRASTRUCTURE, objects.scopes)
    cluster = Cluster(
        description=reader.description,
        collected=reader.collected,
        id=version.id,
        name=answers.derive(_INFRASTRUCTURE, objects.infrastructure_name),
        api_url=answers.derive(
            _INFRASTRUCTURE, lambda b: objects.optional_text(lambda: b["status"].required()["apiServerURL"])
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
        region=answers.derive(_INFRASTRUCTURE, objects.region),
        scopes=own,
        topology=answers.derive(_INFRASTRUCTURE, lambda b: objects.topology(b, release)),
        issuer=answers.derive(_AUTHENTICATION, objects.issuer),
        feature_set=answers.derive(_FEATURE_GATE, objects.feature_set),
        feature_gates=answers.derive(_FEATURE_GATE, lambda b: objects.feature_gates(b, newest)),
        custom_gates=answers.derive(_FEATURE_GATE, objects.custom_gates),
        profile=answers.derive(_DEPLOYMENT, lambda b: objects.environment(b, "CLUSTER_PROFILE", release)),
        excluded=answers.derive(_DEPLOYMENT, lambda b: objects.environment(b, "EXCLUDE_MANIFESTS", release)),
        mode=mode,
        mode_reason=mode_reason,
        annotation=answers.derive(_CREDENTIAL, objects.annotation),
        requests=answers.requests(),
        root_secret=Unknown("not read yet"),
        namespaces=MappingProxyType({}),
        secrets=MappingProxyType({}),
        rows=(),
        network_scopes=answers.derive(_INFRASTRUCTURE, objects.network_scopes),
        zone_scopes=answers.derive(_DNS, lambda b: objects.zone_scopes(b, own)),
        base_domain=answers.derive(_DNS, objects.base_domain),
    )
    return replace(cluster, rows=_first_rows(cluster, credential, disabled))


def second_wave(cluster: Cluster, namespaces: Iterable[str], refs: Iterable[SecretRef]) -> tuple[Query, ...]:
    """Return the reads that need the requests: namespaces, the required Secrets, and the platform's root Secret."""
    secrets = set(refs)
    if root := _root_ref(cluster):
        secrets.add(root)
    return (
        *(namespace_query(name) for name in sorted(set(namespaces))),
        *(secret_query(ref) for ref in sorted(secrets)),
    )


def observe_secrets(cluster: Cluster, reader: Reader, namespaces: Iterable[str], refs: Iterable[SecretRef]) -> Cluster:
    """Read the second wave and resolve the default mode by the root Secret's annotation."""
    names, wanted = sorted(set(namespaces)), sorted(set(refs))
    root = _root_ref(cluster)
    raw = reader.read(second_wave(cluster, names, wanted))

    secrets = {ref: _secret(raw, ref) for ref in wanted}
    spaces = {name: _namespace(raw, name, secrets) for name in names}
    if root is not None:
        root_secret = _secret(raw, root)
    elif isinstance(cluster.platform, Known):
        root_secret = Absent()
    else:
        root_secret = Unknown("the platform is not known, so neither is the name of its root Secret")
    mode, mode_reason = cluster.mode, cluster.mode_reason
    if mode == Known("") and isinstance(cluster.platform, Known):
        mode, mode_reason = mode_of.resolve_default(cluster.platform.value, root_secret)
    rows = [row for row in cluster.rows if not row.name.startswith(("Namespace ", "Secrets of ", "Secret "))]
    rows += [_row(f"Namespace {name}", fact, "present") for name, fact in spaces.items()]
    rows += _secret_rows(secrets)
    if root is not None:
        rows.append(_row(f"Secret {root}", root_secret, "present"))
    return replace(
        cluster,
        mode=mode,
        mode_reason=mode_reason,
        root_secret=root_secret,
        namespaces=MappingProxyType(spaces),
        secrets=MappingProxyType(secrets),
        rows=tuple(rows),
    )


# ccoctl, `azure create-managed-identities`: which requests get more than the installation's resource group.
_IN_NETWORK_GROUP = frozenset(
    {
        "openshift-image-registry-azure",
        "openshift-ingress-azure",
        "openshift-machine-api-azure",
        "azure-file-csi-driver-operator",
        "openshift-cloud-network-config-controller-azure",
        "openshift-azure-cloud-controller-manager",
    }
)
_IN_ZONE_GROUP = frozenset({"openshift-ingress-azure"})


def request_scopes(cluster: Cluster, request_name: str) -> Fact[tuple[str, ...]]:
    """Return the scopes that the grants of one request must cover on this cluster (cco.md 2.2, `extra scope`)."""
    parts = [cluster.scopes]
    if request_name in _IN_NETWORK_GROUP:
        parts.append(cluster.network_scopes)
    if request_name in _IN_ZONE_GROUP and cluster.platform == Known("Azure"):
        parts.append(cluster.zone_scopes)
    found: list[str] = []
    for part in parts:
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
        self.facts: dict[Query, Fact[Any]] = {query: _checked(query, raw) for query in _FIRST}

    def derive(self, query: Query, read: Callable[[Part], Fact[T]]) -> Fact[T]:
        """Derive a fact from one object; absence and ignorance pass through."""
        answer = self.facts[query]
        if not isinstance(answer, Known):
            return answer
        return attempt(lambda: read(Part(answer.value, _ROWS[query])))

    def derive_version(self) -> objects.VersionFacts:
        """Read the ClusterVersion; when it is not known, nothing that it says is."""
        answer = self.facts[_VERSION]
        if isinstance(answer, Known):
            return objects.version_facts(Part(answer.value, _ROWS[_VERSION]))
        # A cluster without a ClusterVersion is no OpenShift cluster: nothing about it may read as absent.
        missing: Unknown = (
            answer
            if isinstance(answer, Unknown)
            else Unknown("there is no ClusterVersion version: this is not an OpenShift or OKD cluster")
        )
        return objects.VersionFacts(*[missing] * len(objects.VersionFacts.__dataclass_fields__))

    def requests(self) -> Fact[tuple[LiveRequest, ...]]:
        """Return every CredentialsRequest, sorted; one malformed one makes the list Unknown."""
        answer = self.facts[_REQUESTS]
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
    name = _ROWS.get(query) or f"{query.kind} {query.name}"
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


def _root_ref(cluster: Cluster) -> SecretRef | None:
    platform = platforms.by_name(cluster.platform.value) if isinstance(cluster.platform, Known) else None
    if platform is None or platform.root_secret is None or isinstance(cluster.mode, Absent):
        return None
    return SecretRef("kube-system", platform.root_secret)


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


def _row(name: str, fact: Fact[Any], value: Any) -> FactRow:
    match fact:
        case Known():
            return FactRow(name, "known", value, None)
        case Absent():
            return FactRow(name, "absent", None, None)
        case Unknown(reason=reason, remedy=remedy):
            return FactRow(name, "unknown", None, reason, remedy)


def _secret_rows(secrets: Mapping[SecretRef, Fact[SecretRecord]]) -> list[FactRow]:
    rows = []
    for namespace in sorted({ref.namespace for ref in secrets}):
        inside = {ref: fact for ref, fact in secrets.items() if ref.namespace == namespace}
        unknown = [fact for fact in inside.values() if isinstance(fact, Unknown)]
        value = {
            "present": [ref.name for ref, fact in inside.items() if isinstance(fact, Known)],
            "absent": [ref.name for ref, fact in inside.items() if isinstance(fact, Absent)],
        }
        rows.append(_row(f"Secrets of {namespace}", unknown[0] if unknown else Known(value), value))
    return rows


def _first_rows(cluster: Cluster, credential: Fact[str], disabled: Fact[bool]) -> tuple[FactRow, ...]:
    """Return one row per object; a fact that could not be taken from an object makes its row unknown."""

    def worst(*facts: Fact[Any]) -> Fact[Any]:
        unknown = [fact for fact in facts if isinstance(fact, Unknown)]
        return unknown[0] if unknown else facts[0]

    def shown(fact: Fact[Any]) -> Any:
        return fact.value if isinstance(fact, Known) else None

    operator = {c.type: c.status for c in cluster.operator.value} if isinstance(cluster.operator, Known) else None
    count = len(cluster.requests.value) if isinstance(cluster.requests, Known) else None
    version = (
        cluster.version,
        cluster.newest_completed,
        cluster.id,
        cluster.history,
        cluster.offers,
        cluster.version_conditions,
        cluster.overrides,
        cluster.capabilities,
        cluster.channel,
        cluster.upstream,
        cluster.architecture,
    )
    infrastructure = (cluster.platform, cluster.name, cluster.api_url, cluster.topology, cluster.scopes, cluster.region)
    gates = (cluster.feature_set, cluster.feature_gates, cluster.custom_gates)
    return (
        _row(_ROWS[_VERSION], worst(*version), shown(cluster.version)),
        _row(_ROWS[_OPERATOR], cluster.operator, operator),
        _row(_ROWS[_INFRASTRUCTURE], worst(*infrastructure), shown(cluster.platform)),
        _row(_ROWS[_AUTHENTICATION], _present(cluster.issuer), shown(cluster.issuer)),
        _row(_ROWS[_FEATURE_GATE], worst(*gates), shown(cluster.feature_set)),
        _row(_ROWS[_DNS], worst(cluster.base_domain, cluster.zone_scopes), shown(cluster.base_domain)),
        _row(_ROWS[_CREDENTIAL], worst(credential, cluster.annotation), _credential_value(credential, cluster)),
        _row(_ROWS[_CONFIGMAP], disabled, shown(disabled)),
        _row(_ROWS[_DEPLOYMENT], worst(cluster.profile, cluster.excluded), shown(cluster.profile)),
        _row(_ROWS[_REQUESTS], cluster.requests, count),
    )


def _present(fact: Fact[T]) -> Fact[Any]:
    return Known(None) if isinstance(fact, Absent) else fact


def _credential_value(credential: Fact[str], cluster: Cluster) -> Any:
    if not isinstance(credential, Known):
        return None
    annotation = cluster.annotation.value if isinstance(cluster.annotation, Known) else None
    return {"credentialsMode": credential.value, "upgradeable-to": annotation}

"""The facts of a cluster, one row each: the object that is asked, and the function that takes the fact from it.

Everything else follows from the rows: what is read first, the lines of "read 9 of 11 facts" (`rows.py`), the RBAC
rules of `init rbac`, what a snapshot holds. A new fact is a row and a function in `objects.py`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from msgspec import Struct, field

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster import cluster_version, objects, registry
from upgrade_gate.cluster.credentials_mode import Mode, configured_mode
from upgrade_gate.cluster.model import Query, SecretRecord
from upgrade_gate.reading.node import Part, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

T = TypeVar("T")

_AWS = frozenset({"AWS"})
_GCP = frozenset({"GCP"})
_IBM = frozenset({"IBMCloud"})

# --- what is asked ---

_CONFIG = "config.openshift.io"
VERSION = Query(_CONFIG, "v1", "clusterversions", "ClusterVersion", name="version")
OPERATOR = Query(_CONFIG, "v1", "clusteroperators", "ClusterOperator", name="cloud-credential")
INFRASTRUCTURE = Query(_CONFIG, "v1", "infrastructures", "Infrastructure", name="cluster")
AUTHENTICATION = Query(_CONFIG, "v1", "authentications", "Authentication", name="cluster")
FEATURE_GATE = Query(_CONFIG, "v1", "featuregates", "FeatureGate", name="cluster")
DNS = Query(_CONFIG, "v1", "dnses", "DNS", name="cluster")
CREDENTIAL = Query("operator.openshift.io", "v1", "cloudcredentials", "CloudCredential", name="cluster")
CONFIGMAP = Query(
    "", "v1", "configmaps", "ConfigMap", "openshift-cloud-credential-operator", "cloud-credential-operator-config"
)
DEPLOYMENT = Query("apps", "v1", "deployments", "Deployment", "openshift-cluster-version", "cluster-version-operator")
REQUESTS = Query("cloudcredential.openshift.io", "v1", "credentialsrequests", "CredentialsRequest")
CLOUD_CONFIG = Query("", "v1", "configmaps", "ConfigMap", "openshift-config", "cloud-provider-config")
INSTALL_CONFIG = Query("", "v1", "configmaps", "ConfigMap", "kube-system", "cluster-config-v1")
MACHINE_SETS = Query("machine.openshift.io", "v1beta1", "machinesets", "MachineSet", "openshift-machine-api")
CONTROL_PLANE = Query(
    "machine.openshift.io",
    "v1",
    "controlplanemachinesets",
    "ControlPlaneMachineSet",
    "openshift-machine-api",
    "cluster",
)
REGISTRY = Query("imageregistry.operator.openshift.io", "v1", "configs", "Config", name="cluster")

MIRROR_POLICIES = (
    Query(_CONFIG, "v1", "imagedigestmirrorsets", "ImageDigestMirrorSet"),
    Query(_CONFIG, "v1", "imagetagmirrorsets", "ImageTagMirrorSet"),
    Query("operator.openshift.io", "v1alpha1", "imagecontentsourcepolicies", "ImageContentSourcePolicy"),
)
"""Read only when the cluster's mirrors are asked for."""
_MANAGED = "openshift-config-managed"
SIGNATURES = (
    Query("", "v1", "configmaps", "ConfigMap", _MANAGED, label_selector="release.openshift.io/verification-signatures"),
    Query("", "v1", "configmaps", "ConfigMap", _MANAGED, "release-verification"),
)
"""Signatures and keyrings that the cluster itself trusts (docs/facts/releases.md#signatures)."""
PULL_SECRET = SecretRef("openshift-config", "pull-secret")

_ABSENT: Mapping[Query, Fact[Any]] = MappingProxyType(
    {
        # A cluster without a ClusterVersion is no OpenShift cluster: nothing about it may read as absent.
        VERSION: Unknown("there is no ClusterVersion version: this is not an OpenShift or OKD cluster"),
        # Without an issuer the object is still there: its own absence must not read as that of the issuer.
        AUTHENTICATION: Unknown(f"there is no {AUTHENTICATION.title}, which every cluster has"),
        REQUESTS: Known(()),
    }
)
"""What an object's absence says about its facts, where it is not their absence."""


def secret_query(ref: SecretRef) -> Query:
    """Return the query for one Secret; readers answer it with a `SecretRecord`."""
    return Query("", "v1", "secrets", "Secret", ref.namespace, ref.name)


def namespace_query(name: str) -> Query:
    """Return the query for one Namespace."""
    return Query("", "v1", "namespaces", "Namespace", name=name)


# --- what is taken from the answers ---


class Row(Generic[T]):
    """One fact: the object that is asked, how it is taken from it, and the facts above that this one depends on.

    As an attribute of a `Cluster` it is the fact itself.
    """

    name: str
    """The field of `Cluster`."""

    def __init__(
        self, query: Query, take: Callable[..., Fact[T]], *given: Row[Any], only: frozenset[str] = frozenset()
    ) -> None:
        self.query = query
        self.only = only
        """Platforms on which proof rests on it: there it is read when proof is asked for. Empty: of every cluster."""
        self._take = take
        self._given = given

    def __set_name__(self, _: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, cluster: None, _: type) -> Self: ...
    @overload
    def __get__(self, cluster: Cluster, _: type) -> Fact[T]: ...
    def __get__(self, cluster: Cluster | None, _: type) -> Self | Fact[T]:
        return self if cluster is None else cluster.facts[self.name]

    def read(self, answer: Fact[Any], facts: Mapping[str, Fact[Any]]) -> Fact[T]:
        """Take the fact from an answer; ignorance and most absences pass through, what is malformed is Unknown."""
        if isinstance(answer, Absent):
            answer = _ABSENT.get(self.query, answer)
        if not isinstance(answer, Known):
            return answer
        given = (facts[row.name] for row in self._given)
        return attempt(lambda: self._take(Part(answer.value, self.query.title), *given))


class Cluster(Struct, frozen=True):
    """Every fact about one cluster that any stage needs. Nothing here is a secret."""

    description: str
    collected: str | None
    facts: Mapping[str, Fact[Any]]
    """The facts of the rows below, by name."""
    root_secret: Fact[SecretRecord] = Unknown("not read yet")
    """The platform's root credential in kube-system; Absent also where the platform has none."""
    root: SecretRef | None = None
    """Which Secret that is, once it was looked for."""
    namespaces: Mapping[str, Fact[bool]] = field(default_factory=dict)
    """Known(True) or Absent; one that is being deleted is Unknown."""
    secrets: Mapping[SecretRef, Fact[SecretRecord]] = field(default_factory=dict)
    looked_for: tuple[Query, ...] = ()
    """What was read because proof rests on it on this platform."""

    history = Row(VERSION, cluster_version.history)
    version = Row(VERSION, cluster_version.running, history)
    """The running release, by the rule of that release (docs/facts/cco.md#annotation): highest or newest Completed."""
    newest_completed = Row(VERSION, cluster_version.newest_completed, history)
    id = Row(VERSION, cluster_version.cluster_id)
    image = Row(VERSION, cluster_version.image, history)
    """Pullspec of the newest completed release: what really runs."""
    updating_to = Row(VERSION, cluster_version.updating_to, history)
    """Version of an update that has not completed; Absent when none is under way."""
    offers = Row(VERSION, cluster_version.offers)
    version_conditions = Row(VERSION, cluster_version.conditions)
    accepted = Row(VERSION, cluster_version.accepted)
    """What people told CVO of updates: mode and accepted risks; shown, and no verdict hangs on it."""
    overrides = Row(VERSION, cluster_version.overrides)
    capabilities = Row(VERSION, cluster_version.capabilities, newest_completed)
    channel = Row(VERSION, cluster_version.channel)
    upstream = Row(VERSION, cluster_version.upstream)
    architecture = Row(VERSION, cluster_version.architecture)
    operator = Row(OPERATOR, cluster_version.conditions)
    """Conditions of ClusterOperator cloud-credential; Absent when there is no such operator."""
    platform = Row(INFRASTRUCTURE, objects.platform)
    name = Row(INFRASTRUCTURE, objects.infrastructure_name)
    """Infrastructure name, such as c1-x7k2p."""
    api_url = Row(INFRASTRUCTURE, objects.api_url)
    topology = Row(INFRASTRUCTURE, objects.topology, newest_completed)
    scopes = Row(INFRASTRUCTURE, objects.scopes)
    """What grants must cover: Azure resource groups, the GCP project, the IBM resource group; empty elsewhere."""
    region = Row(INFRASTRUCTURE, objects.region)
    dns_instance = Row(INFRASTRUCTURE, objects.dns_instance)
    internet_instance = Row(INFRASTRUCTURE, objects.internet_instance)
    """IBM Cloud: the CRN of the instance that holds the cluster's zones; Absent where it has none."""
    vcenters = Row(INFRASTRUCTURE, objects.vcenters)
    """vSphere: the servers that every Secret must serve; empty where Infrastructure lists none."""
    network_scopes = Row(INFRASTRUCTURE, objects.network_scopes)
    """Azure: the resource group of the cluster's network, where it is another one."""
    issuer = Row(AUTHENTICATION, objects.issuer)
    """Service account issuer; Absent when none is set."""
    feature_set = Row(FEATURE_GATE, objects.feature_set)
    feature_gates = Row(FEATURE_GATE, objects.feature_gates, newest_completed)
    """Gates enabled in the running version."""
    custom_gates = Row(FEATURE_GATE, objects.custom_gates)
    """`spec.customNoUpgrade`: enabled and disabled; Absent unless the feature set is CustomNoUpgrade."""
    base_domain = Row(DNS, objects.base_domain)
    zone_scopes = Row(DNS, objects.zone_scopes, scopes)
    """Azure: the resource groups of the cluster's DNS zones, where they are others."""
    private_zone_role = Row(DNS, objects.private_zone_role)
    """AWS: the role that is assumed for the private zone of another account; Absent where there is none."""
    zone_projects = Row(DNS, objects.zone_projects, scopes)
    """GCP: the projects of the cluster's DNS zones; empty where DNS names no zone."""
    credentials_mode = Row(CREDENTIAL, objects.credentials_mode)
    """`spec.credentialsMode` as it stands, empty for the default."""
    annotation = Row(CREDENTIAL, objects.annotation)
    """`cloudcredential.openshift.io/upgradeable-to`; Absent when not set."""
    disabled = Row(CONFIGMAP, objects.disabled)
    """Whether the legacy ConfigMap switches CCO off; Absent where it does not say."""
    profile = Row(DEPLOYMENT, objects.profile, newest_completed)
    excluded = Row(DEPLOYMENT, objects.excluded)
    """CVO's EXCLUDE_MANIFESTS identifier; Absent when unset."""
    requests = Row(REQUESTS, objects.requests)
    cloud_network = Row(CLOUD_CONFIG, objects.cloud_network, scopes, only=_GCP)
    """The network's project by the cloud provider's configuration."""
    installed_network = Row(INSTALL_CONFIG, objects.installed_network, scopes, only=_GCP | _IBM)
    """The network's project, on IBM Cloud its resource group, by the installer's configuration."""
    worker_accounts = Row(MACHINE_SETS, objects.worker_accounts, only=_GCP)
    """Service accounts that new workers run as."""
    control_plane_accounts = Row(CONTROL_PLANE, objects.control_plane_accounts, only=_GCP)
    """Service accounts that new control plane machines run as; Absent where the machine API makes none."""
    registry_bucket = Row(REGISTRY, registry.bucket, region, only=_AWS)
    """The bucket that the image registry works with; Absent where it works with none."""

    @property
    def network_project(self) -> Fact[str]:
        """GCP: the project of the cluster's network."""
        found = (self.installed_network, self.cloud_network)
        told = next((fact for fact in reversed(found) if isinstance(fact, Known)), None)
        unread = next((fact for fact in found if isinstance(fact, Unknown)), None)
        return told or unread or Unknown(f"neither {CLOUD_CONFIG.title} nor {INSTALL_CONFIG.title} says it")

    @property
    def node_accounts(self) -> Fact[tuple[str, ...]]:
        """GCP: the service accounts that machines made by this cluster run as, sorted."""
        unknown = next((fact for fact in self._accounts if isinstance(fact, Unknown)), None)
        return unknown or Known(self.node_accounts_read)

    @property
    def node_accounts_read(self) -> tuple[str, ...]:
        """Those among them that were read, sorted, also where there may be more."""
        return tuple(sorted({one for fact in self._accounts if isinstance(fact, Known) for one in fact.value}))

    @property
    def _accounts(self) -> tuple[Fact[tuple[str, ...]], ...]:
        return (self.worker_accounts, self.control_plane_accounts)

    @property
    def mode(self) -> Fact[Mode]:
        """How CCO really works; Absent where it is not installed."""
        return configured_mode(self)[0]

    @property
    def mode_reason(self) -> str:
        """Why the mode is what it is, in one sentence."""
        return configured_mode(self)[1]


FACTS: tuple[Row[Any], ...] = tuple(row for row in vars(Cluster).values() if isinstance(row, Row))
FIRST_WAVE = tuple(dict.fromkeys(row.query for row in FACTS if not row.only))
"""What is read of every cluster, whatever the releases are (docs/contract.md#cluster-facts)."""
KINDS = (*dict.fromkeys(row.query for row in FACTS), secret_query(PULL_SECRET), namespace_query(""))
"""One query of each kind of which facts are made."""
NAMESPACED_KINDS = frozenset({query.kind for query in KINDS if query.namespace is not None} | {REQUESTS.kind})
"""The kinds among them whose objects lie in namespaces."""
TITLES: Mapping[str, str] = MappingProxyType({**{row.name: row.query.title for row in FACTS}, "mode": CREDENTIAL.title})
"""What a report calls the object that a field of `Cluster` comes from: the name of a `fact-unknown` about it."""


def for_proof(platform: str) -> tuple[Query, ...]:
    """Return what is read besides where proof is asked for on a platform."""
    return tuple(dict.fromkeys(row.query for row in FACTS if platform in row.only))


def take(answers: Mapping[Query, Fact[Any]], known: Mapping[str, Fact[Any]] | None = None) -> Mapping[str, Fact[Any]]:
    """Take every fact from the answers; what was not asked for stays as it is `known`, else it is Unknown."""
    facts: dict[str, Fact[Any]] = dict(known or {})
    for row in FACTS:
        if row.query in answers:
            facts[row.name] = row.read(answers[row.query], facts)
        else:
            facts.setdefault(row.name, Unknown(f"{row.query.title} was not asked for"))
    return MappingProxyType(facts)

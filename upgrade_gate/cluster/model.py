"""The facts of one cluster as types: queries, what readers answer, and what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from msgspec import Struct, field

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.base.secret_ref import SecretRef
    from upgrade_gate.cluster.credentials_mode import Mode

JsonObject: TypeAlias = "Mapping[str, Any]"


class Query(Struct, frozen=True, order=True):
    """One read of the cluster's API: an object by name, or (without a name) every object of a kind.

    A query for a Secret is always for its metadata; readers answer it with a `SecretRecord`.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespace: str | None = None
    name: str | None = None
    label_selector: str | None = None


class SecretRecord(Struct, frozen=True):
    """What the tool keeps of a Secret: never a value that authenticates."""

    ref: SecretRef
    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    keys: frozenset[str] | None = None
    """Key names; None where only metadata could be read."""
    identity: str | None = None
    """Role ARN, access key ID, client ID or service account email, only with `--read-secrets`."""
    token_path: str | None = None
    """Path of the token file named inside, only with `--read-secrets`."""
    form: str | None = None
    """`keys` or `token`, where the key names or the content tell."""


class Reader(Protocol):
    """Answers queries from one place; a variant in `readers/`."""

    @property
    def description(self) -> str:
        """What is read, for the report: `must-gather mg`, `https://api.c1.example.com:6443`. No secret, no query."""
        ...

    @property
    def collected(self) -> str | None:
        """When the data was collected (RFC 3339), None for a live cluster."""
        ...

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        """Answer every query, all at once where that is possible.

        A named query gives `Known(object)`, `Absent()` or `Unknown`; a list gives `Known(tuple of objects)` or
        `Unknown`. Objects are mappings as in the API, Secrets are `SecretRecord`. Raises ClusterError only where
        nothing at all can be read.
        """
        ...


class Condition(Struct, frozen=True):
    """One condition of a ClusterOperator or ClusterVersion; `status` is True, False or Unknown as text."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class HistoryEntry(Struct, frozen=True):
    """One update that the cluster has seen, newest first in the history."""

    state: str
    version: str
    image: str


class AvailableUpdate(Struct, frozen=True):
    """An update that the cluster offers: recommended, or conditional with its risks."""

    version: str
    image: str
    risks: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


class Override(Struct, frozen=True):
    """One entry of ClusterVersion `spec.overrides`."""

    group: str
    kind: str
    namespace: str
    name: str
    unmanaged: bool


class ClusterCapabilities(Struct, frozen=True):
    """Capabilities as the cluster's own ClusterVersion states them."""

    known: frozenset[str]
    enabled: frozenset[str]
    baseline: str | None
    """`spec.capabilities.baselineCapabilitySet`; None means vCurrent."""
    additional: frozenset[str]


class LiveRequest(Struct, frozen=True):
    """One CredentialsRequest as the cluster holds it."""

    namespace: str
    name: str
    spec: JsonObject
    annotations: Mapping[str, str]
    finalizers: tuple[str, ...]
    owners: tuple[str, ...]
    """`Kind/name` of owner references."""
    generation: int | None
    provisioned: bool | None
    minted: bool
    """Whether `status.providerStatus` is not empty: a credential was minted for it at some time."""
    conditions: tuple[Condition, ...]

    @property
    def id(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


class FactRow(Struct, frozen=True):
    """One line of "read 9 of 11 facts"."""

    name: str
    state: str
    """`known`, `absent` or `unknown`."""
    value: Any
    """Short JSON value for the report, None unless known."""
    reason: str | None
    remedy: str | None = None


class Cluster(Struct, frozen=True):
    """Every fact about one cluster that any stage needs. Nothing here is a secret."""

    description: str
    collected: str | None
    id: Fact[str]
    name: Fact[str]
    """Infrastructure name, such as c1-x7k2p."""
    api_url: Fact[str]
    version: Fact[str]
    """The running release, by the rule of that release (cco.md 5.3): highest or newest Completed."""
    newest_completed: Fact[str]
    image: Fact[str]
    """Pullspec of the newest completed release: what really runs."""
    history: Fact[tuple[HistoryEntry, ...]]
    updating_to: Fact[str]
    """Version of an update that has not completed; Absent when none is under way."""
    channel: Fact[str]
    upstream: Fact[str]
    architecture: Fact[str]
    offers: Fact[tuple[AvailableUpdate, ...]]
    version_conditions: Fact[tuple[Condition, ...]]
    overrides: Fact[tuple[Override, ...]]
    capabilities: Fact[ClusterCapabilities]
    operator: Fact[tuple[Condition, ...]]
    """Conditions of ClusterOperator cloud-credential; Absent when there is no such operator."""
    platform: Fact[str]
    region: Fact[str]
    scopes: Fact[tuple[str, ...]]
    """What grants must cover: Azure resource groups, the GCP project, the IBM resource group; empty elsewhere."""
    topology: Fact[str]
    issuer: Fact[str]
    """Service account issuer; Absent when none is set."""
    feature_set: Fact[str]
    feature_gates: Fact[frozenset[str]]
    """Gates enabled in the running version."""
    custom_gates: Fact[tuple[frozenset[str], frozenset[str]]]
    """`spec.customNoUpgrade`: enabled and disabled; Absent unless the feature set is CustomNoUpgrade."""
    profile: Fact[str]
    excluded: Fact[str]
    """CVO's EXCLUDE_MANIFESTS identifier; Absent when unset."""
    credentials_mode: Fact[str]
    """`spec.credentialsMode` of CloudCredential `cluster` as it stands, empty for the default."""
    disabled: Fact[bool]
    """Whether the legacy ConfigMap switches CCO off; Absent where it does not say."""
    mode: Fact[Mode]
    """How CCO really works, made of the two before, the platform and the root Secret; Absent without CCO."""
    mode_reason: str
    annotation: Fact[str]
    """`cloudcredential.openshift.io/upgradeable-to`; Absent when not set."""
    requests: Fact[tuple[LiveRequest, ...]]
    root_secret: Fact[SecretRecord]
    """The platform's root credential in kube-system; Absent also where the platform has none."""
    namespaces: Mapping[str, Fact[bool]]
    """Known(True) or Absent; one that is being deleted is Unknown."""
    secrets: Mapping[SecretRef, Fact[SecretRecord]]
    rows: tuple[FactRow, ...]
    network_scopes: Fact[tuple[str, ...]] = field(default_factory=Absent)
    """Azure: the resource group of the cluster's network, where it is another one."""
    zone_scopes: Fact[tuple[str, ...]] = field(default_factory=Absent)
    """Azure: the resource groups of the cluster's DNS zones, where they are others."""
    base_domain: Fact[str] = field(default_factory=Absent)


__all__ = [
    "Absent",
    "AvailableUpdate",
    "Cluster",
    "ClusterCapabilities",
    "Condition",
    "Fact",
    "FactRow",
    "HistoryEntry",
    "Known",
    "LiveRequest",
    "Override",
    "Query",
    "Reader",
    "SecretRecord",
    "Unknown",
]

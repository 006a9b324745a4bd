"""What is asked of a cluster, who answers, and the values that its facts are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.base.secret_ref import SecretRef

JsonObject: TypeAlias = "Mapping[str, Any]"
SecretForm: TypeAlias = Literal["keys", "token"]


KINDS_OF_SEVERAL_GROUPS = frozenset({"Config"})
"""Kinds that do not say by themselves what is meant: the samples operator has a Config too."""


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

    @property
    def title(self) -> str:
        """What a report calls it: `ClusterVersion version`, `CredentialsRequests`."""
        kind = f"{self.kind}.{self.group}" if self.kind in KINDS_OF_SEVERAL_GROUPS else self.kind
        return f"{kind} {self.name}" if self.name is not None else f"{kind}s"

    @property
    def api_version(self) -> str:
        """`apiVersion` of what is read."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """What is read as `oc` spells it: `clusterversions.config.openshift.io/version`."""
        kind = f"{self.plural}.{self.group}" if self.group else self.plural
        return f"{kind}/{self.name}" if self.name is not None else kind

    @property
    def verb(self) -> Literal["get", "list"]:
        """The verb that RBAC must allow."""
        return "list" if self.name is None else "get"


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
    form: SecretForm | None = None
    """Where the key names or the content tell."""


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

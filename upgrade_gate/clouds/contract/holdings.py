"""What identities really hold, and whether it covers what a release requires.

One parser serves live answers and exports: what a cloud's `live` collects has the shapes that its `holdings` reads.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast, runtime_checkable

from msgspec import Struct

from upgrade_gate.base import plugins

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.clouds.contract.context import Bucket, Context
    from upgrade_gate.clouds.contract.grants import Grant, GrantType

IdentitySource: TypeAlias = Literal["secret", "configuration", "ccoctl-name", "policies"]
"""How it is known which identity serves a Secret."""


class Coverage(StrEnum):
    """Whether what is held covers a required grant (docs/contract.md#proof)."""

    COVERED = "COVERED"
    MISSING = "MISSING"
    NARROWER = "NARROWER"
    """Allowed only for some resources, under a condition, or at a lower scope."""
    DENIED = "DENIED"
    UNKNOWN = "UNKNOWN"
    """Needs data that was not supplied; the reason names which."""


WORST_FIRST = (Coverage.DENIED, Coverage.MISSING, Coverage.NARROWER, Coverage.UNKNOWN, Coverage.COVERED)
"""Which coverage decides where several parts must be covered."""


class CoverageResult(Struct, frozen=True):
    """The verdict on one required grant, with what decided it."""

    verdict: Coverage
    reason: str
    """One sentence that names the statement, role or binding that decides, or what is missing to know more."""
    caveats: tuple[str, ...] = ()
    """What exports cannot contain (SCPs, key policies, session policies), one line each; on COVERED only."""
    assumed: tuple[str, ...] = ()
    """The assumptions that it rests on (`cluster-tag`); on COVERED only, each with its caveat."""
    doubt: str = ""
    """On UNKNOWN: what keeps it from being known, where `reason` says first what was found all the same."""
    issuer_unseen: bool = False
    """On trust: whether nothing that was supplied says that what is trusted is the cluster's own issuer."""
    declared: bool = False
    """Whether a repository says so and nothing shows it: what is COVERED by it is never proven."""
    partly_missing: bool = False
    """On NARROWER: held as needed in some of the places where it must hold, and not at all in the others."""

    @property
    def unsettled(self) -> str:
        """What would have to be known to know more."""
        return self.doubt or self.reason

    def unless(self, doubt: str) -> CoverageResult:
        """Return UNKNOWN with what was found, for as long as a doubt stands."""
        return CoverageResult(Coverage.UNKNOWN, f"{self.reason}; but {doubt}", doubt=doubt)


def unknown(reason: str, *, doubt: str = "") -> CoverageResult:
    """Return that something is not known, and why; `doubt` where the reason says first what was found."""
    return CoverageResult(Coverage.UNKNOWN, reason, doubt=doubt)


class Document(Struct, frozen=True):
    """One parsed document of an export, or one live answer in the same shape."""

    body: Any
    origin: str = ""
    """File name (or API call) that it came from, for reasons and the report."""
    truncated: bool = False
    """Whether it is a page of more (IsTruncated, NextToken, nextPageToken, nextLink, next)."""
    asked: str = ""
    """The command that it answers, where the export's own index says so: then an empty list is an answer."""


class PolicySize(Struct, frozen=True):
    """The size of an identity's policies against the cloud's limit; bytes without white space, or counts."""

    what: str
    size: int
    limit: int


class HeldGrant(Struct, frozen=True):
    """One thing that an identity is given, as the cloud's own document spells it: a wildcard is not expanded."""

    grant: Grant
    by: str
    """The statement, role or binding that gives it."""


class HeldGrants(Struct, frozen=True):
    """All that an identity is given, as far as the documents show it."""

    grants: tuple[HeldGrant, ...] = ()
    unseen: tuple[str, ...] = ()
    """What may give more and was not seen, one line each."""


class VendorSet(Struct, frozen=True):
    """A policy or role of an identity that has, statement for statement, the content of one that a vendor publishes."""

    policy: str
    """Of the identity, by name."""
    published: str
    """Whose it is and of which releases: `ROSA classic 4.14, 4.19`."""
    name: str
    """What the vendor calls it."""
    dated: str
    """Day of the table that knows it."""
    lacks: tuple[str, ...] = ()
    """What is required and nothing in it gives."""


class Holdings(Protocol):
    """Everything that one set of documents says about identities of one cloud."""

    @property
    def account(self) -> str | None:
        """AWS account, Azure subscription or GCP project that the documents belong to; None where they do not say."""

    def judge(self, identity: str, grant: Grant, scopes: Sequence[str]) -> CoverageResult:
        """Decide one required grant for one identity (spelt as in the configuration, docs/contract.md#identities).

        `scopes` is what must be covered: Azure resource groups (IDs or names), IBM resource group IDs, else empty.
        """
        ...

    def trust(self, identity: str, issuer: str, subjects: Sequence[str]) -> CoverageResult:
        """Decide whether the identity trusts every subject (`system:serviceaccount:ns:name`) of that issuer."""
        ...

    def held(self, identity: str) -> HeldGrants | CoverageResult:
        """Return what the identity is given, UNKNOWN where the documents cannot tell that of it."""
        ...

    def asks_for(self, required: Sequence[Grant], held: Grant) -> bool:
        """Return whether what is required contains a held grant, or may contain it for all that is known.

        Only the permission counts: resources, conditions and scopes are `judge`'s.
        """
        ...

    def vendor_sets(self, identity: str, releases: Sequence[Sequence[Grant]]) -> tuple[VendorSet, ...]:
        """Return which policies of the identity a vendor publishes word for word, and what each lacks by itself.

        `releases` is what each release of the path asks for, the target last. A policy that gives just what one of
        them asks for is that release's own letter, whoever publishes it too, and is passed over.
        """
        ...

    def find_by_ccoctl_name(self, name: str) -> str | None:
        """Return the identity that ccoctl would have made under this (already cut) name, None if not there."""
        ...

    def sizes(self, identity: str, required: Sequence[Grant]) -> tuple[PolicySize, ...]:
        """Return each size limit that the union of what is held and required would exceed."""
        ...


@runtime_checkable
class Resolves(Protocol):
    """Holdings that know several spellings of one identity (an access key and its user, a client and its principal)."""

    def resolve(self, identity: str) -> str | None:
        """Return the one spelling of an identity, None where the documents do not know it."""
        ...


@runtime_checkable
class PlacesContext(Protocol):
    """A provider that knows more of where a cluster is than the cluster says (the partition of a region)."""

    def placed(self, context: Context) -> Context:
        """Return the context with what the cloud's own tables say of it."""
        ...


@runtime_checkable
class KnowsBuckets(Protocol):
    """Holdings that judge a component by the one bucket that it works with."""

    def with_bucket(self, bucket: Fact[Bucket]) -> Holdings:
        """Return the same holdings for a component that works with this bucket, or with one that is not known."""
        ...


class Provider(Protocol):
    """What a cloud's `holdings` knows: it recognises export documents by their shape and turns them into `Holdings`."""

    DEFAULT_TYPE: GrantType
    """What a grant is that does not say its type."""

    def recognises(self, body: Any) -> bool:
        """Return whether a parsed document has a shape of this cloud (never judged by file name)."""
        ...

    def build(self, documents: Sequence[Document], account: str | None, context: Context | None = None) -> Holdings:
        """Build the holdings; documents of another account are kept aside and make verdicts UNKNOWN.

        `context` is the cluster for which grants are judged; without one, only their letter counts.
        """
        ...

    def ccoctl_name(self, cluster: str, namespace: str, secret: str, request: str) -> str:
        """Return the name that ccoctl gives to the identity of a request (docs/facts/cco.md#names), cut as it cuts."""
        ...


class Live(Protocol):
    """What a cloud's `live` knows."""

    def collect(self, settings: Mapping[str, Any]) -> tuple[Document, ...]:
        """Collect the same documents live, by read-only calls.

        Raises UsageError naming the extra where its library is not installed, EntitlementError where nothing can
        be read.
        """
        ...


def provider_of_kind(kind: str) -> Provider | None:
    """Return what judges the grants of this providerSpec kind, None where no cloud can."""
    return cast("Provider | None", plugins.for_kind("holdings", kind))


def ccoctl_name(kind: str, cluster: str, namespace: str, secret: str, request: str) -> str:
    """Return the name that ccoctl gives to the identity of a request of this providerSpec kind."""
    plugin = provider_of_kind(kind)
    if plugin is None:
        return f"{cluster}-{namespace}-{secret}"
    return plugin.ccoctl_name(cluster, namespace, secret, request)

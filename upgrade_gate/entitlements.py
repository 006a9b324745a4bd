"""What identities really hold, and whether it covers what a release requires.

Each cloud is a plugin in `entitlement_readers/` that recognises export documents by their shape, turns them into
`Holdings`, and can collect the same documents live. One parser serves live answers and exports.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.permissions import Grant

__all__ = ["Document", "Holdings", "Judgement", "Provider", "Verdict"]


class Verdict(StrEnum):
    """Whether what is held covers a required grant (design section 3.3)."""

    COVERED = "COVERED"
    MISSING = "MISSING"
    NARROWER = "NARROWER"
    """Allowed only for some resources, under a condition, or at a lower scope."""
    DENIED = "DENIED"
    UNKNOWN = "UNKNOWN"
    """Needs data that was not supplied; the reason names which."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one required grant, with what decided it."""

    verdict: Verdict
    reason: str
    """One sentence that names the statement, role or binding that decides, or what is missing to know more."""
    caveats: tuple[str, ...] = ()
    """What exports cannot contain (SCPs, key policies, session policies), one line each; on COVERED only."""


@dataclass(frozen=True, slots=True)
class Document:
    """One parsed document of an export, or one live answer in the same shape."""

    body: Any
    origin: str = ""
    """File name (or API call) that it came from, for reasons and the report."""
    truncated: bool = False
    """Whether it is a page of more (IsTruncated, NextToken, nextPageToken, nextLink, next)."""


@dataclass(frozen=True, slots=True)
class PolicySize:
    """The size of an identity's policies against the cloud's limit; bytes without white space, or counts."""

    what: str
    size: int
    limit: int


class Holdings(Protocol):
    """Everything that one set of documents says about identities of one cloud."""

    account: str | None
    """AWS account, Azure subscription or GCP project that the documents belong to; None where they do not say."""

    def judge(self, identity: str, grant: Grant, scopes: Sequence[str]) -> Judgement:
        """Decide one required grant for one identity (spelt as in the configuration, design 16.2).

        `scopes` is what must be covered: Azure resource groups (IDs or names), IBM resource group IDs, else empty.
        """
        ...

    def trust(self, identity: str, issuer: str, subjects: Sequence[str]) -> Judgement:
        """Decide whether the identity trusts every subject (`system:serviceaccount:ns:name`) of that issuer."""
        ...

    def find_by_ccoctl_name(self, name: str) -> str | None:
        """Return the identity that ccoctl would have made under this (already cut) name, None if not there."""
        ...

    def sizes(self, identity: str, required: Sequence[Grant]) -> tuple[PolicySize, ...]:
        """Return each size limit that the union of what is held and required would exceed."""
        ...

    def token_path(self, identity: str) -> str | None:
        """Return the token path that the identity's own configuration names, None where the cloud has none."""
        ...


class Provider(Protocol):
    """A plugin module in `entitlement_readers/`."""

    PROVIDER: str
    """`AWS`, `Azure`, `GCP` or `IBMCloud`."""
    KINDS: frozenset[str]
    """providerSpec kinds whose grants it judges."""

    def recognises(self, body: Any) -> bool:
        """Return whether a parsed document has a shape of this cloud (never judged by file name)."""
        ...

    def build(self, documents: Sequence[Document], account: str | None) -> Holdings:
        """Build the holdings; documents of another account are kept aside and make verdicts UNKNOWN."""
        ...

    def collect(self, settings: Mapping[str, Any]) -> tuple[Document, ...]:
        """Collect the same documents live, by read-only calls.

        Raises UsageError naming the extra where its library is not installed, EntitlementError where nothing can
        be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Collection:
    """Every document of one `--identities` argument, for the report's evidence."""

    source: str
    """`export:PATH` or `live`."""
    documents: tuple[Document, ...]
    collected: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    """File name to SHA-256 (hex)."""

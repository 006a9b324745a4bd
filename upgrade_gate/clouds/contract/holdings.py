"""What identities really hold, and whether it covers what a release requires.

Each cloud is a plugin in `entitlement_readers/` that recognises export documents by their shape, turns them into
`Holdings`, and can collect the same documents live. One parser serves live answers and exports. `judge` is the
stable function for Python callers: one grant against one export.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast, runtime_checkable

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate.base import plugins
from upgrade_gate.base.errors import EntitlementError
from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.reading import exports as export_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from upgrade_gate.clouds.contract.grants import GrantType

__all__ = [
    "Collection",
    "Coverage",
    "CoverageResult",
    "Document",
    "Holdings",
    "Identity",
    "IdentitySource",
    "PolicySize",
    "Provider",
    "Resolves",
    "as_documents",
    "ccoctl_name",
    "collect_live",
    "holdings",
    "identify",
    "judge",
    "load_export",
    "provider_of_kind",
    "strict",
]


class Coverage(StrEnum):
    """Whether what is held covers a required grant (design section 3.3)."""

    COVERED = "COVERED"
    MISSING = "MISSING"
    NARROWER = "NARROWER"
    """Allowed only for some resources, under a condition, or at a lower scope."""
    DENIED = "DENIED"
    UNKNOWN = "UNKNOWN"
    """Needs data that was not supplied; the reason names which."""


class CoverageResult(Struct, frozen=True):
    """The verdict on one required grant, with what decided it."""

    verdict: Coverage
    reason: str
    """One sentence that names the statement, role or binding that decides, or what is missing to know more."""
    caveats: tuple[str, ...] = ()
    """What exports cannot contain (SCPs, key policies, session policies), one line each; on COVERED only."""


class Document(Struct, frozen=True):
    """One parsed document of an export, or one live answer in the same shape."""

    body: Any
    origin: str = ""
    """File name (or API call) that it came from, for reasons and the report."""
    truncated: bool = False
    """Whether it is a page of more (IsTruncated, NextToken, nextPageToken, nextLink, next)."""


class PolicySize(Struct, frozen=True):
    """The size of an identity's policies against the cloud's limit; bytes without white space, or counts."""

    what: str
    size: int
    limit: int


class Holdings(Protocol):
    """Everything that one set of documents says about identities of one cloud."""

    @property
    def account(self) -> str | None:
        """AWS account, Azure subscription or GCP project that the documents belong to; None where they do not say."""

    def judge(self, identity: str, grant: Grant, scopes: Sequence[str]) -> CoverageResult:
        """Decide one required grant for one identity (spelt as in the configuration, design 16.2).

        `scopes` is what must be covered: Azure resource groups (IDs or names), IBM resource group IDs, else empty.
        """
        ...

    def trust(self, identity: str, issuer: str, subjects: Sequence[str]) -> CoverageResult:
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


@runtime_checkable
class Resolves(Protocol):
    """Holdings that know several spellings of one identity (an access key and its user, a client and its principal)."""

    def resolve(self, identity: str) -> str | None:
        """Return the one spelling of an identity, None where the documents do not know it."""
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


class Collection(Struct, frozen=True):
    """Every document of one `--identities` argument, for the report's evidence."""

    source: str
    """`export:PATH` or `live`."""
    documents: tuple[Document, ...]
    collected: str | None = None
    """When it was collected (RFC 3339): what a document `{"collected": …}` says, else the newest file's time."""
    files: Mapping[str, str] = field(default_factory=dict)
    """File name to SHA-256 (hex)."""
    unread: tuple[str, ...] = ()
    """One line per file that could not be read, or only in part: what it holds is unknown."""
    unrecognised: tuple[str, ...] = ()
    """Origin of each document whose shape no cloud knows; it proves nothing."""


IdentitySource: TypeAlias = Literal["secret", "configuration", "ccoctl-name"]


class Identity(Struct, frozen=True):
    """The identity that serves a Secret, and how that is known."""

    id: str
    source: IdentitySource
    mismatch: str | None = None
    """What the configuration says instead, where a readable Secret disagrees with it."""


_PROVIDERS = ("AWS", "Azure", "GCP", "IBMCloud")
_DEFAULT_TYPE: Mapping[str, GrantType] = {
    "AWS": "action",
    "Azure": "permission",
    "GCP": "permission",
    "IBMCloud": "role",
}


def judge(
    provider: str,
    exports: Sequence[Any],
    identity: str,
    grant: Mapping[str, Any] | Grant,
    *,
    account: str | None = None,
    scopes: Sequence[str] = (),
) -> CoverageResult:
    """Decide whether what an identity holds, as parsed export documents show it, covers one required grant.

    `provider` is `AWS`, `Azure`, `GCP` or `IBMCloud`; `exports` are parsed documents, each recognised by its shape;
    `identity` is spelt as in the configuration (design 16.2); `grant` is a GRANT mapping, whose absent keys read as
    null, or a Grant; `account` is what the documents must belong to; `scopes` is what must be covered (Azure
    resource groups, IBM resource group IDs). Raises ValueError for another provider, a grant without a name or an
    argument of another type.
    """
    plugin = _provider(provider)
    _check_types(exports, identity, account, scopes)
    needed = grant if isinstance(grant, Grant) else _grant(plugin.PROVIDER, grant)
    documents = [Document(d.body, d.origin, d.truncated) if isinstance(d, Document) else Document(d) for d in exports]
    known = as_documents(plugin, documents)
    if not known:
        return CoverageResult(Coverage.UNKNOWN, f"no document of the export has a shape that {plugin.PROVIDER} prints")
    if not identity:
        return CoverageResult(Coverage.UNKNOWN, "an export says nothing about an identity without a name")
    return plugin.build(known, account).judge(identity, needed, tuple(scopes))


def _check_types(exports: object, identity: object, account: object, scopes: object) -> None:
    """Raise ValueError for what no caller can have meant; a text given as `scopes` would be read letter by letter."""
    listed = isinstance(scopes, (list, tuple)) and all(isinstance(scope, str) for scope in scopes)
    for right, text in (
        (isinstance(exports, (list, tuple)), "exports must be a list of parsed documents"),
        (isinstance(identity, str), "identity must be a text"),
        (account is None or isinstance(account, str), "account must be a text, or None"),
        (listed, "scopes must be a list of texts"),
    ):
        if not right:
            raise ValueError(text)


def _provider(name: str) -> Provider:
    for plugin in _all_providers():
        if name == plugin.PROVIDER:
            return plugin
    raise ValueError(f"provider {name!r} is not one of {', '.join(_PROVIDERS)}")


def _all_providers() -> tuple[Provider, ...]:
    return tuple(cast("Provider", module) for module in plugins.load_role("holdings"))


def provider_of_kind(kind: str) -> Provider | None:
    """Return the plugin that judges the grants of this providerSpec kind, None where no cloud can."""
    likely = cast("Iterator[Provider]", plugins.load_role("holdings", kind))
    return next((plugin for plugin in likely if kind in plugin.KINDS), None)


def _grant(provider: str, given: Mapping[str, Any]) -> Grant:
    name = given.get("permission")
    if not isinstance(name, str) or not name:
        raise ValueError("grant: permission must be the name of a permission")
    kind = given.get("type") or _DEFAULT_TYPE[provider]
    return Grant(kind, name, given.get("effect"), given.get("resource"), given.get("condition"), given.get("scope"))


def as_documents(plugin: Provider, documents: Sequence[Document]) -> tuple[Document, ...]:
    """Return the documents that a cloud recognises; a list whose elements it recognises counts as those elements."""
    known: list[Document] = []
    for document in documents:
        if plugin.recognises(document.body):
            known.append(document)
        elif isinstance(document.body, list):
            known += as_documents(plugin, [replace(document, body=body) for body in document.body])
    return tuple(known)


def holdings(collection: Collection, kind: str, account: str | None) -> Holdings | None:
    """Return what a collection says about the cloud of a providerSpec kind, None where no plugin judges that kind.

    Where some file could not be read, a grant as well as a Deny may stand in it: only DENIED stays. Where a document
    has a shape that nobody knows, what seems missing may stand in it.
    """
    plugin = provider_of_kind(kind)
    if plugin is None:
        return None
    built = plugin.build(as_documents(plugin, collection.documents), account)
    strange = {d.origin for d in collection.documents if d.origin in collection.unrecognised and _may_grant(d.body)}
    if not collection.unread and not strange:
        return built
    return _PartlyRead(built, collection.unread, tuple(sorted(strange)))


def _may_grant(body: Any) -> bool:
    """Return whether an unknown document may hold something: an empty list and a script do not."""
    return bool(body) and not (isinstance(body, str) and body.startswith("#!"))


class _PartlyRead(Struct, frozen=True):
    """Holdings of an export that has unreadable files, or documents that nobody knows."""

    inner: Holdings
    unread: tuple[str, ...]
    strange: tuple[str, ...]

    @property
    def account(self) -> str | None:
        return self.inner.account

    def _soften(self, judgement: CoverageResult) -> CoverageResult:
        if judgement.verdict in (Coverage.DENIED, Coverage.UNKNOWN):
            return judgement
        if self.unread:
            return CoverageResult(Coverage.UNKNOWN, f"{judgement.reason}; but {self.unread[0]}")
        if judgement.verdict is not Coverage.MISSING:
            return judgement
        return CoverageResult(Coverage.UNKNOWN, f"{judgement.reason}; but no cloud prints what {self.strange[0]} holds")

    def judge(self, identity: str, grant: Grant, scopes: Sequence[str]) -> CoverageResult:
        return self._soften(self.inner.judge(identity, grant, scopes))

    def trust(self, identity: str, issuer: str, subjects: Sequence[str]) -> CoverageResult:
        return self._soften(self.inner.trust(identity, issuer, subjects))

    def find_by_ccoctl_name(self, name: str) -> str | None:
        return self.inner.find_by_ccoctl_name(name)

    def sizes(self, identity: str, required: Sequence[Grant]) -> tuple[PolicySize, ...]:
        return self.inner.sizes(identity, required)

    def token_path(self, identity: str) -> str | None:
        return self.inner.token_path(identity)

    def resolve(self, identity: str) -> str | None:
        inner: object = self.inner
        return inner.resolve(identity) if isinstance(inner, Resolves) else identity


def strict(judgement: CoverageResult) -> CoverageResult:
    """Return the judgement under `--strict-proof`: what exports cannot contain makes it UNKNOWN."""
    if judgement.verdict is not Coverage.COVERED or not judgement.caveats:
        return judgement
    return CoverageResult(
        Coverage.UNKNOWN, f"{judgement.reason}; strict proof asks for more: {'; '.join(judgement.caveats)}"
    )


def load_export(*paths: str | Path) -> Collection:
    """Read export files and folders into one collection.

    Raises UsageError where a path does not exist, EntitlementError where nothing in it can be read.
    """
    files = [(Path(p), f) for p in paths for f in export_files.read(Path(p))]
    several = len(paths) > 1
    documents: list[Document] = []
    unread: list[str] = []
    stamps: list[str] = []
    for _, file in files:
        for body in file.bodies:
            if isinstance(body, Mapping) and set(body) == {"collected"}:
                stamps.append(str(body["collected"]))
            else:
                documents.append(Document(body, file.name, truncated=file.problem is not None))
        if file.problem is not None:
            unread.append(file.problem)
    if not documents:
        raise EntitlementError(
            f"{', '.join(str(p) for p in paths)}: no document can be read{f' ({unread[0]})' if unread else ''}",
            hint="an export is what the cloud's own CLI prints as JSON",
        )
    newest = max(file.modified for _, file in files)
    return Collection(
        source="export:" + ",".join(Path(p).name for p in paths),
        documents=tuple(documents),
        collected=min(stamps) if stamps else datetime.fromtimestamp(newest, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        files={f"{root.name}/{f.name}" if several and f.name != root.name else f.name: f.sha256 for root, f in files},
        unread=tuple(unread),
        unrecognised=tuple(sorted({d.origin for d in documents if not _recognised(d)})),
    )


def _recognised(document: Document) -> bool:
    return any(as_documents(plugin, [document]) for plugin in _all_providers())


def collect_live(kind: str, settings: Mapping[str, Any]) -> Collection:
    """Collect the documents of a providerSpec kind's cloud live, by read-only calls.

    Raises UsageError where no plugin can, or its extra is not installed; EntitlementError where nothing can be read.
    """
    plugin = provider_of_kind(kind)
    if plugin is None:
        raise EntitlementError(f"identities of {kind} cannot be read live", hint="use --identities export:PATH")
    return Collection("live", plugin.collect(settings), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def ccoctl_name(provider: str, cluster: str, namespace: str, secret: str, request: str) -> str:
    """Return the name that ccoctl gives to the identity of a request (cco.md 2.2), cut as it cuts.

    On GCP it is a display name made from the request's own name; elsewhere it is made from the Secret's.
    """
    name = f"{cluster}-{namespace}-{secret}"
    match provider:
        case "AWS":
            return name[:64]
        case "Azure":
            return name[:128]
        case "GCP":
            return f"{cluster[:50]}-{request[:49]}"
        case _:
            return name


def identify(
    held: Holdings | None,
    *,
    in_secret: str | None = None,
    configured: str | None = None,
    ccoctl: str | None = None,
) -> Identity | None:
    """Return the identity that serves a Secret, None where nothing says.

    `in_secret` is what the readable Secret names, `configured` what the configuration does (its `default`
    included), `ccoctl` the name that ccoctl would have given (`ccoctl_name`). The Secret wins; where the
    configuration names another identity, that is a mismatch.
    """
    if in_secret is not None:
        differs = configured is not None and _differ(held, in_secret, configured)
        return Identity(in_secret, "secret", configured if differs else None)
    if configured is not None:
        return Identity(configured, "configuration")
    found = held.find_by_ccoctl_name(ccoctl) if held is not None and ccoctl is not None else None
    return Identity(found, "ccoctl-name") if found is not None else None


def _differ(held: object, first: str, second: str) -> bool:
    """Return whether two spellings name two identities.

    Where the documents cannot join them, spellings of one form differ as they are spelt; an access key and an ARN,
    or a client and a principal, cannot be compared and so contradict nothing: the Secret's is judged all the same.
    """
    if first.casefold() == second.casefold():
        return False
    if isinstance(held, Resolves):
        one, other = held.resolve(first), held.resolve(second)
        if one is not None and other is not None:
            return one != other
    return _form(first) == _form(second)


def _form(identity: str) -> str:
    """Return the form of an identity's spelling (design 16.2), without knowing what it stands for."""
    if identity.startswith(("AKIA", "ASIA")) and identity.isalnum():
        return "access key"
    prefix, colon, _ = identity.partition(":")
    return prefix if colon else "name"

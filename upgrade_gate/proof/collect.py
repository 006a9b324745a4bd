"""Everything that was supplied about identities, as one collection: export files, or what an account answers live."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct, field
from msgspec.structs import replace

from upgrade_gate.base import plugins
from upgrade_gate.base.errors import EntitlementError
from upgrade_gate.clouds.contract.holdings import (
    Coverage,
    CoverageResult,
    Document,
    Places,
    Resolves,
    provider_of_kind,
    unknown,
)
from upgrade_gate.reading import exports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.holdings import HeldGrants, Holdings, Live, PolicySize, Provider, VendorSet


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


def load_export(*paths: str | Path) -> Collection:
    """Read export files and folders into one collection.

    Raises UsageError where a path does not exist, EntitlementError where nothing in it can be read.
    """
    files = [(Path(p), f) for p in paths for f in exports.read(Path(p), _long_lists())]
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


def _long_lists() -> dict[str, tuple[str, ...]]:
    """Return the lists of any cloud that may be long, and the fields by which their elements are chosen."""
    return {k: v for plugin in plugins.load_role("holdings") for k, v in getattr(plugin, "LONG_LISTS", {}).items()}


def _recognised(document: Document) -> bool:
    return any(as_documents(cast("Provider", plugin), [document]) for plugin in plugins.load_role("holdings"))


def collect_live(kind: str, settings: Mapping[str, Any]) -> Collection:
    """Collect the documents of a providerSpec kind's cloud live, by read-only calls.

    Raises UsageError where no plugin can, or its extra is not installed; EntitlementError where nothing can be read.
    """
    plugin = cast("Live | None", plugins.for_kind("live", kind))
    if plugin is None:
        raise EntitlementError(f"identities of {kind} cannot be read live", hint="use --identities export:PATH")
    return Collection("live", plugin.collect(settings), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def as_documents(plugin: Provider, documents: Sequence[Document]) -> tuple[Document, ...]:
    """Return the documents that a cloud recognises; a list whose elements it recognises counts as those elements."""
    known: list[Document] = []
    for document in documents:
        if plugin.recognises(document.body):
            known.append(document)
        elif isinstance(document.body, list):
            known += as_documents(plugin, [replace(document, body=body) for body in document.body])
    return tuple(known)


def holdings(collection: Collection, kind: str, account: str | None, context: Context | None = None) -> Holdings | None:
    """Return what a collection says about the cloud of a providerSpec kind, None where no plugin judges that kind.

    Where some file could not be read, a grant as well as a Deny may stand in it: only DENIED stays. Where a document
    has a shape that nobody knows, what seems missing may stand in it.
    """
    plugin = provider_of_kind(kind)
    if plugin is None:
        return None
    if context is not None and isinstance(plugin, Places):
        context = plugin.placed(context)
    built = plugin.build(as_documents(plugin, collection.documents), account, context)
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
            return judgement.unless(self.unread[0])
        if judgement.verdict is not Coverage.MISSING:
            return judgement
        return judgement.unless(f"no cloud prints what {self.strange[0]} holds")

    def judge(self, identity: str, grant: Grant, scopes: Sequence[str]) -> CoverageResult:
        return self._soften(self.inner.judge(identity, grant, scopes))

    def trust(self, identity: str, issuer: str, subjects: Sequence[str]) -> CoverageResult:
        return self._soften(self.inner.trust(identity, issuer, subjects))

    def held(self, identity: str) -> HeldGrants | CoverageResult:
        if self.unread:
            return unknown(self.unread[0])
        found = self.inner.held(identity)
        if isinstance(found, CoverageResult) or not self.strange:
            return found
        return replace(found, unseen=(*found.unseen, f"no cloud prints what {self.strange[0]} holds"))

    def asks_for(self, required: Sequence[Grant], held: Grant) -> bool:
        return self.inner.asks_for(required, held)

    def vendor_sets(self, identity: str, releases: Sequence[Sequence[Grant]]) -> tuple[VendorSet, ...]:
        return self.inner.vendor_sets(identity, releases)

    def find_by_ccoctl_name(self, name: str) -> str | None:
        return self.inner.find_by_ccoctl_name(name)

    def sizes(self, identity: str, required: Sequence[Grant]) -> tuple[PolicySize, ...]:
        return self.inner.sizes(identity, required)

    def resolve(self, identity: str) -> str | None:
        inner: object = self.inner
        return inner.resolve(identity) if isinstance(inner, Resolves) else identity

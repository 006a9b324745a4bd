"""Everything that was supplied about identities, as one collection: export files, or what an account answers live."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
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
    KnowsBuckets,
    PlacesContext,
    Resolves,
    provider_of_kind,
    unknown,
)
from upgrade_gate.proof import export_index
from upgrade_gate.reading import exports

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.base.facts import Fact
    from upgrade_gate.clouds.contract.context import Bucket, Context
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.holdings import HeldGrants, Holdings, Live, PolicySize, Provider, VendorSet

_CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much the clock of the machine that made an export may be ahead."""


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
    failed: tuple[str, ...] = ()
    """Commands that failed when it was made, as its index says."""
    ages: tuple[str, ...] = ()
    """What tells its age: the time that each of its parts says, else that of the oldest file."""


def load_export(*paths: str | Path) -> Collection:
    """Read export files and folders into one collection, each with what its own index says of it.

    Raises UsageError where a path does not exist, EntitlementError where nothing in it can be read.
    """
    lists = _long_lists()
    read = [(Path(p), exports.read(Path(p), lists)) for p in paths]
    indexed = [export_index.read(files) for _, files in read]
    documents: list[Document] = []
    unread: list[str] = []
    stamps: list[str] = []
    ages: list[str] = []
    for one in indexed:
        unread += one.problems
        own = list(one.stamps)
        for file in one.files:
            asked = one.asked.get(file.name, "")
            for body in file.bodies:
                if isinstance(body, Mapping) and set(body) == {"collected"}:
                    own.append(str(body["collected"]))
                else:
                    documents.append(Document(body, file.name, truncated=file.problem is not None, asked=asked))
            if file.problem is not None:
                unread.append(file.problem)
        stamps += own
        ages += own or [_stamp(min((file.modified for file in one.files), default=0.0))]
    if not documents:
        raise EntitlementError(
            f"{', '.join(str(p) for p in paths)}: no document can be read{f' ({unread[0]})' if unread else ''}",
            hint="an export is what the cloud's own CLI prints as JSON",
        )
    files = [(root, file) for root, listed in read for file in listed]
    newest = max(file.modified for _, file in files)
    several = len(paths) > 1
    return Collection(
        source="export:" + ",".join(Path(p).name for p in paths),
        documents=tuple(documents),
        collected=min(stamps) if stamps else _stamp(newest),
        files={f"{root.name}/{f.name}" if several and f.name != root.name else f.name: f.sha256 for root, f in files},
        unread=tuple(unread),
        unrecognised=tuple(sorted({d.origin for d in documents if not _recognised(d)})),
        failed=tuple(dict.fromkeys(command for one in indexed for command in one.failed)),
        ages=tuple(ages),
    )


def out_of_time(collection: Collection, limit: timedelta, now: datetime) -> str | None:
    """Return why an export is too old or of the future, None where each of its parts is of the time before `now`.

    What does not say when it was made may be of any age.
    """
    return next((why for text in collection.ages if (why := too_old("the export", text, limit, now))), None)


def too_old(what: str, text: str | None, limit: timedelta, now: datetime) -> str | None:
    """Return why something made at `text` (RFC 3339) is too old or of the future, None where it is neither.

    None as its time: it does not say when it was made, and is of any age.
    """
    made = export_index.moment(text) if text is not None else None
    if made is None:
        said = "" if text is None else f" ({text!r})"
        return f"{what} does not say when it was made{said}, and --max-age asks for that"
    if made - now > _CLOCKS_DIFFER:
        return f"{what} was made at {text}, which is after {now:%Y-%m-%dT%H:%M:%SZ}"
    if now - made > limit:
        return f"{what} is {_words(now - made)} old (made at {text}), and --max-age allows {_words(limit)}"
    return None


def _words(span: timedelta) -> str:
    left, parts = int(span.total_seconds()), []
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts)


def _long_lists() -> dict[str, tuple[str, ...]]:
    """Return the lists of any cloud that may be long, and the fields by which their elements are chosen."""
    return {k: v for plugin in plugins.load_role("holdings") for k, v in getattr(plugin, "LONG_LISTS", {}).items()}


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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
        elif document.body == [] and document.asked:
            known.append(document)  # whose list it is, the command says
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
    if context is not None and isinstance(plugin, PlacesContext):
        context = plugin.placed(context)
    built = plugin.build(as_documents(plugin, collection.documents), account, context)
    strange = {d.origin for d in collection.documents if d.origin in collection.unrecognised and _may_grant(d.body)}
    if not (collection.unread or strange or collection.failed):
        return built
    return _PartlyRead(built, collection.unread, tuple(sorted(strange)), collection.failed)


def _may_grant(body: Any) -> bool:
    """Return whether an unknown document may hold something: an empty list and a script do not."""
    return bool(body) and not (isinstance(body, str) and body.startswith("#!"))


class _PartlyRead(Struct, frozen=True):
    """Holdings of an export that has unreadable files, documents that nobody knows, or commands that failed."""

    inner: Holdings
    unread: tuple[str, ...]
    strange: tuple[str, ...]
    failed: tuple[str, ...] = ()

    @property
    def account(self) -> str | None:
        return self.inner.account

    def _soften(self, identity: str, judgement: CoverageResult) -> CoverageResult:
        if judgement.verdict is Coverage.DENIED:
            return judgement
        failed = self._failed_about(identity)
        if judgement.verdict is Coverage.UNKNOWN:
            said = f"{judgement.reason}; the export says that this failed: {failed}"
            return replace(judgement, reason=said, doubt=judgement.unsettled) if failed else judgement
        if self.unread:
            return judgement.unless(self.unread[0])
        if judgement.verdict is not Coverage.MISSING:
            return judgement
        if self.strange:
            return judgement.unless(f"no cloud prints what {self.strange[0]} holds")
        return judgement.unless(f"this failed when the export was made: {failed}") if failed else judgement

    def _failed_about(self, identity: str) -> str | None:
        """Return a command about the identity that failed when the export was made."""
        if not self.failed:
            return None
        names = {identity, identity.rpartition("/")[2], identity.removeprefix("iam-"), self.resolve(identity) or ""}
        whole = re.compile("|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in sorted(names - {""})))
        return next((command for command in self.failed if whole.search(command)), None)

    def judge(self, identity: str, grant: Grant, scopes: Sequence[str]) -> CoverageResult:
        return self._soften(identity, self.inner.judge(identity, grant, scopes))

    def with_bucket(self, bucket: Fact[Bucket]) -> _PartlyRead:
        return replace(self, inner=self.inner.with_bucket(bucket)) if isinstance(self.inner, KnowsBuckets) else self

    def trust(self, identity: str, issuer: str, subjects: Sequence[str]) -> CoverageResult:
        return self._soften(identity, self.inner.trust(identity, issuer, subjects))

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

"""Export documents taken apart: pages and lists become single items with their kind, and cut-off pages are noticed.

The standard CLIs print bare lists, REST wraps the same items (`{"value": […], "nextLink": …}`), and collectors write
pages one after the other. The item decides what a document is, never the file name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from msgspec import Struct, field

from upgrade_gate.clouds.contract.holdings import Document
from upgrade_gate.reading.node import text

KindOf: TypeAlias = Callable[[Mapping[str, Any]], str | None]

_CONTINUES = ("nextLink", "odata.nextLink", "@odata.nextLink", "NextLink", "NextToken", "nextPageToken", "next")
_MAX_DEPTH = 6
"""Lists of pages of lists: deeper nesting is no export."""


class Entry(Struct, frozen=True):
    """One item of an export."""

    kind: str
    item: Mapping[str, Any]
    origin: str
    document: int
    """Number of the document, so that items of one listing can be told from those of another."""
    wrapper: Mapping[str, Any] = field(default_factory=dict)
    """The object whose list it stood in; empty for a bare item or a bare list."""


class Reading(Struct, frozen=True):
    """Everything that the documents hold."""

    entries: tuple[Entry, ...]
    truncated: tuple[str, ...]
    """One phrase per page whose continuation is not there."""
    listings: frozenset[str] = frozenset()
    """What live readers asked for (`listing` beside the list): an empty list of it is an answer."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Kind to a phrase, where a list of that kind holds an element that cannot be read."""
    empty: tuple[str, ...] = ()
    """Commands that an empty list answers, as the export's own index says."""
    asked: tuple[str, ...] = ()
    """All commands that it says were answered."""

    @property
    def cut_off(self) -> str:
        """Why nothing can be told of what is held, empty where every page is there."""
        return f"the export is cut off: {self.truncated[0]}" if self.truncated else ""

    def of(self, kind: str) -> tuple[Entry, ...]:
        """Return the entries of one kind, in order."""
        return tuple(e for e in self.entries if e.kind == kind)


class _Page(Struct):
    key: str
    kind: str
    asked: tuple[str, str]
    """What the listing was filtered by: the next page answers the same question."""
    continues: bool
    origin: str
    cut: bool
    """Whether the reader of the file says that it is not whole."""
    leads_to: str = ""
    """The place that its link to the next page names."""
    places: frozenset[str] = frozenset()
    """The places that its items lie in."""

    def may_follow(self, before: _Page) -> bool:
        """Return whether this may be the next page of another: the same list, of the same place."""
        same = (self.key, self.kind, self.asked) == (before.key, before.kind, before.asked)
        return same and not self.cut and (not before.leads_to or not self.places or before.leads_to in self.places)


def _nowhere(value: object) -> str:
    del value
    return ""


class Dialect(Struct, frozen=True):
    """How one cloud prints: what an item is, and what may stand around it."""

    kind_of: KindOf
    """What an item is, by the fields it has; None for what this cloud does not print."""
    wrappers: tuple[str, ...]
    """Keys of a wrapper whose list holds items."""
    own: tuple[str, ...] = ()
    """Wrappers and listings that no other cloud has: their list may be empty, and is still that cloud's answer."""
    listed: Mapping[str, str] = field(default_factory=dict)
    """What stands in the list of a `listing`, whatever its elements look like."""
    asked_by: str = ""
    """Key of a wrapper that says what the listing was filtered by."""
    place_of: Callable[[object], str] = _nowhere
    """What part of an account an ID or a link to the next page names, empty where it names none."""

    def holds(self, body: Any, *, depth: int = 0) -> bool:
        """Return whether a parsed document holds at least one item of a known kind."""
        if depth > _MAX_DEPTH:
            return False
        if isinstance(body, list):
            return any(self.holds(item, depth=depth + 1) for item in body)
        if not isinstance(body, Mapping):
            return False
        if (
            self.kind_of(body) is not None
            or any(body.get(key) == [] for key in self.own)
            or body.get("listing") in self.own
        ):
            return True
        lists = [body[key] for key in self.wrappers if isinstance(body.get(key), list)]
        return any(self.holds(one, depth=depth + 1) for one in lists)

    def read(self, documents: Sequence[Document]) -> Reading:
        """Return the items of the documents in order, and which pages have no continuation.

        A page that announces another is complete when the next page of the same kind follows it.
        """
        reader = _Reader(self)
        for number, document in enumerate(documents):
            before = len(reader.pages)
            reader.note_answer(document)
            reader.take(document.body, document, number, {}, 0)
            if document.truncated and not any(page.continues for page in reader.pages[before:]):
                reader.pages.append(_Page("", "", ("", ""), continues=True, origin=document.origin, cut=True))
        cut = tuple(_unfinished(reader.pages))
        asked, empty = tuple(reader.asked), tuple(reader.empty)
        return Reading(tuple(reader.entries), cut, frozenset(reader.listings), reader.unread, empty, asked)


def _unfinished(pages: Sequence[_Page]) -> list[str]:
    cut = []
    for number, page in enumerate(pages):
        if not page.continues:
            continue
        if page.cut or not any(p.may_follow(page) for p in pages[number + 1 :]):
            cut.append(f"{page.origin or 'a document'} is one page of more ({page.kind or 'cut off'})")
    return cut


class _Reader:
    """Walks documents and keeps what it finds."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.entries: list[Entry] = []
        self.pages: list[_Page] = []
        self.listings: set[str] = set()
        self.unread: dict[str, str] = {}
        self.asked: list[str] = []
        self.empty: list[str] = []

    def note_answer(self, document: Document) -> None:
        """Note which command a document answers, where the export says so, and whether with an empty list."""
        if document.asked:
            self.asked.append(document.asked)
            if not document.truncated and self._is_empty(document.body):
                self.empty.append(document.asked)

    def _is_empty(self, body: Any) -> bool:
        """Return whether an answer is a list of nothing, bare or in its wrapper, with no page to follow."""
        if not isinstance(body, Mapping):
            return bool(body == [])
        lists = [body[key] for key in self.dialect.wrappers if key in body]
        whole = self.dialect.kind_of(body) is None and not _continues(body)
        return whole and bool(lists) and all(one == [] for one in lists)

    def take(self, body: Any, document: Document, number: int, wrapper: Mapping[str, Any], depth: int) -> None:
        """Take one value: a list, a wrapped list, or an item."""
        if depth > _MAX_DEPTH:
            return
        if isinstance(body, list):
            self._note_unread(body, document)
            for item in body:
                self.take(item, document, number, wrapper, depth + 1)
            return
        if not isinstance(body, Mapping):
            return
        kind = self.dialect.kind_of(body)
        if kind is not None:
            self.entries.append(Entry(kind, body, document.origin, number, wrapper))
            return
        key = next((k for k in self.dialect.wrappers if isinstance(body.get(k), list)), None)
        if key is None:
            return
        self.listings.add(text(body.get("listing")))
        before = len(self.entries)
        self.take(body[key], document, number, body, depth + 1)
        found = self.entries[before:]
        listed = self.dialect.listed.get(text(body.get("listing")))
        if listed and body[key] and not found:
            self.unread.setdefault(listed, f"{document.origin or 'the export'} holds {listed} that cannot be read")
        kinds = sorted({e.kind for e in found})
        places = frozenset(place for e in found if (place := self.dialect.place_of(e.item.get("id"))))
        listing, asked = text(body.get("listing")), text(body.get(self.dialect.asked_by))
        page = _Page(
            key,
            ", ".join(kinds),
            (listing, asked),
            _continues(body),
            document.origin,
            cut=False,
            leads_to=self.dialect.place_of(body.get("nextLink")),
            places=places,
        )
        self.pages.append(page)

    def _note_unread(self, items: Sequence[Any], document: Document) -> None:
        """Note a list of one kind that holds what is not of it: the element may be one that cannot be read."""
        kinds = [self.dialect.kind_of(item) if isinstance(item, Mapping) else None for item in items]
        strange = [item for item, kind in zip(items, kinds, strict=True) if kind is None]
        nested = any(isinstance(item, list) or self._is_wrapper(item) for item in strange)
        known = {kind for kind in kinds if kind is not None}
        if strange and len(known) == 1 and not nested:
            (kind,) = known
            self.unread.setdefault(kind, f"{document.origin or 'the export'} holds {kind} that cannot be read")

    def _is_wrapper(self, item: Any) -> bool:
        return isinstance(item, Mapping) and any(isinstance(item.get(key), list) for key in self.dialect.wrappers)


def _continues(page: Mapping[str, Any]) -> bool:
    return page.get("IsTruncated") is True or any(page.get(key) for key in _CONTINUES)

"""What `history` answers, for a terminal and as Markdown: request by request, what each commit changed in it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from upgrade_gate.base.markdown import escape
from upgrade_gate.base.markdown import text as prose
from upgrade_gate.base.text import one_line
from upgrade_gate.report import addresses, view
from upgrade_gate.report.history_document import Event, RequestChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.report.history_document import History, Named

Change: TypeAlias = Event | RequestChange

_WIDTH = 100
_DATE = 12
"""Columns of a date and what stands behind it."""
_WORDS = {
    "request-added": "request came",
    "request-removed": "request went",
    "tombstone-added": "a manifest that deletes it came",
    "tombstone-removed": "the manifest that deletes it went",
}


class Entry(Struct, frozen=True):
    """What one commit did to one request."""

    changes: tuple[Change, ...]
    """Equal but for their grants."""
    grants: tuple[str, ...]
    """Named where more than one is in question."""

    @property
    def first(self) -> Change:
        """Any of them."""
        return self.changes[0]

    @property
    def what(self) -> str:
        """What was done, and to which releases."""
        said = f"{_WORDS.get(self.first.event, self.first.event.replace('-', ' '))} {_extent(self.first)}"
        return f"{said}: {', '.join(self.grants)}" if self.grants else said

    @property
    def more(self) -> tuple[str, ...]:
        """What else is known of it."""
        if isinstance(self.first, RequestChange):
            return tuple(f"{key.replace('_', ' ')}: {view.compact(value)}" for key, value in self.first.details.items())
        before = {
            name.rpartition("/")[2] for one in self.changes if isinstance(one, Event) for name in one.asked_before
        }
        return (f"asked before by {', '.join(sorted(before))}",) if before else ()


class Part(Struct, frozen=True):
    """One request: where it asks for what, and what became of that."""

    title: str
    asking: tuple[str, ...]
    entries: tuple[Entry, ...]


def text(history: History) -> bytes:
    """Return the answer as lines of text in UTF-8."""
    lines = [_title(history), *_opening(history)]
    for part in _parts(history):
        lines += ["", part.title, *(f"  {line}" for line in part.asking)]
        for entry in part.entries:
            lines += [f"  {entry.first.date}  {entry.what}"]
            lines += [f"{'':{_DATE + 2}}{line}" for line in (*_source(entry.first), *entry.more)]
    lines += ["", *_closing(history)]
    return ("\n".join(row for line in lines for row in _wrapped(line)) + "\n").encode()


def _wrapped(line: str) -> list[str]:
    indent = len(line) - len(line.lstrip())
    body = line.lstrip()
    hanging = indent + (_DATE if body[:2] == "20" and body[4:5] == "-" else 2)
    return textwrap.wrap(
        body,
        _WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (hanging if indent else 0),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def markdown(history: History) -> bytes:
    """Return the answer as CommonMark in UTF-8."""
    blocks = [f"## {prose(_title(history))}", *map(prose, _opening(history))]
    for part in _parts(history):
        blocks += [f"### {prose(part.title)}", "\n".join(f"- {prose(line)}" for line in part.asking)]
        rows = [
            f"| {entry.first.date} | {prose('; '.join([entry.what, *entry.more]))} | {_linked(entry.first)} |"
            for entry in part.entries
        ]
        blocks.append("\n".join(["| day | what | by |", "|---|---|---|", *rows]) if rows else "")
    blocks += map(prose, _closing(history))
    return ("\n\n".join(block for block in blocks if block) + "\n").encode()


def _title(history: History) -> str:
    question = history.question
    where = f" on {question.platform}" if question.platform else ""
    return f"{one_line(question.name)}{where}{f', since {question.since}' if question.since else ''}"


def _opening(history: History) -> Iterator[str]:
    """Yield what is said before everything else: what the table lacks, and what stands for the name."""
    if not history.known:
        yield "Not in the table, which does not say that no release ever needs it."
    if history.near:
        yield f"Near to it: {_listed(history.near)}."
    if history.contained_in:
        yield f"A pattern that is asked for contains it: {_listed(history.contained_in)}."
    if history.left_out:
        yield f"{view.counted(history.left_out, 'event')} before {history.question.since} left out."


def _listed(names: Sequence[Named]) -> str:
    return ", ".join(f"{one.name} ({one.platform or 'no platform'})" for one in names)


def _parts(history: History) -> Iterator[Part]:
    """Yield every request in question, the one that came first before the others."""
    changes: list[Change] = sorted([*history.request_events, *history.events], key=lambda one: (one.date, one.request))
    several = len({view.grant_text(one.grant) for one in history.requirements}) > 1
    keys = dict.fromkeys((one.platform, one.request) for one in (*changes, *history.requirements))
    for key in keys:
        asking: dict[str, list[str]] = {}
        for one in history.requirements:
            if (one.platform, one.request) == key:
                asking.setdefault(_spans(one.branches, history.table.branches), []).append(view.grant_text(one.grant))
        platform, request = key
        yield Part(
            title=f"{request}, {platform}" if platform else request,
            asking=tuple(f"{spans}: {', '.join(names)}" if several else spans for spans, names in asking.items()),
            entries=tuple(_entries((one for one in changes if (one.platform, one.request) == key), several)),
        )


def _entries(changes: Iterable[Change], several: bool) -> Iterator[Entry]:
    """Yield what each commit did, all grants that it added together."""
    groups: dict[tuple[str, str, str], list[Change]] = {}
    for one in changes:
        groups.setdefault((one.date, one.commit, one.event), []).append(one)
    for group in groups.values():
        grants = [view.grant_text(one.grant) for one in group if isinstance(one, Event) and several]
        yield Entry(changes=tuple(group), grants=tuple(grants))


def _spans(branches: Sequence[str], order: Sequence[str]) -> str:
    """Return branches as ranges: `asked for by 4.6 to 4.9 and 4.14 to 5.1`."""
    spans: list[list[str]] = []
    for branch in branches:
        if spans and order.index(spans[-1][-1]) + 1 == order.index(branch):
            spans[-1].append(branch)
        else:
            spans.append([branch])
    said = [one[0] if len(one) == 1 else f"{one[0]} to {one[-1]}" for one in spans]
    return f"asked for by {' and '.join(said)}" if said else "asked for by no release branch any more"


def _extent(change: Change) -> str:
    """Return in which releases a change is: those of one branch, or of every later one too."""
    if change.line == "main":
        return f"with {change.branch} and later"
    if not change.z_stream:
        return f"on {change.branch} alone, before GA"
    earliest = f", in {change.not_before} at the earliest" if change.not_before else ""
    return f"on {change.branch} alone, after GA{earliest}"


def _source(change: Change) -> Iterator[str]:
    """Yield by what a change came: where its text is, and the bugs and issues that it names."""
    yield ", ".join((_address(change), *change.bugs, *change.issues))


def _address(change: Change) -> str:
    if change.pull_request is None:
        return addresses.commit(change.repository, change.commit)
    return addresses.pull_request(change.repository, change.pull_request)


def _linked(change: Change) -> str:
    number = f"#{change.pull_request}" if change.pull_request is not None else f"@{change.commit[:12]}"
    named = [f"[{escape(change.repository + number)}]({_address(change)})"]
    return ", ".join([*named, *(f"[{escape(name)}]({addresses.bug(name)})" for name in (*change.bugs, *change.issues))])


def _closing(history: History) -> Iterator[str]:
    """Yield where the answer comes from, and what the table cannot know."""
    table = history.table
    yield (
        f"Table of {table.date}, release branches {table.branches[0]} to {table.branches[-1]}: {table.source}. "
        f"What was merged after {table.known_until} may be missing. Branches after {table.released_until} were not "
        "generally available yet: what is new on the main line carries the first of them."
    )
    yield from history.limits

"""What `history` answers: schema `upgrade-gate/history/v1`. Within v1 only keys and enum members are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from upgrade_gate.base import versions
from upgrade_gate.base.errors import UsageError
from upgrade_gate.requests.history import search
from upgrade_gate.requests.history.table import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from upgrade_gate.requests.history.table import Commit, RequestEvent, Row

SCHEMA = "upgrade-gate/history/v1"
LIMITS = (
    "Git does not tell the exact patch release of a change: it is the one that is named, or one of the next few.",
    "A change is one of a manifest; a cluster applies it or not by profile, capability, feature set and platform.",
    "A permission may have been covered by a wider one before it was named.",
    "Operators that are installed from OLM, and releases made after the table, are not in it.",
    "A change may only mention the bug that is shown beside it.",
)
"""What the table cannot know."""


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every part of the document."""


class Table(_Struct, frozen=True):
    """The table that the answer comes from."""

    date: str
    """The day on which it was made."""
    known_until: str
    """Nothing that was merged after this day is surely in it."""
    released_until: str
    """The last release branch that was generally available then."""
    source: str
    """What it was made from."""
    branches: list[str]
    """The release branches that it reaches, in order."""


class Question(_Struct, frozen=True):
    """What was asked."""

    name: str
    """The permission or request."""
    platform: str | None
    """As Infrastructure spells it; null for all."""
    since: str | None
    """The release from which on events are shown; null for all."""


class GrantFields(_Struct, frozen=True):
    """One grant, spelt as in the manifests."""

    type: str
    """`action`, `permission`, `dataPermission`, `roleBinding`, `predefinedRole` or `role`."""
    permission: str
    """The permission or role."""
    effect: str | None
    """`Allow` or `Deny` on AWS and Alibaba Cloud, else null."""
    resource: str | None
    """On AWS and Alibaba Cloud, else null."""
    condition: Any
    """On AWS, else null."""
    scope: Any
    """On IBM Cloud the whole set of attributes, on Azure that of a role binding that has one; else null."""


class _Change(_Struct, frozen=True):
    platform: str | None
    """Whose request it is; null where its kind belongs to none."""
    request: str
    """`namespace/name`."""
    branch: str
    """The first release branch that holds the commit."""
    z_stream: bool
    """Whether it was merged after the general availability of that branch."""
    line: Literal["main", "branch"]
    """`main`: every later branch has it too. `branch`: that branch alone."""
    not_before: str | None
    """The lowest version of the branch that can contain it; null where none is known."""
    date: str
    """The day of the merge, UTC."""
    repository: str
    """Of the manifest, on GitHub."""
    pull_request: int | None
    """Its number; null where the commit came without one."""
    commit: str
    """40 hex digits."""
    bugs: list[str]
    """`OCPBUGS-n`, or `Bug n` of Bugzilla."""
    issues: list[str]
    """Other keys that the change names."""


class Event(_Change, frozen=True):
    """A grant that a request came to ask for, or no longer asks for."""

    grant: GrantFields
    """What it is about."""
    event: Literal["added", "removed"]
    """What became of it."""
    asked_before: list[str]
    """Other requests of the platform that asked for the same permission earlier; empty for a removal."""


class RequestChange(_Change, frozen=True):
    """What else became of a request, where a request was asked about."""

    event: str
    """`request-added`, `request-removed`, `renamed`, `secret-moved`, `service-accounts-changed`, and others."""
    details: dict[str, Any]
    """What it was and what it became."""


class Requirement(_Struct, frozen=True):
    """One grant of one request, and where it is asked for."""

    platform: str | None
    """Whose request it is."""
    request: str
    """`namespace/name`."""
    grant: GrantFields
    """What it asks for."""
    branches: list[str]
    """Release branches from 4.6 on whose head asks for it, in order; empty where none does any more."""


class Named(_Struct, frozen=True):
    """A name of the table."""

    name: str
    """A permission or a request."""
    platform: str | None
    """Where it is asked for."""


class History(_Struct, frozen=True):
    """The document."""

    schema: str
    """`upgrade-gate/history/v1`."""
    question: Question
    """What was asked."""
    known: bool
    """Whether the table has that name; where not, it says nothing about whether it was ever needed."""
    events: list[Event]
    """Every event of every grant, sorted by date, then request."""
    request_events: list[RequestChange]
    """What became of the request itself, sorted likewise; empty where a permission was asked about."""
    requirements: list[Requirement]
    """Every grant in question, sorted by request."""
    left_out: int
    """Events that `--since` left out."""
    contained_in: list[Named]
    """Patterns of the table that contain the permission."""
    near: list[Named]
    """Names that may be meant, where the table does not have this one."""
    table: Table
    """Where the answer comes from."""
    limits: list[str]
    """What the table cannot know."""


def answer(name: str, platform: str | None = None, since: str | None = None) -> History:
    """Return what the table knows about a permission or a request; raises UsageError for a `since` it cannot place."""
    known, found = table(), search.find(name, platform)
    shown = _shown(since)
    events = [
        (row, place, added) for row in found.rows for place, added in known.events(row) if shown(known.commits[place])
    ]
    events.sort(key=lambda one: (known.commits[one[1]].date, known.requests[one[0].request].name, one[1]))
    changes = [event for event in found.request_events if shown(known.commits[event.commit])]
    changes.sort(key=lambda one: (known.commits[one.commit].date, known.requests[one.request].name, one.commit))
    contained_in = () if found.request_events else search.wider(name, platform)
    near = () if found.known else search.near(name, platform)
    total = len(found.request_events) + sum(len(row.added) + len(row.removed) for row in found.rows)
    return History(
        schema=SCHEMA,
        question=Question(name=name, platform=platform, since=since),
        known=found.known,
        events=[_event(*one) for one in events],
        request_events=[_request_event(one) for one in changes],
        requirements=sorted(map(_requirement, found.rows), key=lambda one: (one.request, one.grant.permission)),
        left_out=total - len(events) - len(changes),
        contained_in=_named(contained_in),
        near=_named([one for one in near if one not in contained_in]),
        table=Table(
            date=known.date,
            known_until=known.known_until,
            released_until=known.released_until,
            source=known.source,
            branches=list(known.branches),
        ),
        limits=list(LIMITS),
    )


def _shown(since: str | None) -> Callable[[Commit], bool]:
    """Return whether a commit is shown: one of a branch from `since` on, after that patch release where it is one."""
    if since is None:
        return lambda _: True
    known = table()
    version = versions.parse(since) or versions.parse(f"{since}.0")
    branch = known.branch_of(version) if version else None
    if version is None or branch is None:
        raise UsageError(
            f"--since {since!r} is no release of the table",
            hint=f"it has {known.branches[0]} to {known.branches[-1]}; give one of these, or a patch release",
        )
    if versions.parse(since) is None:
        return lambda commit: commit.branch >= branch
    return lambda commit: commit.branch > branch or (commit.branch == branch and not commit.may_be_in(version))


def _fields(commit: Commit) -> dict[str, Any]:
    known = table()
    return {
        "branch": known.branches[commit.branch],
        "z_stream": commit.z_stream,
        "line": commit.line,
        "not_before": commit.not_before,
        "date": commit.date,
        "repository": known.repositories[commit.repository],
        "pull_request": commit.pull_request,
        "commit": commit.commit,
        "bugs": list(commit.bugs),
        "issues": list(commit.issues),
    }


def _event(row: Row, place: int, added: bool) -> Event:
    known = table()
    commit = known.commits[place]
    return Event(
        platform=known.platform_of(row.request),
        request=known.requests[row.request].name,
        grant=_grant(row.grant),
        event="added" if added else "removed",
        asked_before=search.earlier(row, commit.date) if added else [],
        **_fields(commit),
    )


def _request_event(event: RequestEvent) -> RequestChange:
    known = table()
    return RequestChange(
        platform=known.platform_of(event.request),
        request=known.requests[event.request].name,
        event=event.name,
        details=event.details,
        **_fields(known.commits[event.commit]),
    )


def _requirement(row: Row) -> Requirement:
    known = table()
    return Requirement(
        platform=known.platform_of(row.request),
        request=known.requests[row.request].name,
        grant=_grant(row.grant),
        branches=known.asking(row),
    )


def _grant(place: int) -> GrantFields:
    grant = table().grants[place]
    return GrantFields(**{name: getattr(grant, name) for name in grant.__struct_fields__})


def _named(names: Iterable[search.Near]) -> list[Named]:
    return [Named(name=one.name, platform=one.platform) for one in names]


def encode(history: History) -> bytes:
    """Return the answer as indented JSON, keys in the order of the schema."""
    return msgspec.json.format(msgspec.json.encode(history), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of the answer."""
    document: dict[str, Any] = msgspec.json.schema(History)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}", **document}

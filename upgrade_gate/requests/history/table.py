"""The table of what each release branch asked for and when: `data/history.json`, made by tests/generators/history.py.

An event is one of a manifest: a commit of a branch that made a CredentialsRequest ask for a grant, or no longer. Rows
and events name what they are about by its place in the other lists, as the file does.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from typing import Any, Literal

from msgspec import Struct

from upgrade_gate.base import versions
from upgrade_gate.clouds.contract.grants import Grant, GrantType
from upgrade_gate.reading import decoding


class Commit(Struct, frozen=True, array_like=True):
    """One change of a branch, as a rule the merge of a pull request."""

    repository: int
    commit: str
    """40 hex digits."""
    date: str
    """The day of the merge, UTC."""
    pull_request: int | None
    bugs: tuple[str, ...]
    issues: tuple[str, ...]
    """Other keys of the tracker that it names."""
    branch: int
    """The first release branch that holds it."""
    line: Literal["main", "branch"]
    """`main`: every later branch has it too. `branch`: that branch alone, a backport."""
    z_stream: bool
    """Whether it was merged after the general availability of its branch."""
    not_before: str | None
    """The lowest version of that branch that can contain it; the true one is this or one of the next few."""

    def is_in(self, branch: int) -> bool:
        """Return whether a branch holds it."""
        return self.branch <= branch if self.line == "main" else self.branch == branch

    def may_be_in(self, version: versions.Version) -> bool:
        """Return whether a version of its branch can contain it; what stands before a release counts as the release."""
        first = versions.parse(self.not_before) if self.not_before else None
        return first is None or first.release != version.release or first.patch <= version.patch


class Request(Struct, frozen=True, array_like=True):
    """One CredentialsRequest."""

    kind: str | None
    """Of its provider spec; None where only a delete manifest is known of it."""
    name: str
    """`namespace/name`."""


class GrantFields(Struct, frozen=True, array_like=True):
    """The six fields of a grant, spelt as in the manifests."""

    type: GrantType
    permission: str
    effect: str | None
    resource: str | None
    condition: Any
    scope: Any

    def grant(self) -> Grant:
        """Return it as the type that every cloud knows."""
        return Grant(self.type, self.permission, self.effect, self.resource, self.condition, self.scope)


class Row(Struct, frozen=True, array_like=True):
    """A grant that a request asked for, with the commits that added it and those that removed it."""

    request: int
    grant: int
    added: tuple[int, ...]
    removed: tuple[int, ...]


class RequestEvent(Struct, frozen=True, array_like=True):
    """What else became of a request: it came, went, was renamed, or its Secret moved."""

    name: str
    request: int
    commit: int
    details: dict[str, Any]


class Table(Struct, frozen=True):
    """The whole table."""

    date: str
    """The day on which it was made."""
    known_until: str
    """The oldest day on which a repository was read: nothing later is in it for all of them."""
    released_until: str
    """The last branch that was generally available then."""
    source: str
    branches: tuple[str, ...]
    """Release branches in order."""
    whole_from: str
    """The first branch whose own backports it has; earlier ones only name the birth of what the main line had."""
    repositories: tuple[str, ...]
    platforms: dict[str, str]
    """By the kind of the provider spec."""
    commits: tuple[Commit, ...]
    """In the order of time within every branch."""
    requests: tuple[Request, ...]
    grants: tuple[GrantFields, ...]
    rows: tuple[Row, ...]
    request_events: tuple[RequestEvent, ...]

    def platform_of(self, request: int) -> str | None:
        """Return the platform of a request, None where its kind belongs to none."""
        kind = self.requests[request].kind
        return self.platforms.get(kind) if kind else None

    def branch_of(self, version: versions.Version) -> int | None:
        """Return the place of a version's branch, None where the table does not reach it."""
        name = f"{version.major}.{version.minor}"
        return self.branches.index(name) if name in self.branches else None

    def events(self, row: Row) -> list[tuple[int, bool]]:
        """Return the events of a row in order: the commit, and whether it added."""
        return sorted([(commit, True) for commit in row.added] + [(commit, False) for commit in row.removed])

    def asking(self, row: Row) -> list[str]:
        """Return the branches whose head asks for a row, without those before the first that is known whole."""
        first = self.branches.index(self.whole_from)
        return [name for place, name in enumerate(self.branches) if place >= first and self._asks(row, place)]

    def _asks(self, row: Row, branch: int) -> bool:
        there = [added for commit, added in self.events(row) if self.commits[commit].is_in(branch)]
        return bool(there) and there[-1]


@cache
def table() -> Table:
    """Return the table."""
    content = pkgutil.get_data("upgrade_gate.data", "history.json")
    if content is None:
        raise FileNotFoundError("upgrade_gate.data has no history.json")
    return decoding.from_json(content, Table)

"""By what a grant came that an update newly asks for, as far as the table can tell."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from upgrade_gate.base import versions
from upgrade_gate.clouds.contract.grants import cloud_of
from upgrade_gate.requests.history.table import Row, table

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.requests.history.table import Commit


def introduction(kind: str, request: str, grant: Grant, old: str, new: str) -> Commit | None:
    """Return the commit that made the branch of `new` ask for a grant which `new` is seen to ask for and `old` not.

    It is the last one of that branch that added it, the branch's own backports included. None where the table does
    not reach the branch, does not know the row, or says otherwise than what was seen: nothing is guessed.
    """
    known = table()
    before, after = versions.parse(old), versions.parse(new)
    if before is None or after is None:
        return None
    place, row = known.branch_of(after), _rows_of(kind, request).get(_identity(kind, grant))
    if place is None or row is None:
        return None
    last = _last(row, place, after)
    return known.commits[last] if last is not None and _may_lack(row, last, before) else None


def _last(row: Row, branch: int, version: versions.Version) -> int | None:
    """Return the place of the last commit of a branch that can be in a version, None where it removed the grant."""
    known = table()
    there = [
        (place, added)
        for place, added in known.events(row)
        if known.commits[place].is_in(branch) and known.commits[place].may_be_in(version)
    ]
    return there[-1][0] if there and there[-1][1] else None


def _may_lack(row: Row, added: int, old: versions.Version) -> bool:
    """Return whether the older release can be without a grant that a commit added.

    Its branch lacks the commit, or the commit was made on that branch and may have come too late for it, or the
    branch removed the grant again.
    """
    known = table()
    branch = known.branch_of(old)
    commit = known.commits[added]
    if branch is None or not commit.is_in(branch) or commit.branch == branch:
        return True
    return any(
        known.commits[place].is_in(branch) and known.commits[place].may_be_in(old)
        for place in row.removed
        if place > added
    )


@cache
def _rows_of(kind: str, request: str) -> Mapping[Hashable, Row]:
    """Return the rows of a request by what makes two grants the same on its cloud."""
    known = table()
    return {
        _identity(kind, known.grants[row.grant].grant()): row
        for row in known.rows
        if known.requests[row.request].kind == kind and known.requests[row.request].name == request
    }


def _identity(kind: str, grant: Grant) -> Hashable:
    cloud = cloud_of(kind)
    return cloud.identity(grant) if cloud else grant.canonical

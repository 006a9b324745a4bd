"""Who is in which Azure group, as far as an export says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from upgrade_gate.clouds.azure.shapes import Assignment, fold
from upgrade_gate.clouds.shared.pages import Entry
from upgrade_gate.reading.node import mapping, sequence

_NO_GROUPS = frozenset({"user", "serviceprincipal", "msi", "application", "device"})
"""Types of principals that have no members; PowerShell prints `Unknown` where it may not ask the directory."""


_EXPANDED = 20
"""So many objects Graph puts into an expanded list at most: with them, others may be missing."""


def may_be_group(principal_type: str) -> bool:
    """Return whether a principal of this (folded) type may stand for others."""
    return principal_type not in _NO_GROUPS


class Members:
    """Answers yes, no, or None for not known.

    Three sources: a listing filtered by `assignedTo()` (its group assignments apply to that principal), Graph's
    `memberOf` or `transitiveMemberOf` of a principal, and the `members` of a group.
    """

    def __init__(self, entries: Sequence[Entry], assignments: Iterable[Assignment], persons: Iterable[str]) -> None:
        self._persons = frozenset(persons)
        """Principals that are known to be no groups."""
        self._groups: dict[str, set[str]] = {}
        """Who is directly in which groups, as far as anything says."""
        self._reached: dict[str, frozenset[str]] = {}
        for one in assignments:
            if one.assigned_to:
                self._put(one.principal, [one.assigned_to])
        self._complete: set[str] = set()
        """Principals of whom every group, nested ones included, was listed."""
        for entry in entries:
            self._take({str(k).casefold(): v for k, v in entry.item.items()})

    def _take(self, has: dict[str, Any]) -> None:
        subject = fold(has.get("id"))
        self._put(subject, _ids(has.get("members")))
        for key in ("memberof", "transitivememberof"):
            for group in _ids(has.get(key)):
                self._put(group, [subject])
        groups = has.get("transitivememberof")
        cut = bool(has.get("transitivememberof@odata.nextlink"))
        if isinstance(groups, list) and not cut and len(_ids(groups)) == len(groups) < _EXPANDED:
            self._complete.add(subject)

    def _put(self, group: str, members: Iterable[str]) -> None:
        for member in members:
            self._groups.setdefault(member, set()).add(group)

    def in_group(self, group: str, principal: str) -> bool | None:
        """Return whether a principal is in a group, directly or through other groups."""
        if principal not in self._reached:
            self._reached[principal] = self._above(principal)
        if group in self._reached[principal]:
            return True
        return False if principal in self._complete else None

    def _above(self, principal: str) -> frozenset[str]:
        reached: set[str] = set()
        todo = [principal]
        while todo:
            more = self._groups.get(todo.pop(), set()) - reached
            reached |= more
            todo += more
        return frozenset(reached)

    def has(self, assignment: Assignment, principal: str) -> bool | None:
        """Return whether an assignment to somebody else serves the principal: only those to groups can."""
        if assignment.principal in self._groups.get(principal, ()):
            return True
        if not may_be_group(assignment.principal_type) or assignment.principal in self._persons:
            return False
        return self.in_group(assignment.principal, principal)


def _ids(value: object) -> tuple[str, ...]:
    found = [fold(v) or fold(mapping(v).get("id")) or fold(mapping(v).get("objectId")) for v in sequence(value) or ()]
    return tuple(f for f in found if f)

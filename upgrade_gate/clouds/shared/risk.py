"""How a cloud's own list of remarkable permissions is read: which class a permission has, and which pairs it makes.

The lists are short and our own, made 2026-11-24 from public sources; each entry names its own. They class what was
added, and never decide a verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from msgspec import Struct

from upgrade_gate.clouds.contract.risk import Access, Risk
from upgrade_gate.clouds.shared.patterns import has_wildcard, intersects

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.clouds.contract.grants import Grant

_TAGS = ("deletetags", "untag*", "removetags")
"""Taking a tag off deletes nothing."""
_READING = ("get", "describe", "head", "batchget")
_TAGGING = ("tag", "untag", "createtags", "deletetags", "addtags", "removetags")
_RISKS: tuple[Risk, ...] = get_args(Risk)
_LEVELS: tuple[Access, ...] = get_args(Access)


class RiskEntry(Struct, frozen=True):
    """One permission (or a pattern of them) and its class."""

    pattern: str
    risk: Risk
    reason: str
    source: str


class RiskPair(Struct, frozen=True):
    """Two permissions that together give more than each alone."""

    first: str
    second: str
    risk: Risk
    reason: str
    source: str


class RiskTable(Struct, frozen=True):
    """One cloud's list."""

    entries: tuple[RiskEntry, ...]
    pairs: tuple[RiskPair, ...] = ()
    destroys: tuple[str, ...] = ()
    """Patterns of operations that delete."""
    single: bool = False
    """Whether `?` in a pattern stands for one character."""

    def entries_for(self, permission: str, held: Sequence[str] = ()) -> tuple[RiskEntry | RiskPair, ...]:
        """Return the entries that a permission (or some name of its pattern) meets, with completed pairs."""
        found: list[RiskEntry | RiskPair] = [e for e in self.entries if self._hits(e.pattern, permission)]
        found += [p for p in self.pairs if self._partners(p, permission, (*held, permission))]
        return tuple(found)

    def partners(self, permission: str, held: Sequence[str]) -> tuple[str, ...]:
        """Return what in `held` makes a known pair with a permission, sorted."""
        return tuple(sorted({h for pair in self.pairs for h in self._partners(pair, permission, held)}))

    def classify(self, permission: str, held: Sequence[str] = ()) -> tuple[Risk, ...]:
        """Return the classes of a permission: the table's, DESTROY for deletions, BREADTH for a pattern."""
        classes: set[Risk] = {e.risk for e in self.entries_for(permission, held)}
        broad = has_wildcard(permission, single=self.single)
        if broad:
            classes.add("BREADTH")
        operation = self.operation(permission)
        tag = not broad and any(self._hits(t, operation) for t in _TAGS)
        if not tag and any(self._hits(d, operation) for d in self.destroys):
            classes.add("DESTROY")
        return ordered(classes)

    def operation(self, permission: str) -> str:
        """Return the part of a permission that `destroys` speaks of."""
        return permission

    def _hits(self, pattern: str, name: str) -> bool:
        return intersects(pattern.casefold(), name.casefold(), single=self.single)

    def _partners(self, pair: RiskPair, permission: str, held: Sequence[str]) -> list[str]:
        halves = ((pair.first, pair.second), (pair.second, pair.first))
        return [h for one, other in halves if self._hits(one, permission) for h in held if self._hits(other, h)]


class StatementTable(RiskTable, frozen=True):
    """The list of a cloud whose permissions are `service:Action`, allowed or denied by statements."""

    single: bool = True

    def operation(self, permission: str) -> str:
        """Return what follows the service's prefix."""
        return permission.rpartition(":")[2]

    def risks(self, grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
        """Return the risk classes of an allowed action; a Deny has none."""
        return self.classify(grant.permission, _allowed(held)) if grant.allows else ()

    def completes(self, grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
        """Return the allowed actions that make a known pair with this one."""
        return self.partners(grant.permission, _allowed(held)) if grant.allows else ()


def _allowed(held: Sequence[Grant]) -> list[str]:
    return [g.permission for g in held if g.allows]


def entries(risk: Risk, reason: str, source: str, *patterns: str) -> tuple[RiskEntry, ...]:
    """Return one entry for each pattern."""
    return tuple(RiskEntry(pattern, risk, reason, source) for pattern in patterns)


def ordered(risks: Iterable[Risk]) -> tuple[Risk, ...]:
    """Return the classes once each, worst first (the order of `Risk`)."""
    found = set(risks)
    return tuple(risk for risk in _RISKS if risk in found)


def strongest(levels: Iterable[Access]) -> Access | None:
    """Return the level that lets its holder do most, None where there is none."""
    return max(levels, key=_LEVELS.index, default=None)


def access_by_verb(action: str) -> Access:
    """Return the level of a `service:Action` that no table knows, by its verb: actions are named so."""
    verb = action.casefold().rpartition(":")[2]
    if verb.startswith("list"):
        return "list"
    if verb.startswith(_READING):
        return "read"
    return "tagging" if verb.startswith(_TAGGING) else "write"

"""The languages of permission patterns: matching, containment, and overlap, exact and without a catalogue of names.

AWS and Alibaba patterns have `*` (any run of characters) and `?` (exactly one); Azure patterns only `*`. Nothing else
is special: `[` is a character, so `fnmatch` would be wrong. Case is the caller's: fold both sides before asking.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SEGMENT = "\ue000"
"""In a pattern of names, never in one of a policy: any run of characters without `:` and `/`."""
FIELD = "\ue003"
"""Likewise, without `:`."""
LITERAL = {"*": "\ue001", "?": "\ue002"}
"""Stand-ins for characters that are wildcards elsewhere; on both sides they match only themselves."""
_ENDS = {SEGMENT: frozenset(":/"), FIELD: frozenset(":")}
"""What a run of names does not go on over."""

_RUN = "*run"
_ONE = "?one"
_RUNS = frozenset({_RUN, *_ENDS})
_FRESH = "fresh"
"""A character that stands in no pattern: it speaks for all characters that do not."""
_MAX_STATES = 20_000
"""Bound of the subset construction; beyond it nothing is proven. Real policies stay below a hundred."""

Symbols: TypeAlias = tuple[str, ...]
_LITERALS = str.maketrans(LITERAL)


class Patterns(Struct, frozen=True):
    """One source of permissions: everything that matches `allows`, without what matches `excepts`."""

    allows: tuple[str, ...]
    excepts: tuple[str, ...] = ()


@lru_cache(maxsize=16_384)
def _parse(pattern: str, single: bool) -> Symbols:
    symbols: list[str] = []
    for char in pattern:
        if char == "*":
            if not symbols or symbols[-1] != _RUN:
                symbols.append(_RUN)
        else:
            symbols.append(_ONE if single and char == "?" else char)
    return tuple(symbols)


def literal(text: str) -> str:
    """Return a text in which nothing is a wildcard; compared with names that went through here as well."""
    return text.translate(_LITERALS)


def has_wildcard(pattern: str, *, single: bool = True) -> bool:
    """Return whether a pattern stands for more than one name; `single` says whether `?` is a wildcard."""
    return "*" in pattern or _of_names(pattern) or (single and "?" in pattern)


def _of_names(pattern: str) -> bool:
    return SEGMENT in pattern or FIELD in pattern


def matches(pattern: str, name: str, *, single: bool = True) -> bool:
    """Return whether a pattern matches a whole name, in linear memory and without backtracking blow-up."""
    symbols = _parse(pattern, single)
    at, back, mark = 0, -1, 0
    position = 0
    while position < len(name):
        symbol = symbols[at] if at < len(symbols) else None
        if symbol == _RUN:
            back, mark = at, position
            at += 1
        elif symbol in (_ONE, name[position]):
            at += 1
            position += 1
        elif back >= 0:
            mark += 1
            at, position = back + 1, mark
        else:
            return False
    return all(symbol == _RUN for symbol in symbols[at:])


def contains(outer: str, inner: str, *, single: bool = True) -> bool:
    """Return whether every name that matches `inner` matches `outer` too."""
    if not has_wildcard(inner, single=single):
        return matches(outer, inner, single=single)
    if _swallows(_parse(outer, single), _parse(inner, single)):
        return True
    return covered(inner, (Patterns((outer,)),), single=single)


def less(listed: Iterable[str], gone: Iterable[str], needed: Sequence[str], *, single: bool = True) -> list[str]:
    """Return patterns as they are spelt without those that are gone; of such a one stays what of it is needed.

    Here patterns compare without case.
    """
    taken = {one.casefold() for one in gone}
    kept: list[str] = []
    for one in listed:
        folded = one.casefold()
        inside = [n for n in needed if intersects(folded, n.casefold(), single=single)] if folded in taken else [one]
        whole = all(contains(folded, n.casefold(), single=single) for n in inside)
        kept += inside if whole else [one]
    return list(dict.fromkeys(kept))


def _swallows(outer: Symbols, inner: Symbols) -> bool:
    """Compare symbol by symbol: sound, cheap, and incomplete only where `?` stands beside `*`."""
    row = [True] + [False] * len(outer)
    for j, symbol in enumerate(outer, 1):
        row[j] = row[j - 1] and symbol == _RUN
    for want in inner:
        above, row = row, [False] * (len(outer) + 1)
        for j, symbol in enumerate(outer, 1):
            if symbol == _RUN:
                row[j] = above[j] or row[j - 1]
            elif want not in _RUNS and symbol in (_ONE, want):
                row[j] = above[j - 1]
    return row[-1]


@lru_cache(maxsize=16_384)
def intersects(first: str, second: str, *, single: bool = True) -> bool:
    """Return whether some name matches both patterns."""
    if not has_wildcard(first, single=single) and not _of_names(second):
        return matches(second, first, single=single)
    if not has_wildcard(second, single=single) and not _of_names(first):
        return matches(first, second, single=single)
    a, b = _parse(first, single), _parse(second, single)
    row = [True] + [False] * len(b)
    for j, symbol in enumerate(b, 1):
        row[j] = row[j - 1] and symbol in _RUNS
    for x in a:
        above, row = row, [row[0] and x in _RUNS] + [False] * len(b)
        for j, y in enumerate(b, 1):
            if x not in _RUNS and y not in _RUNS:
                row[j] = above[j - 1] and (x == y or _ONE in (x, y))
                continue
            # one of the two is a run: it ends here, or takes what the other one asks for
            ends = (x in _RUNS and above[j]) or (y in _RUNS and row[j - 1])
            takes = (row[j - 1] and _takes(x, y)) or (above[j] and _takes(y, x))
            row[j] = ends or takes
    return row[-1]


def _takes(run: str, symbol: str) -> bool:
    """Return whether a run can go on over what a symbol stands for, or a part of that."""
    return run == _RUN or (run in _ENDS and symbol not in _ENDS[run])


def overlapping(pattern: str, parts: Iterable[Patterns], *, single: bool = True) -> Patterns | None:
    """Return the first part that grants some name of the pattern, None when none does."""
    if not has_wildcard(pattern, single=single):
        return next((part for part in parts if _grants(part, pattern, single)), None)
    for part in parts:
        allows = tuple(a for a in part.allows if intersects(a, pattern, single=single))
        if not allows:
            continue
        if not part.excepts or not covered(pattern, (Patterns(part.excepts), *_complement(allows)), single=single):
            return part
    return None


def _complement(allows: Sequence[str]) -> tuple[Patterns, ...]:
    """Return what the patterns do not match, as a part."""
    return () if "*" in allows else (Patterns(("*",), tuple(allows)),)


def covered(pattern: str, parts: Sequence[Patterns], *, single: bool = True) -> bool:
    """Return whether every name of the pattern is granted by some part (the union of them all).

    Exact: a plain name is looked up, a pattern goes through the subset construction (docs/facts/aws.md#patterns). A
    union too large to settle is not proven, hence False.
    """
    if not has_wildcard(pattern, single=single):
        return any(_grants(part, pattern, single) for part in parts)
    inner = _parse(pattern, single)
    useful: list[Patterns] = []
    for part in parts:
        allows = tuple(dict.fromkeys(a for a in part.allows if intersects(a, pattern, single=single)))
        excepts = tuple(dict.fromkeys(e for e in part.excepts if intersects(e, pattern, single=single)))
        if not excepts and any(_swallows(_parse(a, single), inner) for a in allows):
            return True
        if allows:
            useful.append(Patterns(allows, excepts))
    return bool(useful) and _no_counterexample(inner, useful, single)


def _grants(part: Patterns, name: str, single: bool) -> bool:
    return any(matches(a, name, single=single) for a in part.allows) and not any(
        matches(e, name, single=single) for e in part.excepts
    )


_State: TypeAlias = frozenset[tuple[int, int]]


def _no_counterexample(inner: Symbols, parts: Sequence[Patterns], single: bool) -> bool:
    """Search a name of `inner` that no part grants, over the product of `inner` and all parts' position sets."""
    patterns = [_parse(p, single) for part in parts for p in (*part.allows, *part.excepts)]
    numbers: list[tuple[range, range]] = []
    count = 0
    for part in parts:
        middle, end = count + len(part.allows), count + len(part.allows) + len(part.excepts)
        numbers.append((range(count, middle), range(middle, end)))
        count = end
    alphabet = sorted({s for p in (inner, *patterns) for s in p if s not in _RUNS and s != _ONE})
    alphabet.append(_FRESH)
    choices = {run: [char for char in alphabet if char not in ends] for run, ends in _ENDS.items()}
    choices |= {_RUN: alphabet, _ONE: alphabet}

    def granted(state: _State) -> bool:
        done = {n for n, at in state if at == len(patterns[n])}
        return any(not done.isdisjoint(allows) and done.isdisjoint(excepts) for allows, excepts in numbers)

    start_outer = frozenset((n, at) for n, p in enumerate(patterns) for at in _closure(p, 0))
    todo: deque[tuple[int, _State]] = deque((at, start_outer) for at in _closure(inner, 0))
    seen = set(todo)
    steps: dict[tuple[_State, str], _State] = {}
    while todo:
        at, outer = todo.popleft()
        if at == len(inner):
            if not granted(outer):
                return False
            continue
        symbol = inner[at]
        for char in choices.get(symbol, (symbol,)):
            key = (outer, char)
            if key not in steps:
                steps[key] = frozenset((n, to) for n, a in outer for to in _step(patterns[n], a, char))
            for to in _closure(inner, at if symbol in _RUNS else at + 1):
                found = (to, steps[key])
                if found not in seen:
                    if len(seen) >= _MAX_STATES:
                        return False
                    seen.add(found)
                    todo.append(found)
    return True


def _closure(pattern: Symbols, at: int) -> tuple[int, ...]:
    """Return the positions reachable from one without a character: past the runs that follow."""
    reached = [at]
    while at < len(pattern) and pattern[at] in _RUNS:
        at += 1
        reached.append(at)
    return tuple(reached)


def _step(pattern: Symbols, at: int, char: str) -> tuple[int, ...]:
    if at == len(pattern):
        return ()
    symbol = pattern[at]
    if symbol == _RUN:
        return _closure(pattern, at)
    return _closure(pattern, at + 1) if symbol in (_ONE, char) else ()

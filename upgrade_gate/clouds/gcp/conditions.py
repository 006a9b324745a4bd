"""Conditions of GCP bindings, decided as far as the time alone decides them.

Source: IAM documentation, "Overview of IAM Conditions" and "Configure temporary access" (CEL over `request.time`,
`resource.*` and tags). Comparisons of `request.time` with
`timestamp("…")`, joined by `&&`, `||`, `!` and brackets, are decided by a given moment; everything else, such as a
window of hours (one moment settles no other day), names of resources and tags, is undecided.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate

from upgrade_gate.clouds.shared.three_values import FALSE, TRUE, Answer, all_of, any_of, not_, undecided

_TOKEN = re.compile(
    r"""\s*(?: (?P<text> [bB]?[rR][bB]? (?: \"\"\".*?\"\"\" | '''.*?''' | "[^"]*" | '[^']*' )
            | [bB]? (?: \"\"\"(?:[^\\]|\\.)*?\"\"\" | '''(?:[^\\]|\\.)*?''' | "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' ) )
        | (?P<mark> && | \|\| | [<>!=]=? | [()\[\]{}?:,] )
        | (?P<word> [^\s"'&|<>!=()\[\]{}?:,]+ ) )""",
    re.VERBOSE | re.DOTALL,
)
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_COMPARED = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_SWAPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MOST_DEPTH = 40


class _NotReadError(Exception):
    """The expression has a form that is not read here."""


def holds(expression: str, now: datetime | None) -> Answer:
    """Return whether a condition holds at a moment; undecided where that alone does not settle it, or is not known.

    `now` is an aware time. A text that is not read, or is nested deeper than any policy, is undecided.
    """
    try:
        return _any(list(_tokens(expression)), now, _MOST_DEPTH)
    except _NotReadError:
        return undecided(expression)


def _tokens(expression: str) -> Iterator[str]:
    at, text = 0, expression.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _NotReadError
        yield found.group().strip()
        at = found.end()


def _split(tokens: list[str], mark: str) -> list[list[str]]:
    """Return the parts between a mark that stands in no bracket."""
    parts: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token in _OPENING) - (token in _CLOSING)
        if depth < 0:
            raise _NotReadError
        if token == mark and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    if depth or not all(parts):
        raise _NotReadError
    return parts


def _any(tokens: list[str], now: datetime | None, deep: int) -> Answer:
    if deep == 0 or len(_split(tokens, "?")) > 1:  # `a ? b : c` binds loosest of all
        raise _NotReadError
    return any_of([_all(part, now, deep) for part in _split(tokens, "||")])


def _all(tokens: list[str], now: datetime | None, deep: int) -> Answer:
    return all_of([_one(part, now, deep) for part in _split(tokens, "&&")])


def _one(tokens: list[str], now: datetime | None, deep: int) -> Answer:
    if tokens[0] == "!" and _is_bracket(tokens[1:]):
        return not_(_any(tokens[2:-1], now, deep - 1))
    if _is_bracket(tokens):
        return _any(tokens[1:-1], now, deep - 1)
    answer = _compared(tokens, now)
    return undecided(" ".join(tokens)) if answer is None else TRUE if answer else FALSE


def _is_bracket(tokens: list[str]) -> bool:
    """Return whether one pair of brackets holds everything; each bracket of the tokens is closed."""
    depths = list(accumulate((token in _OPENING) - (token in _CLOSING) for token in tokens))
    return tokens[:1] == ["("] and tokens[-1] == ")" and depths.count(0) == 1


def _compared(tokens: list[str], now: datetime | None) -> bool | None:
    """Decide `request.time < timestamp("…")`, in either order; anything else is undecided."""
    match tokens:
        case ["request.time", sign, "timestamp", "(", text, ")"]:
            pass
        case ["timestamp", "(", text, ")", swapped, "request.time"]:
            sign = _SWAPPED.get(swapped, "")
        case _:
            return None
    moment, compared = _moment(text), _COMPARED.get(sign)
    return None if now is None or moment is None or compared is None else compared(now, moment)


def _moment(text: str) -> datetime | None:
    """Return the time that a plain literal writes in RFC 3339, None for anything else."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text[1:-1], re.ASCII):
        return None
    try:
        return datetime.fromisoformat(text[1:-1].upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None

"""Policy variables: `${aws:PrincipalTag/team}` and its like, in values of conditions and in resources.

Source: the IAM user guide, policy variables: they have a value from the request or a default (`${KEY, 'default'}`),
`${*}`, `${?}` and `${$}` are the characters themselves, and only documents of version 2012-10-17 know them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.clouds.shared.patterns import literal

if TYPE_CHECKING:
    from collections.abc import Callable

_VARIABLE = re.compile(r"\$\{\s*([^}]*?)\s*\}")
_DEFAULT = re.compile(r"([^,]*?)\s*,\s*'([^']*)'")


class KeyValue(Struct, frozen=True):
    """The values of a condition key in one request."""

    values: tuple[str, ...]
    rests_on: str = ""
    """What they come from, in words (`region eu-central-1`); empty where they are the same everywhere."""


Keys: TypeAlias = "Callable[[str], Fact[KeyValue]]"
"""Looks up a condition key, whose name has no case, in one request."""


class Text(Struct, frozen=True):
    """A text of a policy with its variables filled in; what is no wildcard of the policy itself is literal."""

    pattern: str
    """With `*` for a variable that is not known."""
    open: tuple[str, ...] = ()
    """What the variables that are not known wait for."""
    void: str | None = None
    """The variable that has no value in this request: IAM passes over a statement with such a one."""
    rests_on: frozenset[str] = frozenset()


def fill(text: str, keys: Keys) -> Text:
    """Fill in the variables of one text."""
    waits: list[str] = []
    void: list[str] = []
    rests_on: set[str] = set()

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in ("*", "?", "$"):
            return literal(name)
        default = _DEFAULT.fullmatch(name)
        key = default[1] if default else name
        found = keys(key)
        match found:
            case Known(value=KeyValue(values=(single,), rests_on=reason)):
                rests_on.update({reason} - {""})
                return literal(single)
            case Absent() if default:
                return literal(default[2])
            case Absent():
                void.append(match[0])
            case Known():
                waits.append(f"{key} has several values")
            case Unknown(reason=why):
                waits.append(why)
        return "*"

    pattern = _VARIABLE.sub(value, text)
    return Text(pattern, tuple(dict.fromkeys(waits)), void[0] if void else None, frozenset(rests_on))

"""Choose clusters by their labels, as `oc get -l` does for equality: `env=prod,region!=eu,canary,!old`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Return whether labels satisfy every term of a selector; raises UsageError for a selector that is none."""
    return all(_satisfies(term.strip(), labels, selector) for term in selector.split(","))


def check(selectors: Iterable[str]) -> None:
    """Raise UsageError for a selector that is none."""
    for selector in selectors:
        for term in selector.split(","):
            _satisfies(term.strip(), {}, selector)


def _satisfies(term: str, labels: Mapping[str, str], selector: str) -> bool:
    key, sign, value = _split(term)
    wrong = not key or key != key.strip() or set(key + value) & set(" ()=!") or (sign in {"!", ""} and value)
    if wrong:
        raise UsageError(f"{selector!r} is no selector", hint="such as env=prod,region!=eu,canary,!old")
    match sign:
        case "!=":
            return labels.get(key) != value  # as in Kubernetes, one without the label too
        case "=":
            return labels.get(key) == value
        case "!":
            return key not in labels
        case _:
            return key in labels


def _split(term: str) -> tuple[str, str, str]:
    if term.startswith("!"):
        return term[1:], "!", ""
    for sign in ("!=", "==", "="):
        key, found, value = term.partition(sign)
        if found:
            return key.strip(), "!=" if sign == "!=" else "=", value.strip()
    return term, "", ""

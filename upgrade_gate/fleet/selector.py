"""Choose clusters by their labels, as `oc get -l` does for equality: `env=prod,region!=eu,canary,!old`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from upgrade_gate.base.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Operator: TypeAlias = Literal["In", "NotIn", "Exists", "DoesNotExist"]


class Term(Struct, frozen=True):
    """What one label must be, in the words of a Kubernetes LabelSelectorRequirement (meta/v1)."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()


def matches(selector: str, labels: Mapping[str, str]) -> bool:
    """Return whether labels satisfy every term of a selector; raises UsageError for a selector that is none."""
    return all(_satisfies(term, labels) for term in terms((selector,)))


def terms(selectors: Iterable[str]) -> tuple[Term, ...]:
    """Return what selectors ask for, all of it; raises UsageError for a selector that is none."""
    return tuple(_term(term.strip(), selector) for selector in selectors for term in selector.split(","))


def _satisfies(term: Term, labels: Mapping[str, str]) -> bool:
    match term.operator:
        case "NotIn":
            return labels.get(term.key) not in term.values  # as in Kubernetes, one without the label too
        case "In":
            return labels.get(term.key) in term.values
        case "DoesNotExist":
            return term.key not in labels
        case _:
            return term.key in labels


def _term(text: str, selector: str) -> Term:
    key, operator, values = _split(text)
    if not key or key != key.strip() or set("".join((key, *values))) & set(" ()=!"):
        raise UsageError(f"{selector!r} is no selector", hint="such as env=prod,region!=eu,canary,!old")
    return Term(key, operator, values)


def _split(text: str) -> tuple[str, Operator, tuple[str, ...]]:
    if text.startswith("!"):
        return text[1:], "DoesNotExist", ()
    for sign in ("!=", "==", "="):
        key, found, value = text.partition(sign)
        if found:
            return key.strip(), "NotIn" if sign == "!=" else "In", (value.strip(),)
    return text, "Exists", ()

"""Condition operators: whether one value of a request meets one value of a policy.

Source: the IAM user guide, condition operators. Every operator has its opposite; `…IfExists`, `ForAllValues:` and
`ForAnyValue:` are said of a whole test and stand in `conditions`.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from upgrade_gate.clouds.shared.patterns import literal, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Compare: TypeAlias = Callable[[str, str], bool]

_ARN_PARTS = 6


class Operator(NamedTuple):
    """How two values compare; raises ValueError where one of them is not of the operator's type."""

    compare: Compare
    negated: bool = False


def _equal(value: str, wanted: str) -> bool:
    return literal(value) == literal(wanted)


def _equal_ignoring_case(value: str, wanted: str) -> bool:
    return literal(value).casefold() == literal(wanted).casefold()


def _like(value: str, pattern: str) -> bool:
    return matches(pattern, literal(value))


def _arn_like(value: str, pattern: str) -> bool:
    """Compare the six parts one by one; a wildcard does not reach past its part."""
    parts, wanted = value.split(":", _ARN_PARTS - 1), pattern.split(":", _ARN_PARTS - 1)
    if len(wanted) != _ARN_PARTS:
        raise ValueError(f"{pattern} is not an ARN")
    return len(parts) == _ARN_PARTS and all(matches(p, literal(v)) for p, v in zip(wanted, parts, strict=True))


def _bool(value: str, wanted: str) -> bool:
    if wanted.casefold() not in {"true", "false"} and "${" not in wanted:  # a variable is text here, and no value
        raise ValueError(f"{wanted} is neither true nor false")
    return value.casefold() == wanted.casefold()


def _in_network(value: str, network: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(network)


def moment(text: str) -> datetime:
    """Return a time given as seconds since 1970 or in ISO 8601; without an offset it is UTC."""
    try:
        if text.removeprefix("-").isdigit() and len(text) > len("2026"):
            return datetime.fromtimestamp(int(text), UTC)
        found = datetime.fromisoformat(text)
    except (OverflowError, OSError) as exc:
        raise ValueError(f"{text} is not a time") from exc
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _ordered(kind: str) -> Mapping[str, Operator]:
    def pair(value: str, wanted: str) -> int:
        if kind == "Date":
            return (moment(value) > moment(wanted)) - (moment(value) < moment(wanted))
        return (float(value) > float(wanted)) - (float(value) < float(wanted))

    return {
        f"{kind}Equals": Operator(lambda v, w: pair(v, w) == 0),
        f"{kind}NotEquals": Operator(lambda v, w: pair(v, w) == 0, negated=True),
        f"{kind}LessThan": Operator(lambda v, w: pair(v, w) < 0),
        f"{kind}LessThanEquals": Operator(lambda v, w: pair(v, w) <= 0),
        f"{kind}GreaterThan": Operator(lambda v, w: pair(v, w) > 0),
        f"{kind}GreaterThanEquals": Operator(lambda v, w: pair(v, w) >= 0),
    }


OPERATORS: Mapping[str, Operator] = {
    "StringEquals": Operator(_equal),
    "StringNotEquals": Operator(_equal, negated=True),
    "StringEqualsIgnoreCase": Operator(_equal_ignoring_case),
    "StringNotEqualsIgnoreCase": Operator(_equal_ignoring_case, negated=True),
    "StringLike": Operator(_like),
    "StringNotLike": Operator(_like, negated=True),
    "ArnEquals": Operator(_arn_like),
    "ArnLike": Operator(_arn_like),
    "ArnNotEquals": Operator(_arn_like, negated=True),
    "ArnNotLike": Operator(_arn_like, negated=True),
    **_ordered("Numeric"),
    **_ordered("Date"),
    "Bool": Operator(_bool),
    "IpAddress": Operator(_in_network),
    "NotIpAddress": Operator(_in_network, negated=True),
}
"""By the name that a policy gives; `Null` asks for no value and is not among them."""

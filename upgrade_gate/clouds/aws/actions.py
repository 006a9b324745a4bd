"""What AWS's service authorization reference says of each action (dated table `actions.json`, with its source)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from upgrade_gate.base import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from upgrade_gate.clouds.contract.risk import Access

_LEVELS: Mapping[str, Access] = {
    "List": "list",
    "Read": "read",
    "Tagging": "tagging",
    "Write": "write",
    "Permissions management": "permissions-management",
}
_OVERRIDES: Mapping[str, Access] = {
    "iam:passrole": "permissions-management",
    "iam:createservicelinkedrole": "permissions-management",
}
"""Where the reference says Write and policy_sentry, by its own overrides, permissions management."""
WITHOUT_RESOURCE = "any"


def _rows() -> Iterator[tuple[str, str, str]]:
    """Yield each action (folded) with its level and its rows (the table says how they are written)."""
    for service, by_level in tables.read(__package__, "actions.json")["services"].items():
        for level, kinds in by_level.items():
            for kind, names in kinds.items():
                for name in names:
                    yield f"{service}:{name}".casefold(), level, kind


@cache
def levels() -> Mapping[str, Access]:
    """Return the access level of each action (folded) of the table; where sources disagree our own list decides."""
    return {**{action: _LEVELS[level] for action, level, _ in _rows()}, **_OVERRIDES}


@cache
def _rows_by_action() -> Mapping[str, str]:
    return {action: rows for action, _, rows in _rows()}


def rows_of(action: str) -> str | None:
    """Return the rows of an action, None for one that the table does not know."""
    return _rows_by_action().get(action.casefold())


def takes_no_resource(action: str) -> bool:
    """Return whether an action names no resource, so that only `*` allows it (dated table of nine services)."""
    return (rows_of(action) or "").partition("|")[0] == WITHOUT_RESOURCE

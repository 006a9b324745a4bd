"""What a reader must be allowed: RBAC rules made from the queries that are really asked, and words for one of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.base.facts import Unknown
    from upgrade_gate.cluster.model import Query

FORBIDDEN = "403 forbidden"
"""How the reason of an Unknown says that RBAC refused the read; snapshots keep it."""


def rules_for(queries: Iterable[Query]) -> list[dict[str, Any]]:
    """Return RBAC rules that allow these queries of one namespace (or of none) and nothing else.

    Every read of one object is allowed by its name. The same queries in any order give the same rules.
    """
    names: dict[tuple[str, str], set[str]] = {}
    lists: set[tuple[str, str]] = set()
    for query in queries:
        if query.name is None:
            lists.add((query.group, query.plural))
        else:
            names.setdefault((query.group, query.plural), set()).add(query.name)
    rules = [
        {"apiGroups": [group], "resources": [plural], "resourceNames": sorted(found), "verbs": ["get"]}
        for (group, plural), found in sorted(names.items())
    ]
    listed = [{"apiGroups": [group], "resources": [plural], "verbs": ["list"]} for group, plural in sorted(lists)]
    return rules + listed


def read_of(query: Query) -> str:
    """Say what is read: `get configmaps/release-verification in namespace openshift-config-managed`."""
    return f"{query.verb} {query.resource}{_where(query)}"


def remedy_of(query: Query) -> str:
    """Say what must be allowed for a query."""
    return f"allow {json.dumps(*rules_for([query]))}{_where(query)}"


def is_forbidden(fact: Unknown) -> bool:
    """Return whether RBAC refused the read, so that `init rbac` prints the roles that end it."""
    return FORBIDDEN in fact.reason


def _where(query: Query) -> str:
    return f" in namespace {query.namespace}" if query.namespace else ""

"""What the insights operator keeps: cut-down objects, told by their path alone (docs/facts/dumps.md#layouts)."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from upgrade_gate.base.facts import Fact, Known, Unknown
from upgrade_gate.cluster.facts_table import (
    AUTHENTICATION,
    CREDENTIAL,
    DNS,
    FEATURE_GATE,
    INFRASTRUCTURE,
    OPERATOR,
    VERSION,
)
from upgrade_gate.cluster.readers._dump_files import SUFFIXES, Unusable, load
from upgrade_gate.cluster.readers._dump_objects import completed, is_legal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.cluster.model import Query
    from upgrade_gate.cluster.readers._dump_files import Files

_OPERATORS = "config/clusteroperator"
_PLACES: Mapping[Query, str] = MappingProxyType(
    {
        VERSION: "config/version",
        INFRASTRUCTURE: "config/infrastructure",
        FEATURE_GATE: "config/featuregate",
        AUTHENTICATION: "config/authentication",
        DNS: "config/dns",
        CREDENTIAL: f"{_OPERATORS}/operator.openshift.io/cloudcredential/cluster",
    }
)


@dataclass(frozen=True, slots=True)
class InsightsLayout:
    """One insights archive."""

    files: Files
    base: str
    path: str
    timestamp: str | None = None
    own_time: str | None = None

    def answer(self, query: Query) -> Fact[Any] | None:
        """Answer from the object's file; what is not there was not recorded, which proves no absence."""
        is_operator = query.kind == OPERATOR.kind and query.name is not None and is_legal(query.name)
        place = f"{_OPERATORS}/{query.name}" if is_operator else _PLACES.get(query)
        if place is None:
            return None
        try:
            for suffix in SUFFIXES:
                shown = self.base + place + suffix
                content = self.files.read(shown)
                if content is not None:
                    return _object(load(content, shown), query, shown)
        except Unusable as error:
            return Unknown(str(error), remedy="fetch the archive again")
        return None


def _object(bodies: list[Any], query: Query, shown: str) -> Fact[Any]:
    if len(bodies) != 1 or not isinstance(bodies[0], dict):
        raise Unusable(f"{shown} is not one object")
    body = bodies[0]
    if query == CREDENTIAL:
        # The operator records only four fields of it, in 2020 with capital letters.
        body = {key[:1].lower() + key[1:] if key != "APIVersion" else "apiVersion": v for key, v in body.items()}
        if "metadata" not in body and body.get("name") not in {None, query.name}:
            raise Unusable(f"{shown} is about another object")
    return Known(completed(body, query, shown, needs_name=False))

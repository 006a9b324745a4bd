"""Where grants must hold: what a request's identity must reach on a cluster beside the installation's own scope."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias, cast

from upgrade_gate.base import plugins

Place: TypeAlias = Literal["network", "zone", "bucket"]
"""The resource group of a network that was there before the cluster, those of the DNS zones, or a bucket alone."""


class Scopes(Protocol):
    """What a cloud's `scopes` knows."""

    def places(self, request: str) -> tuple[Place, ...]:
        """Return the further places that the grants of a request must cover (docs/facts/azure.md#scopes)."""
        ...


def places_of(kind: str, request: str) -> tuple[Place, ...]:
    """Return the further places of a request of a providerSpec kind; none where its cloud has no scopes."""
    cloud = cast("Scopes | None", plugins.for_kind("scopes", kind))
    return cloud.places(request) if cloud is not None else ()

"""AWS: what the component of a request works with, beside what every request is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.scopes import Place

_REGISTRY = "openshift-image-registry"
"""The request of the image registry: its operator and its pods use one bucket, and no other (`pkg/storage/s3`)."""


def places(request: str) -> tuple[Place, ...]:
    """Return where the grants of a request are used."""
    return ("bucket",) if request == _REGISTRY else ()

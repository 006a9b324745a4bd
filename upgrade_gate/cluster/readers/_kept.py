"""What is kept of an object that was read, the same from every source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.base.facts import Fact, Known
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.cluster.readers._secrets import reduce_secret

if TYPE_CHECKING:
    from upgrade_gate.cluster.model import Query


def kept(body: dict[str, Any], query: Query, *, read_secrets: bool) -> Fact[Any]:
    """Return an object without its managedFields, of a Secret the record alone."""
    if query.kind == "Secret":
        return reduce_secret(body, SecretRef(query.namespace or "", query.name or ""), read_values=read_secrets)
    return Known(without_managed_fields(body))


def without_managed_fields(body: dict[str, Any]) -> dict[str, Any]:
    """Return an object without the record of who set which field: the longest part, and no fact."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        return body
    return {**body, "metadata": {key: value for key, value in metadata.items() if key != "managedFields"}}

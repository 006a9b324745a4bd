"""Lists of names in a provider spec: how they become grants without fields of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.clouds.shared.statements import list_of, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from upgrade_gate.clouds.contract.grants import GrantType

__all__ = ["fold", "named"]


def named(provider_spec: Mapping[str, Any], field: str, kind: GrantType) -> list[Grant]:
    """Return one grant per name in a list field; raises ValueError naming the field where it is no list of names."""
    names = list_of(provider_spec, field, "spec.providerSpec")
    return [Grant(kind, text_of(name, f"spec.providerSpec.{field}[{n}]")) for n, name in enumerate(names)]


def fold(grants: Iterable[Grant], identity: Callable[[Grant], Hashable]) -> tuple[Grant, ...]:
    """Return the grants without those that equal an earlier one, sorted by their canonical JSON."""
    once: dict[Hashable, Grant] = {}
    for grant in grants:
        once.setdefault(identity(grant), grant)
    return tuple(sorted(once.values(), key=lambda g: g.canonical))

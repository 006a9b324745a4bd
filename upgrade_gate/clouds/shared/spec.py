"""Provider specs: fields read with care, and lists of names that become grants without fields of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.grants import Grant
from upgrade_gate.reading.node import Malformed, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from upgrade_gate.clouds.contract.grants import GrantType


class _Field(Part, frozen=True):
    """A field of a provider spec: its path alone says where it is, and a wrong type is called by its name."""

    @property
    def where(self) -> str:
        """The path."""
        return self.path

    @property
    def kind(self) -> str:
        """The type's name."""
        return type(self.value).__name__

    def lacking(self, wanted: str) -> Malformed:
        """Return the error for null, which is a wrong type too."""
        return self.wrong(wanted)


def read(provider_spec: Mapping[str, Any]) -> Part:
    """Return a provider spec as a part; what is wrong in it raises ValueError naming the field."""
    return _Field(provider_spec, "", "spec.providerSpec")


def named(spec: Part, field: str, kind: GrantType) -> list[Grant]:
    """Return one grant per name in a list field."""
    return [Grant(kind, name) for name in spec[field].texts()]


def fold(grants: Iterable[Grant], identity: Callable[[Grant], Hashable]) -> tuple[Grant, ...]:
    """Return the grants without those that equal an earlier one, sorted by their canonical JSON."""
    once: dict[Hashable, Grant] = {}
    for grant in grants:
        once.setdefault(identity(grant), grant)
    return tuple(sorted(once.values(), key=lambda g: g.canonical))

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


def read(provider_spec: Mapping[str, Any], lists: Iterable[str] = ()) -> Part:
    """Return a provider spec as a part; what is wrong in it raises ValueError naming the field.

    `lists` are the fields that say what is asked for: one of them stands in every request of a cloud that lists
    permissions. A spec without any, or with null in place of one, was cut off or misspelt; it does not ask for nothing.
    """
    spec = _Field(provider_spec, "", "spec.providerSpec")
    names = tuple(lists)
    stated = [name for name in names if name in provider_spec]
    if names and not stated:
        raise Malformed(f"{spec.path} lists nothing: {' and '.join(names)} {'are' if names[1:] else 'is'} missing")
    for name in stated:
        spec[name].required("a list")
    return spec


def some(part: Part) -> tuple[Part, ...]:
    """Return the entries of a list; one that is missing or empty is malformed: what says nothing was cut off."""
    found = part.required("a list").items()
    if not found:
        raise Malformed(f"{part.where} is empty")
    return found


def named(spec: Part, field: str, kind: GrantType) -> list[Grant]:
    """Return one grant per name in a list field."""
    return [Grant(kind, name) for name in spec[field].texts()]


def fold(grants: Iterable[Grant], identity: Callable[[Grant], Hashable]) -> tuple[Grant, ...]:
    """Return the grants without those that equal an earlier one, sorted by their canonical JSON."""
    once: dict[Hashable, Grant] = {}
    for grant in grants:
        once.setdefault(identity(grant), grant)
    return tuple(sorted(once.values(), key=lambda g: g.canonical))

"""Azure role definitions: exported ones first, else the few built-in ones whose definition is published and fixed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from msgspec import Struct

from upgrade_gate.clouds.azure import grants
from upgrade_gate.clouds.azure.shapes import Definition, Permissions
from upgrade_gate.clouds.shared.patterns import Patterns

_NOTHING = Patterns(())
_SIMPLE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": ("Owner", ("*",)),
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": ("Reader", ("*/read",)),
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": (
        "User Access Administrator",
        ("*/read", "microsoft.authorization/*", "microsoft.support/*"),
    ),
}
"""Built-in roles without exceptions and data actions, from Azure's list of built-in roles; IDs never change."""
_UNREADABLE = "the definition of role {} cannot be read as a whole"


class Role(Struct, frozen=True):
    """What a role ID stands for."""

    id: str
    name: str
    permissions: tuple[Permissions, ...] = ()
    """What of its definition is known."""
    why: str = ""
    """Why that is not the whole of it, empty where it is."""
    dated: str = ""
    """Date of our own table, empty for an exported definition."""

    @property
    def whole(self) -> bool:
        """Whether everything that it allows is known."""
        return not self.why


@cache
def _built_in() -> Mapping[str, Role]:
    known = {
        guid: Role(guid, name, (Permissions(Patterns(actions), _NOTHING),)) for guid, (name, actions) in _SIMPLE.items()
    }
    for role in grants.built_in_roles().values():
        known[role.id] = Role(role.id, role.name, (Permissions(role.actions, role.data_actions),), dated=role.dated)
    return known


class Roles:
    """Looks roles up by ID first, since names can be changed."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        self._exported: dict[str, Definition] = {}
        self._conflicting: set[str] = set()
        for one in definitions:
            before = self._exported.setdefault(one.id, one)
            if _content(before) != _content(one):
                self._conflicting.add(one.id)

    def by_id(self, guid: str, name: str = "") -> Role:
        """Return the role of an ID; a name alone tells what an assignment gives only where the export defines it.

        Names can be changed, but no two roles of a tenant have the same.
        """
        guid = guid or self._only_one_named(name)
        if not guid:
            why = f"an assignment of role {name or 'without a name'} does not say the role's ID"
            return Role("", name, why=why)
        if guid in self._conflicting:
            spelt = self._exported[guid].name
            return Role(guid, spelt, why=f"the export holds two different definitions of role {spelt}")
        exported = self._exported.get(guid)
        if exported is not None:
            why = "" if all(p.whole for p in exported.permissions) else _UNREADABLE.format(exported.name)
            return Role(guid, exported.name, exported.permissions, why)
        known = _built_in().get(guid)
        if known is not None:
            return known
        spelt = name or guid
        return Role(guid, spelt, why=f"the definition of role {spelt} is not in the export (az role definition list)")

    def _only_one_named(self, name: str) -> str:
        folded = name.strip().casefold()
        found = [guid for guid, one in self._exported.items() if folded and one.name.casefold() == folded]
        return found[0] if len(found) == 1 else ""

    def by_name(self, name: str) -> Role:
        """Return the role of a display name or of an ID; one without an ID where export and table do not tell which."""
        folded = name.strip().casefold()
        tail = folded.rpartition("/")[2]
        if tail in _built_in() or tail in self._exported:
            return self.by_id(tail)
        found = [guid for guid, role in _built_in().items() if role.name.casefold() == folded]
        found = found or [guid for guid, one in self._exported.items() if one.name.casefold() == folded]
        if len(found) == 1:
            return self.by_id(found[0])
        several = f"the export holds {len(found)} roles named {name}"
        return Role("", name, why=several if found else f"the definition of role {name} is not in the export")


def _content(one: Definition) -> frozenset[object]:
    """Return what a definition allows, whatever the order in which a tool prints it."""
    return frozenset(
        (*(frozenset(plane) for part in (p.control, p.data) for plane in (part.allows, part.excepts)), p.condition)
        for p in one.permissions
    )

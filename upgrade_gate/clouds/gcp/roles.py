"""What GCP roles contain: the exported role first, else the dated table of what payloads ask for.

Google changes predefined roles over time, so an exported definition wins. The table knows, of each role that payloads
name, only the permissions that payloads ask for: it decides those, both ways, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto

from msgspec import Struct

from upgrade_gate.clouds.gcp import grants
from upgrade_gate.clouds.gcp.shapes import RoleDocument

WORKLOAD_IDENTITY_USER = "roles/iam.workloadIdentityUser"
ON_ACCOUNTS = ("roles/iam.serviceAccount", WORKLOAD_IDENTITY_USER)
"""Beginnings of roles on service accounts."""


class Has(Enum):
    """Whether something holds a permission."""

    YES = auto()
    NO = auto()
    UNKNOWN = auto()


class Contents(Struct, frozen=True):
    """What is known of the permissions of one role."""

    permissions: frozenset[str]
    asked: frozenset[str] | None
    """None: `permissions` is all of them. Else only these names are decided, `permissions` being those it has."""
    dated: str = ""
    why: str = ""
    """What is missing to know more, or why the role grants nothing."""
    works: bool | None = True
    """False: disabled or deleted, so that binding it grants nothing. None: the export says both."""

    def has(self, permission: str) -> Has:
        """Return whether the role contains a permission."""
        if permission in self.permissions:
            return Has.YES
        decided = self.asked is None or permission in self.asked
        return Has.NO if decided else Has.UNKNOWN


class RoleBook:
    """Looks up roles by their full name."""

    def __init__(self, documents: Iterable[RoleDocument]) -> None:
        self._exported: dict[str, list[RoleDocument]] = {}
        for one in documents:
            self._exported.setdefault(one.name, []).append(one)

    def document(self, name: str) -> RoleDocument | None:
        """Return the exported role with its permissions, None where no document lists them."""
        return next((d for d in self._exported.get(name, []) if d.permissions is not None), None)

    def contents(self, name: str) -> Contents:
        """Return what is known of a role; a disabled or deleted one grants nothing."""
        found = self._exported.get(name, [])
        dead = {d.dead for d in found}
        full = {d.permissions for d in found if d.permissions is not None}
        disputed = len(dead) > 1 and "" in dead
        if len(full) > 1 or disputed:
            why = f"the export holds two different definitions of role {name}"
            return Contents(frozenset(), frozenset(), why=why, works=None if disputed else not dead - {""})
        if dead - {""}:
            return Contents(frozenset(), None, why=f"role {name} is {max(dead)}: it grants nothing", works=False)
        if not all(d.whole for d in found):
            read = full.pop()
            return Contents(read, read, why=f"the permissions of role {name} cannot be read as a whole")
        if full:
            return Contents(full.pop(), None)
        table = grants.role_table()
        known = table.roles.get(name)
        if known is not None:
            why = f"the table of {table.date} does not decide it (gcloud iam roles describe {name})"
            return Contents(known.contains, table.asked, table.date, why)
        seen = "was listed without its permissions" if found else "is not in the export"
        return Contents(frozenset(), frozenset(), why=f"role {name} {seen} (gcloud iam roles describe)")

"""Sets of permissions that a vendor publishes, known by a digest of their content.

The tables (`make tables`) hold digests and names, not the policies: equal content is all that is asked of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from upgrade_gate.base import tables
from upgrade_gate.clouds.contract.grants import canonical
from upgrade_gate.clouds.contract.holdings import VendorSet

FILE = "vendor_sets.json"


class VendorTable(Struct, frozen=True):
    """The dated table of one cloud."""

    date: str
    sets: Mapping[str, tuple[tuple[str, str], ...]]
    """By digest: whose it is with its releases, and its name there."""

    def known(self, policy: str, content: object, lacks: tuple[str, ...] = ()) -> tuple[VendorSet, ...]:
        """Return the sets that have this content."""
        return tuple(
            VendorSet(policy, whose, name, self.date, lacks) for whose, name in self.sets.get(digest(content), ())
        )


def digest(content: object) -> str:
    """Return the digest of a normalised content of JSON types."""
    return hashlib.sha256(canonical(content).encode()).hexdigest()[:32]


@cache
def vendor_table(package: str) -> VendorTable:
    """Return the table of a cloud's package."""
    read = tables.read(package, FILE)
    sets = {key: tuple((whose, name) for whose, name in entries) for key, entries in read["sets"].items()}
    return VendorTable(read["date"], sets)

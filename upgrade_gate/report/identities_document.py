"""The part of the document that says where the proof comes from (docs/contract.md#reports)."""

from __future__ import annotations

import msgspec


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every part of the document."""


class ExportView(_Struct, frozen=True):
    """One file of an export of identities."""

    file: str
    """Its name."""
    sha256: str
    """Hash of its content."""


class VendorSetView(_Struct, frozen=True):
    """A policy of an identity that has the content of one that a vendor publishes."""

    identity: str
    """As the cloud spells it."""
    policy: str
    """Of the identity, by name."""
    published: str
    """Whose it is and of which releases."""
    name: str
    """What the vendor calls it."""
    dated: str
    """Day of the table that knows it."""
    lacks: list[str]
    """What the target asks of the identity and nothing in this policy gives."""


class IdentitiesView(_Struct, frozen=True):
    """Where the proof comes from."""

    source: str
    """What was given."""
    account: str | None
    """Account, subscription or project that it belongs to."""
    collected: str | None
    """When it was made, where that is known."""
    files: list[ExportView]
    """Every file that was read."""
    caveats: list[str] = []
    """What no source of this kind can show, of everything that counts as held; also where no finding names it."""
    vendor_sets: list[VendorSetView] = []
    """Policies that a vendor publishes, recognised by their content."""

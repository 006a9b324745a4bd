"""What must stay for a rollback, in the report of a pass."""

from __future__ import annotations

import msgspec

from upgrade_gate.report.grant_document import GrantView


class KeptView(msgspec.Struct, frozen=True, kw_only=True):
    """What a CredentialsRequest of an earlier release needs that the target does not."""

    request: str
    """`namespace/name`, in that release."""
    component: str
    """The component as people call it."""
    secret: str | None
    """`namespace/name` of its Secret."""
    asked_by: str
    """The version of that release."""
    whole: bool
    """Whether nothing of the target reads the Secret: then it is kept with all that its identity holds."""
    deleted_by_cco: bool
    """Whether CCO deletes the Secret with the update: a rollback needs it made again."""
    grants: list[GrantView]
    """Permissions to keep where the Secret is still read."""
    service_accounts: list[str]
    """Service accounts to keep in the trust, where it is still read."""


class RollbackView(msgspec.Struct, frozen=True, kw_only=True):
    """What must stay for a rollback."""

    version: str
    """The version before the update; on a path before its last update."""
    until: str
    """Until when it must stay, in one sentence."""
    kept: list[KeptView]
    """Empty where a rollback needs nothing that the target does not ask for."""

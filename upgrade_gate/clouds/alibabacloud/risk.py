"""Alibaba Cloud: which actions a reviewer should look at twice, and what an action lets its holder do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.shared.risk import StatementTable, access_by_verb, entries

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.risk import Access

TABLE = StatementTable(
    entries=(
        *entries(
            "ESCALATE",
            "can give itself other rights",
            "Alibaba Cloud RAM documentation",
            "ram:PassRole",
            "ram:AttachPolicyTo*",
            "ram:CreatePolicyVersion",
            "ram:CreateAccessKey",
        ),
        *entries("IMPERSONATE", "takes on other roles", "Alibaba Cloud RAM documentation", "sts:AssumeRole"),
        *entries("DATA", "reads stored data", "Alibaba Cloud OSS documentation", "oss:GetObject"),
    ),
    destroys=("delete*", "release*"),
)

risks = TABLE.risks
completes = TABLE.completes


def access(grant: Grant) -> Access | None:
    """Return the action's level by its verb; a Deny has none."""
    return access_by_verb(grant.permission) if grant.allows else None

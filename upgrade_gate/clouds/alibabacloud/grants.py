"""Alibaba Cloud requests: statement entries without conditions, one `credentials` key.

Source: cloud-credential-operator release-4.16 `pkg/apis/cloudcredential/v1/types_alibabacloud.go` (removed in 4.17;
payloads carry such requests up to 4.18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.shared import statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Cover, Grant

HAS_PERMISSIONS = True
FIELDS: Mapping[str, frozenset[str] | None] = {"statementEntries": frozenset({"effect", "action", "resource"})}
HARMLESS: frozenset[str] = frozenset()


identity = statements.statement_identity
permission_key = statements.statement_key


def read_grants(kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return one grant per effect, action and resource; raises ValueError naming a malformed field."""
    del kind
    return statements.read_statements(provider_spec, conditions=False)


def covering(held: Sequence[Grant], needed: Grant) -> Cover | None:
    """Return the held actions that contain the needed one, by pattern and resource."""
    return statements.covering_statement(held, needed, {}, "")

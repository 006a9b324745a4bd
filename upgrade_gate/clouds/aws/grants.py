"""AWS requests: statement entries, their patterns and conditions.

Sources: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_aws.go`; the IAM user guide's policy grammar; the
service authorization reference for the one wildcard that payloads require.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.shared import statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Cover, Grant

HAS_PERMISSIONS = True
FIELDS: Mapping[str, frozenset[str] | None] = {
    "statementEntries": frozenset({"effect", "action", "resource", "policyCondition"})
}
HARMLESS: frozenset[str] = frozenset()

EXPANSIONS: Mapping[str, tuple[str, ...]] = {"kms:reencrypt*": ("kms:ReEncryptFrom", "kms:ReEncryptTo")}
"""What the required wildcards stand for today (key folded)."""
EXPANSIONS_DATED = "2026-10-27"


identity = statements.statement_identity
permission_key = statements.statement_key


def read_grants(kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return one grant per effect, action, resource and condition; raises ValueError naming a malformed field."""
    del kind
    return statements.read_statements(provider_spec, conditions=True)


def covering(held: Sequence[Grant], needed: Grant) -> Cover | None:
    """Return the held actions that contain the needed one, by pattern, resource and condition."""
    return statements.covering_statement(held, needed, EXPANSIONS, EXPANSIONS_DATED)

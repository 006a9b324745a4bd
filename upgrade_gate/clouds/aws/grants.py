"""AWS requests: statement entries, their patterns and conditions, the keys of the Secret, and risk classes.

Sources: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_aws.go`, `pkg/aws/actuator`; the IAM user guide's
policy grammar; the service authorization reference for the one wildcard that payloads require.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.shared import statements

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Cover, Grant

HAS_PERMISSIONS = True
FIELDS: Mapping[str, frozenset[str] | None] = {
    "statementEntries": frozenset({"effect", "action", "resource", "policyCondition"})
}
HARMLESS: frozenset[str] = frozenset()

EXPANSIONS: Mapping[str, tuple[str, ...]] = {"kms:reencrypt*": ("kms:ReEncryptFrom", "kms:ReEncryptTo")}
"""What the required wildcards stand for today (key folded)."""
EXPANSIONS_DATED = "2026-10-27"


def read_grants(kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return one grant per effect, action, resource and condition; raises ValueError naming a malformed field."""
    del kind
    return statements.read_statements(provider_spec, conditions=True)


def identity(grant: Grant) -> Hashable:
    """Return action without case, effect, resource, condition with JSON booleans as their strings."""
    return statements.statement_identity(grant)


def permission_key(grant: Grant) -> Hashable:
    """Return effect and action: the same action with another resource or condition is the same permission."""
    return statements.statement_key(grant)


def covering(held: Sequence[Grant], needed: Grant) -> Cover | None:
    """Return the held actions that contain the needed one, by pattern, resource and condition."""
    return statements.covering_statement(held, needed, EXPANSIONS, EXPANSIONS_DATED)

"""AWS requests: statement entries, their patterns and conditions, the keys of the Secret, and risk classes.

Sources: cloud-credential-operator `pkg/apis/cloudcredential/v1/types_aws.go`, `pkg/aws/actuator`; the IAM user guide's
policy grammar; the service authorization reference for the one wildcard that payloads require.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.shared import access as _access
from upgrade_gate.clouds.shared import risk, statements

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Access, Cover, Grant, Risk

KINDS = frozenset({"AWSProviderSpec"})
HAS_PERMISSIONS = True
FIELDS: Mapping[str, frozenset[str] | None] = {
    "statementEntries": frozenset({"effect", "action", "resource", "policyCondition"})
}
HARMLESS: frozenset[str] = frozenset()

EXPANSIONS: Mapping[str, tuple[str, ...]] = {"kms:reencrypt*": ("kms:ReEncryptFrom", "kms:ReEncryptTo")}
"""What the required wildcards stand for today (key folded)."""
EXPANSIONS_DATED = "2026-10-27"

_CREDENTIALS = "credentials"
_KEY_FIELDS = ("aws_access_key_id", "aws_secret_access_key")


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


def missing_keys(keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return the missing keys: `credentials` in token form, else `credentials` or both key fields.

    Components read `credentials` from 4.6 on; before, only the two fields count.
    """
    if token:
        return () if _CREDENTIALS in keys else (_CREDENTIALS,)
    if _CREDENTIALS in keys and release >= (4, 6):
        return ()
    return tuple(k for k in _KEY_FIELDS if k not in keys)


def secret_keys(*, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return the keys of a Secret: the INI file in token form, else both fields, and the file as well from 4.6."""
    if token:
        return (_CREDENTIALS,)
    return (*_KEY_FIELDS, _CREDENTIALS) if release >= (4, 6) else _KEY_FIELDS


def conflicting_keys(keys: frozenset[str]) -> tuple[str, ...]:
    """Return keys that must not stand together: none by their names alone."""
    del keys
    return ()


def risks(grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
    """Return the risk classes of an allowed action; a Deny has none."""
    if grant.effect not in (None, "Allow"):
        return ()
    names = [g.permission for g in held if g.effect in (None, "Allow")]
    return risk.classify("AWS", grant.permission, names)


def completes(grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
    """Return the allowed actions that make a known pair with this one."""
    if grant.effect not in (None, "Allow"):
        return ()
    return risk.partners("AWS", grant.permission, [g.permission for g in held if g.effect in (None, "Allow")])


def access(grant: Grant) -> Access | None:
    """Return the action's access level; a Deny has none."""
    return _access.of_statement(grant.permission, catalogue=True) if grant.effect in (None, "Allow") else None

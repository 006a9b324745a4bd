"""Alibaba Cloud requests: statement entries without conditions, one `credentials` key.

Source: cloud-credential-operator release-4.16 `pkg/apis/cloudcredential/v1/types_alibabacloud.go` (removed in 4.17;
payloads carry such requests up to 4.18).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.shared import access as _access
from upgrade_gate.clouds.shared import risk, statements

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Access, Cover, Grant, Risk

KINDS = frozenset({"AlibabaCloudProviderSpec"})
HAS_PERMISSIONS = True
FIELDS: Mapping[str, frozenset[str] | None] = {"statementEntries": frozenset({"effect", "action", "resource"})}
HARMLESS: frozenset[str] = frozenset()


def read_grants(kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
    """Return one grant per effect, action and resource; raises ValueError naming a malformed field."""
    del kind
    return statements.read_statements(provider_spec, conditions=False)


def identity(grant: Grant) -> Hashable:
    """Return action without case, effect and resource."""
    return statements.statement_identity(grant)


def permission_key(grant: Grant) -> Hashable:
    """Return effect and action: the same action with another resource is the same permission."""
    return statements.statement_key(grant)


def covering(held: Sequence[Grant], needed: Grant) -> Cover | None:
    """Return the held actions that contain the needed one, by pattern and resource."""
    return statements.covering_statement(held, needed, {}, "")


def missing_keys(keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return `credentials` where it is missing."""
    return tuple(k for k in secret_keys(token=token, release=release) if k not in keys)


def secret_keys(*, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return the one key, an INI file with the access key."""
    del token, release
    return ("credentials",)


def conflicting_keys(keys: frozenset[str]) -> tuple[str, ...]:
    """Return keys that must not stand together: none."""
    del keys
    return ()


def risks(grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
    """Return the risk classes of an allowed action; a Deny has none."""
    if grant.effect not in (None, "Allow"):
        return ()
    return risk.classify("AlibabaCloud", grant.permission, [g.permission for g in held])


def completes(grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
    """Return the allowed actions that make a known pair with this one."""
    if grant.effect not in (None, "Allow"):
        return ()
    return risk.partners("AlibabaCloud", grant.permission, [g.permission for g in held if g.effect in (None, "Allow")])


def access(grant: Grant) -> Access | None:
    """Return the action's access level; a Deny has none."""
    return _access.of_statement(grant.permission, catalogue=False) if grant.effect in (None, "Allow") else None

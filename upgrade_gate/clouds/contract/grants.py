"""Grants: one thing that an identity must be allowed, and what a cloud must be able to say about grants."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

from msgspec import Struct

from upgrade_gate.base import plugins

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

GrantType: TypeAlias = Literal[
    "action", "permission", "dataPermission", "roleBinding", "predefinedRole", "role", "privilege"
]


canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
"""Returns compact, key-sorted JSON: one text for equal values."""


def scope_text(scope: Any) -> str:
    """Return a scope in words: IBM's attributes as `resourceGroupId=…, serviceName=is`, Azure's as it is."""
    match scope:
        case {"attributes": [*attributes]} if all(
            isinstance(a, dict) and {"name", "value"} <= a.keys() for a in attributes
        ):
            return ", ".join(f"{a['name']}={a['value']}" for a in attributes)
        case str():
            return scope
        case _:
            return canonical(scope)


class Grant(Struct, frozen=True, dict=True):
    """One thing that an identity must be allowed; six fields that also make its fingerprint.

    See docs/contract.md#grants.
    """

    type: GrantType
    permission: str
    """Spelling as in the manifest."""
    effect: str | None = None
    """`Allow` or `Deny` on AWS and Alibaba, None elsewhere."""
    resource: str | None = None
    condition: Any = None
    """AWS policyCondition with JSON booleans as in the manifest, else None."""
    scope: Any = None
    """IBM: `{"attributes": [{"name": …, "value": …}]}` sorted by name; Azure role bindings that have one; else None."""

    def __hash__(self) -> int:
        # conditions and scopes are mappings, which have no hash
        return hash((self.type, self.permission, self.effect, self.resource))

    @property
    def allows(self) -> bool:
        """Whether it gives something; without an effect it does."""
        return self.effect in (None, "Allow")

    def as_dict(self) -> dict[str, Any]:
        """Return the six fields in their public order."""
        return {
            "type": self.type,
            "permission": self.permission,
            "effect": self.effect,
            "resource": self.resource,
            "condition": self.condition,
            "scope": self.scope,
        }

    @cached_property
    def canonical(self) -> str:
        """Canonical JSON of the six fields; sorts and compares grants as they are spelt."""
        return canonical(self.as_dict())

    @cached_property
    def canonical_scope(self) -> str:
        """Canonical JSON of the scope alone, by which clouds compare grants again and again."""
        return canonical(self.scope)


class Cover(Struct, frozen=True):
    """What already contains a grant."""

    by: str
    """In words for the report: `Contributor`, `roles/compute.admin`, `ec2:*`."""
    dated: str | None = None
    """Date of the table that this rests on, None where it rests on no table."""


class Cloud(Protocol):
    """What a cloud's `grants` knows. Every function is pure."""

    HAS_PERMISSIONS: bool
    """Whether requests list permissions at all; False: the Secret itself is the requirement."""
    FIELDS: Mapping[str, frozenset[str] | None]
    """Provider spec fields that `read_grants` accounts for: None for the whole field, else the keys of its items.

    Whatever else differs between two releases is an unclassified change (docs/contract.md#grants).
    """
    HARMLESS: frozenset[str]
    """Provider spec fields whose change is known to ask for nothing, such as `skipServiceCheck`."""

    def read_grants(self, kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
        """Return the grants of a request, each once (case-only duplicates fold), sorted by canonical JSON.

        Raises ValueError, naming the field, where the shape is not understood.
        """
        ...

    def identity(self, grant: Grant) -> Hashable:
        """Return what makes two grants the same: no textual difference after normalisation.

        See docs/contract.md#grants.
        """
        ...

    def permission_key(self, grant: Grant) -> Hashable:
        """Return what makes two grants the same permission, whatever their resource, condition or scope."""
        ...

    def covering(self, held: Sequence[Grant], needed: Grant) -> Cover | None:
        """Return what in `held` already contains `needed`, None when nothing provably does."""
        ...


def cloud_of(kind: str) -> Cloud | None:
    """Return the cloud whose requests have this providerSpec kind, None for an unmodelled kind."""
    return cast("Cloud | None", plugins.for_kind("grants", kind))

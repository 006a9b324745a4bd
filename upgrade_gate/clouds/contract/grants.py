"""Grants: one thing that an identity must be allowed, and what a cloud must be able to say about grants.

Each cloud is a plugin in `clouds/` that fulfils `Cloud`. Nothing here knows a cloud's rules.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

from msgspec import Struct

from upgrade_gate.base import plugins

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

__all__ = ["Access", "Cloud", "Cover", "Grant", "GrantType", "Rating", "Risk", "canonical", "cloud_of", "rate"]

GrantType: TypeAlias = Literal[
    "action", "permission", "dataPermission", "roleBinding", "predefinedRole", "role", "privilege"
]
Risk: TypeAlias = Literal["ESCALATE", "IMPERSONATE", "DATA", "DESTROY", "COST", "NETWORK-EXPOSE", "BREADTH"]
Access: TypeAlias = Literal["list", "read", "tagging", "write", "permissions-management"]
"""What a permission lets its holder do, weakest first."""


def canonical(value: Any) -> str:
    """Return compact, key-sorted JSON: one text for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class Grant(Struct, frozen=True):
    """One thing that an identity must be allowed; six fields that also make its fingerprint (design section 5)."""

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

    @property
    def canonical(self) -> str:
        """Canonical JSON of the six fields; sorts and compares grants as they are spelt."""
        return canonical(self.as_dict())


class Cover(Struct, frozen=True):
    """What already contains a grant."""

    by: str
    """In words for the report: `Contributor`, `roles/compute.admin`, `ec2:*`."""
    dated: str | None = None
    """Date of the table that this rests on, None where it rests on no table."""


class Rating(Struct, frozen=True):
    """How closely a reviewer should look at a grant; it decides nothing."""

    risk: tuple[Risk, ...] = ()
    access: Access | None = None
    completes: tuple[str, ...] = ()
    """What stands beside it and makes, with it, a known pair."""


class Cloud(Protocol):
    """What a plugin in `clouds/` knows. Every function is pure.

    A plugin is the cloud itself, or has `CLOUDS`, a tuple of them.
    """

    KINDS: frozenset[str]
    """providerSpec kinds that this cloud answers to."""
    HAS_PERMISSIONS: bool
    """Whether requests list permissions at all; False: the Secret itself is the requirement."""
    FIELDS: Mapping[str, frozenset[str] | None]
    """Provider spec fields that `read_grants` accounts for: None for the whole field, else the keys of its items.

    Whatever else differs between two releases is an unclassified change (design section 5).
    """
    HARMLESS: frozenset[str]
    """Provider spec fields whose change is known to ask for nothing, such as `skipServiceCheck`."""

    def read_grants(self, kind: str, provider_spec: Mapping[str, Any]) -> tuple[Grant, ...]:
        """Return the grants of a request, each once (case-only duplicates fold), sorted by canonical JSON.

        Raises ValueError, naming the field, where the shape is not understood.
        """
        ...

    def identity(self, grant: Grant) -> Hashable:
        """Return what makes two grants the same: no textual difference after normalisation (design section 5)."""
        ...

    def permission_key(self, grant: Grant) -> Hashable:
        """Return what makes two grants the same permission, whatever their resource, condition or scope."""
        ...

    def covering(self, held: Sequence[Grant], needed: Grant) -> Cover | None:
        """Return what in `held` already contains `needed`, None when nothing provably does."""
        ...

    def missing_keys(self, keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the Secret keys that are missing for this cloud (cco.md section 3), empty when all are there."""
        ...

    def secret_keys(self, *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
        """Return the key names that a Secret made by hand should have, in the order of cco.md section 3."""
        ...

    def conflicting_keys(self, keys: frozenset[str]) -> tuple[str, ...]:
        """Return Secret keys that must not stand together (cco.md section 7), empty when none do."""
        ...

    def risks(self, grant: Grant, held: Sequence[Grant] = ()) -> tuple[Risk, ...]:
        """Return the risk classes of a grant, a known pair that it completes with `held` included (iam.md 6)."""
        ...

    def completes(self, grant: Grant, held: Sequence[Grant]) -> tuple[str, ...]:
        """Return the permissions in `held` that make a known pair with a grant, sorted."""
        ...

    def access(self, grant: Grant) -> Access | None:
        """Return what a grant lets its holder do, None where nothing says (a whole role, a Deny)."""
        ...


@cache
def cloud_of(kind: str) -> Cloud | None:
    """Return the cloud whose requests have this providerSpec kind, None for an unmodelled kind."""
    for module in plugins.load_role("grants", kind):
        for cloud in cast("tuple[Cloud, ...]", getattr(module, "CLOUDS", (module,))):
            if kind in cloud.KINDS:
                return cloud
    return None


def rate(kind: str, grant: Grant, beside: Sequence[Grant] = ()) -> Rating:
    """Return how closely to look at a grant of a providerSpec kind; `beside` is what its identity has as well."""
    cloud = cloud_of(kind)
    if cloud is None:
        return Rating()
    others = [g for g in beside if g != grant]
    return Rating(cloud.risks(grant, others), cloud.access(grant), cloud.completes(grant, others))

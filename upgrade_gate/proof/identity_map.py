"""Which identity serves which Secret, and how that is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from upgrade_gate.clouds.contract.holdings import Resolves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.clouds.contract.holdings import Holdings, IdentitySource


class Identities(Struct, frozen=True):
    """Which identity serves which Secret (docs/contract.md#identities)."""

    by_secret: Mapping[str, str] = field(default_factory=dict)
    """`namespace/secret` to the identity: role or user ARN, client ID or `principal:ID`, email, `iam-ServiceId-…`."""
    default: str | None = None
    """Stands for all other Secrets."""
    account: str | None = None
    """The account, subscription or project that exports must belong to."""
    policies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """`namespace/secret`, or `default`, to the files that declare what its identity should be granted."""

    @property
    def policy_files(self) -> tuple[Path, ...]:
        """The files of `policies`, without the names of single policies in them."""
        return tuple(Path(text.partition("#")[0]) for texts in self.policies.values() for text in texts)

    def of(self, secret: str) -> str | None:
        """Return the identity of `namespace/secret`, None where the configuration does not say."""
        return self.by_secret.get(secret, self.default)


class Identity(Struct, frozen=True):
    """The identity that serves a Secret, and how that is known."""

    id: str
    source: IdentitySource
    mismatch: str | None = None
    """What the configuration says instead, where a readable Secret disagrees with it."""


def identify(
    held: Holdings | None,
    *,
    in_secret: str | None = None,
    configured: str | None = None,
    ccoctl: str | None = None,
) -> Identity | None:
    """Return the identity that serves a Secret, None where nothing says.

    `in_secret` is what the readable Secret names, `configured` what the configuration does (its `default` included),
    `ccoctl` the name that ccoctl would have given. The Secret wins; where the configuration names another identity,
    that is a mismatch.
    """
    if in_secret is not None:
        differs = configured is not None and _differ(held, in_secret, configured)
        return Identity(in_secret, "secret", configured if differs else None)
    if configured is not None:
        return Identity(configured, "configuration")
    found = held.find_by_ccoctl_name(ccoctl) if held is not None and ccoctl is not None else None
    return Identity(found, "ccoctl-name") if found is not None else None


def _differ(held: object, first: str, second: str) -> bool:
    """Return whether two spellings name two identities.

    Where the documents cannot join them, spellings of one form differ as they are spelt; an access key and an ARN,
    or a client and a principal, cannot be compared and so contradict nothing: the Secret's is judged all the same.
    """
    if first.casefold() == second.casefold():
        return False
    if isinstance(held, Resolves):
        one, other = held.resolve(first), held.resolve(second)
        if one is not None and other is not None:
            return one != other
    return _form(first) == _form(second)


def _form(identity: str) -> str:
    """Return the form of an identity's spelling (docs/contract.md#identities), without knowing what it stands for."""
    if identity.startswith(("AKIA", "ASIA")) and identity.isalnum():
        return "access key"
    prefix, colon, _ = identity.partition(":")
    return prefix if colon else "name"

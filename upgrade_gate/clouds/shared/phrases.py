"""The words that the remedies of every cloud share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.clouds.contract.remedy import Placeholder, sentence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import IdentityChange

__all__ = ["CCOCTL_NAME", "components", "later", "merged", "names", "newcomer", "permissions", "why"]

CCOCTL_NAME = Placeholder("CCOCTL_NAME", "the --name that ccoctl was run with", "[A-Za-z0-9-]+")
_MOST = 12


def components(work: IdentityChange) -> str:
    """Return the requests that an identity serves."""
    return sentence(sorted(set(work.components))) or "a component"


def names(grants: Sequence[Grant]) -> str:
    """Return the first permissions of a list and how many more there are."""
    listed = list(dict.fromkeys(g.permission for g in grants))
    more = f" and {len(listed) - _MOST} more" if len(listed) > _MOST else ""
    return ", ".join(listed[:_MOST]) + more


def newcomer(work: IdentityChange) -> str:
    """Return why an identity is to be made."""
    return f"{components(work)} asks for credentials of its own, and nothing names an identity for them."


def permissions(grants: Sequence[Grant]) -> str:
    """Return `1 permission`, `3 permissions`."""
    return "1 permission" if len(grants) == 1 else f"{len(grants)} permissions"


def why(work: IdentityChange) -> str:
    """Return why an identity needs what it lacks."""
    return f"Needed after the upgrade by {components(work)}: {names(work.delta)}. Nothing shows that it is held."


def later(work: IdentityChange) -> str:
    """Return why something may be taken away after the upgrade, and not before."""
    return f"Needed by {components(work)} until the upgrade is complete, and no longer then: {names(work.gone)}."


def merged(placeholders: Iterable[Placeholder], *more: Placeholder) -> tuple[Placeholder, ...]:
    """Return placeholders, each once."""
    return tuple(dict.fromkeys((*placeholders, *more)))

"""How the steps of every cloud read: titles, reasons and order are the same, commands and documents the cloud's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict, Unpack

from upgrade_gate.base.steps import Placeholder, Serves, Step
from upgrade_gate.base.text import sentence
from upgrade_gate.clouds.contract.grants import scope_text
from upgrade_gate.clouds.contract.holdings import Coverage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.base.steps import BundleFile, Command
    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.holdings import CoverageResult
    from upgrade_gate.clouds.contract.remedy import HeldNarrowly, IdentityChange

CCOCTL_NAME = Placeholder("CCOCTL_NAME", "the --name that ccoctl was run with", "[A-Za-z0-9-]+")
_MOST = 12


class _Own(TypedDict, total=False):
    """What of a step is the cloud's own; see `Step`."""

    commands: tuple[Command, ...]
    files: tuple[BundleFile, ...]
    notes: tuple[str, ...]
    unknown: tuple[Placeholder, ...]
    scripted: bool


def create(change: IdentityChange, title: str, **own: Unpack[_Own]) -> Step:
    """Return the step that makes an identity; a script can run it alone, since what it gives is needed later."""
    reason = f"{components(change)} asks for credentials of its own, and nothing names an identity for them."
    first = own.get("scripted", True)
    return Step(title, "before", reason, Serves.GRANTS, change.secret_names, first=first, **own)


def grant(change: IdentityChange, who: str = "", **own: Unpack[_Own]) -> Step:
    """Return the step that grants what is missing."""
    title = f"Grant {_permissions(change.delta)} to {who or change.who}"
    needed = f"Needed after the upgrade by {components(change)}: {_names(change.delta)}. Nothing shows that it is held."
    return Step(title, "before", needed, Serves.GRANTS, change.secret_names, **own)


def trust(change: IdentityChange, title: str, reason: str, **own: Unpack[_Own]) -> Step:
    """Return the step that lets service accounts act as the identity."""
    return Step(title, "before", reason, Serves.TRUST, change.secret_names, **own)


def in_vain(found: CoverageResult) -> tuple[str, ...]:
    """Return the note for subjects that may stay out although they are named, none where they get in."""
    if found.verdict is Coverage.COVERED:
        return ()
    return (f"This alone may not let them in: {found.reason}. A person has to change what stands in the way.",)


def decision(change: IdentityChange, who: str = "", *, loosened: BundleFile | None = None) -> list[Step]:
    """Return the step for what is held narrowly: a decision, and nothing that a script does.

    `loosened` is the cloud's document of it as the release asks for it.
    """
    if not change.narrower:
        return []
    grants = [one.grant for one in change.narrower]
    loosen = f"grant what {loosened} says" if loosened else "grant it as the release asks"
    step = Step(
        f"Decide whether the narrower form in which {who or change.who} holds {_permissions(grants)} is enough",
        "before",
        f"Needed by {components(change)} and held in a narrower form: {_names(grants)}. That looks deliberate, so "
        "nothing here widens it.",
        Serves.GRANTS,
        change.secret_names,
        files=(loosened,) if loosened else (),
        notes=(
            *_whys(change.narrower),
            "Where the narrower form serves this cluster, acknowledge the finding (upgrade-gate ack --report).",
            f"To widen it, {loosen}: that gives up the resources, conditions and scopes named here.",
        ),
        scripted=False,
    )
    return [step]


def _whys(listed: Sequence[HeldNarrowly]) -> list[str]:
    """Return each reason once, with the permissions that it is about."""
    found: dict[str, list[Grant]] = {}
    for one in listed:
        found.setdefault(one.how, []).append(one.grant)
    return [f"{_names(grants)}: {why}." for why, grants in found.items()]


def loosening(changes: Iterable[IdentityChange]) -> str:
    """Return what ccoctl would widen that somebody narrowed; empty where it would nothing."""
    found = sorted({one.grant.permission for change in changes for one in change.narrower})
    return f" That widens what is held in a narrower form: {listed(found)}." if found else ""


def take(change: IdentityChange, who: str = "", **own: Unpack[_Own]) -> Step:
    """Return the step that takes away what nothing needs once the upgrade is complete, and never before."""
    title = f"Take {_permissions(change.gone)} from {who or change.who}"
    until = (
        f"Needed by {components(change)} until the upgrade is complete, and then for a rollback alone: "
        f"{_names(change.gone)}. Keep it until a rollback is out of the question."
    )
    return clean_up(change, title, until, **own)


def clean_up(change: IdentityChange, title: str, reason: str, **own: Unpack[_Own]) -> Step:
    """Return a step after the upgrade."""
    return Step(title, "after", reason, Serves.CLEAN_UP, change.secret_names, **own)


def components(change: IdentityChange) -> str:
    """Return the requests that an identity serves."""
    return sentence(sorted(set(change.components))) or "a component"


def losing(changes: Iterable[IdentityChange]) -> str:
    """Return whom ccoctl would take from what the running release needs; empty where there is nobody."""
    labels = [change.label for change in changes]
    return f" Before the upgrade this takes from {sentence(labels)} what the running release needs." if labels else ""


def _names(grants: Sequence[Grant]) -> str:
    """Return the first permissions of a list and how many more there are."""
    return listed([_name(g) for g in grants])


def listed(names: Sequence[str]) -> str:
    """Return the first of these names and how many more there are, each once."""
    once = list(dict.fromkeys(names))
    more = f" and {len(once) - _MOST} more" if len(once) > _MOST else ""
    return ", ".join(once[:_MOST]) + more


def _name(grant: Grant) -> str:
    """Return a permission with what it is about, where one name stands for several: IBM's roles, Azure's scopes."""
    return grant.permission if grant.scope is None else f"{grant.permission} ({scope_text(grant.scope)})"


def _permissions(grants: Sequence[Grant]) -> str:
    return "1 permission" if len(grants) == 1 else f"{len(grants)} permissions"

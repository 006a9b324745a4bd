"""By what new grants came, in words: a line for each change of a manifest, with the grants that it brought."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.report import addresses, view

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.report.grant_document import GrantView, Introduction

_LISTED = 10
"""Grants that a line names."""


class Origin(Struct, frozen=True):
    """One change, and what it brought."""

    introduced: Introduction
    grants: tuple[str, ...]
    alone: bool
    """Whether everything that is asked for came by it, so that no grant need be named."""

    @property
    def said(self) -> str:
        """To which release it was added and when, with the grants where others came by another change."""
        was = f"{'each ' if len(self.grants) > 1 else ''}was {added(self.introduced)}"
        if self.alone:
            return was
        more = f" and {len(self.grants) - _LISTED} more" if len(self.grants) > _LISTED else ""
        return f"{', '.join(self.grants[:_LISTED])}{more}: {was}"


def added(introduced: Introduction) -> str:
    """Return to which release it was added, and when."""
    return f"added to {introduced.branch}{' after GA' if introduced.z_stream else ''} on {introduced.date}"


def address(introduced: Introduction) -> str | None:
    """Return where its pull request is read, None where it came without one."""
    number = introduced.pull_request
    return None if number is None else addresses.pull_request(introduced.repository, number)


def name(introduced: Introduction) -> str:
    """Return what a forge calls its pull request, the repository where it came without one."""
    number = introduced.pull_request
    return introduced.repository if number is None else f"{introduced.repository}#{number}"


def origins(grants: Iterable[GrantView]) -> tuple[Origin, ...]:
    """Return the changes by which grants came, those after general availability first, then by date."""
    asked = tuple(grants)
    groups: dict[tuple[object, ...], list[GrantView]] = {}
    for grant in sorted(asked, key=view.grant_order):
        if (known := grant.introduced) is not None:
            key = (not known.z_stream, known.date, known.repository, known.pull_request or 0, known.branch)
            groups.setdefault(key, []).append(grant)
    return tuple(_origin(groups[key], asked) for key in sorted(groups, key=str))


def _origin(group: Sequence[GrantView], asked: Sequence[GrantView]) -> Origin:
    introduced = group[0].introduced
    assert introduced is not None  # noqa: S101 - only such grants are grouped
    return Origin(introduced, tuple(view.grant_text(grant) for grant in group), alone=len(group) == len(asked))


def lines(grants: Iterable[GrantView]) -> tuple[str, ...]:
    """Return the changes by which grants came as plain text, each with an address that can be followed."""
    return tuple(
        f"{origin.said}: {', '.join((address(origin.introduced) or name(origin.introduced), *origin.introduced.bugs))}"
        for origin in origins(grants)
    )

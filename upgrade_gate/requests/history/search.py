"""Finding what somebody asks for: a permission or a request, by its whole name, and names that are near to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.requests.history.table import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.requests.history.table import RequestEvent, Row

WITHOUT_CASE = frozenset({"AWS", "Azure", "AlibabaCloud"})
"""Platforms whose clouds compare the names of permissions without case."""
_NEAR = 5
"""Names that are suggested at most."""
_TELLING = 3
"""Letters from which on a part of a name says something."""


class Found(Struct, frozen=True):
    """What the table has under a name."""

    rows: tuple[Row, ...]
    request_events: tuple[RequestEvent, ...]
    """Empty where the name is that of a permission."""

    @property
    def known(self) -> bool:
        """Whether it has anything."""
        return bool(self.rows or self.request_events)


class Near(Struct, frozen=True):
    """A name of the table that may be meant."""

    name: str
    platform: str | None


def same_permission(platform: str | None, one: str, other: str) -> bool:
    """Return whether two names are one permission on a platform."""
    return one == other or (platform in WITHOUT_CASE and one.casefold() == other.casefold())


def find(name: str, platform: str | None) -> Found:
    """Return what the table has of a permission, else of a request (with or without its namespace).

    A name is never a pattern: `ec2:Describe*` asks for a permission of that spelling.
    """
    known = table()
    rows = tuple(
        row
        for row in known.rows
        if platform in {None, known.platform_of(row.request)}
        and same_permission(known.platform_of(row.request), known.grants[row.grant].permission, name)
    )
    return Found(rows=rows, request_events=()) if rows else _request(name, platform)


def _request(name: str, platform: str | None) -> Found:
    """Return what the table has of a request; a kind that belongs to no platform counts with those of its name."""
    known = table()
    named = {place for place, one in enumerate(known.requests) if f"/{one.name}".endswith(f"/{name}")}
    if platform is not None and not any(known.platform_of(place) == platform for place in named):
        named = set()
    chosen = {place for place in named if platform in {None, known.platform_of(place)} or not known.platform_of(place)}
    names = {known.requests[place].name for place in chosen}
    return Found(
        rows=tuple(row for row in known.rows if row.request in chosen),
        request_events=tuple(
            event
            for event in known.request_events
            if event.request in chosen
            or (event.details.get("was") in names and platform in {None, known.platform_of(event.request)})
        ),
    )


def earlier(row: Row, date: str) -> list[str]:
    """Return the other requests of the platform that asked for the same permission before a day."""
    known = table()
    platform, own = known.platform_of(row.request), known.grants[row.grant]
    return sorted(
        {
            known.requests[other.request].name
            for other in known.rows
            if other.request != row.request
            and known.platform_of(other.request) == platform
            and same_permission(platform, known.grants[other.grant].permission, own.permission)
            and any(known.commits[place].date < date for place in other.added)
        }
    )


def wider(name: str, platform: str | None) -> tuple[Near, ...]:
    """Return the patterns of the table that contain a permission."""
    from upgrade_gate.clouds.shared.patterns import matches

    return tuple(
        near
        for near in _permissions()
        if "*" in near.name
        and platform in {None, near.platform}
        and matches(near.name.casefold(), name.casefold())
        and not same_permission(near.platform, near.name, name)
    )


def near(name: str, platform: str | None) -> tuple[Near, ...]:
    """Return names of the table that may be meant by one that it does not have, the likeliest first, at most five.

    First the same name elsewhere or in another case, then names that a pattern stands for, then names that contain
    it, then those that are spelt alike.
    """
    import difflib

    from upgrade_gate.clouds.shared.patterns import matches

    everywhere = [*_permissions(), *_requests()]
    here = [one for one in everywhere if platform in {None, one.platform}]
    typed = name.casefold()
    steps = [[one for one in [*here, *everywhere] if typed in _spellings(one)]]
    if "*" in typed:
        steps.append([one for one in here if matches(typed, one.name.casefold())])
    if len(typed) >= _TELLING:
        steps.append([one for one in here if typed in one.name.casefold()])
    for found in steps:
        if found:
            return tuple(dict.fromkeys(found))[:_NEAR]
    spelt: dict[str, list[Near]] = {}
    for one in here:
        for spelling in _spellings(one):
            spelt.setdefault(spelling, []).append(one)
    alike = difflib.get_close_matches(typed, spelt, _NEAR)
    return tuple(dict.fromkeys(one for spelling in alike for one in spelt[spelling]))[:_NEAR]


def names() -> Iterator[str]:
    """Yield every permission and every request, each once."""
    yield from dict.fromkeys(one.name for one in (*_permissions(), *_requests()))


def _spellings(one: Near) -> set[str]:
    return {one.name.casefold(), one.name.casefold().rpartition("/")[2]}


def _permissions() -> list[Near]:
    known = table()
    return sorted(
        dict.fromkeys(Near(known.grants[row.grant].permission, known.platform_of(row.request)) for row in known.rows),
        key=lambda one: one.name,
    )


def _requests() -> list[Near]:
    known = table()
    return [Near(one.name, known.platform_of(place)) for place, one in enumerate(known.requests)]

"""Find variants (sources, readers, rule groups, formats, commands, and what each cloud does) by the name of their file.

A plugin is one module in its package; there is no list to edit. Names that begin with an underscore are parts
of plugins, not plugins. A cloud is a folder of `clouds/` and says its `KINDS`; each of its files is named for the role
that it plays.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType


_NO_CLOUDS = frozenset({"contract", "shared"})
"""Folders of `clouds/` that are no cloud."""


@cache
def names(group: str) -> tuple[str, ...]:
    """Return the plugin names of a group (`payloads.sources`, `gate.rules`, …), sorted, importing none of them."""
    package = import_module(f"upgrade_gate.{group}")
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_")))


@cache
def load(group: str, name: str) -> ModuleType:
    """Import one plugin; raises KeyError if the group has none of that name."""
    if name not in names(group):
        raise KeyError(f"{group} has no plugin {name!r}")
    return import_module(f"upgrade_gate.{group}.{name}")


def load_all(group: str) -> tuple[ModuleType, ...]:
    """Import every plugin of a group, in the order of their names."""
    return tuple(load(group, name) for name in names(group))


def load_likely_first(group: str, word: str) -> Iterator[ModuleType]:
    """Import the plugins of a group one after the other, those first whose name begins like `word`, without case.

    Who stops at the right one has mostly loaded no other: `dir` finds `directory`.
    """
    for name in _likely_first(names(group), word):
        yield load(group, name)


@cache
def clouds(role: str) -> tuple[str, ...]:
    """Return the clouds that have a file for a role (`grants`, `holdings`, …), sorted, importing none of them."""
    return tuple(name for name in names("clouds") if name not in _NO_CLOUDS and role in names(f"clouds.{name}"))


def load_role(role: str) -> Iterator[ModuleType]:
    """Import every cloud's file for a role, one after the other."""
    for name in clouds(role):
        yield load(f"clouds.{name}", role)


@cache
def for_kind(role: str, kind: str) -> object | None:
    """Return what answers for a providerSpec kind in a role, None where no cloud has the kind or the role.

    That is the cloud's file for the role or, where it speaks for several clouds, what its `BY_KIND` holds. Who is named
    like the kind is looked at first: `AWSProviderSpec` finds `aws`, and no other cloud is imported.
    """
    name = cloud_of_kind(kind)
    if name is None or name not in clouds(role):
        return None
    module = load(f"clouds.{name}", role)
    parts: Mapping[str, object] = getattr(module, "BY_KIND", {})
    return parts.get(kind, module)


def cloud_of_kind(kind: str) -> str | None:
    """Return the name of the cloud that answers to a providerSpec kind, None where none does."""
    likely = _likely_first(clouds("grants"), kind)
    return next((name for name in likely if kind in load("clouds", name).KINDS), None)


def _likely_first(known: tuple[str, ...], word: str) -> Iterator[str]:
    low = word.casefold()
    likely = [name for name in known if word and (low.startswith(name) or name.startswith(low))]
    yield from dict.fromkeys((*likely, *known))

"""Find variants (sources, clouds, readers, rule groups, formats) by the name of their file.

A plugin is one module in its package; there is no list to edit. Names that begin with an underscore are parts
of plugins, not plugins.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


@cache
def names(group: str) -> tuple[str, ...]:
    """Return the plugin names of a group (`sources`, `clouds`, …), sorted, without importing any of them."""
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

    Who stops at the right one has mostly loaded no other: `dir` finds `directory`, `AWSProviderSpec` finds `aws`.
    """
    low = word.casefold()
    likely = [name for name in names(group) if low.startswith(name) or name.startswith(low)]
    for name in dict.fromkeys((*likely, *names(group))):
        yield load(group, name)

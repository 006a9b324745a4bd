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

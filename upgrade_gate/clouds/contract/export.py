"""What it takes to read a cloud's identities from outside: commands that export them, and the least access to do so."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from upgrade_gate.base import plugins
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.platforms import by_name
from upgrade_gate.clouds.contract import holdings

if TYPE_CHECKING:
    from upgrade_gate.clouds.shared.shell_script import Collector

__all__ = ["of_platform"]


def of_platform(name: str) -> Collector:
    """Return the plugin of a platform; raises UsageError where identities there hold nothing that can be read."""
    traits = by_name(name)
    provider = holdings.provider_of_kind(traits.kind) if traits is not None and traits.kind is not None else None
    for module in plugins.load_role("export"):
        if provider is not None and module.PROVIDER == provider.PROVIDER:
            return cast("Collector", module)
    raise UsageError(
        f"what identities hold cannot be exported on {name or 'a platform that is not known'}",
        hint="there the Secret itself is what a target needs",
    )

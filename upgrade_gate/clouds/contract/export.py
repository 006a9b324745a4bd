"""What it takes to read a cloud's identities from outside: commands that export them, and the least access to do so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from msgspec import Struct

from upgrade_gate.base import plugins
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.platforms import by_name

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.holdings import IdentitySource

INDEX = "upgrade-gate/export/v1"
"""What an export's index calls itself: the document that says what was asked, when, and what came of it."""


class Served(Struct, frozen=True):
    """A Secret, and the identity behind it."""

    secret: str
    """`namespace/name`."""
    source: IdentitySource | None
    """None: nobody says, so every identity of the account is exported."""
    identity: str = ""
    """As the Secret or the configuration spells it, or the name that ccoctl would have given."""


class Wanted(Struct, frozen=True):
    """What an export must hold."""

    version: str
    platform: str
    cluster: str
    """Infrastructure name, empty where no cluster was read."""
    served: tuple[Served, ...]
    account: str | None
    """What the configuration says that exports must belong to."""
    scopes: tuple[str, ...]
    """Azure or IBM resource groups, or the GCP project, as the cluster names them."""
    services: tuple[str, ...]
    """IBM services whose roles are required."""
    trust: bool
    """Whether the credentials are tokens, or may be."""
    projects: tuple[str, ...] = ()
    """GCP: the projects of the cluster's zones, network and nodes' accounts, its own among them or not."""
    node_accounts: tuple[str, ...] = ()
    """GCP: the service accounts that machines of the cluster run as."""

    @property
    def complete(self) -> bool:
        """Whether every identity is known by itself or by its name."""
        return bool(self.served) and all(one.source is not None for one in self.served)

    @property
    def identities(self) -> tuple[str, ...]:
        """Identities as Secrets or the configuration spell them, sorted."""
        return tuple(sorted({s.identity for s in self.served if s.source in ("secret", "configuration")}))

    @property
    def names(self) -> tuple[str, ...]:
        """Names that ccoctl gives, sorted."""
        return tuple(sorted({s.identity for s in self.served if s.source == "ccoctl-name"}))


class Fill(Struct, frozen=True):
    """A value that only the user knows; the script stops while it is empty."""

    name: str
    meaning: str
    value: str = ""
    """What is known already."""


class Steps(Struct, frozen=True):
    """What a cloud's export consists of."""

    tool: str
    fills: tuple[Fill, ...]
    lines: tuple[str, ...]
    """Lines of bash, after the frame's own functions."""


class Collector(Protocol):
    """What a cloud's `export` knows."""

    REACHES_ABOVE: bool
    """Whether access can be given for the organisation above an account."""

    def steps(self, wanted: Wanted) -> Steps:
        """Return the commands that export what the reader of this cloud takes; none of them writes to the cloud."""
        ...

    def access(self, account: str | None, organization: str | None) -> str:
        """Return the least access that the live reader and these commands need, as a file to apply."""
        ...


def of_platform(name: str) -> Collector:
    """Return the plugin of a platform; raises UsageError where identities there hold nothing that can be read."""
    traits = by_name(name)
    plugin = plugins.for_kind("export", traits.kind) if traits is not None and traits.kind is not None else None
    if plugin is None:
        raise UsageError(
            f"what identities hold cannot be exported on {name or 'a platform that is not known'}",
            hint="there a check goes by the Secrets; see that the permissions it names are granted, then acknowledge "
            "them (upgrade-gate ack)",
        )
    return cast("Collector", plugin)

"""What a run read and compared: the releases of a path, hop by hop, and the cluster that they were compared for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.requests.selection_context import SelectionContext
    from upgrade_gate.requests.update import Hop, UnreadRelease


class Comparison(Struct, frozen=True):
    """What was read and compared, before any judgement."""

    cluster: Cluster | None
    references: tuple[str, ...]
    """From, via and to, as given or resolved."""
    hops: tuple[Hop, ...]
    unread: tuple[UnreadRelease, ...]
    context: SelectionContext

    @property
    def path(self) -> str:
        """The update in words, by versions; by references where a release could not be read."""
        if not self.hops:
            return " to ".join(self.references)
        return " to ".join([self.hops[0].old.version, *(hop.new.version for hop in self.hops)])

    @property
    def same_release(self) -> bool:
        """Whether nothing is updated at all."""
        return bool(self.hops) and all(hop.kind == "none" for hop in self.hops)

"""What a run hands over: what was read and compared, and what the gate made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from upgrade_gate.cluster.observe import Cluster
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.gate.verdict import Verdict, WeighedFinding
    from upgrade_gate.requests.update import Hop, UnreadRelease
    from upgrade_gate.requests.upgrade_path import Context

__all__ = ["Comparison", "Outcome"]


class Comparison(Struct, frozen=True):
    """What was read and compared, before any judgement."""

    cluster: Cluster | None
    references: tuple[str, ...]
    """From, via and to, as given or resolved."""
    hops: tuple[Hop, ...]
    unread: tuple[UnreadRelease, ...]
    context: Context


class Outcome(Struct, frozen=True):
    """Everything a report is made of."""

    survey: Comparison
    situation: Situation
    judged: tuple[WeighedFinding, ...]
    verdict: Verdict

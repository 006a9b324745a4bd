"""What a run hands over: what was read and compared, and what the gate made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.base.steps import Step
    from upgrade_gate.clouds.contract.remedy import CcoctlCommand, ClusterNames, IdentityChange
    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.gate.verdict import Verdict, WeighedFinding
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
    def start(self) -> str:
        """The version that the path begins at, in words."""
        return self.hops[0].old.version if self.hops else "the current release"

    @property
    def same_release(self) -> bool:
        """Whether nothing is updated at all."""
        return bool(self.hops) and all(hop.kind == "none" for hop in self.hops)


class Plan(Struct, frozen=True):
    """What a person does about the open findings: every step with its documents."""

    names: ClusterNames
    changes: tuple[IdentityChange, ...]
    steps: tuple[Step, ...]
    """In the order in which they are taken; those after the upgrade last."""
    files: Mapping[str, bytes]
    ccoctl: CcoctlCommand | None
    annotation: str
    """Why the annotation is or is not among the steps."""
    passed_through: str | None
    """The root Secret in passthrough mode: it stands for every component's."""
    gaps: tuple[str, ...]
    """Why the target was not read whole."""


class Outcome(Struct, frozen=True):
    """Everything a report is made of."""

    comparison: Comparison
    situation: Situation
    judged: tuple[WeighedFinding, ...]
    verdict: Verdict
    plan: Plan

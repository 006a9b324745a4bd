"""What a run hands over: what was compared, what the gate made of it, and what a person does about it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.gate import rollback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.base.steps import Step
    from upgrade_gate.clouds.contract.remedy import CcoctlCommand, ClusterNames, IdentityChange
    from upgrade_gate.gate.situation import Situation
    from upgrade_gate.gate.verdict import Verdict, WeighedFinding
    from upgrade_gate.requests.comparison import Comparison


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


class Judgement(Struct, frozen=True):
    """What the gate makes of a comparison."""

    situation: Situation
    judged: tuple[WeighedFinding, ...]
    verdict: Verdict


class Outcome(Struct, frozen=True, dict=True):
    """Everything a report is made of."""

    comparison: Comparison
    situation: Situation
    judged: tuple[WeighedFinding, ...]
    verdict: Verdict
    plan: Plan

    @cached_property
    def rollback(self) -> rollback.Rollback | None:
        """What must stay for a rollback; computed where it is asked for, and once."""
        return rollback.of(self.situation)

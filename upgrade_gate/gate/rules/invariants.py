"""The rule of the last guard; the gate raises it (`gate/invariants.py`), once every finding has its weight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.gate.findings import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.situation import Situation

RULES = (
    Rule(
        "pass-withheld",
        Severity.UNKNOWN,
        "A pass would rest on something that cannot be",
        "The last guard before a pass, which asks no rule: the platform is one for which every release holds requests, "
        "and none was selected; a request that applies today is gone from a target without a digest, and nobody "
        "accepted just that; or a value from a closed list (platform, profile, topology, feature set, mode, state of a "
        "condition) is outside its list. It is raised only where nothing else stops the upgrade. Neither a policy nor "
        "an acknowledgement reaches it: give the whole release, or set right what the finding names.",
        acknowledgeable=False,
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield nothing: the guard speaks after the findings are weighed."""
    del situation
    return ()

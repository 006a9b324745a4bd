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
        "Everything else passed, but the input cannot be right",
        "A last check before a pass, independent of all other rules. It stops where no CredentialsRequest was "
        "selected on a platform for which every release has some; where a CredentialsRequest of the current "
        "release is missing in a target without a digest and that was not acknowledged; or where a value "
        "(platform, profile, topology, feature set, mode, state of a condition) is not one that exists. It is "
        "raised only where nothing else stops the upgrade, and neither a policy nor an acknowledgement changes "
        "it: give the whole release, or correct what the finding names.",
        acknowledgeable=False,
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield nothing: the guard speaks after the findings are weighed."""
    del situation
    return ()

"""The rules about acknowledgements; the gate raises them, once it has matched them with the findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.gate.findings import Rule, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgrade_gate.gate.findings import Finding
    from upgrade_gate.gate.situation import Situation

RULES = (
    Rule(
        "acknowledgement-expired",
        Severity.WARNING,
        "An acknowledgement ran out",
        "The finding that it named is open again. Do the work, or renew the acknowledgement with a new date.",
    ),
    Rule(
        "acknowledgement-expiring",
        Severity.INFO,
        "An acknowledgement runs out within 14 days",
        "The finding will be open again after that day.",
    ),
    Rule(
        "acknowledgement-unused",
        Severity.INFO,
        "An acknowledgement matches no finding in this report",
        "The finding is gone, its permissions changed (one more gives another fingerprint), the acknowledgement "
        "is for other clusters or versions, or the finding can never be acknowledged. Remove the entry.",
    ),
)


def evaluate(situation: Situation) -> Iterable[Finding]:
    """Yield nothing: acknowledgements are matched in the gate, after every rule has spoken."""
    del situation
    return ()

"""What `rules -o json` and `explain -o json` say of a rule: its public fields, to which only more are added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from upgrade_gate.gate.findings import Rule


def of(rule: Rule) -> dict[str, Any]:
    """Return the fields of one rule."""
    return {
        "id": rule.id,
        "severity": str(rule.severity),
        "title": rule.title,
        "explanation": rule.explanation,
        "acknowledgeable": rule.acknowledgeable,
    }

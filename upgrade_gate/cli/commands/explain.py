"""`explain`: what a rule means, why it matters and how its findings are closed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import UsageError
from upgrade_gate.cli import rule_fields, stdout
from upgrade_gate.cli.option_types import Form, near

if TYPE_CHECKING:
    from upgrade_gate.gate.findings import Rule


class RuleName(Form):
    """The id of a rule."""

    name = "rule"

    def words(self) -> tuple[str, ...]:
        """Return the ids."""
        from upgrade_gate.gate import findings

        return tuple(findings.catalogue())


@click.command()
@click.argument("rule", type=RuleName())
@click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(rule: str, form: str) -> None:
    """Explain a rule: what it finds, why it matters, how to close it."""
    from upgrade_gate.gate import findings

    rules = findings.catalogue()
    known = rules.get(rule)
    if known is None:
        raise UsageError(f"there is no rule {rule!r}", hint=near(rule, tuple(rules)))
    stdout.write(
        json.dumps(rule_fields.of(known), indent=2, ensure_ascii=False) + "\n" if form == "json" else _text(known)
    )


def _text(rule: Rule) -> str:
    import textwrap

    paragraphs = (textwrap.fill(p, 80) for p in rule.explanation.strip().split("\n\n"))
    closing = textwrap.fill(rule.acceptance, 80)
    return "\n\n".join((f"{rule.id} ({rule.severity})\n{rule.title}", *paragraphs, closing)) + "\n"

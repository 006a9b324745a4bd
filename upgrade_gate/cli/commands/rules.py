"""`rules`: the catalogue of everything the gate can find."""

from __future__ import annotations

import json

import click

from upgrade_gate.cli import rule_fields, stdout


@click.command()
@click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(form: str) -> None:
    """List every rule with its default severity."""
    from upgrade_gate.gate import findings

    rules = findings.catalogue().values()
    if form == "json":
        stdout.write(json.dumps({"rules": [rule_fields.of(r) for r in rules]}, indent=2, ensure_ascii=False) + "\n")
        return
    width = max((len(r.id) for r in rules), default=0)
    stdout.write("".join(f"{r.id:<{width}}  {r.severity:<8}  {r.title}\n" for r in rules))

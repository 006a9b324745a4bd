"""`schema`: the JSON schema of what the tool writes."""

from __future__ import annotations

import json

import click

from upgrade_gate.cli import stdout


@click.command()
@click.argument("document", type=click.Choice(["report", "fleet"]), default="report")
def command(document: str) -> None:
    """Print the JSON schema (2020-12) of a document; within a version only keys and enum members are added."""
    from upgrade_gate.fleet import document as fleet
    from upgrade_gate.report import document as report

    schema = fleet.schema() if document == "fleet" else report.schema()
    stdout.write(json.dumps(schema, indent=2) + "\n")

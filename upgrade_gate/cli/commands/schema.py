"""`schema`: the JSON schema of what the tool writes."""

from __future__ import annotations

import json
from importlib import import_module

import click

from upgrade_gate.cli import stdout

_WRITERS = {
    "report": "report.document",
    "fleet": "fleet.document",
    "history": "report.history_document",
    "plan": "report.plan_document",
}
"""The module that has the schema of each document: only the one that is asked for is loaded."""


@click.command()
@click.argument("document", type=click.Choice(list(_WRITERS)), default="report")
def command(document: str) -> None:
    """Print the JSON schema (2020-12) of a document; within a version only keys and enum members are added."""
    schema = import_module(f"upgrade_gate.{_WRITERS[document]}").schema()
    stdout.write(json.dumps(schema, indent=2) + "\n")

"""`schema`: the JSON schema of what the tool writes."""

from __future__ import annotations

import json

import click

from upgrade_gate.cli import stdout


@click.command()
@click.argument("document", type=click.Choice(["report"]), default="report")
def command(document: str) -> None:  # noqa: ARG001 - one document so far
    """Print the JSON schema (2020-12) of a document; within a version only keys and enum members are added."""
    from upgrade_gate.report import document as report

    stdout.write(json.dumps(report.schema(), indent=2) + "\n")

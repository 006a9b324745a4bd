"""`remediate`: the bundle of what a person applies before and after the upgrade."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ExitCode, SourceError
from upgrade_gate.cli import run, stderr
from upgrade_gate.cli.help_pages import ExplainedCommand
from upgrade_gate.cli.options import cluster_options, copy_options, gate_options, registry_options, release_options

if TYPE_CHECKING:
    from upgrade_gate.cli.options import ClusterOptions, GateOptions, OutputOptions, RegistryOptions, ReleaseOptions


@click.command(
    cls=ExplainedCommand,
    examples=(
        "--to 4.19.2 -d bundle",
        "--to 4.19.2 --cluster must-gather:DIR --identities export:DIR -d bundle",
        "--to 4.20.1 --via 4.19.2 -d bundle -o html=report.html",
    ),
)
@release_options
@cluster_options
@gate_options
@registry_options
@copy_options
@click.option(
    "-d",
    "--directory",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="New or empty folder, or one with an earlier bundle.",
)
def command(
    *,
    release: ReleaseOptions,
    cluster: ClusterOptions,
    gate: GateOptions,
    registry: RegistryOptions,
    output: OutputOptions,
    directory: Path,
) -> ExitCode:
    """Write what a person applies, in order: policies, trust, Secret skeletons, commands.sh, README.md, the report.

    It holds one step for everything that is open, and changes nothing itself. Exits 0 when it has written, whatever
    the verdict is; `check --bundle` writes the same and keeps the verdict's exit code.
    """
    from upgrade_gate import pipeline
    from upgrade_gate.cli import bundle_folder
    from upgrade_gate.remedy import bundle
    from upgrade_gate.report import build

    bundle_folder.check(directory, beside=output)
    outcome = pipeline.check(*run.gate_run(release, cluster, gate, registry))
    for unread in outcome.comparison.unread:
        raise SourceError(f"{unread.reference}: {unread.reason}", hint=unread.hint)
    document = build.of_outcome(
        outcome, labels=gate.labels, now=gate.now.text if gate.now else None, notes=run.policy_notes(gate)
    )
    run.write_reports(document, output)
    files = bundle.build(outcome, run.reports_for_bundle(document), made=document.generated)
    bundle_folder.write(files, directory)
    stderr.say(f"{len(files)} files written to {directory}; start with README.md. {outcome.verdict.summary}")
    return ExitCode.PASS

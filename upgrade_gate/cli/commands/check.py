"""`check`: the gate, whether this cluster holds what the target release needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ClusterError, ExitCode
from upgrade_gate.cli import run, same_call, stderr
from upgrade_gate.cli.help_pages import ExplainedCommand
from upgrade_gate.cli.options import cluster_options, gate_options, output_options, registry_options, release_options

if TYPE_CHECKING:
    from upgrade_gate.cli.options import ClusterOptions, GateOptions, OutputOptions, RegistryOptions, ReleaseOptions
    from upgrade_gate.gate.outcome import Outcome
    from upgrade_gate.report.document import Report


@click.command(
    cls=ExplainedCommand,
    examples=(
        "--to 4.19.2",
        "--to 4.19.2 --cluster must-gather:DIR --identities export:DIR -o text -o html=report.html",
        "--no-cluster --platform AWS --from dir:RELEASE --to dir:RELEASE",
    ),
)
@release_options
@cluster_options
@gate_options
@output_options
@registry_options
@click.option(
    "--bundle",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the remediation bundle to a new or empty folder, or over an earlier bundle.",
)
def command(
    *,
    release: ReleaseOptions,
    cluster: ClusterOptions,
    gate: GateOptions,
    output: OutputOptions,
    registry: RegistryOptions,
    bundle: Path | None,
) -> ExitCode:
    """Decide whether the cluster holds what the target release needs.

    Exit codes: 0 pass, 3 blocked, 4 cannot tell, 2 usage; 1 is never a verdict.
    """
    from upgrade_gate import pipeline
    from upgrade_gate.cli import bundle_folder
    from upgrade_gate.report import build

    if bundle is not None:
        bundle_folder.check(bundle, beside=output)

    def write(outcome: Outcome) -> Report:
        now = gate.now.text if gate.now else None
        document = build.of_outcome(
            outcome,
            labels=gate.labels,
            now=now,
            notes=run.policy_notes(gate),
            remediate=() if bundle else same_call.of_remediate(),
        )
        run.write_reports(document, output)
        return document

    try:
        outcome = pipeline.check(*run.gate_run(release, cluster, gate, registry))
    except ClusterError as error:
        write(pipeline.unreachable(*run.unread_run(release, cluster, gate), error))
        raise
    document = write(outcome)
    if bundle is not None:
        _write_bundle(outcome, document, bundle)
    if outcome.verdict.exit_code is ExitCode.UNDETERMINED:
        stderr.no_verdict(outcome.verdict.summary)
    else:
        stderr.say(outcome.verdict.summary)
    return outcome.verdict.exit_code


def _write_bundle(outcome: Outcome, document: Report, directory: Path) -> None:
    """Write the bundle; where a release could not be read there is nothing to put into one."""
    from upgrade_gate.cli import bundle_folder
    from upgrade_gate.remedy import bundle as remediation

    if outcome.comparison.unread:
        stderr.say(f"no bundle was written: {outcome.comparison.unread[0].reference} could not be read")
        return
    bundle_folder.write(
        remediation.build(outcome, run.reports_for_bundle(document), made=document.generated), directory
    )

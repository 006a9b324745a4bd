"""`plan`: which update costs least, of those that are offered or of all ways to a minor release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ExitCode, ReadError
from upgrade_gate.cli import stderr, stdout
from upgrade_gate.cli.help_pages import ExplainedCommand
from upgrade_gate.cli.options import (
    RELEASE,
    ClusterOptions,
    GateOptions,
    OutputOptions,
    RegistryOptions,
    answer_options,
    cluster_options,
    registry_options,
    weighing_options,
)

if TYPE_CHECKING:
    from upgrade_gate.report.plan_document import Plan

FORMATS = ("text", "json", "html")


@click.command(
    cls=ExplainedCommand,
    examples=(
        "-a pull-secret.json",
        "--to-minor 4.16 --identities export:DIR -o text -o html=plan.html",
        "--to-minor 4.16 --graph graph.json --releases DIR --offline --cluster snapshot:FILE",
    ),
)
@click.option("--to-minor", metavar="X.Y", help="Every way to this minor release.  [default: the updates offered]")
@click.option("--from", "from_", **RELEASE, help="Current release.  [default: what the cluster runs]")
@click.option(
    "--releases",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="A folder of releases, each a folder or an archive. Repeatable.",
)
@cluster_options
@weighing_options
@answer_options(*FORMATS)
@registry_options
def command(
    *,
    to_minor: str | None,
    from_: str | None,
    releases: tuple[Path, ...],
    cluster: ClusterOptions,
    gate: GateOptions,
    output: OutputOptions,
    registry: RegistryOptions,
) -> ExitCode:
    """Say what each update would ask for, least work first; those that come to the same are one.

    Without --to-minor these are the updates that the cluster offers, conditional ones with their risks; with it,
    every path of the update graph to that minor release, and what is needed only in between. Each release is read
    once. Without a cluster name --from, --platform and --graph. Exit codes: 0 where all could be judged, whatever the
    verdicts, 4 where not, 2 usage.
    """
    from upgrade_gate.cli import plan_run, run

    cluster = run.named_alone(cluster) if from_ is not None else cluster
    minor = plan_run.minor(to_minor) if to_minor is not None else None
    try:
        plan = plan_run.answer(
            from_=from_, to_minor=minor, releases=releases, cluster=cluster, gate=gate, registry=registry
        )
    except ReadError as error:
        _write(plan_run.untold(error, from_=from_, to_minor=minor, cluster=cluster, gate=gate), output)
        raise
    _write(plan, output)
    code = ExitCode(plan.exit_code)
    if code is ExitCode.UNDETERMINED:
        stderr.no_verdict(plan.summary)
    else:
        stderr.say(plan.summary)
    return code


def _write(plan: Plan, output: OutputOptions) -> None:
    stdout.write_reports([(wanted.path, _render(wanted.format, plan)) for wanted in output.outputs])


def _render(form: str, plan: Plan) -> bytes:
    match form:
        case "json":
            from upgrade_gate.report import plan_document

            return plan_document.encode(plan)
        case "html":
            from upgrade_gate.report import plan_html

            return plan_html.render(plan)
        case _:
            from upgrade_gate.report import plan_page

            return plan_page.text(plan)

"""`diff`: what changes between two releases, without a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ExitCode, SourceError
from upgrade_gate.cli import run, stderr
from upgrade_gate.cli.help_pages import ExplainedCommand
from upgrade_gate.cli.option_types import ReleaseForm
from upgrade_gate.cli.options import cluster_options, configuration_option, output_options, registry_options, via_option

if TYPE_CHECKING:
    from upgrade_gate.cli.configuration import Configuration
    from upgrade_gate.cli.options import ClusterOptions, OutputOptions, RegistryOptions
    from upgrade_gate.requests.comparison import Comparison


@click.command(
    cls=ExplainedCommand,
    examples=(
        "4.18.7 4.19.2 --platform AWS",
        "dir:RELEASE archive:FILE --platform GCP -o markdown",
        "4.18.7 4.19.2 --cluster snapshot:FILE -o json=diff.json --exit-code",
    ),
)
@click.argument("from_", type=ReleaseForm(), metavar="FROM")
@click.argument("to", type=ReleaseForm(), metavar="TO")
@via_option
@cluster_options
@configuration_option
@output_options
@registry_options
@click.option("--exit-code", is_flag=True, help="Exit with 3 where there are differences.")
def command(
    *,
    from_: str,
    to: str,
    via: tuple[str, ...],
    cluster: ClusterOptions,
    configuration: Configuration,
    output: OutputOptions,
    registry: RegistryOptions,
    exit_code: bool,
) -> ExitCode:
    """Show what requests and permissions change from one release to another; with --via, update by update.

    Without a cluster name the platform with --platform. A difference is no error: the exit code is 0 unless
    --exit-code is given.
    """
    from upgrade_gate import pipeline
    from upgrade_gate.report import build

    del configuration
    cluster = run.named_alone(cluster)
    reader = run.open_reader(cluster, offline=registry.settings.offline)
    plan = pipeline.Inputs(
        to=to,
        from_=from_,
        via=via,
        settings=run.settings_for(registry, reader),
        reader=reader,
        given=run.given(cluster),
    )
    survey = pipeline.survey(plan, requests_alone=True)
    for release in survey.unread:
        raise SourceError(f"{release.reference}: {release.reason}", hint=release.hint)
    run.write_reports(build.of_comparison(survey), output)
    if survey.hops and survey.hops[-1].new.requests_only:
        stderr.say("only CredentialsRequests were compared: which of them each release applies here is not known")
    gaps = _gaps(survey)
    if gaps:
        stderr.no_verdict(f"the diff is incomplete: {gaps[0]}" + (f" (and {len(gaps) - 1} more)" if gaps[1:] else ""))
        return ExitCode.UNDETERMINED
    if exit_code and any(hop.changes for hop in survey.hops):
        return ExitCode.BLOCKED
    return ExitCode.PASS


def _gaps(survey: Comparison) -> list[str]:
    """Return what could not be read and may hide a change, one text each."""
    from upgrade_gate.payloads.completeness import gaps

    found: list[str] = []
    for hop in survey.hops:
        for payload in (hop.old, hop.new):
            alone = payload.requests_only
            found += [f"{u.location.file}: {u.reason}" for u in payload.unreadable if not (u.harmless or alone)]
        if not hop.new.requests_only:
            found += [gap.text for p, o in ((hop.old, hop.new), (hop.new, hop.old)) for gap in gaps(p, o)]
        found += [f"{m.location.file}: {m.reason}" for _, m in hop.malformed]
        found += [f"{c.request}: {c.detail}" for s in (hop.old_selection, hop.new_selection) for c in s.conflicts]
        found += [f"{name}: {fact.reason}" for name, fact in sorted(hop.unknowns.items())]
    return list(dict.fromkeys(found))

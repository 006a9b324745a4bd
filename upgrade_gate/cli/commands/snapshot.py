"""`snapshot`: cluster facts for offline use, without any secret value."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from upgrade_gate import __version__
from upgrade_gate.base.errors import ExitCode, SourceError, UsageError
from upgrade_gate.cli import input_paths, run, stderr, stdout
from upgrade_gate.cli.help_pages import ExplainedCommand
from upgrade_gate.cli.options import RELEASE, cluster_options, configuration_option, registry_options

if TYPE_CHECKING:
    from upgrade_gate.cli.configuration import Configuration
    from upgrade_gate.cli.options import ClusterOptions, RegistryOptions


@click.command(
    cls=ExplainedCommand,
    examples=(
        "--to 4.19.2 cluster.json",
        "--to 4.19.2 --to 4.20.1 --context prod cluster.json",
        "--to 4.19.2 --cluster must-gather:DIR cluster.json",
    ),
)
@click.option(
    "--to",
    multiple=True,
    required=True,
    **RELEASE,
    help="Release to be judged. Repeatable.",
)
@click.option("--from", "from_", **RELEASE, help="Current release.  [default: what the cluster runs]")
@cluster_options
@configuration_option
@registry_options
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def command(
    *,
    to: tuple[str, ...],
    from_: str | None,
    cluster: ClusterOptions,
    configuration: Configuration,
    registry: RegistryOptions,
    file: Path,
) -> ExitCode:
    """Write what `check` would read of the cluster into FILE, for --cluster snapshot:FILE.

    Holds the facts and the secretRefs of the current and the named releases; what is outside this record is unknown
    later, and says so. No secret value is ever in it.
    """
    from upgrade_gate import pipeline
    from upgrade_gate.base import plugins

    del configuration
    stdout.check_file(file)
    input_paths.refuse(file)
    reader = run.open_reader(cluster, offline=registry.settings.offline)
    if reader is None:
        raise UsageError("a snapshot needs a cluster", hint="leave --no-cluster out")
    snapshots = plugins.load("cluster.readers", "snapshot")
    recorder = snapshots.Recorder(reader)
    settings = run.settings_for(registry, recorder)
    for release in to:
        plan = pipeline.Inputs(to=release, from_=from_, settings=settings, reader=recorder, given=run.given(cluster))
        surveyed = pipeline.survey(plan)
        for unread in surveyed.unread:
            raise SourceError(f"{unread.reference}: {unread.reason}", hint=unread.hint)
        pipeline.with_secrets(surveyed, recorder, today=True, proof=True)
    taken = reader.collected or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    content = snapshots.encode(recorder.answers, source=reader.description, taken=taken, tool=__version__)
    stdout.write_file(file, content, mode=0o600)
    stderr.say(f"{len(recorder.answers)} answers of {reader.description} written to {file}")
    return ExitCode.PASS

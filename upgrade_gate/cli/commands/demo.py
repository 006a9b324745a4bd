"""`demo`: the main job on sample payloads and a sample cluster, without network or files."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli import run, stderr
from upgrade_gate.cli.options import output_options

if TYPE_CHECKING:
    from upgrade_gate.cli.options import OutputOptions

NOW = "2026-11-02"
"""The demo's day: its acknowledgement is valid then."""


@click.command()
@output_options
@click.option("--exit-code", is_flag=True, help="Exit as `check` would (3).")
def command(*, output: OutputOptions, exit_code: bool) -> ExitCode:
    """Run the gate on a small invented release pair and cluster: an added permission, a new request, a rename,
    a covered rewrite, a moved secret, an excluded request and an acknowledged finding.

    Nothing outside the package is read. The exit code is 0 unless --exit-code is given.
    """  # noqa: D205 - click shows the first paragraph whole
    from datetime import date

    from upgrade_gate import pipeline
    from upgrade_gate.base import plugins
    from upgrade_gate.gate import acknowledgements
    from upgrade_gate.gate.verdict import Weights
    from upgrade_gate.report import build

    with resources.as_file(resources.files("upgrade_gate.data") / "demo") as folder:
        reader = plugins.load("cluster.readers", "must_gather").open_dump(folder / "cluster")
        plan = pipeline.Inputs(to=f"dir:{folder / 'target'}", from_=f"dir:{folder / 'current'}", reader=reader)
        weighing = Weights(
            acknowledgements=acknowledgements.load([folder / "acknowledgements.yaml"]), today=date.fromisoformat(NOW)
        )
        outcome = pipeline.check(plan, weighing)
    run.write_reports(build.of_outcome(outcome, labels={}, now=NOW), output)
    stderr.say(f"demo: check would exit with {int(outcome.verdict.exit_code)}")
    return outcome.verdict.exit_code if exit_code else ExitCode.PASS

"""`demo`: the main job on sample payloads and a sample cluster, without network or files."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

import click

from upgrade_gate.commands import _stderr, _wiring
from upgrade_gate.commands._options import output_options
from upgrade_gate.errors import ExitCode

if TYPE_CHECKING:
    from upgrade_gate.commands._options import OutputOptions

__all__ = ["command"]

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

    from upgrade_gate import acknowledgements, assembly, pipeline, plugins

    with resources.as_file(resources.files("upgrade_gate.data") / "demo") as folder:
        reader = plugins.load("readers", "must_gather").open_dump(folder / "cluster")
        plan = pipeline.Plan(to=f"dir:{folder / 'target'}", from_=f"dir:{folder / 'current'}", reader=reader)
        weighing = pipeline.Weighing(
            acknowledgements=acknowledgements.load([folder / "acknowledgements.yaml"]), today=date.fromisoformat(NOW)
        )
        outcome = pipeline.check(plan, weighing)
    _wiring.write_reports(assembly.of_outcome(outcome, labels={}, now=NOW), output)
    _stderr.say(f"demo: check would exit with {int(outcome.verdict.exit_code)}")
    return outcome.verdict.exit_code if exit_code else ExitCode.PASS

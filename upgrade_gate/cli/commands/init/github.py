"""`github`: a GitHub Actions workflow that runs the gate, keeps its reports and fails with its exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli.commands.init import _pins
from upgrade_gate.cli.ready_file import deliver, write_options

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@_pins.target_option
@_pins.install_option
@_pins.report_only_option
@_pins.policies_option
@write_options
def command(
    *, to: str | None, install: str, report_only: bool, policies: str | None, write: Path | None, force: bool
) -> ExitCode:
    """Print a workflow for .github/workflows/: run by hand or called by another, with summary, annotations and SARIF.

    The job that reads the cluster can write nothing; the one that uploads SARIF has no credentials of the cluster. With
    --policies it is the gate of a repository of policies, on pull requests that touch them.
    """
    if policies is not None:
        deliver(_for_policies(policies, to, install, report_only=report_only), write, force=force)
        return ExitCode.PASS
    text = _pins.filled(
        "github.yml",
        default_to=f"\n        default: {_pins.quoted(to)}" if to else "",
        install=_pins.install_command(install),
        given=_pins.part("given.sh", indent=10),
        comment=_pins.part("comment.py", indent=10),
        report_only=str(report_only).lower(),
        **_pins.ACTIONS,
    )
    deliver(text, write, force=force)
    return ExitCode.PASS


def _for_policies(policies: str, to: str | None, install: str, *, report_only: bool) -> str:
    own = ".github/workflows/upgrade-gate-policies.yml"
    return _pins.filled(
        "github_policies.yml",
        policies=policies,
        paths=_pins.policy_paths(policies, own, indent=6),
        default_to=f", {to} if it is not set" if to else "",
        or_to=f" || '{to}'" if to else "",
        install=_pins.install_command(install),
        given=_pins.part("given.sh", indent=10),
        report_only=str(report_only).lower(),
        **_pins.ACTIONS,
    )

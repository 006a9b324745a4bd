"""`gitlab`: a GitLab CI job that runs the gate, keeps its reports and maps its exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from upgrade_gate.base.errors import ExitCode
from upgrade_gate.cli.commands.init import _pins
from upgrade_gate.cli.ready_file import deliver, write_options

if TYPE_CHECKING:
    from pathlib import Path

_STRICT = """\
  # 4, cannot tell, is no pass: nothing is allowed to fail
  allow_failure: false
"""
_REPORTING = """\
  # only reports: the verdicts blocked and cannot tell leave a warning; no verdict at all still fails
  allow_failure:
    exit_codes: [3, 4]
"""


@click.command()
@_pins.target_option
@_pins.image_option("Image that holds upgrade-gate.  [default: a Python image, and pip]")
@_pins.install_option
@_pins.report_only_option
@_pins.policies_option
@write_options
def command(
    *,
    to: str | None,
    image: str | None,
    install: str,
    report_only: bool,
    policies: str | None,
    write: Path | None,
    force: bool,
) -> ExitCode:
    """Print a job to be included in .gitlab-ci.yml, with JUnit, code quality and the verdict for later jobs.

    With --policies it is the gate of a repository of policies, on merge requests that touch them.
    """
    # what pip exits with is no verdict, whatever the number
    pip = f"  before_script:\n    - |\n      python -m pip {_pins.install_command(install)} || exit 1\n"
    more = {"comment": _pins.part("comment.py", indent=6)}
    if policies is not None:
        more = {"policies": _pins.quoted(policies), "paths": _pins.policy_paths(policies, indent=8)}
    text = _pins.filled(
        "gitlab_policies.yml" if policies is not None else "gitlab.yml",
        to=_pins.quoted(to or ""),
        image=_pins.quoted(image or _pins.PYTHON_IMAGE),
        given=_pins.part("given.sh", indent=6),
        before_script="" if image else pip,
        allow_failure=(_REPORTING if report_only else _STRICT).rstrip("\n"),
        **more,
    )
    deliver(text, write, force=force)
    return ExitCode.PASS

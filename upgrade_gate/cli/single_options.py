"""Options that commands take one by one: each is a decorator, and the command takes a value of the option's name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable


def deadline_option(name: str, default: float, text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return an option that takes seconds, more than none."""
    seconds = click.FloatRange(min=0, min_open=True)
    seconds.name = "number of seconds"
    return click.option(name, type=seconds, default=default, show_default=True, metavar="SECONDS", help=text)


kubeconfig_option = click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="For a live cluster."
)
read_secrets_option = click.option(
    "--read-secrets", is_flag=True, help="Live: read key names and the identity out of Secrets."
)
cluster_timeout_option = deadline_option(
    "--cluster-timeout", 30.0, "Live: deadline of all reads of the cluster together."
)


selector_option = click.option(
    "--selector", multiple=True, metavar="LABELS", help="env=prod,region!=eu,canary,!old. Repeatable."
)

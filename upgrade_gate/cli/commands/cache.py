"""`cache prune`: make room in the cache of blobs, manifests and payloads that were read."""

from __future__ import annotations

from pathlib import Path

import click

DEFAULT_DAYS = 30.0


@click.group(name="cache")
def command() -> None:
    """Look after the cache."""


@command.command()
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(min=0),
    default=DEFAULT_DAYS,
    show_default=True,
    metavar="DAYS",
    help="Remove what was not used for so many days; 0 empties the cache.",
)
@click.option(
    "--cache-dir", type=click.Path(path_type=Path, file_okay=False), help="The cache; default: the platform's folder."
)
def prune(days: float, cache_dir: Path | None) -> None:
    """Remove entries of the cache that were not used lately. Nothing else in the folder is touched."""
    from upgrade_gate.base.errors import OutputError
    from upgrade_gate.payloads import cache

    folder = cache_dir or cache.default_folder()
    try:
        removed = cache.prune(folder, days)
    except OSError as exc:
        raise OutputError(f"the cache in {folder} cannot be pruned: {exc.strerror}") from exc
    click.echo(f"{folder}: removed {removed.files} files, {removed.size} bytes")

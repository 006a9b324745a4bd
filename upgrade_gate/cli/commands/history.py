"""`history`: when, where and by which pull request a permission or a request came or went."""

from __future__ import annotations

import click

from upgrade_gate.base.errors import UsageError
from upgrade_gate.cli import stdout
from upgrade_gate.cli.option_types import Form, PlatformName


class RequirementName(Form):
    """A permission or a request, by its whole name."""

    name = "name"

    def words(self) -> tuple[str, ...]:
        """Return all that the table has."""
        from upgrade_gate.requests.history import search

        return tuple(search.names())


@click.command()
@click.argument("name", type=RequirementName(), metavar="PERMISSION|REQUEST")
@click.option("--platform", type=PlatformName(), help="Of this platform alone.")
@click.option("--since", metavar="RELEASE", help="What came with this minor (4.14), or after this release (4.14.3).")
@click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True
)
def command(name: str, platform: str | None, since: str | None, form: str) -> None:
    """Show when, where and by which pull request a permission or a request came or went.

    PERMISSION is a whole name, never a pattern, compared as its cloud compares it; REQUEST is namespace/name or the
    name alone. The answer comes from a dated table in this package: no cluster and no network is asked.
    """
    from upgrade_gate.report import history_document

    if not name.strip():
        raise UsageError("the name is empty", hint="give a permission, or a request as namespace/name")
    answer = history_document.answer(name, platform, since)
    if form == "json":
        stdout.write(history_document.encode(answer))
        return
    from upgrade_gate.report import history_page

    stdout.write(history_page.markdown(answer) if form == "markdown" else history_page.text(answer))

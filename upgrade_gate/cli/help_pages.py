"""How a command with many options explains itself: examples first, then the options by what they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from upgrade_gate.cli.option_sources import long_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECTIONS: Final[Mapping[str, str]] = {
    "Release": "to to-minor from via releases verify signatures graph channel architecture",
    "Fleet": "selector cluster-proxy shard jobs deadline resume changed-only",
    "Cluster": "cluster no-cluster kubeconfig context platform mode profile feature-set capabilities read-secrets "
    "cluster-timeout",
    "Proof": "identities ccoctl-name assume max-age strict-proof require-proof",
    "Decision": "config acknowledgements fail-on now label",
    "Output": "output max-bytes color bundle directory write force exit-code verbose quiet help",
    "Network": "registry-config certificate-authority insecure idms-file icsp-file mirrors-from-cluster "
    "pull-secret-from-cluster offline timeout cache-dir no-cache",
}
"""Where help shows an option, by its long name; what stands nowhere here comes first, as the command's own."""


class ExplainedCommand(click.Command):
    """A command whose help begins with examples and shows its options in sections."""

    def __init__(self, *args: Any, examples: Iterable[str] = (), beforehand: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.beforehand = beforehand
        """Whether options about reading a cluster only tell what a later run will read, so that none need be there."""
        self.examples = tuple(examples)
        """Calls without the program's name, each on a line of its own."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does, with examples of how it is called before everything else."""
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{ctx.command_path} {example}\n")
        super().format_help_text(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of one section together."""
        for title, options in sections(self.get_params(ctx)):
            records = [record for option in options if (record := option.get_help_record(ctx))]
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def sections(parameters: Iterable[click.Parameter]) -> list[tuple[str, list[click.Option]]]:
    """Return the options by section, in the order of the sections and within it in that of the command."""
    options = [p for p in parameters if isinstance(p, click.Option)]
    placed = {name: title for title, names in SECTIONS.items() for name in names.split()}
    own = [o for o in options if long_name(o) not in placed]
    rest = [(title, [o for o in options if placed.get(long_name(o)) == title]) for title in SECTIONS]
    return [(title, chosen) for title, chosen in [("Options", own), *rest] if chosen]

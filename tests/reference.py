"""The parts of README.md that are made from the program itself: commands, options, rules, and what the demo prints.

`make reference` writes them; `tests/test_readme.py` holds README.md against them.
"""

from pathlib import Path

import click

from tests.worlds.running import run
from upgrade_gate.cli import cli
from upgrade_gate.gate import findings

README = Path(__file__).resolve().parent.parent / "README.md"


def blocks() -> dict[str, str]:
    """Return every generated block by its name in README.md."""
    return {"demo": demo(), "commands": commands(), "reference": options(), "rules": rules()}


def commands() -> str:
    """Return the table of commands, from their help."""
    rows = [f"| `{path}` | {_cell(command.help or '')} |" for path, command in walk()]
    return "\n".join(["| command | does |", "|---|---|", *rows])


def options() -> str:
    """Return the table of options: each once, with the commands that have it."""
    seen: dict[tuple[str, str], list[str]] = {}
    for path, command in walk():
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                written = ", ".join([*option.opts, *option.secondary_opts])
                metavar = "" if option.is_flag else f" {_metavar(option, click.Context(command))}"
                seen.setdefault((f"`{written}{metavar}`", _cell(option.help or "")), []).append(path)
    rows = [
        f"| {option} | {text} | {', '.join(paths)} |" for (option, text), paths in sorted(seen.items(), key=_by_name)
    ]
    return "\n".join(["| option | meaning | commands |", "|---|---|---|", *rows])


def rules() -> str:
    """Return the table of rules."""
    rows = [f"| `{rule.id}` | {rule.severity} | {_cell(rule.title)} |" for rule in findings.catalogue().values()]
    return "\n".join(["| rule | severity | when |", "|---|---|---|", *rows])


def demo() -> str:
    """Return what `upgrade-gate demo` prints, as a block of text."""
    done = run("demo")
    return f"```text\n{done.out.rstrip()}\n```"


def walk() -> list[tuple[str, click.Command]]:
    """Return every command with its path, those of groups included, sorted."""
    found: list[tuple[str, click.Command]] = []
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            children = {child: command.get_command(context, child) for child in command.list_commands(context)}
            found += [(f"{name} {child}", one) for child, one in sorted(children.items()) if one is not None]
        else:
            found.append((name, command))
    return found


def replaced(text: str, contents: dict[str, str]) -> str:
    """Return README.md with its blocks replaced; a block that it lacks is an error."""
    for name, content in contents.items():
        opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, _, rest = text.partition(opening)
        _, closed, after = rest.partition(closing)
        assert closed, f"README.md has no block {name}"
        text = f"{before}{opening}{content}\n{closing}{after}"
    return text


def _metavar(option: click.Option, context: click.Context) -> str:
    return option.make_metavar(context)


def _cell(text: str) -> str:
    return " ".join(text.replace("\b", "").split("\n\n")[0].split()).replace("|", "\\|")


def _by_name(item: tuple[tuple[str, str], list[str]]) -> str:
    return item[0][0].split("--")[-1]


if __name__ == "__main__":
    README.write_text(replaced(README.read_text(encoding="utf-8"), blocks()), encoding="utf-8")

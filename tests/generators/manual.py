"""The manual page, made from the same texts as `--help`: every command, its examples, its options by section.

`make reference` writes it; `tests/test_docs.py` holds it against the program, and mandoc is the judge of its form.
"""

import textwrap
from pathlib import Path

import click

from tests.generators.reference import exit_code_meanings, walk
from upgrade_gate import __version__
from upgrade_gate.cli import cli
from upgrade_gate.cli.help_pages import ExplainedCommand, sections

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "upgrade-gate.1"


def page() -> str:
    """Return the page in the man(7) macros."""
    lines = [
        '.\\" made by tests/generators/manual.py',
        f'.TH UPGRADE-GATE 1 "" "upgrade-gate {__version__}" "User Commands"',
        ".SH NAME",
        "upgrade-gate \\- say before an OpenShift upgrade whether every needed cloud permission is held",
        ".SH SYNOPSIS",
        ".B upgrade-gate",
        ".I command",
        "[option ...]",
        ".SH DESCRIPTION",
        *_prose(cli.help or ""),
        ".SH COMMANDS",
    ]
    for path, command in walk():
        lines += [f'.SS "{_text(path)}"', *_prose(command.help or ""), *_examples(path, command)]
        for title, options in _sections(command):
            lines += [".PP", f"{_text(title)}:"] if title else []
            for option in options:
                record = option.get_help_record(click.Context(command))
                if record:
                    lines += [".TP", f".B {_text(record[0])}", *_plain(record[1] or "No further word.")]
    lines += [".SH EXIT STATUS"]
    for code, meaning in exit_code_meanings().items():
        lines += [".TP", f".B {code}", *_plain(meaning)]
    lines += [".SH SEE ALSO", ".BR oc (1),", ".BR kubectl (1)"]
    return "\n".join(lines) + "\n"


def _sections(command: click.Command) -> list[tuple[str, list[click.Option]]]:
    if isinstance(command, ExplainedCommand):
        return sections(command.params)
    options = [p for p in command.params if isinstance(p, click.Option)]
    return [("", options)] if options else []


def _examples(path: str, command: click.Command) -> list[str]:
    if not isinstance(command, ExplainedCommand):
        return []
    return [
        ".PP",
        "Examples:",
        ".PP",
        ".nf",
        *(f"  {_text(f'upgrade-gate {path} {e}')}" for e in command.examples),
        ".fi",
    ]


def _prose(text: str) -> list[str]:
    paragraphs = [p for p in textwrap.dedent(text).split("\n\n") if p.strip()]
    lines: list[str] = []
    for number, paragraph in enumerate(paragraphs):
        lines += ([".PP"] if number else []) + _plain(paragraph)
    return lines


def _plain(text: str) -> list[str]:
    return [_text(line) for line in textwrap.wrap(" ".join(text.replace("\b", "").split()), 100)]


def _text(text: str) -> str:
    """Escape what roff would obey: backslashes, hyphens that must stay hyphens, a control character at the start."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq").replace("…", "...")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

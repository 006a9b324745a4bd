"""How commands with many options explain themselves: three examples that can be called, options by section."""

import re
import shlex

import click
import pytest

from tests.generators.reference import walk
from tests.worlds.running import run
from upgrade_gate.cli.help_pages import SECTIONS, ExplainedCommand, sections
from upgrade_gate.cli.option_sources import long_name

EXPLAINED = {path: command for path, command in walk() if isinstance(command, ExplainedCommand)}
MANY = 12
"""So many options nobody reads as one list."""


def test_every_command_with_many_options_is_explained() -> None:
    assert {path for path, command in walk() if len(command.params) > MANY} == set(EXPLAINED)


@pytest.mark.parametrize("path", EXPLAINED)
def test_the_help_begins_with_three_examples_that_can_be_called(path: str) -> None:
    command = EXPLAINED[path]
    assert len(command.examples) == 3
    for example in command.examples:
        words = shlex.split(re.split(r" [|>] ", example)[0])
        context = click.Context(command, info_name=path)
        values, rest, _ = command.make_parser(context).parse_args(words)
        missing = [p.name for p in command.params if p.required and values.get(p.name or "") is None]
        assert (missing, rest) == ([], []), example
    text = run(*path.split(), "--help").out
    assert text.index(f"upgrade-gate {path} {command.examples[0]}") < text.index("Release:")


def test_every_option_of_check_and_fleet_has_its_section() -> None:
    placed = {name for names in SECTIONS.values() for name in names.split()}
    for name, without in (("check", ["Fleet"]), ("fleet", [])):
        options = [o for o in EXPLAINED[name].params if isinstance(o, click.Option)]
        assert [long_name(o) for o in options if long_name(o) not in placed] == []
        assert [title for title, _ in sections(options)] == [title for title in SECTIONS if title not in without]


def test_an_option_of_one_command_alone_stands_first_and_none_is_lost() -> None:
    command = EXPLAINED["init rbac"]
    found = sections(command.params)
    assert found[0][0] == "Options"
    assert {long_name(o) for o in found[0][1]} == {"service-account", "for-hub", "for-snapshot", "without-secrets"}
    assert sum(len(options) for _, options in found) == sum(isinstance(p, click.Option) for p in command.params)

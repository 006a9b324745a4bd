"""README.md says what the program says of itself, and what it tells people to type does what it says."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from tests import reference
from tests.worlds.running import run
from upgrade_gate.cli import cli, configuration
from upgrade_gate.cli.options import configurable

NOT_CONTACTED = {"www.googleapis.com", "index.docker.io", "json-schema.org"}
"""Hosts in names only: a scope, a key of docker's config.json, a schema's own."""


def text() -> str:
    return reference.README.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["commands", "demo", "reference", "rules"])
def test_readme_holds_what_the_program_says(name: str) -> None:
    block = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", text(), re.DOTALL)
    assert block, f"README.md has no block {name}"
    assert block[1] == reference.blocks()[name], "run `make reference`"


def test_readme_names_every_exit_code() -> None:
    for code in (0, 1, 2, 3, 4, 130):
        assert f"\n| {code} | " in text(), code


def commands(pattern: str = r"```console\n(.*?)```") -> Iterator[str]:
    """Yield the commands of console blocks, continued lines joined."""
    for block in re.findall(pattern, text(), re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield " ".join(line[2:].split())


RUN = list(commands(r"<!-- run -->\n```console\n(.*?)```"))
SHOWN = sorted({line for line in commands() if line.startswith("upgrade-gate ")})


@pytest.fixture(scope="module")
def folder(fixtures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that README.md names; its commands run there one after the other."""
    folder = tmp_path_factory.mktemp("reader")
    for version in ("4.18.7", "4.19.2"):
        shutil.copytree(fixtures / "releases" / version, folder / version)
    shutil.copytree(fixtures / "clusters" / "aws-sts", folder / "must-gather.local.4141")
    (folder / "fixtures").symlink_to(fixtures)
    return folder


@pytest.mark.parametrize("line", RUN)
def test_what_can_be_run_ends_as_it_says(line: str, folder: Path) -> None:
    """The order of the page: later commands read what earlier ones wrote."""
    expected = re.search(r"# exits with (\d)", line)
    words = shlex.split(line, comments=True)
    assert words[0] == "upgrade-gate"
    result = run(*words[1:], cwd=folder)
    assert result.code == int(expected[1] if expected else 0), result.err
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word in {"--write", "-d"}:
            assert (folder / after).exists(), after
        if word == "-o" and "=" in after:
            assert (folder / after.partition("=")[2]).exists(), after


@pytest.mark.parametrize("line", SHOWN)
def test_every_command_and_option_that_is_shown_is_there(line: str) -> None:
    words = shlex.split(re.split(r" [>|] ", line)[0], comments=True)[1:]
    command: click.Command = cli
    context = click.Context(cli)
    path = []
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        path.append(words.pop(0))
        found = command.get_command(context, path[-1])
        assert found is not None, f"there is no command {' '.join(path)}"
        command = found
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    options = [word for word in words if re.match(r"--?[a-z]", word)]
    assert set(options) <= known, set(options) - known


def test_every_option_that_is_named_is_there() -> None:
    """Also those in sentences; other programs' are in console blocks or beside the program's name."""
    prose = re.sub(r"```.*?```", "", text(), flags=re.DOTALL)
    named = set(re.findall(r"`(--[a-z][a-z-]+)", prose))
    ours = {name for _, command in reference.walk() for option in command.params for name in option.opts}
    assert named <= ours | {"--credentials-requests"}, named - ours


def test_make_has_the_targets() -> None:
    makefile = (reference.README.parent / "Makefile").read_text(encoding="utf-8")
    for line in commands():
        if line.startswith("make "):
            assert re.search(rf"(?m)^{line.split()[1]}:", makefile), line


def test_the_links_in_the_page_lead_somewhere() -> None:
    titles = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"(?m)^##+ (.*)", text())
    }
    links = set(re.findall(r"\]\(#([a-z0-9-]+)\)", text()))
    assert links <= titles, links - titles


def test_every_host_that_the_program_knows_is_in_the_table(repository: Path) -> None:
    hosts = set()
    for room in ("reading", "clouds", "payloads", "cluster"):
        for path in (repository / "upgrade_gate" / room).rglob("*.py"):
            hosts |= set(re.findall(r'"https://([a-z0-9.-]+\.[a-z]+)[/"]', path.read_text(encoding="utf-8")))
    assert len(hosts) > 5
    assert {host for host in hosts - NOT_CONTACTED if f"`{host}`" not in text()} == set()


def test_the_configuration_that_is_shown_is_one(tmp_path: Path) -> None:
    (shown,) = (block for block in re.findall(r"```yaml\n(.*?)```", text(), re.DOTALL) if "policy:" in block)
    (tmp_path / "upgrade-gate.yaml").write_text(shown)
    loaded = configuration.load(tmp_path / "upgrade-gate.yaml", configurable(), found=False)
    assert loaded.accept == {"secret-exists"}
    assert set(loaded.policy) == {"request-unannotated"}


def test_the_acknowledgements_that_are_shown_are_read(tmp_path: Path) -> None:
    from upgrade_gate.gate import acknowledgements

    (shown,) = (block for block in re.findall(r"```yaml\n(.*?)```", text(), re.DOTALL) if "fingerprint" in block)
    (tmp_path / "acknowledgements.yaml").write_text(shown)
    (one,) = acknowledgements.load([str(tmp_path / "acknowledgements.yaml")])
    assert one.owner == yaml.safe_load(shown)["acknowledgements"][0]["owner"]


def test_the_keys_that_a_found_file_must_not_hold_are_those_that_it_refuses() -> None:
    sentence = re.search(r"A file that was found rather than named must not hold (.*?): a", text(), re.DOTALL)
    assert sentence
    assert set(re.findall(r"`([a-z-]+)`", sentence[1])) == set(configuration.REFUSED_WHEN_FOUND)

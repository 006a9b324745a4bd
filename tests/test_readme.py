"""What README.md and docs/using/ tell people to type does what they say."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from tests.generators import reference
from tests.worlds.running import run
from upgrade_gate.base.errors import ConfigurationError, ExitCode
from upgrade_gate.cli import cli, configuration
from upgrade_gate.cli.options import configurable
from upgrade_gate.gate import acknowledgements
from upgrade_gate.reading import required_version, settings_file

PAGES = (reference.README, *sorted((reference.DOCS / "using").glob("*.md")))
NOT_CONTACTED = {"www.googleapis.com", "index.docker.io", "json-schema.org"}
"""Hosts in names only: a scope, a key of docker's config.json, a schema's own."""


def text(name: str) -> str:
    """One page of docs/using."""
    return (reference.DOCS / "using" / name).read_text(encoding="utf-8")


def everything() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def test_every_exit_code_is_named() -> None:
    told = "\n".join((reference.DOCS / name).read_text() for name in ("reference/exit-codes.md", "contract.md"))
    for code in ExitCode:
        assert told.count(f"\n| {code.value} | ") == 2, code


def commands(pages: str, pattern: str = r"```console\n(.*?)```") -> Iterator[str]:
    """Yield the commands of console blocks, continued lines joined."""
    for block in re.findall(pattern, pages, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield " ".join(line[2:].split())


SHOWN = sorted({line for line in commands(everything()) if line.startswith("upgrade-gate ")})


def folder_of_a_reader(fixtures: Path, folder: Path) -> Path:
    """A folder with the files that the pages name."""
    for version in ("4.18.7", "4.19.2"):
        shutil.copytree(fixtures / "releases" / version, folder / version)
    shutil.copytree(fixtures / "clusters" / "aws-sts", folder / "must-gather.local.4141")
    (folder / "fixtures").symlink_to(fixtures)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_can_be_run_ends_as_it_says(page: Path, fixtures: Path, tmp_path: Path) -> None:
    """In the order of the page: later commands read what earlier ones wrote."""
    folder = folder_of_a_reader(fixtures, tmp_path)
    for line in commands(page.read_text(encoding="utf-8"), r"<!-- run -->\n```console\n(.*?)```"):
        expected = re.search(r"# exits with (\d)", line)
        words = shlex.split(line, comments=True)
        assert words[0] == "upgrade-gate"
        result = run(*words[1:], cwd=folder)
        assert result.code == int(expected[1] if expected else 0), f"{line}: {result.err}"
        for word, after in zip(words, [*words[1:], ""], strict=True):
            if word in {"--write", "-d"}:
                assert (folder / after).exists(), after
            if word == "-o" and "=" in after:
                assert (folder / after.partition("=")[2]).exists(), after


def test_there_is_something_to_run() -> None:
    assert len(list(commands(everything(), r"<!-- run -->\n```console\n(.*?)```"))) >= 10
    assert len(SHOWN) >= 18


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
    prose = re.sub(r"```.*?```", "", everything(), flags=re.DOTALL)
    named = set(re.findall(r"`(--[a-z][a-z-]+)", prose))
    ours = {name for _, command in reference.walk() for option in command.params for name in option.opts}
    assert named <= ours | {"--credentials-requests"}, named - ours


def test_make_has_the_targets() -> None:
    makefile = (reference.ROOT / "Makefile").read_text(encoding="utf-8")
    pages = "\n".join([everything(), *((reference.ROOT / name).read_text() for name in ("CONTRIBUTING.md",))])
    for line in commands(pages):
        if line.startswith("make "):
            for target in shlex.split(line, comments=True)[1:]:
                assert re.search(rf"(?m)^{target}:", makefile), line


def test_every_host_that_the_program_knows_is_in_the_table() -> None:
    hosts = set()
    for room in ("reading", "clouds", "payloads", "cluster"):
        for path in (reference.ROOT / "upgrade_gate" / room).rglob("*.py"):
            hosts |= set(re.findall(r'"https://([a-z0-9.-]+\.[a-z]+)[/"]', path.read_text(encoding="utf-8")))
    assert len(hosts) > 5
    assert {host for host in hosts - NOT_CONTACTED if f"`{host}`" not in text("rights-and-hosts.md")} == set()


def test_the_configuration_that_is_shown_is_one(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", text("configuration.md"), re.DOTALL)
    (tmp_path / "upgrade-gate.yaml").write_text(shown)
    loaded = configuration.load(tmp_path / "upgrade-gate.yaml", configurable(), found=False)
    assert loaded.accept == {"secret-exists"}
    assert set(loaded.policy) == {"request-unannotated"}


def test_the_acknowledgements_that_are_shown_are_read(tmp_path: Path) -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", text("acknowledgements.md"), re.DOTALL)
    (tmp_path / "acknowledgements.yaml").write_text(shown)
    (one,) = acknowledgements.load([str(tmp_path / "acknowledgements.yaml")])
    assert one.owner == yaml.safe_load(shown)["acknowledgements"][0]["owner"]
    keys = re.findall(r"(?m)^\| `([a-z-]+)` \|", text("acknowledgements.md"))
    assert set(keys) <= {*acknowledgements.REQUIRED, *acknowledgements.OPTIONAL, required_version.KEY}


def test_the_error_about_the_version_is_the_one_that_is_shown() -> None:
    (shown,) = re.findall(r"```text\n(.*?)\n```", text("configuration.md"), re.DOTALL)
    root = settings_file.parse(b'required-version: ">=0.4,<1"\n', "upgrade-gate.yaml")
    assert root is not None
    with pytest.raises(ConfigurationError) as caught:
        required_version.check(root, "0.3.0")
    assert caught.value.message == shown


def test_the_keys_that_a_found_file_may_hold_are_those_that_it_may() -> None:
    sentence = re.search(r"A file that was found rather than named may only tighten: (.*?)\. ", everything(), re.DOTALL)
    assert sentence
    said = {text.partition(":")[0] for text in re.findall(r"`([a-z-]+(?:: [a-z]+)?)`", sentence[1])}
    assert said == {*configuration.FOUND_MAY_SAY, "policy", required_version.KEY}

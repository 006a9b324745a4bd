"""The locks fit pyproject.toml: all that it asks for, nothing else, at versions that it allows, on every Python."""

import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from release import locks


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


def asked_for(project: dict[str, Any], name: str) -> list[Requirement]:
    """What pyproject.toml asks for in the environment that a lock is for."""
    extras = project["project"]["optional-dependencies"]
    core = project["project"]["dependencies"]
    lines: dict[str, list[str]] = {
        "core": core,
        "build": [*group(project, "build"), *project["build-system"]["requires"]],
        "dev": [*core, *(line for lines in extras.values() for line in lines), *group(project, "dev")],
        **{extra: [*core, *lines] for extra, lines in extras.items()},
    }
    return [Requirement(line) for line in lines[name]]


def group(project: dict[str, Any], name: str) -> Iterator[str]:
    for line in project["dependency-groups"][name]:
        if isinstance(line, str):
            yield line
        else:
            yield from group(project, line["include-group"])


NAMES = sorted(path.stem for path in locks.FOLDER.glob("*.txt"))


def test_there_is_a_lock_for_the_core_for_building_for_each_extra_and_for_developing(project: dict[str, Any]) -> None:
    assert sorted({"core", "build", "dev", *project["project"]["optional-dependencies"]}) == NAMES


@pytest.mark.parametrize("python", ["3.11.0", "3.11.9", "3.12.4", "3.13.0", "3.14.0"])
@pytest.mark.parametrize("name", NAMES)
def test_every_requirement_has_one_version_that_it_allows(project: dict[str, Any], name: str, python: str) -> None:
    machine = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    pins = [pin for pin in locks.read(name) if pin.applies(machine)]
    held = {pin.name: pin for pin in pins}
    assert len(held) == len(pins), "a package appears twice for one Python"
    for requirement in asked_for(project, name):
        pin = held.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement} is not in locks/{name}.txt: make lock"
        assert pin.version in requirement.specifier, f"{requirement}: locks/{name}.txt has {pin.version}: make lock"


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_holds_what_is_needed_and_nothing_else(project: dict[str, Any], name: str) -> None:
    """Followed through the metadata of what is installed here, which came from locks/dev.txt."""
    assert set(locks.here([name])) == closure(asked_for(project, name))


def closure(asked: list[Requirement]) -> set[NormalizedName]:
    seen: set[tuple[NormalizedName, str]] = set()
    waiting = [(requirement, extra) for requirement in asked for extra in ("", *requirement.extras)]
    while waiting:
        requirement, extra = waiting.pop()
        key = (canonicalize_name(requirement.name), extra)
        if key in seen:
            continue
        seen.add(key)
        for line in distribution(requirement.name).requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                waiting += [(needed, part) for part in ("", *needed.extras)]
    return {name for name, _ in seen}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "dev"])
def test_what_is_shipped_is_what_was_tested(name: str) -> None:
    tested = {(pin.name, pin.version): pin for pin in locks.read("dev")}
    for pin in locks.read(name):
        assert tested[pin.name, pin.version].digests == pin.digests, pin.name


def test_a_line_without_a_digest_or_an_exact_version_is_refused(tmp_path: Path) -> None:
    for line in ("click==8.2", "click>=8.2 --hash=sha256:" + "0" * 64, "click==8.2 --hash=md5:" + "0" * 32):
        (tmp_path / "core.txt").write_text(line + "\n", encoding="utf-8")
        with pytest.raises(ValueError, match="not an exact version with SHA-256 digests"):
            locks.read("core", tmp_path)

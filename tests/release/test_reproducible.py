"""Wheel and sdist are a function of the files: not of folder, day, umask or user, nor of what lies around."""

import gzip
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.release.conftest import make
from tests.worlds.components import require

pytestmark = pytest.mark.slow

EPOCH = 1_580_601_600
NOBODY = 65_534

LITTER = (
    ".git/config",
    ".venv/lib/planted.py",
    ".hypothesis/example",
    ".coverage.host.1",
    ".mypy_cache/cache.json",
    ".judges/node_modules/judge.js",
    "dist/upgrade_gate-0.0.1.tar.gz",
    "upgrade_gate/__pycache__/pipeline.cpython-311.pyc",
    "tests/__pycache__/conftest.cpython-311.pyc",
    "tests/.pytest_cache/README.md",
)
"""What a work tree gathers, and no build may hold."""

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", ".judges", ".coverage*", "dist"
)


@pytest.fixture(scope="module")
def plain(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artefacts of a fresh checkout."""
    require("python:build")
    tree = checkout(repository, tmp_path_factory.mktemp("plain") / "tree", file=0o644, folder=0o755, day=1_700_000_000)
    return build(tree, umask=0o022)


@pytest.fixture(scope="module")
def other(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of another folder, day, umask and (where root runs this) owner, with litter around."""
    tree = checkout(
        repository, tmp_path_factory.mktemp("other") / "a" / "b", file=0o600, folder=0o700, day=1_600_000_000
    )
    for name in LITTER:
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text("litter", encoding="utf-8")
    if os.geteuid() == 0:
        for path in (tree, *tree.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    return build(tree, umask=0o077)


def checkout(repository: Path, to: Path, *, file: int, folder: int, day: int) -> Path:
    shutil.copytree(repository, to, ignore=NOT_COPIED)
    for path in (to, *to.rglob("*")):
        path.chmod(folder if path.is_dir() else file)
        os.utime(path, (day, day))
    return to


def build(tree: Path, *, umask: int) -> Path:
    """Build as `make build` does, and return the folder."""
    environment = {"SOURCE_DATE_EPOCH": str(EPOCH), "TMPDIR": str(tree)}
    make(tree, "build", "--no-isolation", "--outdir", "built", umask=umask, env=environment)
    return tree / "built"


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_two_builds_have_the_same_bytes(plain: Path, other: Path, kind: str) -> None:
    (one,) = plain.glob(kind)
    (two,) = other.glob(kind)
    assert one.name == two.name
    assert one.read_bytes() == two.read_bytes()


def test_the_sdist_names_no_owner_and_no_time_of_its_own(other: Path) -> None:
    (sdist,) = other.glob("*.tar.gz")
    assert int.from_bytes(gzip_header(sdist)[4:8], "little") == EPOCH
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert {(m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, "", "")}
    assert {m.mtime for m in members} == {EPOCH}
    assert {m.mode for m in members} <= {0o644, 0o755}


def gzip_header(path: Path) -> bytes:
    """RFC 1952: magic, method, flags, then four bytes of time."""
    with gzip.open(path) as stream:
        stream.peek(1)
    return path.read_bytes()[:10]


def test_the_wheel_has_one_time_and_plain_modes(other: Path) -> None:
    (wheel,) = other.glob("*.whl")
    infos = zipfile.ZipFile(wheel).infolist()
    assert {info.date_time for info in infos} == {(2020, 2, 2, 0, 0, 0)}
    assert {info.external_attr >> 16 & 0o777 for info in infos} == {0o644}


def test_neither_holds_what_lies_around(other: Path) -> None:
    (wheel,) = other.glob("*.whl")
    (sdist,) = other.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}
    assert not sources & set(LITTER)
    assert not {name for name in sources if name.startswith((".git/", ".venv", "dist", "built", ".ci"))}
    assert not {name for name in zipfile.ZipFile(wheel).namelist() if "__pycache__" in name or name.startswith("tests")}


def test_the_sdist_can_build_the_wheel_and_be_tested(plain: Path, repository: Path) -> None:
    """`build` made the wheel from it; what `make test` needs is in it too."""
    (sdist,) = plain.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        sources = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {path.relative_to(repository).as_posix() for path in (repository / "locks").glob("*.txt")}
    assert wanted | {"Makefile", "pyproject.toml", "release/locks.py", "tests/conftest.py", "SECURITY.md"} <= sources

"""The single file runs with Python alone, unpacks where nobody else can write, and notices what was changed there."""

import hashlib
import json
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from release import single_file
from tests.release.conftest import PYTHON, Offline, make

pytestmark = pytest.mark.slow

CHOSEN = "UPGRADE_GATE_PYZ_DIR"
CLI = """
import os, sys
import library
def console():
    rules = os.path.join(os.path.dirname(os.path.dirname(__file__)), "rules")
    print(library.NAME, sorted(os.listdir(rules)), sys.argv[1:])
    return 3
"""
COMPLETION = "def console():\n    print('candidates')\n    return 0\n"
ANSWER = "library ['one.py', 'two.py'] ['check']\n"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A single file of two small wheels, whose program tells which of its files it sees."""
    folder = tmp_path_factory.mktemp("small")
    wheels = {
        "upgrade_gate-1-py3-none-any.whl": {
            "upgrade_gate/__init__.py": "",
            "upgrade_gate/cli/__init__.py": CLI,
            "upgrade_gate/cli/plugin_completion.py": COMPLETION,
            "upgrade_gate/rules/one.py": "1\n",
            "upgrade_gate/rules/two.py": "2\n",
        },
        "library-1-py3-none-any.whl": {
            "library-1.data/purelib/library/__init__.py": "NAME = 'library'\n",
            "library-1.data/scripts/library": "#!python\n",
        },
    }
    for name, files in wheels.items():
        with zipfile.ZipFile(folder / name, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
    file = folder / "upgrade-gate.pyz"
    file.write_bytes(single_file.pack(folder / name for name in wheels))
    file.chmod(0o755)
    return file


def run(file: Path, *arguments: str, place: Path | str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, file, *(arguments or ("check",))],
        env={**os.environ, CHOSEN: str(place), **env},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def unpacked(place: Path) -> Path:
    (folder,) = (path for path in place.iterdir() if path.name != ".lock")
    return folder


def manifest(file: Path) -> bytes:
    return zipfile.ZipFile(file).read("manifest")


@pytest.mark.parametrize("form", [[], [PYTHON]], ids=["by itself", "python3 FILE"])
def test_the_demo_runs_with_python_alone_and_without_a_network(
    release: Path, tmp_path: Path, offline: Offline, form: list[str]
) -> None:
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}"
    env = {CHOSEN: str(tmp_path / "place"), "PATH": path}
    done = offline(*form, release / "upgrade-gate.pyz", "demo", cwd=tmp_path, env=env)
    assert "BLOCKED" in done.stdout, done.stderr
    assert "demo: check would exit with 3" in done.stderr
    assert done.returncode == 0


def test_the_same_wheels_give_the_same_bytes(release: Path, repository: Path, tmp_path: Path) -> None:
    make(repository, "release.single_file", str(release / "wheelhouse"), str(tmp_path), umask=0o077)
    for name in ("upgrade-gate.pyz", "upgrade-gate.pyz.cdx.json", "upgrade-gate.pyz.sha256"):
        assert (tmp_path / name).read_bytes() == (release / name).read_bytes(), name


def test_its_bill_of_materials_has_its_own_digest(release: Path) -> None:
    whole = json.loads((release / "upgrade-gate.pyz.cdx.json").read_text(encoding="utf-8"))["metadata"]["component"]
    assert whole["hashes"][0]["content"] == hashlib.sha256((release / "upgrade-gate.pyz").read_bytes()).hexdigest()
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "upgrade-gate.pyz.sha256"], cwd=release, check=True)


def test_it_unpacks_once_for_its_user_alone_under_its_digest(small: Path, tmp_path: Path) -> None:
    place = tmp_path / "a" / "place"
    for _ in range(2):
        done = run(small, place=place, PYTHONDONTWRITEBYTECODE="")
        assert (done.returncode, done.stdout, done.stderr) == (3, ANSWER, "")
    folder = unpacked(place)
    assert folder.name == hashlib.sha256(manifest(small)).hexdigest()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert place.stat().st_mode & 0o777 == 0o700
    assert not list((folder / "packages").rglob("*.pyc"))


def test_an_unpacked_file_that_is_right_is_not_written_again(small: Path, tmp_path: Path) -> None:
    run(small, place=tmp_path)
    before = unpacked(tmp_path).stat().st_ino
    run(small, place=tmp_path)
    assert unpacked(tmp_path).stat().st_ino == before


def cut(folder: Path) -> None:
    (folder / "library/__init__.py").write_text("", encoding="utf-8")


def change(folder: Path) -> None:
    (folder / "upgrade_gate/rules/two.py").write_text("3\n", encoding="utf-8")


def plant(folder: Path) -> None:
    (folder / "yaml.py").write_text("", encoding="utf-8")


def link(folder: Path) -> None:
    (folder / "library/__init__.py").rename(folder.parent / "elsewhere")
    (folder / "library/__init__.py").symlink_to(folder.parent / "elsewhere")


def take_rule(folder: Path) -> None:
    (folder / "upgrade_gate/rules/one.py").unlink()


def take_all(folder: Path) -> None:
    folder.rename(folder.parent / "gone")


@pytest.mark.parametrize("damage", [cut, change, plant, link, take_rule, take_all])
def test_what_was_changed_since_is_unpacked_again(small: Path, tmp_path: Path, damage: Callable[[Path], None]) -> None:
    run(small, place=tmp_path)
    damage(unpacked(tmp_path) / "packages")
    done = run(small, place=tmp_path)
    assert (done.returncode, done.stdout) == (3, ANSWER), done.stderr
    names = {
        p.relative_to(unpacked(tmp_path) / "packages").as_posix() for p in unpacked(tmp_path).glob("packages/**/*.py")
    }
    assert names == {line.split(" ", 2)[2] for line in manifest(small).decode().splitlines()[1:]}
    assert not any(path.is_symlink() for path in unpacked(tmp_path).rglob("*"))


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The first line of a run that did not begin; exit code 1 is never a verdict."""
    assert done.returncode == 1
    assert done.stdout == ""
    first, hint = done.stderr.splitlines()
    assert first.startswith("error: no verdict was reached: ")
    assert hint.startswith("hint: ")
    return first


def test_a_place_where_others_may_write_is_refused(small: Path, tmp_path: Path) -> None:
    for mode, inner in ((0o777, "place"), (0o770, "place/deeper"), (0o777, ".")):
        place = tmp_path / f"{mode:o}{len(inner)}"
        place.mkdir()
        os.chown(place, -1, 4242 if os.geteuid() == 0 else -1)
        place.chmod(mode)
        if os.geteuid() or mode == 0o777:
            assert "others may write in" in refused(run(small, place=place / inner))
    sticky = tmp_path / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    assert run(small, place=sticky / "mine").stdout == ANSWER


def test_a_folder_that_somebody_else_made_is_refused(small: Path, tmp_path: Path) -> None:
    name = hashlib.sha256(manifest(small)).hexdigest()
    (tmp_path / "open" / name).mkdir(parents=True)
    (tmp_path / "open" / name).chmod(0o755)
    assert "not a folder of yours alone" in refused(run(small, place=tmp_path / "open"))
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / name).symlink_to(tmp_path / "open" / name)
    assert "not a folder of yours alone" in refused(run(small, place=tmp_path / "link"))
    if os.geteuid() == 0:
        (tmp_path / "open" / name).chmod(0o700)
        os.chown(tmp_path / "open" / name, 4242, 4242)
        assert "not a folder of yours alone" in refused(run(small, place=tmp_path / "open"))


def test_a_home_that_cannot_be_written_asks_for_another_folder(small: Path, tmp_path: Path) -> None:
    done = run(small, place="", HOME="/dev/null", XDG_CACHE_HOME="")
    assert "cannot unpack into /dev/null/.cache/upgrade-gate-pyz" in refused(done)
    assert CHOSEN in done.stderr
    assert "is no absolute path" in refused(run(small, place="relative"))
    assert run(small, place="", HOME=str(tmp_path), XDG_CACHE_HOME="").stdout == ANSWER
    assert (tmp_path / ".cache" / "upgrade-gate-pyz").is_dir()


def test_starts_at_once_unpack_once(small: Path, tmp_path: Path) -> None:
    (tmp_path / ".new-left-by-a-kill").mkdir()
    started = [
        subprocess.Popen([PYTHON, small, "check"], env={**os.environ, CHOSEN: str(tmp_path)}, stdout=-1, text=True)
        for _ in range(6)
    ]
    assert {process.communicate(timeout=120)[0] for process in started} == {ANSWER}
    assert unpacked(tmp_path).is_dir()


def test_neither_pythonpath_nor_the_working_folder_lends_a_module(small: Path, tmp_path: Path) -> None:
    """But for what Python itself loads before it comes to the file, where it was not started isolated."""
    planted = tmp_path / "planted"
    planted.mkdir()
    told = tmp_path / "told"
    names = ("upgrade_gate", "library", "zlib", "zipfile", "hashlib", "fcntl", "tempfile", "shutil", "pkgutil", "json")
    for name in (*names, "sitecustomize"):
        text = f"open({str(told)!r}, 'a').write('{name} ')\nraise ImportError('planted')\n"
        (planted / f"{name}.py").write_text(text, encoding="utf-8")
    environment = {**os.environ, CHOSEN: str(tmp_path / "place"), "PYTHONPATH": str(planted)}

    def heard(*command: object) -> set[str]:
        told.write_text("", encoding="utf-8")
        done = subprocess.run(
            [*map(str, command)], cwd=planted, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        if small in command:
            assert done.stdout == ANSWER, done.stderr
        return set(told.read_text(encoding="utf-8").split())

    assert heard(PYTHON, "-I", small, "check") == set()
    (tmp_path / "place").rename(tmp_path / "other")
    assert heard(PYTHON, small, "check") <= heard(PYTHON, "-c", "pass")


def test_another_python_or_machine_is_told_so(small: Path, tmp_path: Path) -> None:
    changed = tmp_path / "upgrade-gate.pyz"
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            new.writestr(name, b"cpython-399 linux vax\n" if name == "manifest" else old.read(name))
    assert "this file is for cpython-399 linux vax" in refused(run(changed, place=tmp_path / "place"))


def test_a_file_that_was_damaged_on_the_way_is_not_run(small: Path, tmp_path: Path) -> None:
    changed = tmp_path / "upgrade-gate.pyz"
    with zipfile.ZipFile(small) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b"\n", b"\n" + b"0", 1) if name == "manifest" else content)
    assert "is damaged" in refused(run(changed, place=tmp_path / "place"))


def test_a_link_of_the_name_that_kubectl_asks_answers_with_candidates(small: Path, tmp_path: Path) -> None:
    (tmp_path / "kubectl_complete-upgrade_gate").symlink_to(small)
    done = run(tmp_path / "kubectl_complete-upgrade_gate", "", place=tmp_path / "place")
    assert (done.returncode, done.stdout) == (0, "candidates\n")


def test_two_wheels_that_disagree_are_not_packed(tmp_path: Path) -> None:
    for name, text in (("one-1-py3-none-any.whl", "1"), ("two-1-py3-none-any.whl", "2")):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("shared.py", text)
    with pytest.raises(ValueError, match=r"two-1-py3-none-any.whl: shared.py stands in another wheel"):
        single_file.pack(sorted(tmp_path.glob("*.whl")))

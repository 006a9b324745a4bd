"""What lies in the working folder may be a pull request's: no module of it is imported, no setting of it loosens."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

PLANTED = 'import os; os.write(2, b"PLANTED " + __name__.encode()); os._exit(0)\n'
MODULES = (
    *("yaml", "requests", "click", "msgspec", "kubernetes", "jinja2", "rich", "deepdiff", "zstandard", "platformdirs"),
    *("urllib3", "certifi", "packaging", "boto3", "azure", "google", "pysequoia", "ssl", "json", "tempfile", "signal"),
    *("pathlib", "typing", "re", "gc", "random", "encodings", "sitecustomize", "usercustomize", "_pytest", "socks"),
)
SCRIPTS = ("upgrade-gate", "oc-upgrade_gate", "kubectl-upgrade_gate")


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A working folder with a module of every name that a run imports, and ours."""
    for name in MODULES:
        (tmp_path / f"{name}.py").write_text(PLANTED)
    for name in ("upgrade_gate", "requests", "yaml", "clouds", "cli"):
        (tmp_path / name).mkdir()
        for file in ("__init__", "__main__", "cli", "pipeline", "_yaml"):
            (tmp_path / name / f"{file}.py").write_text(PLANTED)
    (tmp_path / "x.pth").write_text(f"import os; os._exit(0)\n{tmp_path}\n")
    (tmp_path / "pyvenv.cfg").write_text("home = /nonexistent\n")
    (tmp_path / "setup.cfg").write_text("[x]\n")
    return tmp_path


def start(command: Sequence[str | Path], cwd: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**kept, "HOME": str(cwd / "home"), "KUBECONFIG": "", **changes},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def forms() -> list[list[str]]:
    """Return the ways to start the program that are installed here."""
    folder = Path(sys.executable).parent
    scripts = [[str(folder / name)] for name in SCRIPTS if (folder / name).exists()]
    module = [[sys.executable, *flags, "-m", "upgrade_gate"] for flags in ([], ["-P"], ["-I"])]
    return [*scripts, *module]


@pytest.mark.parametrize("form", forms(), ids=lambda form: " ".join(Path(word).name for word in form))
def test_nothing_of_the_working_folder_is_imported(form: list[str], planted: Path, fixtures: Path) -> None:
    if form[1:] == ["-m", "upgrade_gate"]:  # Python finds the package itself before any line of ours runs
        shutil.rmtree(planted / "upgrade_gate")
    releases = fixtures / "releases"
    pair = ("--from", f"dir:{releases / '4.18.7'}", "--to", f"dir:{releases / '4.19.2'}")
    line = [*form, "check", *pair, "--no-cluster", "--platform", "AWS", "--identities", "export:home", "-o", "html"]
    (planted / "home").mkdir()
    (planted / "home" / "a.json").write_text("{}")
    done = start(line, planted)
    assert "PLANTED" not in done.stderr
    assert done.returncode == 3, done.stderr
    assert "<html" in done.stdout


@pytest.mark.parametrize("words", [("--version",), ("demo",), ("schema",), ("rules",), ("completion", "bash")])
def test_no_command_imports_from_the_working_folder(words: Sequence[str], planted: Path) -> None:
    done = start([sys.executable, "-P", "-m", "upgrade_gate", *words], planted)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert "PLANTED" not in done.stderr


def test_safe_path_of_python_is_honoured(planted: Path) -> None:
    assert start([sys.executable, "-m", "upgrade_gate", "rules"], planted, PYTHONSAFEPATH="1").returncode == 0


def check(fixtures: Path, cwd: Path, *more: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Check a pair that blocks."""
    releases = fixtures / "releases"
    pair = ("--from", f"dir:{releases / '4.18.7'}", "--to", f"dir:{releases / '4.19.2'}")
    line = [sys.executable, "-m", "upgrade_gate", "check", *pair, "--no-cluster", "--platform", "AWS", *more]
    return start(line, cwd, **changes)


LOOSER = "acknowledgements: [a.yaml]\n"
STRICTER = "fail-on: warning\n"


@pytest.mark.parametrize(
    "text",
    [
        *(LOOSER, "policy: {permission-added: info}\n", "policy: {accept: [secret-exists]}\n", "fail-on: blocker\n"),
        *("verify: 'off'\n", "require-proof: false\n", "mode: mint\n", "offline: true\n", "insecure: [quay.io]\n"),
        *("registry-config: /etc/passwd\n", "graph: https://evil.example.com\n", "output: [json=/tmp/x]\n"),
        *("cache-dir: planted\n", "identities: {default: x}\n", "assume: [cluster-tag]\n", "now: '2000-01-01'\n"),
        *("? {a: b}\n: c\n", "<<: {fail-on: blocker}\n", "&a [*a]\n", "fail-on: warning\nfail-on: blocker\n", "- x\n"),
        *("--- \nfail-on: warning\n--- \nmode: mint\n", "fail-on: !!python/name:os.system warning\n", "\0", "'"),
        "a: &a [x,x]\n" + "".join(f"b{n}: &b{n} [*{'a' if not n else f'b{n - 1}'}]\n" for n in range(50)),
    ],
)
def test_a_planted_configuration_loosens_nothing(text: str, tmp_path: Path, fixtures: Path) -> None:
    (tmp_path / "upgrade-gate.yaml").write_text(text)
    (tmp_path / "a.yaml").write_text("acknowledgements: []\n")
    done = check(fixtures, tmp_path)
    assert done.returncode == 2, done.stderr
    assert "upgrade-gate.yaml" in done.stderr.splitlines()[0]


@pytest.mark.parametrize("name", ["upgrade-gate.yml", "Upgrade-Gate.yaml", "UPGRADE-GATE.YAML", ".upgrade-gate.yaml"])
@pytest.mark.parametrize("text", [LOOSER, STRICTER])
def test_another_spelling_is_not_read_and_said_so(name: str, text: str, tmp_path: Path, fixtures: Path) -> None:
    (tmp_path / name).write_text(text)
    done = check(fixtures, tmp_path)
    assert done.returncode == 3, done.stderr
    assert f"{name} is not read" in done.stderr
    assert "upgrade-gate.yaml" in done.stderr
    named = check(fixtures, tmp_path, "--config", name)
    assert "is not read" not in named.stderr


@pytest.mark.parametrize(
    "kind", ["pipe", "folder", "dangling link", "link to a pipe", "link outside", "huge", "device"]
)
def test_what_only_bears_its_name_is_refused(kind: str, tmp_path: Path, fixtures: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    place = folder / "upgrade-gate.yaml"
    secret = tmp_path / "outside.yaml"
    secret.write_text("hunter2: of another user\n")
    match kind:
        case "pipe":
            os.mkfifo(place)
        case "folder":
            place.mkdir()
        case "dangling link":
            place.symlink_to("nowhere")
        case "link to a pipe":
            os.mkfifo(folder / "pipe")
            place.symlink_to("pipe")
        case "link outside":
            place.symlink_to(secret)
        case "huge":
            with place.open("wb") as file:
                file.truncate(10 * 2**30)
        case _:
            place.symlink_to("/dev/zero")
    done = check(fixtures, folder)
    assert done.returncode == 2, done.stderr
    assert "upgrade-gate.yaml" in done.stderr.splitlines()[0]
    assert "hunter2" not in done.stderr


def test_a_link_inside_of_the_folder_is_read_as_a_mounted_one_is(tmp_path: Path, fixtures: Path) -> None:
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "upgrade-gate.yaml").write_text("label: [a=b]\n")
    (tmp_path / "upgrade-gate.yaml").symlink_to("..data/upgrade-gate.yaml")
    done = check(fixtures, tmp_path, "-o", "json")
    assert done.returncode == 3, done.stderr
    assert '"a": "b"' in done.stdout or '"a":"b"' in done.stdout


@pytest.mark.parametrize(
    "name",
    [
        *("UPGRADE_GATE_CONFIG", "UPGRADE_GATE_ACKNOWLEDGEMENTS", "UPGRADE_GATE_FAIL_ON", "UPGRADE_GATE_CHECK_MODE"),
        *("UPGRADE_GATE_POLICY", "UPGRADE_GATE_CHECK_ACKNOWLEDGEMENTS", "UPGRADE_GATE_VERBOSE", "CONFIG", "MODE"),
    ],
)
def test_the_environment_sets_no_option(name: str, tmp_path: Path, fixtures: Path) -> None:
    plain = check(fixtures, tmp_path, "-o", "json", "--now", "2026-11-02", SOURCE_DATE_EPOCH="1790000000")
    assert plain.returncode == 3, plain.stderr
    changed = {name: "mint", "SOURCE_DATE_EPOCH": "1790000000"}
    other = check(fixtures, tmp_path, "-o", "json", "--now", "2026-11-02", **changed)
    assert (other.returncode, other.stdout) == (3, plain.stdout)


def test_a_configuration_above_or_at_home_is_not_looked_for(tmp_path: Path, fixtures: Path) -> None:
    below = tmp_path / "work" / "deeper"
    below.mkdir(parents=True)
    for place in (tmp_path, tmp_path / "work", tmp_path / ".config"):
        place.mkdir(exist_ok=True)
        (place / "upgrade-gate.yaml").write_text(LOOSER)
    shutil.copytree(tmp_path / ".config", below / "home" / ".config")
    done = check(fixtures, below)
    assert done.returncode == 3, done.stderr

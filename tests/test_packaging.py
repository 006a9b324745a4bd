"""What is installed: the wheel carries its data and nothing of the repository around it, and works on its own."""

import os
import subprocess
import sys
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.worlds.components import require

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the work tree as it is."""
    require("python:build")
    require("python:hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(repository)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_every_file_of_the_package(wheel: Path, repository: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    package = repository / "upgrade_gate"
    wanted = {
        str(path.relative_to(repository))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted <= names, sorted(wanted - names)
    assert "upgrade_gate/py.typed" in names
    assert any(name.startswith("upgrade_gate/data/demo/target/") for name in names)


def test_the_wheel_holds_nothing_else_but_the_manual_page(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {"upgrade_gate"}
    data = [name.partition("/")[2] for name in names if name.split("/")[0].endswith(".data")]
    assert data == ["data/share/man/man1/upgrade-gate.1"]


def test_the_metadata_names_licence_python_and_commands(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (info,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        metadata = Parser().parsestr(archive.read(f"{info}/METADATA").decode())
        commands = archive.read(f"{info}/entry_points.txt").decode()
        licence = archive.read(f"{info}/licenses/LICENSE").decode()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"
    assert set(metadata.get_all("Provides-Extra") or []) == {"verify", "aws", "azure", "gcp"}
    for command in ("upgrade-gate", "oc-upgrade_gate", "kubectl-upgrade_gate"):
        assert f"{command} = upgrade_gate.cli:console\n" in commands + "\n"
    for command in ("oc_complete-upgrade_gate", "kubectl_complete-upgrade_gate"):
        assert f"{command} = upgrade_gate.cli.plugin_completion:console\n" in commands + "\n"
    assert "Apache License" in licence
    assert "Version 2.0" in licence


def test_the_installed_wheel_runs_away_from_the_repository(wheel: Path, tmp_path: Path) -> None:
    """Dependencies come from this environment; the package itself only from the wheel."""
    venv.create(tmp_path / "venv", with_pip=False)
    (site,) = (tmp_path / "venv" / "lib").glob("python3*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    ours = next(Path(p) for p in sys.path if p.endswith("site-packages"))
    # not as a .pth file: that would run the editable install of this environment
    script = f"import sys; sys.path.append({str(ours)!r}); from upgrade_gate.cli import console; sys.exit(console())"
    python = tmp_path / "venv" / "bin" / "python"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    for arguments, code in ((["rules"], 0), (["schema"], 0), (["demo"], 0)):
        done = subprocess.run(
            [python, "-c", script, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, (arguments, done.stderr)
        assert done.stdout, arguments

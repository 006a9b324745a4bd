"""The wheelhouse installs without a network what was locked, and its bill of materials says so."""

import json
import shutil
import subprocess
import venv
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from release import locks
from tests.release.conftest import Offline

pytestmark = pytest.mark.slow

FASTER = {"PIP_NO_COMPILE": "1"}
"""pip writes no bytecode: most of the time of an installation."""


@pytest.fixture(scope="module")
def wheelhouse(release: Path) -> Path:
    return release / "wheelhouse"


def commands(wheelhouse: Path, prefix: Path) -> str:
    """What INSTALL.txt tells a person to type, for another folder than /opt."""
    lines = (wheelhouse / "INSTALL.txt").read_text(encoding="utf-8").splitlines()
    return "\n".join(line for line in lines if line.startswith("    ")).replace("/opt/upgrade-gate", str(prefix))


def test_what_the_instructions_say_installs_a_working_program_without_a_network(
    wheelhouse: Path, tmp_path: Path, offline: Offline
) -> None:
    done = offline(
        "bash", "-euo", "pipefail", "-c", commands(wheelhouse, tmp_path / "venv"), cwd=wheelhouse, env=FASTER
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BLOCKED" in done.stdout
    assert "demo: check would exit with 3" in done.stderr


def test_a_wheel_that_was_changed_is_not_installed(wheelhouse: Path, tmp_path: Path, offline: Offline) -> None:
    """Neither by the digests of the folder, nor by pip itself."""
    copied = shutil.copytree(wheelhouse, tmp_path / "wheelhouse")
    (wheel,) = copied.glob("click-*.whl")
    with wheel.open("ab") as stream:
        stream.write(b"\0")
    venv.create(tmp_path / "venv", with_pip=True)
    install = ("--no-index", "--find-links", ".", "--require-hashes", "-r", "requirements.txt")
    done = offline(tmp_path / "venv" / "bin" / "pip", "install", *install, cwd=copied)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert offline("sha256sum", "--check", "SHA256SUMS", cwd=copied).returncode == 1


def test_the_digests_are_of_every_other_file(wheelhouse: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=wheelhouse, check=True)
    listed = {line.split("  ")[1] for line in (wheelhouse / "SHA256SUMS").read_text(encoding="utf-8").splitlines()}
    assert listed == {path.name for path in wheelhouse.iterdir()} - {"SHA256SUMS"}


@pytest.mark.parametrize("bill", ["wheelhouse/sbom.cdx.json", "upgrade-gate.pyz.cdx.json"])
def test_the_bill_of_materials_is_valid(release: Path, bill: str) -> None:
    text = (release / bill).read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


@pytest.mark.parametrize("bill", ["wheelhouse/sbom.cdx.json", "upgrade-gate.pyz.cdx.json"])
def test_the_bill_of_materials_names_what_the_lock_has(release: Path, bill: str) -> None:
    document = json.loads((release / bill).read_text(encoding="utf-8"))
    listed = {part["name"]: part for part in document["components"]}
    locked = locks.here(["core", "verify"])
    assert set(listed) == {*locked, canonicalize_name("upgrade-gate")}
    for name, pin in locked.items():
        assert listed[name]["version"] == str(pin.version)
        assert listed[name]["purl"] == f"pkg:pypi/{name}@{pin.version}"
        (found,) = listed[name]["hashes"]
        assert found["alg"] == "SHA-256"
        assert found["content"] in pin.digests, name


def test_the_bill_of_materials_says_what_needs_what_and_under_which_licence(wheelhouse: Path) -> None:
    document = json.loads((wheelhouse / "sbom.cdx.json").read_text(encoding="utf-8"))
    needs = {entry["ref"].partition("@")[0]: entry.get("dependsOn", []) for entry in document["dependencies"]}
    assert {ref.partition("@")[0] for ref in needs["pkg:pypi/jinja2"]} == {"pkg:pypi/markupsafe"}
    assert {"pkg:pypi/click", "pkg:pypi/pysequoia"} <= {ref.partition("@")[0] for ref in needs["pkg:pypi/upgrade-gate"]}
    assert [part["name"] for part in document["components"] if not part.get("licenses")] == []

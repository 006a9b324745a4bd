"""Make a folder from which pip installs upgrade-gate without a network: wheels, locked list, bill, digests, and how.

The wheels of the libraries are those of `locks/`, by digest, for the Python and the platform that run this.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from release import locks
from release.bill import PRODUCT, bill, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).resolve().parents[1]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
BUILD = (sys.executable, "-m", "build", "--wheel", "--no-isolation")

INSTRUCTIONS = """\
upgrade-gate {version} for {python} on {machine}, without a network

Check that nothing changed on the way, and compare the digest of SHA256SUMS itself with the one that you were told:

    sha256sum --check --quiet SHA256SUMS && sha256sum SHA256SUMS

Install, in this folder; pip takes only files whose digest stands in requirements.txt:

    {command} -m venv /opt/upgrade-gate
    /opt/upgrade-gate/bin/pip install --no-index --find-links . --require-hashes -r requirements.txt
    /opt/upgrade-gate/bin/upgrade-gate demo

"no matching distribution" means another Python or platform than the one above: make a wheelhouse there.
What is in it, with licences: sbom.cdx.json (CycloneDX).
"""


def make(folder: Path, extras: Sequence[str]) -> None:
    """Fill a folder; raises subprocess.CalledProcessError where a wheel cannot be had or has another digest."""
    chosen = [word for name in ("core", *extras) for word in ("-r", str(locks.FOLDER / f"{name}.txt"))]
    locked = ("--require-hashes", "--only-binary", ":all:", "--no-deps")
    calls: tuple[Sequence[str | Path], ...] = (
        (*BUILD, "-o", folder, ROOT),
        (*PIP, "download", *locked, "-d", folder, *chosen),
    )
    for call in calls:
        subprocess.run(call, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words, and no shell
    wheels = sorted(folder.glob("*.whl"))
    (folder / "requirements.txt").write_text(_requirements(wheels), encoding="utf-8")
    (folder / "sbom.cdx.json").write_text(bill(wheels, file="wheelhouse"), encoding="utf-8")
    (folder / "INSTALL.txt").write_text(_instructions(wheels), encoding="utf-8")
    (folder / "SHA256SUMS").write_text(checksums(sorted(folder.iterdir())), encoding="utf-8")


def checksums(paths: Iterable[Path]) -> str:
    """Return lines for `sha256sum --check`."""
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in paths)


def _requirements(wheels: Iterable[Path]) -> str:
    """Return the list for `pip install --require-hashes`: each wheel by version and digest."""
    return "".join(f"{w.name}=={w.version} --hash=sha256:{w.digest}\n" for w in map(read, wheels))


def _instructions(wheels: Sequence[Path]) -> str:
    (version,) = (wheel.version for wheel in map(read, wheels) if wheel.name == PRODUCT)
    python = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    command = python.replace("Python ", "python")
    return INSTRUCTIONS.format(version=version, python=python, command=command, machine=_platform(wheels))


def _platform(wheels: Iterable[Path]) -> str:
    """Return which machine the wheels want; where they name the C library (PEP 600), the oldest that suits all."""
    wanted = [
        min(versions)
        for wheel in wheels
        if (versions := [found for tag in parse_wheel_filename(wheel.name)[3] if (found := _glibc(tag.platform))])
    ]
    machine = f"{platform.system()} {platform.machine()}"
    return f"{machine}, glibc {'.'.join(map(str, max(wanted)))} or newer" if wanted else machine


def _glibc(tag: str) -> tuple[int, ...] | None:
    found = re.match(r"manylinux_(\d+)_(\d+)_", tag)
    return tuple(map(int, found.groups())) if found else None


def main() -> None:
    """Make the folder beside its place, and put it there when it is whole."""
    parser = argparse.ArgumentParser(description="Make a wheelhouse of upgrade-gate for this Python and platform.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--extras", default="verify", help="comma-separated, from: verify, aws, azure, gcp")
    arguments = parser.parse_args()
    target: Path = arguments.folder
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as new:
        folder = Path(new) / target.name
        folder.mkdir(mode=0o755)
        make(folder, [name for name in arguments.extras.split(",") if name])
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)


if __name__ == "__main__":
    main()

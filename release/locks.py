"""Read `locks/`: which version of each package is taken, on which machines, and which digests its files may have.

The files are written by `make lock` in the form that `pip install --require-hashes -r` reads. One file holds for every
Python from 3.11 on: where versions part, each line carries an environment marker (PEP 508).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from packaging.markers import Marker

FOLDER = Path(__file__).resolve().parents[1] / "locks"


class Pin(NamedTuple):
    """One package at one version."""

    name: NormalizedName
    version: Version
    marker: Marker | None
    """Where the line counts; None where it always does."""
    digests: frozenset[str]
    """SHA-256 in hexadecimal digits, of every file of this version that an index offers."""

    def applies(self, machine: Mapping[str, str] | None = None) -> bool:
        """Return whether the line counts on a machine, given as environment of PEP 508; on this one by default."""
        return self.marker is None or self.marker.evaluate(dict(machine or {}))


def read(name: str, folder: Path = FOLDER) -> tuple[Pin, ...]:
    """Return the pins of `NAME.txt`; raises ValueError where a line is no exact version with SHA-256 digests."""
    text = (folder / f"{name}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = (line.strip() for line in text.splitlines())
    return tuple(_pin(line) for line in lines if line and not line.startswith("#"))


def here(names: Iterable[str]) -> dict[NormalizedName, Pin]:
    """Return what several locks pin on this machine together; raises ValueError where two disagree."""
    together: dict[NormalizedName, Pin] = {}
    for pin in (pin for name in names for pin in read(name) if pin.applies()):
        if together.setdefault(pin.name, pin).version != pin.version:
            raise ValueError(
                f"{pin.name}: {together[pin.name].version} in one lock, {pin.version} in another; make lock"
            )
    return together


def _pin(line: str) -> Pin:
    words, *hashes = line.split(" --hash=")
    requirement = Requirement(words.strip())
    (exact,) = requirement.specifier
    digests = frozenset(text.strip().removeprefix("sha256:") for text in hashes)
    if exact.operator != "==" or not digests or any(len(digest) != 64 for digest in digests):
        raise ValueError(f"{line}: not an exact version with SHA-256 digests")
    return Pin(canonicalize_name(requirement.name), Version(exact.version), requirement.marker, digests)

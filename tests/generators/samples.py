"""The sample reports in `reports/`: what each format looks like, and at once the golden files of the formats.

`make reports` writes them again; a change in them needs a line in CHANGELOG.md. Samples of real releases are written
only where the shared corpus is (`UPGRADE_GATE_SHARED`).
"""

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.worlds import old_state
from tests.worlds.running import run
from upgrade_gate.base import plugins

ROOT = Path(__file__).resolve().parents[2]
REPORTS = ROOT / "reports"

ENDINGS = {
    "codequality": "codequality.json",
    "github": "github.txt",
    "html": "html",
    "json": "json",
    "junit": "junit.xml",
    "markdown": "md",
    "policyreport": "policyreport.yaml",
    "sarif": "sarif",
    "text": "txt",
}
READ_BY_PEOPLE = ("html", "json", "markdown", "text")

_COLLECTED = 1_793_523_600
_COMMON = ("--now", "2026-11-02", "--label", "change=CHG0012345")
RUNS: Mapping[str, tuple[Path, tuple[str, ...]]] = {
    "demo": (
        ROOT / "upgrade_gate" / "data" / "demo",
        (
            *("--from", "dir:current", "--to", "dir:target", "--cluster", "must-gather:cluster"),
            *("--acknowledgements", "acknowledgements.yaml"),
        ),
    ),
    "azure": (
        ROOT / "fixtures",
        (
            *("--from", "dir:releases/4.18.7", "--to", "dir:releases/4.19.2"),
            *("--cluster", "must-gather:clusters/azure-workload-identity"),
        ),
    ),
}
"""Name of the sample, the folder in which the command runs, and its arguments: no absolute path, no clock."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two releases of the shared corpus, on a cluster and an export that hold exactly what the older one asks for."""

    platform: str
    old: str
    new: str
    token: bool = False

    @property
    def name(self) -> str:
        """What its samples are called."""
        return f"{self.old}-{self.new}-{self.platform.casefold()}"


PAIRS = {
    pair.name: pair
    for pair in (
        Pair("AWS", "4.12.0", "4.13.0", token=True),
        Pair("Azure", "4.13.0", "4.14.0"),
        Pair("GCP", "4.14.0", "4.15.0", token=True),
        Pair("PowerVS", "4.12.0", "4.13.0"),
        Pair("Nutanix", "4.12.0", "4.13.0"),
    )
}


def write(folder: Path, name: str) -> None:
    """Write one sample in every format into a folder."""
    place, arguments = RUNS[name]
    _check(folder, name, place, (*arguments, *_COMMON), plugins.names("report.formats"))


def write_pair(folder: Path, name: str, shared: Path) -> None:
    """Write the sample of a pair of real releases, in the formats that people read."""
    pair = PAIRS[name]
    with tempfile.TemporaryDirectory() as place:
        here = Path(place).resolve()
        releases = shared / "corpus" / "releases"
        state = old_state.make(
            releases, here, pair.platform, pair.old, pair.new, token=pair.token, change=_with_namespaces
        )
        (here / "releases").symlink_to(releases)
        for path in state.export.iterdir():
            os.utime(path, (_COLLECTED, _COLLECTED))  # an export's age stands in the report
        arguments = [a.replace(f"{releases}/", "releases/").replace(f"{here}/", "") for a in state.arguments()]
        at = arguments.index("--now")
        del arguments[at : at + 2]
        _check(folder, name, here, (*arguments, *_COMMON), READ_BY_PEOPLE)


def _with_namespaces(objects: dict[str, dict[str, Any]]) -> None:
    """Add the namespaces that the older releases have, although nothing there asks for credentials yet."""
    for name in ("openshift-cloud-controller-manager", "openshift-image-registry"):
        metadata = {"name": "builder-token", "namespace": name}
        other = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": {}}
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        objects.setdefault(f"Namespace/{name}", space)
        objects.setdefault(f"Secret/{name}/builder-token", other)


def _check(folder: Path, name: str, place: Path, arguments: Sequence[str], formats: Sequence[str]) -> None:
    outputs = [f"-o{form}={folder / f'{name}.{ENDINGS[form]}'}" for form in formats]
    done = run("check", *arguments, *outputs, cwd=place, env={"SOURCE_DATE_EPOCH": "1793610000", "COLUMNS": "80"})
    assert done.code in {0, 3, 4}, done.err


if __name__ == "__main__":
    for sample in RUNS:
        write(REPORTS, sample)
    corpus = os.environ.get("UPGRADE_GATE_SHARED")
    for sample in PAIRS if corpus else ():
        write_pair(REPORTS, sample, Path(corpus or ""))

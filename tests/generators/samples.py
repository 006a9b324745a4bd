"""The sample reports in `reports/`: what each format looks like, and at once the golden files of the formats.

`make reports` writes them again; a change in them needs a line in CHANGELOG.md. Samples of real releases are written
only where the shared corpus is (`UPGRADE_GATE_SHARED`).
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.generators import sample_fleet
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
    "policies": (
        ROOT / "fixtures" / "policies",
        (
            *("--from", "dir:../releases/4.18.7", "--to", "dir:../releases/4.19.2"),
            *("--no-cluster", "--platform", "AWS", "--identities", "policies:iam"),
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
    with _state(PAIRS[name], shared) as (here, arguments):
        _check(folder, name, here, (*arguments, *_COMMON), READ_BY_PEOPLE)


PLAN = Pair("Azure", "4.13.0", "4.14.99")
PLAN_FORMATS = ("html", "json", "text")
_UPDATES = {
    "4.13.0": ("4.13.99", "4.14.0", "4.14.99"),
    "4.13.99": ("4.14.0", "4.14.99"),
    "4.14.0": ("4.14.99",),
    "4.14.99": ("4.15.0", "4.15.99"),
    "4.15.0": ("4.15.99",),
}
"""What the sample's update graph recommends."""
_CONDITIONAL = {
    "edges": [{"from": "4.14.0", "to": "4.15.99"}, {"from": "4.14.0", "to": "4.15.0"}],
    "risks": [{"name": "AzureRegistryStalls", "message": "The image registry may stall where images are pushed."}],
}


def write_plan(folder: Path, shared: Path) -> None:
    """Write the sample of a plan over real releases, in an invented update graph of them, into a folder."""
    with _state(PLAN, shared) as (here, arguments):
        versions = sorted({*_UPDATES, *(new for news in _UPDATES.values() for new in news)})
        edges = [[versions.index(old), versions.index(new)] for old, news in _UPDATES.items() for new in news]
        nodes = [
            {"version": version, "payload": f"registry.example.com/release@sha256:{version}"} for version in versions
        ]
        graph = {"nodes": nodes, "edges": edges, "conditionalEdges": [_CONDITIONAL]}
        (here / "graph.json").write_text(json.dumps(graph))
        at = arguments.index("--to")
        del arguments[at : at + 2]
        outputs = [f"-o{form}={folder / f'plan.{ENDINGS[form]}'}" for form in PLAN_FORMATS]
        asked = ("--to-minor", "4.15", "--graph", "graph.json", "--releases", "releases", *arguments, *_COMMON)
        done = run("plan", *asked, *outputs, cwd=here, env={"SOURCE_DATE_EPOCH": "1793610000"})
        assert done.code == 0, done.err


@contextmanager
def _state(pair: Pair, shared: Path) -> Iterator[tuple[Path, list[str]]]:
    """Make a cluster and an export that hold what the older release asks for; yield where, and the check's options."""
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
        yield here, arguments


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
    sample_fleet.write(REPORTS)
    corpus = os.environ.get("UPGRADE_GATE_SHARED")
    for sample in PAIRS if corpus else ():
        write_pair(REPORTS, sample, Path(corpus or ""))
    if corpus:
        write_plan(REPORTS, Path(corpus))

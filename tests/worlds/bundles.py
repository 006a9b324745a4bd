"""What tests of the remediation bundle share: outcomes of real pairs, bundles on disk, and command lines that record.

The fake command lines (`fake_cli.py`) keep every argv, and apply what they are told to an export of the old state, so
that the gate can judge the new one.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from tests.worlds.fake_cli import TOOLS, CommandLines, only_looks
from tests.worlds.programs import Answer, on_path
from upgrade_gate import pipeline
from upgrade_gate.base import plugins
from upgrade_gate.cli.run import reports_for_bundle
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.pipeline import Inputs
from upgrade_gate.proof.collect import load_export
from upgrade_gate.proof.identity_map import Identities
from upgrade_gate.proof.proof import Claims
from upgrade_gate.remedy import bundle as remediation
from upgrade_gate.report import build
from upgrade_gate.requests.update import Given

TODAY = date(2026, 11, 1)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two releases of the corpus, and the shared case whose cluster runs the first one."""

    case: str
    old: str
    new: str
    dumped: str
    """The version that the dumped cluster names."""
    via: tuple[str, ...] = ()


AWS = Pair("aws-sts-nothing-done", "4.13.99", "4.14.0", "4.13.99")
AWS_OLDER = Pair("aws-sts-nothing-done", "4.12.0", "4.13.0", "4.13.99")
AWS_KEYS = Pair("aws-keys-nothing-done", "4.13.99", "4.14.0", "4.13.99")
AZURE = Pair("azure-keys-contributor", "4.13.0", "4.14.0", "4.13.99")
AZURE_TOKEN = Pair("azure-workload-identity", "4.14.99", "4.15.0", "4.14.99")
GCP = Pair("gcp-roles-to-permissions", "4.14.0", "4.15.0", "4.14.99")
POWERVS = Pair("powervs-new-component", "4.12.0", "4.13.0", "4.12.99")
NUTANIX = Pair("nutanix-new-component-secret-missing", "4.12.0", "4.13.0", "4.12.99")
PAIRS = {
    "aws": AWS,
    "aws-older": AWS_OLDER,
    "aws-keys": AWS_KEYS,
    "azure": AZURE,
    "azure-token": AZURE_TOKEN,
    "gcp": GCP,
    "powervs": POWERVS,
    "nutanix": NUTANIX,
}


def dump(shared: Path, folder: Path, pair: Pair, change: Callable[[str], str] = lambda text: text) -> Path:
    """Copy the case's dumped cluster, with the pair's version in place of its own."""
    source = shared / "cases" / "gate" / pair.case / "cluster"
    target = folder / "cluster"
    for path in source.rglob("*"):
        if path.is_file():
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(change(path.read_text().replace(pair.dumped, pair.old)))
    return target


def outcome(
    shared: Path,
    cluster: Path,
    pair: Pair,
    *,
    claims: Claims | None = None,
    releases: Path | None = None,
    weighing: Weights | None = None,
) -> Outcome:
    """Run the gate on a pair."""
    folder = releases or shared / "corpus" / "releases"
    reader = plugins.load("cluster.readers", "must_gather").open_dump(cluster, read_secrets=True)
    plan = Inputs(
        to=f"dir:{folder / pair.new}",
        from_=f"dir:{folder / pair.old}",
        via=tuple(f"dir:{folder / version}" for version in pair.via),
        settings=Settings(cache_dir=None),
        reader=reader,
        claims=claims or Claims(),
        given=Given(),
    )
    return pipeline.check(plan, weighing or Weights(today=TODAY))


def reports(run: Outcome) -> Mapping[str, bytes]:
    """Return the reports that a bundle of a run holds."""
    return reports_for_bundle(build.of_outcome(run, labels={}, now="2026-11-01"))


def bundle(run: Outcome, folder: Path) -> Path:
    """Write the bundle of a run into a folder."""
    for name, content in remediation.build(run, reports(run)).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def requests(run: Outcome, *, old: bool) -> dict[str, Any]:
    """Return the requests of one side by their Secret's name, in `namespace/name` form."""
    hop = run.comparison.hops[0]
    selection = hop.old_selection if old else hop.new_selection
    return {str(s.request.secret): s.request for s in selection.requests.values() if s.request.secret is not None}


def claims(folder: Path, identities: Mapping[str, str], account: str) -> Claims:
    """Return what an export in a folder and the configuration claim."""
    return Claims(collection=load_export(folder), identities=Identities(by_secret=dict(identities), account=account))


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run of commands.sh left behind."""

    code: int
    out: str
    err: str
    calls: tuple[tuple[str, ...], ...]

    @property
    def changes(self) -> tuple[tuple[str, ...], ...]:
        """The calls that are no mere look-up."""
        return tuple(call for call in self.calls if not only_looks(call))


@dataclass(slots=True)
class Shell:
    """A folder with fake command lines, and what they work on."""

    folder: Path
    export: Path
    cluster: Path | None = None
    endpoint: str = ""
    """Where `aws` asks."""
    elsewhere: Mapping[str, str | None] = field(default_factory=dict)
    """What the command lines say that they are logged in to, by what it is, where it is not what was judged; None where
    they cannot tell."""
    break_at: int | None = None
    """The call, counted from zero, that fails; a change among them has happened all the same."""
    stop_at: int | None = None
    """The change, counted from zero, that is refused: as where a session ends while the script runs."""

    def run(
        self,
        script: Path,
        *arguments: str,
        values: Mapping[str, str] | None = None,
        answer: Answer | None = None,
        sure: bool = True,
    ) -> Ran:
        """Run a part of commands.sh in its folder, with nothing on PATH but the fakes and the base system.

        The part is `grant` where none is given; `after` gets the word that it wants, if `sure`. `answer` stands for
        what the fakes would do; the calls are kept all the same.
        """
        word = ("--no-rollback",) if sure and arguments == ("after",) else ()
        where = whereabouts(script, values or {}, self.elsewhere)
        tools = CommandLines(self.export, self.cluster, self.endpoint, where, answer, self.stop_at, self.break_at)
        with on_path(self.folder, TOOLS, tools.answer):
            done = subprocess.run(
                ["bash", str(script), *(arguments or ("grant",)), *word],
                env={"PATH": f"{self.folder}:/usr/bin:/bin", **(values or {})},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
        return Ran(done.returncode, done.stdout, done.stderr, tuple(tools.calls))


def whereabouts(
    script: Path, values: Mapping[str, str], elsewhere: Mapping[str, str | None]
) -> Mapping[tuple[str, ...], str | None]:
    """Return what each command answers by which a script proves where it is: what was judged, or something else."""
    found: dict[tuple[str, ...], str | None] = {}
    for line in script.read_text().splitlines():
        if line.startswith("  here "):
            _, what, judged, *call = (_filled(word, values) for word in words_of(line))
            found[tuple(call)] = elsewhere.get(what, judged)
        if line.startswith("  upgraded "):
            _, version, *call = (_filled(word, values) for word in words_of(line))
            found[tuple(call)] = elsewhere.get("newest update", f"{version} Completed")
        if line.startswith("  reached "):
            _, versions, *call = (_filled(word, values) for word in words_of(line))
            found[tuple(call)] = elsewhere.get("newest update", f"{versions.rpartition(';')[2]} Completed")
    return found


def _filled(word: str, values: Mapping[str, str]) -> str:
    return {"$kube": "oc", **{f"${{{name}}}": value for name, value in values.items()}}.get(word, word)


def words_of(line: str) -> list[str]:
    """Return a line of a script as bash reads it, variables as they are written."""
    shown = 'for word in "$@"; do printf "%s\\0" "$word"; done'
    text = re.sub(r'"(\$\{\w+\}|\$kube)"', r"'\1'", line.strip())
    done = subprocess.run(["bash", "-c", f"set -- {text}; {shown}"], capture_output=True, text=True, check=True)
    return done.stdout.split("\0")[:-1]


def shellcheck(script: Path, program: Path) -> str:
    """Return what shellcheck has against a script, empty where it has nothing."""
    done = subprocess.run([str(program), str(script)], capture_output=True, text=True, timeout=120, check=False)
    return done.stdout


def parse_everything(folder: Path) -> int:
    """Parse every JSON and YAML file of a bundle; return how many there were."""
    parsed = 0
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".json":
            json.loads(path.read_text())
            parsed += 1
        elif path.suffix in {".yaml", ".yml"}:
            assert list(yaml.safe_load_all(path.read_text()))
            parsed += 1
    return parsed


def copy_release(shared: Path, folder: Path, version: str) -> Path:
    """Copy one release of the corpus, so that a test can add to it."""
    target = folder / version
    folder.mkdir(exist_ok=True)
    shutil.copytree(shared / "corpus" / "releases" / version, target)
    for path in target.iterdir():
        path.chmod(0o644)
    target.chmod(0o755)
    return target

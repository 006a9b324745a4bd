"""The sample reports in `reports/`: what each format looks like, and at once the golden files of the formats.

`make reports` writes them again; a change in them needs a line in CHANGELOG.md.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from upgrade_gate import plugins

ROOT = Path(__file__).resolve().parent.parent
REPORTS = ROOT / "reports"

ENDINGS = {
    "codequality": "codequality.json",
    "github": "github.txt",
    "html": "html",
    "json": "json",
    "junit": "junit.xml",
    "markdown": "md",
    "sarif": "sarif",
    "text": "txt",
}

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


def write(folder: Path, name: str) -> None:
    """Write one sample in every format into a folder."""
    place, arguments = RUNS[name]
    outputs = [f"-o{form}={folder / f'{name}.{ENDINGS[form]}'}" for form in plugins.names("formats")]
    done = subprocess.run(
        [sys.executable, "-m", "upgrade_gate", "check", *arguments, *_COMMON, *outputs],
        cwd=place,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1793610000", "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode in {0, 3, 4}, done.stderr


if __name__ == "__main__":
    for sample in RUNS:
        write(REPORTS, sample)

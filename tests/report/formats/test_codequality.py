import json
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import judges, sample_report
from upgrade_gate.report.formats import codequality
from upgrade_gate.report.render_options import RenderOptions

# GitLab documentation, Code Quality, "Code Quality report format": the fields that an issue must have
GITLAB = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\.?/)[^\s]+$"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def issues(case: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(codequality.render(sample_report.ALL[case](), RenderOptions()))
    return found


@pytest.mark.slow
def test_every_report_has_the_fields_that_gitlab_wants(tmp_path: Path) -> None:
    schema = tmp_path / "gitlab.json"
    schema.write_text(json.dumps(GITLAB))
    files = []
    for case, make in sample_report.ALL.items():
        files.append(tmp_path / f"{case}-issues.json")
        files[-1].write_bytes(codequality.render(make(), RenderOptions()))
    assert judges.check_schema(schema, *files) == ""


def test_the_worst_findings_have_the_worst_severity_and_accepted_ones_none() -> None:
    severities = {i["description"]: i["severity"] for i in issues("full")}
    assert severities["aws-ebs-csi-driver-operator gains 3 permissions"] == "blocker"
    assert severities["ClusterOperator cloud-credential could not be read"] == "critical"
    assert severities["openshift-image-registry differs from the payload in the cluster"] == "minor"
    assert severities["acknowledged: openshift-machine-api-aws loosens kms:CreateGrant"] == "info"
    assert severities["proven: openshift-ingress gains 1 permission"] == "info"


@pytest.mark.parametrize("case", ["empty", "difference"])
def test_no_finding_is_an_empty_list(case: str) -> None:
    assert issues(case) == []

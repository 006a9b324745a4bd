from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.worlds import judges, sample_report
from tests.worlds.components import require
from upgrade_gate.report.document import Report
from upgrade_gate.report.formats import junit
from upgrade_gate.report.render_options import RenderOptions


def read(report: Report) -> Any:
    """Return the document as another program's reader understands it."""
    require("python:junitparser")
    import junitparser

    return junitparser.JUnitXml.fromstring(junit.render(report, RenderOptions()))


def outcomes(report: Report) -> dict[str, str]:
    return {case.name: type(case.result[0]).__name__ if case.result else "passed" for s in read(report) for case in s}


@pytest.mark.parametrize("case", sample_report.ALL)
def test_every_report_passes_the_schema_of_jenkins(case: str) -> None:
    require("python:lxml")
    from lxml import etree

    schema = etree.XMLSchema(etree.parse(str(judges.junit_schema())))
    document = etree.parse(BytesIO(junit.render(sample_report.ALL[case](), RenderOptions())))
    assert schema.validate(document), schema.error_log


def test_the_schema_of_jenkins_refuses_an_attribute_on_skipped(tmp_path: Path) -> None:
    require("python:lxml")
    from lxml import etree

    schema = etree.XMLSchema(etree.parse(str(judges.junit_schema())))
    document = junit.render(sample_report.report(), RenderOptions()).replace(b"<skipped>", b'<skipped message="x">')
    assert not schema.validate(etree.parse(BytesIO(document)))


def test_a_request_ends_as_its_gravest_finding_says() -> None:
    found = outcomes(sample_report.report())
    assert found[sample_report.EBS] == "Failure"
    assert found[sample_report.CAPA] == "Failure"
    assert found[sample_report.MACHINE] == "Skipped"
    assert found[sample_report.INGRESS] == "passed"
    assert found[sample_report.REGISTRY] == "passed", "a warning fails nothing"
    assert found["read ClusterOperator cloud-credential"] == "Error"
    assert found["cco-not-upgradeable: ClusterOperator cloud-credential condition"] == "Failure"
    assert found["verdict"] == "Failure", "the gate is shut"


def test_warnings_fail_where_the_gate_fails_on_warnings() -> None:
    report = sample_report.report()
    assert report.verdict is not None
    verdict = msgspec.structs.replace(report.verdict, fail_on="warning")
    assert outcomes(msgspec.structs.replace(report, verdict=verdict))[sample_report.REGISTRY] == "Failure"


def test_every_request_that_the_target_applies_has_a_case_even_unchanged() -> None:
    unchanged = sample_report.report(findings=[], changes=[])
    assert outcomes(unchanged) == {
        **dict.fromkeys(unchanged.requests.to, "passed"),
        **{f"read {f.name}": "passed" for f in unchanged.cluster.facts if f.state != "unknown"},  # type: ignore[union-attr]
        **{f"read {f.name}": "Skipped" for f in unchanged.cluster.facts if f.state == "unknown"},  # type: ignore[union-attr]
        "verdict": "Failure",
    }


def test_an_empty_run_is_still_two_suites() -> None:
    suites = list(read(sample_report.empty()))
    assert [suite.name for suite in suites] == ["upgrade-gate requests", "upgrade-gate cluster"]
    assert [case.name for suite in suites for case in suite] == ["verdict"]


def test_the_counts_are_those_of_the_cases() -> None:
    document = read(sample_report.report())
    cases = [case for suite in document for case in suite]
    kinds = [type(case.result[0]).__name__ for case in cases if case.result]
    assert (document.tests, document.failures, document.errors) == (
        len(cases),
        kinds.count("Failure"),
        kinds.count("Error"),
    )


def test_a_failure_tells_what_to_do() -> None:
    failure = next(
        case.result[0] for suite in read(sample_report.report()) for case in suite if case.name == sample_report.EBS
    )
    assert failure.message == "aws-ebs-csi-driver-operator gains 3 permissions"
    assert failure.type == "permission-added"
    assert "+ ec2:EnableFastSnapshotRestores [COST]" in failure.text
    assert "aws iam put-role-policy --role-name" in failure.text
    assert "0000_50_cluster-storage-operator_03_aws.yaml:14" in failure.text


def test_what_was_accepted_says_by_whom_and_until_when() -> None:
    skipped = junit.render(sample_report.report(), RenderOptions()).decode().partition("<skipped>acknowledged")[2]
    assert "acknowledged by cloud-team@example.com, valid through 2026-12-31, CHG0012345" in skipped


def test_hostile_names_stay_text() -> None:
    names = [case.name for suite in read(sample_report.hostile()) for case in suite]
    assert any("<script>alert(1)</script>" in name for name in names)
    assert all("\n" not in name for name in names)

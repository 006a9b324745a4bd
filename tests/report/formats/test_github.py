import re
from urllib.parse import unquote

import pytest

from tests.worlds import sample_report
from upgrade_gate.report.document import Report
from upgrade_gate.report.formats import github
from upgrade_gate.report.render_options import RenderOptions

COMMAND = re.compile(r"::(?P<level>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")


def lines(report: Report) -> list[str]:
    return github.render(report, RenderOptions()).decode().splitlines()


def annotations(report: Report) -> list[tuple[str, dict[str, str], str]]:
    """Read the commands as the runner does: properties end at a comma, values are unescaped."""
    found = []
    for line in lines(report):
        match = COMMAND.fullmatch(line)
        if match:
            properties = dict(p.split("=", 1) for p in match["properties"].split(","))
            found.append((match["level"], {k: unquote(v) for k, v in properties.items()}, unquote(match["message"])))
    return found


def test_the_worst_come_first_and_each_component_once() -> None:
    found = annotations(sample_report.report())
    assert [(level, p.get("title")) for level, p, _ in found] == [
        ("error", "aws-ebs-csi-driver-operator"),
        ("error", "openshift-cluster-api-aws"),
        ("error", "ClusterOperator cloud-credential condition"),
        ("error", "ClusterOperator cloud-credential"),
        ("warning", "acknowledgement 1234"),
        ("warning", "openshift-image-registry"),
        ("notice", "upgrade-gate"),
    ]
    assert "Not caught by OpenShift" in found[0][2]
    assert found[0][1]["line"] == "14"


def test_at_most_ten_errors_and_ten_warnings_and_the_last_line_counts_the_rest() -> None:
    found = annotations(sample_report.large(50))
    levels = [level for level, _, _ in found]
    errors, warnings = 33, 17
    assert (levels.count("error"), levels.count("warning"), levels.count("notice")) == (10, 10, 1)
    assert lines(sample_report.large(50))[-1].startswith("::notice ")
    assert found[-1][2].endswith(
        f"{errors - 10} more errors and {warnings - 10} more warnings in the log and in the summary"
    )


def test_what_is_not_annotated_is_in_the_log() -> None:
    text = "\n".join(line for line in lines(sample_report.large(50)) if not line.startswith("::"))
    assert all(f.fingerprint in text for f in sample_report.large(50).findings)


def test_a_pass_annotates_nothing_but_the_verdict() -> None:
    found = annotations(sample_report.quiet())
    assert [level for level, _, _ in found] == ["notice"]
    assert found[0][2].startswith("PASS 4.14.1 to 4.14.2")


def test_hostile_names_issue_no_command() -> None:
    report = sample_report.hostile()
    assert [level for level, _, _ in annotations(report)] == ["error", "error", "notice"]
    for line in lines(report):
        assert "##[" not in line, "the runner takes this for a command wherever it stands"
        if line.lstrip().startswith("::"):
            assert COMMAND.fullmatch(line), line


@pytest.mark.parametrize("name", ["a:b,c=d", "100%", "%0A::error::x"])
def test_properties_are_escaped(name: str) -> None:
    report = sample_report.report(findings=[sample_report.finding("permission-added", f"ns/{name}", "x")], changes=[])
    assert annotations(report)[0][1]["title"] == name

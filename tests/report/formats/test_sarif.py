import gzip
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from tests.worlds import judges, sample_report
from tests.worlds.components import require
from upgrade_gate.gate.findings import catalogue
from upgrade_gate.report.document import EvidenceView, Report
from upgrade_gate.report.formats import sarif
from upgrade_gate.report.render_options import RenderOptions


def render(report: Report) -> bytes:
    return sarif.render(report, RenderOptions())


def run(report: Report) -> dict[str, Any]:
    runs: list[dict[str, Any]] = json.loads(render(report))["runs"]
    assert len(runs) == 1, "GitHub takes one run of a tool and category"
    return runs[0]


def write_all(folder: Path) -> list[Path]:
    files = []
    for case, make in sample_report.ALL.items():
        files.append(folder / f"{case}.sarif")
        files[-1].write_bytes(render(make()))
    return files


@pytest.mark.slow
def test_every_report_passes_the_schema(tmp_path: Path) -> None:
    assert judges.check_schema(judges.sarif_schema(), *write_all(tmp_path)) == ""


@pytest.mark.slow
def test_the_schema_refuses_a_level_that_is_none(tmp_path: Path) -> None:
    bad = tmp_path / "bad.sarif"
    bad.write_bytes(render(sample_report.report()).replace(b'"level": "error"', b'"level": "fatal"'))
    assert "fatal" in judges.check_schema(judges.sarif_schema(), bad)


def test_another_reader_counts_what_we_wrote(tmp_path: Path) -> None:
    require("python:sarif")
    from sarif import loader

    file = tmp_path / "full.sarif"
    file.write_bytes(render(sample_report.report()))
    read = loader.load_sarif_file(str(file))
    assert read.get_distinct_tool_names() == ["upgrade-gate"]
    assert read.get_result_count() == len(sample_report.report().findings)


@pytest.mark.parametrize("case", sample_report.ALL)
def test_every_result_has_a_relative_place_and_a_line(case: str) -> None:
    """One result without either, and GitHub refuses the whole file."""
    for result in run(sample_report.ALL[case]())["results"]:
        assert len(result["locations"]) == 1
        for location in result["locations"] + result.get("relatedLocations", []):
            physical = location["physicalLocation"]
            uri = urlsplit(physical["artifactLocation"]["uri"])
            assert (uri.scheme, uri.netloc, uri.query, uri.fragment) == ("", "", "", "")
            assert uri.path
            assert not uri.path.startswith("/")
            assert ".." not in uri.path.split("/")
            assert re.fullmatch(r"[A-Za-z0-9%/._~-]+", uri.path)
            assert physical["region"]["startLine"] >= 1


def test_the_place_is_the_line_in_the_target_and_the_others_are_related() -> None:
    result = next(r for r in run(sample_report.report())["results"] if r["ruleId"] == "permission-added")
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "0000_50_cluster-storage-operator_03_aws.yaml"
    assert physical["region"]["startLine"] == 14
    assert [r["message"]["text"] for r in result["relatedLocations"]] == ["current release"]


def test_a_finding_that_no_file_shows_is_placed_in_the_configuration() -> None:
    result = next(r for r in run(sample_report.report())["results"] if r["ruleId"] == "fact-unknown")
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "upgrade-gate.yaml"


@pytest.mark.parametrize("case", sample_report.ALL)
def test_results_name_their_rule_and_carry_our_fingerprint(case: str) -> None:
    report = sample_report.ALL[case]()
    document = run(report)
    rules = document["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in document["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    found = [r["partialFingerprints"]["upgradeGate/v1"] for r in document["results"]]
    assert sorted(found) == sorted(f.fingerprint for f in report.findings)


def test_rules_bring_the_help_of_the_catalogue() -> None:
    for rule in run(sample_report.report())["tool"]["driver"]["rules"]:
        known = catalogue().get(rule["id"])
        if known:
            assert rule["shortDescription"]["text"] == known.title
            assert rule["help"]["text"] == known.explanation
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]


def test_only_what_is_accepted_or_proven_is_suppressed() -> None:
    report = sample_report.report()
    suppressed = {
        r["partialFingerprints"]["upgradeGate/v1"]: r["suppressions"]
        for r in run(report)["results"]
        if "suppressions" in r
    }
    assert set(suppressed) == {f.fingerprint for f in report.findings if f.status != "open"}
    text = json.dumps(list(suppressed.values()))
    assert "the key policy holds the condition (cloud-team@example.com, valid through 2026-12-31, CHG0012345)" in text
    assert "COVERED route53:ListTagsForResources by route53:List*" in text


def test_levels_follow_what_the_gate_does_with_a_finding() -> None:
    levels = {r["ruleId"]: r["level"] for r in run(sample_report.report())["results"]}
    assert levels["permission-added"] == "error"
    assert levels["fact-unknown"] == "error"
    assert levels["live-request-drift"] == "warning"
    assert levels["permission-rephrased"] == "note"


def test_warnings_are_errors_where_the_gate_fails_on_warnings() -> None:
    report = sample_report.report()
    assert report.verdict is not None
    strict = msgspec.structs.replace(report, verdict=msgspec.structs.replace(report.verdict, fail_on="warning"))
    levels = {r["ruleId"]: r["level"] for r in run(strict)["results"]}
    assert levels["live-request-drift"] == "error"


@pytest.mark.slow
def test_the_limits_of_code_scanning_are_kept() -> None:
    places = [EvidenceView(side="to", file=f"f{n}.yaml", document=0, line=1) for n in range(1500)]
    findings = [sample_report.finding("permission-added", "ns/a", "a", evidence=places)]
    findings += [sample_report.finding("secret-missing", f"ns/{n}", "x", severity="warning") for n in range(26_000)]
    document = run(sample_report.report(findings=findings, changes=[]))
    assert len(document["results"]) == 25_000
    assert document["results"][0]["ruleId"] == "permission-added", "the worst are kept"
    assert len(document["results"][0]["locations"] + document["results"][0]["relatedLocations"]) <= 1000
    notes = [n["message"]["text"] for n in document["invocations"][0]["toolExecutionNotifications"]]
    assert "1001 milder findings are left out: code scanning takes 25,000 results" in notes
    assert all(len(rule["properties"]["tags"]) <= 10 for rule in document["tool"]["driver"]["rules"])


def test_a_large_report_is_far_below_ten_megabytes_packed() -> None:
    assert len(gzip.compress(render(sample_report.large()))) < 1_000_000


def test_runs_of_one_cluster_replace_each_other_whatever_the_versions() -> None:
    first, second = sample_report.report(), sample_report.report(hops=sample_report.quiet().hops)
    assert run(first)["automationDetails"] == run(second)["automationDetails"]
    assert run(first)["automationDetails"]["id"] == "upgrade-gate/0b7d1c5e-6f1c-4d1b-9d5a-2f3e4a5b6c7d/"


def test_hostile_names_make_no_link() -> None:
    for result in run(sample_report.hostile())["results"]:
        assert not re.search(r"(?<!\\)[\[\]]", result["message"]["text"])

"""The PolicyReport, judged by the schema of its CRD as @kubernetes-models/kyverno compiles it."""

from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from tests.worlds import judges, sample_report
from upgrade_gate.report import view
from upgrade_gate.report.document import Hop, Report
from upgrade_gate.report.formats import policyreport
from upgrade_gate.report.render_options import RenderOptions


def render(report: Report) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(policyreport.render(report, RenderOptions()))
    return document


def by_rule(report: Report) -> dict[str, dict[str, Any]]:
    return {f"{r['rule']} {r['properties'].get('request', '')}".strip(): r for r in render(report)["results"]}


@pytest.mark.parametrize("case", sample_report.ALL)
def test_the_schema_of_the_crd_accepts_it(case: str) -> None:
    complaints = judges.check_policy_report(render(sample_report.ALL[case]()))
    assert complaints == ""


def test_the_judge_refuses_what_the_crd_refuses() -> None:
    broken = render(sample_report.report())
    broken["results"][0]["result"] = "maybe"
    assert "result" in judges.check_policy_report(broken)


@pytest.mark.parametrize(
    ("rule", "result", "severity"),
    [
        (f"permission-added {sample_report.EBS}", "fail", "high"),
        (f"permission-added {sample_report.INGRESS}", "pass", "high"),
        (f"permission-widened {sample_report.MACHINE}", "skip", "high"),
        ("fact-unknown", "error", "medium"),
        (f"live-request-drift {sample_report.REGISTRY}", "warn", "low"),
        ("release-unverified", "pass", None),
    ],
)
def test_a_result_ends_as_its_finding_weighs(rule: str, result: str, severity: str | None) -> None:
    found = by_rule(sample_report.report())[rule]
    assert (found["result"], found.get("severity")) == (result, severity)


def test_a_warning_fails_where_warnings_block() -> None:
    report = sample_report.report()
    assert report.verdict is not None
    strict = replace(report, verdict=replace(report.verdict, fail_on="warning"))
    assert by_rule(strict)[f"live-request-drift {sample_report.REGISTRY}"]["result"] == "fail"


@pytest.mark.parametrize(("status", "result"), [("pass", "pass"), ("blocked", "fail"), ("undetermined", "error")])
def test_the_first_result_is_the_verdict(status: Any, result: str) -> None:
    report = sample_report.report()
    assert report.verdict is not None
    first = render(replace(report, verdict=replace(report.verdict, status=status)))["results"][0]
    assert (first["rule"], first["result"]) == ("verdict", result)


def test_the_summary_counts_the_results() -> None:
    document = render(sample_report.report())
    tally = {"pass": 0, "fail": 0, "warn": 0, "error": 0, "skip": 0}
    for result in document["results"]:
        tally[result["result"]] += 1
    assert document["summary"] == tally
    assert sum(tally.values()) == len(sample_report.report().findings) + 1


def test_a_result_names_the_secret_and_what_openshift_does() -> None:
    found = by_rule(sample_report.report())[f"permission-added {sample_report.EBS}"]
    assert found["resources"] == [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "namespace": "openshift-cluster-csi-drivers",
            "name": "ebs-cloud-credentials",
        }
    ]
    assert found["properties"]["openshift"].startswith("not caught by OpenShift")


def test_a_policy_can_compare_target_and_digest() -> None:
    report = sample_report.report()
    metadata = render(report)["metadata"]
    assert metadata["name"] == "upgrade-gate-4-14-0"
    assert metadata["annotations"]["upgrade-gate/to"] == "4.14.0"
    assert metadata["annotations"]["upgrade-gate/digest"] == report.hops[-1].to.digest
    assert metadata["annotations"]["upgrade-gate/cluster-id"] == (report.cluster and report.cluster.id)


@pytest.mark.parametrize("version", ["", "4.19.0-0.okd-scos-2026-01-02-030405" + "x" * 60, "é/../", "4.14.0"])
def test_the_name_is_a_dns_label_whatever_the_release_is_called(version: str) -> None:
    to = replace(sample_report.release("4.14.0"), version=version)
    name = render(sample_report.report(hops=[Hop(from_=to, to=to, kind="none")]))["metadata"]["name"]
    assert len(name) <= 63
    assert all(c.isascii() and (c.isalnum() or c == "-") for c in name)
    assert name[-1] != "-"


def test_a_diff_judges_nothing() -> None:
    assert render(sample_report.difference())["results"] == []


def test_two_releases_of_long_names_do_not_share_a_name() -> None:
    names = set()
    for end in ("a", "b"):
        to = replace(sample_report.release("4.14.0"), version="4.14.0-" + "x" * 70 + end)
        names.add(render(sample_report.report(hops=[Hop(from_=to, to=to, kind="none")]))["metadata"]["name"])
    assert len(names) == 2


def test_the_message_of_the_verdict_is_the_sentence_of_every_format() -> None:
    report = sample_report.report()
    assert view.sentence(report) in render(report)["results"][0]["message"]

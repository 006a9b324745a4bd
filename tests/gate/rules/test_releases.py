"""What payloads tell by themselves."""

from pathlib import Path
from typing import Any

import pytest

from tests.worlds.rules import PROFILE, Cluster, found, judge, one, request
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.payloads.reference import Settings

A = request("a")
BROKEN = "apiVersion: cloudcredential.openshift.io/v1\nkind: CredentialsRequest\nmetadata: [\n"


def test_unreadable_request_is_never_a_pass(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], [A, BROKEN], Cluster())
    finding = one(outcome, "manifest-unreadable")
    assert (finding.severity, finding.acknowledgeable) == ("unknown", False)
    assert outcome.verdict.exit_code == 4
    assert "0000_50_component_01.yaml" in finding.headline


def test_unreadable_file_without_any_request_is_a_warning(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], [A, "kind: ConfigMap\nmetadata: [\n"], Cluster())
    assert one(outcome, "manifest-unreadable").severity == "warning"
    assert outcome.verdict.exit_code == 0


def test_request_of_an_unknown_shape_is_unreadable(tmp_path: Path) -> None:
    odd = request("a", statements=[{"effect": "Allow", "action": {"x": 1}, "resource": "*"}])
    assert judge(tmp_path, [A], [odd], Cluster()).verdict.exit_code == 4


def test_empty_payload_is_nothing_to_judge(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], [], Cluster())
    assert one(outcome, "nothing-to-judge").severity == "unknown"
    assert outcome.verdict.exit_code == 4
    assert not found(judge(tmp_path / "b", [A], [A], Cluster()), "nothing-to-judge")


@pytest.mark.parametrize(
    ("versions", "supported"),
    [(("4.14.1", "4.15.0"), True), (("4.14.1", "4.16.0"), False), (("4.14.1", "4.13.0"), False)],
)
def test_hops_that_openshift_does_not_make(versions: tuple[str, str], supported: bool, tmp_path: Path) -> None:
    assert bool(found(judge(tmp_path, [A], [A], versions=versions), "hop-unsupported")) is not supported


def test_capability_that_carries_requests_is_named(tmp_path: Path) -> None:
    gated = {**PROFILE, "capability.openshift.io/name": "CloudCredential"}
    outcome = judge(tmp_path, [A], [request("a", annotations=gated)])
    assert one(outcome, "capability-change").severity == "info"
    more = [A, request("b", secret="x", annotations=gated)]
    assert one(judge(tmp_path / "b", [A], more), "capability-change").severity == "warning"
    assert not found(judge(tmp_path / "c", [A], [A]), "capability-change")


@pytest.mark.parametrize(("verify", "severity"), [("auto", "info"), ("require", "blocker"), ("off", None)])
def test_unverified_release(verify: str, severity: str | None, tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], [A], settings=Settings(verify=verify))
    assert {j.finding.severity.value for j in found(outcome, "release-unverified")} == (
        {severity} if severity else set()
    )


BUILD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {
        "name": "builds",
        "namespace": "x",
        "annotations": {**PROFILE, "capability.openshift.io/name": "Build"},
    },
}


def test_unreadable_file_that_may_hide_what_enables_a_capability_is_never_a_pass(tmp_path: Path) -> None:
    """CVO enables a capability by itself where the current release applies the object without it."""
    behind = request("behind", secret="x", annotations={**PROFILE, "capability.openshift.io/name": "Build"})
    whole = {**BUILD, "metadata": {**BUILD["metadata"], "annotations": PROFILE}}

    def run(folder: str, current: Any, baseline: str) -> Outcome:
        cluster = Cluster()
        cluster.objects["ClusterVersion"]["spec"]["capabilities"] = {"baselineCapabilitySet": baseline}
        return judge(tmp_path / folder, [A, current], [A, BUILD, behind], cluster)

    hidden = "kind: ConfigMap\nmetadata: {name: builds, namespace: x, labels: [\n"
    other = "kind: ConfigMap\nmetadata: {name: other, namespace: x, labels: [\n"
    assert one(run("whole", whole, "None"), "request-added").severity == "blocker"
    assert run("hidden", hidden, "None").verdict.exit_code == 4
    assert run("other", other, "None").verdict.exit_code == 0
    enabled = run("enabled", hidden, "vCurrent")
    assert one(enabled, "manifest-unreadable").severity == "warning"
    assert one(enabled, "request-added").severity == "blocker"

"""Payloads that are not whole, and what they do not say of requests."""

from pathlib import Path

import pytest

from tests.worlds.rules import PROFILE, Cluster, found, judge, one, request

A, B = request("a"), request("b", secret="b")
DELETED = {**PROFILE, "release.openshift.io/delete": "true"}
ELSEWHERE = {
    "include.release.openshift.io/ibm-cloud-managed": "true",
    "release.openshift.io/delete": "true",
}


def test_request_that_is_gone_without_a_word_leaves_the_verdict_open(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A, B], [A], Cluster())
    finding = one(outcome, "payload-incomplete")
    assert (finding.severity, finding.acknowledgeable) == ("unknown", True)
    assert f"{B['metadata']['namespace']}/b" in finding.headline
    assert outcome.verdict.status == "undetermined"


@pytest.mark.parametrize(
    "instead",
    [
        request("b", annotations=DELETED),
        request("c", secret="b"),
        request("b", secret="b", annotations={**PROFILE, "release.openshift.io/feature-set": "TechPreviewNoUpgrade"}),
        request("b", secret="b", kind="GCPProviderSpec"),
    ],
    ids=["deleted", "renamed", "left out here", "of another platform"],
)
def test_release_that_says_what_becomes_of_a_request_is_whole(instead: dict[str, object], tmp_path: Path) -> None:
    assert not found(judge(tmp_path, [A, B], [A, instead], Cluster()), "payload-incomplete")


def test_deletion_for_another_profile_says_nothing_of_this_one(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A, B], [A, request("b", annotations=ELSEWHERE)], Cluster())
    assert one(outcome, "payload-incomplete").severity == "unknown"


def test_fingerprint_names_what_is_missing(tmp_path: Path) -> None:
    c = request("c", secret="c")
    first = one(judge(tmp_path / "1", [A, B, c], [A, c], Cluster()), "payload-incomplete")
    again = one(judge(tmp_path / "2", [A, B], [A], Cluster()), "payload-incomplete")
    more = one(judge(tmp_path / "3", [A, B, c], [A], Cluster()), "payload-incomplete")
    assert first.fingerprint == again.fingerprint != more.fingerprint


def test_empty_manifest_is_named_once_with_what_it_hides(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, [A, B], [A, ""], Cluster()), "payload-incomplete")
    assert "0000_50_component_01.yaml is empty" in finding.headline


def test_unreadable_file_is_the_finding_and_no_second_one(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A, B], [A, "kind: CredentialsRequest\napiVersion: [\n"], Cluster())
    assert one(outcome, "manifest-unreadable").severity == "unknown"
    assert not found(outcome, "payload-incomplete")


def test_platform_of_which_every_request_is_left_out_is_not_judged(tmp_path: Path) -> None:
    other = [request("a", annotations={"include.release.openshift.io/ibm-cloud-managed": "true"})]
    outcome = judge(tmp_path, other, other, Cluster())
    findings = [item.finding for item in found(outcome, "nothing-to-judge")]
    assert findings
    assert all("left out by profile" in finding.headline for finding in findings)
    assert outcome.verdict.status == "undetermined"


@pytest.mark.parametrize(
    "annotations",
    [
        {"include.release.openshift.io/self-managed-high-availability": "True"},
        {"include.release.openshift.io/self-managed-high-availability": ""},
        {**PROFILE, "release.openshift.io/feature-set": "Defaults"},
        {**PROFILE, "release.openshift.io/feature-set": ""},
        {**PROFILE, "capability.openshift.io/name": "CloudCredentials"},
    ],
)
def test_annotation_outside_its_list_leaves_no_request_out(annotations: dict[str, str], tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A, B], [A, request("b", secret="b", annotations=annotations)], Cluster())
    assert one(outcome, "manifest-unreadable").severity == "unknown"
    assert outcome.verdict.status == "undetermined"


def test_request_without_namespace_is_not_understood(tmp_path: Path) -> None:
    bare = request("a")
    del bare["metadata"]["namespace"]
    assert one(judge(tmp_path, [A], [bare], Cluster()), "manifest-unreadable").severity == "unknown"

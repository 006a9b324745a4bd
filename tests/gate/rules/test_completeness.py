"""Payloads that are not whole, and what they do not say of requests."""

import copy
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.worlds import flows
from tests.worlds.rules import NS, PROFILE, TODAY, Cluster, found, judge, one, payload, request
from upgrade_gate import pipeline
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.rules import completeness
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.requests.credentials_request import API_GROUP
from upgrade_gate.requests.update import Given

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


def test_request_that_is_gone_from_a_release_with_a_digest_is_gone(tmp_path: Path) -> None:
    situation = judge(tmp_path, [A, B], [A], Cluster()).situation
    (hop,) = situation.hops
    proven = replace(hop, new=replace(hop.new, whole=True))
    assert not list(completeness.evaluate(replace(situation, hops=(proven,))))


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


@pytest.mark.parametrize("content", ["<html>504 Gateway Time-out</html>", "false", "[]", "{}", "null", "--- 0"])
def test_file_that_holds_no_object_is_named(content: str, tmp_path: Path) -> None:
    finding = one(judge(tmp_path, [A], [A, content], Cluster()), "payload-incomplete")
    assert "0000_50_component_01.yaml" in finding.headline


def test_file_of_comments_holds_what_somebody_meant(tmp_path: Path) -> None:
    assert not found(judge(tmp_path, [A], [A, "# not for this platform\n"], Cluster()), "payload-incomplete")


@pytest.mark.parametrize("name", ["0000_50_b.YAML", "0000_50_b.yaml ", "0000_50_b.yaml.bak", "0000_50_b.json~"])
def test_manifest_that_is_not_read_for_its_name_is_named(name: str, tmp_path: Path) -> None:
    for side, version in (("old", "4.14.1"), ("new", "4.14.2")):
        payload(tmp_path / side, version, [A])
    (tmp_path / "new" / name).write_text(json.dumps(B))
    finding = one(_check(tmp_path), "payload-incomplete")
    assert name in finding.headline
    (tmp_path / "new" / name.rstrip("~ ").removesuffix(".bak").lower()).write_text(json.dumps(A))
    if name != "0000_50_b.YAML":  # the same file on some systems
        assert not found(_check(tmp_path), "payload-incomplete"), "a backup beside its file"


def test_other_files_beside_the_manifests_are_no_damage(tmp_path: Path) -> None:
    for side, version in (("old", "4.14.1"), ("new", "4.14.2")):
        payload(tmp_path / side, version, [A])
        (tmp_path / side / "LICENSE").write_text("x")
        (tmp_path / side / "notes.yaml.bak").write_text("x")
    assert not found(_check(tmp_path), "payload-incomplete")


def _check(folder: Path) -> Outcome:
    inputs = pipeline.Inputs(to=f"dir:{folder / 'new'}", from_=f"dir:{folder / 'old'}", given=Given(platform="AWS"))
    return pipeline.check(inputs, Weights(today=TODAY))


_LISTS = {
    "AWSProviderSpec": "statementEntries",
    "AlibabaCloudProviderSpec": "statementEntries",
    "AzureProviderSpec": "permissions",
    "GCPProviderSpec": "permissions",
    "IBMCloudProviderSpec": "policies",
    "IBMCloudPowerVSProviderSpec": "policies",
}


@pytest.mark.parametrize("platform", ["AWS", "AlibabaCloud", "Azure", "GCP", "IBMCloud", "PowerVS"])
@pytest.mark.parametrize("spoil", ["empty", "null", "gone"])
def test_request_that_asks_for_nothing_any_more_leaves_the_verdict_open(
    platform: str, spoil: str, tmp_path: Path
) -> None:
    before, after = flows.request(platform, "comp", "x:A"), flows.request(platform, "comp", "x:A")
    field = _LISTS[after["spec"]["providerSpec"]["kind"]]
    if spoil == "gone":
        del after["spec"]["providerSpec"][field]
    else:
        after["spec"]["providerSpec"][field] = [] if spoil == "empty" else None
    outcome = judge(tmp_path, [before], [after], given=Given(platform=platform))
    rule = "unclassified-change" if spoil == "empty" else "manifest-unreadable"
    assert f"spec.providerSpec{'.' + field if spoil != 'gone' else ''}" in one(outcome, rule).headline
    assert outcome.verdict.status == ("blocked" if spoil == "empty" else "undetermined")


@pytest.mark.parametrize(
    ("platform", "lists", "field"),
    [
        ("AWS", "statementEntries", "action"),
        ("AlibabaCloud", "statementEntries", "action"),
        ("IBMCloud", "policies", "roles"),
        ("PowerVS", "policies", "roles"),
    ],
)
@pytest.mark.parametrize("value", [[], None])
def test_entry_that_names_nothing_is_malformed(
    platform: str, lists: str, field: str, value: object, tmp_path: Path
) -> None:
    before, after = (flows.request(platform, "comp", "x:A") for _ in range(2))
    second = copy.deepcopy(after["spec"]["providerSpec"][lists][0])
    after["spec"]["providerSpec"][lists].append({**second, field: value})
    assert judge(tmp_path, [before], [after], given=Given(platform=platform)).verdict.status != "pass"


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
        {"include.release.openshift.io/self-managed-high-availabilty": "true"},
        {"include.release.openshift.io/Self-Managed-High-Availability": "true"},
        {"include.release.openshift.io/self-managed-high-availability ": "true"},
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


def test_what_is_missing_makes_the_fingerprint_by_kind_and_name(tmp_path: Path) -> None:
    for side, version in (("old", "4.14.1"), ("new", "4.14.2")):
        payload(tmp_path / side, version, [A, ""])
    (tmp_path / "new" / "image-references").unlink()
    both = [item.finding for item in found(_check(tmp_path), "payload-incomplete")]
    old, new = sorted(both, key=lambda finding: finding.subject)
    assert old.content == [["empty", "0000_50_component_01.yaml"]]
    assert new.content == [["empty", "0000_50_component_01.yaml"], ["file", "image-references"]]
    assert [(place.side, place.file) for place in old.evidence] == [("from", "0000_50_component_01.yaml")]
    assert [(place.side, place.file) for place in new.evidence] == [("to", "0000_50_component_01.yaml")]
    assert (old.subject, new.subject) == ("payload 4.14.1", "payload 4.14.2")


def test_a_vanished_request_is_shown_in_image_references(tmp_path: Path) -> None:
    via = payload(tmp_path / "via", "4.14.9", [A, B])
    finding = one(judge(tmp_path, [A, B], [A], Cluster(), via=(f"dir:{via}",)), "payload-incomplete")
    assert (finding.content, finding.hop) == ([["request", f"{NS}/b"]], 1)
    assert [(place.side, place.file) for place in finding.evidence] == [("to", "image-references")]
    assert [step.when for step in finding.remedy] == ["before"]


@pytest.mark.parametrize(("number", "more"), [(5, False), (6, True)])
def test_of_many_gaps_five_are_shown(number: int, *, more: bool, tmp_path: Path) -> None:
    gone = [request(f"gone-{index}", secret=f"s{index}") for index in range(number)]
    headline = one(judge(tmp_path, [A, *gone], [A], Cluster()), "payload-incomplete").headline
    assert headline.count("nothing deletes or renames it") == 5
    assert ("; and 1 more" in headline, "more" in headline) == (more, more)


def test_what_is_known_to_have_retired_is_no_gap_and_hides_none_after_it(tmp_path: Path) -> None:
    retired = request("cloud-credential-operator-s3", secret="s3")
    versions = ("4.6.1", "4.7.0")
    assert not found(judge(tmp_path / "1", [A, retired], [A], Cluster(), versions=versions), "payload-incomplete")
    gone = request("z", secret="z")
    both = one(judge(tmp_path / "2", [A, retired, gone], [A], Cluster(), versions=versions), "payload-incomplete")
    assert both.content == [["request", f"{NS}/z"]]
    later = one(judge(tmp_path / "3", [A, retired], [A], Cluster(), versions=("4.7.1", "4.8.0")), "payload-incomplete")
    assert later.content == [["request", f"{NS}/cloud-credential-operator-s3"]]


def test_another_change_before_it_hides_no_gap(tmp_path: Path) -> None:
    changed = request("a", "ec2:DescribeVolumes", "ec2:New")
    assert one(judge(tmp_path, [A, B], [changed], Cluster()), "payload-incomplete").content == [["request", f"{NS}/b"]]


def test_a_target_without_any_request_is_another_finding(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A, B], [], Cluster())
    assert found(outcome, "nothing-to-judge")
    assert not found(outcome, "payload-incomplete")


def test_a_deletion_that_cvo_is_told_to_leave_alone_is_a_word(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.objects["ClusterVersion"]["spec"]["overrides"] = [
        {"group": API_GROUP, "kind": "CredentialsRequest", "namespace": NS, "name": "b", "unmanaged": True}
    ]
    assert not found(judge(tmp_path, [A, B], [A, request("b", annotations=DELETED)], cluster), "payload-incomplete")

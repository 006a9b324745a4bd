"""What payloads tell by themselves."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.worlds.rules import NS, PROFILE, TODAY, Cluster, about, found, judge, one, payload, request
from upgrade_gate import pipeline
from upgrade_gate.base.facts import Unknown
from upgrade_gate.cluster.model import Query
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.rules import releases
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.payloads.reference import Settings
from upgrade_gate.requests.update import Given, UnreadRelease

A = request("a")
ELSEWHERE = {"include.release.openshift.io/ibm-cloud-managed": "true"}
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
    ("versions", "way"),
    [(("4.14.1", "4.15.0"), None), (("4.14.1", "4.16.0"), "--via"), (("4.14.1", "4.13.0"), "newer release")],
)
def test_hops_that_openshift_does_not_make(versions: tuple[str, str], way: str | None, tmp_path: Path) -> None:
    hits = found(judge(tmp_path, [A], [A], versions=versions), "hop-unsupported")
    assert [way in need.detail for hit in hits for need in hit.finding.needs if way] == ([True] if way else [])
    assert bool(hits) is bool(way)


def test_capability_that_carries_requests_is_named(tmp_path: Path) -> None:
    gated = {**PROFILE, "capability.openshift.io/name": "CloudCredential"}
    outcome = judge(tmp_path, [A], [request("a", annotations=gated)])
    assert one(outcome, "capability-change").severity == "info"
    assert one(outcome, "capability-change").headline.endswith("; the same requests apply as before")
    more = [A, request("b", secret="x", annotations=gated)]
    other = one(judge(tmp_path / "b", [A], more), "capability-change")
    assert (other.severity, other.headline.endswith("; other requests apply")) == ("warning", True)
    assert not found(judge(tmp_path / "c", [A], [A]), "capability-change")


@pytest.mark.parametrize(("verify", "severity"), [("auto", "info"), ("require", "blocker"), ("off", None)])
def test_unverified_release(verify: str, severity: str | None, tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], [A], settings=Settings(verify=verify))
    assert {j.finding.severity.value for j in found(outcome, "release-unverified")} == (
        {severity} if severity else set()
    )


def test_a_release_whose_signature_is_valid_is_not_told(tmp_path: Path) -> None:
    situation = judge(tmp_path, [A], [A]).situation
    (hop,) = situation.hops
    signed = replace(hop, new=replace(hop.new, verified=True))
    told = [f for f in releases.evaluate(replace(situation, hops=(signed,))) if f.rule == "release-unverified"]
    assert [finding.content for finding in told] == ["4.14.1"]


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


HIDDEN = "kind: ConfigMap\nmetadata: {name: builds, namespace: x, labels: [\n"


def without_capabilities() -> Cluster:
    cluster = Cluster()
    cluster.objects["ClusterVersion"]["spec"]["capabilities"] = {"baselineCapabilitySet": "None"}
    return cluster


def test_what_may_be_hidden_is_looked_for_in_the_release_before_its_own_hop(tmp_path: Path) -> None:
    """CVO compares the release that an update starts from with the one that it goes to, and no others."""
    behind = request("behind", secret="x", annotations={**PROFILE, "capability.openshift.io/name": "Build"})
    hiding = payload(tmp_path / "hiding", "4.14.9", [A, HIDDEN])
    second = judge(tmp_path / "1", [A], [A, BUILD, behind], without_capabilities(), via=(f"dir:{hiding}",))
    assert one(second, "manifest-unreadable").severity == "unknown"
    building = payload(tmp_path / "building", "4.14.9", [A, BUILD])
    first = judge(tmp_path / "2", [A], [A, HIDDEN], without_capabilities(), via=(f"dir:{building}",))
    assert one(first, "manifest-unreadable").severity == "warning"


def test_what_can_be_read_is_not_looked_for_in_what_cannot(tmp_path: Path) -> None:
    whole = {**BUILD, "metadata": {**BUILD["metadata"], "annotations": PROFILE}}
    outcome = judge(tmp_path, [A, whole, HIDDEN], [A, BUILD], without_capabilities())
    finding = one(outcome, "manifest-unreadable")
    assert finding.severity == "warning"
    assert "may" not in finding.headline


def test_what_enables_a_capability_is_looked_for_beside_one_for_another_profile(tmp_path: Path) -> None:
    """CVO looks at every object of the same name in the release that runs, and applies the one for its profile."""
    elsewhere = {**BUILD, "metadata": {**BUILD["metadata"], "annotations": ELSEWHERE}}
    behind = request("behind", secret="x", annotations={**PROFILE, "capability.openshift.io/name": "Build"})
    outcome = judge(tmp_path, [A, elsewhere, HIDDEN], [A, BUILD, behind], without_capabilities())
    assert one(outcome, "manifest-unreadable").severity == "unknown"
    assert outcome.verdict.exit_code == 4


def test_an_update_to_the_same_release_tells_of_each_document_once(tmp_path: Path) -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": [7, 8]}
    same = f"dir:{payload(tmp_path / 'same', '4.14.1', [items, CONFIG])}"
    inputs = pipeline.Inputs(to=same, from_=same, given=Given(platform="AWS"))
    outcome = pipeline.check(inputs, Weights(today=TODAY))
    assert sorted((j.finding.rule, *about(j.finding)["evidence"]) for j in outcome.judged) == [
        ("manifest-unreadable", "from 0000_50_component_00.yaml 0 1"),
        ("manifest-unreadable", "from 0000_50_component_01.yaml 0 3"),
        ("nothing-to-judge", "from release-metadata 0 1"),
        ("release-unverified", "from release-metadata 0 1"),
    ]


CONFIG = "kind: ConfigMap\nmetadata: [\n"
ODD = request("a", statements=[{"effect": "Allow", "action": {"x": 1}, "resource": "*"}])


def test_a_release_that_cannot_be_read_is_named_with_what_helps(tmp_path: Path) -> None:
    image = tmp_path / "release.tar"
    image.write_bytes(b"no tar")
    old = payload(tmp_path / "old", "4.14.1", [A])
    inputs = pipeline.Inputs(to=f"archive:{image}", from_=f"dir:{old}", reader=Cluster())
    finding = one(pipeline.check(inputs, Weights(today=TODAY)), "manifest-unreadable")
    assert (finding.subject, finding.acknowledgeable) == (f"archive:{image}", False)
    assert about(finding) == {"evidence": [f"to archive:{image} 0 1"]}
    assert [step.when for step in finding.remedy] == ["before"]
    situation = replace(judge(tmp_path / "x", [A], [A]).situation, unread=(UnreadRelease("to", "4.15.0", "why", None),))
    (helpless,) = (f for f in releases.evaluate(situation) if f.rule == "manifest-unreadable")
    assert helpless.remedy == ()


def test_a_broken_manifest_is_told_once_where_it_is_and_on_its_hop(tmp_path: Path) -> None:
    via = payload(tmp_path / "via", "4.14.9", [A, CONFIG])
    outcome = judge(tmp_path / "1", [A, BROKEN], [A, "", CONFIG], Cluster(), via=(f"dir:{via}",))
    told = {tuple(about(j.finding)["evidence"]): j.finding for j in found(outcome, "manifest-unreadable")}
    places = [
        ("from 0000_50_component_01.yaml", 0),
        ("to 0000_50_component_01.yaml", 0),
        ("to 0000_50_component_02.yaml", 1),
    ]
    where = sorted((place.rsplit(" ", 2)[0], finding.hop) for (place,), finding in told.items())
    assert where == places
    assert all(finding.subject == finding.evidence[0].file == finding.content for finding in told.values())
    assert all(finding.evidence[0].line > 1 for finding in told.values()), "the line where the parser gave up"


def test_what_may_hold_a_request_can_never_be_accepted_and_what_cannot_may(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A, BROKEN], [A, CONFIG])
    assert {j.finding.evidence[0].side: j.finding.acknowledgeable for j in found(outcome, "manifest-unreadable")} == {
        "from": False,
        "to": True,
    }


def test_a_request_that_cannot_be_understood_is_told_on_the_hop_that_brings_it(tmp_path: Path) -> None:
    via = payload(tmp_path / "via", "4.14.9", [A, request("b", secret="b", kind="Nobodys")])
    place = "0000_50_component_00.yaml 0 1"
    new = judge(tmp_path / "1", [A], [ODD], Cluster(), via=(f"dir:{via}",))
    told = [about(j.finding) for j in found(new, "manifest-unreadable") if j.finding.request == f"{NS}/a"]
    assert told == [{"request": f"{NS}/a", "hop": 1, "evidence": [f"to {place}"]}]
    old = one(judge(tmp_path / "2", [ODD], [A], Cluster()), "manifest-unreadable")
    assert (about(old)["evidence"], old.acknowledgeable, old.subject) == ([f"from {place}"], False, f"{NS}/a")
    odd = payload(tmp_path / "odd", "4.14.9", [ODD])
    also = request("z", statements=ODD["spec"]["providerSpec"]["statementEntries"])
    between = judge(tmp_path / "3", [A], [A, also], Cluster(), via=(f"dir:{odd}",))
    seen = [(j.finding.request, j.finding.hop) for j in found(between, "manifest-unreadable")]
    assert seen == [(f"{NS}/a", 0), (f"{NS}/z", 1)], "once, though two hops see the first"


@pytest.mark.parametrize(
    ("documents", "words"),
    [
        ([], "holds no CredentialsRequest:"),
        ([request("a", kind="GCPProviderSpec")], "holds no CredentialsRequest for AWS"),
        ([request("a", annotations={"include.release.openshift.io/ibm-cloud-managed": "true"})], "left out by profile"),
        (
            [request("a", annotations={**PROFILE, "release.openshift.io/feature-set": "TechPreviewNoUpgrade"})],
            "left out by feature-set",
        ),
    ],
)
def test_a_release_without_a_request_that_applies(documents: list[Any], words: str, tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A], documents, Cluster())
    finding = one(outcome, "nothing-to-judge")
    assert words in finding.headline
    assert (finding.acknowledgeable, finding.subject.startswith("dir:")) == (False, True)
    assert about(finding) == {"evidence": ["to release-metadata 0 1"]}


def test_an_empty_release_is_told_on_its_side_and_hop_and_nothing_is_expected_where_nobody_asks(tmp_path: Path) -> None:
    left = one(judge(tmp_path / "1", [], [A], Cluster()), "nothing-to-judge")
    assert about(left) == {"evidence": ["from release-metadata 0 1"]}
    via = payload(tmp_path / "via", "4.14.9", [A])
    later = one(judge(tmp_path / "2", [A], [], Cluster(), via=(f"dir:{via}",)), "nothing-to-judge")
    assert about(later) == {"hop": 1, "evidence": ["to release-metadata 0 1"]}
    assert not found(judge(tmp_path / "3", [], [], Cluster(platform="None")), "nothing-to-judge")


def test_requests_that_a_feature_set_leaves_out_are_no_sign_on_a_platform_that_may_have_none(tmp_path: Path) -> None:
    tech = request(
        "a",
        kind="KubevirtProviderSpec",
        annotations={**PROFILE, "release.openshift.io/feature-set": "TechPreviewNoUpgrade"},
    )
    other = request(
        "a", kind="KubevirtProviderSpec", annotations={"include.release.openshift.io/ibm-cloud-managed": "true"}
    )
    for number, (document, told) in enumerate(((tech, False), (other, True))):
        outcome = judge(tmp_path / str(number), [document], [document], Cluster(platform="KubeVirt"))
        assert bool(found(outcome, "nothing-to-judge")) is told, document


@pytest.mark.parametrize("doubt", [[A, request("a", "ec2:CreateTags")], [ODD]], ids=["conflict", "malformed"])
def test_a_request_that_is_not_certain_is_told_as_that_and_not_as_none(doubt: list[Any], tmp_path: Path) -> None:
    left_out = request("b", secret="b", annotations=ELSEWHERE)
    outcome = judge(tmp_path, [A], [*doubt, left_out], Cluster())
    assert not found(outcome, "nothing-to-judge")
    assert outcome.verdict.exit_code != 0
    alone = judge(tmp_path / "alone", [A], doubt, Cluster())
    assert not found(alone, "nothing-to-judge")


def test_a_request_that_cannot_be_understood_neither_came_nor_went(tmp_path: Path) -> None:
    """Nobody may remove the Secret of a request that the target holds, or read that the target introduces it."""
    b = request("b", secret="b")
    cluster = Cluster(secrets=["openshift-storage/cloud", "openshift-storage/b"])
    left = judge(tmp_path / "1", [A, b], [ODD, b], cluster)
    come = judge(tmp_path / "2", [ODD, b], [A, b], cluster)
    for outcome, side in ((left, "target"), (come, "current release")):
        (change,) = outcome.comparison.hops[0].changes
        assert change.why == f"what the {side} says of it cannot be understood"
        assert {j.finding.rule for j in outcome.judged} >= {"manifest-unreadable"}
        assert not [j for j in outcome.judged if j.finding.rule in ("request-added", "request-removed")]
        assert outcome.verdict.exit_code == 4


@pytest.mark.parametrize(
    ("kind", "annotations"),
    [
        ("GCPProviderSpec", PROFILE),
        ("KubevirtProviderSpec", {**PROFILE, "release.openshift.io/delete": "true"}),
        ("KubevirtProviderSpec", {**PROFILE, "release.openshift.io/feature-gate": "New"}),
    ],
)
def test_a_platform_that_releases_gave_up_may_be_left_with_nothing(
    kind: str, annotations: dict[str, str], tmp_path: Path
) -> None:
    """What is for another cloud, is deleted or waits for a gate is no request that this platform lost."""
    cluster = Cluster(platform="KubeVirt", history=[("Completed", "4.22.1")])
    cluster.objects["FeatureGate"]["status"] = {
        "featureGates": [{"version": "4.22.1", "enabled": [], "disabled": [{"name": "New"}]}]
    }
    gates = {
        "apiVersion": "config.openshift.io/v1",
        "kind": "FeatureGate",
        "metadata": {
            "name": "cluster",
            "annotations": {**PROFILE, "release.openshift.io/feature-set": "Default"},
        },
        "spec": {},
        "status": {"featureGates": [{"version": "4.22.2", "enabled": [], "disabled": [{"name": "New"}]}]},
    }
    documents = [request("a", kind=kind, annotations=annotations), gates]
    outcome = judge(tmp_path, documents, documents, cluster, versions=("4.22.1", "4.22.2"))
    assert not outcome.situation.hops[0].new_selection.requests
    assert not found(outcome, "nothing-to-judge")


def test_a_dump_of_nothing_is_no_healthy_cluster(tmp_path: Path) -> None:
    kinds = ["ClusterVersion", "Infrastructure", "ClusterOperator", "Authentication", "FeatureGate", "DNS"]
    kinds += ["CloudCredential", "ConfigMap", "Deployment", "CredentialsRequest", "Secret", "Namespace"]
    finding = one(judge(tmp_path / "1", [A], [A], Cluster(unread=kinds)), "nothing-to-judge")
    assert finding.headline.startswith("test holds nothing")
    assert (finding.subject, finding.acknowledgeable, finding.remedy) == ("cluster", False, ())
    assert about(finding) == {"evidence": ["cluster clusterversions/version 0 1"]}
    assert not found(judge(tmp_path / "2", [A], [A], Cluster(unread=kinds[1:])), "nothing-to-judge")


class Silent(Cluster):
    """A cluster of which no read succeeds, for one reason."""

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason

    def _answer(self, query: Query) -> Unknown:
        return Unknown(self.reason, "do something about it")


def test_a_cluster_that_refuses_every_read_says_what_ends_it(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, [A], [A], Silent("get it: 403 forbidden")), "nothing-to-judge")
    assert finding.headline == "nothing of test was judged: get it: 403 forbidden"
    first, second = finding.remedy
    assert first.title == "do something about it"
    (command,) = second.commands
    roles = ("upgrade-gate", "init", "rbac", "--to", f"dir:{tmp_path / 'new'}")
    assert (second.when, command.line.argv) == ("before", roles)
    assert "an administrator" in command.in_case


def test_a_cluster_that_does_not_answer_is_no_empty_dump_where_no_release_was_read_either(tmp_path: Path) -> None:
    inputs = pipeline.Inputs(to=f"dir:{tmp_path}", from_=f"dir:{tmp_path}", reader=Silent("timed out"))
    finding = one(pipeline.check(inputs, Weights(today=TODAY)), "nothing-to-judge")
    assert finding.headline == "nothing of test was judged: timed out"
    assert [step.title for step in finding.remedy] == ["do something about it"]


def test_a_hop_that_openshift_does_not_make_can_be_decided_for(tmp_path: Path) -> None:
    via = payload(tmp_path / "via", "4.15.0", [A])
    outcome = judge(tmp_path, [A], [A], versions=("4.14.1", "4.18.0"), via=(f"dir:{via}",))
    finding = one(outcome, "hop-unsupported")
    assert (finding.content, finding.subject, finding.severity) == (["4.15.0", "4.18.0"], "hop", "blocker")
    assert about(finding) == {"hop": 1, "needs": {"decision": "unmet"}, "evidence": ["to release-metadata 0 1"]}


def test_each_release_that_was_not_verified_is_told_once_on_its_side(tmp_path: Path) -> None:
    via = payload(tmp_path / "via", "4.14.9", [A])
    outcome = judge(tmp_path, [A], [A], Cluster(), via=(f"dir:{via}",))
    told = {j.finding.content: (j.finding.subject, about(j.finding)) for j in found(outcome, "release-unverified")}
    assert told == {
        "4.14.1": ("release 4.14.1", {"evidence": ["from release-metadata 0 1"]}),
        "4.14.9": ("release 4.14.9", {"evidence": ["to release-metadata 0 1"]}),
        "4.15.0": ("release 4.15.0", {"hop": 1, "evidence": ["to release-metadata 0 1"]}),
    }


def of_capabilities(known: list[str], enabled: list[str], baseline: str = "None") -> Cluster:
    cluster = Cluster(history=[("Completed", "4.16.1")])
    body = cluster.objects["ClusterVersion"]
    body["spec"]["capabilities"] = {"baselineCapabilitySet": baseline, "additionalEnabledCapabilities": enabled}
    body["status"]["capabilities"] = {"knownCapabilities": known, "enabledCapabilities": enabled}
    return cluster


@pytest.mark.parametrize("versions", [("4.10.1", "4.11.0"), ("4.97.1", "4.98.0")])
def test_where_a_release_has_no_capabilities_or_they_are_not_known_no_change_of_them_is_told(
    versions: tuple[str, str], tmp_path: Path
) -> None:
    """4.11 is the first release with capabilities; of one that is newer than the table they are not known."""
    held = request("a", annotations={**PROFILE, "capability.openshift.io/name": "CloudCredential"})
    cluster = of_capabilities(["CloudCredential"], ["CloudCredential"], baseline="vCurrent")
    cluster.objects["ClusterVersion"]["status"]["history"][0]["version"] = versions[0]
    assert not found(judge(tmp_path, [held], [held], cluster, versions=versions), "capability-change")


def test_a_capability_that_the_update_enables_by_itself_is_told_so(tmp_path: Path) -> None:
    behind = {**PROFILE, "capability.openshift.io/name": "Build"}
    both = [A, {**BUILD, "metadata": {**BUILD["metadata"], "annotations": PROFILE}}, request("b", secret="x")]
    new = [A, BUILD, request("b", secret="x", annotations=behind)]
    cluster = of_capabilities(["CloudCredential"], ["CloudCredential"])
    via = payload(tmp_path / "via", "4.16.9", both)
    outcome = judge(tmp_path / "1", both, new, cluster, versions=("4.16.1", "4.17.0"), via=(f"dir:{via}",))
    finding = one(outcome, "capability-change")
    assert finding.headline == "the update enables Build by itself; the same requests apply as before"
    assert (finding.severity, finding.content, finding.subject) == ("info", [["Build"], []], "capabilities")
    assert about(finding) == {"hop": 1}

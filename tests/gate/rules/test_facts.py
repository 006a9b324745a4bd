"""Facts that could change the verdict and were not read."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.worlds.rules import NS, PROFILE, Cluster, about, found, hosted, judge, one, request
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate.findings import Severity
from upgrade_gate.gate.rules import facts
from upgrade_gate.gate.verdict import Weights
from upgrade_gate.requests.update import Given

A = [request("a")]
NEEDED = [
    "ClusterVersion",
    "ClusterOperator",
    "Infrastructure",
    "FeatureGate",
    "CloudCredential",
    "Deployment",
    "Secret",
]


@pytest.mark.parametrize("kind", NEEDED)
def test_needed_fact_that_was_not_read_is_never_a_pass(kind: str, tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(unread=[kind]))
    assert found(outcome, "fact-unknown")
    assert outcome.verdict.status != "pass"


@pytest.mark.parametrize("kind", ["DNS", "CredentialsRequest"])
def test_fact_that_changes_nothing_is_not_asked_for(kind: str, tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(unread=[kind]))
    assert not found(outcome, "fact-unknown")
    assert outcome.verdict.status == "pass"


def test_unknown_mode_cannot_be_acknowledged(tmp_path: Path) -> None:
    hits = found(judge(tmp_path, A, A, Cluster(unread=["CloudCredential"])), "fact-unknown")
    assert hits
    assert not any(j.finding.acknowledgeable for j in hits)


@pytest.mark.parametrize(
    ("weights", "status"),
    [
        (Weights(), "pass"),
        (Weights(policy={"live-request-drift": Severity.INFO}), "pass"),
        (Weights(policy={"policy-too-large": Severity.BLOCKER}), "pass"),
        (Weights(fail_on_warning=True), "undetermined"),
        (Weights(policy={"live-request-drift": Severity.BLOCKER}), "undetermined"),
        (Weights(policy={"live-request-extra": Severity.UNKNOWN}), "undetermined"),
    ],
)
def test_what_a_raised_rule_rests_on_is_needed(tmp_path: Path, weights: Weights, status: str) -> None:
    outcome = judge(tmp_path, A, A, Cluster(unread=["CredentialsRequest"]), weighing=weights)
    assert outcome.verdict.status == status


RULE = "fact-unknown"


def test_a_fact_that_is_missing_says_what_would_make_it_known(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, A, A, Cluster(unread=["Deployment"])), RULE)
    assert finding.headline.endswith("unknown: get deployments: forbidden")
    assert (finding.content, finding.acknowledgeable) == (
        ["Deployment cluster-version-operator", "excluded", "profile"],
        True,
    )
    assert [(step.title, step.when) for step in finding.remedy] == [("a rule", "before")]
    assert about(finding) == {"evidence": ["cluster Deployment cluster-version-operator 0 1"]}


@pytest.mark.parametrize(
    ("kind", "acknowledgeable"),
    [
        ("Infrastructure", False),
        ("CloudCredential", False),
        ("ClusterVersion", False),
        ("ClusterOperator", True),
        ("FeatureGate", True),
    ],
)
def test_platform_mode_and_version_can_never_be_accepted_unread(
    kind: str, acknowledgeable: bool, tmp_path: Path
) -> None:
    finding = one(judge(tmp_path, A, A, Cluster(unread=[kind])), RULE)
    assert finding.acknowledgeable is acknowledgeable
    assert finding.headline.endswith("forbidden"), "and nothing else is said of it"


def with_infrastructure(**status: Any) -> Cluster:
    """Return a cluster whose Infrastructure has this status besides; None takes a member away."""
    cluster = Cluster()
    body = cluster.objects["Infrastructure"]["status"]
    body.update(status)
    cluster.objects["Infrastructure"]["status"] = {k: v for k, v in body.items() if v is not None}
    return cluster


@pytest.mark.parametrize("given", [None, Mode.MINT, Mode.PASSTHROUGH])
def test_a_mode_that_no_option_may_stand_for_is_told_with_what_ends_it(given: Mode | None, tmp_path: Path) -> None:
    cluster = Cluster(root=True, requests=A)
    del cluster.objects["CloudCredential"]
    outcome = judge(tmp_path, A, A, cluster, given=Given(mode=given))
    finding = one(outcome, RULE)
    assert (finding.content, finding.acknowledgeable) == (["CloudCredential cluster", "mode"], False)
    assert [step.title for step in finding.remedy] == ["restore the object; CCO refuses every update without it"]
    assert not found(outcome, "pass-withheld")


def test_the_mode_is_not_asked_for_where_cco_never_makes_credentials(tmp_path: Path) -> None:
    cluster = with_infrastructure(platformStatus=None)
    cluster.unread = ["CloudCredential"]
    nutanix = [request("a", kind="NutanixProviderSpec")]
    assert not found(judge(tmp_path, nutanix, nutanix, cluster, given=Given(platform="Nutanix")), RULE)


def test_an_object_that_every_cluster_has_and_that_is_not_there_is_no_default(tmp_path: Path) -> None:
    for kind, name, acknowledgeable in (
        ("Infrastructure", "Infrastructure cluster", False),
        ("FeatureGate", "FeatureGate cluster", True),
    ):
        cluster = Cluster()
        del cluster.objects[kind]
        finding = one(judge(tmp_path / kind, A, A, cluster), RULE)
        assert (finding.subject, finding.acknowledgeable, finding.remedy) == (name, acknowledgeable, ())
        assert "which every cluster has" in finding.headline


@pytest.mark.parametrize(
    ("cluster", "given"),
    [
        (with_infrastructure(platformStatus=None), Given(platform="AWS")),
        (Cluster(unread=["CloudCredential"]), Given(mode=Mode.MANUAL)),
        (Cluster(unread=["FeatureGate"]), Given(feature_set="Default")),
    ],
)
def test_what_a_person_says_stands_for_what_was_not_read(cluster: Cluster, given: Given, tmp_path: Path) -> None:
    assert not found(judge(tmp_path / "1", A, A, cluster, given=given), RULE)
    assert found(judge(tmp_path / "2", A, A, cluster), RULE)


def test_where_no_release_was_read_no_fact_could_change_the_verdict(tmp_path: Path) -> None:
    situation = judge(tmp_path, A, A, Cluster(unread=["Deployment"])).situation
    assert list(facts.evaluate(situation))
    assert not list(facts.evaluate(replace(situation, hops=())))


def test_a_platform_given_leaves_what_else_its_object_tells_open(tmp_path: Path) -> None:
    """On AWS nothing hangs on the vCenters that the same object lists."""
    finding = one(judge(tmp_path, A, A, Cluster(unread=["Infrastructure"]), given=Given(platform="AWS")), RULE)
    assert finding.content == ["Infrastructure cluster", "topology"]


def test_a_profile_given_leaves_what_else_its_object_tells_open(tmp_path: Path) -> None:
    given = Given(profile="self-managed-high-availability")
    finding = one(judge(tmp_path, A, A, Cluster(unread=["Deployment"]), given=given), RULE)
    assert finding.content == ["Deployment cluster-version-operator", "excluded"]


def of_version(**status: Any) -> Cluster:
    cluster = Cluster()
    cluster.objects["ClusterVersion"]["status"].update(status)
    return cluster


@pytest.mark.parametrize(
    ("cluster", "given"),
    [
        (with_infrastructure(platformStatus={"type": "aws"}), Given(platform="AWS")),
        (Cluster(mode="Sometimes"), Given(mode=Mode.MANUAL)),
        (with_infrastructure(controlPlaneTopology="highlyAvailable"), Given()),
    ],
)
def test_what_was_read_and_cannot_be_right_is_settled_by_nobody(cluster: Cluster, given: Given, tmp_path: Path) -> None:
    finding = one(judge(tmp_path, A, A, cluster, given=given), RULE)
    assert not finding.acknowledgeable


def test_a_profile_or_a_feature_set_that_cannot_be_right_is_settled_by_nobody(tmp_path: Path) -> None:
    profile = Cluster()
    (container,) = profile.objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    container["env"][0]["value"] = "Self-Managed-High-Availability"
    gates = Cluster()
    gates.objects["FeatureGate"]["spec"] = {"featureSet": "techPreviewNoUpgrade"}
    for name, cluster, given in (
        ("Deployment cluster-version-operator", profile, Given(profile="self-managed-high-availability")),
        ("FeatureGate cluster", gates, Given(feature_set="Default")),
    ):
        finding = one(judge(tmp_path / name, A, A, cluster, given=given), RULE)
        assert (finding.subject, finding.acknowledgeable) == (name, False)


def test_a_platform_that_nobody_knows_is_no_platform_without_requests(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, A, A, Cluster(platform="Moon")), RULE)
    assert (finding.content, finding.acknowledgeable) == (["Infrastructure cluster", "platform"], False)
    assert [step.title for step in finding.remedy] == ["update upgrade-gate"]


def test_the_root_secret_counts_where_cco_works_with_it(tmp_path: Path) -> None:
    minting = Cluster(mode="Mint", root=True, unread=["Secret"], requests=A)
    finding = one(judge(tmp_path / "1", A, A, minting), RULE)
    assert (finding.content, finding.acknowledgeable) == (["Secret kube-system/aws-creds"], True)
    nobody = found(judge(tmp_path / "3", A, A, Cluster(mode="Mint", unread=["Infrastructure"], requests=A)), RULE)
    assert ["Secret of the platform"] in [j.finding.content for j in nobody]
    by_hand = one(judge(tmp_path / "2", A, A, Cluster(unread=["Secret"])), RULE)
    assert (by_hand.content, by_hand.acknowledgeable) == (
        ["Secrets of openshift-storage", "openshift-storage/cloud"],
        True,
    )


def test_a_request_that_the_cluster_should_have_and_does_not_show(tmp_path: Path) -> None:
    bare = [*A, request("u", annotations={"x": "y"})]  # CVO never applies this one
    finding = one(judge(tmp_path / "1", bare, bare, Cluster(mode="Mint", root=True)), RULE)
    assert (finding.content, finding.acknowledgeable) == (["CredentialsRequests", f"{NS}/a"], True)
    assert [step.title for step in finding.remedy] == [
        "oc adm inspect credentialsrequests.cloudcredential.openshift.io -A"
    ]
    assert not found(judge(tmp_path / "2", bare, bare, Cluster(mode="Mint", root=True, requests=A)), RULE)


CAPABLE = {**PROFILE, "capability.openshift.io/name": "CloudCredential"}


def test_capabilities_count_where_a_request_hangs_on_one(tmp_path: Path) -> None:
    versions = ("4.16.1", "4.17.0")
    silent = of_version(capabilities=None, history=[{"state": "Completed", "version": "4.16.1"}])
    hanging = [request("a", annotations=CAPABLE)]
    unread = [
        j.finding.content for j in found(judge(tmp_path / "1", hanging, hanging, silent, versions=versions), RULE)
    ]
    assert ["ClusterVersion version", "capabilities"] in unread
    plain = found(judge(tmp_path / "2", A, A, silent, versions=versions), RULE)
    assert not any("capabilities" in j.finding.content for j in plain)
    given = Given(capabilities=("CloudCredential",))
    told = found(judge(tmp_path / "3", hanging, hanging, silent, versions=versions, given=given), RULE)
    assert not any("capabilities" in j.finding.content for j in told)


def test_gates_count_where_a_request_hangs_on_one(tmp_path: Path) -> None:
    gated = request("g", secret="g", annotations={**PROFILE, "release.openshift.io/feature-gate": "New"})
    given = Given(feature_set="Default")
    cluster = Cluster(unread=["FeatureGate"], history=[("Completed", "4.22.1")])
    told = found(judge(tmp_path, A, [*A, gated], cluster, given=given, versions=("4.22.1", "4.23.0")), RULE)
    assert any("feature_gates" in j.finding.content for j in told)
    payloads = [j.finding for j in told if j.finding.subject == "feature gates of 4.23.0"]
    assert [finding.acknowledgeable for finding in payloads] == [False]
    left = judge(tmp_path / "old", [*A, gated], A, cluster, given=given, versions=("4.22.1", "4.23.0"))
    assert any("feature_gates" in j.finding.content for j in found(left, RULE))


RAISED = Weights(policy={"cco-verdict-unproven": Severity.BLOCKER, "live-request-drift": Severity.BLOCKER})


def test_where_there_is_no_cco_nothing_of_it_is_asked_for(tmp_path: Path) -> None:
    """A hosted cluster below 4.22 runs none."""
    for number, weights in enumerate((Weights(), RAISED)):
        cluster = hosted(unread=["ClusterOperator", "CloudCredential"])
        outcome = judge(tmp_path / str(number), A, A, cluster, weighing=weights)
        assert outcome.situation.mode is Mode.ABSENT
        assert not found(outcome, RULE)
    unread = judge(tmp_path / "requests", A, A, hosted(unread=["CredentialsRequest"]), weighing=RAISED)
    assert one(unread, RULE).content == ["CredentialsRequests", "requests"]


def test_a_raised_rule_about_cco_needs_the_annotation(tmp_path: Path) -> None:
    """By the annotation of today CCO refuses a later update of a path, or its word rests on nothing."""
    cluster, given = Cluster(unread=["CloudCredential"], requests=A), Given(mode=Mode.MANUAL)
    for rule in ("cco-verdict-unproven", "cco-not-upgradeable"):
        raised = Weights(policy={rule: Severity.BLOCKER})
        finding = one(judge(tmp_path / rule, A, A, cluster, given=given, weighing=raised), RULE)
        assert finding.content == ["CloudCredential cluster", "annotation"]
    assert not found(judge(tmp_path / "2", A, A, cluster, given=given), RULE)

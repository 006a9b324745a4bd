"""What CCO itself says."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.worlds import flows
from tests.worlds.firing import Firing
from tests.worlds.rules import TODAY, Cluster, about, found, judge, one, payload, request
from upgrade_gate import pipeline
from upgrade_gate.gate.findings import Severity
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.verdict import Weights

A = [request("a")]
FALSE = {"Upgradeable": ("False", "MissingUpgradeableAnnotation")}


def along(
    versions: tuple[str, ...], folder: Path, *, platform: str, mode: str, annotation: str | None, **more: Any
) -> Outcome:
    """Run the gate along a path on which no request changes; CCO says Upgradeable=True today."""
    body = flows.request(platform)
    first, *via, last = (f"dir:{payload(folder / version, version, [body])}" for version in versions)
    cluster = Cluster(
        platform=platform,
        mode=mode,
        annotation=annotation,
        history=(("Completed", versions[0]),),
        offers=versions[1:2],
        keys=None,
        secrets=("openshift-comp/creds", f"kube-system/{flows.ROOTS.get(platform)}"),
        requests=[{"metadata": body["metadata"], "spec": body["spec"]}],
        **more,
    )
    return pipeline.check(pipeline.Inputs(to=last, from_=first, via=tuple(via), reader=cluster), Weights(today=TODAY))


def test_cco_refusal_blocks_a_minor_hop_and_only_warns_on_a_patch(tmp_path: Path) -> None:
    cluster = Cluster(conditions=FALSE, annotation=None)
    outcome = judge(tmp_path / "1", A, A, cluster)
    finding = one(outcome, "cco-not-upgradeable")
    assert (finding.severity, finding.guard, finding.acknowledgeable) == ("blocker", "stopped", False)
    assert "cloudcredential.openshift.io/upgradeable-to=v4.15" in finding.remedy[0].commands[0].line.argv
    assert outcome.verdict.next == "annotate"
    patch = one(judge(tmp_path / "2", A, A, cluster, versions=("4.14.1", "4.14.2")), "cco-not-upgradeable")
    assert (patch.severity, patch.guard) == ("warning", "missed")
    assert not found(judge(tmp_path / "3", A, A, Cluster()), "cco-not-upgradeable")


def test_an_annotation_that_cco_has_not_seen_yet_is_waited_for_and_not_set_again(tmp_path: Path) -> None:
    outcome = judge(tmp_path / "1", A, A, Cluster(conditions=FALSE, annotation="v4.15"))
    finding = one(outcome, "cco-not-upgradeable")
    assert (finding.severity, outcome.verdict.next) == ("blocker", "retry")
    assert "v4.15 is set, but CCO has not noticed it yet" in finding.headline
    assert finding.remedy[0].commands[0].line.argv[:3] == ("oc", "wait", "clusteroperator/cloud-credential")
    unset = one(judge(tmp_path / "2", A, A, Cluster(conditions=FALSE, annotation=None)), "cco-not-upgradeable")
    assert unset.fingerprint == finding.fingerprint
    for other in ("4.14", "4.16", "soon"):  # another minor is no word about this target
        stale = one(judge(tmp_path / other, A, A, Cluster(conditions=FALSE, annotation=other)), "cco-not-upgradeable")
        assert stale.remedy[0].commands[0].line.argv[:2] == ("oc", "annotate")


@pytest.mark.parametrize("reason", ["MissingUpgradeableAnnotation", "MissingRootCredential"])
def test_a_patch_is_not_held_back_by_the_annotation_that_is_always_missing_then(reason: str, tmp_path: Path) -> None:
    live = [{"metadata": A[0]["metadata"], "spec": A[0]["spec"]}]
    cluster = Cluster(conditions={"Upgradeable": ("False", reason)}, annotation=None, requests=live)
    check = Firing([A[0]], [A[0]], cluster, ("4.14.1", "4.14.2")).written(tmp_path)
    assert one(check(), "cco-not-upgradeable").severity == "warning"
    strict = check(fail_on_warning=True)
    always = reason == "MissingUpgradeableAnnotation"
    assert one(strict, "cco-not-upgradeable").severity == ("info" if always else "warning")
    assert strict.verdict.exit_code == (0 if always else 3)
    assert check(policy={"cco-not-upgradeable": Severity.BLOCKER}).verdict.exit_code == 3


PATH = ("4.20.3", "4.21.2", "4.22.1", "4.23.0")


@pytest.mark.parametrize(
    ("platform", "mode", "annotation", "hops", "refused"),
    [
        ("AWS", "Manual", "v4.21", 2, "4.21.2 to 4.22.1"),
        ("AWS", "Manual", "4.21", 3, "4.21.2 to 4.22.1"),
        ("GCP", "Manual", "4.22", 3, "4.22.1 to 4.23.0"),
        ("Azure", "Manual", "4.22.1", 2, None),
        ("OpenStack", "Manual", "v4.21", 2, "4.21.2 to 4.22.1"),
        ("VSphere", "Manual", "v4.23", 3, None),
        ("VSphere", "Manual", None, 2, "4.21.2 to 4.22.1"),
        ("AWS", "Manual", "v4.21", 1, None),
        ("AWS", "Mint", None, 2, None),
        ("Nutanix", "Manual", None, 2, None),
        ("AWS", "Manual", "soon", 2, "4.21.2 to 4.22.1"),
    ],
)
def test_a_later_hop_that_cco_will_refuse_is_told_beforehand(
    *, platform: str, mode: str, annotation: str | None, hops: int, refused: str | None, tmp_path: Path
) -> None:
    outcome = along(PATH[: hops + 1], tmp_path, platform=platform, mode=mode, annotation=annotation)
    hits = found(outcome, "cco-not-upgradeable")
    assert [hit.finding.severity for hit in hits] == (["warning"] if refused else [])
    if refused:
        finding = hits[0].finding
        assert f"before {refused}" in finding.headline
        assert finding.hop == [f"{a} to {b}" for a, b in pairwise(PATH)].index(refused)
        last = ".".join(PATH[hops].split(".")[:2])
        assert f"cloudcredential.openshift.io/upgradeable-to=v{last}" in finding.remedy[0].commands[0].line.argv


def test_what_cco_refuses_today_for_another_reason_does_not_hide_what_it_will_refuse_later(tmp_path: Path) -> None:
    """Once that is mended, the annotation of today still reaches the first minor release only."""
    failing = {"Upgradeable": ("False", "CredentialsFailing")}
    outcome = along(PATH[:3], tmp_path, platform="AWS", mode="Manual", annotation="4.21", conditions=failing)
    told = [
        (j.finding.hop, j.finding.severity, j.finding.closed_by_annotation)
        for j in found(outcome, "cco-not-upgradeable")
    ]
    assert told == [(0, "blocker", False), (1, "warning", False)]


def test_cco_of_4_14_on_gcp_asks_also_where_it_mints(tmp_path: Path) -> None:
    outcome = along(("4.13.1", "4.14.2", "4.15.0"), tmp_path, platform="GCP", mode="Mint", annotation=None)
    assert "before 4.14.2 to 4.15.0" in one(outcome, "cco-not-upgradeable").headline


def test_word_of_cco_that_rests_on_nothing(tmp_path: Path) -> None:
    blanket = Cluster(annotation="4.99")
    assert (
        one(judge(tmp_path / "1", A, [request("a", "ec2:New")], blanket), "cco-verdict-unproven").severity == "warning"
    )
    assert one(judge(tmp_path / "2", A, A, blanket), "cco-verdict-unproven").severity == "info"
    assert not found(judge(tmp_path / "3", A, A, Cluster()), "cco-verdict-unproven")


@pytest.mark.parametrize(
    ("condition", "severity"),
    [
        ({"Available": ("False", "x")}, "blocker"),
        ({"Degraded": ("True", "x")}, "warning"),
        ({"Degraded": ("False", "AsExpected")}, None),
        ({}, None),
    ],
)
def test_health_of_cco(condition: dict[str, tuple[str, str]], severity: str | None, tmp_path: Path) -> None:
    hits = found(judge(tmp_path, A, A, Cluster(conditions=condition)), "cco-unhealthy")
    assert [j.finding.severity.value for j in hits] == ([severity] if severity else [])


def test_root_credential_is_wanted_outside_manual_mode(tmp_path: Path) -> None:
    finding = one(judge(tmp_path / "1", A, A, Cluster(mode="Mint")), "root-credential-missing")
    assert (finding.severity, finding.acknowledgeable) == ("blocker", False)
    assert not found(judge(tmp_path / "2", A, A, Cluster(mode="Mint", root=True)), "root-credential-missing")
    assert not found(judge(tmp_path / "3", A, A, Cluster()), "root-credential-missing")


@pytest.mark.parametrize(
    ("keys", "lacks"),
    [
        (frozenset(), "aws_access_key_id, aws_secret_access_key"),
        (frozenset({"username", "password"}), "aws_access_key_id"),
        (frozenset({"credentials"}), "aws_access_key_id"),
        (frozenset({"aws_access_key_id"}), "aws_secret_access_key"),
    ],
)
@pytest.mark.parametrize("mode", ["Mint", "Passthrough"])
def test_a_root_credential_without_its_keys_serves_nobody(
    tmp_path: Path, mode: str, keys: frozenset[str], lacks: str
) -> None:
    finding = one(judge(tmp_path, A, A, Cluster(mode=mode, root=True, root_keys=keys)), "root-credential-missing")
    assert (finding.severity, finding.acknowledgeable) == ("blocker", False)
    assert lacks in finding.needs[0].detail


def test_a_cluster_of_tokens_that_lost_its_mode_is_told_which(tmp_path: Path) -> None:
    finding = one(judge(tmp_path, A, A, Cluster(mode="")), "root-credential-missing")
    assert "credentialsMode of CloudCredential cluster to Manual" in finding.remedy[0].title


def test_a_cluster_may_have_tokens_from_the_release_on_that_brought_them(tmp_path: Path) -> None:
    """AWS has tokens from 4.8 on (docs/contract.md#modes)."""
    for old, new, told in (("4.7.40", "4.8.1", False), ("4.8.1", "4.9.0", True)):
        cluster = Cluster(mode="", history=[("Completed", old)])
        finding = one(judge(tmp_path / old, A, A, cluster, versions=(old, new)), "root-credential-missing")
        assert ("credentialsMode" in finding.remedy[0].title) is told


@pytest.mark.parametrize("mode", ["Mint", "Passthrough"])
def test_a_root_credential_is_asked_for_on_no_platform_that_nobody_knows(mode: str, tmp_path: Path) -> None:
    mars = [request("a", kind="MarsProviderSpec")]
    for name, cluster in (
        ("other", Cluster(platform="Moon", mode=mode)),
        ("unread", Cluster(mode=mode, unread=["Infrastructure"])),
    ):
        outcome = judge(tmp_path / name, mars, mars, cluster)
        assert not found(outcome, "root-credential-missing")
        assert outcome.verdict.exit_code == 4


@pytest.mark.parametrize(
    ("vcenters", "halves", "severity"),
    [
        ([{"server": "one"}], ("username", "password"), None),
        ([{"server": "one"}, {"server": "two"}], ("username", "password"), "blocker"),
        ("one", ("username", "password"), "unknown"),
        ("one", ("username",), "blocker"),
    ],
)
def test_a_root_credential_of_vsphere_must_serve_every_vcenter(
    vcenters: Any, halves: tuple[str, ...], severity: str | None, tmp_path: Path
) -> None:
    """What cannot be read of them is not known, and no gap either; half a pair is one, whatever they are."""
    body = [flows.request("VSphere")]
    cluster = Cluster(
        platform="VSphere",
        mode="Passthrough",
        secrets=["openshift-comp/creds", "kube-system/vsphere-creds"],
        root_keys=frozenset(f"one.{half}" for half in halves),
        requests=body,
    )
    cluster.objects["Infrastructure"]["spec"] = {"platformSpec": {"type": "VSphere", "vsphere": {"vcenters": vcenters}}}
    outcome = judge(tmp_path, body, body, cluster)
    hits = found(outcome, "root-credential-missing")
    assert [hit.finding.severity for hit in hits] == ([severity] if severity else [])
    assert not found(outcome, "fact-unknown"), "what the finding about the root credential says"


OPERATOR = "cluster clusteroperators/cloud-credential 0 1"
SUBJECT = "ClusterOperator cloud-credential"


def on_the_second_hop(folder: Path, cluster: Cluster) -> Outcome:
    """Run a patch and then a minor hop: what CCO says counts on the second."""
    via = payload(folder / "via", "4.14.9", A)
    return judge(folder, A, A, cluster, via=(f"dir:{via}",))


def test_what_cco_says_counts_on_the_first_hop_that_it_can_hold_back(tmp_path: Path) -> None:
    refused = one(on_the_second_hop(tmp_path / "1", Cluster(conditions=FALSE, annotation=None)), "cco-not-upgradeable")
    command = "oc annotate cloudcredential.operator.openshift.io cluster"
    annotate = f"{command} cloudcredential.openshift.io/upgradeable-to=v4.15 --overwrite"
    assert about(refused) == {"hop": 1, "guard": "stopped", "evidence": [OPERATOR], "remedy": [annotate]}
    assert [step.when for step in refused.remedy] == ["before"]
    assert (refused.subject, refused.closed_by_annotation, refused.awaited, refused.standing) == (
        SUBJECT,
        True,
        False,
        False,
    )
    down = Cluster(conditions={"Available": ("False", "x")})
    unhealthy = one(on_the_second_hop(tmp_path / "2", down), "cco-unhealthy")
    look = "oc describe clusteroperator cloud-credential"
    assert about(unhealthy) == {"hop": 1, "guard": "missed", "evidence": [OPERATOR], "remedy": [look]}
    assert unhealthy.headline.endswith("x, words")
    assert unhealthy.subject == SUBJECT
    unproven = one(on_the_second_hop(tmp_path / "3", Cluster(annotation="4.99")), "cco-verdict-unproven")
    assert about(unproven) == {"hop": 1, "guard": "missed", "evidence": [OPERATOR]}
    root = one(on_the_second_hop(tmp_path / "4", Cluster(mode="Mint", requests=A)), "root-credential-missing")
    name = "kube-system/aws-creds"
    assert about(root) == {
        "secret": name,
        "hop": 1,
        "guard": "missed",
        "needs": {"secret": "unmet"},
        "evidence": [f"cluster secrets/{name} 0 1"],
    }
    assert (root.content, root.subject) == (name, f"Secret {name}")
    assert [(step.title, step.when) for step in root.remedy] == [(f"put Secret {name} back", "before")]


def test_a_refusal_for_another_reason_is_not_ended_by_the_annotation(tmp_path: Path) -> None:
    other = Cluster(conditions={"Upgradeable": ("False", "MissingRootCredential")}, annotation="v4.15")
    finding = one(judge(tmp_path / "1", A, A, other), "cco-not-upgradeable")
    assert finding.headline.endswith("Upgradeable=False: MissingRootCredential, words")
    assert not finding.remedy
    assert (finding.closed_by_annotation, finding.awaited, finding.standing) == (False, False, False)
    patch = Cluster(conditions=FALSE, annotation=None)
    warned = one(judge(tmp_path / "2", A, A, patch, versions=("4.14.1", "4.14.2")), "cco-not-upgradeable")
    assert (warned.remedy, warned.closed_by_annotation, warned.standing) == ((), False, True)
    assert warned.acknowledgeable
    today = Cluster(conditions=FALSE, annotation="4.14")  # CCO never takes the minor release that runs
    old = one(judge(tmp_path / "3", A, A, today, versions=("4.14.1", "4.14.2")), "cco-not-upgradeable")
    assert old.headline.endswith("says '4.14', and CCO wants a minor release after 4.14")
    assert (old.remedy, old.awaited) == ((), False)


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (None, "is not set"),
        ("4.15", "the annotation 4.15 is set"),
        ("soon", "'soon', which is no version"),
        ("4.14", "'4.14', and CCO wants a minor release after 4.14"),
        ("4.16", "which is not the target"),
        ("x" * 41, f"'{'x' * 40}', which is no version"),
    ],
)
def test_a_refusal_says_why_cco_does_not_take_the_annotation(annotation: str, words: str, tmp_path: Path) -> None:
    finding = one(judge(tmp_path, A, A, Cluster(conditions=FALSE, annotation=annotation)), "cco-not-upgradeable")
    assert "Upgradeable=False: MissingUpgradeableAnnotation, words; " in finding.headline
    assert words in finding.headline
    assert finding.awaited is (annotation == "4.15")


def test_a_refusal_without_the_annotation_read_says_so(tmp_path: Path) -> None:
    cluster = Cluster(conditions=FALSE, unread=["CloudCredential"])
    finding = one(judge(tmp_path, A, A, cluster), "cco-not-upgradeable")
    assert finding.headline.endswith("; what the annotation says could not be read")


def conditions(**stated: str | None) -> Cluster:
    """Return a cluster whose CCO has these conditions, and not those that are None."""
    cluster = Cluster()
    status = cluster.objects["ClusterOperator"]["status"]
    listed = {c["type"]: c for c in status["conditions"]} | {
        kind: {"type": kind, "status": value} for kind, value in stated.items()
    }
    status["conditions"] = [c for kind, c in listed.items() if stated.get(kind, "") is not None]
    return cluster


@pytest.mark.parametrize(
    ("cluster", "rule", "severity", "words"),
    [
        (conditions(Available=None), "cco-unhealthy", "blocker", "CCO is not available: has no condition Available"),
        (conditions(Available="Unknown"), "cco-unhealthy", "blocker", "not available: Available says nothing"),
        (conditions(Available="False", Degraded="True"), "cco-unhealthy", "blocker", "CCO is not available"),
        (conditions(Degraded="True"), "cco-unhealthy", "warning", "CCO is degraded: Degraded says nothing"),
        (conditions(Upgradeable=None), "cco-verdict-unproven", "info", "which CVO takes for True"),
        (conditions(Upgradeable="Unknown"), "cco-verdict-unproven", "info", "Unknown, which CVO takes for True"),
    ],
)
def test_conditions_of_cco(cluster: Cluster, rule: str, severity: str, words: str, tmp_path: Path) -> None:
    finding = one(judge(tmp_path, A, A, cluster), rule)
    assert finding.severity == severity
    assert words in finding.headline


def test_an_operator_that_is_not_there_although_cco_should_run(tmp_path: Path) -> None:
    cluster = Cluster()
    del cluster.objects["ClusterOperator"]
    finding = one(judge(tmp_path, A, A, cluster), "cco-unhealthy")
    assert (finding.severity, "there is no ClusterOperator cloud-credential" in finding.headline) == ("blocker", True)


def test_on_a_patch_the_word_of_cco_is_not_weighed(tmp_path: Path) -> None:
    outcome = judge(tmp_path, A, A, Cluster(annotation="4.99"), versions=("4.14.1", "4.14.2"))
    assert not found(outcome, "cco-verdict-unproven")


def test_what_is_refused_later_says_what_is_set_today(tmp_path: Path) -> None:
    outcome = along(PATH[:3], tmp_path / "1", platform="AWS", mode="Manual", annotation="v4.21")
    finding = one(outcome, "cco-not-upgradeable")
    assert finding.headline.endswith("before 4.21.2 to 4.22.1: the annotation upgradeable-to says 'v4.21'")
    assert (finding.content, finding.subject, finding.acknowledgeable) == (["4.21.2", "4.22.1"], SUBJECT, False)
    assert about(finding)["evidence"] == ["cluster cloudcredentials/cluster 0 1"]
    assert about(finding)["guard"] == "stopped"
    unset = one(
        along(PATH[:3], tmp_path / "2", platform="VSphere", mode="Manual", annotation=None), "cco-not-upgradeable"
    )
    assert unset.headline.endswith("upgradeable-to is not set")


def test_a_cluster_that_mints_by_default_and_has_no_issuer_is_told_to_put_the_secret_back(tmp_path: Path) -> None:
    """The mode cannot have been lost where no issuer is set, nor where a mode is written down."""
    for name, root, cluster in (
        ("mint", "aws-creds", Cluster(mode="Mint")),
        ("default", "aws-creds", Cluster(mode="", issuer="")),
        ("no tokens there", "openstack-credentials", Cluster(mode="", platform="OpenStack")),
    ):
        finding = one(judge(tmp_path / name, A, A, cluster), "root-credential-missing")
        assert [step.title for step in finding.remedy] == [f"put Secret kube-system/{root} back"]


def test_root_keys_that_are_not_there_are_a_need_of_their_own(tmp_path: Path) -> None:
    lacking = Cluster(mode="Mint", root=True, root_keys=frozenset(), requests=A)
    finding = one(judge(tmp_path, A, A, lacking), "root-credential-missing")
    assert about(finding)["needs"] == {"keys": "unmet"}
    assert [step.title for step in finding.remedy] == ["fill in the keys of kube-system/aws-creds"]

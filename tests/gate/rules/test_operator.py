"""What CCO itself says."""

from pathlib import Path

import pytest

from tests.worlds.rules import Cluster, found, judge, one, request

A = [request("a")]
FALSE = {"Upgradeable": ("False", "MissingUpgradeableAnnotation")}


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
    assert "v4.15 is set, CCO has not seen it yet" in finding.headline
    assert finding.remedy[0].commands[0].line.argv[:3] == ("oc", "wait", "clusteroperator/cloud-credential")
    unset = one(judge(tmp_path / "2", A, A, Cluster(conditions=FALSE, annotation=None)), "cco-not-upgradeable")
    assert unset.fingerprint == finding.fingerprint
    for other in ("4.14", "4.16", "soon"):  # another minor is no word about this target
        stale = one(judge(tmp_path / other, A, A, Cluster(conditions=FALSE, annotation=other)), "cco-not-upgradeable")
        assert stale.remedy[0].commands[0].line.argv[:2] == ("oc", "annotate")


def test_word_of_cco_that_rests_on_nothing(tmp_path: Path) -> None:
    blanket = Cluster(annotation="4.99")
    assert (
        one(judge(tmp_path / "1", A, [request("a", "ec2:New")], blanket), "cco-verdict-unproven").severity == "warning"
    )
    assert one(judge(tmp_path / "2", A, A, blanket), "cco-verdict-unproven").severity == "info"
    assert not found(judge(tmp_path / "3", A, A, Cluster()), "cco-verdict-unproven")


@pytest.mark.parametrize(
    ("condition", "severity"),
    [({"Available": ("False", "x")}, "blocker"), ({"Degraded": ("True", "x")}, "warning"), ({}, None)],
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

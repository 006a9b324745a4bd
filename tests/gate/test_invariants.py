"""The last guard before a pass: what it holds back where every rule keeps silent, and what it lets through."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.worlds.firing import DELETED, Firing
from tests.worlds.rules import NS, PROFILE, TODAY, Cluster, found, judge, payload, request
from upgrade_gate.base.facts import Known
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.gate import assumptions, invariants, verdict
from upgrade_gate.gate.acknowledgements import Acknowledgement
from upgrade_gate.gate.findings import Evidence, Finding, Severity, Status
from upgrade_gate.gate.outcome import Outcome
from upgrade_gate.gate.situation import Situation
from upgrade_gate.gate.verdict import WeighedFinding, Weights

RULE = "pass-withheld"
A, B = request("a"), request("b", secret="b")
WEIGHTS = Weights(today=TODAY)
HOSTED = {"include.release.openshift.io/ibm-cloud-managed": "true"}


def _stated(kind: str, *path: str, value: Any) -> Cluster:
    cluster = Cluster()
    *above, last = path
    part = cluster.objects[kind]
    for key in above:
        part = part[key]
    part[last] = value
    return cluster


def _profile(value: str) -> Cluster:
    cluster = Cluster()
    (container,) = cluster.objects["Deployment"]["spec"]["template"]["spec"]["containers"]
    container["env"][0]["value"] = value
    return cluster


def _state(kind: str) -> Cluster:
    condition = {"type": "Upgradeable", "status": "Ture"}
    entry = {"state": "Done", "version": "4.14.1", "image": "r/x"}
    if kind == "ClusterOperator":
        return _stated(kind, "status", "conditions", value=[{"type": "Available", "status": "True"}, condition])
    return _stated(kind, "status", "history", value=[entry])


def _left_alone(name: str) -> Cluster:
    override = {"kind": "CredentialsRequest", "group": "cloudcredential.openshift.io", "namespace": NS, "name": name}
    return _stated("ClusterVersion", "spec", "overrides", value=[{**override, "unmanaged": True}])


BROKEN: Mapping[str, tuple[Firing, str]] = {
    "no request is for the platform": (Firing([A], [A], Cluster(platform="Azure")), "applies no CredentialsRequest"),
    "every request is left out": (
        Firing([A], [request("a", annotations=HOSTED)]),
        "4.15.0 applies no CredentialsRequest for AWS",
    ),
    "every request is deleted": (Firing([B], [DELETED]), "4.15.0 applies no CredentialsRequest for AWS"),
    "a request is gone from a folder": (Firing([A, B], [A]), "applies openshift-cloud-credential-operator/b"),
    "a request is gone whose Secret another one reads as before": (
        Firing([A, request("c")], [A]),
        "applies openshift-cloud-credential-operator/c",
    ),
    "a request is deleted for another profile": (
        Firing([A, B], [A, request("b", annotations={**HOSTED, "release.openshift.io/delete": "true"})]),
        "applies openshift-cloud-credential-operator/b",
    ),
    "platform": (Firing([A], [A], Cluster(platform="aws")), "not a platform that exists"),
    "new platform": (Firing([A], [A], Cluster(platform="Moon")), "'Moon' was taken for the platform"),
    "topology": (Firing([A], [A], Cluster(topology="HighAvailable")), "not a topology that exists"),
    "profile": (Firing([A], [A], _profile("self-managed-ha")), "not a profile that exists"),
    "feature set": (
        Firing([A], [A], _stated("FeatureGate", "spec", "featureSet", value="TechPreview")),
        "not a feature set that exists",
    ),
    "mode": (Firing([A], [A], Cluster(mode="manual")), "not a mode that exists"),
    "state of a condition": (Firing([A], [A], _state("ClusterOperator")), "'Ture', which is none of"),
    "state of an update": (Firing([A], [A], _state("ClusterVersion")), "'Done', which is none of"),
}


def _silenced(outcome: Outcome, situation: Situation | None = None) -> Outcome:
    """Return what the guard makes of a run in which not one rule speaks."""
    situation = situation or outcome.situation
    judged = invariants.guarded((), situation, WEIGHTS)
    decided = verdict.decide(judged, assumptions.of(situation, judged, WEIGHTS), outcome.comparison, WEIGHTS)
    return replace(outcome, judged=judged, verdict=decided, situation=situation)


@pytest.mark.parametrize(("world", "why"), BROKEN.values(), ids=BROKEN)
def test_no_pass_even_where_every_rule_is_silent(world: Firing, why: str, tmp_path: Path) -> None:
    outcome = _silenced(world.written(tmp_path)())
    assert outcome.verdict.exit_code == 4
    headlines = [judged.finding.headline for judged in found(outcome, RULE)]
    assert any(why in headline for headline in headlines), headlines
    assert all(headline.startswith("pass withheld: ") for headline in headlines)
    assert not any(judged.finding.acknowledgeable for judged in found(outcome, RULE))
    shown = {(judged.finding.hop, place.side) for judged in found(outcome, RULE) for place in judged.finding.evidence}
    assert shown <= {(0, "from"), (0, "to"), (0, "cluster")}


@pytest.mark.parametrize(("world", "why"), BROKEN.values(), ids=BROKEN)
def test_no_policy_and_no_acknowledgement_of_anything_else_lets_it_through(
    world: Firing, why: str, tmp_path: Path
) -> None:
    del why
    check = world.written(tmp_path)
    every = {judged.finding.rule: Severity.INFO for judged in check().judged}
    prints = [judged.finding.fingerprint for judged in check().judged if judged.finding.rule != "payload-incomplete"]
    accepted = tuple(Acknowledgement(p, "r", "o", TODAY.replace(month=12)) for p in prints)
    assert check(policy={**every, RULE: Severity.INFO}, acknowledgements=accepted).verdict.exit_code != 0


HOLDING: Mapping[str, Firing] = {
    "nothing changed": Firing([A], [A]),
    "a platform without requests": Firing([A], [A], Cluster(platform="None")),
    "a request of another name takes the Secret over": Firing([A], [request("c")]),
    "a manifest deletes the request": Firing([A, B], [A, DELETED]),
    "a manifest deletes a request that CVO leaves alone": Firing([A, B], [A, DELETED], _left_alone("b")),
    "a request is left out now": Firing(
        [A, B],
        [A, request("b", annotations={**PROFILE, "release.openshift.io/feature-set": "TechPreviewNoUpgrade"})],
    ),
    "a request that Red Hat retired is gone": Firing(
        [A, request("cloud-credential-operator-s3", secret="s3")],
        [A],
        Cluster(history=(("Completed", "4.6.1"),)),
        ("4.6.1", "4.7.0"),
    ),
    "what could not be read is left to its rule": Firing([A], [A], Cluster(unread=["ClusterOperator"])),
    "a feature set that could not be read is left to its rule": Firing([A], [A], Cluster(unread=["FeatureGate"])),
    "every topology that is known": Firing([A], [A], Cluster(topology="SingleReplica")),
}


@pytest.mark.parametrize("world", HOLDING.values(), ids=HOLDING)
def test_what_holds_is_let_through(world: Firing, tmp_path: Path) -> None:
    assert not _silenced(world.written(tmp_path)()).judged


def test_the_guard_keeps_silent_where_a_finding_stops_the_upgrade_anyway(tmp_path: Path) -> None:
    outcome = judge(tmp_path, [A, B], [A], Cluster())
    assert found(outcome, "payload-incomplete")
    assert not found(outcome, RULE)


def test_what_a_person_accepted_by_name_is_accepted(tmp_path: Path) -> None:
    """The contract allows just that: the request that is gone, and no other one."""
    check = Firing([A, B], [A]).written(tmp_path / "1")
    (gap,) = found(check(), "payload-incomplete")
    accepted = (Acknowledgement(gap.finding.fingerprint, "r", "o", TODAY.replace(month=12)),)
    assert check(acknowledgements=accepted).verdict.status == "pass"
    more = Firing([A, B, request("c", secret="c")], [A]).written(tmp_path / "2")
    assert more(acknowledgements=accepted).verdict.exit_code == 4


@pytest.mark.parametrize("part", ["platform", "profile", "mode"])
def test_what_it_was_judged_by_counts_too(part: str, tmp_path: Path) -> None:
    """Whatever the facts say: a situation that was put together wrongly is no ground for a pass."""
    outcome = judge(tmp_path, [A], [A], Cluster())
    assert outcome.situation.cluster is not None
    assert outcome.situation.cluster.platform == Known("AWS")
    wrong: Mapping[str, Callable[[Situation], Situation]] = {
        "platform": lambda s: replace(s, platform="aws"),
        "profile": lambda s: replace(s, profile=""),
        "mode": lambda s: replace(s, mode=Mode.UNKNOWN),
    }
    silenced = _silenced(outcome, wrong[part](outcome.situation))
    assert silenced.verdict.exit_code == 4
    told = [(j.finding.hop, j.finding.evidence, j.finding.subject) for j in found(silenced, RULE)]
    assert (0, (Evidence("cluster", part),), f"judged by {part}") in told


def _gap(*content: list[str], rule: str = "payload-incomplete", status: Status = Status.ACKNOWLEDGED) -> WeighedFinding:
    return WeighedFinding(Finding(rule, Severity.INFO, "h", [list(part) for part in content], "payload 4.15.0"), status)


@pytest.mark.parametrize(
    ("item", "through"),
    [
        (_gap(["request", f"{NS}/b"]), True),
        (_gap(["file", "image-references"], ["request", f"{NS}/b"]), True),
        (_gap(["request", f"{NS}/b"], status=Status.OPEN), False),
        (_gap(["request", f"{NS}/b"], rule="request-removed"), False),
        (_gap(["component", f"{NS}/b"]), False),
        (_gap(["request", f"{NS}/c"]), False),
    ],
)
def test_only_an_acknowledged_gap_of_just_this_request_lets_it_through(
    item: WeighedFinding, *, through: bool, tmp_path: Path
) -> None:
    situation = judge(tmp_path, [A, B], [A], Cluster()).situation
    added = [j.finding for j in invariants.guarded((item,), situation, WEIGHTS) if j.finding.rule == RULE]
    assert [[(place.side, place.file) for place in finding.evidence] for finding in added] == (
        [] if through else [[("to", "image-references")]]
    )


def test_of_a_release_that_a_digest_proves_nothing_is_missed(tmp_path: Path) -> None:
    situation = judge(tmp_path, [A, B], [A], Cluster()).situation
    (hop,) = situation.hops
    proven = replace(situation, hops=(replace(hop, new=replace(hop.new, whole=True)),))
    assert invariants.guarded((), situation, WEIGHTS)
    assert not invariants.guarded((), proven, WEIGHTS)


def test_both_releases_of_a_platform_that_is_always_served_must_ask_for_something(tmp_path: Path) -> None:
    foreign = request("a", kind="GCPProviderSpec")
    between = payload(tmp_path / "between", "4.14.2", [A])
    situation = judge(tmp_path, [foreign], [foreign], Cluster(), via=(f"dir:{between}",)).situation
    rows = [j.finding for j in invariants.guarded((), situation, WEIGHTS)]
    assert [
        (f.hop, [(place.side, place.file) for place in f.evidence]) for f in rows if "applies no" in f.headline
    ] == [
        (0, [("from", "release-metadata")]),
        (1, [("to", "release-metadata")]),
    ]
    empty = payload(tmp_path / "empty", "4.14.3", [foreign])
    once = judge(tmp_path / "once", [A], [A], Cluster(), via=(f"dir:{empty}",)).situation
    rows = [j.finding for j in invariants.guarded((), once, WEIGHTS) if "applies no" in j.finding.headline]
    assert [(f.hop, [place.side for place in f.evidence]) for f in rows] == [(0, ["to"])]

"""The gate's arithmetic: how policy and acknowledgements weigh a finding, and what all of them come to."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.worlds.rules import TODAY, Cluster, judge, request
from upgrade_gate.base.errors import ExitCode
from upgrade_gate.gate.acknowledgements import Acknowledgement
from upgrade_gate.gate.findings import Finding, Guard, Need, NeedKind, NeedStatus, Severity, Status
from upgrade_gate.gate.verdict import Basis, Verdict, WeighedFinding, Weights, decide, raised, weigh

BLOCKER, UNKNOWN, WARNING, INFO = Severity
PROVEN, ASSUMED = Basis(()), Basis(("4.14.1's permissions are in place", "the mode is manual"))
LATER = date(2027, 3, 1)


def finding(severity: Severity = BLOCKER, rule: str = "permission-added", **more: Any) -> Finding:
    return Finding(rule, severity, "headline", None, "ns/name", **more)


def weighed(severity: Severity, status: Status = Status.OPEN, **more: Any) -> WeighedFinding:
    return WeighedFinding(finding(severity, **more), status)


def verdict(
    *judged: WeighedFinding, basis: Basis = PROVEN, alone: bool = False, same: bool = False, **weights: Any
) -> Verdict:
    """Decide; `alone` is without a cluster, `same` an update to the release that runs."""
    compared: Any = SimpleNamespace(cluster=None if alone else object(), same_release=same, path="4.14.1 to 4.15.0")
    return decide(judged, basis, compared, Weights(**weights))


def weighed_alone(about: Finding, *, name: str | None = None, **weights: Any) -> tuple[WeighedFinding, ...]:
    """Weigh one finding about an update to 4.15.0, without a cluster."""
    situation: Any = SimpleNamespace(cluster=None, target=SimpleNamespace(version="4.15.0"))
    return weigh([about], situation, Weights(**{"today": TODAY, **weights}))


@pytest.mark.parametrize(
    ("severities", "answer", "code"),
    [
        ((), "pass", ExitCode.PASS),
        ((INFO,), "pass", ExitCode.PASS),
        ((WARNING, INFO), "pass", ExitCode.PASS),
        ((UNKNOWN, WARNING), "undetermined", ExitCode.UNDETERMINED),
        ((BLOCKER,), "blocked", ExitCode.BLOCKED),
        ((UNKNOWN, BLOCKER), "blocked", ExitCode.BLOCKED),
    ],
)
def test_the_worst_open_finding_decides(severities: tuple[Severity, ...], answer: str, code: ExitCode) -> None:
    found = verdict(*map(weighed, severities))
    assert (found.status, found.exit_code, found.fail_on) == (answer, code, "blocker")


@pytest.mark.parametrize("status", [Status.ACKNOWLEDGED, Status.PROVEN])
@pytest.mark.parametrize("severity", [BLOCKER, UNKNOWN])
def test_what_is_closed_weighs_nothing(severity: Severity, status: Status) -> None:
    assert verdict(weighed(severity, status)).status == "pass"


def test_warnings_block_where_that_is_asked_for_and_infos_never_do() -> None:
    assert verdict(weighed(WARNING), fail_on_warning=True).status == "blocked"
    assert verdict(weighed(WARNING, Status.ACKNOWLEDGED), fail_on_warning=True).status == "pass"
    assert verdict(weighed(INFO), fail_on_warning=True).status == "pass"
    assert verdict(weighed(UNKNOWN), fail_on_warning=True).status == "undetermined"
    assert verdict(fail_on_warning=True).fail_on == "warning"


@pytest.mark.parametrize(
    ("basis", "name"),
    [
        (PROVEN, "proven"),
        (ASSUMED, "assumed"),
        (Basis(("what the files say is applied",), declared=True), "declared"),
        (Basis((), lacking=True), "assumed"),
    ],
)
def test_the_basis_is_what_is_taken_for_granted_in_one_word(basis: Basis, name: str) -> None:
    """docs/contract.md#basis."""
    assert (basis.name, basis.proven) == (name, name == "proven")


def test_required_proof_turns_an_assumed_pass_into_cannot_tell_and_nothing_else() -> None:
    assert verdict(basis=ASSUMED).status == "pass"
    assert verdict(basis=PROVEN, require_proof=True).status == "pass"
    assumed = verdict(basis=ASSUMED, require_proof=True)
    assert (assumed.status, assumed.exit_code, assumed.next) == ("undetermined", ExitCode.UNDETERMINED, "retry")
    assert verdict(weighed(BLOCKER), basis=ASSUMED, require_proof=True).status == "blocked"


@pytest.mark.parametrize(
    ("judged", "more", "step"),
    [
        ((), {}, "upgrade"),
        ((), {"alone": True}, "check-cluster"),
        ((), {"same": True}, "none"),
        ((), {"alone": True, "same": True}, "none"),
        ((weighed(UNKNOWN),), {}, "retry"),
        ((weighed(BLOCKER),), {}, "remediate"),
        ((weighed(BLOCKER, closed_by_annotation=True),), {}, "annotate"),
        ((weighed(BLOCKER, closed_by_annotation=True), weighed(BLOCKER)), {}, "remediate"),
        ((weighed(BLOCKER, closed_by_annotation=True), weighed(UNKNOWN)), {}, "remediate"),
        ((weighed(BLOCKER, closed_by_annotation=True), weighed(BLOCKER, Status.PROVEN)), {}, "annotate"),
    ],
)
def test_the_next_step(judged: tuple[WeighedFinding, ...], more: dict[str, Any], step: str) -> None:
    assert verdict(*judged, **more).next == step


def test_every_finding_is_counted_by_severity_and_status() -> None:
    settled = (weighed(BLOCKER, Status.PROVEN), weighed(BLOCKER, Status.DECLARED))
    counts = verdict(weighed(BLOCKER), weighed(BLOCKER), *settled, weighed(INFO)).counts
    assert counts[Severity.BLOCKER] == {"open": 2, "acknowledged": 0, "proven": 1, "declared": 1}
    assert [sum(counts[severity].values()) for severity in Severity] == [4, 0, 0, 1]


SEEN, MISSED = (Guard.STOPPED, "CCO stops it"), (Guard.MISSED, "nothing stops it")


@pytest.mark.parametrize(
    ("guards", "words"),
    [
        ((SEEN,), "1 finding blocks the upgrade"),
        ((MISSED,), "1 finding blocks the upgrade, not caught by OpenShift"),
        ((MISSED, MISSED), "2 findings block the upgrade, all not caught by OpenShift"),
        ((MISSED, SEEN, SEEN), "3 findings block the upgrade, 1 of them not caught by OpenShift"),
    ],
)
def test_the_sentence_counts_what_blocks_and_what_openshift_misses(guards: tuple[Any, ...], words: str) -> None:
    blockers = [weighed(BLOCKER, guarded=guard) for guard in guards]
    assert verdict(*blockers).summary == f"BLOCKED 4.14.1 to 4.15.0: {words}"


def test_the_sentence_counts_the_annotation_apart_from_the_work() -> None:
    annotation = weighed(BLOCKER, closed_by_annotation=True)
    assert verdict(annotation).summary.endswith(": only the annotation is missing")
    assert verdict(annotation, weighed(UNKNOWN)).summary.endswith("missing; 1 thing is not known")
    assert verdict(annotation, weighed(BLOCKER)).summary.endswith(": 1 finding blocks the upgrade; then the annotation")
    assert not verdict(weighed(BLOCKER)).summary.endswith("annotation")


def test_an_annotation_that_cco_has_not_seen_yet_is_waited_for() -> None:
    unset = weighed(BLOCKER, closed_by_annotation=True)
    held = weighed(BLOCKER, closed_by_annotation=True, awaited=True)
    for judged, step, words in (
        ((held,), "retry", "CCO has not seen the annotation yet"),
        ((held, unset), "annotate", "only the annotation is missing"),
        ((held, weighed(UNKNOWN)), "remediate", "CCO has not seen the annotation yet; 1 thing is not known"),
        ((held, weighed(BLOCKER)), "remediate", "1 finding blocks the upgrade"),
        ((held, unset, weighed(BLOCKER)), "remediate", "1 finding blocks the upgrade; then the annotation"),
    ):
        found = verdict(*judged)
        assert (found.next, found.summary) == (step, f"BLOCKED 4.14.1 to 4.15.0: {words}")


def test_the_sentence_says_what_a_pass_rests_on() -> None:
    met, unmet = (Need(NeedKind.GRANTS, status) for status in (NeedStatus.MET, NeedStatus.UNMET))
    path = "4.14.1 to 4.15.0"
    assert verdict().summary == f"PASS {path}: every requirement is proven"
    assert verdict(weighed(BLOCKER, Status.PROVEN, needs=(met,))).summary == (
        f"PASS {path}: every requirement is proven (1 proven)"
    )
    assert verdict(weighed(BLOCKER, Status.ACKNOWLEDGED, needs=(met, unmet))).summary == (
        f"PASS {path}: what did not change is proven (1 acknowledged)"
    )
    assert verdict(basis=Basis(("it is so",))).summary == f"PASS {path}, assuming that it is so"
    assert verdict(basis=ASSUMED, alone=True).summary == (
        f"PASS on the releases alone, {path}, assuming that 4.14.1's permissions are in place, and 1 more"
    )
    declared = Basis(("it is applied",), declared=True)
    assert verdict(basis=declared, alone=True).summary == (
        f"PASS on the releases and the policy files, {path}, assuming that it is applied"
    )
    assert verdict(basis=declared).summary == f"PASS {path}, assuming that it is applied"
    closed = (weighed(BLOCKER, status) for status in (Status.ACKNOWLEDGED, Status.PROVEN, Status.DECLARED))
    assert verdict(*closed).summary.endswith(" (1 acknowledged, 1 proven, 1 declared)")


def test_the_sentence_says_what_could_not_be_told() -> None:
    assert verdict(weighed(UNKNOWN)).summary.endswith(": 1 thing is not known")
    assert verdict(weighed(UNKNOWN), weighed(UNKNOWN)).summary.endswith(": 2 things are not known")
    assert "proof is required" in verdict(basis=ASSUMED, require_proof=True).summary


@pytest.mark.parametrize(
    ("about", "wanted", "weighs"),
    [
        (finding(), INFO, INFO),
        (finding(WARNING), BLOCKER, BLOCKER),
        (finding(WARNING), INFO, WARNING),
        (finding(INFO), WARNING, WARNING),
        (finding(acknowledgeable=False), INFO, BLOCKER),
        (finding(WARNING, acknowledgeable=False), BLOCKER, BLOCKER),
        (finding(UNKNOWN, "fact-unknown", acknowledgeable=False), BLOCKER, BLOCKER),
        (finding(UNKNOWN, "fact-unknown", acknowledgeable=False), WARNING, UNKNOWN),
        (finding(rule="request-conflict"), INFO, BLOCKER),
        (finding(UNKNOWN, "identity-unknown"), INFO, UNKNOWN),
    ],
)
def test_policy_lowers_a_default_that_can_be_acknowledged_and_raises_anything(
    about: Finding, wanted: Severity, weighs: Severity
) -> None:
    (alone,) = weighed_alone(about, policy={about.rule: wanted, "request-added": BLOCKER})
    assert alone.finding.severity is weighs


def test_a_rule_that_policy_raises_may_stop_and_under_fail_on_warning_every_rule_may() -> None:
    policy = {
        "request-overridden": BLOCKER,
        "identity-excess": UNKNOWN,
        "secret-moved": WARNING,
        "hop-unsupported": INFO,
    }
    assert raised(Weights(policy=policy)) == {"request-overridden", "identity-excess"}
    assert raised(Weights()) == frozenset()
    assert raised(Weights(fail_on_warning=True)) >= {"request-overridden", "secret-moved", "request-unannotated"}


def test_proven_goes_before_acknowledged_and_the_acknowledgement_is_used() -> None:
    met = finding(needs=(Need(NeedKind.GRANTS, NeedStatus.MET),))
    entry = Acknowledgement(met.fingerprint, "r", "o", LATER)
    (proven,) = weighed_alone(met, acknowledgements=(entry,))
    assert proven.status is Status.PROVEN
    (accepted,) = weighed_alone(finding(), acknowledgements=(entry,))
    assert accepted.status is Status.ACKNOWLEDGED


@pytest.mark.parametrize("about", [finding(rule="request-conflict"), finding(acknowledgeable=False)])
def test_what_rule_or_finding_says_can_never_be_acknowledged_is_not(about: Finding) -> None:
    judged = weighed_alone(about, acknowledgements=(Acknowledgement(about.fingerprint, "r", "o", LATER),))
    assert [(j.finding.rule, j.status) for j in judged] == [
        (about.rule, Status.OPEN),
        ("acknowledgement-unused", Status.OPEN),
    ]


def test_an_acknowledgement_for_a_cluster_counts_for_none_where_no_cluster_was_read() -> None:
    entry = Acknowledgement(finding().fingerprint, "r", "o", LATER, clusters=("*",))
    assert weighed_alone(finding(), acknowledgements=(entry,))[0].status is Status.OPEN
    for_target = Acknowledgement(finding().fingerprint, "r", "o", LATER, to="4.15")
    assert weighed_alone(finding(), acknowledgements=(for_target,))[0].status is Status.ACKNOWLEDGED
    for_another = Acknowledgement(finding().fingerprint, "r", "o", LATER, to="4.16")
    assert weighed_alone(finding(), acknowledgements=(for_another,))[0].status is Status.OPEN


@pytest.mark.parametrize(("clusters", "status"), [("c1", "acknowledged"), ("0000*", "acknowledged"), ("c2", "open")])
def test_an_acknowledgement_names_clusters_by_name_or_id(clusters: str, status: str, tmp_path: Path) -> None:
    old, new = [request("a")], [request("a", "ec2:DescribeVolumes", "ec2:New")]
    (about,) = [
        j.finding for j in judge(tmp_path / "1", old, new, Cluster()).judged if j.finding.rule == "permission-added"
    ]
    entry = Acknowledgement(about.fingerprint, "r", "o", LATER, clusters=(clusters,))
    weighing = Weights((entry,), today=TODAY)
    judged = judge(tmp_path / "2", old, new, Cluster(), weighing=weighing).judged
    assert [j.status for j in judged if j.finding.rule == "permission-added"] == [status]


def test_what_is_said_about_an_acknowledgement_follows_its_finding() -> None:
    about = finding(request="ns/name", hop=1)
    judged = weighed_alone(about, acknowledgements=(Acknowledgement(about.fingerprint, "r", "o", TODAY),))
    (expiring,) = [j.finding for j in judged if j.finding.rule == "acknowledgement-expiring"]
    assert (expiring.request, expiring.hop, expiring.severity) == ("ns/name", 1, INFO)


def test_without_a_day_given_the_clock_says_what_ran_out() -> None:
    past, future = (Acknowledgement(finding().fingerprint, "r", "o", day) for day in (date(2001, 1, 1), date.max))
    assert weighed_alone(finding(), acknowledgements=(past,), today=None)[0].status is Status.OPEN
    assert weighed_alone(finding(), acknowledgements=(future,), today=None)[0].status is Status.ACKNOWLEDGED
    assert weighed_alone(finding(), acknowledgements=(past,), today=date(2000, 1, 1))[0].status is Status.ACKNOWLEDGED


def test_an_expired_acknowledgement_counts_for_nothing_and_is_told_with_a_warning() -> None:
    entry = Acknowledgement(finding().fingerprint, "r", "o", date(2026, 10, 31))
    judged = weighed_alone(finding(), acknowledgements=(entry,))
    assert [(j.finding.rule, j.finding.severity, j.status) for j in judged] == [
        ("permission-added", BLOCKER, Status.OPEN),
        ("acknowledgement-expired", WARNING, Status.OPEN),
    ]


@pytest.mark.parametrize(("file", "place"), [("acks.yaml", " (acks.yaml:7)"), ("", "")])
def test_an_unused_acknowledgement_is_named_with_its_place(file: str, place: str) -> None:
    entry = Acknowledgement("0" * 16, "r", "o", LATER, file=file, line=7)
    unused = weighed_alone(finding(), acknowledgements=(entry,))[-1].finding
    assert unused.headline == f"the acknowledgement of {'0' * 16} by o matches no finding{place}"


@pytest.mark.parametrize(
    ("others", "severity"),
    [
        ([], INFO),
        ([finding(guarded=MISSED, request="ns/name")], WARNING),
        ([finding(UNKNOWN, "identity-unknown", guarded=MISSED, request="ns/name")], WARNING),
        ([finding(WARNING, "request-overridden", guarded=MISSED, request="ns/name")], INFO),
        ([finding(guarded=MISSED)], INFO),
        ([finding(request="ns/name")], INFO),
        ([finding(guarded=MISSED, request="ns/name", needs=(Need(NeedKind.GRANTS, NeedStatus.MET),))], INFO),
    ],
)
def test_an_unproven_word_of_cco_is_a_warning_while_a_change_is_open(others: list[Finding], severity: Severity) -> None:
    situation: Any = SimpleNamespace(cluster=None, target=None)
    unproven = finding(WARNING, "cco-verdict-unproven")
    judged = weigh([unproven, *others], situation, Weights(today=TODAY))
    assert [j.finding.severity for j in judged if j.finding.rule == "cco-verdict-unproven"] == [severity]


def test_only_the_unproven_word_of_cco_is_settled_so() -> None:
    assert weighed_alone(finding(WARNING, "request-overridden"))[0].finding.severity is WARNING
    raised_by_policy = weighed_alone(finding(WARNING, "cco-verdict-unproven"), policy={"cco-verdict-unproven": BLOCKER})
    assert raised_by_policy[0].finding.severity is BLOCKER


def test_findings_stand_worst_first_then_missed_ones_first() -> None:
    situation: Any = SimpleNamespace(cluster=None, target=None)
    rows = [finding(INFO), finding(UNKNOWN), finding(guarded=SEEN), finding(guarded=MISSED), finding(WARNING)]
    judged = weigh(rows, situation, Weights(today=TODAY))
    assert [(j.finding.severity, j.finding.guard) for j in judged] == [
        (BLOCKER, Guard.MISSED),
        (BLOCKER, Guard.STOPPED),
        (UNKNOWN, None),
        (WARNING, None),
        (INFO, None),
    ]


@pytest.mark.parametrize(
    ("about", "fail_on_warning", "severity"),
    [
        (finding(WARNING, "request-overridden", standing=True), True, INFO),
        (finding(WARNING, "request-overridden", standing=True), False, WARNING),
        (finding(WARNING, "request-overridden"), True, WARNING),
        (finding(BLOCKER, "request-overridden", standing=True), True, BLOCKER),
        (finding(UNKNOWN, "fact-unknown", standing=True), True, UNKNOWN),
    ],
)
def test_a_warning_that_no_update_changes_does_not_stop_one(
    about: Finding, severity: Severity, *, fail_on_warning: bool
) -> None:
    (alone,) = weighed_alone(about, fail_on_warning=fail_on_warning)
    assert (alone.finding.severity, alone.status) == (severity, Status.OPEN)

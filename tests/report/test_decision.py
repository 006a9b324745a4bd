"""The first screen of a report: what to do, a row for each component, three answers; nothing that no finding says."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.worlds import sample_report
from tests.worlds.sample_report import EBS, INGRESS, finding, grant, report
from upgrade_gate.report.decision import Row, decision, listed
from upgrade_gate.report.document import FindingView, Hop, NeedView, RemedyView, Report, VerdictView
from upgrade_gate.requests.names import spoken


def verdict(status: Any, **more: Any) -> VerdictView:
    fields: dict[str, Any] = {
        "status": status,
        "exit_code": {"pass": 0, "blocked": 3, "undetermined": 4}[status],
        "basis": "proven",
        "assumptions": [],
        "next": "remediate",
        "counts": {},
        "summary": "",
        "command": [],
    }
    return VerdictView(**(fields | more))


def added(*permissions: str, **more: Any) -> FindingView:
    fields: dict[str, Any] = {
        "guard": "missed",
        "grants": [grant(name) for name in permissions],
        "needs": [NeedView(kind="grants", status="unknown", detail="no identities were given")],
    }
    return finding("permission-added", more.pop("request", EBS), "gains permissions", **(fields | more))


def only_row(*findings: FindingView) -> Row:
    (row,) = decision(report(findings=list(findings), changes=[])).rows
    return row


@pytest.mark.parametrize(
    ("given", "headline"),
    [
        (verdict("blocked"), "Do not start 4.13.99 → 4.14.0 yet"),
        (verdict("blocked", next="annotate"), "4.13.99 → 4.14.0 needs only the annotation now"),
        (
            verdict("undetermined", next="retry"),
            "Do not start 4.13.99 → 4.14.0 yet: nobody can tell whether it is safe",
        ),
        (verdict("pass", next="upgrade"), "4.13.99 → 4.14.0 can start"),
        (verdict("pass", next="upgrade", basis="assumed"), "4.13.99 → 4.14.0 can start, on assumptions"),
        (
            verdict("pass", next="check-cluster", basis="assumed"),
            "Nothing in the releases speaks against 4.13.99 → 4.14.0: check the cluster next",
        ),
        (verdict("pass", next="none"), "Nothing to do: the cluster already runs 4.14.0"),
    ],
)
def test_the_headline_says_what_to_do(given: VerdictView, headline: str) -> None:
    assert decision(report(findings=[], verdict=given)).headline == headline


def test_releases_that_were_not_read_are_no_path_to_start() -> None:
    unread = replace(sample_report.release("4.14.0"), version="")
    found = decision(
        report(hops=[Hop(from_=unread, to=unread, kind="none")], verdict=verdict("undetermined"), findings=[])
    )
    assert found.headline == "Do not start the update yet: the releases could not be read"


def test_a_row_names_every_new_permission_and_none_that_is_covered() -> None:
    row = only_row(added("ec2:A", "ec2:B", grants=[grant("ec2:A"), grant("ec2:B"), grant("ec2:C", covered_by="ec2:*")]))
    assert [g.permission for g in row.grants] == ["ec2:A", "ec2:B"]
    assert row.sentences == (), "the headline would only count what stands there already"


@pytest.mark.parametrize(
    ("needs", "status", "answer"),
    [
        (["met", "unmet", "unknown"], "open", "no"),
        (["met", "unknown"], "open", "not shown"),
        (["met"], "proven", "yes, proven"),
        (["unmet"], "acknowledged", "acknowledged"),
        ([], "open", ""),
    ],
)
def test_held_today_is_the_worst_of_what_is_needed(needs: list[Any], status: Any, answer: str) -> None:
    listed_needs = [NeedView(kind="grants", status=need, detail="") for need in needs]
    assert only_row(added("ec2:A", needs=listed_needs, status=status)).held.text == answer


def test_what_an_export_shows_to_be_held_is_not_asked_for_again() -> None:
    """Of three permissions one is held, one is not, and of one the export does not tell."""
    need = NeedView(kind="grants", status="unmet", detail="", of_each={"ec2:B": "unmet", "ec2:C": "unknown"})
    given = report(findings=[added("ec2:A", "ec2:B", "ec2:C", needs=[need])], changes=[])
    (row,) = decision(given).rows
    assert [g.permission for g in row.grants] == ["ec2:A", "ec2:B", "ec2:C"]
    assert [g.permission for g in row.lacking] == ["ec2:B", "ec2:C"]
    assert row.held.text == "1 of 3"
    assert decision(given).says[0] == "One component needs 2 cloud permissions that nobody has shown to be granted."
    found = answers(given)
    assert (
        found["If we go ahead anyway"] == "EBS CSI driver is refused ec2:B and ec2:C, unless they are granted already."
    )
    assert found["To turn this into a pass"] == (
        "Grant 1 permission; grant 1 permission, or show by an export of the identities that this is done."
    )


def test_what_is_only_declared_is_not_counted_as_held() -> None:
    need = NeedView(kind="grants", status="unmet", detail="", of_each={"ec2:A": "declared", "ec2:B": "unmet"})
    row = only_row(added("ec2:A", "ec2:B", "ec2:C", needs=[need]))
    assert row.held.text == "no"
    assert row.settled == {"ec2:A": "declared", "ec2:C": "held"}


def test_a_decision_is_not_something_that_is_held() -> None:
    assert only_row(added("ec2:A", needs=[NeedView(kind="decision", status="unmet", detail="")])).held.text == ""


@pytest.mark.parametrize(("guard", "answer"), [("missed", "no"), ("stopped", "yes"), (None, "")])
def test_whether_openshift_stops_it_is_the_guard_of_the_finding(guard: Any, answer: str) -> None:
    assert only_row(added("ec2:A", guard=guard)).stopped.text == answer


def test_risks_stand_in_words_and_uses_apart_from_them() -> None:
    row = only_row(
        added(
            "x",
            grants=[
                grant("iam:PassRole", risk=["ESCALATE"], access="permissions-management"),
                grant("ec2:DescribeTags", access="list"),
                grant("ec2:GetX", access="read"),
            ],
        )
    )
    assert row.risks == ("can gain further rights",)
    assert row.uses == ("read only",)


def test_what_needs_no_action_has_no_row() -> None:
    quiet = finding("permission-removed", INGRESS, "no longer needs 1 permission", severity="info")
    assert decision(report(findings=[quiet], verdict=verdict("pass", next="upgrade"))).rows == ()


def test_the_annotation_is_the_last_row_and_says_so() -> None:
    annotate = RemedyView(
        step="annotate", when="before", argv=["oc", "annotate", "x"], placeholders=[], file=None, number=2
    )
    waiting = finding("cco-not-upgradeable", "condition", "CCO says no", guard="stopped", remedy=[annotate])
    rows = decision(report(findings=[waiting, added("ec2:A")], changes=[])).rows
    assert [row.name for row in rows] == ["EBS CSI driver", "Cloud Credential Operator"]
    assert rows[-1].sentences == (
        "Its annotation does not name this target yet: the last step, once the other rows are closed.",
    )


def test_settled_rows_come_after_open_ones() -> None:
    rows = decision(
        report(findings=[added("ec2:A", status="proven"), added("route53:B", request=INGRESS)], changes=[])
    ).rows
    assert [row.request for row in rows] == [INGRESS, EBS]


def test_a_component_has_a_row_for_each_hop() -> None:
    hops = [
        Hop(from_=sample_report.release("4.12.0"), to=sample_report.release("4.13.0"), kind="minor"),
        Hop(from_=sample_report.release("4.13.0"), to=sample_report.release("4.14.0"), kind="minor"),
    ]
    found = decision(report(hops=hops, findings=[added("ec2:A"), added("ec2:B", hop=1)], changes=[]))
    assert [(row.hop, row.grants[0].permission) for row in found.rows] == [(0, "ec2:A"), (1, "ec2:B")]


def test_the_path_says_what_each_hop_adds() -> None:
    hops = [
        Hop(from_=sample_report.release("4.12.0"), to=sample_report.release("4.13.0"), kind="minor"),
        Hop(from_=sample_report.release("4.13.0"), to=sample_report.release("4.14.0"), kind="minor"),
    ]
    full = report(hops=hops)
    stops = decision(replace(full, changes=[replace(change, hop=1) for change in full.changes])).path
    assert [stop.version for stop in stops] == ["4.12.0", "4.13.0", "4.14.0"]
    assert stops[1].adds == ""
    assert stops[2].adds == "7 new permissions, 1 new component"


def test_many_rows_name_the_first_permissions_and_how_many_more() -> None:
    names = [f"ec2:A{n}" for n in range(12)]
    many = [added(*names, request=f"ns/component-{n}") for n in range(7)]
    assert {(len(row.grants), row.more) for row in decision(report(findings=many, changes=[])).rows} == {(8, 4)}
    few = decision(report(findings=many[:2], changes=[])).rows
    assert {(len(row.grants), row.more) for row in few} == {(12, 0)}


def answers(found: Report) -> dict[str, str]:
    return {box.title: " ".join(box.sentences) for box in decision(found).boxes}


def test_a_proven_pass_warns_of_nothing() -> None:
    found = answers(
        report(findings=[added("ec2:A", status="proven")], verdict=verdict("pass", next="upgrade"), changes=[])
    )
    assert found["If we go ahead"] == "Every component has what it asks for, as far as this report can see."
    assert "refused" not in " ".join(found.values())


@pytest.mark.parametrize(
    ("basis", "rest"),
    [
        ("proven", "Everything else has what it asks for, as far as this report can see."),
        ("assumed", "It goes well if 4.13.99's permissions are in place."),
    ],
)
def test_a_pass_on_acknowledgements_does_not_say_that_all_is_in_place(basis: str, rest: str) -> None:
    assumed = ["4.13.99's permissions are in place"] if basis == "assumed" else []
    given = verdict("pass", next="upgrade", basis=basis, assumptions=assumed)
    found = answers(report(findings=[added("ec2:A", status="acknowledged")], verdict=given, changes=[]))
    assert found["If we go ahead"] == f"Acknowledged without proof, and may still fail: EBS CSI driver. {rest}"


def test_a_proven_pass_says_why_nothing_is_left_to_do() -> None:
    given = report(findings=[added("ec2:A", status="proven")], verdict=verdict("pass", next="upgrade"), changes=[])
    (said,) = decision(given).says
    assert said == "Nothing needs to be done before the update. What is new is granted already, and that is proven."


def test_a_pass_on_acknowledgements_counts_them() -> None:
    given = report(findings=[added("ec2:A", status="acknowledged")], verdict=verdict("pass", next="upgrade"))
    assert decision(given).says == ("Nothing needs to be done before the update. 1 row below was acknowledged.",)


def test_a_pass_on_assumptions_names_them() -> None:
    given = verdict("pass", next="upgrade", basis="assumed", assumptions=["4.13.99's permissions are in place"])
    found = answers(report(findings=[], verdict=given, changes=[]))
    assert found["If we go ahead"] == "It goes well if 4.13.99's permissions are in place."
    assert "Taken for granted: 4.13.99's permissions are in place." in found["How sure is this"]


def test_the_boxes_count_what_is_asked_for() -> None:
    unmet = NeedView(kind="grants", status="unmet", detail="")
    secret = NeedView(kind="secret", status="unmet", detail="")
    there = NeedView(kind="namespace", status="met", detail="")
    found = answers(report(findings=[added("ec2:A", "ec2:B", needs=[unmet, secret, there])], changes=[]))
    assert found["To turn this into a pass"] == "Grant 2 permissions; put 1 Secret in place."
    assert found["If we go ahead anyway"] == "EBS CSI driver is refused ec2:A and ec2:B."


@pytest.mark.parametrize(
    ("argv", "until", "ends"),
    [
        (["oc", "annotate", "x"], "the annotation is set", "Set the annotation."),
        (["oc", "wait", "x"], "the annotation is set", "Wait until CCO has noticed the annotation."),
        ([], "CCO's reason is gone", "End what CCO gives as its reason."),
    ],
)
def test_a_refusal_of_cco_ends_with_the_annotation_only_where_cco_asks_for_it(
    argv: list[str], until: str, ends: str
) -> None:
    """`MissingRootCredential` is another reason than `MissingUpgradeableAnnotation`."""
    steps = [RemedyView("do it", "before", argv, [], None)] if argv else []
    refusal = finding("cco-not-upgradeable", "ClusterOperator cloud-credential", "no", guard="stopped", remedy=steps)
    found = answers(report(findings=[refusal], changes=[]))
    assert f"it no longer does once {until}." in found["If we go ahead anyway"]
    assert found["To turn this into a pass"] == ends


@pytest.mark.parametrize(("subject", "about"), [("cluster", "Not read"), ("dir:4.14.0", "The release")])
def test_nothing_to_judge_is_about_what_holds_nothing(subject: str, about: str) -> None:
    assert only_row(finding("nothing-to-judge", subject, "x", severity="unknown")).name == about


def test_a_single_decision_is_named() -> None:
    one = finding(
        "hop-unsupported", "hop", "x", needs=[NeedView(kind="decision", status="unmet", detail="use {--via}")]
    )
    two = [one, replace(one, fingerprint="b")]
    assert answers(report(findings=[one], changes=[]))["To turn this into a pass"] == "Use {--via}."
    assert answers(report(findings=two, changes=[]))["To turn this into a pass"] == "Decide on 2 findings."


def test_what_is_not_shown_can_be_shown_instead() -> None:
    found = answers(report(findings=[added("ec2:A")], changes=[]))["To turn this into a pass"]
    assert found == "Grant 1 permission, or show by an export of the identities that this is done."


def test_what_is_only_not_shown_is_not_called_refused() -> None:
    found = answers(report(findings=[added("ec2:A")], changes=[]))
    assert found["If we go ahead anyway"] == "EBS CSI driver is refused ec2:A, unless it is granted already."


def test_what_happens_to_a_component_is_told_once_for_all_hops() -> None:
    unmet = [NeedView(kind="grants", status="unmet", detail="")]
    hops = [
        Hop(from_=sample_report.release("4.12.0"), to=sample_report.release("4.13.0"), kind="minor"),
        Hop(from_=sample_report.release("4.13.0"), to=sample_report.release("4.14.0"), kind="minor"),
    ]
    both = [added("ec2:A", needs=unmet), added("ec2:B", hop=1, needs=unmet)]
    found = answers(report(hops=hops, findings=both, changes=[]))
    assert found["If we go ahead anyway"] == "EBS CSI driver is refused ec2:A and ec2:B."


def test_a_pass_without_a_cluster_promises_nothing_about_one() -> None:
    given = report(cluster=None, findings=[], verdict=verdict("pass", next="check-cluster", basis="assumed"))
    assert decision(given).says == ("The releases ask for nothing that would have to be granted first.",)
    assert answers(given)["If we go ahead"] == "The releases alone do not tell: the cluster was not read."


def test_open_questions_are_counted() -> None:
    fact = finding("fact-unknown", "Infrastructure cluster", "not read", severity="unknown")
    given = report(findings=[fact], verdict=verdict("undetermined", next="retry"), changes=[])
    assert decision(given).says == ("1 question is open; the table says what is missing.",)
    assert answers(given)["If we go ahead anyway"] == "Nobody can tell: 1 question is open."


def test_how_sure_counts_facts_that_were_read() -> None:
    found = answers(report(findings=[]))
    assert found["How sure is this"].startswith("Read 9 of 11 facts.")


@pytest.mark.parametrize(
    ("collected", "judged", "said"),
    [
        ("2026-10-30T08:00:00Z", "2026-11-01T08:00:00Z", "cluster's data 2 days old"),
        ("2026-11-01T05:00:00Z", "2026-11-01T08:00:00Z", "cluster's data 3 hours old"),
        ("2026-11-01T07:50:00Z", "2026-11-01T08:00:00Z", "cluster's data less than an hour old"),
        ("2026-11-02T07:50:00Z", "2026-11-01T08:00:00Z", "cluster's data of 2 Nov 2026 07:50 UTC"),
        (None, "2026-11-01T08:00:00Z", "age of the cluster's data unknown"),
    ],
)
def test_the_age_of_the_data_is_said(collected: str | None, judged: str, said: str) -> None:
    cluster = replace(sample_report.cluster(), collected=collected)
    text = decision(report(cluster=cluster, now=None, generated=judged)).judged
    assert text == f"Judged 1 Nov 2026 08:00 UTC, {said}"


def test_a_live_cluster_has_no_age() -> None:
    cluster = replace(sample_report.cluster(), collected=None, source="https://api.c1.example.com:6443")
    assert decision(report(cluster=cluster)).judged.endswith(", cluster read live")


def test_an_unread_fact_is_a_row_of_its_own() -> None:
    fact = finding(
        "fact-unknown", "Infrastructure cluster", "Infrastructure cluster could not be read", severity="unknown"
    )
    row = only_row(fact)
    assert (row.name, row.sentences) == ("Not read", ("Infrastructure cluster could not be read",))


def test_a_diff_has_neither_rows_nor_boxes() -> None:
    found = decision(sample_report.ALL["difference"]())
    assert (found.rows, found.boxes) == ((), ())


@pytest.mark.parametrize(
    ("request_name", "name"),
    [
        ("openshift-cloud-credential-operator/openshift-image-registry-azure", "Image registry"),
        ("openshift-cloud-credential-operator/openshift-azure-cloud-controller-manager", "Cloud controller manager"),
        ("openshift-cloud-credential-operator/aws-ebs-csi-driver-operator", "EBS CSI driver"),
        ("openshift-cloud-credential-operator/openshift-networking-x", "openshift-networking-x"),
        ("ns/something-of-ours", "something-of-ours"),
    ],
)
def test_components_are_called_as_people_call_them(request_name: str, name: str) -> None:
    assert spoken(request_name) == name


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and 1 more")]
)
def test_names_are_listed_as_a_person_would(names: list[str], text: str) -> None:
    assert listed(names, 2) == text


def test_facts_without_a_cluster_are_said_to_be_none() -> None:
    found = answers(report(cluster=None, findings=[]))
    assert found["How sure is this"].startswith("No cluster was read: judged from the releases alone.")

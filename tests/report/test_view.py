"""How a report is ordered and worded, whatever the format."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.worlds import sample_report
from upgrade_gate.report import closing, view
from upgrade_gate.report.document import ChangeSelection, Hop
from upgrade_gate.report.formats._harmless import harmless_report
from upgrade_gate.report.view import Stance


def test_a_harmless_report_is_left_as_it_is() -> None:
    assert harmless_report(sample_report.report()) == sample_report.report()


def test_findings_come_missed_first_then_open_before_settled_then_by_severity() -> None:
    order = [(f.guard, f.status, f.severity) for f in view.sections(sample_report.report().findings).all]
    assert order == [
        ("missed", "open", "blocker"),
        ("missed", "open", "blocker"),
        ("missed", "acknowledged", "blocker"),
        ("missed", "proven", "blocker"),
        ("stopped", "open", "blocker"),
        (None, "open", "unknown"),
        (None, "open", "warning"),
        (None, "open", "warning"),
        (None, "open", "info"),
        (None, "open", "info"),
        (None, "open", "info"),
    ]


def test_the_order_of_findings_in_the_document_does_not_matter() -> None:
    findings = sample_report.report().findings
    assert view.sections(findings) == view.sections(reversed(findings))


def test_a_component_that_only_changed_comes_last() -> None:
    assert view.components(sample_report.report())[-1].name == "cloud-network-config-controller"


def test_changes_of_several_hops_stand_under_one_component_in_order() -> None:
    changes = [sample_report.change(sample_report.EBS, hop=1), sample_report.change(sample_report.EBS, hop=0)]
    (component,) = view.components(sample_report.report(changes=changes, findings=[]))
    assert [change.hop for change in component.changes] == [0, 1]


@pytest.mark.parametrize(
    ("grant", "text"),
    [
        ({}, "a:B"),
        ({"resource": "arn:aws:s3:::x"}, "a:B on arn:aws:s3:::x"),
        ({"effect": "Deny"}, "Deny: a:B"),
        ({"condition": {"Bool": {"k": True}}}, 'a:B if {"Bool": {"k": true}}'),
        ({"type": "dataPermission", "effect": None, "resource": None}, "a:B (data plane)"),
        ({"type": "predefinedRole", "effect": None, "resource": None}, "role a:B"),
        (
            {"type": "role", "effect": None, "resource": None, "scope": {"attributes": [{"name": "n", "value": "v"}]}},
            "role a:B on n=v",
        ),
        ({"scope": ["odd"]}, 'a:B on ["odd"]'),
    ],
)
def test_a_grant_says_whatever_narrows_it(grant: dict[str, Any], text: str) -> None:
    assert view.grant_text(sample_report.grant("a:B", **grant)) == text


def test_a_path_of_hops_names_every_release() -> None:
    first, second, third = (sample_report.release(v) for v in ("4.14.9", "4.15.9", "4.16.1"))
    hops = [Hop(from_=first, to=second, kind="minor"), Hop(from_=second, to=third, kind="minor")]
    assert view.path_of(sample_report.report(hops=hops)) == "4.14.9 -> 4.15.9 (minor) -> 4.16.1 (minor)"
    same = [Hop(from_=first, to=first, kind="none")]
    assert view.path_of(sample_report.report(hops=same)) == "4.14.9 -> 4.14.9 (same release)"
    assert view.path_of(sample_report.report(hops=[])) == "no releases"


def test_what_a_diff_compares_is_named_where_it_does_not_say_its_version() -> None:
    old, new = (replace(sample_report.release(""), reference=f"dir:{name}", version="") for name in ("old", "new"))
    hops = [Hop(from_=old, to=new, kind="none")]
    assert view.path_of(sample_report.report(hops=hops, verdict=None)) == "dir:old -> dir:new"
    assert view.path_of(sample_report.report(hops=hops)) == "the releases were not read"


@pytest.mark.parametrize(
    ("severity", "status", "stance"),
    [
        ("blocker", "open", Stance.BLOCKS),
        ("unknown", "open", Stance.OPEN),
        ("warning", "open", Stance.WARNS),
        ("info", "open", Stance.SAYS),
        ("blocker", "acknowledged", Stance.ACCEPTED),
        ("unknown", "acknowledged", Stance.ACCEPTED),
        ("warning", "acknowledged", Stance.ACCEPTED),
        ("blocker", "proven", Stance.SAYS),
    ],
)
def test_what_a_finding_means_to_a_pipeline(
    severity: sample_report.Severity, status: sample_report.Status, stance: Stance
) -> None:
    found = sample_report.finding("permission-added", "ns/a", "a", severity=severity, status=status)
    assert view.stance(found, sample_report.report()) is stance


@pytest.mark.parametrize(
    ("status", "summary", "said"),
    [
        ("pass", "PASS 4.1 to 4.2, assuming", "4.1 to 4.2, assuming"),
        ("undetermined", "CANNOT TELL 4.1 to 4.2: why", "4.1 to 4.2: why"),
        ("blocked", "something else", "something else"),
        ("blocked", "", "3 open blockers, 1 open unknown, 2 open warnings."),
    ],
)
def test_the_word_of_the_verdict_is_not_said_twice(status: str, summary: str, said: str) -> None:
    report = sample_report.report()
    assert report.verdict is not None
    verdict = msgspec.structs.replace(report.verdict, status=status, summary=summary)
    assert view.sentence(msgspec.structs.replace(report, verdict=verdict)) == said


@pytest.mark.parametrize(
    ("rules", "severity", "said"),
    [
        (
            "fact-unknown",
            "unknown",
            "Supply what is listed under Not read, as said with each finding, then check again.",
        ),
        ("identity-narrower", "unknown", "Widen what is granted in a narrower form than needed, as said with"),
        ("hosted-control-plane", "unknown", "Clear up what is uncertain, as said with"),
        ("identity-narrower fact-unknown", "unknown", "Supply what is listed under Not read, widen what is granted"),
        ("manifest-unreadable", "unknown", "Supply what could not be read, as said with"),
        ("fact-unknown", "warning", "Bring the proof"),
    ],
)
def test_a_verdict_that_is_open_names_the_step_that_ends_it(
    rules: str, severity: sample_report.Severity, said: str
) -> None:
    report = sample_report.report()
    assert report.verdict is not None
    findings = [sample_report.finding(rule, "a", "a", severity=severity) for rule in rules.split()]
    verdict = msgspec.structs.replace(
        report.verdict, status="undetermined", next="retry", counts=sample_report.counts(findings)
    )
    told = closing.next_step(msgspec.structs.replace(report, verdict=verdict, findings=findings))
    assert told.startswith(said)
    assert ("Not read" in told) is (rules.endswith("fact-unknown") and severity == "unknown")


def test_an_annotation_that_cco_has_not_seen_is_waited_for() -> None:
    report = sample_report.report()
    assert report.verdict is not None
    waiting = msgspec.structs.replace(report, verdict=msgspec.structs.replace(report.verdict, next="retry"))
    assert closing.next_step(waiting).startswith("Wait until CCO has seen the annotation")


@pytest.mark.parametrize(
    ("before", "after", "why", "said"),
    [
        ("applied", "applied", "", ""),
        ("absent", "applied", "the target introduces it", "not there before, applied after: the target introduces it"),
        ("applied", "excluded", "", "applied before, not applied here after"),
    ],
)
def test_whether_a_release_applies_a_request_is_said_where_it_changes(
    before: str, after: str, why: str, said: str
) -> None:
    change = sample_report.change("ns/a", selection=ChangeSelection(from_=before, to=after, why=why))
    assert view.selection_text(change) == said


def test_a_diff_says_nothing_of_how_the_cluster_gets_its_credentials() -> None:
    assert view.judged_by(sample_report.difference()).startswith("AWS; self-managed-high-availability")


def test_guesses_are_marked() -> None:
    report = sample_report.report()
    assert report.verdict is not None
    names = ["mode", "credentials", "profile", "feature_set", "capabilities"]
    guessed = msgspec.structs.replace(
        report, credentials="unknown", verdict=msgspec.structs.replace(report.verdict, guesses=names)
    )
    text = view.judged_by(guessed)
    assert text.count("(assumed)") == len(names)
    assert "manual mode (assumed), keys or tokens (assumed); " in text
    assert "assumed" not in view.judged_by(report)


@pytest.mark.parametrize("step", ["remediate", "annotate", "upgrade", "check-cluster", "none"])
def test_every_verdict_ends_with_a_sentence(step: str) -> None:
    report = sample_report.report()
    assert report.verdict is not None
    verdict = msgspec.structs.replace(report.verdict, next=step, command=[])
    assert closing.next_step(msgspec.structs.replace(report, verdict=verdict)).endswith(".")


def test_a_diff_without_changes_says_so() -> None:
    assert view.sentence(sample_report.report(verdict=None, changes=[], findings=[])) == "No request changes."


def test_a_platform_that_is_not_known_is_said_to_be_unknown() -> None:
    assert view.judged_by(msgspec.structs.replace(sample_report.report(), platform="")).startswith("platform unknown, ")

import re
import unicodedata

import msgspec
import pytest
from msgspec.structs import replace

from tests.worlds import sample_report
from upgrade_gate.report.document import FactView, RemedyView, Report
from upgrade_gate.report.formats import text as subject
from upgrade_gate.report.render_options import RenderOptions

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def lines(report: Report, width: int = 80) -> list[str]:
    return subject.render(report, RenderOptions(width=width)).decode().splitlines()


def place(found: list[str], text: str) -> int:
    return next((n for n, line in enumerate(found) if text in line), -1)


def test_the_first_line_names_the_cluster_and_how_much_of_it_is_known() -> None:
    assert lines(sample_report.report())[0] == "c1-x7k2p, https://api.c1.example.com:6443: read 9 of 11 facts"


def test_without_a_cluster_the_first_line_says_so() -> None:
    assert lines(sample_report.empty())[0].startswith("No cluster")


def test_what_cco_and_cvo_would_miss_stands_first() -> None:
    found = lines(sample_report.report())
    verdict = place(found, "BLOCKED  4.13.99 to 4.14.0")
    missed = place(found, "Not caught by OpenShift (4)")
    others = place(found, "Other findings")
    harmless = place(found, "No action needed (3;")
    assert 0 < verdict < missed < others < harmless
    assert missed < place(found, "aws-ebs-csi-driver-operator gains 3 permissions") < others
    assert others < place(found, "CCO reports Upgradeable=False") < harmless


def test_a_risky_permission_comes_before_a_harmless_one_and_covered_ones_are_a_number() -> None:
    found = lines(sample_report.report())
    risky = place(found, "+ ec2:EnableFastSnapshotRestores [COST]")
    assert 0 < risky < place(found, "+ ec2:DescribeSnapshots") < place(found, "and 3 permissions covered already")
    assert place(found, "ec2:DescribeVolumes") == -1


def test_a_widened_permission_shows_what_it_was() -> None:
    widened = [f for f in sample_report.report().findings if f.rule == "permission-widened"]
    found = lines(
        sample_report.report(findings=[msgspec.structs.replace(widened[0], status="open", acknowledgement=None)])
    )
    before = place(found, '- kms:CreateGrant if {"Bool": {"kms:GrantIsForAWSResource": true}}')
    assert found[before + 1].strip() == "+ kms:CreateGrant [ESCALATE]"


def test_an_accepted_finding_shows_owner_end_and_ticket() -> None:
    text = " ".join(" ".join(lines(sample_report.report())).split())
    assert "ACKNOWLEDGED openshift-machine-api-aws loosens kms:CreateGrant" in text
    assert "by cloud-team@example.com, until 2026-12-31: the key policy holds the condition (CHG0012345)" in text


def test_an_unread_fact_names_the_permission_to_add() -> None:
    text = " ".join(" ".join(lines(sample_report.report())).split())
    assert "get clusteroperators/cloud-credential: forbidden do get clusteroperators.config.openshift.io" in text


def test_a_step_that_is_no_part_of_a_bundle_is_said_with_the_first_finding_only() -> None:
    """Where every read is refused, the roles that allow them all would stand with each of them."""
    given = sample_report.report()
    allow, other = (RemedyView(f"allow the read of {name}", "before", [], [], None) for name in ("mode", "history"))
    roles = RemedyView("or once for all", "before", ["upgrade-gate", "init", "rbac"], [], None)
    facts = [f for f in given.findings if f.status == "open"][:3]
    steps = ([allow, roles], [allow, roles], [other, roles])
    told = [replace(finding, remedy=remedy) for finding, remedy in zip(facts, steps, strict=True)]
    text = " ".join(lines(replace(given, findings=told)))
    assert [text.count(said) for said in (allow.step, "upgrade-gate init rbac", "do       as above")] == [1, 1, 1]
    assert other.step in text


def test_facts_that_are_unread_for_one_reason_are_told_together() -> None:
    given = sample_report.report()
    assert given.cluster is not None
    facts = [FactView(name=n, state="unknown", value=None, reason="no dump", remedy=None) for n in ("mode", "version")]
    found = lines(replace(given, cluster=replace(given.cluster, facts=facts)))
    assert "  mode, version: no dump" in found


def test_the_command_that_collects_a_fact_can_be_pasted_from_a_narrow_terminal() -> None:
    collect = "oc adm inspect cloudcredentials.operator.openshift.io/cluster --dest-dir must-gather.local.1"
    given = sample_report.report()
    assert given.cluster is not None
    fact = FactView(name="mode", state="unknown", value=None, reason="not in the must-gather", remedy=collect)
    found = lines(replace(given, cluster=replace(given.cluster, facts=[fact])), 60)
    start = place(found, "do oc adm inspect")
    pasted = "\n".join(found[start:]).replace("\\\n", " ").splitlines()[0]
    assert found[start].endswith(" \\")
    assert pasted.split() == ["do", *collect.split()]


def test_the_file_that_a_command_writes_stays_beside_its_arrow() -> None:
    given = sample_report.report()
    assert given.cluster is not None
    collect = "oc get cloudcredentials.operator.openshift.io/cluster -o yaml > dump/cloudcredentials-added.yaml"
    fact = FactView(name="mode", state="unknown", value=None, reason="gone", remedy=collect)
    found = lines(replace(given, cluster=replace(given.cluster, facts=[fact])), 80)
    start = place(found, "do oc get")
    assert found[start].endswith(" -o yaml \\")
    assert found[start + 1].strip() == "> dump/cloudcredentials-added.yaml"


def test_a_remedy_with_a_quote_that_does_not_close_is_shown_as_words() -> None:
    """A snapshot is a file that anybody may have written."""
    given = sample_report.report()
    assert given.cluster is not None
    fact = FactView(name="mode", state="unknown", value=None, reason="gone", remedy="oc adm inspect ns/it's")
    assert "    do oc adm inspect ns/it's" in lines(replace(given, cluster=replace(given.cluster, facts=[fact])))


def test_a_new_permission_is_amber_since_it_is_the_risk() -> None:
    coloured = subject.render(sample_report.report(), RenderOptions(color=True)).decode()
    assert "\x1b[33m+ " in coloured
    assert "\x1b[31m- " not in coloured


def test_a_run_without_changes_is_short_and_ends_with_the_command() -> None:
    found = lines(sample_report.quiet())
    proof = found[found.index("Proof") : len(found) - found[::-1].index("")]
    assert len([line for line in found if line and line not in proof]) <= 14
    assert found[-2].strip() == "oc adm upgrade \\"
    assert re.match(r"--to-image \S+@sha256:", found[-1].strip())


def test_a_blocked_run_ends_with_exit_code_and_next_step() -> None:
    report = sample_report.report()
    assert report.verdict is not None
    call = ["upgrade-gate", "remediate", "--to", "4.14.0", "-d", "bundle"]
    report = msgspec.structs.replace(report, verdict=msgspec.structs.replace(report.verdict, remediate=call))
    text = " ".join(" ".join(lines(report)[-4:]).split())
    assert "BLOCKED (exit 3): 2 blockers, 1 question, 2 warnings open; then the annotation, 1 acknowledged." in text
    assert text.endswith("this writes the files that the steps name: upgrade-gate remediate --to 4.14.0 -d bundle")


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("case", ["full", "quiet", "empty", "difference", "large"])
def test_no_line_is_wider_than_the_terminal_unless_it_is_one_word_or_an_option_with_its_value(
    case: str, width: int
) -> None:
    for line in lines(sample_report.ALL[case](), width=width):
        wide = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
        words = line.strip().removesuffix("\\").split()
        option = line.strip().startswith("-")
        assert wide <= width or option or max(map(len, words)) > width - 40, line


def test_wide_characters_take_two_columns() -> None:
    report = sample_report.report(labels={"team": "\u5e73\u53f0" * 10 + " " + "\u5e73\u53f0" * 20})
    label = [line for line in lines(report) if "\u5e73" in line]
    assert len(label) == 2


def test_colour_changes_nothing_but_colour() -> None:
    plain = subject.render(sample_report.report(), RenderOptions()).decode()
    coloured = subject.render(sample_report.report(), RenderOptions(color=True)).decode()
    assert "\x1b" not in plain
    assert coloured != plain
    assert COLOUR.sub("", coloured) == plain


def test_hostile_names_bring_no_escape_sequence_even_where_colour_is_wanted() -> None:
    coloured = subject.render(sample_report.hostile(), RenderOptions(color=True)).decode()
    assert "\x1b" not in COLOUR.sub("", coloured)
    assert "[31mred" in coloured
    assert "\x1b[31mred" not in coloured


def test_the_commands_can_be_pasted() -> None:
    text = "\n".join(lines(sample_report.report()))
    command = text[text.index("ccoctl aws") : text.index("'<PROVIDER_ARN>'")].replace("\\\n", " ").split()
    assert command[:6] == ["ccoctl", "aws", "create-iam-roles", "--name", "'<NAME>'", "--region"]


def test_no_command_breaks_between_an_option_and_its_value() -> None:
    for line in lines(sample_report.report(), width=60):
        assert not re.search(r"(^|\s)--?[a-z][a-z-]*\s*\\$", line), line


def test_values_to_fill_in_are_named_once() -> None:
    text = "\n".join(lines(sample_report.report()))
    listed = text[text.index("To fill in before the commands are run (2)") :].splitlines()[1:3]
    assert [line.strip() for line in listed] == ["<NAME>", "<PROVIDER_ARN>"]


def test_a_step_of_two_findings_is_told_once() -> None:
    first = next(f for f in sample_report.report().findings if f.rule == "permission-added")
    second = msgspec.structs.replace(first, rule="permission-widened", fingerprint="0" * 16)
    text = "\n".join(lines(sample_report.report(findings=[first, second], changes=[])))
    assert text.count("aws iam put-role-policy") == 1
    assert "step 1   as above" in text


def test_a_reason_that_all_share_stands_under_the_title() -> None:
    first = next(f for f in sample_report.report().findings if f.rule == "permission-added")
    second = msgspec.structs.replace(first, rule="permission-widened", fingerprint="0" * 16)
    text = " ".join(" ".join(lines(sample_report.report(findings=[first, second], changes=[]))).split())
    assert text.lower().count(sample_report.MISSED.lower()) == 1


def test_fingerprints_of_what_needs_no_action_are_shown_on_demand() -> None:
    harmless = next(f for f in sample_report.report().findings if f.severity == "info")
    short = subject.render(sample_report.report(), RenderOptions()).decode()
    whole = subject.render(sample_report.report(), RenderOptions(verbose=True)).decode()
    assert harmless.fingerprint not in short
    assert "-v shows their fingerprints" in short
    assert harmless.fingerprint in whole


def test_marks_of_risk_are_explained_where_they_are_used() -> None:
    text = " ".join(" ".join(lines(sample_report.report())).split())
    assert "Marks: ESCALATE can gain further rights; COST can cost money." in text
    assert "Marks:" not in "\n".join(lines(sample_report.quiet()))


def test_a_diff_shows_changes_and_judges_nothing() -> None:
    found = lines(sample_report.difference())
    text = "\n".join(found)
    assert "DIFF  5 requests change, 10 permissions added, 3 of them covered already." in text
    assert "+ 3 permissions covered already" in text
    assert "+ comes, - goes, ~ changes" in text
    assert "secret: none -> openshift-cluster-api/capa-manager-bootstrap-credentials" in text
    assert "(was" in text
    assert "exit" not in text


def test_many_permissions_run_on_instead_of_filling_the_screen() -> None:
    grants = [sample_report.grant(f"ec2:Action{n:03}") for n in range(60)]
    found = lines(
        sample_report.report(
            findings=[sample_report.finding("request-added", "ns/a", "a is new", grants=grants)], changes=[]
        )
    )
    assert all(any(f"ec2:Action{n:03}" in line for line in found) for n in range(60))
    assert len([line for line in found if "ec2:Action" in line]) <= 20

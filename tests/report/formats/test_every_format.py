"""What holds for every format and every report."""

import json
import re

import msgspec
import pytest

from tests.worlds import sample_report
from upgrade_gate.base import plugins
from upgrade_gate.report.document import Report
from upgrade_gate.report.render_options import RenderOptions

FORMATS = plugins.names("report.formats")
FINGERPRINT = re.compile(r"\b[0-9a-f]{16}\b")
ACTIVE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""What a terminal or a browser obeys; a line break and a tab are not among them."""


def render(name: str, report: Report, max_bytes: int | None = None) -> str:
    document: bytes = plugins.load("report.formats", name).render(
        report, RenderOptions(max_bytes=max_bytes, verbose=True)
    )
    return document.decode()


def words(name: str, report: Report) -> str:
    """Return what a reader sees, on one line: HTML without its tags, SARIF without its escapes."""
    text = render(name, report)
    return " ".join((re.sub(r"<[^>]+>", " ", text) if name == "html" else text).replace("\\", "").split())


def test_the_formats_are_those_of_the_manual() -> None:
    assert set(FORMATS) == {
        "text",
        "json",
        "html",
        "markdown",
        "sarif",
        "junit",
        "codequality",
        "github",
        "policyreport",
    }


@pytest.mark.slow
@pytest.mark.parametrize("case", sample_report.ALL)
@pytest.mark.parametrize("name", FORMATS)
def test_the_same_report_gives_the_same_bytes(name: str, case: str) -> None:
    first, second = (render(name, sample_report.ALL[case]()) for _ in range(2))
    assert first == second
    assert first.endswith("\n")


@pytest.mark.parametrize("case", ["full", "quiet", "empty", "hostile", "large"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_of_the_same_findings(name: str, case: str) -> None:
    report = sample_report.ALL[case]()
    wanted = {f.fingerprint for f in report.findings}
    assert wanted == wanted & set(FINGERPRINT.findall(render(name, report, max_bytes=10_000_000)))


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_tells_of_a_finding_that_is_not_there(name: str) -> None:
    known = {f.fingerprint for f in sample_report.report().findings}
    assert set(FINGERPRINT.findall(render(name, sample_report.report()))) == known


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_in_a_payload_steers_a_terminal_or_turns_text_around(name: str) -> None:
    assert not ACTIVE.search(render(name, sample_report.hostile()))


@pytest.mark.parametrize("name", FORMATS)
def test_a_lone_surrogate_from_a_file_name_breaks_no_format(name: str) -> None:
    odd = sample_report.finding("permission-added", "ns/\udce9", "headline \ud800")
    render(name, sample_report.report(findings=[odd]))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_by_which_pull_request_a_new_permission_came(name: str) -> None:
    said = render(name, sample_report.report()).replace("\\/", "/")
    if name == "json":
        added = json.loads(said)["changes"][0]["permissions"]["added"]
        assert [(g["introduced"]["pull_request"], g["introduced"]["z_stream"]) for g in added if g["introduced"]] == [
            (418, True)
        ]
    else:
        assert "https://github.com/openshift/cluster-storage-operator/pull/418" in said
        assert "added to 4.14 after GA" in said


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"codequality"}))
def test_labels_for_the_change_ticket_stand_in_the_report(name: str) -> None:
    text = render(name, sample_report.report())
    assert "CHG0012345" in text


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"codequality"}))
def test_every_report_says_how_much_of_the_cluster_is_known(name: str) -> None:
    text = render(name, sample_report.report())
    if name == "json":
        states = [fact["state"] for fact in json.loads(text)["cluster"]["facts"]]
        assert (len(states) - states.count("unknown"), len(states)) == (9, 11)
    else:
        assert re.search("read 9 of 11 facts", text, re.IGNORECASE)


@pytest.mark.parametrize(
    ("name", "shut"),
    [
        ("text", "CANNOT TELL"),
        ("html", "CANNOT TELL"),
        ("markdown", "CANNOT TELL"),
        ("junit", "<error "),
        ("github", "::error "),
        ("sarif", '"executionSuccessful": false'),
        ("json", '"undetermined"'),
        ("policyreport", "result: error"),
    ],
)
def test_a_verdict_that_fails_for_want_of_proof_looks_green_nowhere(name: str, shut: str) -> None:
    quiet = sample_report.quiet()
    assert quiet.verdict is not None
    verdict = msgspec.structs.replace(
        quiet.verdict,
        status="undetermined",
        exit_code=4,
        next="retry",
        command=[],
        summary="CANNOT TELL 4.14.1 to 4.14.2: proof is required, and it is only assumed",
    )
    text = render(name, msgspec.structs.replace(quiet, verdict=verdict))
    assert shut in text
    assert "PASS" not in text


@pytest.mark.parametrize("name", [n for n in FORMATS if n != "github"])
def test_a_grant_says_what_it_lets_its_holder_do_and_which_pair_it_completes(name: str) -> None:
    """Annotations on GitHub hold one line for a finding, and so no grants."""
    shown = words(name, sample_report.report())
    if name == "json":
        grants = [g for f in json.loads(render(name, sample_report.report()))["findings"] for g in f["grants"]]
        assert ("write", ["iam:PassRole"]) in [(g["access"], g["completes"]) for g in grants]
    elif name == "html":
        assert "ec2:RunInstances write ESCALATE with iam:PassRole" in shown
    else:
        assert "ec2:RunInstances (write) [ESCALATE with iam:PassRole]" in shown


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_where_a_proof_comes_from(name: str) -> None:
    """Account, collection time and digest of each file; and what no such source can show."""
    text = words(name, sample_report.report())
    for fact in ("123456789012", "2026-11-01T05:00:00Z", "authorization-details.json", "ab" * 32):
        assert fact in text
    assert "service control policies were not supplied" in text


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_speaks_of_a_source_where_nothing_was_read(name: str) -> None:
    assert "what identities hold was read" not in render(name, sample_report.report(identities=None)).lower()


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"codequality"}))
@pytest.mark.parametrize(
    ("case", "said"), [("quiet", "assuming that 4.14.1"), ("empty", "every requirement is proven")]
)
def test_every_format_with_a_verdict_says_what_it_rests_on(case: str, said: str, name: str) -> None:
    """GitLab's list of issues has no place for a verdict."""
    assert said in words(name, sample_report.ALL[case]())


@pytest.mark.parametrize("name", [n for n in FORMATS if n != "github"])
def test_a_proven_finding_says_by_whom_and_with_which_caveats(name: str) -> None:
    (proven,) = [f for f in sample_report.report().findings if f.status == "proven" and f.identity]
    assert proven.identity is not None
    report = sample_report.report(findings=[msgspec.structs.replace(proven, caveats=["a caveat of its own"])])
    text = words(name, report)
    assert proven.identity.id in text
    assert "a caveat of its own" in text


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"codequality"}))
def test_every_format_names_the_dated_tables_with_their_source(name: str) -> None:
    """GitLab's list of issues has no place for what is no issue."""
    report = sample_report.report()
    assert report.tables
    for table in report.tables:
        assert table.name in words(name, report)
        assert table.date in words(name, report)
        assert table.source in words(name, report)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_which_policies_a_vendor_publishes_and_what_they_lack(name: str) -> None:
    report = sample_report.report()
    assert report.identities is not None
    told = [one for one in report.identities.vendor_sets if one.lacks]
    assert told
    for one in told:
        assert one.published in words(name, report)
        assert all(permission in words(name, report) for permission in one.lacks)

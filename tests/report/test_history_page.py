"""What `history` answers, for a terminal and as Markdown."""

import re

from markdown_it import MarkdownIt

from upgrade_gate.report import history_page
from upgrade_gate.report.history_document import answer


def text(name: str, platform: str | None = None, since: str | None = None) -> str:
    return history_page.text(answer(name, platform, since)).decode()


def flat(name: str, platform: str | None = None, since: str | None = None) -> str:
    return " ".join(text(name, platform, since).split())


def test_a_permission_with_a_backport() -> None:
    said = flat("kms:RevokeGrant", "AWS")
    assert "openshift-cloud-credential-operator/aws-ebs-csi-driver-operator, AWS asked for by 4.10 to 5.1" in said
    assert "2022-02-28 added with 4.11 and later https://github.com/openshift/cluster-storage-operator/pull/263" in said
    assert (
        "2022-04-06 added on 4.10 alone, after GA, in 4.10.9 at the earliest "
        "https://github.com/openshift/cluster-storage-operator/pull/268, Bug 2072191"
    ) in said
    assert "asked before by openshift-cluster-api-aws, openshift-machine-api-aws" in said


def test_a_permission_that_went_says_until_when_it_was_asked_for() -> None:
    said = flat("Contributor", "Azure")
    assert "openshift-ingress-azure, Azure asked for by 4.6 to 4.13 2019-08-15 added with 4.2 and later" in said
    assert "2023-08-04 removed with 4.14 and later" in said


def test_a_backport_that_was_reverted_is_told_in_order() -> None:
    said = flat("sts:AssumeRole", "AWS")
    assert "asked for by 4.14 to 5.1" in said
    places = [said.index(word) for word in ("pull/928", "pull/966", "pull/972")]
    assert places == sorted(places)
    assert "removed on 4.13 alone, after GA, in 4.13.10 at the earliest" in said


def test_every_answer_has_the_date_of_its_table_and_what_it_cannot_know() -> None:
    for said in (flat("ec2:DescribeVolumes"), flat("nobody"), flat("ec2:DescribeVolumes", "AWS", "5.0")):
        assert "Table of 2026-11-30, release branches 4.1 to 5.1" in said
        assert "What was merged after 2026-07-23 may be missing" in said
        assert "Git does not tell the exact patch release" in said


def test_an_unknown_name_is_not_in_the_table_and_never_called_unneeded() -> None:
    said = flat("compute.Instances.get", "GCP")
    assert "Not in the table, which does not say that no release ever needs it." in said
    assert "Near to it: compute.instances.get (GCP)." in said


def test_a_request_lists_its_permissions_by_the_branches_that_ask_for_them() -> None:
    said = flat("aws-ebs-csi-driver-operator", "AWS")
    assert "asked for by 4.13 to 5.1: kms:ReEncrypt*" in said
    assert "2020-08-31 request came with 4.6 and later" in said
    assert "added with 4.14 and later: ec2:DescribeAvailabilityZones, ec2:EnableFastSnapshotRestores" in said


def test_what_since_leaves_out_is_counted() -> None:
    assert "1 event before 4.7 left out." in flat("ec2:DescribeVolumes", "AWS", "4.7")


def test_no_line_is_wider_than_a_terminal_unless_a_word_is() -> None:
    wide = [line for line in text("openshift-machine-api-azure").splitlines() if len(line) > 100]
    assert [line for line in wide if len(line.split()) > 1] == []


def test_markdown_has_a_table_with_links_to_pull_requests_and_bugs() -> None:
    page = history_page.markdown(answer("kms:RevokeGrant", "AWS")).decode()
    html = MarkdownIt("commonmark").enable("table").render(page)
    assert '<a href="https://github.com/openshift/cluster-storage-operator/pull/268">' in html
    assert '<a href="https://bugzilla.redhat.com/show_bug.cgi?id=2072191">Bug 2072191</a>' in html
    assert len(re.findall("<table>", html)) == len({e.request for e in answer("kms:RevokeGrant", "AWS").events})
    assert "added on 4.10 alone, after GA" in html


def test_a_commit_without_a_pull_request_is_linked_itself() -> None:
    events = [e for e in answer("openshift-cluster-api-openstack").request_events if e.pull_request is None]
    assert {event.date for event in events} == {"2024-02-05"}
    page = history_page.markdown(answer("openshift-cluster-api-openstack")).decode()
    assert all(f"/commit/{event.commit})" in page for event in events)


def test_a_hostile_name_is_shown_as_it_is_and_does_nothing() -> None:
    name = "\x1b[2J[click](javascript:alert(1)) @octocat <script> | a\nb"
    page = history_page.markdown(answer(name)).decode()
    html = MarkdownIt("commonmark").enable("table").render(page)
    assert "<script>" not in html
    assert "href" not in html.partition("</h2>")[0]
    assert "\x1b" not in page + history_page.text(answer(name)).decode()
    assert page.splitlines()[0].startswith("## ")
    assert page.splitlines()[1] == ""

import re
from html.parser import HTMLParser

import pytest

from tests.worlds import sample_report
from tests.worlds.components import require
from upgrade_gate.report.document import Report
from upgrade_gate.report.formats import markdown
from upgrade_gate.report.render_options import RenderOptions

FORGE = re.compile(r"(?<![\w`])@\w|(?<!\w)#\d|https?://|www\.")
"""What a forge links in text."""


class Page(HTMLParser):
    """Collects the elements of a rendered document, and the text that stands outside code."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.headings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "code" not in self.open:
            self.text.append(data)
        if self.open and self.open[-1] in {"h2", "h3"}:
            self.headings.append(data)


def render(report: Report, max_bytes: int | None = None) -> str:
    return markdown.render(report, RenderOptions(max_bytes=max_bytes)).decode()


def page(report: Report) -> Page:
    """Return the document as an independent CommonMark library renders it, raw HTML let through as a forge does."""
    require("python:markdown_it")
    from markdown_it import MarkdownIt

    read = Page()
    read.feed(MarkdownIt("commonmark").render(render(report, 10_000_000)))
    return read


def test_the_first_line_is_the_verdict() -> None:
    first = render(sample_report.report()).splitlines()[0]
    assert first.startswith("## BLOCKED 4.13.99 to 4.14.0: 3 findings block the upgrade")


def test_what_cco_and_cvo_would_miss_is_the_first_list() -> None:
    assert page(sample_report.report()).headings[1:] == ["Not caught by OpenShift", "Other findings", "Proof"]


def test_the_first_five_findings_stand_open_and_the_others_of_the_list_are_folded() -> None:
    shown, folded = render(sample_report.report()).split("<details><summary>3 more</summary>\n\n", 1)
    assert shown.count("\n- **") == 5
    assert "gains 1 permission" in shown.split("### Other findings")[0], "what OpenShift does not catch comes first"
    assert folded.split("</details>")[0].count("- **") == 3


def test_a_list_of_five_has_no_fold() -> None:
    findings = [sample_report.finding("permission-added", f"ns/{name}", name) for name in "abcde"]
    assert " more</summary>" not in render(sample_report.report(findings=findings, changes=[]))


@pytest.mark.slow
@pytest.mark.parametrize("limit", [40_000, 20_000, 8_000])
def test_what_is_cut_from_the_fold_is_not_counted_in_it(limit: int) -> None:
    text = render(sample_report.large(), limit)
    (counted,) = re.findall(r"<details><summary>(\d+) more</summary>", text)
    fold = text.split(f"<details><summary>{counted} more</summary>")[1].split("</details>")[0]
    assert fold.count("\n- **") == int(counted)


def test_every_component_is_a_folded_part_the_worst_first() -> None:
    text = render(sample_report.report())
    summaries = re.findall("<details><summary>(<b>.*?)</summary>", text)
    assert summaries[0].startswith(f"<b>Blocker</b> EBS CSI driver <code>{sample_report.EBS}</code>")
    assert "openshift-cluster-api-aws" in summaries[1]
    assert len(summaries) == 6 + 4, "six components; cluster and run, not read, not applied here, evidence"
    assert text.count("</details>") == len(summaries) + 1, "and the rest of the list"


def test_permissions_are_a_diff() -> None:
    text = render(sample_report.report())
    assert "```diff\n- ec2:DescribeAvailabilityZone\n+ ec2:EnableFastSnapshotRestores [COST]\n" in text


@pytest.mark.slow
@pytest.mark.parametrize("limit", [65_000, 30_000, 5_000])
def test_too_long_a_report_is_cut_by_whole_components_and_says_so_in_line_two(limit: int) -> None:
    text = render(sample_report.large(), limit)
    assert len(text.encode()) <= limit
    first, second, *_ = text.splitlines()
    assert first.startswith("## BLOCKED")
    assert re.match(r"\*\*Cut to fit: \d+ components?", second)
    assert "`-o html`" in second
    assert text.count("<details>") == text.count("</details>")


@pytest.mark.slow
def test_the_limit_is_that_of_a_comment_unless_told_otherwise() -> None:
    assert len(render(sample_report.large()).encode()) <= 65_000
    assert "Cut to fit" not in render(sample_report.large(), 10_000_000)


@pytest.mark.slow
def test_the_harmless_end_is_cut_first() -> None:
    whole = re.findall("<summary><b>Blocker</b> .*? <code>(.*?)</code>", render(sample_report.large(), 10_000_000))
    cut = re.findall("<summary><b>Blocker</b> .*? <code>(.*?)</code>", render(sample_report.large()))
    assert cut
    assert cut == whole[: len(cut)]


@pytest.mark.parametrize("limit", [0, 1, 50, 300])
def test_even_an_absurd_limit_is_kept(limit: int) -> None:
    assert len(markdown.render(sample_report.report(), RenderOptions(max_bytes=limit))) <= limit


def test_hostile_names_become_neither_html_nor_links() -> None:
    read = page(sample_report.hostile())
    tags = {tag for tag, _ in read.tags}
    assert tags <= {"h2", "h3", "ul", "li", "p", "strong", "code", "pre", "details", "summary", "b"}
    assert all(not attributes or set(attributes) == {"class"} for _, attributes in read.tags)


def test_hostile_names_mention_nobody_and_refer_to_nothing() -> None:
    assert not FORGE.search("".join(page(sample_report.hostile()).text))


@pytest.mark.parametrize("name", sample_report.HOSTILE)
def test_what_a_reader_sees_is_the_name(name: str) -> None:
    hostile = sample_report.HOSTILE[name]
    report = sample_report.report(findings=[sample_report.finding("permission-added", "ns/a", hostile)], changes=[])
    require("python:markdown_it")
    from markdown_it import MarkdownIt

    from upgrade_gate.base.text import one_line

    class Words(HTMLParser):
        words = ""

        def handle_data(self, data: str) -> None:
            self.words += data

    read = Words()
    read.feed(MarkdownIt("commonmark").render(render(report)))
    assert " ".join(one_line(hostile).split()) in " ".join(read.words.split())

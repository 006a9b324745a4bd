import base64
import hashlib
import re
from html.parser import HTMLParser
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from tests.worlds import sample_report
from tests.worlds.browser import Scheme, Viewer
from tests.worlds.components import require
from upgrade_gate.report.document import Report
from upgrade_gate.report.formats import html
from upgrade_gate.report.render_options import RenderOptions

if TYPE_CHECKING:
    from playwright.sync_api import Page


def content(report: Report) -> bytes:
    return html.render(report, RenderOptions())


def render(report: Report) -> str:
    return content(report).decode()


def policy(document: str) -> str:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', document)
    assert found
    return found[1]


class Elements(HTMLParser):
    """Collects every element, and every attribute that could load or run something."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.references: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if (tag, name) == ("a", "href"):
                self.links.append(value or "")
            elif name in {"src", "href", "srcset", "data", "action", "formaction", "poster"}:
                self.references.append(value or "")
            if name.startswith("on") or name == "style":
                self.handlers.append(f"{tag} {name}")


KEPT_AT = ("https://github.com/openshift/", "https://issues.redhat.com/browse/", "https://bugzilla.redhat.com/")
"""Where a reader may follow a pull request or a bug; nothing is asked of them unless somebody clicks."""


@pytest.mark.parametrize("case", sample_report.ALL)
def test_the_document_needs_nothing_outside_itself(case: str) -> None:
    read = Elements()
    read.feed(render(sample_report.ALL[case]()))
    assert all(reference.startswith("#") for reference in read.references)
    assert all(link.startswith(("#", *KEPT_AT)) for link in read.links)
    assert not read.handlers
    assert not read.tags & {"img", "link", "iframe", "object", "embed", "base", "svg", "video", "audio"}


@pytest.mark.parametrize("case", ["full", "hostile"])
def test_the_policy_lets_through_the_inline_parts_and_nothing_else(case: str) -> None:
    document = render(sample_report.ALL[case]())
    for tag in ("style", "script"):
        (inline,) = re.findall(f"<{tag}>(.*?)</{tag}>", document, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy(document)
    assert policy(document).startswith("default-src 'none';")
    assert "unsafe" not in policy(document)


def test_hostile_names_make_no_element() -> None:
    harmless, hostile = Elements(), Elements()
    harmless.feed(render(sample_report.report()))
    hostile.feed(render(sample_report.hostile()))
    assert hostile.tags <= harmless.tags
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in render(sample_report.hostile())


def test_the_parts_come_in_the_order_of_a_review() -> None:
    parts = re.findall(r'<section id="(\w+)"', render(sample_report.report()))
    assert parts == ["decision", "remedy", "components", "run", "facts", "proof", "accepted", "excluded", "evidence"]


def test_a_review_of_two_hundred_components_stays_below_two_megabytes() -> None:
    assert len(render(sample_report.large()).encode()) < 2_000_000


def test_every_link_inside_the_document_has_a_target() -> None:
    for case in ("full", "large", "hostile"):
        document = render(sample_report.ALL[case]())
        targets = re.findall(r' id="([^"]+)"', document)
        assert len(set(targets)) == len(targets), "an id is given twice"
        assert set(re.findall(r'href="#([^"]+)"', document)) <= set(targets)


@pytest.mark.browser
@pytest.mark.parametrize("case", sample_report.ALL)
def test_chromium_has_no_complaint_and_asks_for_nothing_but_the_file(viewer: Viewer, case: str) -> None:
    opened = viewer.open(content(sample_report.ALL[case]()))
    assert opened.complaints == []
    assert [url.rpartition("/")[2] for url in opened.requests] == ["report.html"]


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("case", ["full", "quiet", "empty", "difference", "hostile"])
def test_axe_finds_no_violation(viewer: Viewer, case: str, scheme: Scheme) -> None:
    require("python:axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    opened = viewer.open(content(sample_report.ALL[case]()), scheme=scheme, bypass_csp=True)
    opened.page.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true })")
    result = Axe().run(opened.page)
    assert result.violations_count == 0, result.generate_report()


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 768, 1280])
@pytest.mark.parametrize("case", ["full", "quiet", "difference", "hostile"])
def test_no_width_needs_sideways_scrolling(viewer: Viewer, case: str, width: int) -> None:
    page = viewer.open(content(sample_report.ALL[case]()), width=width).page
    page.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    wide = page.evaluate(
        "[...document.querySelectorAll('main *, header *')].filter(e => e.checkVisibility() && !e.closest('.sr')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"
    )
    assert wide == []


@pytest.mark.browser
def test_a_copy_button_puts_the_command_on_the_clipboard(viewer: Viewer) -> None:
    page = viewer.open(content(sample_report.report())).page
    step = page.locator("#s1")
    step.get_by_role("button", name="Copy step 1").click()
    step.get_by_role("button", name="Copied step 1").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.replace("\\\n", "").split() == [
        *("aws", "iam", "put-role-policy", "--role-name", "c1-openshift-cluster-csi-drivers-ebs", "--policy-name"),
        *("c1-openshift-cluster-csi-drivers-ebs", "--policy-document", "file://aws/ebs-policy.json"),
    ]


def test_the_head_counts_the_steps_that_end_the_verdict_apart_from_those_after_it() -> None:
    page = html.render(sample_report.report(), RenderOptions()).decode()
    steps = {
        (r.when, r.step, tuple(r.argv), r.file)
        for f in sample_report.report().findings
        if f.status == "open"
        for r in f.remedy
    }
    before, after = (sum(step[0] == when for step in steps) for when in ("before", "after"))
    assert before > 1
    assert f"{before} steps before the upgrade, {after} after it" in page


@pytest.mark.browser
def test_what_is_for_after_the_upgrade_is_folded_and_a_link_opens_it(viewer: Viewer) -> None:
    page = viewer.open(content(sample_report.report())).page
    last = page.locator(".clean-up li").last
    assert not last.is_visible()
    page.evaluate("number => { location.hash = number }", last.get_attribute("id"))
    last.wait_for(state="visible")


@pytest.mark.browser
def test_the_filter_finds_a_component_by_what_it_asks_for(viewer: Viewer) -> None:
    page = viewer.open(content(sample_report.large())).page
    status = page.locator("#shown")
    page.get_by_label("Search").fill("service17:Action")
    assert status.inner_text() == "1 of 200 components"
    assert page.locator(".component:visible").count() == 1
    page.get_by_label("Search").fill("")
    page.get_by_label("Show").select_option("settled")
    assert page.locator(".component:visible").count() == 0
    page.get_by_role("button", name="Clear the filter").click()
    assert page.locator(".component:visible").count() == 200


@pytest.mark.browser
def test_unfolding_all_shows_every_permission(viewer: Viewer) -> None:
    page = viewer.open(content(sample_report.large(60))).page
    assert not page.locator("#components").get_by_text("service3:Action1Something").is_visible()
    page.get_by_role("button", name="Unfold all").click()
    assert page.locator("#components").get_by_text("service3:Action1Something").is_visible()
    page.get_by_role("button", name="Fold all", exact=True).click()
    assert not page.locator("#components").get_by_text("service3:Action1Something").is_visible()


@pytest.mark.browser
def test_following_a_link_unfolds_its_component(viewer: Viewer) -> None:
    page = viewer.open(content(sample_report.large())).page
    row = page.locator(".board tr", has_text="component-150")
    row.get_by_role("link", name="component-150", exact=True).click()
    page.locator("#components").get_by_text("service150:Action3Something").wait_for(state="visible")


@pytest.mark.browser
def test_everything_but_filter_and_copying_works_without_scripts(viewer: Viewer) -> None:
    page = viewer.open(content(sample_report.report()), scripts=False).page
    assert not page.locator(".tools").is_visible()
    assert page.get_by_role("button", name="Copy").count() == 0
    page.locator("summary", has_text="cloud-network-config-controller").click()
    assert page.get_by_text("was openshift-cloud-credential-operator/openshift-cloud-network").is_visible()


def pages(page: "Page") -> list[str]:
    """Return the text of each printed page, without any space: a table breaks words where it must."""
    require("python:pypdf")
    from pypdf import PdfReader

    return [re.sub(r"\s+", "", page.extract_text()) for page in PdfReader(BytesIO(page.pdf(format="A4"))).pages]


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False])
def test_a_print_of_the_whole_report_has_every_finding_and_every_permission(viewer: Viewer, scripts: bool) -> None:
    report = sample_report.report()
    page = viewer.open(content(report), scripts=scripts, scheme="dark").page
    page.evaluate("print = () => {}") if scripts else None
    page.get_by_role("link", name="Print the whole report").click()
    text = "".join(pages(page))
    grants = [g.permission for change in report.changes for g in change.permissions.added]
    missing = [word for word in [*(f.fingerprint for f in report.findings), *grants] if word not in text]
    assert missing == []


@pytest.mark.browser
def test_a_print_of_two_components_is_two_pages_and_the_first_decides(viewer: Viewer) -> None:
    report = sample_report.two_components()
    printed = pages(viewer.open(content(report)).page)
    assert len(printed) <= 2
    named = [g.permission for f in report.findings if f.severity != "info" for g in f.grants]
    assert named
    for word in (*named, "BLOCKED", "Judged", "Decision", "Name", "Date", report.labels["change"]):
        assert word in printed[0]


@pytest.mark.browser
def test_a_print_of_a_patch_without_change_is_one_page(viewer: Viewer) -> None:
    assert len(pages(viewer.open(content(sample_report.quiet())).page)) == 1


@pytest.mark.browser
def test_a_print_of_five_hops_with_thirty_components_is_at_most_six_pages(viewer: Viewer) -> None:
    printed = pages(viewer.open(content(sample_report.path())).page)
    assert len(printed) <= 6
    assert all(f"component-{n}" in "".join(printed) for n in range(30))


@pytest.mark.browser
def test_the_keyboard_reaches_the_findings_and_opens_a_component(viewer: Viewer) -> None:
    page = viewer.open(content(sample_report.report())).page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the decision"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    folded = page.locator("details.component:not([open]) > summary").first
    folded.focus()
    page.keyboard.press("Enter")
    assert page.locator("details.component:not([open])").count() == 2

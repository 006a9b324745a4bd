"""The plan as one HTML file: the same as the JSON says, harmless, and readable on every screen."""

import re

import msgspec
import pytest

from tests.generators.samples import REPORTS
from tests.worlds.browser import Scheme, Viewer
from tests.worlds.components import require
from upgrade_gate.report import plan_html, plan_page
from upgrade_gate.report.plan_document import Plan

HOSTILE = '<img src=x onerror="alert(1)">\x1b[31m'
SAMPLE = msgspec.json.decode((REPORTS / "plan.json").read_bytes(), type=Plan)


def spoilt() -> Plan:
    """The sample with a hostile name in place of every text of others."""
    text = (REPORTS / "plan.json").read_text("utf-8")
    for name in ("Machine API", "graph.json", "AzureRegistryStalls", "Microsoft.Compute/galleries/read"):
        text = text.replace(name, msgspec.json.encode(HOSTILE).decode()[1:-1])
    return msgspec.json.decode(text, type=Plan)


def test_each_option_has_its_verdict_its_releases_and_every_permission() -> None:
    text = plan_html.render(SAMPLE).decode()
    for option in SAMPLE.options:
        assert f'id="o{option.number}"' in text
        for one in plan_page.shown(option, SAMPLE).grants:
            assert one.grant.permission in text
    assert {one.grant.permission for option in SAMPLE.options for one in option.grants} <= set(
        re.findall(r"<code>([^ <]+)", text)
    )
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(re.findall(r' id="([^"]+)"', text))


def test_names_of_others_make_no_element_and_steer_no_terminal() -> None:
    plan = spoilt()
    for text in (plan_html.render(plan).decode(), plan_page.text(plan).decode()):
        assert "\x1b" not in text
    assert "<img" not in plan_html.render(plan).decode()


def test_nothing_is_loaded_from_anywhere() -> None:
    text = plan_html.render(SAMPLE).decode()
    assert "default-src 'none'" in text
    assert "<script" not in text
    assert not re.search(r"(?:src=|@import|url\()", text)


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 1280])
def test_no_width_needs_sideways_scrolling(viewer: Viewer, width: int) -> None:
    opened = viewer.open(plan_html.render(SAMPLE), width=width)
    assert opened.complaints == []
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(viewer: Viewer, scheme: Scheme) -> None:
    require("python:axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    opened = viewer.open(plan_html.render(SAMPLE), scheme=scheme, bypass_csp=True)
    result = Axe().run(opened.page)
    assert result.violations_count == 0, result.generate_report()

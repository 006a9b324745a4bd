"""`fleet.html`: one file, complete without a script, small enough for a thousand clusters."""

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.worlds.browser import Scheme, Viewer
from tests.worlds.components import require
from tests.worlds.fleets import cause, cluster, fleet_of
from upgrade_gate.base import plugins
from upgrade_gate.fleet import document

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOSTILE = '<img src=x onerror="alert(1)">\x1b[31m'


def render(fleet: document.Fleet) -> str:
    pieces = plugins.load("fleet.formats", "html").files(fleet)["fleet.html"]
    return b"".join(pieces).decode()


def many(count: int) -> document.Fleet:
    """So many clusters with ten of thirty causes each."""
    causes = [
        cause(fingerprint=f"{number:016x}", headline=f"component {number} gains a permission") for number in range(30)
    ]
    clusters = []
    for number in range(count):
        standings = {causes[(number + step) % 30].fingerprint: "unknown" for step in range(10)}
        status = ("blocked", "pass", "undetermined")[number % 3]
        clusters.append(cluster(f"cluster-{number:04}", causes=standings, status=status))
    return fleet_of(*clusters, causes=causes)


def test_every_cluster_and_every_cause_is_in_it_without_a_script() -> None:
    text = render(many(40))
    for number in range(40):
        assert f">cluster-{number:04}</a>" in text
    assert text.count(" gains a permission</b>") == 30
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(re.findall(r' id="([^"]+)"', text))


def test_a_thousand_clusters_stay_below_three_megabytes() -> None:
    assert len(render(many(1000)).encode()) < 3_000_000


def test_hostile_names_make_no_element() -> None:
    fleet = fleet_of(
        cluster(HOSTILE, labels={HOSTILE: HOSTILE}, to=HOSTILE, platform=HOSTILE), causes=[cause(headline=HOSTILE)]
    )
    text = render(fleet)
    assert "<img" not in text
    assert "\x1b" not in text


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    text = render(many(1))
    assert "default-src 'none'" in text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)


def opened(viewer: Viewer, fleet: document.Fleet, **how: Any) -> "Page":
    opened = viewer.open(render(fleet).encode(), **how)
    assert opened.complaints == []
    return opened.page


@pytest.mark.browser
def test_clusters_are_filtered_and_sorted(viewer: Viewer) -> None:
    page = opened(viewer, many(30))
    page.select_option("#show", "pass")
    assert page.inner_text("#shown") == "10 of 30 clusters"
    page.fill("#q", "cluster-0001")
    assert page.inner_text("#shown") == "1 of 30 clusters"
    page.fill("#q", "")
    page.select_option("#show", "")
    page.select_option("#cause", "1")
    assert page.inner_text("#shown") == "10 of 30 clusters"
    page.click("#matrix th:first-child button")
    assert page.inner_text("#matrix tbody tr:first-child td:first-child").startswith("cluster-0029")


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scripts", [True, False])
def test_no_width_needs_sideways_scrolling(viewer: Viewer, width: int, scripts: bool) -> None:
    long = cluster("x" * 200, labels={"k" * 60: "v" * 60})
    fleet = fleet_of(*many(3).clusters, long, causes=[*many(3).causes, cause()])
    page = opened(viewer, fleet, width=width, scripts=scripts)
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(viewer: Viewer, scheme: Scheme) -> None:
    require("python:axe_playwright_python")
    from axe_playwright_python.sync_playwright import Axe

    page = opened(viewer, many(12), scheme=scheme, bypass_csp=True)
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()

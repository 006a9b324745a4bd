"""README.md and docs/: links and references lead somewhere, and what is generated is what the program says."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.generators import manual, reference
from tests.worlds.components import require

ROOT = reference.ROOT
PROSE = (*reference.pages(), *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "reports/README.md")))
CODE = tuple(
    path
    for room in ("upgrade_gate", "tests")
    for path in sorted((ROOT / room).rglob("*"))
    if path.suffix in {".py", ".md", ".j2", ".sh", ".yaml", ".yml"} and path != Path(__file__)
)
SOURCES = (*CODE, *(ROOT / name for name in ("pyproject.toml", "Makefile", ".ci/run")))
GENERATED = [(page, name) for page in reference.pages() for name in reference.blocks(page.read_text(encoding="utf-8"))]
ELSEWHERE = ("design", "layout", "style", "iam", "must-gather", "test-components", "real-components", "wishes", "pains")
"""Documents that do not ship: whatever they say that matters here stands in docs/."""
UPSTREAM = {"docs/atomic-signature.md"}
"""Pages of other repositories, beside whose name they stand."""


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def headings(page: Path) -> frozenset[str]:
    """The anchors that GitHub gives to the headings of a page."""
    prose = re.sub(r"(?ms)^```.*?^```", "", text(page))
    found = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"(?m)^#+ (.*)", prose)]
    assert len(found) == len(set(found)), f"{page.name} has a heading twice: {found}"
    return frozenset(found)


def broken(page: Path, anchor: str) -> str | None:
    """Say what is wrong with a link, None where it leads somewhere."""
    if not page.exists():
        return "there is no such file"
    if anchor and anchor not in headings(page):
        return f"there is no heading #{anchor}"
    return None


@pytest.mark.parametrize(("page", "name"), GENERATED, ids=[name for _, name in GENERATED])
def test_what_is_generated_is_what_the_program_says(page: Path, name: str) -> None:
    assert reference.blocks(text(page))[name] == f"{reference.WRITERS[name]()}\n", "run `make reference`"


def test_everything_that_is_generated_has_its_place() -> None:
    assert sorted(name for _, name in GENERATED) == sorted(reference.WRITERS)


def test_every_key_of_the_report_is_explained() -> None:
    unexplained = re.findall(r"(?m)^\| `(\w+)` \| .* \|  \|$", text(reference.DOCS / "reference" / "json.md"))
    assert unexplained == [], "say it in a text under the field, in report/document.py"


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    wrong = {}
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text(page)):
        target, _, anchor = link.partition("#")
        if why := broken((page.parent / target).resolve() if target else page, anchor):
            wrong[link] = why
    assert wrong == {}


def references(path: Path) -> Iterator[tuple[str, str]]:
    """Yield page and anchor of every reference to docs/ in a file."""
    for page, anchor in re.findall(
        r"(?<![\w/])(docs/(?:facts/|using/|reference/)?[\w-]+\.md)(?:#([\w-]+))?", text(path)
    ):
        if page not in UPSTREAM:
            yield page, anchor


def test_every_reference_from_code_leads_to_a_heading() -> None:
    found = [(path, page, anchor) for path in SOURCES for page, anchor in references(path)]
    wrong = {
        f"{path.relative_to(ROOT)}: {page}#{anchor}": why
        for path, page, anchor in found
        if (why := broken(ROOT / page, anchor))
    }
    assert wrong == {}
    assert len(found) > 80, "code says by what rule it goes"


def test_no_reference_is_left_to_what_does_not_ship() -> None:
    pages = "|".join(page.stem for page in sorted(reference.DOCS.rglob("*.md")) if page.stem != "README")
    patterns = (
        rf"(?<![\w/-])(?:{'|'.join(ELSEWHERE)})\.md\b",
        r"\bdesign (?:sections? )?\d",
        rf"(?<![\w/-])(?:{pages})\.md (?:sections? )?\d",
    )
    left = {
        f"{path.relative_to(ROOT)}: {found}"
        for path in SOURCES
        for pattern in patterns
        for found in re.findall(pattern, text(path))
    }
    assert left == set(), "name a heading: docs/facts/cco.md#modes"


def test_every_page_is_in_the_index() -> None:
    index = text(reference.DOCS / "README.md")
    pages = {path.relative_to(reference.DOCS).as_posix() for path in reference.DOCS.rglob("*.md")} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


def test_paths_that_are_named_are_there() -> None:
    """Only those that are written in full: `NAME`, `*` and `…` stand for something."""
    wrong = {
        f"{page.name}: {path}"
        for page in PROSE
        for path in re.findall(r"`((?:upgrade_gate|tests|fixtures|reports)/[\w./-]+)`", text(page))
        if not re.search(r"NAME|CLOUD", path) and not (ROOT / path).exists()
    }
    assert wrong == set()


def test_the_manual_page_says_what_the_program_says() -> None:
    assert text(manual.PAGE) == manual.page(), "make reference"


def test_mandoc_has_no_complaint_about_the_manual_page() -> None:
    command = [str(require("mandoc")), "-T", "lint", "-W", "warning", str(manual.PAGE)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    assert [line for line in said if "missing date" not in line] == []


def test_the_front_page_is_short() -> None:
    assert len(text(reference.README).splitlines()) <= 250
    assert (reference.DOCS / "report.png").stat().st_size < 300_000

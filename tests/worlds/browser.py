"""Chromium, and pages in it that are cut off from any network."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.worlds.components import require

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Scheme = Literal["light", "dark"]


@dataclass
class Opened:
    """A page in Chromium, with all it complained about and asked for."""

    page: "Page"
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def started() -> Iterator["Browser"]:
    """Start Chromium."""
    chromium = require("chromium")
    require("python:playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield browser
        browser.close()


class Viewer:
    """Opens files, each in a context of its own."""

    def __init__(self, browser: "Browser", folder: Path) -> None:
        self._browser = browser
        self._folder = folder

    def open(
        self,
        content: bytes,
        *,
        width: int = 1280,
        scheme: Scheme = "light",
        scripts: bool = True,
        bypass_csp: bool = False,
    ) -> Opened:
        """Open an HTML file of that content; `width` in CSS pixels."""
        file = self._folder / "report.html"
        file.write_bytes(content)
        context = self._browser.new_context(
            offline=True,
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=scripts,
            bypass_csp=bypass_csp,
            permissions=["clipboard-read", "clipboard-write"],
        )
        opened = Opened(context.new_page())
        opened.page.on("console", lambda message: opened.complaints.append(f"{message.type}: {message.text}"))
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("dialog", lambda dialog: opened.complaints.append(f"dialog: {dialog.message}"))
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.goto(file.as_uri())
        return opened

    def close(self) -> None:
        """Close every page."""
        for context in self._browser.contexts:
            context.close()

"""The report as JSON, schema `upgrade-gate/v1`: the document itself, nothing left out and nothing reworded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from upgrade_gate.report import document
from upgrade_gate.report.formats._harmless import harmless_report

if TYPE_CHECKING:
    from upgrade_gate.report.document import Report
    from upgrade_gate.report.render_options import RenderOptions

# JSON itself escapes only C0. A terminal also obeys DEL and C1, and direction marks reorder what a reader sees:
# written as \uXXXX the value stays the same and the bytes become harmless.
_ACTIVE = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 (one signature for every format)
    """Return the report as indented JSON in UTF-8."""
    try:
        text = document.encode(report).decode()
    except UnicodeEncodeError:
        # a lone surrogate, which a file name in an archive can bring, has no UTF-8 at all
        text = document.encode(harmless_report(report)).decode()
    return _ACTIVE.sub(_escape, text).encode()


def _escape(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))

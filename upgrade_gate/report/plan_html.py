"""What `plan` answers as one HTML file without a script, in the looks of the report on one update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from upgrade_gate.base import page
from upgrade_gate.base.text import one_line
from upgrade_gate.report import addresses, origins, plan_page, view

if TYPE_CHECKING:
    from upgrade_gate.report.plan_document import Answer, Held, Plan

_PACKAGE: Final = "upgrade_gate.report"
_ROWS: Final[dict[Answer, str]] = {"pass": "settled", "blocked": "blocker", "undetermined": "unknown"}
"""The style of an option's row."""
_VERDICTS: Final[dict[Answer, str]] = {"pass": "good", "blocked": "bad", "undetermined": "open"}
_TONES: Final[dict[Held, str]] = {
    "yes": "good",
    "declared": "settled",
    "no": "bad",
    "unknown": "open",
    "acknowledged": "settled",
    "minted": "good",
}


def render(plan: Plan) -> bytes:
    """Return one self-contained HTML document in UTF-8."""
    style = f"{page.part(_PACKAGE, 'report.css')}\n{page.part(_PACKAGE, 'plan.css')}"
    # names come from other people's files: no character of theirs may steer a browser or a terminal
    harmless = page.environment(_PACKAGE).overlay(
        finalize=lambda value: one_line(value) if type(value) is str else value
    )
    html = harmless.get_template("plan.html.j2").render(
        plan=plan,
        page=plan_page,
        view=view,
        origins=origins,
        addresses=addresses,
        state=plan.options[0].status if plan.options else "undetermined",
        rows=_ROWS,
        verdicts=_VERDICTS,
        tones=_TONES,
        style=style,
        style_hash=page.policy_hash(style),
    )
    return html.encode("utf-8", "replace")

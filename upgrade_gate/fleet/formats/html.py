"""The fleet as one HTML file, complete without a script: causes, what changed, and the matrix cluster by cause.

Its looks are those of the report on one cluster, whose style it takes over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from upgrade_gate.base import page
from upgrade_gate.base.text import one_line
from upgrade_gate.fleet import terminal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from markupsafe import Markup

    from upgrade_gate.fleet.document import Cluster, Fleet, Standing

_PACKAGE: Final = "upgrade_gate.fleet"
_BUFFERED: Final = 500
"""Parts of the template that make one piece."""
_ROWS: Final = {"blocked": "blocker", "undetermined": "unknown", "pass": "settled"}
"""The style of a cluster's row by its verdict."""
_MARKS: Final[Mapping[Standing, str]] = {
    "open": "o",
    "unknown": "n",
    "acknowledged": "a",
    "declared": "d",
    "proven": "p",
}
"""The style of a cell, one letter: there are very many."""


def files(fleet: Fleet) -> Mapping[str, Iterator[bytes]]:
    """Return `fleet.html` in UTF-8, piece by piece: thousands of clusters need not be in memory at once."""
    return {"fleet.html": _pieces(fleet)}


def _pieces(fleet: Fleet) -> Iterator[bytes]:
    style = f"{page.part('upgrade_gate.report', 'report.css')}\n{page.part(_PACKAGE, 'fleet.css')}"
    script = page.part(_PACKAGE, "fleet.js")
    numbers = {cause.fingerprint: number for number, cause in enumerate(fleet.causes, 1)}

    def cells(cluster: Cluster) -> Iterator[tuple[int, str, str]]:
        for fingerprint, how in sorted(cluster.causes.items(), key=lambda item: numbers[item[0]]):
            yield numbers[fingerprint], _MARKS[how], terminal.WORDS[how]

    # names come from other people's files: no character of theirs may steer a browser or a terminal
    harmless = page.environment(_PACKAGE).overlay(
        finalize=lambda value: one_line(value) if type(value) is str else value
    )
    stream = harmless.get_template("fleet.html.j2").stream(
        fleet=fleet,
        verdicts=terminal.headline(fleet),
        standing={cause.fingerprint for cause in fleet.causes if terminal.stands(cause)},
        numbers=numbers,
        headlines={cause.fingerprint: cause.headline for cause in fleet.causes},
        touches=terminal.touches,
        of_record=terminal.of_record,
        news=terminal.news(fleet),
        best=terminal.best(fleet),
        breakable=_breakable,
        words=terminal.VERDICTS,
        rows=_ROWS,
        cells=cells,
        style=style,
        style_hash=page.policy_hash(style),
        script=script,
        script_hash=page.policy_hash(script),
    )
    stream.enable_buffering(_BUFFERED)
    yield from (piece.encode("utf-8", "replace") for piece in stream)


def _breakable(text: str) -> Markup:
    """Return text that may be broken behind each slash: names of permissions are long."""
    from markupsafe import Markup, escape

    return escape(one_line(text)).replace("/", Markup("/<wbr>"))

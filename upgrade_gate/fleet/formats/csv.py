"""A line for each cluster, for a spreadsheet: who can go, and how many causes stand in its way."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from upgrade_gate.fleet.document import Cluster, Fleet

COLUMNS: Final = (
    "name", "id", "api_url", "platform", "mode", "version", "to", "status", "basis", "next", "open", "missed",
    "collected", "generated", "labels", "summary", "causes", "report",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@")
"""A spreadsheet takes a cell that begins so for a formula (OWASP, CSV injection)."""


def files(fleet: Fleet) -> Mapping[str, Iterator[bytes]]:
    """Return `fleet.csv` as RFC 4180 has it, in UTF-8, a line at a time."""
    return {"fleet.csv": (_line(cells) for cells in _rows(fleet))}


def _rows(fleet: Fleet) -> Iterator[Sequence[str]]:
    yield COLUMNS
    missed = {cause.fingerprint for cause in fleet.causes if cause.guard == "missed"}
    for cluster in fleet.clusters:
        yield [_cell(value) for value in _row(cluster, missed)]


def _line(cells: Sequence[str]) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow(cells)
    return stream.getvalue().encode("utf-8", "replace")


def _row(cluster: Cluster, missed: set[str]) -> list[str | int | None]:
    standing = [name for name, how in cluster.causes.items() if how in {"open", "unknown"}]
    labels = ",".join(f"{key}={value}" for key, value in sorted(cluster.labels.items()))
    known: dict[str, str | int | None] = {
        "open": len(standing),
        "missed": len(missed.intersection(standing)),
        "labels": labels,
        "causes": " ".join(standing),
    }
    return [known[name] if name in known else getattr(cluster, name) for name in COLUMNS]


def _cell(value: str | int | None) -> str:
    text = one_line("" if value is None else str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text

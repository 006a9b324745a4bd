"""What is kept of each cluster on disk: its report, and a line about its row; whatever is written rests on these.

    DIR/clusters/NAME/report.json    the report, as `check -o json` writes it
    DIR/clusters/NAME/row.json       name and labels of the inventory, and what the report was made from

The row is written after the report, so that a report with its row is a whole one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct, structs

from upgrade_gate.base.errors import UsageError
from upgrade_gate.fleet import document
from upgrade_gate.reading.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CLUSTERS = "clusters"
REPORT = "report.json"
ROW = "row.json"
_MOST_BYTES = 64 * 2**20
_SCHEMA = "upgrade-gate/fleet/row/v1"


class Row(Struct, frozen=True):
    """What the inventory says of a cluster, and what its report was made from."""

    schema: str
    name: str
    source: str
    labels: dict[str, str]
    made_from: str
    """A digest of everything that decides what the report says, as far as it is known beforehand."""
    digest: str
    """Of the rest of the row and of the report: what somebody has changed since is no result of a run."""


class Finding(Struct, frozen=True):
    """What the fleet's table needs of a finding."""

    rule: str
    severity: Literal["blocker", "unknown", "warning", "info"]
    status: Literal["open", "acknowledged", "declared", "proven"]
    guard: Literal["missed", "stopped"] | None
    fingerprint: str
    headline: str
    request: str | None
    needs: list[_Need]
    subject: str
    acknowledgement: Accepted | None


class Accepted(Struct, frozen=True):
    """The entry of the acknowledgements that names a finding."""

    reason: str
    owner: str
    expires: str
    reference: str | None
    expired: bool


class _Need(Struct, frozen=True):
    status: Literal["met", "declared", "unmet", "unknown"]


class _Release(Struct, frozen=True):
    version: str
    reference: str
    digest: str | None


class _Hop(Struct, frozen=True, rename={"from_": "from"}):
    from_: _Release
    to: _Release


class _Cluster(Struct, frozen=True):
    id: str | None
    version: str | None
    api_url: str | None
    collected: str | None


class _Verdict(Struct, frozen=True):
    status: document.Status
    basis: Literal["proven", "declared", "assumed"]
    next: str
    summary: str


class Report(Struct, frozen=True):
    """What the fleet's table needs of a report."""

    generated: str
    hops: list[_Hop]
    platform: str
    mode: str
    cluster: _Cluster | None
    findings: list[Finding]
    verdict: _Verdict


def row(name: str, source: str, labels: dict[str, str], made_from: str, report: bytes) -> bytes:
    """Return the content of the file of a row, to stand beside this report."""
    bare = Row(_SCHEMA, name, source, labels, made_from, "")
    return msgspec.json.encode(structs.replace(bare, digest=_digest(bare, report))) + b"\n"


def kept(folder: Path) -> tuple[Row, Report] | None:
    """Return what one cluster's folder holds; None where that is no whole result, or not as a run wrote it."""
    try:
        found = msgspec.json.decode(read_file(folder / ROW, _MOST_BYTES), type=Row)
        report = read_file(folder / REPORT, _MOST_BYTES)
        if found.schema != _SCHEMA or found.digest != _digest(found, report):
            return None
        return found, msgspec.json.decode(report, type=Report)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def whole(folder: Path) -> tuple[Row, Report]:
    """Return what one cluster's folder holds.

    Raises UsageError where it is not there whole: a cluster that is left out is one that nobody looks at.
    """
    found = kept(folder)
    if found is None:
        raise UsageError(
            f"{folder} holds no whole result, or one that was changed since", hint="run fleet again, with --resume"
        )
    return found


def read(directory: Path, folders: Iterable[str]) -> Iterator[tuple[Row, str, Report]]:
    """Yield row, name of the folder and report of these clusters of a run, one after the other; raises as `whole`."""
    for name in sorted(folders):
        found, report = whole(directory / CLUSTERS / name)
        yield found, name, report


def _digest(of: Row, report: bytes) -> str:
    bare = msgspec.json.encode(structs.replace(of, digest=""))
    return hashlib.sha256(bare + b"\n" + report).hexdigest()

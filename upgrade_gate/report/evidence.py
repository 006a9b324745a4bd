"""What a report rests on, in words: where its proof comes from, what a vendor publishes, which tables were used."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from upgrade_gate.report.view import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.report.document import Report

_LACKING_LISTED = 20
"""Permissions that a vendor's policy lacks and that a text names; all of them stand in the JSON report."""
_MOST_FILES = 10


def proof_lines(report: Report) -> tuple[str, ...]:
    """Return where the proof comes from, its files with their digests, and what no such source can show."""
    known = report.identities
    if known is None:
        return ()
    account = f", account {known.account}" if known.account else ""
    collected = f", collected {known.collected}" if known.collected else ""
    files = [f"{file.file} sha256:{file.sha256}" for file in known.files[:_MOST_FILES]]
    if len(known.files) > _MOST_FILES:
        files.append(f"{len(known.files) - _MOST_FILES} more files, all of them in the JSON and HTML reports")
    caveats = (f"caveat: {caveat}" for caveat in known.caveats)
    what = "what identities should hold" if known.source.startswith("policies:") else "what identities hold"
    read = f"{what} was read from {known.source}{account}{collected}"
    return (read, *files, *vendor_lines(report), *caveats)


def vendor_lines(report: Report) -> Iterator[str]:
    """Say which policies a vendor publishes: a line for each that lacks something, one for all the others."""
    sets = report.identities.vendor_sets if report.identities else []
    to = report.hops[-1].to.version if report.hops else "the target"
    whole = Counter(f"{one.published} (as of {one.dated})" for one in sets if not one.lacks)
    for one in (one for one in sets if one.lacks):
        lacking = ", ".join(one.lacks[:_LACKING_LISTED])
        more = f" and {len(one.lacks) - _LACKING_LISTED} more" if len(one.lacks) > _LACKING_LISTED else ""
        published = f"is what {one.published} publishes as {one.name} (as of {one.dated})"
        yield f"{one.identity}: {one.policy} {published}, which lacks of {to}: {lacking}{more}"
    for published, number in sorted(whole.items()):
        yield f"{counted(number, 'policy', 'policies')} as {published} publishes, lacking nothing of {to}"


def tables_line(report: Report, *, sources: bool = True) -> str:
    """Return the dated tables that the report rests on, in one line; empty where there is none."""
    told = (f"{t.name} of {t.date}" + (f" ({t.source})" if sources else "") for t in report.tables)
    return ", ".join(told)

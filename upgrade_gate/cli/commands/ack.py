"""`ack`: accept findings of a report, for a reason, in a person's name, until a day."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from upgrade_gate.base.errors import ConfigurationError, UsageError
from upgrade_gate.base.text import sentence
from upgrade_gate.cli import stderr, stdout
from upgrade_gate.cli.option_types import Day, near
from upgrade_gate.reading.files import read_file, read_stdin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from upgrade_gate.gate.acknowledgements import Acknowledgement

MAX_REPORT = 256 * 2**20
_HEAD = "acknowledgements:\n"
_SHORTEST = 6
"""Digits of a fingerprint that may stand for all sixteen."""
_EMPTY_LIST = re.compile(r"^acknowledgements:.*\n?", re.MULTILINE)


@click.command()
@click.option("--report", "report_path", required=True, metavar="FILE", help="The JSON report (-o json); - is stdin.")
@click.argument("fingerprints", nargs=-1, metavar="[FINGERPRINT…]")
@click.option("--reason", help="Why the upgrade may go on all the same.")
@click.option("--owner", help="Who answers for it: a person or a team.")
@click.option("--expires", type=Day(), metavar="DATE", help="Last day on which it counts, UTC.")
@click.option("--reference", help="Where the decision is recorded, such as a ticket.")
@click.option("--to", "to_range", metavar="RANGE", help="Only for these targets, such as '>=4.15,<4.17'.")
@click.option("--clusters", multiple=True, metavar="GLOB", help="Only for these clusters, by ID or name. Repeatable.")
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Append to this file.")
def command(
    *,
    report_path: str,
    fingerprints: tuple[str, ...],
    reason: str | None,
    owner: str | None,
    expires: date | None,
    reference: str | None,
    to_range: str | None,
    clusters: tuple[str, ...],
    write: Path | None,
) -> None:
    """Acknowledge findings: print the entries, or append them to a file that --acknowledgements reads.

    Without a FINGERPRINT it lists what is open. The first six digits or more are enough where they are unique.
    """
    if not fingerprints:
        if write is not None:
            raise UsageError("--write wants a FINGERPRINT", hint="without one, ack lists what is open")
        stdout.write(_open(_findings(report_path)))
        return
    given = {"--reason": reason, "--owner": owner, "--expires": expires}
    missing = [name for name, value in given.items() if value is None]
    if missing or expires is None:
        raise UsageError(f"an acknowledgement needs {sentence(missing)}", hint="upgrade-gate ack --help shows them all")
    if expires < datetime.now(UTC).date():
        raise UsageError(f"--expires {expires} is in the past", hint="give today or a later day")
    if write is not None:
        stdout.check_file(write)
    headlines = _choose(_findings(report_path), fingerprints)
    shared: dict[str, Any] = {"reason": reason, "owner": owner, "expires": expires.isoformat()}
    shared |= {"reference": reference} if reference else {}
    shared |= {"to": to_range} if to_range else {}
    shared |= {"clusters": list(clusters)} if clusters else {}
    entries = [{"fingerprint": fingerprint, **shared} for fingerprint in headlines]
    added = _check(entries)
    if write is None:
        stdout.write(_HEAD + _yaml(entries, headlines))
        return
    _append(write, entries, headlines, added)
    stderr.say(f"{write}: {len(entries)} added")


def _findings(path: str) -> Sequence[Mapping[str, Any]]:
    """Return the findings of a report; raises UsageError where there is none at that path."""
    try:
        data = read_stdin(MAX_REPORT) if path == "-" else read_file(Path(path), MAX_REPORT)
        document = json.loads(data)
    except OSError as exc:
        raise UsageError(f"{path}: {exc.strerror or exc}") from exc
    except (ValueError, RecursionError) as exc:
        raise UsageError(f"{path}: not JSON: {exc}", hint="check -o json=FILE writes the report") from exc
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, str) or not schema.startswith("upgrade-gate/"):
        raise UsageError(f"{path}: is not a report of upgrade-gate", hint="check -o json=FILE writes one")
    if schema != "upgrade-gate/v1":
        raise UsageError(f"{path}: has schema {schema}; this version reads upgrade-gate/v1")
    found = document.get("findings")
    if not isinstance(found, list) or not all(isinstance(f, dict) for f in found):
        raise UsageError(f"{path}: its findings are no list", hint="write the report again: check -o json=FILE")
    return found


def _choose(findings: Sequence[Mapping[str, Any]], wanted: Sequence[str]) -> dict[str, str]:
    """Return the headline of each wanted finding by its whole fingerprint.

    Raises UsageError for one that is not there, not unique, or not to be acknowledged.
    """
    by_fingerprint = {str(f.get("fingerprint")): f for f in findings}
    headlines = {}
    for said in wanted:
        fingerprint = _whole(said, by_fingerprint)
        finding = by_fingerprint[fingerprint]
        if _never(finding):
            raise UsageError(
                f"{fingerprint}: {finding.get('rule')} can never be acknowledged here",
                hint=f"upgrade-gate explain {finding.get('rule')} says how it is closed",
            )
        if finding.get("severity") == "info":
            raise UsageError(
                f"{fingerprint}: {finding.get('rule')} is for information only (info)",
                hint="there is nothing to acknowledge",
            )
        headlines[fingerprint] = _headline(finding)
    return headlines


def _whole(said: str, known: Mapping[str, object]) -> str:
    """Return the fingerprint that begins so, where there is exactly one; raises UsageError else, and never guesses."""
    found = [fingerprint for fingerprint in known if fingerprint.startswith(said)] if len(said) >= _SHORTEST else []
    if said in known:
        return said
    if len(found) > 1:
        raise UsageError(f"{said!r} is the beginning of {len(found)} findings: {', '.join(sorted(found))}")
    if found:
        return found[0]
    hint = near(said, tuple(sorted(known))) if known else "the report has no finding"
    if len(said) < _SHORTEST:
        hint = f"give {_SHORTEST} digits or more; without any, ack lists what is open"
    raise UsageError(f"the report has no finding {said!r}", hint=hint)


def _never(finding: Mapping[str, Any]) -> bool:
    from upgrade_gate.gate.findings import catalogue

    rule = catalogue().get(str(finding.get("rule")))
    return (rule is not None and not rule.acknowledgeable) or not finding.get("acknowledgeable", True)


def _headline(finding: Mapping[str, Any]) -> str:
    return " ".join(stderr.plain(f"{finding.get('rule')}: {finding.get('headline')}").split())


def _open(findings: Sequence[Mapping[str, Any]]) -> str:
    """Return a line for each open finding that weighs, those that can be acknowledged first."""
    weighing = [f for f in findings if f.get("status", "open") == "open" and f.get("severity") != "info"]
    if not weighing:
        return "Nothing is open that could be acknowledged.\n"
    lines = [f"{f.get('fingerprint')}  {f.get('severity', '')}  {_headline(f)}" for f in weighing if not _never(f)]
    closed = [f"{'never':16}  {f.get('severity', '')}  {_headline(f)}" for f in weighing if _never(f)]
    return "\n".join([*lines, *closed]) + "\n"


def _check(entries: Sequence[Mapping[str, Any]]) -> tuple[Acknowledgement, ...]:
    """Return the entries as they will be read; raises UsageError where an option's value would be refused then."""
    from upgrade_gate.gate import acknowledgements
    from upgrade_gate.reading import settings_file

    root = settings_file.parse(
        json.dumps({"acknowledgements": entries}, ensure_ascii=False).encode(), "the command line"
    )
    assert root is not None  # noqa: S101 - it was just made
    try:
        return acknowledgements.read(root)
    except ConfigurationError as exc:
        raise UsageError(exc.message.partition(": ")[2], hint=exc.hint) from exc


def _yaml(entries: Sequence[Mapping[str, Any]], headlines: Mapping[str, str], indent: str = "  ") -> str:
    lines = []
    for entry in entries:
        lines.append(f"{indent}# {headlines[entry['fingerprint']]}")
        for number, (key, value) in enumerate(entry.items()):
            written = value if key == "expires" else json.dumps(value, ensure_ascii=False)
            lines.append(f"{indent}{'- ' if number == 0 else '  '}{key}: {written}")
    return "\n".join(lines) + "\n"


def _append(
    path: Path,
    entries: Sequence[Mapping[str, Any]],
    headlines: Mapping[str, str],
    added: Sequence[Acknowledgement],
) -> None:
    """Append to a file, which keeps its comments; the file is written only if it then reads as old plus new."""
    from upgrade_gate.gate import acknowledgements
    from upgrade_gate.reading import settings_file

    if not path.is_file():  # new, or a device or pipe, which holds nothing to keep
        stdout.write_file(path, _HEAD + _yaml(entries, headlines))
        return
    before = acknowledgements.load([path])
    _refuse_second(path, before, added)
    text = path.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("{"):
        whole = json.loads(text)
        whole["acknowledgements"] += entries
        after = json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
    elif not before:
        added_text = _HEAD + _yaml(entries, headlines)
        after = _EMPTY_LIST.sub(lambda _: added_text, text, count=1)
    else:
        last = text.splitlines()[before[-1].line - 1]
        indent = last[: len(last) - len(last.lstrip())]
        after = text.rstrip("\n") + "\n" + _yaml(entries, headlines, indent)
    try:
        root = settings_file.parse(after.encode(), str(path))
        read = acknowledgements.read(root) if root else ()
    except ConfigurationError:
        read = ()
    if [_content(a) for a in read] != [_content(a) for a in (*before, *added)]:
        raise UsageError(
            f"{path}: entries cannot be added to a file of this form",
            hint="run again without --write and put the entries there by hand",
        )
    stdout.write_file(path, after)


def _refuse_second(path: Path, before: Sequence[Acknowledgement], added: Sequence[Acknowledgement]) -> None:
    """Raise UsageError where the file has an entry for the same finding, targets and clusters already."""
    there = {(entry.fingerprint, entry.to, entry.clusters): entry for entry in before}
    for entry in added:
        if old := there.get((entry.fingerprint, entry.to, entry.clusters)):
            raise UsageError(
                f"{path}:{old.line}: has an entry for {entry.fingerprint} already, until {old.expires}",
                hint="change that entry instead of adding a second one",
            )


def _content(entry: Acknowledgement) -> tuple[object, ...]:
    return (
        entry.fingerprint,
        entry.reason,
        entry.owner,
        entry.expires,
        entry.reference,
        entry.to,
        entry.clusters,
    )

"""The report for a terminal: terse, aligned, what OpenShift does not catch first, nothing that needs no action."""

from __future__ import annotations

import re
import shlex
import textwrap
import unicodedata
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct, field

from upgrade_gate.base.shell import quote, words
from upgrade_gate.report import closing, evidence, origins, view
from upgrade_gate.report.decision import RISKS
from upgrade_gate.report.formats._harmless import harmless_report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgrade_gate.report.document import ChangeView, FactView, FindingView, RemedyView, Report
    from upgrade_gate.report.grant_document import GrantView
    from upgrade_gate.report.render_options import RenderOptions

_STYLES = {
    "BLOCKED": "bold red",
    "CANNOT TELL": "bold magenta",
    "PASS": "bold green",
    "DIFF": "bold",
    "blocker": "bold red",
    "unknown": "bold magenta",
    "warning": "yellow",
    "settled": "green",
    "title": "bold",
    "+": "yellow",
    "-": "dim",
    "quiet": "dim",
    "command": "cyan",
}
_MARK = 9
"""Columns of the severity marker and the space after it."""
_REPEATED = 24
"""A need that is said in more characters than this is said once."""
_LISTED = 20
"""Grants that get a line each; beyond that they run on, all of them still there."""


def render(report: Report, options: RenderOptions) -> bytes:
    """Return the report as text in UTF-8, at most `options.width` columns where its words allow."""
    page = _Page(options)
    report = harmless_report(report)
    said = _Said()
    _head(page, report)
    parts = view.sections(report.findings)
    if report.verdict is None:
        _changes(page, report)
    else:
        _findings(page, view.MISSED_TITLE, parts.missed, report, said)
        _findings(page, "Other findings" if parts.missed else "Findings", parts.others, report, said)
        _fill_in(page, said)
        _facts(page, view.unread_facts(report.cluster), said)
        _folded(page, parts.folded, fingerprints=options.verbose)
    _legend(page, report)
    _rollback(page, report)
    _excluded(page, report)
    _proof(page, report)
    _tables(page, report, sources=options.verbose)
    _close(page, report)
    return page.bytes()


class _Said(Struct):
    """What this report has said already: a step, a need or a value to fill in is told once."""

    steps: set[tuple[int, str]] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)
    placeholders: dict[str, None] = field(default_factory=dict)


class _Page:
    """Lines of a terminal: wraps by the cells that characters take, colours whole lines after wrapping."""

    def __init__(self, options: RenderOptions) -> None:
        self._width = max(options.width, 40)
        self._color = options.color
        self._lines: list[str] = []

    @property
    def lines(self) -> tuple[str, ...]:
        """What was put so far."""
        return tuple(self._lines)

    def bytes(self) -> bytes:
        return ("\n".join(self._lines) + "\n").encode("utf-8", "replace")

    def gap(self) -> None:
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def put(self, text: str, *, indent: int = 0, lead: str = "", style: str = "", lead_style: str = "") -> None:
        """Add `lead` and the wrapped text; further lines hang under the text."""
        hang = indent + _cells(lead)
        for number, line in enumerate(_wrap(text, self._width - hang)):
            start = " " * indent + self._paint(lead, lead_style or style) if number == 0 else " " * hang
            self._lines.append((start + self._paint(line, style)).rstrip())

    def command(self, argv: Sequence[str], *, indent: int, lead: str, into: str = "") -> None:
        """Add a command that can be pasted: broken before an option or a word of its own, with continuation marks.

        `into` is the file that its output goes to.
        """
        lines: list[str] = []
        for part in (*_parts(argv), *((f"> {quote(into)}",) if into else ())):
            room = self._width - indent - len(lead) - 2 - (2 if lines else 0)
            if lines and _cells(lines[-1]) + 1 + _cells(part) <= room:
                lines[-1] += f" {part}"
            else:
                lines.append(part)
        for number, line in enumerate(lines):
            start = lead if number == 0 else " " * (len(lead) + 2)
            end = " \\" if number < len(lines) - 1 else ""
            self._lines.append(" " * indent + start + self._paint(line, "command") + end)

    def _paint(self, text: str, style: str) -> str:
        if not self._color or not style or not text:
            return text
        from rich.color import ColorSystem
        from rich.style import Style

        return Style.parse(_STYLES.get(style, style)).render(text, color_system=ColorSystem.STANDARD)


def _parts(argv: Sequence[str]) -> list[str]:
    """Quote a command in the parts that stay on one line: an option and its value are one of them."""
    parts: list[str] = []
    for number, word in enumerate(argv):
        before = argv[number - 1] if number else ""
        joined = before.startswith("-") and "=" not in before and not word.startswith("-")
        if joined:
            parts[-1] += f" {quote(word)}"
        else:
            parts.append(quote(word))
    return parts


def _cells(text: str) -> int:
    """Return how many columns a terminal gives to `text`: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _wrap(text: str, width: int) -> list[str]:
    if text.isascii():
        return textwrap.wrap(text, max(width, 20), break_long_words=False, break_on_hyphens=False) or [""]
    lines: list[str] = []
    for word in text.split():
        if lines and _cells(lines[-1]) + 1 + _cells(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines or [""]


def _head(page: _Page, report: Report) -> None:
    cluster = report.cluster
    if cluster is None:
        page.put(view.facts_read(None).capitalize())
    else:
        known = [part for part in (cluster.name or cluster.id or "unnamed cluster", cluster.api_url) if part]
        page.put(f"{', '.join(known)}: {view.facts_read(cluster)}", style="title")
        origin = f"{cluster.source}, collected {cluster.collected}" if cluster.collected else cluster.source
        page.put(f"id {cluster.id or 'unknown'}, from {origin}", indent=2, style="quiet")
    for key, value in sorted(report.labels.items()):
        page.put(f"{key}={value}", indent=2, lead="label ")
    page.put(view.path_of(report), style="title")
    page.put(view.judged_by(report), indent=2, style="quiet")
    for note in report.notes:
        page.put(note, indent=2, style="quiet")
    page.gap()
    state = view.state_of(report)
    page.put(view.sentence(report), lead=f"{state}  ", lead_style=state)
    page.gap()


def _findings(page: _Page, title: str, findings: Sequence[FindingView], report: Report, said: _Said) -> None:
    """Show findings under a title; a reason that all open ones share stands once, beneath the title."""
    if not findings:
        return
    page.gap()
    page.put(f"{title} ({len(findings)})", style="title")
    reasons = {(f.guard, f.guard_reason) for f in findings if f.status == "open"}
    shared = len(reasons) == 1 and sum(f.status == "open" for f in findings) > 1
    if shared and (reason := reasons.pop()[1]):
        page.put(f"{reason[:1].upper()}{reason[1:]}.", indent=2, style="quiet")
    for finding in findings:
        _finding(page, finding, report, said, guard=not shared)


def _finding(page: _Page, finding: FindingView, report: Report, said: _Said, *, guard: bool) -> None:
    is_open = finding.status == "open"
    mark = (finding.severity if is_open else finding.status).upper()
    page.put(
        finding.headline,
        indent=2,
        lead=f"{mark:<{_MARK - 1}} ",
        lead_style=finding.severity if is_open else "settled",
        style="title" if is_open else "",
    )
    inside = 2 + _MARK
    where = " ".join(part for part in (finding.rule, finding.fingerprint, finding.request) if part)
    page.put(where, indent=inside, style="quiet")
    accepted = finding.acknowledgement
    if accepted:
        ticket = f" ({accepted.reference})" if accepted.reference else ""
        word = "expired" if accepted.expired else "until"
        page.put(
            f"by {accepted.owner}, {word} {accepted.expires}: {accepted.reason}{ticket}",
            indent=inside,
            lead="",
        )
    if finding.status in {"proven", "declared"}:
        _held_by(page, finding)
    if not is_open:
        return
    _grants(page, finding, report)
    for need in finding.needs:
        detail = view.need_detail(need)
        again = len(detail) > _REPEATED and detail in said.needs
        said.needs.add(detail)
        page.put(
            f"{need.kind}: {need.status}{', as above' if again else f'. {detail}'}".rstrip(". "),
            indent=inside,
            lead="needs    ",
        )
    _held_by(page, finding)
    if finding.guard and guard:
        who, why = view.guard_line(finding)
        text = why if finding.guard == "missed" else f"{who}: {why}"
        page.put(f"{text[:1].upper()}{text[1:]}.", indent=inside, style="quiet")
    _remedy(page, finding.remedy, said)


def _held_by(page: _Page, finding: FindingView) -> None:
    inside = 2 + _MARK
    if finding.identity and finding.identity.source == "policies":
        page.put(f"in {finding.identity.id}", indent=inside, lead="declared ")
    elif finding.identity:
        page.put(f"{finding.identity.id} (by {view.source_of(finding.identity)})", indent=inside, lead="held by  ")
    for caveat in finding.caveats:
        page.put(caveat, indent=inside, lead="caveat   ")


def _proof(page: _Page, report: Report) -> None:
    lines = evidence.proof_lines(report)
    if not lines:
        return
    page.gap()
    page.put("Proof", style="title")
    for line in lines:
        page.put(line, indent=2)


def _tables(page: _Page, report: Report, *, sources: bool) -> None:
    if report.tables:
        page.gap()
        page.put(f"Tables: {evidence.tables_line(report, sources=sources)}", style="quiet")


def _grants(page: _Page, finding: FindingView, report: Report) -> None:
    """Show what is asked for; of a change also how much of it is covered already, and what a looser grant replaces."""
    inside = 2 + _MARK
    changes = [c for c in report.changes if c.request == finding.request and c.hop == finding.hop]
    replaced = {key: g for c in changes for key, g in view.diff_of(c).replaced.items()}
    for line in view.held_lines(finding):
        page.put(line, indent=inside, lead="holds    ")
    asked = view.asked(finding)
    before = [replaced[g.permission.casefold()] for g in asked if g.permission.casefold() in replaced]
    _grant_lines(page, "-", before, inside)
    _grant_lines(page, "+", asked, inside)
    _origins(page, asked, inside)
    if asked:
        covered = sum(len(view.diff_of(c).covered) for c in changes)
        if covered:
            page.put(f"and {view.counted(covered, 'permission')} covered already", indent=inside, style="quiet")


def _origins(page: _Page, grants: Sequence[GrantView], indent: int) -> None:
    for line in origins.lines(grants):
        page.put(line, indent=indent, lead="origin   ", style="quiet")


def _grant_lines(page: _Page, sign: str, grants: Sequence[GrantView], indent: int) -> None:
    texts = [view.marked(g) for g in grants]
    if len(texts) > _LISTED:
        page.put(", ".join(texts), indent=indent, lead=f"{sign} ", style=sign)
        return
    for text in texts:
        page.put(text, indent=indent, lead=f"{sign} ", style=sign)


def _remedy(page: _Page, steps: Sequence[RemedyView], said: _Said) -> None:
    """Show the steps that close a finding; one that another finding has named already is only pointed at."""
    inside = 2 + _MARK
    told = frozenset(said.steps)
    pointed: set[int] = set()
    silent = any((step.number or 0, _told_by(step)) not in told for step in steps)
    for step in steps:
        lead = _lead(step)
        number = step.number or 0
        said.steps.add((number, _told_by(step)))
        if (number, _told_by(step)) in told:
            if number not in pointed and (number or not silent):
                page.put("as above", indent=inside, lead=lead)
            pointed.add(number)
            continue
        first = [*([step.moment] if step.update else []), *([f"where {step.condition}"] if step.condition else [])]
        if first:
            page.put(f"{', '.join(first)}:", indent=inside, lead=lead)
            lead = " " * len(lead)
        if not step.argv:
            _how_to_read(page, step.step, indent=inside, lead=lead)
            continue
        page.command(step.argv, indent=inside, lead=lead)
        said.placeholders.update(dict.fromkeys(step.placeholders))


def _told_by(step: RemedyView) -> str:
    """Return what is printed of a step: two steps that print the same are one to the reader."""
    return words(*step.argv) or step.step


def _how_to_read(page: _Page, text: str, *, indent: int, lead: str) -> None:
    """Show what is to be done in words; a line that is a command stays one that can be pasted.

    The text may come from a snapshot, which holds whatever it likes: quotes that do not close are words.
    """
    command, _, into = text.partition(" > ")
    try:
        argv = shlex.split(command) if text.startswith(("oc adm inspect ", "oc get ")) else []
        files = shlex.split(into)
    except ValueError:
        argv, files = [], []
    if argv and len(files) < 2:
        page.command(argv, indent=indent, lead=lead, into="".join(files))
    else:
        page.put(text, indent=indent, lead=lead)


def _fill_in(page: _Page, said: _Said) -> None:
    """Name each value that only the reader knows, once for all commands."""
    if not said.placeholders:
        return
    page.gap()
    page.put(f"To fill in before the commands are run ({len(said.placeholders)})", style="title")
    for placeholder in said.placeholders:
        page.put(placeholder, indent=2)


def _legend(page: _Page, report: Report) -> None:
    """Say in words what the marks of risk mean that stand beside permissions."""
    text = "\n".join(page.lines)
    found = [f"{risk} {meaning}" for risk, meaning in RISKS.items() if re.search(rf"\[[^\]]*\b{risk}\b", text)]
    if found:
        page.gap()
        page.put(f"Marks: {'; '.join(found)}.", style="quiet")
    if report.verdict is None and report.changes:
        page.gap()
        page.put(
            "+ comes, - goes, ~ changes; covered: another permission of the same identity contains it.", style="quiet"
        )


def _lead(step: RemedyView) -> str:
    """Return what stands before a step: its number in the bundle where it has one, and whether it waits."""
    later = step.when == "after"
    said = f"step {step.number}{' (after)' if later else ''}" if step.number else "after" if later else "do"
    return f"{said} ".ljust(9)


def _facts(page: _Page, facts: Iterable[FactView], said: _Said) -> None:
    """List what was not read, one reason once, and how it is read unless that was said before."""
    unread = tuple(facts)
    if not unread:
        return
    page.gap()
    page.put(f"Not read ({len(unread)})", style="title")
    alike: dict[tuple[str, str | None], list[str]] = {}
    for fact in unread:
        alike.setdefault((fact.reason or "no reason given", fact.remedy), []).append(fact.name)
    for (reason, remedy), names in alike.items():
        page.put(f"{', '.join(names)}: {reason}", indent=2)
        if remedy and (0, remedy) not in said.steps:
            said.steps.add((0, remedy))
            _how_to_read(page, remedy, indent=4, lead="do ")


def _folded(page: _Page, findings: Sequence[FindingView], *, fingerprints: bool) -> None:
    if not findings:
        return
    page.gap()
    hint = "" if fingerprints else "; -v shows their fingerprints"
    page.put(f"No action needed ({len(findings)}{hint})", style="title")
    by_rule = sorted(findings, key=lambda f: f.rule)
    for rule, group in groupby(by_rule, key=lambda f: f.rule):
        entries = [f.subject.rpartition("/")[2] + (f" {f.fingerprint}" if fingerprints else "") for f in group]
        page.put(", ".join(entries), indent=2, lead=f"{len(entries)} {rule}: ", style="quiet")


def _changes(page: _Page, report: Report) -> None:
    signs = {"added": "+", "removed": "-", "renamed": "~", "changed": "~"}
    for change in report.changes:
        page.gap()
        was = f" (was {change.was})" if change.was else ""
        hop = f", on the way to {report.hops[change.hop].to.version}" if len(report.hops) > 1 else ""
        page.put(f"{change.request}{was}{hop}", lead=f"{signs[change.kind]} ", style="title")
        if text := view.selection_text(change):
            page.put(text, indent=4, style="quiet")
        _change_body(page, change)


def _change_body(page: _Page, change: ChangeView) -> None:
    diff = view.diff_of(change)
    _grant_lines(page, "-", diff.gone, 4)
    _grant_lines(page, "+", diff.new, 4)
    _origins(page, diff.new, 4)
    if diff.covered:
        page.put(f"+ {view.counted(len(diff.covered), 'permission')} covered already", indent=4, style="quiet")
    if diff.still_covered:
        page.put(
            f"- {view.counted(len(diff.still_covered), 'permission')} still granted otherwise", indent=4, style="quiet"
        )
    for name, pair in (("secret", change.secret), ("token path", change.token_path)):
        if pair.from_ != pair.to:
            page.put(f"{name}: {pair.from_ or 'none'} -> {pair.to or 'none'}", indent=4)
    for sign, names in (("+", change.service_accounts.added), ("-", change.service_accounts.removed)):
        if names:
            page.put(f"service accounts {', '.join(names)}", indent=4, lead=f"{sign} ", style=sign)
    for other in change.other:
        page.put(f"{other.path}: {view.compact(other.from_)} -> {view.compact(other.to)} ({other.class_})", indent=4)


def _rollback(page: _Page, report: Report) -> None:
    lines = view.rollback_lines(report)
    if not lines:
        return
    page.gap()
    page.put(f"{view.ROLLBACK_TITLE}{f' ({len(lines) - 1})' if lines[1:] else ''}", style="title")
    for line in lines:
        page.put(line, indent=2)


def _excluded(page: _Page, report: Report) -> None:
    left_out = view.left_out(report)
    if left_out:
        page.gap()
        count = view.counted(len(left_out), "request")
        page.put(f"{count} of the target not applied here: {view.excluded_reasons(left_out)}", style="quiet")


def _close(page: _Page, report: Report) -> None:
    verdict = report.verdict
    if verdict is None:
        return
    page.gap()
    state = view.state_of(report)
    waiting = sum(view.waits_for_the_rest(finding) for finding in report.findings)
    open_ones = {s: c.open - (waiting if s == "blocker" else 0) for s, c in verdict.counts.items() if s != "info"}
    nouns = {"unknown": "question"}
    said = ", ".join(view.counted(n, nouns.get(severity, severity)) for severity, n in open_ones.items() if n)
    accepted = sum(count.acknowledged for count in verdict.counts.values())
    tail = f", {accepted} acknowledged" if accepted else ""
    then = ("; then the annotation" if said else " but the annotation") if waiting else ""
    page.put(
        f"{said or 'nothing'} open{then}{tail}. {closing.next_step(report)}",
        lead=f"{state} (exit {verdict.exit_code}): ",
        lead_style=state,
    )
    if command := closing.closing_command(report):
        page.command(command, indent=2, lead="")

"""The report as Markdown for a pull request or a step summary: the verdict first, a folded part per component.

The first findings stand open, the others of the list are folded: a comment must not bury what people say below it.
A comment holds 65,536 characters, and what is longer is refused: whole components are cut from the harmless end, and
the second line says so.
"""

from __future__ import annotations

import html
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base.markdown import code, escape, fence, links
from upgrade_gate.base.shell import words
from upgrade_gate.report import addresses, closing, evidence, origins, view
from upgrade_gate.report.formats._harmless import harmless_report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.report.document import ChangeView, FindingView, RemedyView, Report
    from upgrade_gate.report.grant_document import GrantView
    from upgrade_gate.report.origins import Origin
    from upgrade_gate.report.render_options import RenderOptions
    from upgrade_gate.report.view import Component

MAX_BYTES = 65_000
_OPEN_FINDINGS = 5


class _Block(Struct, frozen=True):
    """A part that is kept or cut as a whole; `counts` is what the note about a cut calls it.

    Neighbours that are `folded` share one fold, so that each of them can be cut alone.
    """

    text: str
    counts: str
    folded: bool = False


def render(report: Report, options: RenderOptions) -> bytes:
    """Return CommonMark in UTF-8, at most `options.max_bytes` (65,000 unless told otherwise)."""
    report = harmless_report(report)
    limit = MAX_BYTES if options.max_bytes is None else options.max_bytes
    title = f"## {_text(f'{view.state_of(report)} {view.sentence(report)}')}"
    before = [_Block(_head(report), "summary"), *_open(report)]
    after = [
        _Block(text, "section")
        for text in (_rollback(report), _facts(report), _proof(report), _excluded(report), _evidence(report))
        if text
    ]
    components = [_Block(text, "component") for text in _components(report)]
    return _fit(title, before, components, after, limit)


def _fit(title: str, before: list[_Block], components: list[_Block], after: list[_Block], limit: int) -> bytes:
    """Drop components from the harmless end, then what follows them, then lines of the lists, until it fits."""
    cut: dict[str, int] = {}
    kept = [before, after, components]
    while True:
        parts = [title, _note(cut)]
        parts += [text for group in (before, components, after) for text in _texts(group)]
        document = ("\n".join(parts) + "\n").encode("utf-8", "replace")
        spare = len(document) - limit
        if spare <= 0:
            return document
        victims = next((group for group in reversed(kept) if group), None)
        if victims is None:
            return document[: max(limit, 0)].decode("utf-8", "ignore").encode()
        while victims and spare > 0:
            block = victims.pop()
            spare -= len(block.text.encode("utf-8", "replace")) + 1
            cut[block.counts] = cut.get(block.counts, 0) + 1


def _texts(blocks: list[_Block]) -> Iterator[str]:
    for folded, group in groupby(blocks, key=lambda block: block.folded):
        texts = [block.text for block in group]
        if folded:
            yield _details(f"{len(texts)} more", "\n".join(texts))
        else:
            yield from texts


def _note(cut: dict[str, int]) -> str:
    if not cut:
        return ""
    said = " and ".join(
        view.counted(number, noun, "summaries" if noun == "summary" else None) for noun, number in cut.items()
    )
    return f"**Cut to fit: {said} left out here. The whole report is in the other formats (`-o html`, `-o json`).**\n"


def _head(report: Report) -> str:
    cluster = report.cluster
    lines = []
    if cluster:
        named = " ".join(code(part) for part in (cluster.name or "unnamed", cluster.api_url, cluster.id) if part)
        lines.append(f"Cluster {named}, {view.facts_read(cluster)}")
    else:
        lines.append(_text(view.facts_read(None)).capitalize())
    lines += [f"Label {code(f'{key}={value}')}" for key, value in sorted(report.labels.items())]
    lines.append(f"Path {code(view.path_of(report))}, {_text(view.judged_by(report))}")
    verdict = report.verdict
    if verdict:
        lines += [f"Rests on: {_text(assumption)}" for assumption in verdict.assumptions]
        lines.append(f"Next: {_text(closing.next_step(report))}")
    text = "".join(f"- {line}\n" for line in lines)
    if command := closing.closing_command(report):
        text += f"\n{fence([words(*command)], 'sh')}\n"
    return text


def _open(report: Report) -> list[_Block]:
    """List what is not settled by nature, a line each: what OpenShift does not catch first, the first ones open."""
    parts = view.sections(report.findings)
    blocks: list[_Block] = []
    spare = _OPEN_FINDINGS
    for title, findings in ((view.MISSED_TITLE, parts.missed), ("Other findings", parts.others)):
        lines = [f"- {_finding_line(finding)}" for finding in findings]
        shown, spare = lines[:spare], max(spare - len(lines), 0)
        if lines:
            blocks.append(_Block("\n".join([f"### {title}\n", *shown]) + ("\n" if shown else ""), "list"))
        blocks += [_Block(line, "line", folded=True) for line in lines[len(shown) :]]
    return blocks


def _finding_line(finding: FindingView) -> str:
    word = view.word_of(finding).capitalize()
    return f"**{word}** {_text(finding.headline)} ({code(finding.rule)} {code(finding.fingerprint)})"


def _components(report: Report) -> Iterable[str]:
    parts = view.sections(report.findings)
    rest = tuple(f for f in parts.all if f.request is None)
    order = {id(finding): place for place, finding in enumerate(parts.all)}
    found: list[tuple[int, str]] = []
    for component in view.components(report):
        place = order[id(component.findings[0])] if component.findings else len(order)
        found.append((place, _component(component)))
    if rest:
        told: set[str] = set()
        body = "\n".join(_finding(finding, told) for finding in rest)
        found.append((order[id(rest[0])], _details(f"<b>Cluster and run</b>: {len(rest)}", body)))
    return (text for _, text in sorted(found, key=lambda item: item[0]))


def _component(component: Component) -> str:
    worst = component.worst
    word = view.word_of(worst).capitalize() if worst else "Changed"
    tally = ", ".join(text for text, _ in component.tally)
    named = f"<b>{_html(word)}</b> {_html(component.name)} <code>{_html(component.request)}</code>"
    summary = f"{named} ({_html(tally)})" if tally else named
    body = [_finding(finding, set()) for finding in component.findings]
    body += [_change(change) for change in component.changes]
    return _details(summary, "\n".join(body))


def _details(summary: str, body: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{body.rstrip()}\n\n</details>\n"


def _finding(finding: FindingView, told: set[str]) -> str:
    """Return a finding in full; a step that `told` holds was said with one before it in the same part."""
    lines = [f"{_finding_line(finding)}\n"]
    accepted = finding.acknowledgement
    if accepted:
        word = "expired" if accepted.expired else "valid through"
        ticket = f", {_text(accepted.reference)}" if accepted.reference else ""
        lines.append(
            f"- acknowledged by {_text(accepted.owner)}, {word} {_text(accepted.expires)}{ticket}: "
            f"{_text(accepted.reason)}"
        )
    if finding.guard:
        who, why = view.guard_line(finding)
        lines.append(f"- {who}: {_text(why)}")
    lines += [
        f"- needs {_text(n.kind)}: **{_text(n.status)}** {_text(view.need_detail(n))}".rstrip() for n in finding.needs
    ]
    lines += [f"- holds {_text(line)}" for line in view.held_lines(finding)]
    if finding.identity:
        lines.append(f"- identity {code(finding.identity.id)}, found through {_text(view.source_of(finding.identity))}")
    lines += [f"- caveat: {_text(caveat)}" for caveat in finding.caveats]
    if finding.status == "open":
        steps = dict.fromkeys(_step(step) for step in finding.remedy)
        lines += [step for step in steps if step not in told] or ["- as said above"] * bool(steps)
        told.update(steps)
    return "\n".join(lines) + "\n"


def _step(step: RemedyView) -> str:
    number = f" (step {step.number})" if step.number else ""
    line = f"- {step.moment}{number}: {_text(step.step)}"
    return f"{line}: {code(words(*step.argv))}" if step.argv else line


def _change(change: ChangeView) -> str:
    diff = view.diff_of(change)
    said = [change.kind, change.provider, view.selection_text(change)]
    lines = [f"{', '.join(_text(part) for part in said if part)}\n"]
    if change.was:
        lines.append(f"- was {code(change.was)}")
    for name, pair in (("Secret", change.secret), ("token path", change.token_path)):
        if pair.from_ != pair.to:
            lines.append(f"- {name} {code(pair.from_ or 'none')} to {code(pair.to or 'none')}")
    for word, names in (("added", change.service_accounts.added), ("gone", change.service_accounts.removed)):
        if names:
            lines.append(f"- service accounts {word}: {', '.join(map(code, names))}")
    lines += [
        f"- {code(o.path)}: {code(view.compact(o.from_))} to {code(view.compact(o.to))} ({o.class_})"
        for o in change.other
    ]
    if diff.covered:
        lines.append(f"- {view.counted(len(diff.covered), 'permission')} covered already: {_names(diff.covered)}")
    if diff.still_covered:
        lines.append(f"- {view.counted(len(diff.still_covered), 'permission')} no longer listed, still granted")
    text = "\n".join(lines) + "\n"
    signed = [f"- {view.marked(g)}" for g in diff.gone] + [f"+ {view.marked(g)}" for g in diff.new]
    if signed:
        text += f"\n{fence(signed, 'diff')}\n"
    came = "".join(f"- {_origin(origin)}\n" for origin in origins.origins(diff.new))
    return f"{text}\n{came}" if came else text


def _origin(origin: Origin) -> str:
    known = origin.introduced
    by = [(origins.name(known), origins.address(known)), *((bug, addresses.bug(bug)) for bug in known.bugs)]
    linked = (f"[{escape(said)}]({address})" if address else code(said) for said, address in by)
    return f"{_text(origin.said)}: {', '.join(linked)}"


def _names(grants: Sequence[GrantView], most: int = 10) -> str:
    listed = ", ".join(code(view.grant_text(g)) for g in grants[:most])
    return f"{listed} and {len(grants) - most} more" if len(grants) > most else listed


def _rollback(report: Report) -> str:
    lines = view.rollback_lines(report)
    return f"### {view.ROLLBACK_TITLE}\n\n" + "".join(f"- {_text(line)}\n" for line in lines) if lines else ""


def _proof(report: Report) -> str:
    lines = evidence.proof_lines(report)
    return "### Proof\n\n" + "".join(f"- {_text(line)}\n" for line in lines) if lines else ""


def _facts(report: Report) -> str:
    unread = view.unread_facts(report.cluster)
    if not unread:
        return ""
    lines = []
    for fact in unread:
        lines.append(f"- {code(fact.name)}: {_text(fact.reason or 'no reason given')}")
        if fact.remedy:
            lines.append(f"  to read it: {code(fact.remedy)}")
    return _details(f"<b>Not read</b>: {len(unread)}", "\n".join(lines))


def _excluded(report: Report) -> str:
    left_out = view.left_out(report)
    if not left_out:
        return ""
    lines = [f"- {code(e.request)}: {_text(e.reason)}, {_text(e.detail)}" for e in left_out]
    return _details(f"<b>Not applied here</b>: <code>{_html(view.excluded_reasons(left_out))}</code>", "\n".join(lines))


def _evidence(report: Report) -> str:
    lines = []
    for number, hop in enumerate(report.hops):
        for release in (hop.from_, hop.to) if number == 0 else (hop.to,):
            digest = f" {code(release.digest)}" if release.digest else ""
            seal = "verified" if release.verified else "not verified"
            lines.append(f"- {code(release.version)} from {code(release.reference)}{digest}, signature {seal}")
    lines += [f"- note: {_text(note)}" for note in report.notes]
    lines += [f"- table {_text(t.name)}, {_text(t.date)}: {_text(t.source)}" for t in report.tables]
    lines.append(f"- {_text(report.tool.name)} {_text(report.tool.version)}, {_text(report.generated)}")
    return _details("<b>Evidence</b>", "\n".join(lines))


def _text(value: str) -> str:
    """Return text that shows as it is: a code span where a forge would link it, else escaped."""
    return code(value) if links(value) else escape(value)


def _html(value: str) -> str:
    """Return text for the HTML line of a summary, where Markdown is not read but a blank line would end the block."""
    return html.escape(value)

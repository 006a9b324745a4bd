"""The report for a change board: one HTML file that needs no network, no script and no second look at the data."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base import page
from upgrade_gate.base.shell import quote
from upgrade_gate.report import addresses, evidence, origins, view
from upgrade_gate.report.decision import RISKS, decision
from upgrade_gate.report.formats._harmless import harmless_report
from upgrade_gate.requests.names import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.report.document import Excluded, FindingView, Release, RemedyView, Report
    from upgrade_gate.report.render_options import RenderOptions

_PACKAGE = "upgrade_gate.report"
OPEN_COMPONENTS = 25
"""Up to this many components, those with open work are unfolded from the start."""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 (one signature for every format)
    """Return one self-contained HTML document in UTF-8."""
    report = harmless_report(report)
    style, script = (page.part(_PACKAGE, name) for name in ("report.css", "report.js"))
    parts = view.sections(report.findings)
    components = view.components(report)
    decided = decision(report)
    anchors = _anchors(parts.all)
    steps = _steps(parts.all)
    template = page.environment(_PACKAGE).get_template("report.html.j2")
    html = template.render(
        report=report,
        view=view,
        evidence=evidence,
        origins=origins,
        addresses=addresses,
        style=style,
        script=script,
        style_hash=page.policy_hash(style),
        script_hash=page.policy_hash(script),
        state=view.state_of(report),
        sections=parts,
        decision=decided,
        steps_for=lambda row: _first_steps(row.findings, steps),
        components=components,
        undecided=[c for c in components if c.request not in {row.request for row in decided.rows}],
        unfold=len(components) <= OPEN_COMPONENTS,
        rest=tuple(f for f in parts.all if f.request is None),
        anchor=lambda finding: anchors[id(finding)],
        steps=steps,
        parts_of_remedy=_parts_of_remedy(steps),
        steps_of={anchors[key]: served for key, served in _steps_of(steps).items()},
        excluded=_excluded(report),
        accepted=tuple(f for f in parts.all if f.acknowledgement),
        proofs=tuple(f for f in parts.all if f.identity or f.status in {"proven", "declared"}),
        risks=_risks(report),
        command=_command(report.verdict.command, ()) if report.verdict else (),
        remediate=_command(report.verdict.remediate, ()) if report.verdict else (),
        releases=_releases(report),
        changed={(c.request, c.hop) for c in report.changes},
    )
    return html.encode("utf-8", "replace")


class StepCommand(Struct, frozen=True):
    """One command of a step."""

    condition: str
    """When it is run, where there is another for what is there already."""
    pieces: tuple[tuple[str, bool], ...]
    """The command cut into pieces: text, and whether somebody must fill it in."""
    placeholders: tuple[str, ...]


class Step(Struct, frozen=True):
    """One step of the remedy, once, with its commands and every finding that it serves."""

    number: int | None
    """The bundle's; None where no bundle has it."""
    anchor: str
    title: str
    when: str
    moment: str
    """Before or after the upgrade, or one update of a path."""
    file: str | None
    """The file of the bundle that it is about, where none of its commands names it."""
    commands: tuple[StepCommand, ...]
    findings: tuple[FindingView, ...]

    @property
    def serves(self) -> tuple[tuple[str, FindingView], ...]:
        """What it is for, as people say it, each once, with the first of its findings."""
        named: dict[str, FindingView] = {}
        for finding in self.findings:
            named.setdefault(spoken(finding.request) if finding.request else finding.subject, finding)
        return tuple(named.items())


def _anchors(findings: Iterable[FindingView]) -> dict[int, str]:
    """Give each finding a link target that survives a new run: its fingerprint, numbered where it repeats."""
    anchors: dict[int, str] = {}
    seen: dict[str, int] = {}
    for finding in findings:
        name = "f-" + "".join(c for c in finding.fingerprint if c.isascii() and c.isalnum())
        seen[name] = seen.get(name, 0) + 1
        anchors[id(finding)] = name if seen[name] == 1 else f"{name}-{seen[name]}"
    return anchors


def _steps(findings: Sequence[FindingView]) -> tuple[Step, ...]:
    """Return the steps of all findings, equal ones once, in the bundle's order.

    Those that no bundle has come first, one that serves several findings before those that serve one.
    """
    served: dict[tuple[str, str, int, str], tuple[list[RemedyView], list[FindingView]]] = {}
    for finding in findings:
        if finding.status != "open":
            continue
        for remedy in finding.remedy:
            key = (remedy.when, remedy.moment, remedy.number or 0, _title(remedy))
            entries, found = served.setdefault(key, ([], []))
            if remedy not in entries:
                entries.append(remedy)
            if finding not in found:
                found.append(finding)
    ordered = sorted(
        served.items(), key=lambda item: (item[0][0] != "before", item[0][2], 0 if item[0][2] else -len(item[1][1]))
    )
    numbers = [number for (_, _, number, _), _ in ordered]
    return tuple(
        Step(
            number=number or None,
            anchor=f"s{number}" if number and numbers.count(number) == 1 else f"s{number}-{place}",
            title=title,
            when=when,
            moment=f"{moment[:1].upper()}{moment[1:]}",
            file=_unnamed(entries),
            commands=tuple(
                StepCommand(one.condition or "", _command(one.argv, one.placeholders), tuple(one.placeholders))
                for one in entries
                if one.argv
            ),
            findings=tuple(found),
        )
        for place, ((when, moment, number, title), (entries, found)) in enumerate(ordered, 1)
    )


def _unnamed(entries: Sequence[RemedyView]) -> str | None:
    file = entries[0].file
    return None if file is None or any(file in word for one in entries for word in one.argv) else file


def _title(remedy: RemedyView) -> str:
    """Return what to do as a title, without the condition of one of its commands; a command keeps its letters."""
    said = remedy.step.removesuffix(f", where {remedy.condition}") if remedy.condition else remedy.step
    return said if said.startswith("oc ") else f"{said[:1].upper()}{said[1:]}"


def _parts_of_remedy(steps: Sequence[Step]) -> str:
    """Return how many steps there are before the upgrade, which end the verdict, and how many after it."""
    before = sum(step.when == "before" for step in steps)
    said = [f"{view.counted(before, 'step')} before the upgrade"] if before else []
    if after := len(steps) - before:
        said.append(f"{after} after it" if said else f"{view.counted(after, 'step')} after the upgrade")
    return ", ".join(said)


def _first_steps(findings: Iterable[FindingView], steps: Iterable[Step]) -> list[Step]:
    """Return what is to be done before the upgrade for any of these findings, each step once."""
    wanted = {id(finding) for finding in findings}
    return [step for step in steps if step.when == "before" and wanted & {id(f) for f in step.findings}]


def _steps_of(steps: Iterable[Step]) -> Mapping[int, list[Step]]:
    served: dict[int, list[Step]] = {}
    for step in steps:
        for finding in step.findings:
            served.setdefault(id(finding), []).append(step)
    return served


def _command(argv: Sequence[str], placeholders: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """Quote a command for a POSIX shell, a new line before each option; placeholders are marked."""
    pieces: list[tuple[str, bool]] = []
    for position, word in enumerate(argv):
        gap = "" if position == 0 else " \\\n  " if word.startswith("--") else " "
        if gap:
            pieces.append((gap, False))
        pieces.append((quote(word), any(p and p in word for p in placeholders)))
    return tuple(pieces)


def _excluded(report: Report) -> tuple[tuple[str, str, tuple[Excluded, ...]], ...]:
    """Group what is not applied here by release (the target first) and how many for which reason."""

    def place(left_out: Excluded) -> tuple[int, bool]:
        return -left_out.hop, left_out.side == "from"

    ordered = sorted(report.selection.excluded, key=lambda e: (*place(e), e.reason, e.request, e.file))
    groups = [tuple(group) for _, group in groupby(ordered, key=place)]
    return tuple((_release_of(report, group[0]), view.excluded_reasons(group), group) for group in groups)


def _release_of(report: Report, left_out: Excluded) -> str:
    """Return the version of the release that leaves a request out."""
    hop = report.hops[left_out.hop]
    return (hop.from_ if left_out.side == "from" else hop.to).version or "a release that was not read"


def _risks(report: Report) -> dict[str, str]:
    """Return the risk classes that occur, with what each means."""
    grants = [g for c in report.changes for g in (*c.permissions.added, *c.permissions.removed)]
    grants += [g for f in report.findings for g in f.grants]
    found = {risk for grant in grants for risk in grant.risk}
    return {risk: RISKS.get(risk, "see the documentation") for risk in sorted(found)}


def _releases(report: Report) -> tuple[Release, ...]:
    """Return the releases of the path in order, each once."""
    path = [hop.from_ for hop in report.hops[:1]] + [hop.to for hop in report.hops]
    return tuple(release for n, release in enumerate(path) if release not in path[:n])

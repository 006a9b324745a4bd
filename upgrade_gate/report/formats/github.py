"""The report as workflow commands, which GitHub shows as annotations: ten errors and ten warnings a step, no more.

What does not fit is in the plain lines of the log, and the last line says how many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.report import evidence, origins, view
from upgrade_gate.report.formats import _plain
from upgrade_gate.report.formats._harmless import harmless_report
from upgrade_gate.report.view import Stance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.report.document import FindingView, Report
    from upgrade_gate.report.render_options import RenderOptions

MAX_ANNOTATIONS = 10
"""GitHub drops every further error or warning of a step without a word."""

_LEVELS = {Stance.BLOCKS: "error", Stance.OPEN: "error", Stance.WARNS: "warning"}


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 (one signature for every format)
    """Return lines for the log of a step: the findings as text, then the annotations, then a notice."""
    report = harmless_report(report)
    findings = view.sections(report.findings).all
    lines = [_log(line) for line in _head(report)]
    lines += [_log(f"{view.word_of(f)} {f.rule} {f.fingerprint} {f.headline}") for f in findings]
    groups = _groups(findings, report)
    shown: dict[str, int] = {"error": 0, "warning": 0}
    more: dict[str, int] = {"error": 0, "warning": 0}
    for level, group in groups:
        if shown[level] == MAX_ANNOTATIONS:
            more[level] += 1
            continue
        shown[level] += 1
        lines.append(_annotation(level, group))
    if report.verdict and report.verdict.status != "pass" and not shown["error"]:
        lines.append(f"::error title={_property('upgrade-gate')}::{_data(_verdict(report))}")
    lines.append(f"::notice title={_property('upgrade-gate')}::{_data(_close(report, more))}")
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def _head(report: Report) -> list[str]:
    cluster = report.cluster
    name = (cluster.name or cluster.id or "unnamed cluster") if cluster else ""
    lines = [f"{name}: {view.facts_read(cluster)}" if cluster else view.facts_read(None)]
    lines += [f"label {key}={value}" for key, value in sorted(report.labels.items())]
    lines += evidence.proof_lines(report)
    lines += [f"tables {evidence.tables_line(report)}"] if report.tables else []
    lines += [f"path {view.path_of(report)}", f"verdict {_verdict(report)}"]
    lines += [f"rollback {line}" for line in view.rollback_lines(report)]
    return lines


def _verdict(report: Report) -> str:
    return f"{view.state_of(report)} {view.sentence(report)}"


def _groups(findings: Sequence[FindingView], report: Report) -> list[tuple[str, list[FindingView]]]:
    """Return one group per component, the open findings of it worst first; what OpenShift does not catch leads."""
    grouped: dict[str, list[FindingView]] = {}
    for finding in findings:
        if view.stance(finding, report) in _LEVELS:
            grouped.setdefault(finding.request or finding.subject, []).append(finding)
    groups = []
    for group in grouped.values():
        levels = {_LEVELS[view.stance(f, report)] for f in group}
        groups.append(("error" if "error" in levels else "warning", group))
    return groups


def _annotation(level: str, group: Sequence[FindingView]) -> str:
    first = group[0]
    path, line = _plain.place_of(first)
    title = first.component or first.subject
    said = [f"{f.headline} ({f.rule} {f.fingerprint})" for f in group]
    if first.guard == "missed":
        said.insert(1, f"Not caught by OpenShift: {view.guard_line(first)[1]}")
    said += [line for f in group for line in origins.lines(view.asked(f))]
    properties = f"file={_property(path)},line={line},title={_property(title)}"
    return f"::{level} {properties}::{_data(chr(10).join(said))}"


def _close(report: Report, more: dict[str, int]) -> str:
    left = [view.counted(number, f"more {level}") for level, number in more.items() if number]
    tail = f"; {' and '.join(left)} in the log and in the summary" if left else ""
    return f"{_verdict(report)}{tail}"


def _log(text: str) -> str:
    """Return a line of the log that the runner cannot take for a command: it looks for `##[` anywhere in a line."""
    return _disarm(text if not text.lstrip().startswith("::") else f"- {text}")


def _disarm(text: str) -> str:
    return text.replace("##[", "## [")


def _data(text: str) -> str:
    """Escape the message of a workflow command (actions/toolkit, command.ts)."""
    return _disarm(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape a property of a workflow command, whose end is a comma or a colon."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")

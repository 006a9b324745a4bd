"""The report as JUnit XML: a case per request and per check of the cluster.

A blocker fails, an unknown is an error, what was acknowledged is skipped; proven, harmless and unchanged requests
pass. Element order and attributes are those of the Jenkins schema, which has no attribute on `skipped`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from msgspec import Struct, field

from upgrade_gate.report import evidence, view
from upgrade_gate.report.formats import _plain
from upgrade_gate.report.formats._harmless import harmless_report
from upgrade_gate.report.view import Stance

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.report.document import FactView, FindingView, Report
    from upgrade_gate.report.render_options import RenderOptions


class _Case(Struct):
    """One test case: its findings decide how it ends."""

    name: str
    findings: list[FindingView] = field(default_factory=list)
    outcome: str | None = None
    """`failure`, `error`, `skipped`, or None for passed."""
    message: str = ""
    text: str = ""
    type: str = ""


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 (one signature for every format)
    """Return one JUnit document in UTF-8."""
    report = harmless_report(report)
    requests = [_judge(case, report) for case in _requests(report)]
    checks = [*(_judge(case, report) for case in _checks(report)), *_verdict(report)]
    root = ET.Element("testsuites", name="upgrade-gate")
    _count(root, [*requests, *checks])
    for name, part in (("requests", requests), ("cluster", checks)):
        _suite(root, name, part, report)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _requests(report: Report) -> list[_Case]:
    names = {*report.requests.to, *(c.request for c in report.changes)}
    cases = {name: _Case(name) for name in names}
    for finding in view.sections(report.findings).all:
        if finding.request is not None:
            cases.setdefault(finding.request, _Case(finding.request)).findings.append(finding)
    return [cases[name] for name in sorted(cases)]


def _checks(report: Report) -> list[_Case]:
    """Return a case per fact that was to be read, and one per other finding about the cluster or the run."""
    facts = {fact.name: fact for fact in report.cluster.facts} if report.cluster else {}
    cases = {name: _fact(fact) for name, fact in sorted(facts.items())}
    for finding in view.sections(report.findings).all:
        if finding.request is not None:
            continue
        if finding.rule == "fact-unknown" and finding.subject in facts:
            cases[finding.subject].findings.append(finding)
            continue
        name = f"{finding.rule}: {finding.subject}"
        cases.setdefault(name, _Case(name)).findings.append(finding)
    return list(cases.values())


def _fact(fact: FactView) -> _Case:
    case = _Case(f"read {fact.name}")
    if fact.state == "unknown":
        case.outcome = "skipped"
        case.text = f"not read, and not needed for this verdict: {fact.reason or 'no reason given'}"
    return case


def _judge(case: _Case, report: Report) -> _Case:
    """Decide how a case ends by its gravest finding; the text tells all of them."""
    if not case.findings:
        return case
    gravest = min(case.findings, key=lambda f: list(Stance).index(view.stance(f, report)))
    outcomes = {Stance.BLOCKS: "failure", Stance.OPEN: "error", Stance.ACCEPTED: "skipped"}
    case.outcome = outcomes.get(view.stance(gravest, report))
    case.message, case.type = _plain.standing(gravest), gravest.rule
    case.text = "\n\n".join("\n".join(_plain.describe(f)) for f in case.findings)
    return case


def _verdict(report: Report) -> Iterator[_Case]:
    """Yield the verdict as a case: it passes only where the gate does."""
    verdict = report.verdict
    if verdict is None:
        return
    lines = (f"{view.state_of(report)} {view.sentence(report)}", *view.rollback_lines(report))
    case = _Case("verdict", text="\n".join(lines), message=view.sentence(report))
    if verdict.status != "pass":
        case.outcome = "failure" if verdict.status == "blocked" else "error"
        case.type = verdict.status
    yield case


def _count(element: ET.Element, cases: Iterable[_Case]) -> None:
    outcomes = [case.outcome for case in cases]
    element.set("tests", str(len(outcomes)))
    element.set("failures", str(outcomes.count("failure")))
    element.set("errors", str(outcomes.count("error")))
    element.set("time", "0")


def _suite(root: ET.Element, name: str, cases: Sequence[_Case], report: Report) -> None:
    suite = ET.SubElement(root, "testsuite", name=f"upgrade-gate {name}")
    _count(suite, cases)
    suite.set("skipped", str(sum(case.outcome == "skipped" for case in cases)))
    suite.set("timestamp", report.generated.removesuffix("Z"))
    properties = ET.SubElement(suite, "properties")
    known = {
        "path": view.path_of(report),
        "platform": report.platform,
        "cluster": (report.cluster.id or report.cluster.name or "unnamed") if report.cluster else "none",
        "facts": view.facts_read(report.cluster),
        "proof": "; ".join(evidence.proof_lines(report)) or "no identity was read",
        "tables": evidence.tables_line(report),
        "verdict": f"{view.state_of(report)} {view.sentence(report)}",
    }
    for key, value in [*known.items(), *((f"label {k}", v) for k, v in sorted(report.labels.items()))]:
        ET.SubElement(properties, "property", name=key, value=value)
    for case in cases:
        _write(ET.SubElement(suite, "testcase", name=case.name, classname=f"upgrade-gate.{name}", time="0"), case)


def _write(element: ET.Element, case: _Case) -> None:
    match case.outcome:
        case "failure" | "error" as tag:
            ET.SubElement(element, tag, message=case.message, type=case.type).text = case.text
        case "skipped":
            ET.SubElement(element, "skipped").text = case.text
        case _:
            if case.text:
                ET.SubElement(element, "system-out").text = case.text

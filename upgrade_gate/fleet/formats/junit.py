"""A test case for each cluster, as JUnit: blocked is a failure, undetermined an error."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from upgrade_gate.fleet.document import Cause, Cluster, Fleet

_TAGS = {"blocked": "failure", "undetermined": "error"}


def files(fleet: Fleet) -> Mapping[str, Iterator[bytes]]:
    """Return `junit.xml` in UTF-8, a case at a time: thousands of clusters need not be in memory at once."""
    return {"junit.xml": _pieces(fleet)}


def _pieces(fleet: Fleet) -> Iterator[bytes]:
    root = ET.Element("testsuites", name="upgrade-gate fleet")
    suite = ET.Element("testsuite", name="upgrade-gate fleet")
    for element in (root, suite):
        element.set("tests", str(len(fleet.clusters)))
        element.set("failures", str(fleet.verdicts["blocked"]))
        element.set("errors", str(fleet.verdicts["undetermined"]))
        element.set("time", "0")
    suite.set("skipped", "0")
    suite.set("timestamp", fleet.generated.removesuffix("Z"))
    yield b"<?xml version='1.0' encoding='utf-8'?>\n" + _opened(root) + b"\n  " + _opened(suite) + b"\n"
    causes = {cause.fingerprint: cause for cause in fleet.causes}
    for cluster in fleet.clusters:
        case = _case(cluster, causes)
        ET.indent(case, level=2)
        yield b"    " + _bytes(case) + b"\n"
    yield b"  </testsuite>\n</testsuites>\n"


def _opened(element: ET.Element) -> bytes:
    """Return the start tag of an element that has no children yet."""
    return _bytes(element).removesuffix(b" />") + b">"


def _bytes(element: ET.Element) -> bytes:
    document: bytes = ET.tostring(element, encoding="utf-8")
    return document


def _case(cluster: Cluster, causes: Mapping[str, Cause]) -> ET.Element:
    case = ET.Element(
        "testcase",
        name=one_line(cluster.name),
        classname=f"upgrade-gate.{cluster.platform or 'fleet'}",
        time="0",
    )
    tag = _TAGS.get(cluster.status)
    if tag is None:
        return case
    lines = [
        f"{causes[name].severity} {causes[name].rule} {name} {causes[name].headline}"
        for name, how in cluster.causes.items()
        if how in {"open", "unknown"}
    ]
    element = ET.SubElement(case, tag, message=one_line(cluster.summary), type=cluster.status)
    element.text = "\n".join([*(one_line(line) for line in lines), cluster.report])
    return case

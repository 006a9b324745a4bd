"""A test case for each cluster, as JUnit: blocked is a failure, undetermined an error."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from upgrade_gate.base.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.fleet.document import Cause, Cluster, Fleet

_TAGS = {"blocked": "failure", "undetermined": "error"}


def files(fleet: Fleet) -> Mapping[str, bytes]:
    """Return `junit.xml` in UTF-8."""
    root = ET.Element("testsuites", name="upgrade-gate fleet")
    suite = ET.SubElement(root, "testsuite", name="upgrade-gate fleet")
    for element in (root, suite):
        element.set("tests", str(len(fleet.clusters)))
        element.set("failures", str(fleet.verdicts["blocked"]))
        element.set("errors", str(fleet.verdicts["undetermined"]))
        element.set("time", "0")
    suite.set("skipped", "0")
    suite.set("timestamp", fleet.generated.removesuffix("Z"))
    causes = {cause.fingerprint: cause for cause in fleet.causes}
    for cluster in fleet.clusters:
        _case(suite, cluster, causes)
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return {"junit.xml": document + b"\n"}


def _case(suite: ET.Element, cluster: Cluster, causes: Mapping[str, Cause]) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        name=one_line(cluster.name),
        classname=f"upgrade-gate.{cluster.platform or 'fleet'}",
        time="0",
    )
    tag = _TAGS.get(cluster.status)
    if tag is None:
        return
    lines = [
        f"{causes[name].severity} {causes[name].rule} {name} {causes[name].headline}"
        for name, how in cluster.causes.items()
        if how in {"open", "unknown"}
    ]
    element = ET.SubElement(case, tag, message=one_line(cluster.summary), type=cluster.status)
    element.text = "\n".join([*(one_line(line) for line in lines), cluster.report])

"""The report as a PolicyReport (wgpolicyk8s.io/v1alpha2), which ACM, Kyverno and Policy Reporter show.

One object a run, as YAML; the tool itself applies nothing. The first result is the verdict, then comes one for each
finding. Only fields and values of the first v1alpha2 are used: severities are high, medium and low.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from upgrade_gate.report import closing, evidence, view
from upgrade_gate.report.formats import _plain
from upgrade_gate.report.formats._harmless import harmless_report
from upgrade_gate.report.view import Stance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.report.document import FindingView, Report
    from upgrade_gate.report.render_options import RenderOptions

_RESULTS: Final = {
    Stance.BLOCKS: "fail",
    Stance.OPEN: "error",
    Stance.WARNS: "warn",
    Stance.ACCEPTED: "skip",
    Stance.SAYS: "pass",
}
_SEVERITIES: Final = {"blocker": "high", "unknown": "medium", "warning": "low"}
_VERDICTS: Final = {"pass": "pass", "blocked": "fail", "undetermined": "error"}
_PREFIX: Final = "upgrade-gate"
API_VERSION: Final = "wgpolicyk8s.io/v1alpha2"
VERDICT: Final = f"{_PREFIX}/verdict"
DIGEST: Final = f"{_PREFIX}/digest"
"""Annotations by which a policy judges the report."""
_LONGEST_NAME: Final = 63


def render(report: Report, options: RenderOptions) -> bytes:  # noqa: ARG001 (one signature for every format)
    """Return one YAML document in UTF-8."""
    return encode(document(report))


def encode(body: dict[str, Any]) -> bytes:
    """Return a PolicyReport as YAML in UTF-8."""
    import yaml

    text: str = yaml.dump(body, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=100)
    return text.encode("utf-8", "replace")


def document(report: Report) -> dict[str, Any]:
    """Return the PolicyReport; that of a diff has no result, since it judges nothing."""
    report = harmless_report(report)
    results = [*_verdict(report), *(_result(f, report) for f in view.sections(report.findings).all)]
    counts = Counter(result["result"] for result in results)
    return {
        "apiVersion": API_VERSION,
        "kind": "PolicyReport",
        "metadata": {
            "name": _name(report),
            "labels": {"app.kubernetes.io/managed-by": "upgrade-gate"},
            "annotations": _annotations(report),
        },
        "summary": {result: counts[result] for result in ("pass", "fail", "warn", "error", "skip")},
        "results": results,
    }


def _name(report: Report) -> str:
    """Return a name that is one for each target release: a DNS label, `upgrade-gate-4-19-2`."""
    to = report.hops[-1].to
    said = re.sub(r"[^a-z0-9]+", "-", to.version.lower()).strip("-")
    name = f"upgrade-gate-{said}" if said else "upgrade-gate-unread"
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST_NAME - 9].rstrip('-')}-{digest}"


def _annotations(report: Report) -> dict[str, str]:
    """Return what the run was about; a policy compares the digest with that of the release it wants."""
    verdict, last = report.verdict, report.hops[-1].to
    known = {
        "verdict": verdict.status if verdict else "none",
        "basis": verdict.basis if verdict else "",
        "path": view.path_of(report),
        "from": report.hops[0].from_.version,
        "to": last.version,
        "digest": last.digest or "",
        "cluster-id": (report.cluster.id or "") if report.cluster else "",
        "cluster": (report.cluster.name or "") if report.cluster else "",
        "facts": view.facts_read(report.cluster),
        "proof": "; ".join(evidence.proof_lines(report)),
        "tables": evidence.tables_line(report),
        "generated": report.generated,
    }
    said = {f"{_PREFIX}/{key}": value for key, value in known.items() if value}
    labels = ", ".join(f"{key}={value}" for key, value in sorted(report.labels.items()))
    return said | ({f"{_PREFIX}/labels": labels} if labels else {})


def _verdict(report: Report) -> Iterator[dict[str, Any]]:
    verdict = report.verdict
    if verdict is None:
        return
    yield {
        "policy": "upgrade-gate",
        "rule": "verdict",
        "category": "verdict",
        "result": _VERDICTS[verdict.status],
        "scored": True,
        "message": f"{view.state_of(report)} {view.sentence(report)}",
        **_common(report),
        "properties": {
            "exit-code": str(verdict.exit_code),
            "next": closing.next_in_one_line(report),
            **({"rollback": " ".join(lines)} if (lines := view.rollback_lines(report)) else {}),
        },
    }


def _result(finding: FindingView, report: Report) -> dict[str, Any]:
    result = _RESULTS[view.stance(finding, report)]
    entry: dict[str, Any] = {
        "policy": "upgrade-gate",
        "rule": finding.rule,
        "category": finding.severity,
        "result": result,
        "scored": result in {"fail", "error"},
        "message": _plain.standing(finding),
        **_common(report),
    }
    if finding.severity in _SEVERITIES:
        entry["severity"] = _SEVERITIES[finding.severity]
    if finding.secret and (finding.secret.count("/") == 1):
        namespace, _, name = finding.secret.partition("/")
        entry["resources"] = [{"apiVersion": "v1", "kind": "Secret", "namespace": namespace, "name": name}]
    entry["properties"] = {
        "fingerprint": finding.fingerprint,
        "status": finding.status,
        "details": "\n".join(_plain.describe(finding)),
        **({"request": finding.request} if finding.request else {}),
        **({"openshift": ", ".join(view.guard_line(finding))} if finding.guard else {}),
    }
    return entry


def _common(report: Report) -> dict[str, Any]:
    return {"source": "upgrade-gate", "timestamp": {"seconds": _seconds(report.generated), "nanos": 0}}


def _seconds(generated: str) -> int:
    try:
        return int(datetime.fromisoformat(generated).timestamp())
    except ValueError:
        return 0

"""What turns a verdict into a pass: all that its open findings ask for, counted by kind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from upgrade_gate.report import view

if TYPE_CHECKING:
    from upgrade_gate.report.document import Report


def asked(report: Report) -> str:
    """Return what is to be done, as one sentence in the order in which it is done; empty where no finding tells."""
    needed: Counter[str] = Counter()
    decisions: list[str] = []
    for finding in report.findings:
        if finding.status == "open" and finding.severity in {"blocker", "unknown"}:
            for need in finding.needs:
                if need.status in {"met", "declared"}:
                    continue
                needed.update([need.kind])
                if need.kind == "grants":
                    needed.update(f"grants-{view.state_of_grant(finding, g)}" for g in view.asked(finding))
                elif need.kind == "decision":
                    decisions.append(view.need_detail(need))
            if finding.rule == "cco-not-upgradeable":
                argv = {word for step in finding.remedy for word in step.argv}
                needed["annotation" if "annotate" in argv else "awaited" if "wait" in argv else "refusal"] += 1
            needed["fact"] += finding.rule == "fact-unknown"
    decide = decisions[0].replace("{", "{{").replace("}", "}}") if len(decisions) == 1 else ""
    words = (
        ("namespace", "create {}", "namespace"),
        ("grants-unmet", "grant {}", "permission"),
        ("grants-unknown", "grant {}, or show by an export of the identities that this is done", "permission"),
        ("trust", "let {} trust the cluster", "identity"),
        ("secret", "put {} in place", "Secret"),
        ("keys", "complete {}", "Secret"),
        ("token-path", "set the token path of {}", "Secret"),
        ("decision", decide or "decide on {}", "finding"),
        ("fact", "make {} readable", "fact"),
        ("refusal", "end what CCO gives as its reason", ""),
        ("annotation", "set the annotation", ""),
        ("awaited", "wait until CCO has noticed the annotation", ""),
    )
    plural = {"identity": "identities"}
    said = [
        text.format(view.counted(needed[kind], noun, plural.get(noun))) for kind, text, noun in words if needed[kind]
    ]
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else ""

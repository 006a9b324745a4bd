"""The cluster's context changes nothing on Azure: scopes are what they were, conditions stay undecided."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from upgrade_gate.entitlements import judge

if TYPE_CHECKING:
    from pathlib import Path


def test_every_shared_case(shared: Path) -> None:
    wrong = []
    cases = json.loads((shared / "cases" / "context" / "azure.json").read_text())["cases"]
    for case in cases:
        who = case["identity"]
        arguments = (list(case["export"].values()), who.get("client_id") or f"principal:{who['principal_id']}")
        found = [
            judge(
                "Azure",
                *arguments,
                case["required"],
                account=case["subscription"],
                scopes=tuple(case["needed_scopes"]),
                context=context,
                assume=tuple(case["assume"]),
            )
            for context in (case["context"], None)
        ]
        if found[0].verdict not in (case.get("accept") or [case["expect"]]) or found[0] != found[1]:
            wrong.append(f"{case['id']}: {found}, want {case['expect']}")
    assert cases
    assert not wrong, "\n".join(wrong)

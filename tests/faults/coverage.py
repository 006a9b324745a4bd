"""Single faults in exports, judged grant by grant: what is not covered must never become so by a fault.

The cases of `cases/context` name one grant, one identity and one limit each, so that a limit that reads as nothing
shows. A judgement takes a thousandth of a check, so every node can have every fault.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from tests.faults import kinds
from tests.faults.walk import Fault
from upgrade_gate.entitlements import Coverage, judge

Judge: TypeAlias = Callable[[list[Any]], Coverage]
PROVIDERS = {"aws": "AWS", "azure": "Azure", "gcp": "GCP", "ibm": "IBMCloud"}


def cases(shared: Path) -> Iterator[tuple[str, list[Any], Judge]]:
    """Yield every case: its name, the documents of its export, and what judges its grant on them."""
    for cloud in PROVIDERS:
        for case in json.loads((shared / "cases" / "context" / f"{cloud}.json").read_text())["cases"]:
            yield f"context/{cloud}/{case['id']}", _documents(cloud, case), _judge(cloud, case)


def not_covered(shared: Path) -> Iterator[tuple[str, list[Any], Judge]]:
    """Yield the cases whose grant is not covered as they stand."""
    yield from ((name, documents, judged) for name, documents, judged in cases(shared) if not _is(judged, documents))


def _is(judged: Judge, documents: list[Any]) -> bool:
    return judged(documents) is Coverage.COVERED


def faults(name: str, documents: list[Any]) -> Iterator[Fault]:
    """Yield every fault of a case's documents; they are not files, and each of them stays where it is."""
    for path, value in kinds.nodes(documents):
        for kind in kinds.of_node(path[-1], value):
            if not kind.startswith("key-twice"):  # only a file can have that
                yield Fault(name, "export", f"export of {name.split('/')[1]}", kind, path)


def covered(documents: list[Any], fault: Fault, judged: Judge) -> bool:
    """Return whether the grant is covered once the documents have this fault."""
    return _is(judged, kinds.spoil(documents, fault.path, fault.kind))


def _documents(cloud: str, case: Any) -> list[Any]:
    if cloud == "aws":
        return [case["export"], *case.get("organization_policies", ())]
    parts = case["export"].items()
    return [one for key, part in parts for one in (part if cloud == "gcp" and key == "roles" else [part])]


def _judge(cloud: str, case: Any) -> Judge:
    who, required = case["identity"], case["required"]
    match cloud:
        case "aws":
            names: Any = who["arn"], case["account"], ()
            required = {"permission": required["action"], **required}
        case "azure":
            identity = who.get("client_id") or f"principal:{who['principal_id']}"
            names = identity, case["subscription"], tuple(case["needed_scopes"])
        case "gcp":
            names = who["service_account"], case["project"], ()
        case _:
            names = who["iam_id"], case["account"], (case["resource_group_id"],)
    identity, account, scopes = names

    def judged(documents: list[Any]) -> Coverage:
        return judge(
            PROVIDERS[cloud],
            documents,
            identity,
            required,
            account=account,
            scopes=scopes,
            context=case["context"],
            assume=tuple(case["assume"]),
        ).verdict

    return judged

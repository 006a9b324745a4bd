"""The dated table of requests that releases dropped without deleting them, from the history of their repositories.

usage: python -m tests.generators.retirements HISTORY.json
"""

import json
import sys
from pathlib import Path
from typing import Any

import upgrade_gate
from upgrade_gate.base.platforms import platform_of_kind

TABLE = Path(upgrade_gate.__file__).parent / "data" / "retirements.json"
_FIRST = (4, 6)
"""No history before this release tells every removal."""


def retirements(history: dict[str, Any]) -> dict[str, Any]:
    """Return the table; a removal on a release branch names the first patch release that can have it."""
    names, branches = history["request_event_names"], history["branches"]
    fields = history["commit_fields"]
    found: dict[str, dict[str, set[str]]] = {}
    for event, request, commit, _ in history["request_events"]:
        if names[event] != "request-removed":
            continue
        kind, name = history["requests"][request]
        change = dict(zip(fields, history["commits"][commit], strict=True))
        branch = branches[change["branch"]]
        if platform_of_kind(kind) is None or tuple(map(int, branch.split("."))) < _FIRST:
            continue
        first = f"{branch}.0" if change["line"] == "main" else change["not_before"]
        found.setdefault(kind, {}).setdefault(name, set()).add(first)
    return {
        "date": history["made"],
        "source": "git history of the repositories whose manifests carry CredentialsRequests",
        "retired": {
            kind: {name: sorted(firsts, key=_key) for name, firsts in sorted(of_kind.items())}
            for kind, of_kind in sorted(found.items())
        },
    }


def _key(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def text(table: dict[str, Any]) -> str:
    """Return the table as it is kept."""
    return json.dumps(table, indent=1) + "\n"


if __name__ == "__main__":
    TABLE.write_text(text(retirements(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))), encoding="utf-8")

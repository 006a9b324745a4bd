"""The table of when and by what each requirement came, from the history of the repositories that hold them.

`make tables` writes it where the shared corpus is (UPGRADE_GATE_SHARED).
"""

import json
import os
from pathlib import Path
from typing import Any

import upgrade_gate

TABLE = Path(upgrade_gate.__file__).parent / "data" / "history.json"
FACTS = "facts/history.json"
WHOLE_FROM = "4.6"
"""The first branch of which the facts hold what was made on it alone."""


def history(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the table: the facts without what no question needs, and with every request in one list."""
    requests = [list(one) for one in facts["requests"]]
    events = []
    for name, request, commit, details in facts["request_events"]:
        place = request if isinstance(request, int) else _place(requests, request)
        kept = {key: value for key, value in details.items() if key != "annotations"}
        if "was" in kept:
            kept["was"] = requests[kept["was"]][1]
        events.append([facts["request_event_names"][name], place, commit, kept])
    newest = [max(day for _, day in branches.values()) for branches in facts["snapshots"].values()]
    return {
        "date": facts["made"],
        "known_until": min(newest),
        "released_until": list(facts["general_availability"])[-1],
        "source": f"git history of the {len(facts['repositories'])} repositories whose manifests carry "
        f"CredentialsRequests, read up to {min(newest)} and {max(newest)}",
        "branches": facts["branches"],
        "whole_from": WHOLE_FROM,
        "repositories": facts["repositories"],
        "platforms": facts["providers"],
        "commits": facts["commits"],
        "requests": requests,
        "grants": facts["grants"],
        "rows": facts["history"],
        "request_events": events,
    }


def _place(requests: list[list[str | None]], name: str) -> int:
    """Return the place of a request that only a delete manifest names: it has a name and no provider."""
    if [None, name] not in requests:
        requests.append([None, name])
    return requests.index([None, name])


def text(table: dict[str, Any]) -> str:
    """Return the table as it is kept: a line for each entry of a list of lists."""
    parts = []
    for key, value in table.items():
        if isinstance(value, list) and isinstance(value[0], list):
            lines = ",\n".join(_compact(entry) for entry in value)
            parts.append(f'"{key}":[\n{lines}]')
        else:
            parts.append(f'"{key}":{_compact(value)}')
    return "{" + ",\n".join(parts) + "}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write() -> None:
    """Write the table; without the corpus it stays as it is."""
    shared = os.environ.get("UPGRADE_GATE_SHARED")
    if shared:
        facts = json.loads(Path(shared, FACTS).read_text(encoding="utf-8"))
        TABLE.write_text(text(history(facts)), encoding="utf-8")


if __name__ == "__main__":
    write()

"""Where in a policy document a permission stands, and what is to be added to it: nothing that stands there changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.aws.remedy_documents import statements
from upgrade_gate.clouds.contract.declared import Addition
from upgrade_gate.clouds.contract.grants import canonical
from upgrade_gate.clouds.shared.patterns import Patterns, covered
from upgrade_gate.reading.node import strings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from upgrade_gate.clouds.contract.declared import Path
    from upgrade_gate.clouds.contract.grants import Grant

_KNOWN = frozenset({"Sid", "Effect", "Action", "Resource", "Condition"})
"""Elements of a statement to which an action can be added: one with exceptions grants by what it leaves out."""


def where(body: Any, grant: Grant) -> Path:
    """Return the place of the action that gives or denies a grant, else of the list that it belongs in."""
    action = grant.permission.casefold()
    for path, entry in _listed(body):
        for key in ("Action", "NotAction"):
            given = entry.get(key)
            for number, pattern in enumerate(given if isinstance(given, list) else [given]):
                if isinstance(pattern, str) and covered(action, (Patterns((pattern.casefold(),)),)):
                    return (*path, key, number) if isinstance(given, list) else (*path, key)
    (added, *_) = additions(body, [grant])
    return added.path


def additions(body: Any, grants: Sequence[Grant]) -> tuple[Addition, ...]:
    """Return what gives these grants: an action more in a statement that says the same of it, else a statement more.

    Of several statements that would do, one that has actions of the same service is taken.
    """
    lists: dict[Path, list[str]] = {}
    rest: list[Grant] = []
    for grant in sorted(grants, key=lambda g: (g.permission.casefold(), g.canonical)):
        fitting = [(path, entry) for path, entry in _listed(body) if _says_the_same(entry, grant)]
        service = f"{grant.permission.casefold().partition(':')[0]}:"
        alike = [p for p, e in fitting if any(a.casefold().startswith(service) for a in strings(e["Action"]))]
        if fitting:
            lists.setdefault((*(alike or [fitting[-1][0]])[0], "Action"), []).append(grant.permission)
        else:
            rest.append(grant)
    found = [Addition(path, tuple(dict.fromkeys(names))) for path, names in lists.items()]
    if rest:
        found.append(Addition(("Statement",), tuple(statements(rest))))
    return tuple(found)


def _listed(body: Any) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield each statement with its place."""
    given = body.get("Statement") if isinstance(body, Mapping) else None
    if isinstance(given, Mapping):
        yield ("Statement",), given
    for number, entry in enumerate(given if isinstance(given, list) else ()):
        if isinstance(entry, Mapping):
            yield ("Statement", number), entry


def _says_the_same(entry: Mapping[str, Any], grant: Grant) -> bool:
    """Return whether an action that is added to a statement is granted as the request asks for it, and no wider."""
    actions, resource = entry.get("Action"), entry.get("Resource")
    plain = isinstance(actions, str) or (isinstance(actions, list) and all(isinstance(a, str) for a in actions))
    return (
        set(entry) <= _KNOWN
        and entry.get("Effect") == "Allow"
        and bool(actions)
        and plain
        and resource in (grant.resource or "*", [grant.resource or "*"])
        and canonical(entry.get("Condition") or {}) == canonical(grant.condition or {})
    )

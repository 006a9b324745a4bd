"""AWS policy documents: statements from grants, sizes as IAM counts them, and merging without losing anything."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.contract.grants import canonical
from upgrade_gate.clouds.shared.patterns import less
from upgrade_gate.reading.node import readable_strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.clouds.contract.remedy import Subject

MANAGED_LIMIT = 6_144
"""Characters of one managed policy, white space not counted (IAM quotas)."""

VERSION = "2012-10-17"
_WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"


def statements(grants: Iterable[Grant]) -> list[dict[str, Any]]:
    """Return statements for grants, one per effect, resource and condition, actions sorted."""
    groups: dict[tuple[str, str, str], list[Grant]] = {}
    for grant in grants:
        key = (grant.effect or "Allow", grant.resource or "*", canonical(grant.condition or {}))
        groups.setdefault(key, []).append(grant)
    found = []
    for (effect, resource, _), members in sorted(groups.items()):
        entry: dict[str, Any] = {
            "Effect": effect,
            "Action": sorted({g.permission for g in members}, key=lambda a: (a.casefold(), a)),
            "Resource": resource,
        }
        if members[0].condition:
            entry["Condition"] = copy.deepcopy(members[0].condition)
        found.append(entry)
    return found


def document(grants: Iterable[Grant]) -> dict[str, Any]:
    """Return a policy document for grants."""
    return {"Version": VERSION, "Statement": statements(grants)}


def size(body: Mapping[str, Any]) -> int:
    """Return the characters of a document as IAM counts them."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str)
    return sum(not c.isspace() for c in text)


def split(grants: Sequence[Grant], limit: int) -> list[dict[str, Any]]:
    """Return documents that hold all grants, each within the limit, as few as filling them in order gives."""
    documents: list[dict[str, Any]] = []
    held: list[Grant] = []
    for grant in sorted(grants, key=lambda g: (g.effect or "", g.resource or "", canonical(g.condition), g.permission)):
        if held and size(document([*held, grant])) > limit:
            documents.append(document(held))
            held = []
        held.append(grant)
    return [*documents, document(held)] if held else documents


def added(body: Mapping[str, Any], grants: Iterable[Grant]) -> dict[str, Any]:
    """Return an existing document with further grants; every statement that stands there stays as it is."""
    merged = copy.deepcopy(dict(body))
    merged.setdefault("Version", VERSION)
    merged["Statement"] = [*_listed(merged.get("Statement")), *statements(grants)]
    return merged


def without(body: Mapping[str, Any], gone: Iterable[Grant], needed: Iterable[Grant]) -> dict[str, Any]:
    """Return a document without the allowed actions that nothing needs; whatever else it holds stays.

    What of such an action is needed takes its place, on the same resources and under the same condition.
    """
    names = [g.permission for g in gone if g.allows]
    wanted = [g.permission for g in needed if g.allows]
    kept = []
    for entry in _listed(body.get("Statement")):
        statement = dict(entry)
        actions = statement.get("Action")
        if statement.get("Effect") == "Allow" and actions is not None:
            listed = [actions] if isinstance(actions, str) else [str(a) for a in actions]
            left = less(listed, names, wanted)
            if not left:
                continue
            if left != listed:
                statement["Action"] = left
        kept.append(statement)
    return {**body, "Statement": kept}


def trust(provider: str, issuer: str, subjects: Iterable[Subject]) -> dict[str, Any]:
    """Return a trust policy as ccoctl writes it: one statement, one condition on the token's subject."""
    return {"Version": VERSION, "Statement": [_trusting(provider, issuer, [str(s) for s in subjects])]}


def _trusting(provider: str, issuer: str, subjects: Sequence[str]) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": _WEB_IDENTITY,
        "Condition": {"StringEquals": {f"{issuer}:sub": list(subjects)}},
    }


def trust_with(body: Mapping[str, Any], provider: str, issuer: str, subjects: Iterable[Subject]) -> dict[str, Any]:
    """Return an existing trust policy with further subjects: in ccoctl's statement if it is there, else beside it."""
    merged = copy.deepcopy(dict(body))
    listed = _listed(merged.get("Statement"))
    wanted = [str(s) for s in subjects]
    for entry in listed:
        held = _subjects_of(entry, provider, issuer)
        if held is not None:
            entry["Condition"]["StringEquals"][f"{issuer}:sub"] = [*held, *(s for s in wanted if s not in held)]
            break
    else:
        listed.append(_trusting(provider, issuer, wanted))
    merged["Statement"] = listed
    return merged


def _subjects_of(entry: Mapping[str, Any], provider: str, issuer: str) -> list[str] | None:
    """Return the subjects of a statement that trusts this provider by subject alone, None for any other statement."""
    condition = entry.get("Condition")
    key = f"{issuer}:sub"
    if (
        entry.get("Effect") != "Allow"
        or entry.get("Action") not in (_WEB_IDENTITY, [_WEB_IDENTITY])
        or entry.get("Principal") not in ({"Federated": provider}, {"Federated": [provider]})
        or not isinstance(condition, dict)
        or set(condition) != {"StringEquals"}
        or not isinstance(condition["StringEquals"], dict)
        or set(condition["StringEquals"]) != {key}
    ):
        return None
    held = readable_strings(condition["StringEquals"][key])
    return None if held is None else list(held)


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [value]
    return list(value) if isinstance(value, (list, tuple)) else []

"""Policy documents of which a part is open: the least and the most that they may say.

At their least they allow only what is certain and deny all that is possible, at their most the other way round: where
both give one answer, that is the answer, whatever the open part turns out to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.aws.policies import decode
from upgrade_gate.clouds.contract.declared import Open, Part
from upgrade_gate.clouds.shared.placeholders import opened
from upgrade_gate.reading.node import mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

    from upgrade_gate.clouds.contract.declared import Path

_PRINCIPALS = {"Principal", "NotPrincipal"}
"""Whom a statement in the policy of a resource is about; one of an identity is about that identity."""
_LISTS = (("Action", "NotAction"), ("Resource", "NotResource"))


def policy(name: str, document: Any, path: Path) -> Part:
    """Return a policy document as a part; where something in it is open, as the least and the most that it may be."""
    body = opened(decode(document) or document)
    found = tuple(dict.fromkeys(open_in(body)))
    if not found:
        return Part(name, document, document, path)
    least, most = _bounds(body)
    return Part(name, least, most, path, found)


def certain_only(part: Part, why: str) -> Part:
    """Return a part that may not be there at all: what it denies counts, what it allows is open."""
    least = _denying(part.least)
    most = [s for s in _statements(part.most) if not isinstance(s, Mapping) or s.get("Effect") != "Deny"]
    return Part(part.name, _with(part.least, least), _with(part.most, most), part.path, (*part.opened, why))


def denials(part: Part) -> Part | None:
    """Return what a part may deny, without what it allows; None where it allows and nothing else."""
    least, most = _denying(part.least), _denying(part.most)
    return Part(part.name, _with(part.least, least), _with(part.most, most), part.path, part.opened) if least else None


def as_of_identity(statement: Any) -> Any:
    """Return a statement as one of an identity's policy: what is denied at a bucket or key may be denied to it there.

    A trust policy names no resource: it is about its own role.
    """
    if not isinstance(statement, Mapping) or not _PRINCIPALS & statement.keys():
        return statement
    rest = {key: value for key, value in statement.items() if key not in _PRINCIPALS}
    return rest if "NotResource" in rest else {"Resource": "*", **rest}


def of_anybody(part: Part) -> Part:
    """Return a part of a document that says of no identity that it is its, with its statements as an identity's."""
    least, most = ([as_of_identity(one) for one in _statements(body)] for body in (part.least, part.most))
    return Part(part.name, _with(part.least, least), _with(part.most, most), part.path, part.opened)


def perhaps_denying(part: Part, why: str) -> Part | None:
    """Return what a part denies if it is there, which is not certain; None where it allows and nothing else."""
    found = denials(part)
    return Part(found.name, found.least, _with(found.most, []), found.path, (why, *found.opened)) if found else None


def _denying(body: Any) -> list[Any]:
    return [s for s in _statements(body) if not isinstance(s, Mapping) or s.get("Effect") != "Allow"]


def open_in(value: Any) -> Iterator[str]:
    """Yield what is open in a value, in words."""
    match value:
        case Open(text=found):
            yield found
        case Mapping():
            for one in value.values():
                yield from open_in(one)
        case list():
            for one in value:
                yield from open_in(one)


def _bounds(body: Any) -> tuple[Any, Any]:
    if not isinstance(body, Mapping) or isinstance(body.get("Version"), Open):  # which says what a variable is
        return {"Statement": [_all("Deny")]}, {"Statement": [_all("Allow")]}
    least: list[Any] = []
    most: list[Any] = []
    for entry in _statements(body):
        narrow, wide = _narrow(entry), _wide(entry)
        effect = entry.get("Effect") if isinstance(entry, Mapping) else entry
        if isinstance(effect, Open):
            least += [{**wide, "Effect": "Deny"}]
            most += [{**wide, "Effect": "Allow"}]
        elif effect == "Deny":
            least += [wide]
            most += narrow
        else:
            least += narrow
            most += [wide]
    return _with(body, least), _with(body, most)


def _statements(body: Any) -> list[Any]:
    listed = mapping(decode(body)).get("Statement")
    return list(listed) if isinstance(listed, list) else [listed]


def _with(body: Any, statements: list[Any]) -> dict[str, Any]:
    """Return a document with other statements: its version says what a variable in them is."""
    return {**mapping(decode(body)), "Statement": statements}


def _all(effect: str) -> dict[str, Any]:
    return {"Effect": effect, "Action": "*", "Resource": "*"}


def _narrow(entry: Any) -> list[Any]:
    """Return a statement with only what is certain to be in it, none where that is nothing."""
    if isinstance(entry, Open):
        return []
    if not isinstance(entry, Mapping):
        return [entry]  # what is not understood stays for the judge to say so
    kept = dict(entry)
    for plain, negated in _LISTS:
        if any(open_in(entry.get(negated))):
            return []
        if any(open_in(entry.get(plain))):
            value = entry[plain]
            kept[plain] = [one for one in value if not isinstance(one, Open)] if isinstance(value, list) else []
            if not kept[plain]:
                return []
    others = (value for key, value in entry.items() if key not in ("Sid", "Effect", *sum(_LISTS, ())))
    return [] if any(text for value in others for text in open_in(value)) else [_without_sid(kept)]


def _wide(entry: Any) -> dict[str, Any]:
    """Return a statement with all that may be in it."""
    if not isinstance(entry, Mapping):
        return _all("Allow")
    kept = {key: value for key, value in entry.items() if not any(open_in(value))}
    for plain, negated in _LISTS:
        if any(key in entry and key not in kept for key in (plain, negated)):
            kept[plain] = "*"
    return kept


def _without_sid(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if not isinstance(value, Open)}

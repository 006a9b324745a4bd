"""Whether Azure role assignments, less deny assignments, cover an operation or a whole role at a scope.

Rules: docs/facts/azure.md#coverage. The effective set of one permissions object is its actions without its
notActions; objects, roles and assignments are united, so a second role gives back what the first one excepts. Control
and data plane are two sets that never mix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct, field

from upgrade_gate.clouds.azure.roles import Role
from upgrade_gate.clouds.azure.scopes import Needed, Reach, is_at, reach
from upgrade_gate.clouds.azure.shapes import Assignment, Deny, Permissions
from upgrade_gate.clouds.contract.holdings import WORST_FIRST, Coverage, CoverageResult, unknown
from upgrade_gate.clouds.shared.patterns import Patterns, covered, matches, overlapping

_MEMBERS = "az rest --url https://graph.microsoft.com/v1.0/groups/ID?$expand=members"

Plane: TypeAlias = Callable[[Permissions], Patterns]


class Want(Struct, frozen=True):
    """What must be allowed, on one plane: operations without exceptions, or a role's with them."""

    spelt: str
    part: Patterns
    plane: Plane
    on: str
    """`control plane` or `data plane`."""


PLANES = {"permission": "control plane", "dataPermission": "data plane"}


def want_of(spelt: str, part: Patterns, kind: str) -> Want:
    """Return what must be allowed for a grant of a type: it says on which plane."""
    plane = (lambda p: p.control) if kind == "permission" else (lambda p: p.data)
    return Want(spelt, part, plane, PLANES[kind])


class Held(Struct, frozen=True):
    """One assignment that may serve the principal, with the role it gives."""

    assignment: Assignment
    role: Role
    member: bool | None = True
    """Whether the principal is the assignee, or a member of it; None: a group whose members nobody exported."""


class _Source(Struct, frozen=True):
    """One permissions object of one assignment."""

    part: Patterns
    label: str
    condition: str = ""
    dated: str = ""


class _Sorted(Struct):
    """Assignments by what they can prove at one scope."""

    sure: list[_Source] = field(default_factory=list)
    conditional: list[_Source] = field(default_factory=list)
    inside: list[_Source] = field(default_factory=list)
    uncertain: list[_Source] = field(default_factory=list)
    by_group: list[_Source] = field(default_factory=list)
    elsewhere: list[_Source] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    """Roles without a definition that could cover all."""
    unseen_part: list[str] = field(default_factory=list)
    """Likewise, but a condition or a lower scope would make them NARROWER at best."""
    unseen_group: list[str] = field(default_factory=list)


def _sort(holdings: Iterable[Held], want: Want, needed: Needed) -> _Sorted:
    found = _Sorted()
    for held in holdings:
        where = reach(held.assignment.scope, needed)
        if not held.role.whole and where is not Reach.NONE:
            _unseen(found, held, where).append(f"{held.role.why}; it is assigned as {held.assignment.label}")
        for one in held.role.permissions:
            condition = held.assignment.condition or one.condition
            source = _Source(want.plane(one), _label(held), condition, held.role.dated)
            _bucket(found, where, held.member, condition).append(source)
    return found


def _unseen(found: _Sorted, held: Held, where: Reach) -> list[str]:
    if held.member is None:
        return found.unseen_group
    return found.unseen_part if held.assignment.condition or where is Reach.PART else found.unseen


def _label(held: Held) -> str:
    label = held.assignment.label
    if held.role.name and held.assignment.role_name != held.role.name:
        label = label.replace(held.assignment.role_name or held.assignment.role, held.role.name, 1)
    return f"group {held.assignment.principal}: {label}" if held.member is None else label


def _bucket(found: _Sorted, where: Reach, member: bool | None, condition: str) -> list[_Source]:
    if where is Reach.NONE:
        return found.elsewhere
    if member is None:
        return found.by_group
    if where is Reach.UNCERTAIN:
        return found.uncertain
    if where is Reach.PART:
        return found.inside
    return found.conditional if condition else found.sure


def at_scope(
    want: Want, holdings: Sequence[Held], denies: Sequence[tuple[Deny, bool | None]], needed: Needed
) -> CoverageResult:
    """Decide one want at one scope. `denies` carries whether each applies to the principal (None: not known)."""
    found = _sort(holdings, want, needed)
    forbidden = denied(want, denies, needed)
    if forbidden is not None and forbidden.verdict is Coverage.DENIED:
        return forbidden
    allowed = _allowed(want, found, needed)
    if forbidden is not None and allowed.verdict is Coverage.COVERED:
        return forbidden
    return allowed


def _parts(sources: Iterable[_Source]) -> list[Patterns]:
    return [s.part for s in sources]


def _covers(want: Want, sources: Sequence[_Source]) -> bool:
    """Return whether the union contains the want; what the want itself excepts needs no cover."""
    parts = _parts(sources)
    if want.part.excepts:
        parts.append(Patterns(want.part.excepts))
    return bool(parts) and all(covered(allow, parts, single=False) for allow in want.part.allows)


def _touching(want: Want, sources: Iterable[_Source]) -> Iterator[_Source]:
    """Yield the sources that allow some of the want, in order."""
    for source in sources:
        less = Patterns(source.part.allows, source.part.excepts + want.part.excepts)
        if any(overlapping(allow, [less], single=False) for allow in want.part.allows):
            yield source


def _allowed(want: Want, found: _Sorted, needed: Needed) -> CoverageResult:
    sure = found.sure
    if _covers(want, sure):
        return _covered_by(want, sure, needed)
    if found.unseen:
        return unknown(found.unseen[0])
    if _covers(want, [*sure, *found.uncertain]):
        label = next(_touching(want, found.uncertain)).label
        return unknown(f"{label}: cannot tell whether that is {needed.spelt}")
    narrower = _narrower(want, found, needed)
    if narrower is not None:
        return narrower
    if found.unseen_part:
        return unknown(found.unseen_part[0])
    return _by_group(want, found) or CoverageResult(Coverage.MISSING, _why_missing(want, found, needed))


def _covered_by(want: Want, sure: Sequence[_Source], needed: Needed) -> CoverageResult:
    single = next((s for s in sure if _covers(want, [s])), None)
    used = [single] if single else list(_touching(want, sure))
    labels = " and ".join(dict.fromkeys(s.label for s in used))
    dates = sorted({s.dated for s in used if s.dated})
    caveats = tuple(by_table(date) for date in dates)
    where = f" and reaches {needed.spelt}" if needed.known else ""
    return CoverageResult(Coverage.COVERED, f"{labels} allows {want.spelt}{where}", caveats)


def by_table(date: str) -> str:
    """Return the caveat that a built-in role was judged by our own table."""
    return f"definition of the built-in role as of {date}"


def _narrower(want: Want, found: _Sorted, needed: Needed) -> CoverageResult | None:
    if _covers(want, [*found.sure, *found.conditional]):
        conditional = next(_touching(want, found.conditional))
        reason = f"{conditional.label} allows it under a condition: {conditional.condition}"
        return CoverageResult(Coverage.NARROWER, reason)
    part = f"allows only a part of {want.spelt}"
    kinds = (
        (found.sure, part),
        (found.conditional, f"{part} under a condition"),
        (found.inside, f"reaches only a part of {needed.spelt}"),
        (found.uncertain, part),
    )
    for sources, why in kinds:
        source = next(_touching(want, sources), None)
        if source is not None:
            return CoverageResult(Coverage.NARROWER, f"{source.label} {why}{_detail(want, source)}")
    return None


def _by_group(want: Want, found: _Sorted) -> CoverageResult | None:
    source = next(_touching(want, found.by_group), None)
    if source is not None:
        why = "whether the principal is a member is not in the export"
        return unknown(f"{source.label} allows it to a group: {why} ({_MEMBERS})")
    if found.unseen_group:
        return unknown(f"a group may hold it: {found.unseen_group[0]}")
    return None


def _detail(want: Want, source: _Source) -> str:
    if source.condition:
        return f": {source.condition}"
    added = [e for e in source.part.excepts if e not in want.part.excepts]
    hit = next((e for e in added if any(_meet(e, allow) for allow in want.part.allows)), None)
    return f": it excepts {hit}" if hit else ""


def _meet(pattern: str, other: str) -> bool:
    return overlapping(other, [Patterns((pattern,))], single=False) is not None


def _why_missing(want: Want, found: _Sorted, needed: Needed) -> str:
    for source in (*found.sure, *found.conditional):
        hit = next((e for e in source.part.excepts if any(matches(e, a, single=False) for a in want.part.allows)), None)
        if hit and any(_meet(a, w) for a in source.part.allows for w in want.part.allows):
            return f"{source.label} excepts {want.spelt} by {hit}, and no other role gives it back"
    elsewhere = next(_touching(want, found.elsewhere), None)
    if elsewhere is not None:
        return f"{elsewhere.label} does not reach {needed.spelt}"
    roles = ", ".join(dict.fromkeys(s.label for s in (*found.sure, *found.conditional, *found.inside)))
    if roles:
        return f"no role allows {want.spelt} on the {want.on}: {roles}"
    return f"no role assignment of the principal reaches {needed.spelt}"


def denied(want: Want, denies: Sequence[tuple[Deny, bool | None]], needed: Needed) -> CoverageResult | None:
    """Return DENIED for a whole deny, NARROWER for a possible one, UNKNOWN where its members are not known."""
    whole: list[_Source] = []
    possible: CoverageResult | None = None
    for one, applies in denies:
        where = reach(one.scope, needed)
        if applies is False or where is Reach.NONE or (one.only_this_scope and not is_at(one.scope, needed)):
            continue
        sources = [_Source(want.plane(p), f"deny assignment {one.name}", one.condition) for p in one.permissions]
        if next(_touching(want, sources), None) is None:
            continue
        if any(not p.whole for p in one.permissions):
            reason = f"deny assignment {one.name} cannot be read as a whole"
            possible = unknown(reason)
            continue
        if applies is None:
            reason = f"deny assignment {one.name} names a group: whether the principal is in it is not in the export"
            possible = unknown(f"{reason} ({_MEMBERS})")
            continue
        if where is Reach.UNCERTAIN:
            possible = unknown(f"deny assignment {one.name} at {one.scope} may apply")
        elif where is Reach.PART or one.condition or any(p.condition for p in one.permissions):
            detail = f"under the condition {one.condition}" if one.condition else f"at {one.scope}"
            possible = possible or CoverageResult(
                Coverage.NARROWER, f"deny assignment {one.name} may forbid it {detail}"
            )
        elif one.only_this_scope:
            detail = f"on {one.scope} itself, not on what lies below"
            possible = possible or CoverageResult(Coverage.NARROWER, f"deny assignment {one.name} forbids it {detail}")
        else:
            whole += sources
    source = next(_touching(want, whole), None)
    if source is None:
        return possible
    if _covers(want, whole):
        return CoverageResult(Coverage.DENIED, f"{source.label} forbids {want.spelt}")
    return CoverageResult(Coverage.NARROWER, f"{source.label} forbids a part of {want.spelt}")


def worst(judgements: Sequence[CoverageResult]) -> CoverageResult:
    """Return the judgement of a whole from those of its parts (planes of a role, scopes).

    Held in one part and missing in another is NARROWER: allowed only for some resources.
    """
    verdicts = {j.verdict for j in judgements}
    if (
        Coverage.MISSING in verdicts
        and verdicts & {Coverage.COVERED, Coverage.NARROWER}
        and Coverage.DENIED not in verdicts
    ):
        missing = next(j for j in judgements if j.verdict is Coverage.MISSING)
        held = next(j for j in judgements if j.verdict is not Coverage.MISSING)
        return CoverageResult(
            Coverage.NARROWER,
            f"only in part: {missing.reason}; {held.reason}",
            partly_missing=verdicts == {Coverage.COVERED, Coverage.MISSING},
        )
    found = min(judgements, key=lambda j: WORST_FIRST.index(j.verdict))
    if found.verdict is not Coverage.COVERED:
        return found
    reasons = " and ".join(dict.fromkeys(j.reason for j in judgements))
    caveats = tuple(dict.fromkeys(c for j in judgements for c in j.caveats))
    return CoverageResult(Coverage.COVERED, reasons, caveats)

"""Decide a required action for the requests that one cluster can make, instead of for every request at all.

A required action on `*` stands for one request per resource type and region of call (`resources`, `request_keys`).
Statements are decided for each: Allows decided true must contain all ARNs of the type, and no Deny that is true or
undecided may touch any (IAM user guide, policy evaluation logic).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.clouds.aws.conditions import decide_condition
from upgrade_gate.clouds.aws.grants import EXPANSIONS
from upgrade_gate.clouds.aws.policies import Ruling, State, Statement, decide, widest
from upgrade_gate.clouds.aws.policies import denies as plainly_denies
from upgrade_gate.clouds.aws.request_keys import ASSUMED, Caller, RequestKeys, regions_called
from upgrade_gate.clouds.aws.resources import ResourceType, resource_types
from upgrade_gate.clouds.aws.variables import fill
from upgrade_gate.clouds.shared.conditions import shown
from upgrade_gate.clouds.shared.patterns import FIELD, LITERAL, SEGMENT, Patterns, covered, intersects, overlapping
from upgrade_gate.clouds.shared.three_values import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.clouds.aws.policies import Policy
    from upgrade_gate.clouds.contract.context import Context
    from upgrade_gate.clouds.contract.grants import Grant

_ASSUME_ROLE = "sts:assumerole"
_ARN_COLONS = 5
_SHARED = ("image", "snapshot")
"""Part of the name of each action of ec2 that is about what other accounts may own."""


class Request(Struct, frozen=True):
    """The requests of one resource type in one region."""

    action: str
    """Folded; a pattern where the reference does not say what it stands for."""
    resource: str
    """Pattern of the ARNs that are named."""
    keys: RequestKeys

    @property
    def shown(self) -> str:
        """The resource in words."""
        return self.resource.translate(dict.fromkeys(map(ord, (SEGMENT, FIELD, LITERAL["*"])), "*"))


def requests_for(grant: Grant, caller: Caller, context: Context) -> tuple[Request, ...]:
    """Return what the cluster can ask for by a required action."""
    folded = grant.permission.casefold()
    found: list[Request] = []
    for action in EXPANSIONS.get(folded, (folded,)):
        for called in regions_called(action, context):
            service = action.partition(":")[0].casefold()
            for resource, kind, owner in _resources(action.casefold(), grant.resource or "*", context):
                keys = RequestKeys(caller, context, service, called, kind, owner)
                found.append(Request(action.casefold(), resource, keys))
    return tuple(found)


def _resources(action: str, wanted: str, context: Context) -> Iterator[tuple[str, ResourceType | None, str | None]]:
    """Yield pattern, type and account of what an action is asked for."""
    types = resource_types(action)
    if action == _ASSUME_ROLE and wanted == "*":
        role = context.private_zone_role
        kind = types[0] if types else None
        yield (
            (role, kind, role.split(":")[4] if role.count(":") >= _ARN_COLONS else None) if role else ("*", kind, None)
        )
        return
    if types is None:
        yield wanted, None, None
        return
    if wanted == "*" and context.bucket is not None and (named := [t for t in types if t.of_buckets]):
        owner = context.account if context.bucket.own else None
        yield from ((kind.pattern(context), kind, owner) for kind in named)
        return
    fitting = [kind for kind in types if intersects(wanted, kind.pattern(context))]
    owner = None if _may_be_shared(action, types) else context.account
    for kind in fitting:
        yield kind.pattern(context) if wanted == "*" else wanted, kind, owner
    if not fitting:
        yield wanted, None, None


def _may_be_shared(action: str, types: Sequence[ResourceType]) -> bool:
    """Return whether images or snapshots of another account may take part."""
    return any(kind.of_any_account for kind in types) or any(word in action for word in _SHARED)


class _About(Struct, frozen=True):
    """What a statement is about in one request, its variables filled in."""

    certain: Patterns
    """Empty where not even a part of it is sure."""
    possible: Patterns
    open: tuple[str, ...] = ()
    rests_on: frozenset[str] = frozenset()


_NOTHING = Patterns(())


def _about(statement: Statement, keys: RequestKeys) -> _About:
    """Fill in the variables of a statement's resources.

    A variable stands for its value behind the fifth colon only; before it, the pattern matches nothing.
    """
    known: list[str] = []
    open_: list[str] = []
    waits: list[str] = []
    void: list[str] = []
    rests_on: frozenset[str] = frozenset()
    for pattern in statement.patterns:
        place = pattern.find("${")
        if place < 0:
            known.append(pattern)
        elif not statement.knows_variables:  # just text, which no name of a resource has
            known += () if statement.allow and not statement.negated else (pattern,)
        elif pattern.count(":", 0, place) >= _ARN_COLONS:
            text = fill(pattern, keys)
            rests_on |= text.rests_on
            waits += text.open
            (void if text.void else open_ if text.open else known).append(text.pattern)
        elif statement.negated:  # what a pattern that matches nothing excepts is better not relied on
            waits.append(f"{pattern} has a variable where none is allowed")
            open_.append(widest(pattern))
    if void and not known and not open_:
        return _About(_NOTHING, _NOTHING)
    if statement.negated:
        certain, possible = Patterns(("*",), (*known, *open_)), Patterns(("*",), tuple(known))
    else:
        certain, possible = Patterns(tuple(known)), Patterns((*(widest(p) for p in known), *open_))
    sure = not void and not waits  # a variable without a value makes IAM pass over the whole statement
    return _About(certain if sure else _NOTHING, possible, tuple(dict.fromkeys(waits)), rests_on)


class _Weighed(Struct, frozen=True):
    """What a statement about the action says for one request."""

    statement: Statement
    condition: Answer
    about: _About
    whole: bool
    """Whether it is about all of the action, where that is a pattern."""

    @property
    def sound(self) -> Patterns:
        """What it is surely about under a condition that surely holds; empty where that is nothing."""
        return self.about.certain if self.condition.true and self.whole else _NOTHING

    def touches(self, request: Request) -> bool:
        """Whether it may be about some of the requests."""
        return overlapping(request.resource, (self.about.possible,)) is not None

    def contains(self, request: Request) -> bool:
        """Whether it is surely about all of the requests."""
        return covered(request.resource, (self.sound,))


class _Found(Struct, frozen=True):
    """What all statements say together for one request."""

    request: Request
    allows: tuple[_Weighed, ...]
    """Those that may allow some of it."""
    denies: tuple[_Weighed, ...]
    allowed: bool
    denied: bool
    rests_on: frozenset[str]
    """What the statements that do not apply here rest on."""


class Question(Struct, frozen=True):
    """One required action, in the context of one cluster or of none."""

    grant: Grant
    requests: tuple[Request, ...] = ()
    """What the cluster can ask for by it; empty where no cluster is known, and only the letter counts."""

    def decide(self, policies: Iterable[Policy]) -> Ruling:
        """Decide it against policies that count together; what is decided without a context stays as it is."""
        policies = tuple(policies)
        plain = decide(policies, self.grant)
        if not self.requests or plain.state in (State.ALLOWED, State.DENIED):
            return plain
        found = [self._look(policies, request) for request in self.requests]
        if all(one.denied for one in found):
            return _denied(found)
        if all(one.allowed and not one.denies for one in found):
            return _allowed(found)
        if not any(one.allows for one in found):
            return self._nothing(plain)
        return self._partly(found)

    def denies(self, policies: Iterable[Policy]) -> Ruling | None:
        """Return the Deny that applies (DENIED) or may apply (PARTLY), None where none does."""
        if not self.requests:
            statements = [s for policy in policies for s in policy.statements]
            return plainly_denies(statements, self.grant.permission.casefold(), self.grant.resource or "*", self.grant)
        found = [self._look(policies, request) for request in self.requests]
        if all(one.denied for one in found):
            return _denied(found)
        denies = [one for one in found if one.denies]
        return _maybe_denied(denies[0]) if denies else None

    def _look(self, policies: Iterable[Policy], request: Request) -> _Found:
        allows: list[_Weighed] = []
        denies: list[_Weighed] = []
        passed: frozenset[str] = frozenset()
        for statement in (s for policy in policies for s in policy.statements):
            if overlapping(request.action, (statement.actions,)) is None:
                continue
            weighed = self._weigh(statement, request)
            if isinstance(weighed, Answer):
                passed |= weighed.rests_on
            elif weighed.touches(request):
                (allows if statement.allow else denies).append(weighed)
        return _Found(
            request,
            tuple(allows),
            tuple(denies),
            allowed=covered(request.resource, [w.sound for w in allows]),
            denied=covered(request.resource, [w.sound for w in denies]),
            rests_on=passed,
        )

    def _weigh(self, statement: Statement, request: Request) -> _Weighed | Answer:
        """Return what a statement says, or the answer by which it does not apply."""
        condition = decide_condition(
            statement.condition, request.keys, variables=statement.knows_variables, granted=self.grant.condition
        )
        if condition.false:
            return condition
        whole = covered(request.action, (statement.actions,))
        return _Weighed(statement, condition, _about(statement, request.keys), whole)

    def _partly(self, found: Sequence[_Found]) -> Ruling:
        """Say what stands in the way, and what would have to be known of the bucket that is used."""
        ruling = _partly(found)
        unread = self.requests[0].keys.context.unread.get("bucket")
        if unread is None or not any(one.keys.type is not None and one.keys.type.of_buckets for one in self.requests):
            return ruling
        return replace(ruling, reason=f"{ruling.reason}; which bucket is used is not known: {unread}")

    def _nothing(self, plain: Ruling) -> Ruling:
        """Say that nothing allows it, and which statement would have in another context."""
        if plain.state is State.NOT_ALLOWED:
            return plain
        region = self.requests[0].keys.called
        where = f" for region {region}" if region else ""
        return Ruling(State.NOT_ALLOWED, f"no statement allows {self.grant.permission}{where}; {plain.reason}")


def _denied(found: Sequence[_Found]) -> Ruling:
    one = next(w for f in found for w in f.denies if w.sound.allows)
    return Ruling(State.DENIED, f"{one.statement.label} denies it{_here(_resting(found, [one]))}")


def _allowed(found: Sequence[_Found]) -> Ruling:
    """Say which statements allow everything, and what that rests on."""
    used = _enough(found)
    rests_on = _resting(found, used)
    for one in found:
        if not covered("*", [w.sound for w in used]):
            rests_on |= _place(one)
    labels = list(dict.fromkeys(w.statement.label for w in used))
    verb = "allows it" if len(labels) == 1 else "allow it together"
    return Ruling(State.ALLOWED, f"{' and '.join(labels)} {verb}{_here(rests_on)}", rests_on=rests_on)


def _enough(found: Sequence[_Found]) -> list[_Weighed]:
    """Return one statement that allows every request alone, else what each of them needs."""
    for label in dict.fromkeys(w.statement.label for f in found for w in f.allows):
        own = [next((w for w in f.allows if w.statement.label == label and w.contains(f.request)), None) for f in found]
        whole = [w for w in own if w is not None]
        if len(whole) == len(own):
            return whole
    used: list[_Weighed] = []
    for one in found:
        single = next((w for w in one.allows if w.contains(one.request)), None)
        used += [single] if single else [w for w in one.allows if w.sound.allows]
    return used


def _resting(found: Sequence[_Found], used: Sequence[_Weighed]) -> frozenset[str]:
    """Return what an outcome rests on: the statements that make it, and those that do not apply here."""
    return frozenset().union(*(w.condition.rests_on | w.about.rests_on for w in used), *(f.rests_on for f in found))


def _place(one: _Found) -> frozenset[str]:
    """Return what a request's ARNs rest on."""
    kind, context = one.request.keys.type, one.request.keys.context
    template = kind.arn if kind else ""
    bucket = context.bucket.name if context.bucket is not None and kind is not None and kind.of_buckets else None
    return frozenset(
        f"{word} {value}"
        for word, value in (("region", context.region), ("account", context.account), ("bucket", bucket))
        if value is not None and (word == "bucket" or f"{{{word}}}" in template)
    )


def _here(rests_on: frozenset[str]) -> str:
    """Return in words where an outcome holds."""
    where = ", ".join(sorted(rests_on - {ASSUMED}, reverse=True))
    under = f" with {ASSUMED}" if ASSUMED in rests_on else ""
    return f"{under} for {where}" if where else under


def _partly(found: Sequence[_Found]) -> Ruling:
    """Say what stands in the way of the first request that is not surely allowed."""
    lacking = next((one for one in found if not one.allowed), None)
    if lacking is None:
        return _maybe_denied(next(one for one in found if one.denies))
    where = _what(lacking.request, found)
    if not lacking.allows:
        other = next(w for one in found for w in one.allows)
        reason = f"{other.statement.label} allows it only {_limits(other)}, and no statement {where}"
    else:
        first = min(lacking.allows, key=lambda w: (not w.sound.allows, bool(w.statement.condition)))
        waits = first.about.open or first.condition.open
        reason = f"{first.statement.label} allows it only {_limits(first)}{'' if waits else f', not {where}'}"
    return Ruling(State.PARTLY, reason)


def _what(request: Request, found: Sequence[_Found]) -> str:
    """Return in words what a request is for, as far as that tells it from the others."""
    kind, called = request.keys.type, request.keys.called
    named = f"for every {kind.name} {request.shown}" if kind is not None and kind.name else f"for {request.shown}"
    if len({one.request.keys.called for one in found}) == 1:
        return named
    return f"{named} when it is called in {called or 'another region'}"


def _limits(weighed: _Weighed) -> str:
    limits = [] if weighed.whole else ["in part"]
    if weighed.statement.shown != "*":
        limits.append(f"for {weighed.statement.shown}")
    if weighed.statement.condition:
        limits.append(f"under {shown(weighed.statement.condition)}")
    waits = (*weighed.condition.open, *weighed.about.open)
    return " and ".join(limits) + (f" ({'; '.join(dict.fromkeys(waits))})" if waits else "")


def _maybe_denied(one: _Found) -> Ruling:
    first = one.denies[0]
    return Ruling(State.PARTLY, f"{first.statement.label} denies it {_limits(first)}", maybe_denied=True)

"""AWS policy documents: what their statements allow and deny, decided for one required action.

Rules: the IAM user guide's evaluation logic (docs/facts/aws.md#coverage). Actions compare without case, resources with
case, `*` and `?` are the only wildcards, an explicit Deny wins, and what nothing allows is not allowed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from msgspec import Struct

from upgrade_gate.clouds.aws.actions import takes_no_resource
from upgrade_gate.clouds.aws.grants import EXPANSIONS, EXPANSIONS_DATED
from upgrade_gate.clouds.shared.conditions import condition_admits, condition_tests, conditions_exclude, shown
from upgrade_gate.clouds.shared.patterns import Patterns, covered, overlapping
from upgrade_gate.reading.node import one_or_more, readable_strings, strings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from upgrade_gate.clouds.contract.grants import Grant


_ELEMENTS = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"})
"""Elements of a statement in an identity policy; the grammar spells them with case."""
_OF_DOCUMENTS = frozenset({"Version", "Id", "Statement"})
_ARN_COLONS = 5
_WITH_VARIABLES = "2012-10-17"
_VERSIONS = ("2008-10-17", _WITH_VARIABLES)
"""The two versions of the grammar; a document that names none is of the first."""
_VARIABLE = re.compile(r"\$\{[^}]*\}?")


class State(IntEnum):
    """What a set of policies says about one action, ordered from the best."""

    ALLOWED = 0
    PARTLY = 1
    """For some resources, under a condition, or perhaps denied."""
    NOT_ALLOWED = 2
    DENIED = 3


class Ruling(Struct, frozen=True):
    """A state with the statement that decides."""

    state: State
    reason: str
    maybe_denied: bool = False
    """Whether a Deny that may apply is what makes it PARTLY: nothing unseen could mend that."""
    rests_on: frozenset[str] = frozenset()
    """What of the cluster's context it holds for, in words; empty where it holds everywhere."""


class Statement(Struct, frozen=True):
    """One statement of an identity policy."""

    allow: bool
    actions: Patterns
    """Folded patterns; a NotAction is everything except them."""
    named: tuple[str, ...]
    """The same as they are written, excepted ones too."""
    resources: Patterns
    """A NotResource is everything except them; patterns with a policy variable are left out of both."""
    touched: Patterns
    """The most that it may be about, whatever the variables stand for; IAM completes an ARN of few fields."""
    has_variables: bool
    """Whether a resource holds a policy variable (`${aws:username}`), whose value is not known here."""
    negated: bool
    """Whether it has a NotResource."""
    patterns: tuple[str, ...]
    """Resources as they are written."""
    shown: str
    """The same in words."""
    condition: Any
    knows_variables: bool
    """Whether the document's version has policy variables; in others they are just text."""
    label: str
    """`statement EBS of policy c1-ebs`, for reasons."""

    @property
    def opaque(self) -> bool:
        """Whether what it is about cannot be told: what a variable excepts is not known."""
        return self.has_variables and self.negated

    @property
    def unconditional(self) -> bool:
        """Whether it has no condition at all."""
        return condition_tests(self.condition) == ()


class Policy(Struct, frozen=True):
    """One policy document, taken apart."""

    name: str
    statements: tuple[Statement, ...] = ()
    problems: tuple[str, ...] = ()
    """What could not be understood; it may allow or deny anything."""


def decode(document: Any) -> Mapping[str, Any] | None:
    """Return a policy document given as object, JSON text, or percent-encoded JSON text; None for anything else.

    The wire form is percent-encoded, where `+` is a plus sign: `unquote`, never `unquote_plus`.
    """
    if isinstance(document, Mapping):
        return document
    if not isinstance(document, str):
        return None
    text = document.strip()
    try:
        body = json.loads(text if text.startswith("{") else unquote(text), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, Mapping) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose keys stand there once; raises ValueError where one would hide another."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears there twice")
    return found


def parse_policy(name: str, document: Any, *, principals: bool = False) -> Policy:
    """Take a policy document apart; what is not understood becomes a problem, never a grant.

    `principals` says that statements may name a Principal, as those of a resource control policy do.
    """
    body = decode(document)
    if body is None:
        return Policy(name, problems=(f"the document of {name} cannot be read",))
    listed = one_or_more(body.get("Statement"))
    if listed is None:
        return Policy(name, problems=(f"the document of {name} has no statements",))
    statements: list[Statement] = []
    problems = list(misunderstood(f"the document of {name}", body))
    for number, entry in enumerate(listed, 1):
        sid = entry.get("Sid") if isinstance(entry, Mapping) else None
        label = f"statement {sid or number} of {name}"
        if not isinstance(entry, Mapping):
            problems.append(f"{label} is not an object")
            continue
        strange = sorted(str(k) for k in entry if k not in _ELEMENTS and not (principals and k == "Principal"))
        statement = (
            f"{label} has an element that is not understood: {strange[0]}"
            if strange
            else _parse(entry, label, body.get("Version"))
        )
        if isinstance(statement, str):
            problems.append(statement)
        elif statement is not None:
            statements.append(statement)
    return Policy(name, tuple(statements), tuple(problems))


def misunderstood(label: str, body: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of a document around its statements IAM does not take: it may say what a variable in a Deny is."""
    for element in sorted(str(key) for key in body if key not in _OF_DOCUMENTS):
        yield f"{label} has an element that is not understood: {element}"
    if "Version" in body and body["Version"] not in _VERSIONS:
        yield f"{label} has the version {body['Version']!r}"


def _parse(entry: Mapping[str, Any], label: str, version: Any) -> Statement | str | None:
    """Return the statement, a problem in words, or None for one that grants nothing (`allow` is not `Allow`)."""
    effect = entry.get("Effect")
    if effect not in ("Allow", "Deny"):
        if isinstance(effect, str) and effect.casefold() == "allow":
            return None
        return f"{label} has the effect {effect!r}"
    actions = _part(entry, "Action", "NotAction", fold=True)
    resources = _part(entry, "Resource", "NotResource", fold=False)
    if actions is None:
        return f"{label} has neither Action nor NotAction in a form that is understood"
    if resources is None:
        return f"{label} has neither Resource nor NotResource in a form that is understood"
    if "Condition" in entry and entry["Condition"] is None:  # IAM takes none: what stood there is lost
        return f"{label} has a Condition without content"
    negated = "NotResource" in entry
    patterns = resources.excepts if negated else resources.allows
    known = tuple(p for p in patterns if "${" not in p)
    return Statement(
        allow=effect == "Allow",
        actions=actions,
        named=strings(entry.get("Action", entry.get("NotAction"))),
        resources=Patterns(("*",), known) if negated else Patterns(known),
        touched=Patterns(("*",), known) if negated else Patterns(tuple(widest(p) for p in patterns)),
        has_variables=known != patterns,
        negated=negated,
        patterns=patterns,
        shown=("everything except " if negated else "") + ", ".join(patterns),
        condition=entry.get("Condition"),
        knows_variables=version == _WITH_VARIABLES,
        label=label,
    )


def widest(pattern: str) -> str:
    """Return the most that a resource may stand for: any value of its variables, any value of absent ARN fields."""
    wide = _VARIABLE.sub("*", pattern)
    return f"{wide}*" if wide.startswith("arn:") and wide.count(":") < _ARN_COLONS else wide


def _part(entry: Mapping[str, Any], plain: str, negated: str, *, fold: bool) -> Patterns | None:
    if (plain in entry) == (negated in entry):
        return None
    given = entry[plain] if plain in entry else entry[negated]
    values = readable_strings(given)
    if given is None or values is None or (fold and not all(map(str.isascii, values))):  # IAM has no others
        return None
    if (entry["Effect"] == "Deny") is (plain in entry):  # it takes away, so what is spoilt in it must not be little
        values = tuple(value.strip() for value in values)
        if not values or "" in values:
            return None
    if not values and negated in entry:  # no action at all has no effect; no exception at all is nothing to rely on
        return None
    patterns = tuple(v.casefold() if fold else v for v in values)
    return Patterns(patterns) if plain in entry else Patterns(("*",), patterns)


def decide(policies: Iterable[Policy], grant: Grant) -> Ruling:
    """Decide one required action against policies that count together.

    A required wildcard of the dated table is what it stands for: the worst of its actions decides.
    """
    statements = [s for policy in policies for s in policy.statements]
    action, resource = grant.permission.casefold(), grant.resource or "*"
    outcome = _decide(statements, action, resource, grant)
    listed = EXPANSIONS.get(action, ())
    if not listed or outcome.state is State.ALLOWED:
        return outcome
    single = [_decide(statements, one.casefold(), resource, grant, one) for one in listed]
    worst = max(single, key=lambda o: o.state)
    if worst.state is State.ALLOWED:
        return Ruling(
            State.ALLOWED, f"{' and '.join(listed)} are allowed, all of {grant.permission} as of {EXPANSIONS_DATED}"
        )
    return worst


def _decide(
    statements: Sequence[Statement], action: str, resource: str, grant: Grant, spelt: str | None = None
) -> Ruling:
    name = spelt or grant.permission
    about = [s for s in statements if overlapping(action, (s.actions,)) is not None]
    denial = denies(about, action, resource, grant)
    if denial is not None and denial.state is State.DENIED:
        return denial
    outcome = _allows([s for s in about if s.allow], action, resource, grant, name)
    if denial is not None and outcome.state is State.ALLOWED:
        return denial
    return outcome


def denies(statements: Iterable[Statement], action: str, resource: str, grant: Grant) -> Ruling | None:
    """Return the Deny that applies (DENIED) or may apply (PARTLY), None where none does."""
    maybe: Ruling | None = None
    for statement in statements:
        if statement.allow or overlapping(action, (statement.actions,)) is None:
            continue
        if overlapping(resource, (statement.touched,)) is None:
            continue
        if conditions_exclude(statement.condition, grant.condition):
            continue
        everywhere = not statement.opaque and covered(resource, (statement.resources,))
        if everywhere and condition_admits(statement.condition, grant.condition):
            return Ruling(State.DENIED, f"{statement.label} denies it")
        how = "for some resources" if statement.unconditional else f"under {shown(statement.condition)}"
        maybe = maybe or Ruling(State.PARTLY, f"{statement.label} denies it {how}", maybe_denied=True)
    return maybe


def _allows(statements: Sequence[Statement], action: str, resource: str, grant: Grant, name: str) -> Ruling:
    sound = [s for s in statements if not s.opaque and condition_admits(s.condition, grant.condition)]
    whole_action = [s for s in sound if covered(action, (s.actions,))]
    for statement in whole_action:
        if covered(resource, (statement.resources,)):
            return Ruling(State.ALLOWED, f"{statement.label} allows it")
    whole_resource = [s for s in sound if covered(resource, (s.resources,))]
    for group, wanted, parts in (
        (whole_action, resource, [s.resources for s in whole_action]),
        (whole_resource, action, [s.actions for s in whole_resource]),
    ):
        if covered(wanted, parts):
            return Ruling(State.ALLOWED, f"{' and '.join(s.label for s in group)} allow it together")
    nothing: list[str] = []
    for statement in statements:
        if overlapping(resource, (statement.touched,)) is None:
            continue
        if _grants_nothing(statement, action, resource):
            nothing.append(f"{statement.label} allows it for {statement.shown}, but {name} takes no resource but `*`")
            continue
        return Ruling(State.PARTLY, f"{statement.label} allows it only {_limits(statement, action, resource, grant)}")
    return Ruling(State.NOT_ALLOWED, nothing[0] if nothing else f"no statement allows {name}")


def _grants_nothing(statement: Statement, action: str, resource: str) -> bool:
    """Return whether a statement on named resources allows nothing, since the action is asked for on `*` alone."""
    return takes_no_resource(action) and not statement.negated and not covered(resource, (statement.resources,))


def _limits(statement: Statement, action: str, resource: str, grant: Grant) -> str:
    limits: list[str] = []
    if not covered(action, (statement.actions,)):
        limits.append("in part")
    if statement.opaque or not covered(resource, (statement.resources,)):
        limits.append(f"for {statement.shown}")
    if not condition_admits(statement.condition, grant.condition):
        limits.append(f"under {shown(statement.condition)}")
    return " and ".join(limits)

"""Terraform's plans and states: which policies they give to which roles and users of AWS.

Source: the AWS provider's resources `aws_iam_…`. A policy is text within the document, so that no patch can change it:
what it is made from is edited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.clouds.aws.entries import OTHER_ORGANISATION_TYPES
from upgrade_gate.clouds.aws.open_policies import certain_only, denials, perhaps_denying, policy
from upgrade_gate.clouds.aws.organisation_policies import limits_of
from upgrade_gate.clouds.contract.declared import Declaration, Open, Part
from upgrade_gate.clouds.shared import terraform
from upgrade_gate.clouds.shared.terraform import Resource, named, plain, unknown_in
from upgrade_gate.reading.node import mapping, objects, strings, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KINDS = ("role", "user")
_LISTS = "aws_iam_policy_attachment"
_NAMES = ("name", "id")
"""What names a role or user: its ID is its name."""
_ARNS = ("arn", "id")
_FILLED = ("inline_policy", "managed_policy_arns")
"""What the provider fills in where the configuration does not give it."""


class _Put(Struct, frozen=True):
    """What puts policies on roles or users, and on which."""

    one: Resource
    names: tuple[str, ...]
    """Those that it names."""
    sure: frozenset[str]
    """The addresses of those of the file that it means."""
    perhaps: frozenset[str] | None
    """The addresses of those that it may mean besides; None where it may be anyone, of another file too."""


def declarations(body: Any) -> Iterator[Declaration]:
    """Yield a declaration for each role and user, and for each policy that is put on none of them."""
    found = terraform.resources(body)
    managed = [one for one in found if one.type == "aws_iam_policy"]
    given: set[str] = set()
    past = terraform.before(body)
    for kind in _KINDS:
        putting = list(_puts(kind, (*found, *past)))
        holders = [_without_told(one, putting) for one in found if one.type == f"aws_iam_{kind}"]
        puts = [_put(*each, holders) for each in _puts(kind, found)]
        kept = [_put(one, f"{kind}_name", holders) for one in found if one.type in _exclusive(kind)]
        for holder in holders:
            own = _holder(kind, holder, puts, managed, given)
            yield replace(own, doubts=tuple(_taken_from(kind, holder, puts, kept, managed)))
        for put in puts:
            whole = _document(put.one, managed) or _unknown(put.one)
            part = perhaps_denying(whole, f"the {kind} of {put.one.address}") if put.perhaps is None else None
            if part is not None:
                yield Declaration((replace(part, name=put.one.address),), (put.one.address,), reach=())
            yield from _elsewhere(put, holders, managed)
        for put in kept:
            yield from _kept_elsewhere(put, holders)
        for put in puts:
            if put.one.type == f"aws_iam_{kind}_policy" and put.one.address not in given:
                yield _by_itself(put.one, put.names)
    yield from (_by_itself(one) for one in managed if one.address not in given)
    yield from _of_organisation(found)


def _without_told(holder: Resource, putting: Sequence[tuple[Resource, str]]) -> Resource:
    """Return a role or user without what other resources of the file tell of themselves, or are to take away.

    What the provider fills in is what the cloud has before the plan is applied: a policy stands there still that the
    plan narrows, or destroys.
    """
    name = holder.text("name")
    filled = {key: values for key in _FILLED if (values := holder.values.get(key)) and key not in holder.references}
    if not filled or not name:
        return holder
    own = [one for one, argument in putting if name in strings(one.get(argument)) and _one_account(one, holder)]
    told = {one.text("policy_arn" if one.type.endswith("attachment") else "name") for one in own} - {""}
    for key, values in filled.items():
        listed = values if isinstance(values, list) else [values]
        filled[key] = [{} if {text(one), text(mapping(one).get("name"))} & told else one for one in listed]
    return replace(holder, values={**holder.values, **filled})


def _by_itself(one: Resource, called: tuple[str, ...] = ()) -> Declaration:
    return Declaration((_part(one),), _names(one), called, path=one.path)


def _puts(kind: str, found: Sequence[Resource]) -> Iterator[tuple[Resource, str]]:
    """Yield what puts policies on roles or users, with the argument that names them.

    A group puts its own on whom it holds: which these are is not asked, so that they are unseen.
    """
    types = {f"aws_iam_{kind}_policy": kind, f"aws_iam_{kind}_policy_attachment": kind}
    types[_LISTS] = f"{kind}s"
    if kind == "user":
        types |= {"aws_iam_user_group_membership": "user", "aws_iam_group_membership": "users"}
    for one in found:
        if one.type in types:
            yield one, types[one.type]


def _put(one: Resource, argument: str, holders: Sequence[Resource]) -> _Put:
    """Return on whom a resource puts something: by the names that its argument holds, else by its expression."""
    near = [holder for holder in holders if _one_account(one, holder)]
    names = tuple(name for name in strings(one.get(argument)) if name)
    sure: set[str] = set()
    perhaps: set[str] = set()
    for name in names:
        own = [holder.address for holder in near if holder.text("name") == name]
        sure.update(own if len(own) == 1 else ())
        perhaps.update(h.address for h in holders if h.text("name") == name and len(own) != 1)
    said = one.references.get(argument, ())
    single = not argument.endswith("s")
    if unknown_in(one.unknown.get(argument)) or (not names and (single or said)):
        meant = named(one, argument, near, *_NAMES)
        known = {plain(holder.address) for holder in holders}
        if meant is not None:
            sure.add(meant.address)
        elif said and all(_is_of(reference, known) for reference in said):
            perhaps.update(h.address for h in holders if any(_is_of(r, {plain(h.address)}) for r in said))
        else:
            return _Put(one, names, frozenset(sure), None)
    return _Put(one, names, frozenset(sure), frozenset(perhaps - sure))


def _one_account(one: Resource, other: Resource) -> bool:
    """Return whether two resources lie in one account for certain: another provider may be another account."""
    return one.provider == other.provider or not (one.provider and other.provider)


def _exclusive(kind: str) -> dict[str, tuple[str, frozenset[str], str]]:
    """Return the types that take from a role or user what they do not list: the list, and what it names of what."""
    attaching = frozenset((f"aws_iam_{kind}_policy_attachment", _LISTS))
    return {
        f"aws_iam_{kind}_policies_exclusive": ("policy_names", frozenset((f"aws_iam_{kind}_policy",)), "name"),
        f"aws_iam_{kind}_policy_attachments_exclusive": ("policy_arns", attaching, "policy_arn"),
    }


def _takes(one: Resource) -> str:
    return f"{one.address} takes away what it does not list"


def _taken_from(
    kind: str, holder: Resource, puts: Sequence[_Put], kept: Sequence[_Put], managed: Sequence[Resource]
) -> Iterator[str]:
    """Yield what takes from a role or user something that it is given, or may."""
    own = [put.one for put in puts if holder.address in put.sure]
    shown = {
        "policy_names": {text(entry.get("name")) for entry in objects(holder.get("inline_policy"))} - {""},
        "policy_arns": {*strings(holder.get("managed_policy_arns")), *([""] if _attaches_open(holder) else [])},
    }
    given = {
        argument: shown[argument] | {one.text(key) for one in own if one.type in types}
        for argument, types, key in _exclusive(kind).values()
    }
    for put in kept:
        argument = _exclusive(kind)[put.one.type][0]
        reaches = put.perhaps is None or holder.address in put.sure | put.perhaps
        if reaches and not given[argument].issubset(strings(put.one.get(argument))):
            yield _takes(put.one)
    for argument, within in (("inline_policy", "policy_names"), ("managed_policy_arns", "policy_arns")):
        if argument in holder.references and given[within] > shown[within]:
            yield f"{holder.address} takes away what its {argument} does not list"
    mine = {_attached(one, managed) for one in own if one.type == f"aws_iam_{kind}_policy_attachment"}
    for put in puts:  # a list takes its policy from everybody whom it does not name
        theirs = _attached(put.one, managed)
        if put.one.type == _LISTS and holder.address not in put.sure and mine and (mine & {theirs, None} or not theirs):
            yield _takes(put.one)


def _attached(one: Resource, managed: Sequence[Resource]) -> str | None:
    """Return which policy an attachment is about, None where that is not known."""
    known = named(one, "policy_arn", managed, *_ARNS)
    return known.address if known is not None else one.text("policy_arn") or None


def _holder(
    kind: str, holder: Resource, puts: Sequence[_Put], managed: Sequence[Resource], given: set[str]
) -> Declaration:
    """Return what a role or user is given; `given` gathers the policies that went to somebody."""
    parts: list[Part] = []
    attached: list[dict[str, str]] = []
    for put in puts:
        known = _policy(put.one, managed)
        if holder.address in put.sure:
            if known is None:
                attached.append(_unseen(put.one))
            else:
                parts.append(_part(known))
                given.add(known.address)
        elif put.perhaps is None or holder.address in put.perhaps:
            whole = _part(known) if known is not None else _unknown(put.one)
            parts.append(certain_only(replace(whole, name=put.one.address), f"the {kind} of {put.one.address}"))
    parts += _inline(holder)
    for arn in strings(holder.get("managed_policy_arns")):
        own = [one for one in managed if one.get("arn") == arn]
        parts += [_part(one) for one in own]
        given.update(one.address for one in own)
        attached += [] if own else [{"PolicyArn": arn, "PolicyName": arn}]
    if _attaches_open(holder):
        meant = named(holder, "managed_policy_arns", managed, *_ARNS)
        parts += [] if meant is None else [_part(meant)]
        given.update(() if meant is None else (meant.address,))
        attached += [_unseen(holder)] if meant is None else []
    rest: dict[str, Any] = {"AttachedManagedPolicies": attached}
    boundary = holder.get("permissions_boundary")
    if boundary is not None and boundary != "":
        rest["PermissionsBoundary"] = boundary.text if isinstance(boundary, Open) else boundary
    trust = holder.get("assume_role_policy")
    if isinstance(trust, str):
        rest["AssumeRolePolicyDocument"] = trust
    return Declaration(
        tuple({(part.name, part.path): part for part in parts}.values()),
        _names(holder),
        called=(holder.text("name"),) if holder.text("name") else (),
        rest=rest,
        path=holder.path,
        trusts=trust is not None,
    )


def _attaches_open(holder: Resource) -> bool:
    """Return whether a role attaches itself policies that are known only after it is applied."""
    return unknown_in(holder.unknown.get("managed_policy_arns")) and not _is_filled_in(holder, "managed_policy_arns")


def _is_filled_in(holder: Resource, argument: str) -> bool:
    """Return whether the provider alone says what an argument of a new role is: its configuration gives none."""
    return holder.made and bool(holder.references) and argument not in holder.references


def _policy(one: Resource, managed: Sequence[Resource]) -> Resource | None:
    """Return the resource whose policy is put, None where the file does not hold it."""
    own = one.type in ("aws_iam_role_policy", "aws_iam_user_policy")
    return one if own else named(one, "policy_arn", managed, *_ARNS)


def _document(one: Resource, managed: Sequence[Resource]) -> Part | None:
    known = _policy(one, managed)
    return _part(known) if known is not None else None


def _unknown(one: Resource) -> Part:
    return policy(one.address, Open(f"what {one.address} attaches"), one.path)


def _unseen(one: Resource) -> dict[str, str]:
    """Return an attached policy that is not in the file: the judge says that it was not seen."""
    shown = one.text("policy_arn") or f"that {one.address} attaches"
    return {"PolicyArn": shown, "PolicyName": shown}


def _elsewhere(put: _Put, holders: Sequence[Resource], managed: Sequence[Resource]) -> Iterator[Declaration]:
    """Yield what denies, or may, and is put, by name, on a role or user that another file may hold."""
    names = _away(put, holders)
    whole = _document(put.one, managed)
    part = denials(whole) if whole is not None else None
    if names and whole is None:
        yield Declaration(rest={"AttachedManagedPolicies": [_unseen(put.one)]}, reach=names)
    elif names and part is not None:
        yield Declaration((replace(part, name=put.one.address),), reach=names)


def _kept_elsewhere(put: _Put, holders: Sequence[Resource]) -> Iterator[Declaration]:
    """Yield what takes from roles or users of another file what it does not list."""
    names, doubts = _away(put, holders), (_takes(put.one),)
    if put.perhaps is None:
        yield Declaration((), (put.one.address,), doubts=doubts, reach=())
    elif names:
        yield Declaration(doubts=doubts, reach=names)


def _away(put: _Put, holders: Sequence[Resource]) -> tuple[str, ...]:
    """Return the names of a resource that are none of a role or user of its own file."""
    held = {holder.text("name") for holder in holders}
    return tuple(name for name in put.names if name not in held)


def _of_organisation(found: Sequence[Resource]) -> Iterator[Declaration]:
    """Yield what policies of the organisation take away: whether they are above the account, nobody can tell."""
    policies = [one for one in found if one.type == "aws_organizations_policy"]
    contents = [
        limits_of(one.address, one.get("content") or Open(f"content of {one.address}"), one.path)
        for one in policies
        if one.text("type") not in OTHER_ORGANISATION_TYPES
    ]
    contents += [
        limits_of(one.address, Open(f"what {one.address} attaches"), one.path)
        for one in found
        if one.type == "aws_organizations_policy_attachment"
        and named(one, "policy_id", policies, "id") is None
        and not one.text("policy_id").endswith("FullAWSAccess")
    ]
    for part in contents:
        if part is not None:
            yield Declaration((part,), (part.name,), reach=())


def _is_of(reference: str, addresses: set[str]) -> bool:
    bare = plain(reference)
    return any(bare == one or bare.startswith(f"{one}.") for one in addresses)


def _names(one: Resource) -> tuple[str, ...]:
    own = one.text("name")
    return tuple(dict.fromkeys(name for name in (own, one.address, one.name) if name))


def _part(one: Resource) -> Part:
    document = one.get("policy")
    if document is None:
        document = Open(f"policy of {one.address}")
    return policy(one.address, document, (*one.path, "policy"))


def _inline(holder: Resource) -> list[Part]:
    """Return the policies that stand within a role.

    Of a new role whose configuration has none the provider fills the block in, so that a plan never knows it. A dynamic
    block of which even the number is not known looks the same in a plan (docs/using/policies.md).
    Source: the AWS provider's schema of aws_iam_role, `inline_policy` (optional and computed).
    """
    given = holder.get("inline_policy")
    if isinstance(given, Open) and _is_filled_in(holder, "inline_policy"):
        return []
    listed = given if isinstance(given, list) else [] if given is None else [given]
    opened = unknown_in(holder.unknown.get("inline_policy"))
    parts: list[Part] = []
    for number, entry in enumerate(listed):
        document = mapping(entry).get("policy")
        if isinstance(entry, dict) and document in (None, "") and not opened:
            continue  # the provider shows an empty block where there is no inline policy
        if not isinstance(document, str) or not document:
            document = Open(f"inline policy {number + 1} of {holder.address}")
        parts.append(policy(holder.address, document, (*holder.path, "inline_policy", number, "policy")))
    return parts

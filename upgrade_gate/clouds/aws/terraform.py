"""Terraform's plans and states: which policies they give to which roles and users of AWS.

Source: the AWS provider's resources `aws_iam_…`. A policy is text within the document, so that no patch can change it:
what it is made from is edited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from upgrade_gate.clouds.aws.open_policies import denials, perhaps_denying, policy
from upgrade_gate.clouds.contract.declared import Declaration, Open, Part
from upgrade_gate.clouds.shared import terraform
from upgrade_gate.clouds.shared.terraform import Resource, named, plain, unknown_in
from upgrade_gate.reading.node import mapping, strings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KINDS = ("role", "user")


def declarations(body: Any) -> Iterator[Declaration]:
    """Yield a declaration for each role and user, and for each policy that is put on none of them."""
    found = [one for one in terraform.resources(body) if one.type.startswith("aws_iam_")]
    put: set[str] = set()
    for kind in _KINDS:
        holders = [one for one in found if one.type == f"aws_iam_{kind}"]
        astray = tuple(_astray(kind, holders, found))
        for holder in holders:
            own = _holder(kind, holder, holders, found, put)
            perhaps = tuple(part for part, to in astray if to is not None and holder.address in to)
            doubts = tuple(_taken_from(kind, holder, holders, found))
            yield replace(own, parts=(*own.parts, *perhaps), doubts=doubts)
        for part, to in astray:
            if to is None:
                yield Declaration((part,), (part.name,), path=part.path, reach=())
        yield from _elsewhere(kind, holders, found)
        for one in found:
            if one.type in _exclusive(kind) and _kept_to(one, kind, holders) is None:
                yield Declaration((), (one.address,), path=one.path, doubts=(_takes(one),), reach=())
    for one in found:
        if one.type in ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy") and one.address not in put:
            kind = one.type.split("_")[2]
            about = one.text(kind)
            doubts = tuple(
                _takes(other)
                for other in found
                if about and other.type in _exclusive(kind) and other.text(f"{kind}_name") == about
            )
            yield Declaration((_part(one),), _names(one), path=one.path, doubts=doubts)


def _puts(kind: str, found: Sequence[Resource]) -> Iterator[tuple[Resource, str, bool]]:
    """Yield what puts policies on roles or users, with the argument that names them and whether that is a list.

    A group puts its own on whom it holds: which these are is not asked, so that they are unseen.
    """
    types = {f"aws_iam_{kind}_policy": kind, f"aws_iam_{kind}_policy_attachment": kind}
    types["aws_iam_policy_attachment"] = f"{kind}s"
    if kind == "user":
        types |= {"aws_iam_user_group_membership": "user", "aws_iam_group_membership": "users"}
    for one in found:
        if one.type in types:
            yield one, types[one.type], types[one.type] != kind


def _exclusive(kind: str) -> dict[str, tuple[str, str, str]]:
    """Return the types that take from a role or user what they do not list: the list, and what it names of what."""
    return {
        f"aws_iam_{kind}_policies_exclusive": ("policy_names", f"aws_iam_{kind}_policy", "name"),
        f"aws_iam_{kind}_policy_attachments_exclusive": (
            "policy_arns",
            f"aws_iam_{kind}_policy_attachment",
            "policy_arn",
        ),
    }


def _takes(one: Resource) -> str:
    return f"{one.address} takes away what it does not list"


def _kept_to(one: Resource, kind: str, holders: Sequence[Resource]) -> frozenset[str] | None:
    """Return the addresses of those from whom a resource takes, or may; None where it may be anyone."""
    holder = named(one, f"{kind}_name", holders, _key(one, f"{kind}_name"))
    if holder is not None:
        return frozenset((holder.address,))
    return _reached(one, f"{kind}_name", holders, several=False)


def _taken_from(kind: str, holder: Resource, holders: Sequence[Resource], found: Sequence[Resource]) -> Iterator[str]:
    """Yield what takes from a role or user something that it is given, or may."""
    for one in found:
        if one.type not in _exclusive(kind) or holder.address not in (_kept_to(one, kind, holders) or ()):
            continue
        argument, type_, key = _exclusive(kind)[one.type]
        own = [p for p in found if p.type == type_ and named(p, kind, holders, _key(p, kind)) is holder]
        several = any(p.type == "aws_iam_policy_attachment" for p in found) and argument == "policy_arns"
        within = holder.get("inline_policy" if argument == "policy_names" else "managed_policy_arns")
        listed = strings(one.get(argument))
        if several or within or any(p.text(key) not in listed for p in own):
            yield _takes(one)


def _holder(
    kind: str, holder: Resource, holders: Sequence[Resource], found: Sequence[Resource], put: set[str]
) -> Declaration:
    """Return what a role or user is given; `put` gathers the policies that went to somebody."""
    own = [p for p in found if p.type == f"aws_iam_{kind}_policy" and named(p, kind, holders, _key(p, kind)) is holder]
    parts = [_part(one) for one in own]
    put.update(one.address for one in own)
    parts += _inline(holder)
    managed = [one for one in found if one.type == "aws_iam_policy"]
    attached: list[dict[str, str]] = []
    for one, argument, several in _puts(kind, found):
        if one.type == f"aws_iam_{kind}_policy":
            continue
        mine = named(one, argument, holders, _key(one, argument)) is holder
        listed = several and holder.text("name") in strings(one.get(argument))
        if mine or listed:
            known = named(one, "policy_arn", managed, "arn")
            if known is None:
                attached.append(_unseen(one))
            else:
                parts.append(_part(known))
                put.add(known.address)
    attached += [{"PolicyArn": arn, "PolicyName": arn} for arn in strings(holder.get("managed_policy_arns"))]
    rest: dict[str, Any] = {"AttachedManagedPolicies": attached}
    boundary = holder.get("permissions_boundary")
    if boundary is not None and boundary != "":
        rest["PermissionsBoundary"] = boundary.text if isinstance(boundary, Open) else boundary
    trust = holder.get("assume_role_policy")
    if isinstance(trust, str):
        rest["AssumeRolePolicyDocument"] = trust
    return Declaration(tuple(parts), _names(holder), rest=rest, path=holder.path, trusts=trust is not None)


def _unseen(one: Resource) -> dict[str, str]:
    """Return an attached policy that is not in the file: the judge says that it was not seen."""
    shown = one.text("policy_arn") or f"that {one.address} attaches"
    return {"PolicyArn": shown, "PolicyName": shown}


def _astray(
    kind: str, holders: Sequence[Resource], found: Sequence[Resource]
) -> Iterator[tuple[Part, frozenset[str] | None]]:
    """Yield what denies, or may, and is put on nobody knows whom: with those whom it may be, None for anyone."""
    managed = [one for one in found if one.type == "aws_iam_policy"]
    for one, argument, several in _puts(kind, found):
        to = _reached(one, argument, holders, several=several)
        if to is not None and not to:
            continue
        document = one if one.type == f"aws_iam_{kind}_policy" else named(one, "policy_arn", managed, "arn")
        whole = policy(one.address, Open(f"what {one.address} attaches"), one.path) if document is None else None
        part = perhaps_denying(whole or _part(document or one), f"the {kind} of {one.address}")
        if part is not None:
            yield replace(part, name=one.address), to


def _elsewhere(kind: str, holders: Sequence[Resource], found: Sequence[Resource]) -> Iterator[Declaration]:
    """Yield what denies, or may, and is put, by name, on a role or user that another file may hold."""
    held = {holder.text("name") for holder in holders}
    managed = [one for one in found if one.type == "aws_iam_policy"]
    for one, argument, _ in _puts(kind, found):
        names = tuple(name for name in strings(one.get(argument)) if name not in {"", *held})
        document = one if one.type == f"aws_iam_{kind}_policy" else named(one, "policy_arn", managed, "arn")
        part = denials(_part(document)) if document is not None else None
        if names and document is None:
            yield Declaration(rest={"AttachedManagedPolicies": [_unseen(one)]}, path=one.path, reach=names)
        elif names and part is not None:
            yield Declaration((replace(part, name=one.address),), path=one.path, reach=names)
    for one in found:
        name = one.text(f"{kind}_name")
        if one.type in _exclusive(kind) and name not in {"", *held}:
            yield Declaration(path=one.path, doubts=(_takes(one),), reach=(name,))


def _reached(one: Resource, argument: str, holders: Sequence[Resource], *, several: bool) -> frozenset[str] | None:
    """Return the addresses that a policy may be put on besides those it surely is; None where it may be any."""
    value = one.get(argument)
    if isinstance(value, str) and value and not several:
        same = [holder.address for holder in holders if holder.get("name") == value]
        return frozenset(same if len(same) > 1 else ())
    if several and not unknown_in(one.unknown.get(argument)) and (value or not one.references.get(argument)):
        return frozenset()
    if not several and named(one, argument, holders, _key(one, argument)) is not None:
        return frozenset()
    said = one.references.get(argument, ())
    by_name = {plain(holder.address) for holder in holders}
    if not said or any(not _is_of(reference, by_name) for reference in said):
        return None
    return frozenset(holder.address for holder in holders if any(_is_of(s, {plain(holder.address)}) for s in said))


def _is_of(reference: str, addresses: set[str]) -> bool:
    return any(reference == one or reference.startswith(f"{one}.") for one in addresses)


def _key(one: Resource, argument: str) -> str:
    """Return by which attribute an argument names a role or user: its expression may say `id`, which is the name."""
    said = one.references.get(argument, ())
    return "id" if any(reference.endswith(".id") for reference in said) and not one.text(argument) else "name"


def _names(one: Resource) -> tuple[str, ...]:
    own = one.text("name")
    return tuple(dict.fromkeys(name for name in (own, one.address, one.name) if name))


def _part(one: Resource) -> Part:
    document = one.get("policy")
    if document is None:
        document = Open(f"policy of {one.address}")
    return policy(one.address, document, (*one.path, "policy"))


def _inline(holder: Resource) -> list[Part]:
    """Return the policies that stand within a role."""
    given = holder.get("inline_policy")
    if given is None or given == []:
        return []
    listed = given if isinstance(given, list) else [given]
    unknown = holder.unknown.get("inline_policy")
    parts: list[Part] = []
    for number, entry in enumerate(listed):
        open_there = isinstance(unknown, list) and mapping(dict(enumerate(unknown)).get(number)).get("policy") is True
        document = mapping(entry).get("policy")
        if isinstance(entry, Open) or open_there or not isinstance(document, str):
            if document is None and isinstance(entry, dict) and not open_there:
                continue  # the provider shows an empty block where there is no inline policy
            document = Open(f"inline policy {number + 1} of {holder.address}")
        parts.append(policy(holder.address, document, (*holder.path, "inline_policy", number, "policy")))
    return parts

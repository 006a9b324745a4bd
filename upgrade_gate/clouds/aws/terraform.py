"""Terraform's plans and states: which policies they give to which roles and users of AWS.

Source: the AWS provider's resources `aws_iam_…`. A policy is text within the document, so that no patch can change it:
what it is made from is edited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.aws.open_policies import policy
from upgrade_gate.clouds.contract.declared import Declaration, Open, Part
from upgrade_gate.clouds.shared import terraform
from upgrade_gate.clouds.shared.terraform import Resource, named
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
        for holder in holders:
            yield _holder(kind, holder, holders, found, put)
    for one in found:
        if one.type in ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy") and one.address not in put:
            yield Declaration((_part(one),), _names(one), path=one.path)


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
    for one in found:
        several = one.type == "aws_iam_policy_attachment"
        argument = f"{kind}s" if several else kind
        if not several and one.type != f"aws_iam_{kind}_policy_attachment":
            continue
        mine = named(one, argument, holders, _key(one, argument)) is holder
        listed = several and holder.text("name") in strings(one.get(argument))
        if mine or listed:
            known = named(one, "policy_arn", managed, "arn")
            if known is None:
                shown = one.text("policy_arn") or f"that {one.address} attaches"
                attached.append({"PolicyArn": shown, "PolicyName": shown})
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

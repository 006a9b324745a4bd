"""What files say that AWS identities should be granted: policies, ccoctl's files, CloudFormation, Terraform.

Shapes: the IAM user guide's policy grammar; `ccoctl aws create-iam-roles --dry-run`, which writes what
`aws iam create-role` and `put-role-policy` take (docs/facts/cco.md#names).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from upgrade_gate.clouds.aws import cloudformation, terraform
from upgrade_gate.clouds.aws.entries import OTHER_ORGANISATION_TYPES
from upgrade_gate.clouds.aws.open_policies import denials, of_anybody, policy
from upgrade_gate.clouds.aws.organisation_policies import limits_of
from upgrade_gate.clouds.aws.policy_text import additions, where
from upgrade_gate.clouds.aws.remedy_documents import document
from upgrade_gate.clouds.contract.declared import Declaration
from upgrade_gate.clouds.shared.placeholders import is_placeholder
from upgrade_gate.clouds.shared.terraform import doubted, is_show
from upgrade_gate.reading.node import limiting, mapping, one_or_more, slip_of, text

__all__ = ["additions", "declarations", "document", "documents", "identity", "limits", "where"]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.clouds.contract.context import Context


def declarations(body: Any) -> tuple[Declaration, ...]:
    """Return what a parsed document declares; a list of policy documents declares each of them."""
    if isinstance(body, list):
        return tuple(_below(number, found) for number, entry in enumerate(body) for found in _of_document(entry))
    if cloudformation.is_template(body):
        return tuple(cloudformation.declarations(body))
    if is_show(body):
        return doubted(body, terraform.declarations(body))
    return _of_document(body)


def limits(one: Declaration) -> Declaration | None:
    """Return what a declaration denies, or may, to those whom it is about; None where that is nothing.

    A policy document by itself is put on somebody by a command that no file shows; what a template or a plan holds and
    puts on nobody is put on nobody.
    """
    if not one.called and (one.rest or len(one.path) > 1):
        return None
    given = one.parts if one.called else tuple(map(of_anybody, one.parts))
    parts = tuple(part for whole in given if (part := denials(whole)) is not None)
    rest = {key: one.rest[key] for key in ("AttachedManagedPolicies", "PermissionsBoundary") if one.rest.get(key)}
    return Declaration(parts, one.names, rest=rest, reach=one.called) if parts or rest else None


def _below(number: int, found: Declaration) -> Declaration:
    parts = tuple(replace(part, path=(number, *part.path)) for part in found.parts)
    return replace(found, parts=parts, path=(number, *found.path))


def _of_document(body: Any) -> tuple[Declaration, ...]:
    if not isinstance(body, Mapping):
        return ()
    if "Statement" in body or _is_misspelt(body):
        return (Declaration((policy("policy", body, ()),)),)
    holder = text(body.get("RoleName")) or text(body.get("UserName"))
    names = tuple(name for name in (holder, text(body.get("PolicyName"))) if name)
    called = (holder,) if holder and not is_placeholder(holder) else ()
    if names and "PolicyDocument" in body:
        shown = text(body.get("PolicyName")) or names[0]
        return (Declaration((policy(shown, body["PolicyDocument"], ("PolicyDocument",)),), names, called),)
    trusts, boundary = "AssumeRolePolicyDocument" in body, limiting(body, "PermissionsBoundary")
    if names and (trusts or boundary is not None):
        rest = {"AssumeRolePolicyDocument": body["AssumeRolePolicyDocument"]} if trusts else {}
        limit = {} if boundary is None else {"PermissionsBoundary": str(boundary)}
        return (Declaration((), names, called, rest={**rest, **limit}, trusts=trusts),)
    above = mapping(body.get("Policy")) or body
    if "Content" in above:
        return _of_organisation(above)
    return ()


def _is_misspelt(body: Mapping[str, Any]) -> bool:
    """Return whether a document would be a policy but for a slip: it may deny, and nobody can tell what."""
    slip = slip_of("Statement", body)
    listed = one_or_more(body[slip]) if slip is not None else None
    return any("Effect" in one for one in listed or () if isinstance(one, Mapping))


def _of_organisation(body: Mapping[str, Any]) -> tuple[Declaration, ...]:
    """Return what a policy of the organisation takes away, as `aws organizations` takes and describes one."""
    said = {**mapping(body.get("PolicySummary")), **body}
    part = limits_of(text(said.get("Name")) or "policy", body["Content"], ("Content",))
    if part is None or text(said.get("Type")) in OTHER_ORGANISATION_TYPES:
        return ()
    return (Declaration((part,), (part.name,), reach=()),)


def identity(name: str) -> str:
    """Return how the role is spelt."""
    return f"role/{name}"


def documents(found: Sequence[Declaration], name: str, context: Context | None, *, most: bool) -> tuple[Any, ...]:
    """Return declarations of one identity as one role of `aws iam get-account-authorization-details`."""
    del context
    parts = [part for one in found for part in one.parts]
    role: dict[str, Any] = {"AttachedManagedPolicies": []}
    for one in found:
        for key, value in one.rest.items():
            role[key] = [*role[key], *value] if key == "AttachedManagedPolicies" else value
    inline = [
        {"PolicyName": f"{number} ({part.name})" if len(parts) > 1 else part.name, "PolicyDocument": body}
        for number, part in enumerate(parts, 1)
        for body in (part.most if most else part.least,)
    ]
    return ({"RoleDetailList": [{**role, "RoleName": name, "RolePolicyList": inline}]},)

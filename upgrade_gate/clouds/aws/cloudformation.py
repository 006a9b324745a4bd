"""CloudFormation templates: which policies they give to which roles and users, as far as the text itself says it.

Source: CloudFormation user guide, AWS::IAM resource types and intrinsic functions. Parameters may be set otherwise and
imports come from elsewhere, so that whatever rests on them is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.aws.entries import OTHER_ORGANISATION_TYPES
from upgrade_gate.clouds.aws.open_policies import certain_only, denials, open_in, policy
from upgrade_gate.clouds.aws.organisation_policies import limits_of
from upgrade_gate.clouds.contract.declared import Declaration, Open, Part
from upgrade_gate.clouds.shared.placeholders import is_placeholder
from upgrade_gate.reading.node import limiting, mapping, text

if TYPE_CHECKING:
    from upgrade_gate.clouds.contract.declared import Path

_PRINCIPALS = {"AWS::IAM::Role": "RoleName", "AWS::IAM::User": "UserName"}
_POLICIES = {
    "AWS::IAM::Policy": "PolicyName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::RolePolicy": "PolicyName",
    "AWS::IAM::UserPolicy": "PolicyName",
}
_MEMBERSHIP = "AWS::IAM::UserToGroupAddition"
_ORGANISATION = "AWS::Organizations::Policy"
_HOLDERS = ("Roles", "Users", "RoleName", "UserName")
_ONE_VARIABLE = re.compile(r"\$\{(\w+)(?:\.Arn)?\}")
"""A `!Sub` that is a reference and nothing else."""
_VARIABLE = re.compile(r"\$\{(?!!)[^}]*\}?")
"""What a `!Sub` fills in; `${!x}` is written as `${x}`."""
_NO_VALUE = {"Ref": "AWS::NoValue"}
_PLAIN_TRANSFORM = "AWS::Serverless-2016-10-31"
"""The one transform that adds resources of its own kinds and leaves the others as they are."""


def is_template(body: Any) -> bool:
    """Return whether a document is a template: it has resources of AWS's types."""
    return any(text(mapping(one).get("Type")).startswith("AWS::") for one in _resources(body).values())


def _resources(body: Any) -> Mapping[str, Any]:
    return mapping(mapping(body).get("Resources"))


def declarations(body: Any) -> Iterator[Declaration]:
    """Yield a declaration for each role, user and policy of a template.

    A policy that names its role or user by `Ref`, or a role that names its policy so, counts for it.
    """
    macro = _macro(body)
    found = {name: _Resource(name, mapping(one), macro) for name, one in _resources(body).items()}
    for one in found.values():
        if one.type in _PRINCIPALS:
            yield _principal(one, found)
        elif one.type in _POLICIES:
            if not any(_holder(holder, found) for holder in one.holders()):
                called = tuple(dict.fromkeys(_pattern(holder) for holder in one.holders()))
                yield Declaration((_document(one),), one.names(_POLICIES[one.type]), called, path=one.path)
            yield from _reaching(one, found)
        elif one.type == _MEMBERSHIP:
            yield from _reaching(one, found)
        elif one.type == _ORGANISATION:
            yield from _of_organisation(one)


def _of_organisation(one: _Resource) -> Iterator[Declaration]:
    """Yield what a policy of the organisation takes away: whether it is above the account, nobody can tell."""
    part = limits_of(one.name, one.properties.get("Content"), (*one.path, "Content"))
    if part is not None and text(one.properties.get("Type")) not in OTHER_ORGANISATION_TYPES:
        yield Declaration((part,), (one.name,), reach=())


def _reaching(one: _Resource, resources: Mapping[str, _Resource]) -> Iterator[Declaration]:
    """Yield what a policy, or a group, may take away from whom it is put on, where the template does not hold them.

    What it allows them is not certain, and left out. A name is no answer where a role or user of the template has one
    that is not known.
    """
    taking = [denials(_document(one))] if one.type in _POLICIES else []
    parts = tuple(part for part in taking if part is not None)
    unseen = {"AttachedManagedPolicies": [_of_group(one)]} if one.type == _MEMBERSHIP else {}
    away = [resolved(holder) for holder in one.holders() if holder != _NO_VALUE and not _holder(holder, resources)]
    if not (parts or unseen):
        return
    unnamed = any(
        isinstance(r.properties.get(_PRINCIPALS[r.type]), Open) for r in resources.values() if r.type in _PRINCIPALS
    )
    named = tuple(name for name in away if isinstance(name, str) and not is_placeholder(name))
    if named:
        yield Declaration(parts, rest=unseen, reach=named)
    if away and (unnamed or len(named) < len(away)):
        yield Declaration(parts, rest=unseen, reach=())


def _macro(body: Any) -> str | None:
    """Return what rewrites a template before it is applied, so that nothing of it is certain; None where nothing does.

    `Fn::Transform` puts into the mapping in which it stands what another file says.
    Source: CloudFormation user guide, macros, Fn::Transform, and the AWS::LanguageExtensions transform.
    """
    given = mapping(body).get("Transform")
    strange = [one for one in _listed(given) if one != _PLAIN_TRANSFORM]
    resources = _resources(body)
    bodies = [mapping(one) for one in resources.values() if text(mapping(one).get("Type")).startswith("AWS::IAM::")]
    widened = [mapping(body), resources, *bodies, *(mapping(one.get("Properties")) for one in bodies)]
    strange += [name for one in widened for name in one if str(name).startswith("Fn::")]
    return f"the transform {strange[0]}"[:200] if strange else None


class _Resource:
    """One resource of a template."""

    def __init__(self, name: str, body: Mapping[str, Any], macro: str | None) -> None:
        self.name = name
        self.type = text(body.get("Type"))
        conditional = "Condition" in body or limiting(body, "Condition") is not None
        self.perhaps = f"the condition of {name}" if conditional else macro
        """What decides whether it is there at all; None where it is."""
        self.path: Path = ("Resources", name, "Properties")
        self.properties = mapping(resolved(body.get("Properties")))
        self.written = mapping(body.get("Properties"))

    def names(self, key: str) -> tuple[str, ...]:
        """Return its own name, where the template says it, and its logical ID."""
        own = text(self.properties.get(key))
        return (own, self.name) if own else (self.name,)

    def called(self) -> tuple[str, ...]:
        """Return what the cloud calls a role or user, with `*` for what is open; nothing where it makes up a name."""
        written = self.written.get(_PRINCIPALS[self.type])
        return () if written in (None, _NO_VALUE) else (_pattern(written),)

    def holders(self) -> Iterator[Any]:
        """Yield whom a policy is put on, as it is written."""
        for key in _HOLDERS:
            yield from _listed(self.written.get(key))


def _names(value: Any, resources: Mapping[str, _Resource]) -> _Resource | None:
    """Return the resource that a value stands for: `!Ref Role`, `!GetAtt Role.Arn`, `!Sub ${Role}`, or its own name."""
    referred, said = _logical_id(value), resolved(value)
    own = [r for r in resources.values() if r.name == referred] or [
        r for r in resources.values() if r.type in _PRINCIPALS and _is_called(r, value, said)
    ]
    return own[0] if len(own) == 1 else None


def _logical_id(value: Any) -> str | None:
    """Return the resource, or parameter, that a value refers to and is nothing else than; None where it is more."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
        case {"Fn::GetAtt": str(path)}:
            return path.partition(".")[0]
        case {"Fn::Sub": str(given)} if (variable := _ONE_VARIABLE.fullmatch(given)) is not None:
            return variable[1]
    return None


def _is_called(one: _Resource, value: Any, said: Any) -> bool:
    """Return whether a value is the name of a role or user: one text, or made by the same functions."""
    key = _PRINCIPALS[one.type]
    written = one.written.get(key)
    return (written is not None and value == written) or (isinstance(said, str) and said == one.properties.get(key))


def _holder(value: Any, resources: Mapping[str, _Resource]) -> _Resource | None:
    """Return the role or user of the template that a policy is put on by a value."""
    found = _names(value, resources)
    return found if found is not None and found.type in _PRINCIPALS else None


def _principal(one: _Resource, resources: Mapping[str, _Resource]) -> Declaration:
    parts: list[Part] = []
    inline = one.properties.get("Policies")
    for number, entry in enumerate(_listed(inline)):
        name = text(mapping(entry).get("PolicyName")) or f"{one.name} {number + 1}"
        document = entry.get("PolicyDocument") if isinstance(entry, Mapping) else Open(_shown(entry))
        place = (number, "PolicyDocument") if isinstance(inline, list) else ("PolicyDocument",)
        parts.append(_told(policy(name, document, (*one.path, "Policies", *place)), one))
    attached: list[dict[str, str]] = []
    for arn in _listed(one.written.get("ManagedPolicyArns")):
        known = _names(arn, resources)
        if known is not None and known.type in _POLICIES:
            parts.append(_document(known))
        else:
            attached.append(_attachment(_shown(resolved(arn))))
    attached += [_attachment(f"of group {_shown(resolved(group))}") for group in _listed(one.written.get("Groups"))]
    put = [p for p in resources.values() if any(_names(h, resources) is one for h in p.holders())]
    attached += [_of_group(p) for p in put if p.type == _MEMBERSHIP]
    documents = [_document(p) for p in put if p.type in _POLICIES]
    parts += [part for part in documents if part.path not in {known.path for known in parts}]
    rest: dict[str, Any] = {"AttachedManagedPolicies": attached}
    boundary = limiting(one.properties, "PermissionsBoundary")
    if boundary is not None:
        rest["PermissionsBoundary"] = _shown(boundary)
    trust = one.properties.get("AssumeRolePolicyDocument")
    if trust is not None and not any(open_in(trust)):
        rest["AssumeRolePolicyDocument"] = trust
    names = one.names(_PRINCIPALS[one.type])
    return Declaration(tuple(parts), names, one.called(), rest=rest, path=one.path, trusts=trust is not None)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _of_group(membership: _Resource) -> dict[str, str]:
    return _attachment(f"of group {_shown(membership.properties.get('GroupName'))}")


def _attachment(shown: str) -> dict[str, str]:
    """Return a policy that is named and not in the file: the judge says that it was not seen."""
    return {"PolicyArn": shown, "PolicyName": shown}


def _document(resource: _Resource) -> Part:
    document = resource.properties.get("PolicyDocument")
    name = resource.names(_POLICIES[resource.type])[0]
    return _told(policy(name, document, (*resource.path, "PolicyDocument")), resource)


def _told(part: Part, resource: _Resource) -> Part:
    return part if resource.perhaps is None else certain_only(part, resource.perhaps)


# --- intrinsic functions ---


def resolved(value: Any) -> Any:
    """Return a value with its functions replaced: by text where that is certain, else by what is open."""
    if isinstance(value, list):
        return [resolved(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1:
        ((name, given),) = value.items()
        if name == "Ref" or name.startswith("Fn::"):
            found = _static(name, given)
            return Open(_shown_function(name, given)) if found is None else found
    return {key: resolved(one) for key, one in value.items()}


def _static(name: str, given: Any) -> str | None:
    match name, given:
        case "Fn::Sub", str() if _VARIABLE.search(given) is None:
            return given.replace("${!", "${")
        case "Fn::Join", [str(joint), list(pieces)]:
            texts = [piece for piece in resolved(pieces) if isinstance(piece, str)]
            return joint.join(texts) if len(texts) == len(pieces) else None
    return None


def _pattern(value: Any) -> str:
    """Return a name as it is written, with `*` in place of what is open."""
    if isinstance(value, str):
        return "*" if is_placeholder(value) else value
    inner = mapping(value)
    match inner.get("Fn::Sub"), inner.get("Fn::Join"):
        case str(given) | [str(given), *_], _:
            return _VARIABLE.sub("*", given).replace("${!", "${")
        case _, [str(joint), list(pieces)]:
            return joint.join(_pattern(piece) for piece in pieces)
        case _:
            return "*"


def _shown_function(name: str, given: Any) -> str:
    inner = given if isinstance(given, str) else "…"
    return f"!{name.removeprefix('Fn::')} {inner}"[:200]


def _shown(value: Any) -> str:
    return value.text if isinstance(value, Open) else value if isinstance(value, str) else "that is no text"

"""What differs in a request and no other comparison explains.

DeepDiff is the net under the clouds' own comparison: any other leaf of `spec` that differs is listed, so that a
future field is never ignored in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.clouds.contract.grants import canonical, cloud_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from upgrade_gate.clouds.contract.grants import Cloud
    from upgrade_gate.requests.credentials_request import CredentialsRequest


class OtherLeaf(Struct, frozen=True):
    """Another leaf of spec that differs."""

    path: str
    before: Any
    after: Any
    harmless: bool


def unexplained(before: CredentialsRequest | None, after: CredentialsRequest) -> tuple[OtherLeaf, ...]:
    """Return every leaf of spec that differs and that no other comparison explains.

    A new request is compared with one that says nothing: what it asks for beyond grants, Secret, accounts and token
    path is as unexplained as a change. A kind that nobody knows is left to its Secret there.
    """
    new = _residue(after)
    cloud = cloud_of(after.provider_kind)
    emptied = {leaf.path: leaf for leaf in _emptied(before, after, cloud)} if cloud else {}
    if before is None:
        provider = {"apiVersion": after.provider_spec["apiVersion"]} if "apiVersion" in after.provider_spec else {}
        old: dict[str, Any] = {"providerSpec": provider} if cloud else new
    else:
        old = _residue(before)
    if _unordered(old) == _unordered(new):
        return tuple(emptied.values())
    from deepdiff import DeepDiff

    difference = DeepDiff(
        old, new, ignore_order=True, report_repetition=True, ignore_private_variables=False, view="tree"
    )
    harmless = cloud.HARMLESS if cloud else frozenset()
    leaves: dict[str, OtherLeaf] = emptied
    for level in (item for items in difference.values() for item in items):
        keys = level.path(output_format="list")
        path = ".".join(["spec", *(str(key) for key in keys)])
        known = len(keys) == 2 and keys[0] == "providerSpec" and keys[1] in harmless
        leaves[path] = OtherLeaf(path, _plain(level.t1), _plain(level.t2), harmless=known)
    if not leaves:  # the net has a hole: they differ, and nothing says where
        return (OtherLeaf("spec", old, new, harmless=False),)
    return tuple(leaves[path] for path in sorted(leaves))


def _emptied(before: CredentialsRequest | None, after: CredentialsRequest, cloud: Cloud) -> Iterator[OtherLeaf]:
    """Yield the lists that are empty now, where the current release asks for something, or a new request for nothing.

    No release ever empties a list: it is a template that was not filled in, or means what nobody can tell.
    """
    for field in cloud.FIELDS:
        held, left = before.provider_spec.get(field) if before else None, after.provider_spec.get(field)
        if left == [] and (held or ((before is None or before.grants) and not after.grants)):
            yield OtherLeaf(f"spec.providerSpec.{field}", _plain(held), [], harmless=False)


def _unordered(value: Any) -> str:
    """Return one text for values that are equal but for the order in lists."""
    if isinstance(value, dict):
        return canonical({key: _unordered(member) for key, member in value.items()})
    if isinstance(value, list):
        return canonical(sorted(_unordered(member) for member in value))
    return canonical(value)


def _plain(value: Any) -> Any:
    """Return a JSON value; DeepDiff's mark for a side that has nothing becomes None."""
    return value if isinstance(value, (str, int, float, bool, list, dict)) else None


def _residue(request: CredentialsRequest) -> dict[str, Any]:
    """Return what is left of spec when everything compared elsewhere is taken out."""
    rest = {k: v for k, v in request.spec.items() if k not in ("serviceAccountNames", "cloudTokenPath")}
    secret = rest.get("secretRef")
    if isinstance(secret, dict):
        more = _stated({k: v for k, v in secret.items() if k not in ("namespace", "name")})
        rest = {k: v for k, v in rest.items() if k != "secretRef"} | ({"secretRef": more} if more else {})
    cloud = cloud_of(request.provider_kind)
    fields: Mapping[str, frozenset[str] | None] = cloud.FIELDS if cloud else {}
    provider: dict[str, Any] = {}
    for key, value in request.provider_spec.items():
        if key == "kind":
            continue
        if key not in fields:
            provider[key] = value
            continue
        explained = fields[key]
        if explained is None or not isinstance(value, list):
            continue
        left = [{k: v for k, v in i.items() if k not in explained} if isinstance(i, dict) else i for i in value]
        if any(left):
            provider[key] = [item for item in left if item]
    rest["providerSpec"] = _stated(provider)
    return _stated(rest)


def _stated(fields: dict[str, Any]) -> dict[str, Any]:
    """Drop null members, which say nothing; an empty mapping or list says something in a Kubernetes API."""
    return {key: value for key, value in fields.items() if value is not None}

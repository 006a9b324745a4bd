"""The condition keys of one request: what identity and cluster decide, what is never there, what stays undecided.

Sources: the IAM user guide, global condition context keys; the service authorization reference for `ec2:Region` and
for the resource types that carry tags.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.clouds.aws.operators import moment
from upgrade_gate.clouds.aws.resources import has_one_endpoint
from upgrade_gate.clouds.aws.variables import KeyValue
from upgrade_gate.clouds.contract.context import CLUSTER_TAG, Context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.clouds.aws.resources import ResourceType

_GLOBAL = ("iam", "route53")
"""Called in us-east-1 in partition aws (IAM user guide, aws:RequestedRegion)."""
_ALSO_GLOBAL = ("sts", "tag")
"""Called in the region and in us-east-1: sts has a global endpoint, only there does tag list hosted zones."""
_PASSING = "iam:passrole"
"""Checked inside another call, which may be regional or not."""
_FIRST_REGION = "us-east-1"

ASSUMED = f"--assume {CLUSTER_TAG}"
"""What an answer rests on that takes the cluster's tags for granted."""
_TAG_PREFIXES = ("aws:resourcetag", "ec2:resourcetag", "elasticloadbalancing:resourcetag", "aws:requesttag")
_CLUSTER_TAG = "kubernetes.io/cluster/"
_VENDOR_TAG = "red-hat-managed"


class Caller(Struct, frozen=True):
    """The identity that makes the requests, as far as the export shows it."""

    arn: str | None
    kind: str
    """`role` or `user`."""
    account: str | None
    tags: Mapping[str, str] | None
    """Its tags by folded key; None where the export does not show them."""


class RequestKeys(Struct, frozen=True):
    """Looks up the condition keys of one request."""

    caller: Caller
    context: Context
    service: str
    called: str | None
    """The region in which the call is made, None where that is not known."""
    type: ResourceType | None
    """The type of the resource; None where the reference does not know the action."""
    owner: str | None
    """The account of the resource, None where it may be another one."""

    def __call__(self, key: str) -> Fact[KeyValue]:
        """Return the values of a key in this request."""
        folded = key.casefold()
        prefix, slash, tag = folded.partition("/")
        if slash and prefix == "aws:principaltag":
            return self._principal_tag(key, tag)
        if prefix in _TAG_PREFIXES:
            return self._resource_tag(key, prefix, tag)
        match folded:
            case "aws:principalarn":
                return _known(self.caller.arn, key)
            case "aws:principalaccount":
                return _known(self.caller.account, key)
            case "aws:principaltype":
                return Known(KeyValue(("AssumedRole" if self.caller.kind == "role" else "User",)))
            case "aws:principalisawsservice":
                return Known(KeyValue(("false",)))
            case "aws:securetransport":
                return Known(KeyValue(("true",)))
            case "aws:requestedregion":
                return _known(self.called, key, f"region {self.called}")
            case "ec2:region":
                return self._known_to_ec2(key)
            case "aws:resourceaccount":
                return _known(self.owner, key, f"account {self.owner}")
            case "aws:currenttime" | "aws:epochtime":
                return self._time(key)
            case _:
                return Unknown(f"nothing that was read of the cluster tells {key}")

    def _principal_tag(self, key: str, tag: str) -> Fact[KeyValue]:
        if self.caller.tags is None:
            return Unknown(f"the export does not show the tags of the {self.caller.kind}, which {key} needs")
        value = self.caller.tags.get(tag)
        return Absent() if value is None else Known(KeyValue((value,)))

    def _known_to_ec2(self, key: str) -> Fact[KeyValue]:
        if self.service != "ec2":
            return Absent()
        return _known(self.context.region, key, f"region {self.context.region}")

    def _time(self, key: str) -> Fact[KeyValue]:
        now = self.context.now
        if now is None:
            return Unknown(f"{key} depends on the time")
        try:
            at = moment(now)
        except ValueError:
            return Unknown(f"{key} depends on the time, and {now} is not a time")
        text = str(int(at.timestamp())) if key.casefold() == "aws:epochtime" else at.isoformat()
        return Known(KeyValue((text,), f"time {now}"))

    def _resource_tag(self, key: str, prefix: str, tag: str) -> Fact[KeyValue]:
        """Return the tag of a resource or a request, which the assumption decides where the type's row lists it."""
        infra = self.context.infrastructure_name
        value = {f"{_CLUSTER_TAG}{infra}".casefold(): "owned", _VENDOR_TAG: "true"}.get(tag)
        if infra is None or value is None or self.type is None:
            return Unknown(f"nothing that was read of the cluster tells {key}")
        if CLUSTER_TAG not in self.context.assume:
            return Unknown(f"{key} is known only with --assume {CLUSTER_TAG}")
        if prefix not in self.type.tag_keys:
            return Absent()
        return Known(KeyValue((value,), ASSUMED))


def _known(value: str | None, key: str, rests_on: str = "") -> Fact[KeyValue]:
    return Unknown(f"{key} is not known") if value is None else Known(KeyValue((value,), rests_on))


def regions_called(action: str, context: Context) -> tuple[str | None, ...]:
    """Return each region in which an action is called, None for one that is not known; all of them must do."""
    service = action.partition(":")[0].casefold()
    first = _FIRST_REGION if context.partition == "aws" else None
    if action.casefold() == _PASSING or service in _ALSO_GLOBAL:
        return tuple(dict.fromkeys((context.region, first)))
    if service in _GLOBAL:
        return (first,)
    if service == "s3" and context.bucket is not None and context.bucket.region is not None:
        return (context.bucket.region,)
    return (None,) if has_one_endpoint(service) else (context.region,)

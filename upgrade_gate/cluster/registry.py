"""What the image registry's Config says: the bucket that its images lie in."""

from __future__ import annotations

import re

from upgrade_gate.base.facts import Absent, Fact, Known, Unknown, known_or
from upgrade_gate.clouds.contract.context import Bucket
from upgrade_gate.cluster.cluster_version import conditions_of
from upgrade_gate.reading.node import Part

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ALIASES = ("-s3alias", "--ol-s3", "--x-s3")
"""Endings of names that stand for an access point or a directory bucket, whose ARNs are others."""


def bucket(body: Part, own: Fact[str]) -> Fact[Bucket]:
    """Return the bucket that the image registry keeps its images in; absent where it keeps none in a bucket.

    It is the only one that the registry and its operator ask for while the operator manages it and has found it:
    before that, and where the registry is removed, one of a new name may be made. Source:
    cluster-image-registry-operator `pkg/storage/s3`, openshift/api imageregistry/v1 `Config`.
    """
    spec = body["spec"].required()
    state, storage = spec["managementState"].text(), spec["storage"]
    if state == "Removed" or (storage["s3"].missing and storage.mapping()):
        return Absent()
    if others := sorted(set(storage.mapping()) - {"s3", "managementState"}):
        return Unknown(f"{storage.where} names s3 and {others[0]}, which contradict each other", read=True)
    s3, name = storage["s3"], storage["s3"]["bucket"].text()
    found = [c.status for c in conditions_of(body["status"]) if c.type == "StorageExists"]
    if state != "Managed":
        return Unknown(f"the operator does not manage the registry of {body.name}", read=True)
    if not name or body["status"]["storage"]["s3"]["bucket"].text() != name or found != ["True"]:
        return Unknown(f"{body.name} names no bucket that its operator has found", read=True)
    if s3["regionEndpoint"].text():
        return Unknown(f"{s3['regionEndpoint'].where} is set: the bucket may lie in another storage", read=True)
    if not _BUCKET.fullmatch(name) or name.endswith(_ALIASES):
        return Unknown(f"{s3['bucket'].where} is {name[:63]!r}, which is not a name of a bucket", read=True)
    region = s3["region"].text()
    elsewhere = region if region and region != known_or(own, None) else None
    return Known(Bucket(name, elsewhere, own=storage["managementState"].text() == "Managed"))

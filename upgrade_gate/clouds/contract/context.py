"""The cluster's own context: what decides conditions and says where a grant must hold (docs/contract.md#context).

What is None is not known, and whatever depends on it stays undecided: nothing here is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Sequence

CLUSTER_TAG = "cluster-tag"
"""The assumption that the cluster's resources carry its tag, and that its requests ask for it."""
ASSUMPTIONS = (CLUSTER_TAG,)


class Bucket(Struct, frozen=True):
    """The object storage that a component works with, and no other."""

    name: str
    region: str | None = None
    """Where it lies; None where that is the cluster's region."""
    own: bool = True
    """Whether the cluster made it, so that it is of the cluster's own account."""


class Context(Struct, frozen=True):
    """What is known of the cluster that will use a grant."""

    account: str | None = None
    """AWS account."""
    partition: str | None = None
    region: str | None = None
    infrastructure_name: str | None = None
    private_zone_role: str | None = None
    """ARN of the role that DNS `cluster` names for the private zone; the only one that is assumed."""
    bucket: Bucket | None = None
    """AWS: the one bucket that the component which needs the grant works with; it exists."""
    now: str | None = None
    """RFC 3339."""
    project: str | None = None
    """GCP project of the cluster."""
    dns_projects: tuple[str, ...] | None = None
    network_project: str | None = None
    node_service_accounts: tuple[str, ...] | None = None
    """Where it stands in `unread` too, there may be more of them."""
    resource_group_id: str | None = None
    """IBM Cloud resource group of the cluster."""
    vpc_group: str | None = None
    dns_instance_group: str | None = None
    cis_instance_group: str | None = None
    dns_instance: str | None = None
    """CRN of the DNS Services instance; documents may say in which group it is."""
    cis_instance: str | None = None
    """CRN of the Internet Services instance."""
    assume: tuple[str, ...] = ()
    """Assumptions that were accepted."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Why a field above is not known although the cluster has it: field name to the reason."""

    @property
    def moment(self) -> datetime | None:
        """The time that `now` says, None where it says none; without an offset it is UTC."""
        try:
            found = datetime.fromisoformat(self.now or "")
        except ValueError:
            return None
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def read_context(
    given: Mapping[str, Any] | None, assume: Sequence[str] = (), *, account: str | None = None
) -> Context | None:
    """Return a context given as a mapping, None where nothing is given at all.

    `account` stands where the mapping has none. Raises ValueError for a value of another type, or an assumption that
    nobody knows.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ValueError("context must be a mapping, or None")
    unknown = sorted(set(assume) - set(ASSUMPTIONS))
    if unknown:
        raise ValueError(f"assumption {unknown[0]!r} is not one of {', '.join(ASSUMPTIONS)}")
    if not given and not assume:
        return None
    known = {k: v for k, v in (given or {}).items() if k in Context.__struct_fields__ and v is not None}
    try:
        context = msgspec.convert({"account": account, **known, "assume": list(assume)}, Context)
    except msgspec.ValidationError as exc:
        raise ValueError(f"context: {exc}") from exc
    return context

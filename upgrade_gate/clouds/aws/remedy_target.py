"""The AWS role or user behind a Secret: its name where anything gives it, and what an export shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from upgrade_gate.clouds.aws import shapes
from upgrade_gate.clouds.aws.policies import decode
from upgrade_gate.clouds.contract.remedy import Placeholder, argv, file_name, variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.clouds.aws.account import Account, Principal
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

__all__ = ["ACCOUNT", "INLINE_LIMITS", "Target", "find", "partition_of"]

INLINE_LIMITS = {"role": 10_240, "user": 2_048}
"""Characters of all inline policies together, white space not counted (IAM quotas)."""
ACCOUNT = Placeholder("AWS_ACCOUNT_ID", "the AWS account, 12 digits", "[0-9]{12}")
_NAME_PATTERN = "[A-Za-z0-9+=,.@_-]{1,64}"
_LONGEST_STEM = 100
"""Of a managed policy's name, which may have 128 characters."""


@dataclass(frozen=True, slots=True)
class Target:
    """The role or user that gets the permissions, and what an export shows of it."""

    kind: str
    name: str
    """May be a placeholder's token."""
    secret: str
    base: str
    """Name for files."""
    partition: str
    account: str
    """May be a placeholder's token."""
    shown: Principal | None
    boundary: Any
    """The boundary's policy, None where there is none or the export lacks it."""
    managed: str
    """What the names of its managed policies begin with; no other identity's do, as policies are the account's."""
    taken: frozenset[str]
    """ARNs of managed policies that the export shows."""
    placeholders: tuple[Placeholder, ...]

    @property
    def who(self) -> str:
        """The role or user in words."""
        named = f"{self.kind} {self.name}" if self.named else ""
        return named or f"the {self.kind} behind Secret {self.secret}"

    @property
    def named(self) -> bool:
        """Whether its name is known; one that is filled in may be that of other Secrets too."""
        return "<FILL_ME" not in self.name

    @property
    def policy_name(self) -> str:
        """The inline policy that is written where none that stands is extended: ccoctl's where the role is known."""
        return self.name if self.kind == "role" and self.named else f"{self.base}-upgrade-gate"

    @property
    def limit(self) -> int:
        """How many characters all inline policies may have."""
        return INLINE_LIMITS[self.kind]

    def argv(self, action: str, **options: str) -> tuple[str, ...]:
        """Return an `aws iam` command about this role or user; `{}` in the action is its kind."""
        return argv(f"aws iam {action.format(self.kind)}", f"--{self.kind}-name", self.name, **options)

    def arn_of_policy(self, name: str) -> str:
        """Return the ARN of a managed policy of the account."""
        return f"arn:{self.partition}:iam::{self.account}:policy/{name}"

    @property
    def inline(self) -> tuple[str, Mapping[str, Any]] | None:
        """The inline policy that is to be extended: the one of the same name, else the only one."""
        held = self.shown.inline if self.shown else {}
        name = self.name if self.name in held else next(iter(held)) if len(held) == 1 else None
        body = decode(held[name]) if name is not None else None
        return (name, body) if name is not None and body is not None else None


def find(work: IdentityChange, site: ClusterNames) -> Target:
    """Return the role or user behind the first Secret of a piece of work."""
    read = shapes.Reader(site.account).read(list(site.documents)) if site.documents else None
    identity = work.identity or ""
    name, kind, partition = "", "role" if site.token else "user", partition_of(site)
    account = site.account or ""
    if identity.startswith("arn:"):
        parts = identity.split(":", 5)
        partition, account = parts[1], parts[4] or account
        kind, _, path = (parts[5] if len(parts) == 6 else "").partition("/")
        name = path.split("/")[0] if kind == "assumed-role" else path.rpartition("/")[2]
        kind = "role" if kind == "assumed-role" else kind
    elif read is not None and identity in read.access_keys:
        owners = {user for user, _ in read.access_keys[identity]}
        kind, name = "user", owners.pop() if len(owners) == 1 else ""
    elif identity and not identity.startswith(("AKIA", "ASIA")):
        name = identity.rpartition("/")[2]
    elif not identity and work.ccoctl and site.token:
        name = work.ccoctl
    if kind not in INLINE_LIMITS:
        kind, name = "role", ""
    placeholders: list[Placeholder] = []
    base = file_name(name) if name else work.label
    managed = file_name(name) if name else f"{site.infrastructure or 'openshift'}-{work.label}"
    if not name:
        placeholders.append(_unnamed(work, kind))
        name = placeholders[0].token
    if not account:
        account = ACCOUNT.token
        placeholders.append(ACCOUNT)
    shown = _shown(read, kind, name, account)
    boundary = read.policies.get(shown.boundary) if read is not None and shown is not None and shown.boundary else None
    return Target(
        kind=kind,
        name=name,
        secret=str(work.secrets[0]),
        base=base,
        partition=partition,
        account=account,
        shown=shown,
        boundary=boundary,
        managed=managed[:_LONGEST_STEM],
        taken=frozenset([*(read.policies if read else ()), *(shown.attached if shown else ())]),
        placeholders=tuple(placeholders),
    )


def _unnamed(work: IdentityChange, kind: str) -> Placeholder:
    key = f" (access key {work.identity}: aws iam get-access-key-last-used says whose)" if work.identity else ""
    return Placeholder(
        variable(f"AWS_{kind.upper()}", work.label),
        f"the name of the IAM {kind} behind Secret {work.secrets[0]}{key}",
        _NAME_PATTERN,
    )


def _shown(read: Account | None, kind: str, name: str, account: str) -> Principal | None:
    return read.find(kind, name, account if account.isdigit() else None) if read is not None else None


def partition_of(site: ClusterNames) -> str:
    """Return the partition of ARNs in the cluster's region."""
    region = site.region or ""
    return "aws-us-gov" if region.startswith("us-gov-") else "aws-cn" if region.startswith("cn-") else "aws"

"""The AWS role or user behind a Secret: its name where anything gives it, and what an export shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from upgrade_gate.base.steps import Placeholder, line, word
from upgrade_gate.clouds.aws import shapes, token_issuers
from upgrade_gate.clouds.aws.policies import decode, parse_policy
from upgrade_gate.clouds.aws.resources import partition_of_region
from upgrade_gate.clouds.contract.holdings import Coverage
from upgrade_gate.clouds.contract.remedy import file_name, json_file, variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.base.steps import BundleFile, CommandLine, Part, Word
    from upgrade_gate.clouds.aws.account import Account, Principal
    from upgrade_gate.clouds.aws.policies import Policy
    from upgrade_gate.clouds.contract.remedy import ClusterNames, IdentityChange

FOLDER = "aws"
INLINE_LIMITS = {"role": 10_240, "user": 2_048}
"""Characters of all inline policies together, white space not counted (IAM quotas)."""
ACCOUNT = Placeholder("AWS_ACCOUNT_ID", "the AWS account, 12 digits", "[0-9]{12}")
ISSUER = Placeholder(
    "OIDC_ISSUER_HOST",
    "the cluster's service account issuer without https://: oc get authentication cluster "
    "-o jsonpath={.spec.serviceAccountIssuer}",
    "[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?",
)
PARTITION = Placeholder(
    "AWS_PARTITION",
    "the partition of the cluster's region, which upgrade-gate does not know: what follows arn: in what aws sts "
    "get-caller-identity prints",
    "aws(-[a-z]+)*",
)
_NAME_PATTERN = "[A-Za-z0-9+=,.@_-]{1,64}"
_LONGEST_STEM = 100
"""Of a managed policy's name, which may have 128 characters."""


@dataclass(frozen=True, slots=True)
class Target:
    """The role or user that gets the permissions, and what an export shows of it."""

    kind: str
    name: str | Placeholder
    secret: str
    base: str
    """Name for files."""
    partition: Part
    account: str | Placeholder
    issuer: str
    """As condition keys spell it, or the mark of what must be filled in."""
    shown: Principal | None
    held: tuple[Policy, ...]
    """Every policy of its own that the export shows."""
    boundary: Any
    """The boundary's policy, None where there is none or the export lacks it."""
    managed: str
    """What the names of its managed policies begin with; no other identity's do, as policies are the account's."""
    taken: frozenset[str]
    """ARNs of managed policies that the export shows."""
    unknown: tuple[Placeholder, ...]
    refused: str = ""
    """Why its account takes no token of the cluster's issuer, where an export shows that it does not."""
    provided: bool = False
    """Whether the export shows the issuer's OIDC provider."""
    guessed: bool = False
    """Whether nobody said if it is a role or a user."""

    @property
    def who(self) -> str:
        """The role or user in words."""
        named = f"{self.kind} {self.name}" if self.named else ""
        guess = " (taken for a user: nobody said whether the cluster uses keys or tokens)" if self.guessed else ""
        return named or f"the {self.kind} behind Secret {self.secret}{guess}"

    @property
    def named(self) -> bool:
        """Whether its name is known; one that is filled in may be that of other Secrets too."""
        return isinstance(self.name, str)

    @property
    def policy_name(self) -> str:
        """The inline policy that is written where none that stands is extended: ccoctl's where the role is known."""
        return self.name if self.kind == "role" and isinstance(self.name, str) else f"{self.base}-upgrade-gate"

    @property
    def free_name(self) -> str:
        """The same, but for a policy of that name that nobody could read: what it says would be lost."""
        held = self.shown.inline if self.shown else {}
        numbered = (f"{self.base}-upgrade-gate-{n}" for n in count(2))
        return next(n for n in chain((self.policy_name, f"{self.base}-upgrade-gate"), numbered) if n not in held)

    @property
    def limit(self) -> int:
        """How many characters all inline policies may have."""
        return INLINE_LIMITS[self.kind]

    @property
    def provider(self) -> str:
        """The OIDC provider's ARN, as a document has it."""
        return f"arn:{self.partition}:iam::{self.account}:oidc-provider/{self.issuer}"

    @property
    def provider_word(self) -> Word:
        """The OIDC provider's ARN, as a command has it."""
        return word("arn:", self.partition, ":iam::", self.account, f":oidc-provider/{self.issuer}")

    def file(self, ending: str, body: Any) -> BundleFile:
        """Return a document of this identity."""
        return json_file(f"{FOLDER}/{self.base}-{ending}.json", body)

    def line(self, action: str, **options: str | Word) -> CommandLine:
        """Return an `aws iam` command about this role or user; `{}` in the action is its kind."""
        return line(f"aws iam {action.format(self.kind)}", f"--{self.kind}-name", self.name, **options)

    def arn_of_policy(self, name: str) -> Word:
        """Return the ARN of a managed policy of the account."""
        return word("arn:", self.partition, ":iam::", self.account, f":policy/{name}")

    @property
    def inline(self) -> tuple[str, Mapping[str, Any]] | None:
        """The inline policy that is to be extended: ccoctl's, an earlier bundle's, else the only one."""
        held = self.shown.inline if self.shown else {}
        listed = [name for name in (self.policy_name, f"{self.base}-upgrade-gate") if name in held]
        for name in listed or (list(held) if len(held) == 1 else ()):
            body = decode(held[name])
            if body is not None:
                return name, body
        return None


def find(change: IdentityChange, names: ClusterNames) -> Target:
    """Return the role or user behind the first Secret."""
    read = shapes.ExportReader(names.account).read(list(names.documents)) if names.documents else None
    identity = change.identity or ""
    name, kind, partition = "", "role" if names.token else "user", partition_of(names)
    account = names.account or ""
    if identity.startswith("arn:"):
        parts = identity.split(":", 5)
        partition, account = parts[1] or partition, parts[4] or account
        kind, _, path = (parts[5] if len(parts) == 6 else "").partition("/")
        name = path.split("/")[0] if kind == "assumed-role" else path.rpartition("/")[2]
        kind = "role" if kind == "assumed-role" else kind
    elif read is not None and identity in read.access_keys:
        owners = {user for user, _ in read.access_keys[identity]}
        kind, name = "user", owners.pop() if len(owners) == 1 else ""
    elif identity and not identity.startswith(("AKIA", "ASIA")):
        name = identity.rpartition("/")[2]
    elif not identity and change.ccoctl and names.token:
        name = change.ccoctl
    if kind not in INLINE_LIMITS:
        kind, name = "role", ""
    base = file_name(name) if name else change.label
    managed = file_name(name) if name else f"{names.infrastructure or 'openshift'}-{change.label}"
    unnamed = () if name else (_unnamed(change, kind),)
    shown = read.find(kind, name, account if account.isdigit() else None) if read is not None and name else None
    boundary = read.policy(shown.boundary) if read is not None and shown is not None and shown.boundary else None
    refused, provided = _refused(read, shown, names) if read is not None and shown is not None else ("", False)
    return Target(
        kind=kind,
        name=unnamed[0] if unnamed else name,
        secret=str(change.secrets[0]),
        base=base,
        partition=partition,
        account=account or ACCOUNT,
        issuer=names.issuer.removeprefix("https://") if names.issuer else str(ISSUER),
        shown=shown,
        held=_held(read, shown) if read is not None and shown is not None else (),
        boundary=boundary,
        managed=managed[:_LONGEST_STEM],
        taken=frozenset([*(read.policy_arns() if read else ()), *(shown.attached if shown else ())]),
        unknown=(*unnamed, PARTITION, ACCOUNT, ISSUER),
        refused=refused,
        provided=provided,
        guessed=kind == "user" and not identity and not names.token_known,
    )


def _refused(read: Account, shown: Principal, names: ClusterNames) -> tuple[str, bool]:
    """Return why the account takes no token of the cluster, and whether its issuer has a provider there."""
    if not names.issuer or shown.kind != "role":
        return "", False
    taken = token_issuers.judge(shown.arn, names.issuer, read.providers, read.provider_lists)
    host = names.issuer.removeprefix("https://")
    reason = taken.reason if taken.verdict is Coverage.MISSING else ""
    return reason, any(one.url == host for one in read.providers)


def _held(read: Account, shown: Principal) -> tuple[Policy, ...]:
    attached = (read.policy(arn) for arn in shown.attached)
    inline = (parse_policy(f"policy {name}", body) for name, body in sorted(shown.inline.items()))
    return (*inline, *(policy for policy in attached if policy is not None))


def _unnamed(change: IdentityChange, kind: str) -> Placeholder:
    key = f" (access key {change.identity}: aws iam get-access-key-last-used says whose)" if change.identity else ""
    return Placeholder(
        variable(f"AWS_{kind.upper()}", change.label),
        f"the name of the IAM {kind} behind Secret {change.secrets[0]}{key}",
        _NAME_PATTERN,
    )


def partition_of(names: ClusterNames) -> Part:
    """Return the partition of ARNs in the cluster's region, to be filled in for one that the SDK's list lacks."""
    if not names.region:
        return "aws"
    return partition_of_region(names.region) or PARTITION

"""AWS identities: roles and users with every policy that counts for them, from exports or live.

Sources: docs/facts/aws.md#coverage and docs/facts/aws.md#exports (evaluation logic of the IAM user guide; shapes as
`aws` prints them).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.base.facts import Unknown, known_or
from upgrade_gate.clouds.aws import shapes, token_issuers
from upgrade_gate.clouds.aws.account import Account, Principal, account_of
from upgrade_gate.clouds.aws.held import asks_for, in_policies
from upgrade_gate.clouds.aws.in_context import Question, requests_for
from upgrade_gate.clouds.aws.policies import Policy, Ruling, State, decode, parse_policy
from upgrade_gate.clouds.aws.remedy_documents import MANAGED_LIMIT, document, size
from upgrade_gate.clouds.aws.request_keys import ASSUMED, Caller
from upgrade_gate.clouds.aws.resources import partition_of_region
from upgrade_gate.clouds.aws.trust import judge_trust
from upgrade_gate.clouds.aws.vendor_sets import content_of
from upgrade_gate.clouds.contract.context import CLUSTER_TAG
from upgrade_gate.clouds.contract.holdings import WORST_FIRST, Coverage, CoverageResult, HeldGrants, PolicySize, unknown
from upgrade_gate.clouds.shared.vendor_table import vendor_table

if TYPE_CHECKING:
    from upgrade_gate.base.facts import Fact
    from upgrade_gate.clouds.contract.context import Bucket, Context
    from upgrade_gate.clouds.contract.grants import Grant, GrantType
    from upgrade_gate.clouds.contract.holdings import Document, VendorSet


DEFAULT_TYPE: GrantType = "action"
LONG_LISTS = shapes.LONG_LISTS

INLINE_LIMITS = {"role": 10_240, "user": 2_048, "group": 5_120}
"""Characters of all inline policies of one principal, white space not counted."""

_NO_ORGANISATION = "service control policies of the organisation were not supplied"
_KEY_POLICY = "the key policy, which must let the account in, was not seen"
_BUCKET_POLICY = "bucket policies were not seen"
_ANY_PARTITION = "arn:*:"
_TARGET = "whether the role that is assumed trusts this identity was not seen"
_SESSION = "session policies and VPC endpoint policies cannot be seen"
ASSUMPTION = f"it assumes ({ASSUMED}) that the cluster's resources, and its requests for new ones, carry its tag"
_NARROWER_FILTER = "export with `--filter Role User Group LocalManagedPolicy AWSManagedPolicy`, or without a filter"


def recognises(body: Any) -> bool:
    """Return whether a document has a shape that `aws` prints about IAM or the organisation."""
    return shapes.recognises(body)


def build(documents: Sequence[Document], account: str | None, context: Context | None = None) -> AwsHoldings:
    """Read the documents; those of another account are kept aside."""
    wanted = str(account) if account is not None else None
    return AwsHoldings(shapes.ExportReader(wanted).read(documents), wanted, context)


def placed(context: Context) -> Context:
    """Return the context with the partition of its region, by the SDK's own list."""
    if context.partition is not None or context.region is None:
        return context
    return replace(context, partition=partition_of_region(context.region))


def ccoctl_name(cluster: str, namespace: str, secret: str, request: str) -> str:
    """Return the name of the role that ccoctl makes (docs/facts/aws.md#ccoctl)."""
    del request
    return f"{cluster}-{namespace}-{secret}"[:64]


class _Gathered(Struct, frozen=True):
    """The policies that count for a principal, and what could not be seen of them."""

    policies: tuple[Policy, ...]
    unseen: tuple[str, ...]
    """What may allow more, or deny."""
    absent: tuple[str, ...]
    """What is named as the principal's own and is not there, as a boundary may be: a Deny may stand in it."""
    problems: tuple[str, ...]
    """What was supplied and cannot be understood."""


class AwsHoldings:
    """What the documents say about the identities of one AWS account."""

    def __init__(self, read: Account, wanted: str | None, context: Context | None = None) -> None:
        self._read = read
        self._wanted = wanted
        self._context = context
        self._gathered: dict[tuple[str, str, str | None], _Gathered] = {}

    def with_bucket(self, bucket: Fact[Bucket]) -> AwsHoldings:
        """Return the same holdings for a component that works with one bucket."""
        if self._context is None:
            return self
        unread = {**self._context.unread, **({"bucket": bucket.reason} if isinstance(bucket, Unknown) else {})}
        context = replace(self._context, bucket=known_or(bucket, None), unread=unread)
        placed = AwsHoldings(self._read, self._wanted, context)
        placed._gathered = self._gathered
        return placed

    @property
    def account(self) -> str | None:
        """The account that the documents belong to, None where they name none or several."""
        found = self._read.accounts
        return next(iter(found)) if len(found) == 1 else None

    def judge(self, identity: str, grant: Grant, scopes: Sequence[str]) -> CoverageResult:
        """Decide one required action for a role or user, by ARN, name or access key ID."""
        del scopes
        if grant.type != "action":
            return unknown(f"AWS grants actions, not a {grant.type}")
        if not grant.allows:
            return unknown(f"the request asks for the effect {grant.effect}, which no policy grants")
        found = self._locate(identity)
        if isinstance(found, CoverageResult):
            return found
        return self._decide(found, grant)

    def _decide(self, principal: Principal, grant: Grant) -> CoverageResult:
        gathered = self._gather(principal)
        grant = _in_own_partition(grant, principal)
        question = self._question(principal, grant)
        outcome = question.decide(gathered.policies)
        boundary, boundary_problem = self._boundary(principal)
        limit = question.decide([boundary]) if boundary is not None else None
        above = self._above(principal)
        organisation = self._organisation(question, above)
        for found in (outcome, limit, organisation):
            if found is not None and found.state is State.DENIED:
                return CoverageResult(Coverage.DENIED, found.reason)
        problems = (
            *gathered.problems,
            *(boundary.problems if boundary else ()),
            *(problem for _, policy in above for problem in policy.problems),
        )
        if problems:
            return unknown(problems[0])
        unseen = (*gathered.absent, *gathered.unseen)
        if outcome.state is State.NOT_ALLOWED and not unseen:
            return CoverageResult(Coverage.MISSING, outcome.reason)
        for found, who in (
            (limit, f"the permissions boundary {principal.boundary}"),
            (organisation, "the organisation"),
        ):
            if found is not None and found.state is State.NOT_ALLOWED:
                return CoverageResult(Coverage.MISSING, f"{who} does not allow it: {found.reason}")
        if unseen and outcome.state is not State.ALLOWED and not outcome.maybe_denied:
            return CoverageResult(Coverage.MISSING, outcome.reason).unless(unseen[0])
        for found in (outcome, limit, organisation):
            if found is not None and found.state is State.PARTLY:
                return CoverageResult(Coverage.NARROWER, found.reason)
        for doubt in (*gathered.absent, boundary_problem, self._level_without(question, above)):
            if doubt is not None:
                return CoverageResult(Coverage.COVERED, outcome.reason).unless(doubt)
        caveats = self._caveats(principal, grant, gathered)
        assumed = any(ASSUMED in each.rests_on for each in (outcome, limit, organisation) if each is not None)
        return _covered(outcome.reason, caveats, assumed=assumed)

    def _question(self, principal: Principal, grant: Grant) -> Question:
        if self._context is None:
            return Question(grant)
        arn = principal.arn
        tags = principal.tags[0] if len(principal.tags) == 1 else None
        context = self._context
        if context.account is None:
            context = replace(context, account=account_of(arn))
        return Question(grant, requests_for(grant, Caller(arn, principal.kind, account_of(arn), tags), context))

    def _caveats(self, principal: Principal, grant: Grant, gathered: _Gathered) -> tuple[str, ...]:
        lines = list(gathered.unseen)
        if principal.boundary is None and not principal.boundary_seen:
            lines.append(f"whether {principal.name} has a permissions boundary was not seen")
        lines += self._read.joined_by_chance
        seen = bool(_control_policies(self._read.organisation)) and not self._read.organisation_unread
        if not seen and not self._manages(principal):
            lines.append(_NO_ORGANISATION)
        action = grant.permission.casefold()
        if action.startswith("kms:"):
            lines.append(_KEY_POLICY)
        elif action.startswith("s3:"):
            lines.append(_BUCKET_POLICY)
        elif action == "sts:assumerole":
            lines.append(_TARGET)
        lines.append(_SESSION)
        return tuple(lines)

    def _locate(self, identity: str) -> Principal | CoverageResult:
        """Return the principal, or why nothing can be said of it."""
        named = identity
        if not identity.startswith("arn:") and identity in self._read.access_keys:
            known = self._read.access_keys[identity]
            if len(known) > 1:
                return unknown(f"two documents disagree about access key {identity}")
            ((user, status),) = known
            if not status:
                return unknown(f"the export does not say whether access key {identity} is active")
            if status != "Active":
                return CoverageResult(Coverage.MISSING, f"access key {identity} of user {user} is not active: {status}")
            named = f"user/{user}"
        kind, name, account = parse_identity(named)
        if self._wanted is not None and account not in (None, self._wanted):
            return unknown(f"{identity} belongs to account {account}, not to {self._wanted}")
        if kind is None and all(self._read.find(k, name, self._wanted) for k in ("role", "user")):
            return unknown(f"{name} is both a role and a user; an ARN tells which one is meant")
        principal = self._find(kind, name, account or self._wanted, identity)
        reasons = [*self._read.cut]
        if principal is None:
            reasons += [*self._read.foreign, *self._read.cut_lists, f"the export holds nothing about {identity}"]
        elif principal.conflicts:
            reasons += principal.conflicts
        if reasons:
            return unknown(reasons[0])
        assert principal is not None  # noqa: S101 - a missing principal has a reason
        return principal

    def _find(self, kind: str | None, name: str, account: str | None, identity: str) -> Principal | None:
        if kind == "assumed-role":
            return self._read.find("role", name, account)
        for candidate in (kind,) if kind is not None else ("role", "user"):
            principal = self._read.find(candidate, name, account)
            if principal is not None and (not identity.startswith("arn:") or principal.arn in (None, identity)):
                return principal
        return None

    def _gather(self, principal: Principal) -> _Gathered:
        key = (principal.kind, principal.name, principal.arn)
        if key not in self._gathered:
            self._gathered[key] = self._collect(principal)
        return self._gathered[key]

    def _collect(self, principal: Principal) -> _Gathered:
        policies: list[Policy] = []
        unseen: list[str] = []
        absent: list[str] = []
        account = account_of(principal.arn)
        holders = [principal]
        for group in sorted(principal.groups):
            holder = self._read.find("group", group, account)
            if holder is None:
                absent.append(f"the policies of group {group} are not in the export")
            else:
                holders.append(holder)
        for holder in holders:
            label = f"{holder.kind} {holder.name}"
            policies += [parse_policy(f"policy {n} of {label}", d) for n, d in sorted(holder.inline.items())]
            for arn, name in sorted(holder.attached.items()):
                policy = self._read.policy(arn)
                if policy is not None:
                    policies.append(policy)
                elif arn in self._read.versions:
                    what = f"the default version of policy {name}"
                    absent.append(f"{what} attached to {label} is not in the export; {_NARROWER_FILTER}")
                else:
                    absent.append(f"policy {name} attached to {label} is not in the export; {_NARROWER_FILTER}")
            absent += [f"inline policy {name} of {label} is not in the export" for name in sorted(holder.named)]
            if not holder.inline_seen:
                unseen.append(f"not every inline policy of {label} is in the export")
            if not holder.attached_seen:
                unseen.append(f"the policies attached to {label} are not in the export")
        if principal.kind == "user" and not principal.groups_seen:
            unseen.append(f"the groups of user {principal.name} are not in the export")
        problems = [problem for holder in holders for problem in (*holder.problems, *holder.conflicts)]
        problems += [problem for policy in policies for problem in policy.problems]
        return _Gathered(tuple(policies), tuple(unseen), tuple(absent), tuple(problems))

    def _boundary(self, principal: Principal) -> tuple[Policy | None, str | None]:
        """Return the boundary's document, and why there is none although the principal has one."""
        if principal.boundary is None:
            return None, None
        policy = self._read.policy(principal.boundary)
        if policy is None:
            return None, f"its permissions boundary {principal.boundary} is not in the export"
        return policy, None

    def _above(self, principal: Principal) -> Sequence[tuple[str, Policy]]:
        """Return the organisation policies that count: none in the account that manages the organisation.

        Source: AWS Organizations user guide, tasks and entities not restricted by SCPs (and by RCPs).
        """
        return () if self._manages(principal) else self._read.organisation

    def _manages(self, principal: Principal) -> bool:
        return self._read.managing == {account_of(principal.arn)}

    def _organisation(self, question: Question, above: Sequence[tuple[str, Policy]]) -> Ruling | None:
        """Return what the organisation policies that were supplied say, None where they stand in nothing's way.

        A Deny in any of them wins. Each level must allow as well; where the supplied service control policies allow
        things at all, they must allow this. In a cluster's context each of those that allow things must.
        """
        denial = question.denies([policy for _, policy in above])
        if denial is not None and denial.state is State.DENIED:
            return denial
        control = _control_policies(above)
        allowing = [p for p in control if any(s.allow for s in p.statements)]
        levels = [[p] for p in allowing] if question.requests else [control] if allowing else []
        least = max((question.decide(level) for level in levels), key=lambda o: o.state, default=None)
        return denial if least is None or least.state is State.ALLOWED else least

    @staticmethod
    def _level_without(question: Question, above: Sequence[tuple[str, Policy]]) -> str | None:
        """Return why some level of the organisation may not allow it: which policy hangs where is not known."""
        for policy in _control_policies(above):
            if any(s.allow for s in policy.statements) and question.decide([policy]).state is not State.ALLOWED:
                return f"{policy.name} does not allow it, and every level of the organisation must"
        return None

    def trust(self, identity: str, issuer: str, subjects: Sequence[str]) -> CoverageResult:
        """Decide whether a role's trust policy admits every subject of the issuer; a user has no trust policy."""
        found = self._locate(identity)
        if isinstance(found, CoverageResult):
            return found
        if found.kind != "role":
            return unknown(f"{found.kind} {found.name} has no trust policy")
        trusted = judge_trust(found.name, found.trust, account_of(found.arn), issuer, subjects)
        taken = token_issuers.judge(found.arn, issuer, self._read.providers, self._read.provider_lists)
        worst = min(trusted, taken, key=lambda r: WORST_FIRST.index(r.verdict))
        return replace(worst, caveats=taken.caveats) if worst.verdict is Coverage.COVERED else worst

    def held(self, identity: str) -> HeldGrants | CoverageResult:
        """Return every action that a role or user is allowed, as its policies write it."""
        found = self._locate(identity)
        if isinstance(found, CoverageResult):
            return found
        gathered = self._gather(found)
        boundary, problem = self._boundary(found)
        unseen = (*gathered.absent, *gathered.unseen, *gathered.problems, *([problem] if problem else ()))
        return HeldGrants(in_policies(gathered.policies, boundary), tuple(dict.fromkeys(unseen)))

    def asks_for(self, required: Sequence[Grant], held: Grant) -> bool:
        """Return whether what is required contains a held action."""
        return asks_for(required, held)

    def vendor_sets(self, identity: str, releases: Sequence[Sequence[Grant]]) -> tuple[VendorSet, ...]:
        """Return the policies of a role or user that a vendor publishes.

        An inline policy that gives just what a release asks for is ccoctl's, whatever it equals besides; a vendor's are
        managed policies.
        """
        found = self._locate(identity)
        if isinstance(found, CoverageResult):
            return ()
        managed = [self._read.policy(arn) for arn in found.attached]
        table = vendor_table(__package__)
        letters = [{g.permission.casefold() for g in asked} for asked in releases]
        required = releases[-1] if releases else ()
        known: list[VendorSet] = []
        for policy in self._gather(found).policies:
            content = content_of(policy)
            named = {name for s in policy.statements for name in s.actions.allows}
            made_for_it = named in letters and policy not in managed
            if made_for_it or not table.known(policy.name, content):
                continue
            decided = [(g.permission, self._question(found, g).decide([policy])) for g in required if g.allows]
            lacks = tuple(sorted({name for name, outcome in decided if outcome.state is State.NOT_ALLOWED}))
            known += table.known(policy.name, content, lacks)
        return tuple(known)

    def find_by_ccoctl_name(self, name: str) -> str | None:
        """Return the ARN of the role of that name, None where there is none or several."""
        principal = self._read.find("role", name, self._wanted)
        return principal.arn if principal is not None else None

    def resolve(self, identity: str) -> str | None:
        """Return the ARN of a role or user given by ARN, name or access key ID; an ARN is one as it is."""
        found = self._locate(identity)
        if isinstance(found, CoverageResult) or found.arn is None:
            return identity if identity.startswith("arn:") else None
        return found.arn

    def sizes(self, identity: str, required: Sequence[Grant]) -> tuple[PolicySize, ...]:
        """Return the limit that would be exceeded if what is missing were added to the identity's own policies."""
        found = self._locate(identity)
        if isinstance(found, CoverageResult):
            return ()
        held = self._gather(found).policies
        missing = [g for g in required if self._question(found, g).decide(held).state is not State.ALLOWED]
        if not missing:
            return ()
        delta = size(document(missing))
        total = sum(map(_length, found.inline.values())) + delta
        limit = INLINE_LIMITS[found.kind]
        sizes = []
        if total > limit:
            sizes.append(PolicySize(f"inline policies of {found.kind} {found.name}", total, limit))
        for arn in sorted(found.attached):
            grown = _length(self._read.documents.get(arn)) + delta
            if account_of(arn) is not None and arn in self._read.documents and grown > MANAGED_LIMIT:
                sizes.append(PolicySize(f"managed policy {arn}", grown, MANAGED_LIMIT))
        return tuple(sizes)


def _control_policies(above: Sequence[tuple[str, Policy]]) -> list[Policy]:
    return [policy for kind, policy in above if kind == "SERVICE_CONTROL_POLICY"]


def _in_own_partition(grant: Grant, principal: Principal) -> Grant:
    """Return the grant with its resource in the identity's partition, where it names any: there are no others there."""
    resource, own = grant.resource or "", (principal.arn or "").partition(":")[2].partition(":")[0]
    if not own or not resource.startswith(_ANY_PARTITION):
        return grant
    return replace(grant, resource=f"arn:{own}:{resource.removeprefix(_ANY_PARTITION)}")


def _covered(reason: str, caveats: tuple[str, ...], *, assumed: bool) -> CoverageResult:
    if not assumed:
        return CoverageResult(Coverage.COVERED, reason, caveats)
    return CoverageResult(Coverage.COVERED, reason, (ASSUMPTION, *caveats), assumed=(CLUSTER_TAG,))


def parse_identity(identity: str) -> tuple[str | None, str, str | None]:
    """Return kind (None: not said), name, and account of an ARN, a `kind/name`, or a bare name."""
    if identity.startswith("arn:"):
        parts = identity.split(":", 5)  # the path of a role may hold colons
        kind, _, path = (parts[5] if len(parts) == 6 else "").partition("/")
        name = path.split("/")[0] if kind == "assumed-role" else path.rpartition("/")[2]
        return kind, name, account_of(identity)
    for kind in ("role", "user"):
        if identity.startswith(f"{kind}/"):
            return kind, identity.removeprefix(f"{kind}/"), None
    return None, identity, None


def _length(given: Any) -> int:
    """Return the characters of a document as IAM counts them, none where it cannot be read."""
    body = decode(given)
    return size(body) if body is not None else 0

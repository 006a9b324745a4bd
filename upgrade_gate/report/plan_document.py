"""What `plan` answers: schema `upgrade-gate/plan/v1`. Within v1 only keys and enum members are added."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from upgrade_gate.report.document import Tool
from upgrade_gate.report.grant_document import GrantView

SCHEMA = "upgrade-gate/plan/v1"
Held: TypeAlias = Literal["yes", "no", "unknown", "acknowledged", "declared", "minted"]
Answer: TypeAlias = Literal["pass", "blocked", "undetermined"]


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every part of the document."""


class Question(_Struct, frozen=True):
    """What was asked."""

    to_minor: str | None
    """The minor release that `--to-minor` names; null: the updates that are offered."""
    source: str
    """Where the updates come from: the cluster, or update graphs by name."""


class Cluster(_Struct, frozen=True):
    """The cluster that was read."""

    id: str | None
    """`spec.clusterID` of ClusterVersion."""
    name: str | None
    """The infrastructure's name."""
    api_url: str | None
    """Address of the API server."""
    source: str
    """`live`, a snapshot or a dump, by name."""
    collected: str | None
    """When a snapshot or dump was made."""


class Start(_Struct, frozen=True):
    """The release before every update."""

    version: str
    """As release-metadata says it, else as the cluster or the call does."""
    reference: str
    """As it was given, or what a version was resolved to; without credentials."""
    digest: str | None
    """`sha256:…`; null where the form has none, or it was not read."""


class _Asked(_Struct, frozen=True):
    request: str
    """`namespace/name` of the CredentialsRequest."""
    component: str
    """The component as people call it."""
    secret: str | None
    """`namespace/name` of its Secret."""
    held: Held
    """Whether it is there today.

    `unknown` is not shown, `acknowledged` accepted, `declared` said by policy files, `minted` done by CCO itself.
    """
    only_on_the_way: bool
    """Whether the target does not ask for it: it may go again once the cluster runs the target for good."""


class NewGrant(_Asked, frozen=True):
    """A permission that a release of the path newly asks for."""

    grant: GrantView
    """What is asked for."""


class NewSecret(_Asked, frozen=True):
    """A Secret that a release of the path newly reads."""


class NewTrust(_Asked, frozen=True):
    """Service accounts that an identity newly has to trust."""

    service_accounts: list[str]
    """Their names, in the namespace of the Secret."""


class OpenFinding(_Struct, frozen=True):
    """A finding that keeps the verdict from pass, as `check` reports it."""

    rule: str
    """Its id."""
    severity: Literal["blocker", "unknown", "warning"]
    """After the policy of the configuration; a warning only under `--fail-on warning`."""
    fingerprint: str
    """What an acknowledgement names."""
    headline: str
    """One sentence."""


class Conditional(_Struct, frozen=True, rename={"from_": "from"}):
    """A conditional update on a path."""

    from_: str
    """The version before it."""
    to: str
    """The version after it."""
    risks: list[str]
    """Each as `name: message`."""


class Path(_Struct, frozen=True):
    """The paths to one target that come to the same; one of them stands for all."""

    to: str
    """The target."""
    stops: list[str]
    """Versions from start to target: fewest conditional updates, then fewest stops."""
    paths: int
    """How many paths come to the same; 2^53 - 1 stands for more."""
    conditional: list[Conditional]
    """The conditional updates of the path that is named."""
    least: bool
    """Whether no other path to this target that was judged is less work."""


class Work(_Struct, frozen=True):
    """How much is left to do, or to show."""

    permissions: int
    """Permissions that are not shown to be held."""
    secrets: int
    """Secrets that are not shown to be there."""
    trust: int
    """Identities that are not shown to trust a new service account."""
    other: int
    """Other findings that keep the verdict from pass; that CCO waits for its annotation is none."""

    @property
    def total(self) -> int:
        """All of it."""
        return self.permissions + self.secrets + self.trust + self.other


class Option(_Struct, frozen=True):
    """Updates that come to the same."""

    number: int
    """From 1, least work first."""
    status: Answer
    """The verdict of `check` on each of its paths."""
    basis: Literal["proven", "declared", "assumed"]
    """Whether what does not change was proven too, or is declared by policy files."""
    next: Literal["remediate", "annotate", "upgrade", "check-cluster", "retry", "none"]
    """The next step."""
    work: Work
    """What is left to do."""
    targets: list[str]
    """Versions, in order."""
    grants: list[NewGrant]
    """New permissions, those that are held too."""
    secrets: list[NewSecret]
    """New Secrets."""
    trust: list[NewTrust]
    """New trust."""
    findings: list[OpenFinding]
    """What keeps the verdict from pass on any of its paths."""
    unread: list[str]
    """Versions on the paths that were not read, so that nothing can be told."""
    paths: list[Path]
    """One for each target."""


class Target(_Struct, frozen=True):
    """A release that the cluster can get to."""

    version: str
    """Its version."""
    status: Answer
    """The verdict on its least work."""
    option: int
    """The number of the first option with the least work."""
    paths: int
    """How many paths lead there; 2^53 - 1 stands for more."""
    left_out: int
    """How many of these were not judged, since there are too many."""


class Unread(_Struct, frozen=True):
    """A release that was not read: nothing is told of what leads through it."""

    version: str
    """As the graph or the cluster calls it."""
    reference: str
    """Where it should be."""
    reason: str
    """Why it was not read."""
    hint: str | None
    """What to do about it."""


class Plan(_Struct, frozen=True):
    """The document."""

    schema: str
    """`upgrade-gate/plan/v1`."""
    tool: Tool
    """What wrote it."""
    generated: str
    """When, or SOURCE_DATE_EPOCH."""
    labels: dict[str, str]
    """What `--label` gave."""
    now: str | None
    """The time given by --now; null when the real clock was used."""
    question: Question
    """What was asked."""
    start: Start
    """The release before every update."""
    platform: str
    """As Infrastructure spells it; empty where it is not known."""
    mode: str
    """`manual`, `mint`, `passthrough` or `unknown`."""
    credentials: str
    """`keys`, `token`, `none` or `unknown`."""
    cluster: Cluster | None
    """Null without a cluster."""
    exit_code: Literal[0, 4]
    """0 where every target could be judged."""
    summary: str
    """The answer in one sentence."""
    targets: list[Target]
    """Every release that the cluster can get to, oldest first."""
    options: list[Option]
    """Least work first."""
    unread: list[Unread]
    """Releases that were not read."""
    assumptions: list[str]
    """What every verdict takes for granted."""
    notes: list[str]
    """What the reader should know about the sources."""


def encode(plan: Plan) -> bytes:
    """Return the answer as indented JSON, keys in the order of the schema."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of the answer."""
    document: dict[str, Any] = msgspec.json.schema(Plan)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}", **document}

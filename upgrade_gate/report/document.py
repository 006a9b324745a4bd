"""The one document that every format renders: schema `upgrade-gate/v1` (docs/contract.md#reports).

Every key is always present. Within v1 only keys and enum members are added; consumers must ignore what they do
not know.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from upgrade_gate.report.grant_document import GrantView
from upgrade_gate.report.identities_document import IdentitiesView
from upgrade_gate.report.rollback_document import RollbackView

SCHEMA = "upgrade-gate/v1"


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every part of the document."""


class Tool(_Struct, frozen=True):
    """What wrote the report."""

    name: str
    """`upgrade-gate`."""
    version: str
    """Its version."""


class Release(_Struct, frozen=True):
    """One end of a hop."""

    version: str
    """As release-metadata says it."""
    reference: str
    """As it was given, or what a version was resolved to; without credentials."""
    digest: str | None
    """`sha256:…` of the manifest; null where the form has none."""
    verified: bool
    """Whether a valid signature of the release was checked."""
    verification: str = ""
    """Who signed, or why nothing is said about a signature."""
    pullspec: str | None = None
    """Repository with digest; null where it is not known."""


class Hop(_Struct, frozen=True, rename={"from_": "from"}):
    """One update from one release to the next."""

    from_: Release
    """The release before."""
    to: Release
    """The release after."""
    kind: Literal["patch", "minor", "major", "skip", "downgrade", "none"]
    """What kind of update it is (docs/contract.md#kinds-of-update)."""


class CapabilitySelection(_Struct, frozen=True):
    """Capabilities of the target."""

    enabled: list[str]
    """All that count as enabled."""
    implicit: list[str]
    """Those that the update enables by itself."""


class Excluded(_Struct, frozen=True):
    """A request that a release carries and does not apply here, with the reason."""

    side: Literal["from", "to"]
    """Of which release."""
    request: str
    """`namespace/name`."""
    reason: str
    """`platform`, `profile`, `capability`, `delete`, or the other filter that left it out."""
    detail: str
    """The reason in words."""
    file: str
    """The manifest's file."""
    hop: int = 0
    """Index in `hops`."""


class Selection(_Struct, frozen=True):
    """By what the requests were selected."""

    profile: str
    """The cluster profile."""
    feature_set: str
    """`Default` or another."""
    feature_gates: list[str]
    """Those that are on in the target."""
    capabilities: CapabilitySelection
    """Those of the target."""
    excluded: list[Excluded]
    """Every request of a release that is not applied here."""


class Requests(_Struct, frozen=True, rename={"from_": "from"}):
    """Requests that take part (applied, unannotated or overridden) of the first and the last release, sorted."""

    from_: list[str]
    """Of the current release."""
    to: list[str]
    """Of the target."""


class Pair(_Struct, frozen=True, rename={"from_": "from"}):
    """A value on both sides; null on the side that has none."""

    from_: str | None
    """In the current release."""
    to: str | None
    """In the target."""


class ChangeSelection(_Struct, frozen=True, rename={"from_": "from"}):
    """Whether each side applies the request, and why that changed."""

    from_: str
    """`applied`, `unannotated`, `overridden`, `absent` or `excluded`."""
    to: str
    """The same of the target."""
    why: str
    """Why it changed, in words."""


class Names(_Struct, frozen=True):
    """Names that came and went."""

    added: list[str]
    """Only in the target."""
    removed: list[str]
    """Only in the current release."""


class GrantDiff(_Struct, frozen=True):
    """Grants that came and went; widened and narrowed ones have the old in removed, the new in added."""

    added: list[GrantView]
    """Only in the target."""
    removed: list[GrantView]
    """Only in the current release."""


class OtherChange(_Struct, frozen=True, rename={"from_": "from", "class_": "class"}):
    """Any other leaf of spec that differs."""

    path: str
    """Of the leaf, such as `spec.providerSpec.skipServiceCheck`."""
    from_: Any
    """Its value in the current release."""
    to: Any
    """Its value in the target."""
    class_: Literal["harmless", "unclassified"]
    """`unclassified` is a finding."""


class ChangeView(_Struct, frozen=True):
    """One changed request."""

    request: str
    """`namespace/name`, in the target where it is there."""
    kind: Literal["added", "removed", "renamed", "changed"]
    """What became of it."""
    was: str | None
    """Of a renamed request: its name in the current release."""
    hop: int
    """Index in `hops`."""
    provider: str
    """Kind of the provider spec."""
    selection: ChangeSelection
    """Whether each side applies it."""
    secret: Pair
    """`namespace/name` of the Secret on each side."""
    service_accounts: Names
    """Accounts that came and went."""
    token_path: Pair
    """`cloudTokenPath` on each side."""
    permissions: GrantDiff
    """Grants that came and went."""
    other: list[OtherChange]
    """Everything else of the spec that differs."""
    files: Pair
    """Manifest file on each side."""


class FactView(_Struct, frozen=True):
    """One fact of the cluster."""

    name: str
    """What was read."""
    state: Literal["known", "absent", "unknown"]
    """`absent` is known not to be there, `unknown` could not be read."""
    value: Any
    """Null unless it is known."""
    reason: str | None
    """Why it is unknown."""
    remedy: str | None = None
    """What would make it known."""


class ClusterView(_Struct, frozen=True):
    """The cluster that the verdict is about."""

    id: str | None
    """`spec.clusterID` of ClusterVersion."""
    version: str | None
    """The running release."""
    name: str | None
    """The infrastructure's name."""
    api_url: str | None
    """Address of the API server."""
    source: str
    """`live`, a snapshot or a dump, by name."""
    collected: str | None
    """When a snapshot or dump was made."""
    facts: list[FactView]
    """Every fact that was asked for."""


class NeedView(_Struct, frozen=True):
    """One thing that a finding asks for."""

    kind: str
    """`namespace`, `secret`, `keys`, `grants`, `trust`, `token-path` or `decision`."""
    status: Literal["met", "declared", "unmet", "unknown"]
    """The worst of all that it stands for; `declared`: policy files say so, and nothing shows it."""
    detail: str
    """Each grant or key, in words."""
    in_short: str | msgspec.UnsetType = msgspec.UNSET
    """The same for people: equal reasons once, and no list of what all share; not published."""
    of_each: dict[str, Literal["declared", "unmet", "unknown"]] | msgspec.UnsetType = msgspec.UNSET
    """Where it is judged one by one, each permission that is not shown to be held; not published."""


class IdentityView(_Struct, frozen=True):
    """The identity that serves the secretRef, and how it was found."""

    id: str
    """As the cloud spells it."""
    source: str
    """The Secret, the configuration, ccoctl's naming, or the policy files that declare it."""


class EvidenceView(_Struct, frozen=True):
    """A place that shows the finding."""

    side: Literal["from", "to", "cluster", "policy"]
    """Where it is."""
    file: str
    """File of the release, object of the cluster, or policy file."""
    document: int
    """Number of the document in the file, from 0."""
    line: int
    """From 1."""


class RemedyView(_Struct, frozen=True):
    """One step of the remedy."""

    step: str
    """What to do, in words."""
    when: Literal["before", "after"]
    """Before or after the upgrade."""
    argv: list[str]
    """The command, word by word; empty where it is none."""
    placeholders: list[str]
    """Values in it that only you know."""
    file: str | None
    """The file of the bundle that it needs."""
    number: int | None = None
    """Its number in the bundle's README.md and commands.sh; null for a step that no bundle has."""
    update: str | None = None
    """On a path the version that the update leads to before or after which it is taken; null where there is one."""
    condition: str | msgspec.UnsetType = msgspec.UNSET
    """The condition that `step` ends with, for formats that show it apart; not published."""

    @property
    def moment(self) -> str:
        """When it is taken, in words: before or after the upgrade, or one update of a path."""
        return f"{self.when} the {f'update to {self.update}' if self.update else 'upgrade'}"


class AcknowledgementView(_Struct, frozen=True):
    """Who accepted the finding, why and until when."""

    reason: str
    """Why it was accepted."""
    owner: str
    """Who answers for it."""
    expires: str
    """Last day on which it counts, UTC."""
    reference: str | None
    """Where the decision is recorded."""
    expired: bool
    """Then the finding is open again."""


class FindingView(_Struct, frozen=True):
    """One finding."""

    rule: str
    """Its stable id."""
    severity: Literal["blocker", "unknown", "warning", "info"]
    """After the policy of the configuration."""
    status: Literal["open", "acknowledged", "proven", "declared"]
    """Only open findings weigh; `declared`: policy files say that every need is met, and nothing shows it."""
    guard: Literal["missed", "stopped"] | None
    """Whether CCO or CVO would have stopped the upgrade because of it; null where the question has no meaning."""
    guard_reason: str | None
    """Why, in words."""
    fingerprint: str
    """16 hexadecimal digits: what an acknowledgement names."""
    headline: str
    """One sentence that stands alone."""
    hop: int
    """Index in `hops`."""
    request: str | None
    """`namespace/name`; null where it is not about a request."""
    component: str | None
    """Name of the request."""
    secret: str | None
    """`namespace/name` of its Secret."""
    grants: list[GrantView]
    """Those that it is about."""
    needs: list[NeedView]
    """What would close it."""
    caveats: list[str]
    """What the proof cannot show."""
    identity: IdentityView | None
    """Which identity it is about, where that is known."""
    evidence: list[EvidenceView]
    """Places that show it."""
    remedy: list[RemedyView]
    """Steps that close it."""
    acknowledgement: AcknowledgementView | None
    """The one that names it, an expired one too."""
    subject: str
    """The request or fact that the finding is about."""
    acknowledgeable: bool = True
    """Whether an acknowledgement can close it (docs/contract.md#acknowledgements)."""
    needed_until: str | None = None
    """Where a path needs what it asks for only in between: the version from which on nothing does; else null."""


class Count(_Struct, frozen=True):
    """Findings of one severity by status."""

    open: int
    """They weigh."""
    acknowledged: int
    """They were accepted."""
    proven: int
    """Every need is met."""
    declared: int = 0
    """Policy files say that every need is met, and nothing shows it."""


class Table(_Struct, frozen=True):
    """A dated table that the report rests on."""

    name: str
    """Its file."""
    date: str
    """When it was made."""
    source: str
    """What it was made from, with the version."""


class VerdictView(_Struct, frozen=True):
    """The verdict."""

    status: Literal["pass", "blocked", "undetermined"]
    """The answer."""
    exit_code: int
    """The exit code of `check`."""
    basis: Literal["proven", "declared", "assumed"]
    """Whether what did not change was proven too, or is declared by policy files."""
    assumptions: list[str]
    """What is taken for granted; empty where it was proven."""
    next: Literal["remediate", "annotate", "upgrade", "check-cluster", "retry", "none"]
    """The next step."""
    counts: dict[str, Count]
    """By severity."""
    summary: str
    """The verdict as a sentence."""
    command: list[str]
    """The closing `oc adm upgrade` command as argv; empty unless the verdict is pass and there is something to do."""
    fail_on: Literal["blocker", "warning"] = "blocker"
    """The mildest severity that blocks (`--fail-on`)."""
    remediate: list[str] = []
    """The command that writes the bundle with every file that the steps name, as argv; empty where it was written."""
    guesses: list[str] = []
    """Without a cluster: what nobody said, of `mode`, `credentials`, `profile`, `feature_set`, `capabilities`."""


class Report(_Struct, frozen=True):
    """The document."""

    schema: str
    """`upgrade-gate/v1`."""
    tool: Tool
    """What wrote it."""
    generated: str
    """When, or SOURCE_DATE_EPOCH."""
    labels: dict[str, str]
    """What `--label` gave."""
    hops: list[Hop]
    """One, or several with `--via`."""
    platform: str
    """As Infrastructure spells it."""
    mode: str
    """`manual`, `mint`, `passthrough`, `absent` or `unknown`."""
    credentials: str
    """`keys`, `token`, `none` or `unknown`."""
    cco_behaviour: str
    """What CCO does with Secrets and finalizers here."""
    selection: Selection
    """By what requests were selected."""
    requests: Requests
    """Those that take part, of both releases."""
    changes: list[ChangeView]
    """One for each changed request."""
    cluster: ClusterView | None
    """Null without a cluster, and in `diff`."""
    identities: IdentitiesView | None
    """Null where none were given."""
    findings: list[FindingView]
    """Sorted, worst first; empty in `diff`."""
    verdict: VerdictView | None
    """Null in `diff`."""
    now: str | None
    """The date or time given by --now, by which acknowledgements were judged; null when the real clock was used."""
    tables: list[Table]
    """Dated tables that it rests on."""
    notes: list[str]
    """What the reader should know about the sources."""
    rollback: RollbackView | None = None
    """What must stay for a rollback; null unless the verdict is pass, and in mint mode, where CCO sees to it."""


def encode(report: Report) -> bytes:
    """Return the report as indented JSON, keys in the order of the schema."""
    return msgspec.json.format(msgspec.json.encode(_published(report)), indent=2) + b"\n"


def _published(report: Report) -> Report:
    """Return the report without what the schema does not have."""
    findings = [
        replace(
            finding,
            needs=[replace(need, in_short=msgspec.UNSET, of_each=msgspec.UNSET) for need in finding.needs],
            remedy=[replace(step, condition=msgspec.UNSET) for step in finding.remedy],
        )
        for finding in report.findings
    ]
    return replace(report, findings=findings)


def schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of the report."""
    document: dict[str, Any] = msgspec.json.schema(Report)
    for name in ("in_short", "of_each"):
        del document["$defs"]["NeedView"]["properties"][name]
    del document["$defs"]["RemedyView"]["properties"]["condition"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}", **document}

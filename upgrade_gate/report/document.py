"""The one document that every format renders: schema `upgrade-gate/v1` (design section 9).

Every key is always present. Within v1 only keys and enum members are added; consumers must ignore what they do
not know.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

__all__ = ["SCHEMA", "Report", "encode", "schema"]

SCHEMA = "upgrade-gate/v1"


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every part of the document."""


class Tool(_Struct, frozen=True):
    """What wrote the report."""

    name: str
    version: str


class Release(_Struct, frozen=True):
    """One end of a hop."""

    version: str
    reference: str
    digest: str | None
    verified: bool
    verification: str = ""
    pullspec: str | None = None


class Hop(_Struct, frozen=True, rename={"from_": "from"}):
    """One update from one release to the next."""

    from_: Release
    to: Release
    kind: Literal["patch", "minor", "major", "skip", "downgrade", "none"]


class CapabilitySelection(_Struct, frozen=True):
    """Capabilities of the target."""

    enabled: list[str]
    implicit: list[str]


class Excluded(_Struct, frozen=True):
    """A request that a release carries and does not apply here, with the reason."""

    side: Literal["from", "to"]
    request: str
    reason: str
    detail: str
    file: str
    hop: int = 0


class Selection(_Struct, frozen=True):
    """By what the requests were selected."""

    profile: str
    feature_set: str
    feature_gates: list[str]
    capabilities: CapabilitySelection
    excluded: list[Excluded]


class Requests(_Struct, frozen=True, rename={"from_": "from"}):
    """Applied and unannotated requests of the first and the last release, sorted."""

    from_: list[str]
    to: list[str]


class GrantView(_Struct, frozen=True):
    """A grant, what covers it already, what it lets its holder do, and its risk classes."""

    type: str
    permission: str
    effect: str | None
    resource: str | None
    condition: Any
    scope: Any
    covered_by: str | None = None
    still_covered_by: str | None = None
    risk: list[str] = []
    access: Literal["list", "read", "tagging", "write", "permissions-management"] | None = None
    completes: list[str] = []
    """What the identity has as well, and makes with this grant a known way to further rights."""


class Pair(_Struct, frozen=True, rename={"from_": "from"}):
    """A value on both sides; null on the side that has none."""

    from_: str | None
    to: str | None


class ChangeSelection(_Struct, frozen=True, rename={"from_": "from"}):
    """Whether each side applies the request, and why that changed."""

    from_: str
    to: str
    why: str


class Names(_Struct, frozen=True):
    """Names that came and went."""

    added: list[str]
    removed: list[str]


class GrantDiff(_Struct, frozen=True):
    """Grants that came and went; widened and narrowed ones have the old in removed, the new in added."""

    added: list[GrantView]
    removed: list[GrantView]


class OtherChange(_Struct, frozen=True, rename={"from_": "from", "class_": "class"}):
    """Any other leaf of spec that differs."""

    path: str
    from_: Any
    to: Any
    class_: Literal["harmless", "unclassified"]


class ChangeView(_Struct, frozen=True):
    """One changed request."""

    request: str
    kind: Literal["added", "removed", "renamed", "changed"]
    was: str | None
    hop: int
    provider: str
    selection: ChangeSelection
    secret: Pair
    service_accounts: Names
    token_path: Pair
    permissions: GrantDiff
    other: list[OtherChange]
    files: Pair


class FactView(_Struct, frozen=True):
    """One fact of the cluster."""

    name: str
    state: Literal["known", "absent", "unknown"]
    value: Any
    reason: str | None
    remedy: str | None = None


class ClusterView(_Struct, frozen=True):
    """The cluster that the verdict is about."""

    id: str | None
    version: str | None
    name: str | None
    api_url: str | None
    source: str
    collected: str | None
    facts: list[FactView]


class NeedView(_Struct, frozen=True):
    """One thing that a finding asks for."""

    kind: str
    status: Literal["met", "unmet", "unknown"]
    detail: str


class IdentityView(_Struct, frozen=True):
    """The identity that serves the secretRef, and how it was found."""

    id: str
    source: str


class EvidenceView(_Struct, frozen=True):
    """A place that shows the finding."""

    side: Literal["from", "to", "cluster"]
    file: str
    document: int
    line: int


class RemedyView(_Struct, frozen=True):
    """One step of the remedy."""

    step: str
    when: Literal["before", "after"]
    argv: list[str]
    placeholders: list[str]
    file: str | None


class AcknowledgementView(_Struct, frozen=True):
    """Who accepted the finding, why and until when."""

    reason: str
    owner: str
    expires: str
    reference: str | None
    expired: bool


class FindingView(_Struct, frozen=True):
    """One finding."""

    rule: str
    severity: Literal["blocker", "unknown", "warning", "info"]
    status: Literal["open", "acknowledged", "proven"]
    guard: Literal["missed", "stopped"] | None
    guard_reason: str | None
    fingerprint: str
    headline: str
    hop: int
    request: str | None
    component: str | None
    secret: str | None
    grants: list[GrantView]
    needs: list[NeedView]
    caveats: list[str]
    identity: IdentityView | None
    evidence: list[EvidenceView]
    remedy: list[RemedyView]
    acknowledgement: AcknowledgementView | None
    subject: str
    """The request or fact that the finding is about."""
    acknowledgeable: bool = True
    """Whether an acknowledgement can close it (design 3.4)."""


class ExportView(_Struct, frozen=True):
    """One file of an export of identities."""

    file: str
    sha256: str


class IdentitiesView(_Struct, frozen=True):
    """Where the proof comes from."""

    source: str
    account: str | None
    collected: str | None
    files: list[ExportView]
    caveats: list[str] = []
    """What no source of this kind can show, of everything that counts as held; also where no finding names it."""


class Count(_Struct, frozen=True):
    """Findings of one severity by status."""

    open: int
    acknowledged: int
    proven: int


class Table(_Struct, frozen=True):
    """A dated table that the report rests on."""

    name: str
    date: str


class VerdictView(_Struct, frozen=True):
    """The verdict."""

    status: Literal["pass", "blocked", "undetermined"]
    exit_code: int
    basis: Literal["proven", "assumed"]
    assumptions: list[str]
    next: Literal["remediate", "annotate", "upgrade", "retry", "none"]
    counts: dict[str, Count]
    summary: str
    command: list[str]
    """The closing `oc adm upgrade` command as argv; empty unless the verdict is pass and there is something to do."""
    fail_on: Literal["blocker", "warning"] = "blocker"
    """The mildest severity that blocks (`--fail-on`)."""


class Report(_Struct, frozen=True):
    """The document."""

    schema: str
    tool: Tool
    generated: str
    labels: dict[str, str]
    hops: list[Hop]
    platform: str
    mode: str
    credentials: str
    cco_behaviour: str
    selection: Selection
    requests: Requests
    changes: list[ChangeView]
    cluster: ClusterView | None
    identities: IdentitiesView | None
    findings: list[FindingView]
    verdict: VerdictView | None
    now: str | None
    """The date or time given by --now, by which acknowledgements were judged; null when the real clock was used."""
    tables: list[Table]
    notes: list[str]


def encode(report: Report) -> bytes:
    """Return the report as indented JSON, keys in the order of the schema."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of the report."""
    document: dict[str, Any] = msgspec.json.schema(Report)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}", **document}

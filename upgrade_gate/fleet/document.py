"""What is said of a fleet: schema `upgrade-gate/fleet/v1` (docs/using/fleets.md#files).

Every key is always present. Within v1 only keys and enum members are added; who reads it ignores what it does not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from upgrade_gate.base.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCHEMA = "upgrade-gate/fleet/v1"

Status: TypeAlias = Literal["pass", "blocked", "undetermined"]
EXIT_CODES: Final[Mapping[Status, ExitCode]] = {
    "blocked": ExitCode.BLOCKED,
    "undetermined": ExitCode.UNDETERMINED,
    "pass": ExitCode.PASS,
}
"""Worst first."""
Standing: TypeAlias = Literal["open", "unknown", "acknowledged", "declared", "proven"]
"""How a finding stands in one cluster: open, since something is missing or to be decided; open, and nothing shows
whether what it needs is there; accepted; declared by policy files; proven."""


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every part of the document."""


class Cluster(_Struct, frozen=True):
    """One cluster."""

    name: str
    """As the inventory calls it."""
    source: str
    """Where it was read: `snapshot:FILE`, `must-gather:DIR`, `context:NAME`, `hub:NAME` or `hub:CONTEXT/NAME`."""
    labels: dict[str, str]
    """Those of the inventory."""
    report: str
    """Its report, a path from here."""
    id: str | None
    """`spec.clusterID` of ClusterVersion; null where it was not read."""
    api_url: str | None
    """Address of its API server."""
    platform: str
    """As Infrastructure spells it; empty where it was not read."""
    mode: str
    """Credentials mode."""
    version: str
    """The release before the update; empty where it is not known."""
    to: str
    """Version of the target, else its reference."""
    digest: str | None
    """Digest of the target; null where its form has none."""
    status: Status
    """The verdict."""
    basis: Literal["proven", "declared", "assumed"]
    """Whether what did not change was proven too."""
    next: str
    """The next step."""
    summary: str
    """The verdict as a sentence, with the reason where nothing of the cluster was judged."""
    generated: str
    """When it was judged."""
    collected: str | None
    """When a snapshot or dump was made."""
    causes: dict[str, Standing]
    """Fingerprint of each finding that is more than information, and how it stands here."""


class Counts(_Struct, frozen=True):
    """In how many clusters a cause stands how."""

    open: int
    """Open: something that it needs is missing, or somebody must decide."""
    unknown: int
    """Open as well: nothing shows whether what it needs is there."""
    acknowledged: int
    """It was accepted."""
    proven: int
    """Everything that it needs is there."""
    declared: int = 0
    """Policy files say that everything that it needs is granted, and nothing shows it."""


class Cause(_Struct, frozen=True):
    """One finding, wherever it occurs."""

    fingerprint: str
    """As in the reports: one acknowledgement can close it in every cluster that it names."""
    rule: str
    """Its stable id."""
    severity: Literal["blocker", "unknown", "warning"]
    """The gravest that it has in any cluster."""
    headline: str
    """One sentence that stands alone."""
    request: str | None
    """`namespace/name`; null where it is not about a request."""
    guard: Literal["missed", "stopped"] | None
    """`missed` where CCO and CVO would let the upgrade of any of these clusters go on; null where it means nothing."""
    counts: Counts
    """Clusters by how it stands there."""
    alone: int = 0
    """Clusters that nothing else keeps from a pass, the annotation of CCO aside: once it is closed, they can go."""


class Acknowledgement(_Struct, frozen=True):
    """One entry of the acknowledgements, and the clusters that it touches."""

    fingerprint: str
    """Of the finding that it names."""
    reason: str
    """Why it was accepted."""
    owner: str
    """Who answers for it."""
    expires: str
    """Last day on which it counts, UTC."""
    reference: str | None
    """Where the decision is recorded."""
    expired: bool
    """Then the finding is open again in these clusters."""
    clusters: list[str]
    """Names of the clusters in which it matches a finding; empty where there is none."""


class Changed(_Struct, frozen=True, rename={"from_": "from"}):
    """A cluster whose verdict is another than in the last run."""

    name: str
    """Of the cluster."""
    from_: Status
    """The verdict of the last run."""
    to: Status
    """The verdict of this one."""


class Since(_Struct, frozen=True):
    """What is otherwise than in the last run into the same folder."""

    generated: str
    """Of the last run."""
    verdicts: list[Changed]
    """Clusters with another verdict."""
    appeared: list[str]
    """Clusters that the last run did not have."""
    gone: list[str]
    """Clusters that this run does not have."""
    new_causes: list[str]
    """Fingerprints that stand open in some cluster and did in none."""
    closed_causes: list[str]
    """Fingerprints that stood open in some cluster and do in none."""


class Fleet(_Struct, frozen=True):
    """The document."""

    schema: str
    """`upgrade-gate/fleet/v1`."""
    tool: str
    """Version of upgrade-gate."""
    generated: str
    """When the last of its clusters was judged."""
    status: Status
    """`blocked` if any cluster is, else `undetermined` if any is, else `pass`."""
    exit_code: int
    """The exit code of `fleet`."""
    verdicts: dict[str, int]
    """Clusters by verdict."""
    causes: list[Cause]
    """Gravest first, then those that stand open in most clusters."""
    clusters: list[Cluster]
    """Sorted by name."""
    unused_acknowledgements: list[str]
    """Fingerprints of acknowledgements that match nothing in any cluster."""
    since: Since | None
    """Null where the folder holds no earlier run."""
    acknowledgements: list[Acknowledgement] = []
    """Every entry that the run was given, sorted by fingerprint."""


def encode(fleet: Fleet) -> Iterator[bytes]:
    """Yield the document as indented JSON, keys in the order of the schema; a row at a time, for there may be many."""
    for place, name in enumerate(Fleet.__struct_fields__):
        yield b"{\n" if place == 0 else b",\n"
        yield f' "{name}": '.encode()
        yield from _pieces(getattr(fleet, name))
    yield b"\n}\n"


def _pieces(value: object) -> Iterator[bytes]:
    """Yield a value of the outermost object, each entry of a list by itself."""
    if not isinstance(value, list) or not value:
        yield _indented(value, 1)
        return
    for place, entry in enumerate(value):
        yield b"[\n  " if place == 0 else b",\n  "
        yield _indented(entry, 2)
    yield b"\n ]"


def _indented(value: object, depth: int) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).replace(b"\n", b"\n" + b" " * depth)


def decode(content: bytes) -> Fleet:
    """Return the document of an earlier run; raises msgspec.DecodeError where it is none."""
    fleet = msgspec.json.decode(content, type=Fleet)
    if fleet.schema != SCHEMA:
        raise msgspec.ValidationError(f"its schema is {fleet.schema[:60]!r}")
    return fleet


def schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of the document."""
    document: dict[str, Any] = msgspec.json.schema(Fleet)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}", **document}

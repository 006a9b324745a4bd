"""Record the answers of a cluster in one file, and replay them: facts for use without the cluster.

The file holds raw API objects and never a Secret's value: Secrets are `SecretRecord`s before they come here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from upgrade_gate.base.errors import ClusterError, UsageError
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.base.text import data_without_credentials, without_credentials
from upgrade_gate.cluster.model import Query, Reader, SecretForm, SecretRecord
from upgrade_gate.cluster.readers._recorded import recorded
from upgrade_gate.reading import decoding
from upgrade_gate.reading.encoding import as_utf8
from upgrade_gate.reading.files import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

SCHEMA = "upgrade-gate/snapshot/v1"
FAMILY = "upgrade-gate/snapshot/"
_MOST_BYTES = 64 * 2**20


class _Struct(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every part of the file."""


class _Asked(_Struct, frozen=True):
    """What was asked."""

    group: str
    version: str
    plural: str
    kind: str
    namespace: str | None = None
    name: str | None = None
    label_selector: str | None = None


class _Secret(_Struct, frozen=True):
    """What is kept of a Secret."""

    annotations: dict[str, str]
    labels: dict[str, str]
    keys: list[str] | None
    identity: str | None
    token_path: str | None
    form: SecretForm | None


class _Answer(_Struct, frozen=True):
    """One answer: an object, a list of objects or a Secret's record, its absence, or why it is not known."""

    query: _Asked
    state: Literal["known", "absent", "unknown"]
    object: Any = None
    secret: _Secret | None = None
    reason: str | None = None
    remedy: str | None = None


class _File(_Struct, frozen=True):
    """The whole file."""

    schema: str
    tool: str
    taken: str
    """RFC 3339, UTC."""
    source: str
    """What was read: the API address, or the name of the dump."""
    answers: list[_Answer]


class _Head(_Struct, frozen=True):
    """What is looked at before the rest is trusted to have this version's shape."""

    schema: str


@dataclass(frozen=True, slots=True)
class SnapshotReader:
    """Replays the answers of a snapshot."""

    description: str
    collected: str | None
    answers: Mapping[Query, Fact[Any]]

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        """Answer from the record; what was not asked when it was taken is Unknown."""
        return {query: self.answers.get(query) or _unrecorded(query) for query in queries}


def _unrecorded(query: Query) -> Unknown:
    where = f" in {query.namespace}" if query.namespace else ""
    return Unknown(
        f"the snapshot does not hold {query.kind} {query.name or 'objects'}{where}",
        remedy="take the snapshot again, naming this release with --to",
    )


@dataclass(slots=True)
class Recorder:
    """Passes reads on to another reader and remembers every answer."""

    reader: Reader
    answers: dict[Query, Fact[Any]] = field(default_factory=dict)

    @property
    def description(self) -> str:
        """What the other reader reads."""
        return self.reader.description

    @property
    def collected(self) -> str | None:
        """When the other reader's data was collected."""
        return self.reader.collected

    def read(self, queries: Sequence[Query]) -> Mapping[Query, Fact[Any]]:
        """Answer through the other reader, each query once: a record must not mix two moments of a live cluster."""
        new = [query for query in queries if query not in self.answers]
        if new:
            self.answers.update(self.reader.read(new))
        return {query: self.answers[query] for query in queries}

    def pull_secret(self) -> Fact[bytes]:
        """Return the cluster's own pull secret through the other reader; it is never recorded."""
        read: Callable[[], Fact[bytes]] | None = getattr(self.reader, "pull_secret", None)
        return read() if read else Unknown(f"{self.reader.description} holds no registry credentials")


def is_snapshot(path: Path) -> bool:
    """Return whether a file says that it is a snapshot."""
    return f'"{FAMILY}'.encode() in read_file(path, _MOST_BYTES)


def open_snapshot(path: Path) -> SnapshotReader:
    """Open a snapshot file.

    Raises UsageError where there is no such file, ClusterError where it is damaged or of another version.
    """
    try:
        content = read_file(path, _MOST_BYTES + 1)
    except FileNotFoundError as exc:
        raise UsageError(f"snapshot:{path} does not exist") from exc
    except OSError as exc:
        raise UsageError(f"snapshot:{path} cannot be read: {exc.strerror}") from exc
    if len(content) > _MOST_BYTES:
        raise ClusterError(f"{path} is larger than {_MOST_BYTES} bytes: this is not a snapshot")
    try:
        content = as_utf8(content)
        head = decoding.from_json(content, _Head)
        if head.schema != SCHEMA and head.schema.startswith(FAMILY):
            raise ClusterError(f"{path} is a snapshot of version {head.schema!r}, this program reads {SCHEMA!r}")
        if head.schema != SCHEMA:
            raise ClusterError(
                f"{path} is not a snapshot: its schema is {head.schema[:60]!r}", hint="upgrade-gate snapshot writes one"
            )
        body = decoding.from_json(content, _File)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as exc:
        raise ClusterError(
            f"{path} is not a readable snapshot: {exc}", hint="take it again with upgrade-gate snapshot"
        ) from exc
    answers = {Query(**msgspec.structs.asdict(a.query)): _fact(a) for a in body.answers}
    return SnapshotReader(f"snapshot {path.name} of {body.source}", body.taken, answers)


def _fact(answer: _Answer) -> Fact[Any]:
    if answer.state == "absent":
        return Absent()
    if answer.state == "unknown":
        return Unknown(answer.reason or "the snapshot does not say why", answer.remedy)
    if answer.query.kind != "Secret":
        if answer.query.name is None:
            items = answer.object
            return Known(tuple(items)) if isinstance(items, list) else Unknown("the snapshot holds no list here")
        return Known(answer.object)
    ref = SecretRef(answer.query.namespace or "", answer.query.name or "")
    kept = answer.secret
    if kept is None:
        return Unknown(f"the snapshot holds no record of Secret {ref}")
    return Known(
        SecretRecord(
            ref=ref,
            annotations=kept.annotations,
            labels=kept.labels,
            keys=None if kept.keys is None else frozenset(kept.keys),
            identity=kept.identity,
            token_path=kept.token_path,
            form=kept.form,
        )
    )


def encode(answers: Mapping[Query, Fact[Any]], *, source: str, taken: str, tool: str) -> bytes:
    """Return the file's content; the same answers give the same bytes."""
    ordered = sorted(answers.items(), key=lambda entry: _order(entry[0]))
    body = _File(
        schema=SCHEMA,
        tool=tool,
        taken=taken,
        source=without_credentials(source),
        answers=[_answer(query, fact) for query, fact in ordered],
    )
    return msgspec.json.format(msgspec.json.encode(body, order="sorted"), indent=1) + b"\n"


def _order(query: Query) -> tuple[str, ...]:
    return query.group, query.plural, query.namespace or "", query.name or "", query.label_selector or ""


def _answer(query: Query, fact: Fact[Any]) -> _Answer:
    asked = _Asked(**msgspec.structs.asdict(query))
    match fact:
        case Known(value=SecretRecord() as record):
            return _Answer(query=asked, state="known", secret=_secret(record))
        case Known() if query.kind == "Secret":
            raise TypeError(f"a Secret that is not a record must not reach a snapshot: {query}")
        case Known(value=value):
            return _Answer(query=asked, state="known", object=data_without_credentials(recorded(value, query.kind)))
        case Absent():
            return _Answer(query=asked, state="absent")
        case Unknown(reason=reason, remedy=remedy):
            return _Answer(query=asked, state="unknown", reason=without_credentials(reason), remedy=remedy)


def _secret(record: SecretRecord) -> _Secret:
    return _Secret(
        annotations=dict(record.annotations),
        labels=dict(record.labels),
        keys=None if record.keys is None else sorted(record.keys),
        identity=record.identity,
        token_path=record.token_path,
        form=record.form,
    )


def schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of the file."""
    document: dict[str, Any] = msgspec.json.schema(_File)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": f"urn:{SCHEMA}", **document}

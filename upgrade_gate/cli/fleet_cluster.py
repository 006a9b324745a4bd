"""Judge one cluster of a fleet as `check` would, with the releases and exports that all clusters share."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import asdict, replace

from upgrade_gate import __version__, pipeline
from upgrade_gate.base.errors import ClusterError, ReadError, SourceError, UpgradeGateError, UsageError
from upgrade_gate.base.facts import Known
from upgrade_gate.base.paths import expanded
from upgrade_gate.cli import configuration, fleet_bundles, run
from upgrade_gate.cli.option_types import ClusterSource, IdentitiesForm
from upgrade_gate.cli.options import ClusterOptions, GateOptions, ReleaseOptions
from upgrade_gate.cluster import hub
from upgrade_gate.fleet import claims
from upgrade_gate.fleet import document as fleet_document
from upgrade_gate.gate import acknowledgements
from upgrade_gate.payloads.reference import parse_reference
from upgrade_gate.payloads.shelf import Shelf
from upgrade_gate.proof import collect
from upgrade_gate.report import build, document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from upgrade_gate.cli.fleet_hub import Hubs
    from upgrade_gate.cli.options import RegistryOptions
    from upgrade_gate.cluster.model import Reader
    from upgrade_gate.fleet.inventory import Entry
    from upgrade_gate.gate.outcome import Outcome
    from upgrade_gate.gate.verdict import Weights
    from upgrade_gate.proof.context import Places
    from upgrade_gate.proof.proof import Claims

_LIVE: Final = frozenset({"context", "hub"})
"""Inventories whose clusters are read as they are now."""
_logger = logging.getLogger(__name__)


class Judged(Struct, frozen=True):
    """What came out about one cluster."""

    report: bytes
    """As `check -o json` writes it."""
    record: fleet_bundles.Record | None = None
    """What is said of its bundle; None where the run makes none."""
    bundle: Mapping[str, bytes] = {}
    """Its files, by relative name."""


class Judge:
    """Judges clusters, several at once; what the command line and the inventories name is read once, before."""

    def __init__(
        self,
        entries: Sequence[Entry],
        *,
        to: str | None,
        given: Sequence[str],
        cluster: ClusterOptions,
        gate: GateOptions,
        registry: RegistryOptions,
        hubs: Hubs,
        bundles: Path | None = None,
    ) -> None:
        """Read what is named; raises UsageError and ConfigurationError where any of it is wrong."""
        targets = {entry.name: _target(entry, to) for entry in entries}
        self._targets, self._bundles = targets, bundles
        self._given = tuple(given)
        self._cluster, self._settings = cluster, replace(registry.settings, progress=False)
        self._gates = {entry.name: _gate_of(entry, gate) for entry in entries}
        files = dict.fromkeys(file for each in self._gates.values() for file in each.acknowledgements)
        self._accepted = {file: acknowledgements.load([file], clusters_required=True) for file in files}
        self._hubs = hubs
        self._claims: dict[str, Claims | Callable[[str, Places], Claims]] = {}
        self._contents: dict[Path, str] = {}
        self._lock = Lock()
        vias = {text for each in self._gates.values() for text in each.via}
        self._shelf = Shelf(given, targets=sorted({*targets.values(), *vias}))
        self._called: dict[str, str] = {}
        self._releases = {text: self._read(text) for text in (*given, *sorted({*targets.values(), *vias}))}

    @property
    def acknowledgements(self) -> tuple[fleet_document.Acknowledgement, ...]:
        """Every entry that was given, those of single rows too."""
        return tuple(
            fleet_document.Acknowledgement(
                fingerprint=entry.fingerprint,
                reason=entry.reason,
                owner=entry.owner,
                expires=entry.expires.isoformat(),
                reference=entry.reference,
                expired=False,
                clusters=[],
            )
            for entries in self._accepted.values()
            for entry in entries
        )

    def _read(self, text: str) -> str:
        """Read a release before any cluster needs it and return what tells it from another under the same name.

        One that cannot be read is told in each report. What is looked up for each cluster is known by its name alone.
        """
        reference = parse_reference(text)
        self._called[text] = text
        if reference.scheme in {"cluster", "version"}:
            return ""
        try:
            payload = self._shelf.read(text, self._settings)
        except SourceError as error:
            _logger.warning("%s", error)
            return str(error)
        self._called[text] = payload.digest or str(payload.version)
        return payload.digest or _content(expanded(reference.target))

    def __call__(self, entry: Entry) -> Judged:
        """Return the report on one cluster; what cannot be read is in it, and undetermined."""
        gate = self._gates[entry.name]
        asked, weights = self._asked(entry)
        spared = self._ruled_out(entry, gate)
        if spared is not None:
            return self.failed(entry, spared)
        try:
            reader = self._open(entry)
            if entry.kind not in _LIVE:  # a live cluster is of now
                self._refuse_old(reader, gate)
            inputs = replace(asked, settings=self._settings, reader=reader, claims=self._claims_of(gate))
            outcome = pipeline.check(inputs, weights)
            _refuse_another(entry, outcome)
        except (ReadError, UsageError) as error:  # a path that is not there is this cluster's failure alone
            return self.failed(entry, error)
        report = build.of_outcome(outcome, labels=self._labels(entry), now=_now(gate), notes=run.policy_notes(gate))
        if self._bundles is None:
            return Judged(document.encode(report))
        return self._with_bundle(entry, outcome, report)

    @staticmethod
    def _with_bundle(entry: Entry, outcome: Outcome, report: document.Report) -> Judged:
        from upgrade_gate.remedy import account_bundle, bundle

        member = account_bundle.member_of(outcome, entry.name, entry.folder)
        if member is None:
            unread = next(iter(outcome.comparison.unread), None)
            why = f"{unread.reference} could not be read" if unread else "there is nothing to do"
            return Judged(document.encode(report), fleet_bundles.Record(None, f"{why}: {outcome.verdict.summary}"))
        files = bundle.build(outcome, run.reports_for_bundle(report), made=report.generated)
        return Judged(document.encode(report), fleet_bundles.Record(member, ""), files)

    def failed(self, entry: Entry, error: Exception | None) -> Judged:
        """Return the report on a cluster that could not be judged; None: it did not end in time."""
        if error is None:
            why = ClusterError("it was not judged within its deadline", hint="--deadline gives it more time")
        elif isinstance(error, UpgradeGateError):
            why = ClusterError(error.message, hint=error.hint)
        else:
            why = ClusterError(
                f"internal error: {type(error).__name__}: {error}", hint="this is a fault of upgrade-gate; report it"
            )
        gate = self._gates[entry.name]
        asked, weights = self._asked(entry)
        outcome = pipeline.unreachable(asked, weights, why)
        report = build.of_outcome(
            outcome, labels=self._labels(entry), now=_now(gate), notes=(*run.policy_notes(gate), f"not judged: {why}")
        )
        record = None if self._bundles is None else fleet_bundles.Record(None, f"it was not judged: {why}")
        return Judged(document.encode(report), record)

    @property
    def asked(self) -> str:
        """What is asked of every cluster of the fleet, the same in all parts of one run wherever their files lie."""
        return repr(
            [(name, self._called[target], self._asked_of(name)) for name, target in sorted(self._targets.items())]
        )

    def _asked_of(self, name: str) -> Sequence[object]:
        gate = self._gates[name]
        return (
            [self._content(Path(file)) for file in gate.acknowledgements],
            [(source.kind, source.path.name if source.path else None) for source in gate.identities],
            [self._called[text] for text in gate.via],
            sorted(gate.configuration.policy.items()),
            sorted(gate.configuration.accept),
            (gate.fail_on, gate.require_proof, gate.strict_proof, gate.assume, gate.max_age, gate.now),
        )

    def made_from(self, entry: Entry) -> str:
        """Return a digest of what decides a cluster's report, as far as it is known before it is read.

        That is the program, the options, the releases by digest, and the files that are named: for a snapshot its
        content, for a folder the names, sizes and times of its files. What a live cluster or account says is not known:
        it counts for its day.
        """
        gate = self._gates[entry.name]
        target = self._targets[entry.name]
        settings = asdict(replace(self._settings, cache_dir=None))
        named = [gate.configuration.path, *map(Path, gate.acknowledgements)]
        named += [*(source.path for source in gate.identities), *gate.configuration.identities.policy_files]
        named += [Path(settings["graph"].removeprefix("file://")) if settings["graph"] else None]
        for value in settings.values():
            named += [path for path in (value if isinstance(value, tuple) else (value,)) if isinstance(path, Path)]
        parts: list[Any] = [
            self._bundles and self._bundles.resolve(),
            __version__,
            repr(entry),
            target,
            self._given,
            repr(gate),
            repr(self._cluster),
            settings,
        ]
        parts += [self._releases[text] for text in (*self._given, target, *gate.via)]
        live = entry.kind in _LIVE or any(source.kind == "live" for source in gate.identities)
        parts += [datetime.now(UTC).date()] if live or not gate.now else []  # acknowledgements run out by the day
        parts += [self._content(path) for path in named if path is not None]
        parts += [] if entry.kind in _LIVE else [_content(Path(entry.where))]  # which no other cluster has
        return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()

    def _content(self, path: Path) -> str:
        if path not in self._contents:
            self._contents[path] = _content(path)
        return self._contents[path]

    def _asked(self, entry: Entry) -> tuple[pipeline.Inputs, Weights]:
        gate = self._gates[entry.name]
        release = ReleaseOptions(self._targets[entry.name], None)
        asked, weights = run.unread_run(release, self._cluster, gate)
        asked = replace(
            asked,
            shelf=self._shelf,
            accept_secret_exists="secret-exists" in gate.configuration.accept,
            now=gate.now.at if gate.now else None,
        )
        return asked, replace(
            weights, acknowledgements=tuple(a for f in gate.acknowledgements for a in self._accepted[f])
        )

    def _ruled_out(self, entry: Entry, gate: GateOptions) -> ClusterError | None:
        """Return why a cluster of a hub is not read: it could not pass, by what the hub says of it."""
        if entry.managed is None:
            return None
        # a configuration can lower the rule about versions, too
        may_accept = bool(gate.acknowledgements or gate.via or gate.configuration.policy)
        return claims.ruled_out(entry.managed, self._version_of(self._targets[entry.name]), may_accept=may_accept)

    def _version_of(self, target: str) -> str | None:
        reference = parse_reference(target)
        if reference.scheme in {"cluster", "version"}:
            return reference.target if reference.scheme == "version" else None
        try:
            return self._shelf.read(target, self._settings).version
        except SourceError:
            return None

    def _open(self, entry: Entry) -> Reader:
        if entry.kind == "hub":
            return self._hubs.open(entry)
        if entry.kind == "context":
            cluster = replace(self._cluster, context=entry.where)
        else:
            cluster = replace(self._cluster, source=ClusterSource(entry.kind, Path(entry.where), entry.source))
        reader = run.open_reader(cluster, offline=self._settings.offline, alone=False)
        assert reader is not None  # noqa: S101 - there is none only with --no-cluster, which a fleet does not have
        return reader

    @staticmethod
    def _refuse_old(reader: Reader, gate: GateOptions) -> None:
        """Raise ClusterError where a snapshot or dump is older than `--max-age`, or does not say how old it is."""
        if gate.max_age is None:
            return
        now = gate.now.at if gate.now else datetime.now(UTC)
        stale = collect.too_old(f"the {reader.description}", reader.collected, gate.max_age.length, now)
        if stale:
            raise ClusterError(stale, hint="take it again")

    def _claims_of(self, gate: GateOptions) -> Claims | Callable[[str, Places], Claims]:
        """Return what is supplied about identities, each export read once."""
        key = repr((gate.identities, gate.configuration.path))
        with self._lock:
            if key not in self._claims:
                self._claims[key] = run.claims(
                    gate,
                    timeout=self._settings.timeout,
                    certificate_authority=self._settings.certificate_authority,
                )
            return self._claims[key]

    def _labels(self, entry: Entry) -> dict[str, str]:
        return {**entry.labels, **self._gates[entry.name].labels}


def _refuse_another(entry: Entry, outcome: Outcome) -> None:
    """Raise ClusterError where what a hub led to is another cluster than the one that it was asked for."""
    cluster = outcome.comparison.cluster
    if entry.claimed_id is None or cluster is None:
        return
    match cluster.id:
        case Known(value=found) if found != entry.claimed_id:
            raise ClusterError(
                f"the hub led to another cluster: {found[:60]!r}, and its claim {hub.ID} is {entry.claimed_id[:60]!r}",
                hint="see the ManagedCluster on the hub; a cluster that was installed again has to be imported again",
            )


def _target(entry: Entry, to: str | None) -> str:
    target = entry.to or to
    if target is None:
        raise UsageError(f"no target release for {entry.name}", hint="give --to, or to: in the file")
    return target


def _gate_of(entry: Entry, gate: GateOptions) -> GateOptions:
    """Return how one cluster is judged: what its row names stands for what the command line names."""
    given = gate
    if entry.config is not None:
        # options are those of the run; a row says which identities its cluster has, and how rules weigh there
        given = replace(given, configuration=configuration.load(entry.config, {}, found=False))
    if entry.via is not None:
        given = replace(given, via=entry.via)
    if entry.identities is not None:
        given = replace(given, identities=(IdentitiesForm().convert(entry.identities, None, None),))
    if not entry.acknowledgements:
        return given
    return replace(given, acknowledgements=(*gate.acknowledgements, *entry.acknowledgements))


def _now(gate: GateOptions) -> str | None:
    return gate.now.text if gate.now else None


def _content(path: Path) -> str:
    """Return a digest of a file, or of what a folder lists; empty where there is none."""
    try:
        if path.is_dir():
            listed = sorted((str(p), p.stat().st_size, p.stat().st_mtime_ns) for p in path.rglob("*") if p.is_file())
            return hashlib.sha256(msgspec.json.encode(listed)).hexdigest()
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""

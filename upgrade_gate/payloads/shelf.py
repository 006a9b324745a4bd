"""The releases of a run over many clusters: each is read once, whoever asks, and clusters find theirs among them."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base import versions
from upgrade_gate.base.errors import SourceError, UpgradeGateError
from upgrade_gate.base.facts import Known
from upgrade_gate.payloads import resolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.payloads.reference import Settings


class _Place(Struct):
    """One release: nobody reads it while another does."""

    lock: Lock
    payload: Payload | None = None
    failure: UpgradeGateError | None = None


class Shelf:
    """Holds every release that was asked for; safe to ask from several threads."""

    def __init__(self, given: Sequence[str] = (), *, targets: Sequence[str] = ()) -> None:
        self._given = tuple(dict.fromkeys((*given, *targets))) if given else ()
        """The releases among which a cluster's own must be; empty: it is fetched as the cluster names it."""
        self._places: dict[str, _Place] = {}
        self._absent: dict[str, str] = {}
        self._lock = Lock()

    def read(self, text: str, settings: Settings) -> Payload:
        """Return a release, read once; what failed once fails for everybody. Raises as `resolve.read` does."""
        why = self._absent.get(text)
        if why is not None:
            raise SourceError(why, hint="give it with --from")
        with self._lock:
            place = self._places.setdefault(text, _Place(Lock()))
        with place.lock:
            if place.payload is None and place.failure is None:
                try:
                    place.payload = resolve.read(text, settings)
                except UpgradeGateError as error:
                    place.failure = error
            if place.failure is not None:
                raise type(place.failure)(place.failure.message, hint=place.failure.hint)
            assert place.payload is not None  # noqa: S101 - it is there, or why it is not
            return place.payload

    def running(self, cluster: Cluster | None, settings: Settings) -> str:
        """Return the reference of the release that a cluster runs: of those given the one of its digest or version.

        Where none is, reading the reference fails and says so. Raises as `resolve.resolve` does where the cluster does
        not say what it runs.
        """
        own = resolve.resolve("cluster", cluster, settings)
        if not self._given or cluster is None:
            return own
        version = cluster.newest_completed
        found: list[str] = []
        unread: list[str] = []
        for text in self._given:
            reference = resolve.resolve(text, cluster, settings)
            try:
                payload = self.read(reference, settings)
            except SourceError as error:
                unread.append(error.message)
                continue
            if payload.digest is not None and own.endswith(f"@{payload.digest}"):
                return reference
            if version == Known(payload.version) and reference not in found:
                found.append(reference)
        if len(found) == 1:
            return found[0]
        name, what = own, "which version the cluster runs is not known"
        if isinstance(version, Known):
            name, what = version.value, f"the cluster runs {version.value}"  # its image need not even be a pullspec
        which = "several of the releases given are" if found else "none of the releases given is"
        reasons = f"; not read: {'; '.join(unread)}" if unread else ""
        self._absent[name] = f"{what}, and {which} that one{reasons}"
        return name

    def ahead(self, start: str, stops: Sequence[str], settings: Settings) -> tuple[str, ...]:
        """Return those stops of a path that a cluster has not passed yet: the clusters of a fleet stand at several.

        Where a version is not known every stop stays, and the path says why it cannot be judged.
        """
        first = self._version(start, settings)
        found = [(stop, self._version(stop, settings)) for stop in stops]
        return tuple(stop for stop, version in found if first is None or version is None or version > first)

    def _version(self, text: str, settings: Settings) -> versions.Version | None:
        try:
            return versions.parse(self.read(text, settings).version)
        except SourceError:
            return None

"""What ClusterVersion `version` says: one function per fact; a wrong type is Malformed, with its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from upgrade_gate.base import versions
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown, map_known, unless_empty
from upgrade_gate.base.text import without_credentials
from upgrade_gate.cluster.model import AvailableUpdate, ClusterCapabilities, Condition, HistoryEntry, Override
from upgrade_gate.reading.node import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from upgrade_gate.reading.node import Part

_NEWEST_RULE_SINCE = (4, 22)
_CONDITION_STATES = frozenset({"True", "False", "Unknown"})
_UPDATE_STATES = frozenset({"Completed", "Partial"})
_CAPABILITIES_SINCE = (4, 11)
_ARCHITECTURE = re.compile(r'architecture="([A-Za-z0-9]+)"')


def conditions(body: Part) -> Fact[tuple[Condition, ...]]:
    """Return the conditions of a ClusterOperator or ClusterVersion, in their order."""
    return Known(conditions_of(body["status"].required()))


def conditions_of(status: Part) -> tuple[Condition, ...]:
    """Return the conditions in a status, in their order; one type may stand there once, with a status that exists."""
    listed = [(item["type"].some_text(), item) for item in status["conditions"].items()]
    states: dict[str, str] = {}
    for kind, item in listed:
        said = item["status"].one_of(_CONDITION_STATES)
        if states.setdefault(kind, said) != said:
            raise Malformed(f"{item.where} contradicts another condition {kind[:60]} of the same object")
    return tuple(
        Condition(kind, item["status"].text(), item["reason"].text(), without_credentials(item["message"].text()))
        for kind, item in listed
    )


def cluster_id(body: Part) -> Fact[str]:
    """Return the cluster's ID."""
    return Known(body["spec"]["clusterID"].some_text())


def history(body: Part) -> Fact[tuple[HistoryEntry, ...]]:
    """Return every update that the cluster has seen, newest first."""
    return Known(
        tuple(
            HistoryEntry(item["state"].one_of(_UPDATE_STATES), item["version"].text(), item["image"].text())
            for item in body["status"].required()["history"].items()
        )
    )


def running(body: Part, seen: Fact[tuple[HistoryEntry, ...]]) -> Fact[str]:
    """Return the version that CCO takes for the current one (docs/facts/cco.md#annotation, step 2).

    Up to 4.21 that is the highest of all completed updates, from 4.22 the newest; which rule holds is told by
    the newest completed release, whose CCO runs. An invalid version among those asked is Unknown, as it is an
    error to CCO.
    """
    return map_known(seen, lambda entries: _running(entries, body.name))


def newest_completed(body: Part, seen: Fact[tuple[HistoryEntry, ...]]) -> Fact[str]:
    """Return the version of the newest completed update."""
    return map_known(_newest(body, seen), lambda entry: Known(entry.version))


def image(body: Part, seen: Fact[tuple[HistoryEntry, ...]]) -> Fact[str]:
    """Return the pullspec of the newest completed update."""
    return map_known(_newest(body, seen), lambda entry: Known(entry.image) if entry.image else Absent())


def updating_to(_: Part, seen: Fact[tuple[HistoryEntry, ...]]) -> Fact[str]:
    """Return what an update that has not completed leads to, absent where none is under way."""
    return map_known(
        seen,
        lambda entries: (
            Absent()
            if not entries or entries[0].state == "Completed"
            else Known(entries[0].version or entries[0].image or "an unnamed release")
        ),
    )


def _newest(body: Part, seen: Fact[tuple[HistoryEntry, ...]]) -> Fact[HistoryEntry]:
    return map_known(seen, lambda entries: _newest_of(entries, body.name))


def _newest_of(entries: Sequence[HistoryEntry], name: str) -> Fact[HistoryEntry]:
    entry = next((e for e in entries if e.state == "Completed"), None)
    if entry is None:
        return Unknown(f"the history of {name} holds no completed update", remedy="name the release with --from")
    if versions.parse(entry.version) is None:
        return Unknown(
            f"the newest completed update of {name} has no valid version: {entry.version!r}",
            remedy="name the release with --from",
        )
    return Known(entry)


def _running(entries: Sequence[HistoryEntry], name: str) -> Fact[str]:
    newest = _newest_of(entries, name)
    if not isinstance(newest, Known):
        return newest
    current = versions.parse(newest.value.version)
    if current is not None and current.release >= _NEWEST_RULE_SINCE:
        return Known(newest.value.version)
    highest: tuple[versions.Version, str] | None = None
    for text in (e.version for e in entries if e.state == "Completed"):
        parsed = versions.parse(text)
        if parsed is None:
            return Unknown(
                f"the history of {name} holds a completed update without a valid version: {text!r}",
                remedy="name the release with --from",
            )
        if highest is None or parsed > highest[0]:
            highest = (parsed, text)
    return Known(highest[1]) if highest else Unknown(f"the history of {name} is empty")


def channel(body: Part) -> Fact[str]:
    """Return the channel, absent when none is set."""
    return unless_empty(body["spec"]["channel"].text())


def upstream(body: Part) -> Fact[str]:
    """Return the address of the update graph, absent for the public one."""
    return unless_empty(body["spec"]["upstream"].text())


def architecture(body: Part) -> Fact[str]:
    """Return the architecture of the release: as stated, else as the text of condition ReleaseAccepted has it."""
    status = body["status"]
    stated = status["desired"]["architecture"].text()
    if stated:
        return Known(stated.lower())
    for condition in conditions_of(status):
        found = _ARCHITECTURE.search(condition.message) if condition.type == "ReleaseAccepted" else None
        if found:
            return Known(found.group(1).lower())
    return Absent()


def offers(body: Part) -> Fact[tuple[AvailableUpdate, ...]]:
    """Return the updates that the cluster offers; one that is recommended is not conditional besides."""
    status = body["status"].required()
    found = [_offer(item, ()) for item in status["availableUpdates"].items()]
    recommended = {offer.version for offer in found}
    for item in status["conditionalUpdates"].items():
        risks = tuple(
            ": ".join(text for text in (risk["name"].text(), risk["message"].text()) if text)
            for risk in item["risks"].items()
        )
        offer = _offer(item["release"].required(), risks)
        if offer.version not in recommended:
            found.append(offer)
    return Known(tuple(found))


def _offer(release: Part, risks: tuple[str, ...]) -> AvailableUpdate:
    return AvailableUpdate(release["version"].some_text(), release["image"].text(), risks, release["channels"].texts())


def accepted(body: Part) -> Fact[Mapping[str, Any]]:
    """Return what people told CVO of updates: the mode, the risks accepted ahead, and those of the newest update.

    It decides no verdict. Absent where they told nothing. Source: openshift/api config/v1, `mode` and `acceptRisks` of
    `Update`, `acceptedRisks` of `UpdateHistory`.
    """
    desired = body["spec"].required()["desiredUpdate"]
    newest = body["status"].required()["history"].items()[:1]
    told: dict[str, Any] = {
        "mode": desired["mode"].text(),
        "acceptRisks": [risk["name"].some_text() for risk in desired["acceptRisks"].items()],
        "acceptedRisks": "".join(entry["acceptedRisks"].text() for entry in newest),
    }
    said = {name: value for name, value in told.items() if value}
    return Known(said) if said else Absent()


def overrides(body: Part) -> Fact[tuple[Override, ...]]:
    """Return `spec.overrides`."""
    return Known(tuple(_override(item) for item in body["spec"].required()["overrides"].items()))


def _override(item: Part) -> Override:
    return Override(
        group=item["group"].text(),
        kind=item["kind"].some_text(),
        namespace=item["namespace"].text(),
        name=item["name"].some_text(),
        unmanaged=item["unmanaged"].flag() or False,
    )


def capabilities(body: Part, newest: Fact[str]) -> Fact[ClusterCapabilities]:
    """Return the capabilities that the ClusterVersion states; none at all before 4.11."""
    spec, status = body["spec"].required()["capabilities"], body["status"].required()["capabilities"]
    release = versions.minor_of(newest.value) if isinstance(newest, Known) else None
    if status.missing and (release is None or release >= _CAPABILITIES_SINCE):
        return Unknown(f"{status.where} is missing")
    stated = ClusterCapabilities(
        known=frozenset(status["knownCapabilities"].texts()),
        enabled=frozenset(status["enabledCapabilities"].texts()),
        baseline=spec["baselineCapabilitySet"].text() or None,
        additional=frozenset(spec["additionalEnabledCapabilities"].texts()),
    )
    # A dump that was cut between two lines parses; CVO itself never writes these.
    if not stated.enabled <= stated.known:
        return Unknown(
            f"{status.where} enables what it does not list as known: {', '.join(sorted(stated.enabled - stated.known))}"
        )
    if stated.known and not stated.enabled and stated.baseline != "None":
        return Unknown(f"{status.where} enables nothing, though the baseline is {stated.baseline or 'vCurrent'}")
    return Known(stated)

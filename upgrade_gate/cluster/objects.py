"""What each API object says: one function per object, from its raw form to facts.

Everything read is hostile: a wrong type gives an Unknown that names object and path.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base import platforms, versions
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown, map_known
from upgrade_gate.cluster.model import (
    AvailableUpdate,
    ClusterCapabilities,
    Condition,
    HistoryEntry,
    LiveRequest,
    Override,
)
from upgrade_gate.reading.node import Malformed, Part, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "UPGRADEABLE_TO",
    "VersionFacts",
    "annotation",
    "base_domain",
    "conditions",
    "credentials_mode",
    "custom_gates",
    "disabled",
    "environment",
    "feature_gates",
    "feature_set",
    "infrastructure_name",
    "issuer",
    "live_request",
    "network_scopes",
    "optional_text",
    "platform",
    "region",
    "running_version",
    "scopes",
    "topology",
    "version_facts",
    "zone_scopes",
]

UPGRADEABLE_TO = "cloudcredential.openshift.io/upgradeable-to"
"""The annotation of CloudCredential `cluster` by which a person says that somebody looked."""
_NEWEST_RULE_SINCE = (4, 22)
_CAPABILITIES_SINCE = (4, 11)
_TOPOLOGY_SINCE = (4, 8)
_PROFILES_SINCE = (4, 7)
_ARCHITECTURE = re.compile(r'architecture="([A-Za-z0-9]+)"')
_RESOURCE_GROUP = re.compile(r"/resourcegroups/([^/]+)/", re.IGNORECASE)


def optional_text(part: Callable[[], Part]) -> Fact[str]:
    """Return a text that may be left out or empty: then it is absent."""

    def read() -> Fact[str]:
        text = part().text()
        return Known(text) if text else Absent()

    return attempt(read)


def conditions(status: Part) -> tuple[Condition, ...]:
    """Return the conditions of a ClusterOperator, ClusterVersion or request, in their order."""
    return tuple(
        Condition(item["type"].some_text(), item["status"].some_text(), item["reason"].text(), item["message"].text())
        for item in status["conditions"].items()
    )


class VersionFacts(Struct, frozen=True):
    """What ClusterVersion `version` says."""

    id: Fact[str]
    version: Fact[str]
    newest_completed: Fact[str]
    image: Fact[str]
    history: Fact[tuple[HistoryEntry, ...]]
    updating_to: Fact[str]
    channel: Fact[str]
    upstream: Fact[str]
    architecture: Fact[str]
    offers: Fact[tuple[AvailableUpdate, ...]]
    conditions: Fact[tuple[Condition, ...]]
    overrides: Fact[tuple[Override, ...]]
    capabilities: Fact[ClusterCapabilities]


def version_facts(body: Part) -> VersionFacts:
    """Read a ClusterVersion, each fact by itself: one broken field leaves the others known."""
    history = attempt(lambda: Known(_history(body["status"].required())))
    newest = map_known(history, lambda entries: _newest(entries, body.name))
    version = map_known(history, lambda entries: running_version(entries, body.name))
    return VersionFacts(
        id=attempt(lambda: Known(body["spec"]["clusterID"].some_text())),
        version=version,
        newest_completed=map_known(newest, lambda entry: Known(entry.version)),
        image=map_known(newest, lambda entry: Known(entry.image) if entry.image else Absent()),
        history=history,
        updating_to=map_known(history, _updating_to),
        channel=optional_text(lambda: body["spec"]["channel"]),
        upstream=optional_text(lambda: body["spec"]["upstream"]),
        architecture=attempt(lambda: _architecture(body["status"])),
        offers=attempt(lambda: Known(_offers(body["status"].required()))),
        conditions=attempt(lambda: Known(conditions(body["status"].required()))),
        overrides=attempt(
            lambda: Known(tuple(_override(item) for item in body["spec"].required()["overrides"].items()))
        ),
        capabilities=attempt(lambda: _capabilities(body, newest)),
    )


def _history(status: Part) -> tuple[HistoryEntry, ...]:
    return tuple(
        HistoryEntry(item["state"].some_text(), item["version"].text(), item["image"].text())
        for item in status["history"].items()
    )


def _newest(entries: Sequence[HistoryEntry], name: str) -> Fact[HistoryEntry]:
    entry = next((e for e in entries if e.state == "Completed"), None)
    if entry is None:
        return Unknown(f"the history of {name} holds no completed update", remedy="name the release with --from")
    if versions.parse(entry.version) is None:
        return Unknown(
            f"the newest completed update of {name} has no valid version: {entry.version!r}",
            remedy="name the release with --from",
        )
    return Known(entry)


def running_version(entries: Sequence[HistoryEntry], name: str = "ClusterVersion version") -> Fact[str]:
    """Return the version that CCO takes for the current one (cco.md 5.3, step 2).

    Up to 4.21 that is the highest of all completed updates, from 4.22 the newest; which rule holds is told by
    the newest completed release, whose CCO runs. An invalid version among those asked is Unknown, as it is an
    error to CCO.
    """
    newest = _newest(entries, name)
    if not isinstance(newest, Known):
        return newest
    current = versions.parse(newest.value.version)
    if current is not None and current.release >= _NEWEST_RULE_SINCE:
        return Known(newest.value.version)
    completed = [(versions.parse(e.version), e.version) for e in entries if e.state == "Completed"]
    highest: tuple[versions.Version, str] | None = None
    for parsed, text in completed:
        if parsed is None:
            return Unknown(
                f"the history of {name} holds a completed update without a valid version: {text!r}",
                remedy="name the release with --from",
            )
        if highest is None or parsed > highest[0]:
            highest = (parsed, text)
    return Known(highest[1]) if highest else Unknown(f"the history of {name} is empty")


def _updating_to(entries: Sequence[HistoryEntry]) -> Fact[str]:
    if not entries or entries[0].state == "Completed":
        return Absent()
    return Known(entries[0].version or entries[0].image or "an unnamed release")


def _architecture(status: Part) -> Fact[str]:
    stated = status["desired"]["architecture"].text()
    if stated:
        return Known(stated.lower())
    for condition in conditions(status):
        found = _ARCHITECTURE.search(condition.message) if condition.type == "ReleaseAccepted" else None
        if found:
            return Known(found.group(1).lower())
    return Absent()


def _offers(status: Part) -> tuple[AvailableUpdate, ...]:
    offers = [_offer(item, ()) for item in status["availableUpdates"].items()]
    recommended = {offer.version for offer in offers}
    for item in status["conditionalUpdates"].items():
        risks = tuple(
            ": ".join(text for text in (risk["name"].text(), risk["message"].text()) if text)
            for risk in item["risks"].items()
        )
        offer = _offer(item["release"].required(), risks)
        if offer.version not in recommended:
            offers.append(offer)
    return tuple(offers)


def _offer(release: Part, risks: tuple[str, ...]) -> AvailableUpdate:
    return AvailableUpdate(release["version"].some_text(), release["image"].text(), risks, release["channels"].texts())


def _override(item: Part) -> Override:
    return Override(
        group=item["group"].text(),
        kind=item["kind"].some_text(),
        namespace=item["namespace"].text(),
        name=item["name"].some_text(),
        unmanaged=item["unmanaged"].flag() or False,
    )


def _capabilities(body: Part, newest: Fact[HistoryEntry]) -> Fact[ClusterCapabilities]:
    spec, status = body["spec"].required()["capabilities"], body["status"].required()["capabilities"]
    release = versions.minor_of(newest.value.version) if isinstance(newest, Known) else None
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
            f"{status.where} enables what it does not know: {', '.join(sorted(stated.enabled - stated.known))}"
        )
    if stated.known and not stated.enabled and stated.baseline != "None":
        return Unknown(f"{status.where} enables nothing, though the baseline is {stated.baseline or 'vCurrent'}")
    return Known(stated)


def infrastructure_name(body: Part) -> Fact[str]:
    """Return the infrastructure name; the blanked one of an insights archive is Unknown."""

    def read() -> Fact[str]:
        name = body["status"].required()["infrastructureName"].some_text()
        if set(name) <= {"x", "-"}:
            return Unknown(f"the infrastructure name is blanked in {body.name}")
        return Known(name)

    return attempt(read)


def platform(body: Part) -> Fact[str]:
    """Return the platform in Infrastructure's spelling: `platformStatus.type`, else the old `status.platform`."""

    def read() -> Fact[str]:
        status = body["status"].required()
        name = status["platformStatus"]["type"].text() or status["platform"].text()
        if not name:
            return Unknown(f"{body.name} names no platform in its status", remedy="give --platform")
        found = platforms.by_name(name)
        return Known(found.name if found else name)

    return attempt(read)


def region(body: Part) -> Fact[str]:
    """Return the cloud's region, absent where the platform has none."""

    def read() -> Fact[str]:
        status = body["status"]["platformStatus"]
        for place in ("aws", "gcp", "powervs", "alibabacloud"):
            if text := status[place]["region"].text():
                return Known(text)
        text = status["ibmcloud"]["location"].text()
        return Known(text) if text else Absent()

    return attempt(read)


def scopes(body: Part) -> Fact[tuple[str, ...]]:
    """Return what every grant must cover: Azure's or IBM's resource group, GCP's project."""

    def read() -> Fact[tuple[str, ...]]:
        status = body["status"].required()["platformStatus"]
        found = (
            status["azure"]["resourceGroupName"].text()
            or status["gcp"]["projectID"].text()
            or status["ibmcloud"]["resourceGroupName"].text()
            or status["powervs"]["resourceGroup"].text()
        )
        return Known((found,) if found else ())

    return attempt(read)


def network_scopes(body: Part) -> Fact[tuple[str, ...]]:
    """Return Azure's network resource group where it is not the cluster's own."""

    def read() -> Fact[tuple[str, ...]]:
        azure = body["status"].required()["platformStatus"]["azure"]
        network, own = azure["networkResourceGroupName"].text(), azure["resourceGroupName"].text()
        return Known((network,) if network and network.casefold() != own.casefold() else ())

    return attempt(read)


def zone_scopes(dns: Part, own: Fact[tuple[str, ...]]) -> Fact[tuple[str, ...]]:
    """Return the resource groups of Azure's DNS zones where they are not the cluster's own."""

    def read() -> Fact[tuple[str, ...]]:
        spec = dns["spec"].required()
        mine = {scope.casefold() for scope in own.value} if isinstance(own, Known) else set()
        groups: list[str] = []
        for zone in ("publicZone", "privateZone"):
            found = _RESOURCE_GROUP.search(spec[zone]["id"].text())
            if found and found.group(1).casefold() not in mine | {g.casefold() for g in groups}:
                groups.append(found.group(1))
        return Known(tuple(groups))

    return attempt(read)


def base_domain(dns: Part) -> Fact[str]:
    """Return the cluster's base domain."""
    return optional_text(lambda: dns["spec"].required()["baseDomain"])


def topology(body: Part, release: tuple[int, int] | None) -> Fact[str]:
    """Return the control plane's topology; before 4.8 there was no other than HighlyAvailable."""

    def read() -> Fact[str]:
        part = body["status"].required()["controlPlaneTopology"]
        if text := part.text():
            return Known(text)
        if part.missing and release is not None and release < _TOPOLOGY_SINCE:
            return Known("HighlyAvailable")
        return Unknown(f"{part.where} is {'missing' if part.missing else 'blanked'}")

    return attempt(read)


def issuer(body: Part) -> Fact[str]:
    """Return the service account issuer of Authentication `cluster`, absent when none is set."""
    return optional_text(lambda: body["spec"].required()["serviceAccountIssuer"])


def feature_set(body: Part) -> Fact[str]:
    """Return the feature set, `Default` when none is set."""
    return attempt(lambda: Known(body["spec"].required()["featureSet"].text() or "Default"))


def feature_gates(body: Part, version: Fact[str]) -> Fact[frozenset[str]]:
    """Return the gates enabled in the running version.

    The status holds one entry per version, also of the one before an update; up to 4.13 it holds none at all.
    """

    def read() -> Fact[frozenset[str]]:
        entries = body["status"]["featureGates"].items()
        if not entries:
            return Absent()
        if not isinstance(version, Known):
            return Unknown(f"{body.name} lists gates per version, and the running version is not known")
        for entry in entries:
            if entry["version"].text() == version.value:
                return Known(frozenset(gate["name"].some_text() for gate in entry["enabled"].items()))
        return Unknown(f"{body.name} has no list of gates for {version.value}")

    return attempt(read)


def custom_gates(body: Part) -> Fact[tuple[frozenset[str], frozenset[str]]]:
    """Return the gates that CustomNoUpgrade enables and disables, absent under any other feature set."""

    def read() -> Fact[tuple[frozenset[str], frozenset[str]]]:
        spec = body["spec"].required()
        if spec["featureSet"].text() != "CustomNoUpgrade":
            return Absent()
        custom = spec["customNoUpgrade"]
        return Known((frozenset(custom["enabled"].texts()), frozenset(custom["disabled"].texts())))

    return attempt(read)


def credentials_mode(body: Part) -> Fact[str]:
    """Return `spec.credentialsMode` as it stands, empty for the default."""
    return attempt(lambda: Known(body["spec"].required()["credentialsMode"].text()))


def annotation(body: Part) -> Fact[str]:
    """Return the upgradeable-to annotation; Unknown where the record holds no metadata (insights archives)."""

    def read() -> Fact[str]:
        metadata = body["metadata"]
        if metadata.missing:
            return Unknown(
                f"{body.name} was recorded without its metadata: annotations are not in it",
                remedy="read the live cluster or a must-gather",
            )
        annotations = metadata["annotations"].labels()
        return Known(annotations[UPGRADEABLE_TO]) if UPGRADEABLE_TO in annotations else Absent()

    return attempt(read)


# Go's strconv.ParseBool.
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def disabled(body: Part) -> Fact[bool]:
    """Return whether the legacy ConfigMap switches CCO off; absent when it does not say."""

    def read() -> Fact[bool]:
        data = body["data"]
        if "disabled" not in data.mapping():
            return Absent()
        text = data["disabled"].text()
        if text in _TRUE | _FALSE:
            return Known(text in _TRUE)
        return Unknown(
            f"data.disabled of {body.name} is {text[:40]!r}: CCO cannot read it and reconciles nothing",
            remedy=f"set data.disabled of {body.name} to true or false, or remove it",
        )

    return attempt(read)


def environment(body: Part, name: str, release: tuple[int, int] | None) -> Fact[str]:
    """Return an environment variable of the CVO's container.

    CLUSTER_PROFILE is set in every CVO from 4.7 on: there its absence is Unknown, before it is the one profile.
    """

    def read() -> Fact[str]:
        containers = body["spec"].required()["template"]["spec"]["containers"].required().items()
        named = [c for c in containers if c["name"].text() == "cluster-version-operator"]
        if not named:
            raise Malformed(f"{body.name} has no container cluster-version-operator")
        for variable in named[0]["env"].items():
            if variable["name"].text() == name:
                if variable["value"].missing:
                    return Unknown(f"{name} of {body.name} has no plain value")
                text = variable["value"].text()
                return Known(text) if text else Absent()
        return Absent()

    found = attempt(read)
    if name == "CLUSTER_PROFILE" and isinstance(found, Absent):
        if release is not None and release < _PROFILES_SINCE:
            return Known(platforms.DEFAULT_PROFILE)
        return Unknown(f"{body.name} does not say CLUSTER_PROFILE", remedy="give --profile")
    return found


def live_request(body: Part) -> LiveRequest:
    """Read one CredentialsRequest of the cluster; raises Malformed where it is none."""
    metadata, status = body["metadata"].required(), body["status"]
    return LiveRequest(
        namespace=metadata["namespace"].some_text(),
        name=metadata["name"].some_text(),
        spec=body["spec"].mapping(),
        annotations=metadata["annotations"].labels(),
        finalizers=metadata["finalizers"].texts(),
        owners=tuple(f"{o['kind'].some_text()}/{o['name'].some_text()}" for o in metadata["ownerReferences"].items()),
        generation=metadata["generation"].number(),
        provisioned=status["provisioned"].flag(),
        minted=bool(_without_type(status["providerStatus"])),
        conditions=conditions(status),
    )


def _without_type(part: Part) -> dict[str, object]:
    return {key: value for key, value in part.mapping().items() if key not in {"apiVersion", "kind"} and value}

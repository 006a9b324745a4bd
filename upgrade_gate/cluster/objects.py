"""What the other objects say: one function per fact; a wrong type is Malformed, with its place.

A function whose fact depends on another one takes that fact as its second argument.
"""

from __future__ import annotations

import re

from upgrade_gate.base import platforms, versions
from upgrade_gate.base.errors import ManifestError
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown, map_known, unless_empty
from upgrade_gate.base.text import without_credentials
from upgrade_gate.cluster.cluster_version import conditions_of
from upgrade_gate.cluster.model import LiveRequest
from upgrade_gate.reading import yaml
from upgrade_gate.reading.node import Malformed, Part, slip_of

UPGRADEABLE_TO = "cloudcredential.openshift.io/upgradeable-to"
"""The annotation of CloudCredential `cluster` by which a person says that somebody looked."""
NETWORK_SETTING = "network-project-id"
"""The setting of `gce.conf`, whose names have no case (gcfg), that says where the network is."""
_TOPOLOGY_SINCE = (4, 8)
_PROFILES_SINCE = (4, 7)
_ZONE_PROJECT = re.compile(r"projects/([^/]+)/managedZones/[^/]+")
_RESOURCE_GROUP = re.compile(r"/resourcegroups/([^/]+)/", re.IGNORECASE)


# --- Infrastructure ---


def infrastructure_name(body: Part) -> Fact[str]:
    """Return the infrastructure name; the blanked one of an insights archive is Unknown."""
    name = body["status"].required()["infrastructureName"].some_text()
    if set(name) <= {"x", "-"}:
        return Unknown(f"the infrastructure name is hidden in {body.name}")
    return Known(name)


def api_url(body: Part) -> Fact[str]:
    """Return the address of the API server."""
    return map_known(
        unless_empty(body["status"].required()["apiServerURL"].text()), lambda url: Known(without_credentials(url))
    )


def platform(body: Part) -> Fact[str]:
    """Return the platform in Infrastructure's spelling: `platformStatus.type`, else the old `status.platform`."""
    status = body["status"].required()
    spec = body["spec"]["platformSpec"]
    places = [part for part in (status["platformStatus"]["type"], status["platform"], spec["type"]) if part.text()]
    if not places or places == [spec["type"]]:
        return Unknown(f"{body.name} names no platform in its status", remedy="give --platform")
    name = places[0].text()
    if differing := next((part for part in places if part.text() != name), None):
        return _contradicts(f"{places[0].where} is {name[:40]!r}, and {differing.path} is {differing.text()[:40]!r}")
    if foreign := _foreign(status["platformStatus"], name):
        return _contradicts(f"{places[0].where} is {name[:40]!r}, and {foreign} is filled in beside it")
    if platforms.by_name(name.strip()) is not None and platforms.exactly(name) is None:
        return _outside(places[0], "a platform")
    return Known(name)


def _foreign(status: Part, name: str) -> str | None:
    """Return the member of another platform that says something where the platform's own says nothing."""
    if any(
        isinstance(key, str) and key.casefold() == name.casefold() and status[key].mapping() for key in status.mapping()
    ):
        return None
    others = {p.name.casefold(): p.name for p in platforms.PLATFORMS.values() if p.name != name}
    found = (key for key in status.mapping() if isinstance(key, str) and key.casefold() in others)
    return next((status[key].path for key in found if status[key].mapping()), None)


def _contradicts(text: str) -> Unknown:
    return Unknown(f"{text}: fields that contradict each other", "find out which is right", read=True)


def _outside(part: Part, what: str) -> Unknown:
    """Return the fact for a value that is none of a closed list; operators compare letter by letter."""
    return Unknown(f"{part.where} is {part.text()[:60]!r}, which is not {what} that exists", "correct it", read=True)


def vcenters(body: Part) -> Fact[tuple[str, ...]]:
    """Return vSphere's vCenters, of each of which every Secret needs a user name and a password.

    Source: openshift/api config/v1 `VSpherePlatformSpec.vcenters`; installer `pkg/asset/manifests/openshift.go`.
    """
    listed = body["spec"]["platformSpec"]["vsphere"]["vcenters"].items()
    return Known(tuple(dict.fromkeys(one["server"].some_text() for one in listed)))


def region(body: Part) -> Fact[str]:
    """Return the cloud's region, absent where the platform has none."""
    status = body["status"]["platformStatus"]
    for place in ("aws", "gcp", "powervs", "alibabacloud"):
        if text := status[place]["region"].text():
            return Known(text)
    return unless_empty(status["ibmcloud"]["location"].text())


def scopes(body: Part) -> Fact[tuple[str, ...]]:
    """Return what every grant must cover: Azure's or IBM's resource group, GCP's project."""
    status = body["status"].required()["platformStatus"]
    found = (
        status["azure"]["resourceGroupName"].text()
        or status["gcp"]["projectID"].text()
        or status["ibmcloud"]["resourceGroupName"].text()
        or status["powervs"]["resourceGroup"].text()
    )
    return Known((found,) if found else ())


def dns_instance(body: Part) -> Fact[str]:
    """Return the CRN of the DNS Services instance, absent where Infrastructure names none."""
    return _instance(body, "dnsInstanceCRN")


def internet_instance(body: Part) -> Fact[str]:
    """Return the CRN of the Internet Services instance, absent where Infrastructure names none."""
    return _instance(body, "cisInstanceCRN")


def _instance(body: Part, field: str) -> Fact[str]:
    status = body["status"].required()["platformStatus"]
    return unless_empty(status["ibmcloud"][field].text() or status["powervs"][field].text())


def network_scopes(body: Part) -> Fact[tuple[str, ...]]:
    """Return Azure's network resource group where it is not the cluster's own."""
    azure = body["status"].required()["platformStatus"]["azure"]
    network, own = azure["networkResourceGroupName"].text(), azure["resourceGroupName"].text()
    return Known((network,) if network and network.casefold() != own.casefold() else ())


def topology(body: Part, newest: Fact[str]) -> Fact[str]:
    """Return the control plane's topology; before 4.8 there was no other than HighlyAvailable."""
    part = body["status"].required()["controlPlaneTopology"]
    if text := part.text():
        return Known(text) if text in platforms.TOPOLOGIES else _outside(part, "a topology")
    if part.missing and _is_before(_TOPOLOGY_SINCE, newest):
        return Known("HighlyAvailable")
    return Unknown(f"{part.where} is {'missing' if part.missing else 'blanked'}")


# --- DNS ---


def base_domain(body: Part) -> Fact[str]:
    """Return the cluster's base domain."""
    return unless_empty(body["spec"].required()["baseDomain"].text())


def zone_scopes(body: Part, own: Fact[tuple[str, ...]]) -> Fact[tuple[str, ...]]:
    """Return the resource groups of Azure's DNS zones where they are not the cluster's own."""
    spec = body["spec"].required()
    mine = {scope.casefold() for scope in own.value} if isinstance(own, Known) else set()
    groups: list[str] = []
    for zone in ("publicZone", "privateZone"):
        text = spec[zone]["id"].text()
        found = _RESOURCE_GROUP.search(text)
        if found is None and text.startswith("/"):  # only Azure's IDs do
            return _no_zone(body, text)
        if found and found.group(1).casefold() not in mine | {g.casefold() for g in groups}:
            groups.append(found.group(1))
    return Known(tuple(groups))


def _no_zone(body: Part, text: str) -> Unknown:
    return Unknown(f"{body.name} names the zone {text[:80]!r}, which is not the ID of a zone", "correct it", read=True)


def zone_projects(body: Part, own: Fact[tuple[str, ...]]) -> Fact[tuple[str, ...]]:
    """Return the projects of GCP's DNS zones: `projects/P/managedZones/Z` names one, a bare name is of the cluster's.

    Source: cluster-ingress-operator `pkg/dns/gcp/provider.go`, ParseZone.
    """
    spec = body["spec"].required()
    zones = [spec[zone]["id"].text() for zone in ("publicZone", "privateZone")]
    for zone in zones:
        if zone.startswith("project") and "/" in zone and not _ZONE_PROJECT.fullmatch(zone):
            return _no_zone(body, zone)
    named = [_ZONE_PROJECT.fullmatch(zone) for zone in zones if zone]
    if not isinstance(own, Known) and None in named:
        return Unknown(f"the cluster's project is not known, so neither is the project of the zones of {body.name}")
    mine = next(iter(own.value), "") if isinstance(own, Known) else ""
    found = (m.group(1) if m else mine for m in named)
    return Known(tuple(dict.fromkeys(project for project in found if project)))


def private_zone_role(body: Part) -> Fact[str]:
    """Return the ARN of the role that the ingress operator assumes for AWS's private zone; absent where there is none.

    Source: openshift/api config/v1 `DNS`, `spec.platform.aws.privateZoneIAMRole`.
    """
    return unless_empty(body["spec"].required()["platform"]["aws"]["privateZoneIAMRole"].text())


# --- what proof rests on, on GCP and IBM Cloud ---


def cloud_network(body: Part, own: Fact[tuple[str, ...]]) -> Fact[str]:
    """Return the network's project by the cloud provider's configuration (`gce.conf`), absent where that is empty."""
    text = body["data"].required()["config"].text()
    if not text.strip():
        return Absent()
    pairs = (line.partition("=") for line in text.splitlines())
    settings = {key.strip().casefold(): value.strip() for key, equals, value in pairs if equals}
    slip = None if NETWORK_SETTING in settings else slip_of(NETWORK_SETTING, settings)
    if slip is not None:
        return Unknown(
            f"{body.name} has {slip[:60]!r}, which is no setting; {NETWORK_SETTING} is", "correct it", read=True
        )
    return _named_or_own(settings.get(NETWORK_SETTING, "").strip("\"'"), own)


def installed_network(body: Part, own: Fact[tuple[str, ...]]) -> Fact[str]:
    """Return where the network is by the installer's own configuration, kept with the cluster.

    That is GCP's project or IBM Cloud's resource group. Source: installer `pkg/types/gcp`, `pkg/types/ibmcloud`.
    """
    text = body["data"].required()["install-config"].required().text()
    name = f"install-config of {body.name}"
    try:
        config = Part(yaml.parse_one(text.encode(), name).body, name)
    except ManifestError as error:
        return Unknown(error.message)
    platform = config.required()["platform"].required()
    group = platform["ibmcloud"]["networkResourceGroupName"].text()
    return _named_or_own(platform["gcp"]["networkProjectID"].text() or group, own)


def _named_or_own(named: str, own: Fact[tuple[str, ...]]) -> Fact[str]:
    """Return the named project or group, else the cluster's own: there the network is where nothing names another."""
    if named:
        return Known(named)
    if isinstance(own, Known) and own.value:
        return Known(own.value[0])
    return Unknown("the cluster's own project or resource group is not known")


def worker_accounts(body: Part) -> Fact[tuple[str, ...]]:
    """Return the service accounts that the MachineSets give to new machines."""
    sets = (Part(value, "a MachineSet") for value in body.value)
    specs = (one["spec"]["template"]["spec"]["providerSpec"] for one in sets)
    return Known(tuple(account for spec in specs for account in _accounts(spec)))


def control_plane_accounts(body: Part) -> Fact[tuple[str, ...]]:
    """Return the service accounts that the ControlPlaneMachineSet gives to new machines."""
    machine = body["spec"]["template"]["machines_v1beta1_machine_openshift_io"]
    return Known(_accounts(machine["spec"]["providerSpec"]))


def _accounts(spec: Part) -> tuple[str, ...]:
    return tuple(one["email"].some_text() for one in spec["value"].required()["serviceAccounts"].items())


# --- Authentication and FeatureGate ---


def issuer(body: Part) -> Fact[str]:
    """Return the service account issuer, absent when none is set."""
    return unless_empty(body["spec"].required()["serviceAccountIssuer"].text())


def feature_set(body: Part) -> Fact[str]:
    """Return the feature set, `Default` when none is set."""
    part = body["spec"].required()["featureSet"]
    text = part.text() or "Default"
    return Known(text) if text in platforms.FEATURE_SETS else _outside(part, "a feature set")


def feature_gates(body: Part, newest: Fact[str]) -> Fact[frozenset[str]]:
    """Return the gates enabled in the running version.

    The status holds one entry per version, also of the one before an update; up to 4.13 it holds none at all.
    """
    entries = body["status"]["featureGates"].items()
    if not entries:
        return Absent()
    if not isinstance(newest, Known):
        return Unknown(f"{body.name} lists gates per version, and the running version is not known")
    own = [entry for entry in entries if entry["version"].text() == newest.value]
    if not own:
        return Unknown(f"{body.name} has no list of gates for {newest.value}")
    states = {
        (gate["name"].some_text(), state)
        for entry in own
        for state in ("enabled", "disabled")
        for gate in entry[state].items()
    }
    enabled = frozenset(name for name, state in states if state == "enabled")
    if both := sorted(name for name in enabled if (name, "disabled") in states):
        return _contradicts(f"{both[0][:60]} is both enabled and disabled for {newest.value} in {body.name}")
    return Known(enabled)


def custom_gates(body: Part) -> Fact[tuple[frozenset[str], frozenset[str]]]:
    """Return the gates that CustomNoUpgrade enables and disables, absent under any other feature set."""
    spec = body["spec"].required()
    if spec["featureSet"].text() != "CustomNoUpgrade":
        return Absent()
    custom = spec["customNoUpgrade"]
    return Known((frozenset(custom["enabled"].texts()), frozenset(custom["disabled"].texts())))


# --- CloudCredential and the legacy ConfigMap ---


def credentials_mode(body: Part) -> Fact[str]:
    """Return `spec.credentialsMode` as it stands, empty for the default."""
    part = body["spec"].required()["credentialsMode"]
    text = part.text()
    return Known(text) if text in platforms.CREDENTIALS_MODES else _outside(part, "a mode")


def annotation(body: Part) -> Fact[str]:
    """Return the upgradeable-to annotation; Unknown where the record holds no metadata (insights archives)."""
    metadata = body["metadata"]
    if metadata.missing:
        return Unknown(
            f"{body.name} was recorded without its metadata: annotations are not in it",
            remedy="read the live cluster or a must-gather",
        )
    annotations = metadata["annotations"].labels()
    return Known(annotations[UPGRADEABLE_TO]) if UPGRADEABLE_TO in annotations else Absent()


# Go's strconv.ParseBool.
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})


def disabled(body: Part) -> Fact[bool]:
    """Return whether the legacy ConfigMap switches CCO off; absent when it does not say."""
    data = body["data"]
    if "disabled" not in data.mapping():
        return Absent()
    text = data["disabled"].text()
    if text in _TRUE | _FALSE:
        return Known(text in _TRUE)
    return Unknown(
        f"data.disabled of {body.name} is {text[:40]!r}, which CCO cannot read, so CCO does nothing",
        remedy=f"set data.disabled of {body.name} to true or false, or remove it",
    )


# --- the CVO's Deployment ---


def profile(body: Part, newest: Fact[str]) -> Fact[str]:
    """Return CLUSTER_PROFILE.

    It is set in every CVO from 4.7 on: there its absence is Unknown, before it is the one profile.
    """
    found = _variable(body, "CLUSTER_PROFILE")
    if isinstance(found, Known) and found.value not in platforms.PROFILES:
        text = f"CLUSTER_PROFILE of {body.name} is {found.value[:60]!r}, which is not a profile that exists"
        return Unknown(text, "update upgrade-gate, or correct it", read=True)
    if not isinstance(found, Absent):
        return found
    if _is_before(_PROFILES_SINCE, newest):
        return Known(platforms.DEFAULT_PROFILE)
    return Unknown(f"{body.name} does not say CLUSTER_PROFILE", remedy="give --profile")


def excluded(body: Part) -> Fact[str]:
    """Return EXCLUDE_MANIFESTS, absent when it is not set."""
    return _variable(body, "EXCLUDE_MANIFESTS")


def _variable(body: Part, name: str) -> Fact[str]:
    """Return an environment variable of the CVO's container, absent where it is not set or empty."""
    containers = body["spec"].required()["template"]["spec"]["containers"].required().items()
    named = [c for c in containers if c["name"].text() == "cluster-version-operator"]
    if not named:
        raise Malformed(f"{body.name} has no container cluster-version-operator")
    set_to = [variable for variable in named[0]["env"].items() if variable["name"].text() == name]
    if any(variable["value"].missing or not variable["valueFrom"].missing for variable in set_to):
        return Unknown(f"{name} of {body.name} has no plain value")
    texts = sorted({variable["value"].text() for variable in set_to})
    if len(texts) > 1:
        return _contradicts(f"{name} of {body.name} is set twice, to {' and '.join(repr(t[:40]) for t in texts)}")
    return unless_empty(texts[0]) if texts else Absent()


# --- CredentialsRequests ---


def requests(listed: Part) -> Fact[tuple[LiveRequest, ...]]:
    """Return every CredentialsRequest, sorted; one malformed one makes the list Unknown."""
    found = [_request(Part(body, _request_name(body))) for body in listed.value]
    return Known(tuple(sorted(found, key=lambda r: (r.namespace, r.name))))


def _request_name(body: object) -> str:
    metadata = body.get("metadata") if isinstance(body, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return f"CredentialsRequest {name}" if isinstance(name, str) else "a CredentialsRequest"


def _request(body: Part) -> LiveRequest:
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
        minted=any(v for key, v in status["providerStatus"].mapping().items() if key not in {"apiVersion", "kind"}),
        conditions=conditions_of(status),
    )


def _is_before(since: tuple[int, int], newest: Fact[str]) -> bool:
    """Return whether the newest completed release is known, and is one before `since`."""
    release = versions.minor_of(newest.value) if isinstance(newest, Known) else None
    return release is not None and release < since

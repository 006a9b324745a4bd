"""What the Cloud Credential Operator and the Cluster Version Operator would do by themselves, release by release.

Pure functions over plain values. Sources: cloud-credential-operator `pkg/operator/utils/utils.go` (UpgradeableCheck)
and the actuators' Upgradeable functions of each release branch; cluster-version-operator
`pkg/payload/precondition/clusterversion/upgradeable.go`; docs/facts/cco.md#modes, docs/facts/cco.md#upgradeable and
docs/facts/cco.md#behaviour, docs/facts/releases.md#upgradeable.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from upgrade_gate.base import platforms
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.base.secret_ref import SecretRef
from upgrade_gate.base.steps import Command, line
from upgrade_gate.cluster.credentials_mode import Mode
from upgrade_gate.cluster.objects import UPGRADEABLE_TO
from upgrade_gate.gate.findings import Guard
from upgrade_gate.requests.update import GUARDED_HOPS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import Condition
    from upgrade_gate.requests.update import HopKind

Release: TypeAlias = "tuple[int, int]"

_ANNOTATION_SINCE = (4, 8)
_ALL_ACTUATORS_SINCE = (4, 10)
_FIRST_ANNOTATED = frozenset({"AWS", "GCP", "OpenStack", "VSphere"})
FINALIZER = "cloudcredential.openshift.io/deprovision"

_LISTS: Mapping[tuple[Release, str], tuple[SecretRef, ...]] = MappingProxyType(
    {
        ((4, 5), "AWS"): (
            SecretRef("openshift-cloud-credential-operator", "cloud-credential-operator-s3"),
            SecretRef("openshift-cluster-csi-drivers", "ebs-cloud-credentials"),
        ),
        ((4, 6), "AWS"): (),
        ((4, 6), "GCP"): (
            SecretRef("openshift-cluster-csi-drivers", "gcp-pd-cloud-credentials"),
            SecretRef("openshift-cloud-credential-operator", "cloud-credential-operator-gcp-ro-creds"),
        ),
        ((4, 6), "OpenStack"): (SecretRef("openshift-cluster-csi-drivers", "openstack-cloud-credentials"),),
        ((4, 6), "VSphere"): (SecretRef("openshift-cluster-storage-operator", "openshift-vsphere-problem-detector"),),
    }
)


def secret_list(release: Release, platform: str) -> tuple[SecretRef, ...] | None:
    """Return the Secrets whose existence CCO asks for in manual mode, None where it keeps no such list.

    Only 4.5 to 4.7 have lists. 4.7 kept those of 4.6, which say nothing about 4.8.
    """
    return _LISTS.get(((4, 6) if release == (4, 7) else release, _spelling(platform)))


def checks_annotation(release: Release, platform: str) -> bool:
    """Return whether CCO of this release asks for the upgradeable-to annotation on this platform in manual mode."""
    found = platforms.by_name(platform)
    if found is None or not found.has_actuator or release < _ANNOTATION_SINCE:
        return False
    return release >= _ALL_ACTUATORS_SINCE or found.name in _FIRST_ANNOTATED


def annotation_wanted(*, release: Release, platform: str, hop_kind: HopKind, mode: Mode) -> tuple[bool, str]:
    """Return whether the annotation must be set for this hop, and why it must or need not.

    An unknown mode is judged as manual.
    """
    if hop_kind not in GUARDED_HOPS:
        return False, "CCO cannot stop an update to a patch release"
    if mode is Mode.ABSENT:
        return False, "CCO is not installed on this cluster"
    if release < _ANNOTATION_SINCE:
        return False, f"CCO {_text(release)} has no such annotation; it checks a fixed list of Secrets"
    if not checks_annotation(release, platform):
        return False, f"CCO {_text(release)} never asks for it on {platform}"
    if mode in (Mode.MANUAL, Mode.UNKNOWN):
        return True, "in manual mode CCO reports Upgradeable=False until the annotation is set"
    if release == (4, 14) and _spelling(platform) == "GCP":
        return True, "CCO 4.14 asks for it on GCP in every mode, since minting needs more permissions in 4.15"
    return False, f"CCO asks for it in manual mode only, and this cluster is in {mode} mode"


WHERE_TO_ANNOTATE = "Administration, CustomResourceDefinitions, CloudCredential, Instances, cluster, YAML"
"""The way to the annotated object in the console."""


def annotate(target: Release) -> Command:
    """Return the command that sets the annotation to a target's minor release."""
    value = f"v{_text(target)}"
    path = UPGRADEABLE_TO.replace(".", "\\.")
    read = f"jsonpath={{.metadata.annotations.{path}}}"
    return Command(
        line("oc annotate cloudcredential.operator.openshift.io cluster", f"{UPGRADEABLE_TO}={value}", overwrite=True),
        unless=line("oc get cloudcredential.operator.openshift.io cluster", "-o", read),
        shows=value,
    )


# golang.org/x/mod/semver: minor and patch may be left out, but then nothing may follow.
_NUMBER = r"(0|[1-9][0-9]*)"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_GO_SEMVER = re.compile(
    rf"v{_NUMBER}(?:\.{_NUMBER}(?:\.{_NUMBER}(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?)?",
    re.ASCII,
)
_MOST_DIGITS = 18
"""No release has a number of so many: what follows tells nothing more, and Python reads no number of 5,000."""


def annotation_minor(text: str) -> Release | None:
    """Return the minor release that CCO reads from an annotation, None where it is no version to CCO."""
    found = _GO_SEMVER.fullmatch(text if text.startswith("v") else f"v{text}")
    if found is None:
        return None
    major, minor = found.group(1), found.group(2) or "0"
    return int(major[:_MOST_DIGITS]), int(minor[:_MOST_DIGITS])


def condition(cluster: Cluster, kind: str) -> Fact[Condition]:
    """Return one condition of ClusterOperator cloud-credential; absent where the operator does not have it."""
    match cluster.operator:
        case Known(value=conditions):
            found = next((c for c in conditions if c.type == kind), None)
            return Known(found) if found else Absent()
        case other:
            return other


def upgradeable_status(cluster: Cluster) -> str | None:
    """Return the status of CCO's Upgradeable condition, None where it is not known or not there."""
    found = condition(cluster, "Upgradeable")
    return found.value.status if isinstance(found, Known) else None


def has_finalizer(cluster: Cluster, request: str) -> bool:
    """Return whether the cluster's own copy of a request carries CCO's finalizer."""
    if not isinstance(cluster.requests, Known):
        return False
    return any(live.id == request and FINALIZER in live.finalizers for live in cluster.requests.value)


def guard_permission(hop_kind: HopKind) -> tuple[Guard, str]:
    """Return the guard of a changed permission: nothing in the cluster ever compares permissions."""
    if hop_kind in GUARDED_HOPS:
        return Guard.MISSED, "OpenShift does not check this: at most it checks that an administrator set an annotation"
    return Guard.MISSED, "OpenShift checks no credentials in an update to a patch release"


def guard_new_request(
    *, platform: str, release: Release, hop_kind: HopKind, mode: Mode, condition: str | None
) -> tuple[Guard, str]:
    """Return whether CCO and CVO would stop the upgrade for a new request, and why (docs/contract.md#guard).

    `release` is the one that runs; `condition` the status of CCO's Upgradeable condition, None where unknown.
    """
    if hop_kind not in GUARDED_HOPS:
        return Guard.MISSED, "CVO does not stop an update to a patch release, whatever CCO reports"
    if mode is Mode.ABSENT:
        return Guard.MISSED, "CCO is not installed on this cluster, so nothing checks CredentialsRequests"
    found = platforms.by_name(platform)
    if found is None:
        return Guard.MISSED, "the platform is unknown, so whether CCO checks anything is unknown too"
    if not found.has_actuator:
        return Guard.MISSED, f"CCO always reports Upgradeable=True on {platform}"
    by_hand = mode in (Mode.MANUAL, Mode.UNKNOWN)
    if release < _ANNOTATION_SINCE:
        listed = secret_list(release, platform)
        if listed is None or (by_hand and not listed):
            return Guard.MISSED, f"CCO {_text(release)} checks nothing on {platform}"
        what = f"its list of Secrets for {platform}" if by_hand else "the root credential"
    elif not checks_annotation(release, platform):
        return Guard.MISSED, f"CCO {_text(release)} checks nothing on {platform}"
    else:
        what = "the annotation upgradeable-to" if by_hand else "the root credential"
    if condition == "False":
        return Guard.STOPPED, f"CCO checks {what} and reports Upgradeable=False, so CVO refuses the update"
    if condition is None:
        return Guard.MISSED, f"CCO checks {what}, but whether it reports Upgradeable=False is not known"
    return Guard.MISSED, f"CCO checks only {what} and reports Upgradeable={condition}, so CVO would start the update"


def guard_secret_missing(*, platform: str, release: Release, hop_kind: HopKind, secret: SecretRef) -> tuple[Guard, str]:
    """Return the guard of a missing Secret: only the lists of 4.5 to 4.7 ever asked for one.

    See docs/contract.md#guard.
    """
    if release >= _ANNOTATION_SINCE:
        return Guard.MISSED, f"CCO {_text(release)} does not check Secrets in manual mode"
    if secret not in (secret_list(release, platform) or ()):
        return Guard.MISSED, f"CCO {_text(release)} does not check Secret {secret} on {platform}"
    if hop_kind not in GUARDED_HOPS:
        return Guard.MISSED, "CVO does not stop an update to a patch release, whatever CCO reports"
    return Guard.STOPPED, f"CCO {_text(release)} checks Secret {secret} and reports Upgradeable=False"


def guard_root_credential(*, hop_kind: HopKind, condition: str | None) -> tuple[Guard, str]:
    """Return the guard of a missing root credential."""
    if hop_kind not in GUARDED_HOPS:
        return Guard.MISSED, "CVO does not stop an update to a patch release, whatever CCO reports"
    if condition == "False":
        return Guard.STOPPED, "CCO reports Upgradeable=False without its root credential, so CVO refuses the update"
    return Guard.MISSED, f"CCO reports Upgradeable={condition or 'nothing'}, so CVO would start the update"


def guard_operator(hop_kind: HopKind) -> tuple[Guard, str]:
    """Return the guard of CCO's own Upgradeable=False."""
    if hop_kind in GUARDED_HOPS:
        return Guard.STOPPED, "CVO refuses a minor update while a ClusterOperator reports Upgradeable=False"
    return Guard.MISSED, "CVO asks for Upgradeable only before an update to a later minor or major release"


def unproven(
    *, platform: str, release: Release, mode: Mode, annotation: Fact[str], targets: Collection[Release]
) -> str | None:
    """Return why CCO's Upgradeable=True proves nothing here, None where it rests on something.

    `targets` are the minor releases that the path of hops goes to.
    """
    found = platforms.by_name(platform)
    if mode is Mode.ABSENT:
        return None
    if found is None:
        return "the platform is unknown, so whether CCO checks anything is unknown too"
    if not found.has_actuator:
        return f"CCO always reports Upgradeable=True on {platform}"
    if mode in (Mode.MINT, Mode.PASSTHROUGH):
        return None
    if release < _ANNOTATION_SINCE:
        if release == (4, 7):
            return "CCO 4.7 checks only the Secrets that 4.7 itself needs"
        return None if secret_list(release, platform) else f"CCO {_text(release)} checks nothing on {platform}"
    if not checks_annotation(release, platform):
        return f"CCO {_text(release)} checks nothing on {platform}"
    match annotation:
        case Known(value=text):
            minor = annotation_minor(text)
            if minor in targets:
                return None
            wanted = ", ".join(_text(target) for target in sorted(targets))
            return f"the annotation upgradeable-to says {text[:40]!r}, and the upgrade goes to {wanted}"
        case Absent():
            return "CCO reports Upgradeable=True although the annotation upgradeable-to is not set"
        case Unknown():
            return "the annotation upgradeable-to could not be read"


def _spelling(platform: str) -> str:
    found = platforms.by_name(platform)
    return found.name if found else platform


def _text(release: Release) -> str:
    return f"{release[0]}.{release[1]}"

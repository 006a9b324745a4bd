"""In which mode CCO really runs: its configuration, the legacy ConfigMap, the platform and the root Secret together.

Source: cloud-credential-operator `pkg/operator/utils/utils.go` and `pkg/operator/controller.go`; cco.md section 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from upgrade_gate.base import platforms, versions
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown

if TYPE_CHECKING:
    from upgrade_gate.cluster.model import ClusterCapabilities, SecretRecord

__all__ = ["MODE_ANNOTATION", "configured_mode", "is_installed", "resolve_default"]

MODE_ANNOTATION = "cloudcredential.openshift.io/mode"
_CAPABILITY = "CloudCredential"
_OBJECT_SINCE = (4, 5)
_MINTS = frozenset({"AWS", "GCP"})
Mode: TypeAlias = "tuple[Fact[str], str]"
"""The mode and the reason for it, in one sentence."""


def is_installed(capabilities: Fact[ClusterCapabilities]) -> bool:
    """Return whether CCO should run here: it does unless the capability CloudCredential exists and is off.

    Only a proven absence ends the questions about CCO; a missing ClusterOperator is a finding, not that proof.
    """
    match capabilities:
        case Known(value=stated):
            return _CAPABILITY not in stated.known or _CAPABILITY in stated.enabled
        case _:
            return True


def configured_mode(
    *, platform: Fact[str], version: Fact[str], credential: Fact[str], disabled: Fact[bool], installed: bool
) -> Mode:
    """Return the effective mode, `` where only the root Secret can tell (see `resolve_default`).

    A state in which CCO reconciles nothing although it is not in manual mode is Unknown: nobody would grant
    anything there, and the rules must not believe that CCO does.
    """
    if not installed:
        return Absent(), "the capability CloudCredential is disabled: CCO is not installed"
    if isinstance(platform, Known) and not _has_actuator(platform.value):
        return Known("Manual"), f"CCO never makes credentials on {platform.value}: they are kept by hand"
    release = versions.minor_of(version.value) if isinstance(version, Known) else None
    if isinstance(credential, Absent) and release is not None and release < _OBJECT_SINCE:
        credential = Known("")
    match credential:
        case Known(value="Manual"):
            return Known("Manual"), "credentialsMode of CloudCredential cluster is Manual"
        case Known(value="" | "Mint" | "Passthrough" as mode):
            return _with_configmap(mode, platform, disabled)
        case Known(value=other):
            reason = f"credentialsMode of CloudCredential cluster is {other[:40]!r}, a mode that nobody knows"
            return Unknown(reason), reason
        case Absent():
            reason = "CloudCredential cluster does not exist although CCO should be installed"
            return Unknown(reason, remedy="restore the object; CCO refuses every update without it"), reason
        case Unknown(reason=reason):
            return credential, reason


def _has_actuator(name: str) -> bool:
    platform = platforms.by_name(name)
    return platform is not None and platform.has_actuator


def _with_configmap(mode: str, platform: Fact[str], disabled: Fact[bool]) -> Mode:
    match disabled:
        case Unknown(reason=reason):
            return disabled, reason
        case Known(value=True) if mode == "":
            return Known("Manual"), "the legacy ConfigMap cloud-credential-operator-config has disabled: true"
        case Known(value=True):
            reason = f"credentialsMode is {mode}, yet the legacy ConfigMap disables CCO: it reconciles nothing"
            remedy = "remove disabled from ConfigMap cloud-credential-operator-config, or set credentialsMode: Manual"
            return Unknown(reason, remedy), reason
        case _:
            pass
    name = platform.value if isinstance(platform, Known) else ""
    if mode == "Mint" and name == "Azure":
        reason = "credentialsMode is Mint, which CCO rejects on Azure: it reconciles nothing"
        return Unknown(reason, "set credentialsMode to Passthrough or Manual"), reason
    if mode == "Mint" and name and name not in _MINTS:
        return Known("Passthrough"), f"credentialsMode is Mint, but CCO only passes the root credential on on {name}"
    if mode:
        return Known(mode), f"credentialsMode of CloudCredential cluster is {mode}"
    if isinstance(platform, Known):
        return Known(""), "credentialsMode is the default: the root Secret tells"
    why = platform.reason if isinstance(platform, Unknown) else "there is no Infrastructure cluster"
    return Unknown(f"credentialsMode is the default, and the platform is not known: {why}"), why


def resolve_default(platform_name: str, root: Fact[SecretRecord]) -> Mode:
    """Resolve mode `` by the root Secret's annotation; without one, by what the platform does (design 16.9)."""
    platform = platforms.by_name(platform_name)
    secret = f"kube-system/{platform.root_secret}" if platform else "kube-system"
    default = "Mint" if platform_name in _MINTS else "Passthrough"
    match root:
        case Known(value=record):
            stated = record.annotations.get(MODE_ANNOTATION)
        case Absent():
            return Known(default), f"credentialsMode is the default and {secret} is absent: {default} by platform"
        case Unknown(reason=reason, remedy=remedy):
            text = f"credentialsMode is the default, which Secret {secret} resolves: {reason}"
            return Unknown(text, remedy), text
    match stated:
        case "mint":
            return Known("Mint"), f"credentialsMode is the default and {secret} is annotated mint"
        case "passthrough":
            return Known("Passthrough"), f"credentialsMode is the default and {secret} is annotated passthrough"
        case None | "":
            return Known(default), f"credentialsMode is the default and {secret} has no mode: {default} by platform"
        case "insufficient":
            text = f"{secret} is annotated insufficient: CCO can neither mint nor pass it on"
            return Unknown(text, "give the root credential its permissions, or set credentialsMode"), text
        case other:
            text = f"{secret} is annotated with a mode that nobody knows: {other[:40]!r}"
            return Unknown(text, "set credentialsMode of CloudCredential cluster"), text

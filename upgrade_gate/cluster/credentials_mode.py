"""How CCO works on a cluster: its mode, the form of the components' credentials, and what it does with Secrets.

Source: cloud-credential-operator `pkg/operator/utils/utils.go` and `pkg/operator/controller.go`;
docs/facts/cco.md#modes and docs/facts/cco.md#behaviour.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from upgrade_gate.base import versions
from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.facts import Absent, Fact, Known, Unknown
from upgrade_gate.base.platforms import by_name

if TYPE_CHECKING:
    from typing import TypeVar

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.cluster.model import ClusterCapabilities, SecretRecord

    _Answer = TypeVar("_Answer")

_ANNOTATION = "cloudcredential.openshift.io/mode"
"""Of the root Secret: what CCO found out about it."""
_CAPABILITY = "CloudCredential"
_OBJECT_SINCE = (4, 5)
_HOSTED_SINCE = (4, 22)
"""From here on a hosted cluster runs CCO too (docs/facts/cco.md#modes)."""
_LAST_MINTED_ON_AZURE = {(4, 7): (4, 7, 46), (4, 8): (4, 8, 33)}
"""By the errata of 4.7.47 and 4.8.34; in 4.6 and 4.9 the patch is not known (docs/facts/cco.md#modes)."""
_UNSURE_ON_AZURE = frozenset({(4, 6), (4, 9)})
_MINTS = frozenset({"AWS", "GCP"})


class Mode(StrEnum):
    """How CCO works on this cluster; `absent` when the CloudCredential capability is off."""

    MANUAL = "manual"
    MINT = "mint"
    PASSTHROUGH = "passthrough"
    ABSENT = "absent"
    UNKNOWN = "unknown"

    @property
    def by_hand(self) -> bool:
        """Whether people keep the credentials; an unknown mode is judged as manual (docs/contract.md#modes)."""
        return self in (Mode.MANUAL, Mode.ABSENT, Mode.UNKNOWN)


class Credentials(StrEnum):
    """The form of the components' credentials; drives whether trust is needed."""

    KEYS = "keys"
    TOKEN = "token"  # noqa: S105
    NONE = "none"
    UNKNOWN = "unknown"

    @property
    def may_need_trust(self) -> bool:
        """Whether a service account may need trust; what is not known may."""
        return self in (Credentials.TOKEN, Credentials.UNKNOWN)


class Behaviour(StrEnum):
    """What CCO does with Secrets and finalizers here (docs/facts/cco.md#behaviour)."""

    PLAIN = "plain"
    TIMED_TOKEN = "timed-token"  # noqa: S105
    NON_MANUAL = "non-manual"
    NO_OP = "no-op platform"
    ABSENT = "absent"
    UNKNOWN = "unknown"


_Release: TypeAlias = "tuple[int, int]"
_Reading: TypeAlias = "tuple[Fact[Mode], str]"
"""The mode and the reason for it, in one sentence."""


def mode_of(cluster: Cluster | None, platform: str, given: Mode | None) -> tuple[Mode, str]:
    """Return the effective mode and the reason for it.

    Without a cluster and without `--mode` it is manual: the strictest reading. A mode that could not be read is
    UNKNOWN, judged as manual, and a finding says so. Raises UsageError where `--mode` contradicts the cluster.
    """
    traits = by_name(platform)
    by_people = traits is not None and not traits.has_actuator
    never = f"CCO never creates credentials on {traits.name}" if traits is not None and by_people else None
    if cluster is None:
        if never:
            return Mode.MANUAL, never
        return (given, "given by --mode") if given else (Mode.MANUAL, "assumed, since no cluster was read")
    match cluster.mode:
        case Absent():
            mode, reason = Mode.ABSENT, cluster.mode_reason
        case _ if never:
            mode, reason = Mode.MANUAL, never
        case Known(value=mode):
            reason = cluster.mode_reason
        case Unknown(reason=reason):
            # What was read and contradicts itself is no gap that an option may fill: there CCO reconciles nothing.
            usable = given if given is Mode.MANUAL or _unread(cluster) else None
            return (usable, "given by --mode") if usable else (Mode.UNKNOWN, reason)
    if given not in (None, Mode.MANUAL if mode.by_hand else mode):
        raise UsageError(
            f"--mode {given} contradicts the cluster: {reason}",
            hint="leave --mode out, or name the cluster that is meant",
        )
    return mode, reason


def _unread(cluster: Cluster) -> bool:
    """Return whether a fact that the mode rests on could not be read."""
    root = [cluster.root_secret] if isinstance(cluster.platform, Known) else []
    rests_on = (
        cluster.capabilities,
        cluster.newest_completed,
        cluster.platform,
        cluster.credentials_mode,
        cluster.disabled,
        *root,
    )
    return any(isinstance(fact, Unknown) and not fact.read for fact in rests_on)


def credentials_of(cluster: Cluster | None, platform: str, release: _Release, mode: Mode) -> Credentials:
    """Return whether the components hold keys or tokens (docs/contract.md#modes).

    In manual mode the form of the Secrets that could be read decides, `token` if any of them is one; else an
    issuer on a platform and release that has token credentials. Elsewhere CCO writes keys itself.
    """
    traits = by_name(platform)
    if traits is None:
        return Credentials.UNKNOWN
    if traits.kind is None:
        return Credentials.NONE
    if traits.token_since is None or release < traits.token_since or mode in (Mode.MINT, Mode.PASSTHROUGH):
        return Credentials.KEYS
    there = [fact for fact in cluster.secrets.values() if not isinstance(fact, Absent)] if cluster else []
    forms = {fact.value.form if isinstance(fact, Known) else None for fact in there}
    if "token" in forms:
        return Credentials.TOKEN
    if forms == {"keys"}:
        return Credentials.KEYS
    return _by_issuer(cluster, some=Credentials.TOKEN, none=Credentials.KEYS, unread=Credentials.UNKNOWN)


def behaviour_of(cluster: Cluster | None, platform: str, release: _Release, mode: Mode) -> Behaviour:
    """Return what CCO of this release does with requests and Secrets here (docs/facts/cco.md#behaviour)."""
    traits = by_name(platform)
    if mode is Mode.ABSENT:
        return Behaviour.ABSENT
    if traits is None:
        return Behaviour.UNKNOWN
    if not traits.has_actuator:
        return Behaviour.NO_OP
    match mode:
        case Mode.MINT | Mode.PASSTHROUGH:
            return Behaviour.NON_MANUAL
        case Mode.UNKNOWN:
            return Behaviour.UNKNOWN
        case Mode.MANUAL if traits.timed_token_since is None or release < traits.timed_token_since:
            return Behaviour.PLAIN
        case Mode.MANUAL:
            return _by_issuer(cluster, some=Behaviour.TIMED_TOKEN, none=Behaviour.PLAIN, unread=Behaviour.UNKNOWN)


def _by_issuer(cluster: Cluster | None, *, some: _Answer, none: _Answer, unread: _Answer) -> _Answer:
    """Choose by the service account issuer: with one, components can log in with tokens."""
    match cluster.issuer if cluster is not None else Unknown("no cluster was read"):
        case Known(value=text) if text:
            return some
        case Unknown():
            return unread
        case _:
            return none


def configured_mode(cluster: Cluster) -> _Reading:
    """Return the mode in which CCO runs: its configuration, the legacy ConfigMap, platform and root Secret together.

    A state in which CCO reconciles nothing although it is not in manual mode is Unknown: nobody would grant
    anything there, and the rules must not believe that CCO does.
    """
    if not _is_installed(cluster.capabilities):
        return Absent(), "the capability CloudCredential is disabled: CCO is not installed"
    platform, completed = cluster.platform, cluster.newest_completed
    release = versions.minor_of(completed.value) if isinstance(completed, Known) else None
    if cluster.topology == Known("External") and release is not None and release < _HOSTED_SINCE:
        return Absent(), f"a hosted cluster of {release[0]}.{release[1]} does not run CCO"
    if isinstance(platform, Known) and not _has_actuator(platform.value):
        return Known(Mode.MANUAL), f"CCO never creates credentials on {platform.value}: people do"
    match cluster.credentials_mode:
        case Known(value="Manual"):
            return Known(Mode.MANUAL), "credentialsMode of CloudCredential cluster is Manual"
        case Known(value=word):
            return _with_configmap(word, cluster)
        case Absent() if release is not None and release < _OBJECT_SINCE:
            return _with_configmap("", cluster)
        case Absent():
            reason = "CloudCredential/cluster does not exist, although CCO should be installed"
            return _nobody(reason, "restore the object; CCO refuses every update without it")
        case Unknown(reason=reason) as unread:
            return unread, reason


def _nobody(reason: str, remedy: str | None = None) -> _Reading:
    """Return the reading of a state in which nobody grants anything."""
    return Unknown(reason, remedy), reason


def _is_installed(capabilities: Fact[ClusterCapabilities]) -> bool:
    """Return whether CCO should run here: it does unless the capability CloudCredential exists and is off.

    Only a proven absence ends the questions about CCO; a missing ClusterOperator is a finding, not that proof.
    """
    match capabilities:
        case Known(value=stated):
            return _CAPABILITY not in stated.known or _CAPABILITY in stated.enabled
        case _:
            return True


def _has_actuator(name: str) -> bool:
    traits = by_name(name)
    return traits is not None and traits.has_actuator


def _with_configmap(word: str, cluster: Cluster) -> _Reading:
    match cluster.disabled:
        case Unknown(reason=reason) as unread:
            return unread, reason
        case Known(value=True) if word == "":
            return Known(Mode.MANUAL), "ConfigMap cloud-credential-operator-config has disabled: true"
        case Known(value=True):
            return _nobody(
                f"credentialsMode is {word}, but ConfigMap cloud-credential-operator-config disables CCO, so CCO "
                "does nothing",
                "remove `disabled` from that ConfigMap, or set credentialsMode: Manual",
            )
        case _:
            pass
    name = cluster.platform.value if isinstance(cluster.platform, Known) else ""
    if word == "Mint" and name == "Azure":
        return _nobody(
            "credentialsMode is Mint, which CCO rejects on Azure, so CCO does nothing",
            "set credentialsMode to Passthrough or Manual",
        )
    if word == "Mint" and name and name not in _MINTS:
        reason = f"credentialsMode is Mint, but on {name} CCO only passes its root credential on"
        return Known(Mode.PASSTHROUGH), reason
    if word:
        return Known(Mode(word.lower())), f"credentialsMode of CloudCredential cluster is {word}"
    if name:
        return _default(name, cluster.root_secret, cluster.newest_completed)
    why = cluster.platform.reason if isinstance(cluster.platform, Unknown) else "there is no Infrastructure cluster"
    return Unknown(f"credentialsMode is not set, and the platform is unknown: {why}"), why


def _default(platform: str, root: Fact[SecretRecord], running: Fact[str]) -> _Reading:
    """Resolve the default by the root Secret's annotation; without one, by what the platform does.

    See docs/contract.md#modes.
    """
    traits = by_name(platform)
    secret = str(traits.root) if traits else "kube-system"
    by_platform = Mode.MINT if platform in _MINTS else Mode.PASSTHROUGH
    by_default = f"{by_platform.title()} is the default on {platform}"
    match root:
        case Known(value=record):
            stated = record.annotations.get(_ANNOTATION)
        case Absent():
            return Known(by_platform), f"credentialsMode is not set and Secret {secret} does not exist: {by_default}"
        case Unknown(reason=reason, remedy=remedy):
            return _nobody(f"credentialsMode is not set, and Secret {secret} could not be read: {reason}", remedy)
    match stated:
        case "mint" if platform not in _MINTS:
            return _never_minted(
                platform, secret, versions.parse(running.value) if isinstance(running, Known) else None
            )
        case "mint" | "passthrough":
            return Known(Mode(stated)), f"credentialsMode is not set and Secret {secret} is annotated {stated}"
        case None | "":
            return Known(by_platform), f"credentialsMode is not set and Secret {secret} is not annotated: {by_default}"
        case "insufficient":
            return _nobody(
                f"Secret {secret} is annotated insufficient: CCO can neither mint with it nor pass it on",
                "give the root credential its permissions, or set credentialsMode",
            )
        case other:
            return _nobody(
                f"Secret {secret} is annotated with an unknown mode: {other[:40]!r}",
                "set credentialsMode of CloudCredential cluster",
            )


def _never_minted(platform: str, secret: str, running: versions.Version | None) -> _Reading:
    """Return the mode where the root Secret says mint and CCO cannot: it passes the credential on.

    Minting ended on Azure with 4.10 and late patches before; vSphere, OpenStack, oVirt and KubeVirt never had it
    (cloud-credential-operator `pkg/azure/actuator.go`, `pkg/operator/secretannotator`).
    """
    stated = f"credentialsMode is not set and Secret {secret} is annotated mint"
    if platform == "Azure" and running is not None and running.release < (4, 10):
        last = _LAST_MINTED_ON_AZURE.get(running.release)
        if running.release in _UNSURE_ON_AZURE:
            return _nobody(
                f"{stated}, and whether this patch release of CCO still mints on Azure is not known",
                "set credentialsMode",
            )
        if last is None or (*running.release, running.patch) <= last:
            return Known(Mode.MINT), stated
    return Known(Mode.PASSTHROUGH), f"{stated}, but on {platform} CCO only passes its root credential on"

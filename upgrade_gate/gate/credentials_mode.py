"""Mode, form of credentials and behaviour of CCO as the rules see them, from the cluster's facts or the options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.facts import Absent, Known, Unknown
from upgrade_gate.base.platforms import by_name
from upgrade_gate.gate import cco
from upgrade_gate.gate.situation import Behaviour, Credentials, Mode

if TYPE_CHECKING:
    from upgrade_gate.base.facts import Fact
    from upgrade_gate.cluster.observe import Cluster

__all__ = ["behaviour_of", "credentials_of", "mode_of"]


def mode_of(cluster: Cluster | None, platform: str, given: str | None) -> tuple[Mode, str]:
    """Return the effective mode and the reason for it.

    Without a cluster and without `--mode` it is manual: the strictest reading. A mode that could not be read is
    UNKNOWN, judged as manual, and a finding says so. Raises UsageError where `--mode` contradicts the cluster.
    """
    traits = by_name(platform)
    never = f"CCO never makes credentials on {traits.name}" if traits is not None and not traits.has_actuator else None
    if cluster is None:
        if never:
            return Mode.MANUAL, never
        return (Mode(given), "given by --mode") if given else (Mode.MANUAL, "assumed: no cluster was read")
    match cluster.mode:
        case Absent():
            mode, reason = Mode.ABSENT, cluster.mode_reason
        case _ if never:
            mode, reason = Mode.MANUAL, never
        case Known(value=value) if value.casefold() in ("manual", "mint", "passthrough"):
            mode, reason = Mode(value.casefold()), cluster.mode_reason
        case Known(value=value):
            return Mode.UNKNOWN, f"{cluster.mode_reason} ({value!r})"
        case Unknown(reason=reason):
            # What was read and contradicts itself is no gap that an option may fill: there CCO reconciles nothing.
            usable = given if given == Mode.MANUAL or _unread(cluster) else None
            return (Mode(usable), "given by --mode") if usable else (Mode.UNKNOWN, reason)
    if given not in (None, Mode.MANUAL if mode.by_hand else mode):
        raise UsageError(f"--mode {given} contradicts the cluster: {reason}")
    return mode, reason


def _unread(cluster: Cluster) -> bool:
    """Return whether an object that tells the mode could not be read."""
    tell = ("CloudCredential ", "ConfigMap ", "Infrastructure ", "ClusterVersion ", "Secret kube-system/")
    return any(row.state == "unknown" and row.name.startswith(tell) for row in cluster.rows)


def credentials_of(cluster: Cluster | None, platform: str, release: tuple[int, int], mode: Mode) -> Credentials:
    """Return the form of the credentials: by the Secrets where readable, else by issuer, platform and release."""
    issuer: Fact[str] = cluster.issuer if cluster else Unknown("no cluster was read")
    secrets = cluster.secrets.values() if cluster else ()
    return Credentials(
        cco.credentials_form(platform=platform, release=release, mode=mode.value, issuer=issuer, secrets=secrets)
    )


def behaviour_of(cluster: Cluster | None, platform: str, release: tuple[int, int], mode: Mode) -> Behaviour:
    """Return what CCO does with Secrets and finalizers here (cco.md sections 4 and 6)."""
    issuer: Fact[str] = cluster.issuer if cluster else Unknown("no cluster was read")
    return Behaviour(cco.behaviour(platform=platform, release=release, mode=mode.value, issuer=issuer))

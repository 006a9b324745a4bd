"""By what requests are selected on this cluster, as far as it is the same for every release of a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from upgrade_gate.base.errors import UsageError
from upgrade_gate.base.facts import Fact, Known, known_or
from upgrade_gate.base.platforms import DEFAULT_PROFILE, by_name
from upgrade_gate.requests.capabilities import known_to
from upgrade_gate.requests.inclusion import INCLUDE, KNOWN_FEATURE_SETS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from upgrade_gate.cluster.facts_table import Cluster
    from upgrade_gate.payloads.payload import Payload
    from upgrade_gate.requests.update import Given

UNKNOWN_PLATFORM = ""


class SelectionContext(Struct, frozen=True):
    """By what requests are selected on this cluster, as far as it is the same for every release."""

    platform: str
    """Empty where it is not known: then no request of a known kind applies, and the verdict cannot be pass."""
    profile: str
    feature_set: str | None
    """None: the release's default."""
    given: Given
    cluster: Cluster | None
    running: str | None
    """Version that the cluster runs."""
    has_edge: Callable[[str, str], bool] | None = None
    """Asks the update graph that was named; None where none was."""


def selection_context(
    cluster: Cluster | None, given: Given, has_edge: Callable[[str, str], bool] | None = None
) -> SelectionContext:
    """Join what the cluster says with what the user says.

    Raises UsageError where an option contradicts a known fact, or where neither names the platform.
    """
    platform = _settle("--platform", given.platform, cluster.platform if cluster else None)
    profile = _settle("--profile", given.profile, cluster.profile if cluster else None)
    feature_set = _settle("--feature-set", given.feature_set, cluster.feature_set if cluster else None)
    if cluster is None and platform is None:
        raise UsageError("without a cluster, --platform is needed", hint="give --platform")
    known = by_name(platform) if platform else None
    if feature_set is not None:
        spelt = {known_set.casefold(): known_set for known_set in KNOWN_FEATURE_SETS}
        feature_set = spelt.get(feature_set.casefold(), feature_set)
    if cluster is None and known is None:
        raise UsageError(f"--platform {platform}: unknown platform")
    return SelectionContext(
        platform=known.name if known else platform or UNKNOWN_PLATFORM,
        profile=profile or DEFAULT_PROFILE,
        feature_set=feature_set,
        given=given,
        cluster=cluster,
        has_edge=has_edge,
        running=known_or(cluster.newest_completed, None) if cluster else None,
    )


def _settle(option: str, given: str | None, fact: Fact[str] | None) -> str | None:
    if isinstance(fact, Known):
        if given is not None and given.casefold() != fact.value.casefold():
            raise UsageError(
                f"{option} {given} contradicts the cluster, which says {fact.value or 'Default'}",
                hint=f"leave {option} out, or name the cluster that is meant",
            )
        return fact.value
    return given


def check_names(payloads: Sequence[Payload], context: SelectionContext) -> None:
    """Raise UsageError where an option names a profile, feature set or capability that none of the releases knows."""
    if context.given.profile is not None:
        manifests = (m for p in payloads for m in p.manifests)
        included = {key for m in manifests for key in m.annotations or () if key.startswith(INCLUDE)}
        if included and f"{INCLUDE}{context.profile}" not in included:
            raise UsageError(
                f"--profile {context.given.profile}: no manifest of these releases is for it",
                hint=", ".join(sorted(key.removeprefix(INCLUDE) for key in included)),
            )
    if context.given.feature_set is not None and context.feature_set not in {*KNOWN_FEATURE_SETS, "LatencySensitive"}:
        raise UsageError(
            f"--feature-set {context.given.feature_set} does not exist", hint=", ".join(sorted(KNOWN_FEATURE_SETS))
        )
    names = frozenset(context.given.capabilities or ())
    known_names = [known for p in payloads if (known := known_to(p)) is not None]
    unknown = names.difference(*known_names) if known_names else frozenset[str]()
    if unknown:
        listed = ", ".join(sorted(frozenset[str]().union(*known_names), key=str.casefold))
        raise UsageError(
            f"--capabilities {', '.join(sorted(unknown))}: these releases have no such capability", hint=listed
        )
    stated = context.cluster.capabilities if context.cluster else None
    if context.given.capabilities is not None and isinstance(stated, Known) and names != stated.value.enabled:
        raise UsageError(
            "--capabilities is not for a cluster whose ClusterVersion says what is enabled",
            hint=f"leave it out; enabled are {', '.join(sorted(stated.value.enabled, key=str.casefold)) or 'none'}",
        )

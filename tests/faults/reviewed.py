"""The reviewed list: faults after which a pass is right, each kind of them with its reason.

A fault can make another input that is as well formed as the first: a cluster without the entry that blocked, a policy
without the condition that limited. No reader can tell; that these pass is no gap. What can be told must not be here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults.walk import Fault


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Some faults, told by regular expressions over the whole of what they name, and why the gate may pass."""

    reason: str
    sort: str = ".*"
    shape: str = ".*"
    kind: str = ".*"
    flow: str = ".*"
    file: str = ".*"

    def covers(self, fault: Fault) -> bool:
        """Return whether this fault is one of these."""
        names = ("sort", "shape", "kind", "flow", "file")
        return all(re.fullmatch(getattr(self, name), getattr(fault, name)) for name in names)


_VALUES = (
    "key-with-space|misspelt|cut-off|other-case|space-.*|line-break-behind|"
    "false|zero|number|empty-text|twice|in-a-list|other-.*"
)
_WHOLE = "deleted|null|false|zero|number|empty-.*|list-of-null"

PASSES: tuple[Reviewed, ...] = (
    # what a cluster may say as well
    Reviewed(
        "CCO works by what the ConfigMap says under exactly this name and key; without them it works in default mode",
        sort="dump ConfigMap(List)?",
        flow="own/modes/default mode, ConfigMap that CCO cannot read",
    ),
    Reviewed(
        "CCO follows the mode annotation of the root Secret by its exact name; without it the platform's default holds",
        sort="dump Secret",
        shape=r"items\.\*\.metadata\.annotations(\..*)?",
        flow="own/modes/default mode, root annotated .*",
    ),
    Reviewed(
        "a Secret's key that is not there, or empty, no longer contradicts the other one",
        sort="dump Secret",
        shape=r"items\.\*\.data\..*",
        flow=".*with secret and token file",
    ),
    Reviewed(
        "a feature set that is not set is Default: the API server prints it so",
        sort="dump FeatureGate",
        shape=r"(items\.\*\.)?spec\.featureSet",
        kind="deleted|null|empty-text|key-twice-then-nothing",
    ),
    # what a release may say as well
    Reviewed(
        "a target that asks for one permission less is as well formed as the first; a digest tells that it is another",
        sort="payload CredentialsRequest",
        shape=r"spec\.providerSpec\..*\.\*",
        kind="deleted",
    ),
    Reviewed(
        "without the field that nobody knows, a request asks for what the current one does",
        sort="payload CredentialsRequest",
        shape=r"spec\.audience",
        kind="deleted|null",
        flow="own/requests/a field that nobody knows",
    ),
    Reviewed(
        "a release that defines a request once is as whole as one that defines it twice",
        sort="payload CredentialsRequest",
        flow="own/requests/definitions contradict each other",
        kind="file-deleted",
    ),
    # what an export may say as well
    Reviewed(
        "an export without this says that nothing limits the grant: a caveat names what exports may lack",
        sort="export of .*",
        kind="deleted",
    ),
    Reviewed(
        "a document that says nothing is not a document: a caveat names what exports may lack",
        sort="export of .*",
        shape=r"|\*|Policy",
        kind=f"{_WHOLE}|wrapped-in-a-list|key-.*",
    ),
    Reviewed(
        "null is absence, and an absent condition, exception or stage limits nothing",
        sort="export of .*",
        shape=r".*(Condition|condition|stage|notDataActions)",
        kind="null",
    ),
    Reviewed(
        "an empty condition, list of exceptions, tags or rules is a whole answer of these APIs",
        sort="export of .*",
        shape=r".*\.(Condition|Tags|notDataActions|rules)",
        kind="empty-.*",
    ),
    Reviewed(
        "another value is another limit, as well formed as the first",
        sort="export of .*",
        shape=r".*(Condition\..*|Action(\.\*)?|Resource(\.\*)?|NotResource(\.\*)?|Tags\.\*\.Key)",
        kind=_VALUES,
    ),
    Reviewed(
        "another operation, scope, principal or place, as well formed as the first",
        sort="export of .*",
        shape=r".*\.(actions\.\*|notDataActions\.\*|principals\.\*\.id|scope|id|deniedPermissions\.\*)",
        kind="misspelt|cut-off",
    ),
)
"""Faults that may turn a base that is blocked or undetermined into a pass."""

_BY_HAND = "(?!.*(mint|passthrough|default|root)).*"

LOSSES: tuple[Reviewed, ...] = (
    Reviewed(
        "DNS says where grants must hold: nothing but proof rests on it",
        sort="dump DNS(List)?|dump file",
        file=".*/dnses.yaml",
    ),
    Reviewed(
        "the issuer matters where trust is to be proven or a Secret's own form does not tell keys from tokens",
        sort="dump Authentication(List)?|dump file",
        file=".*/authentications.yaml",
    ),
    Reviewed(
        "a cluster's ID, channel, architecture, offers and conditions move warnings alone; what was not read is shown",
        sort="dump ClusterVersion",
        shape=r"spec|spec\.(clusterID|channel)|status\.(desired|conditions|availableUpdates|conditionalUpdates).*",
    ),
    Reviewed(
        "a file that ends early at the end of a line is as well formed; what decides stands before its conditions",
        sort="dump ClusterVersion",
        kind="file-without-its-last-lines",
    ),
    Reviewed(
        "no request of these releases hangs on a capability or a gate, so nothing is selected by it",
        sort="dump (ClusterVersion|FeatureGate|FeatureGateList)",
        shape=r"status\.capabilities.*|(items\.\*\.)?status|(items\.\*\.)?status\.featureGates.*",
    ),
    Reviewed(
        "names and addresses that reports show decide nothing",
        sort="dump Infrastructure",
        shape=r"(items\.\*\.)?status\.(apiServerURL|infrastructureName)",
    ),
    Reviewed(
        "the annotation moves a warning; what the ClusterOperator says of it decides",
        sort="dump CloudCredential",
        shape=r"metadata|metadata\.(annotations.*|name)",
    ),
    Reviewed(
        "where CCO never mints, the mode is manual whatever its object says; a hosted cluster has no CCO",
        sort="dump (CloudCredential|ClusterOperator|file)",
        flow=r"(?i:.*(IBM|PowerVS|Nutanix|Alibaba|hosted|None|External|bare metal|without CCO).*)",
        file=r".*/(cloudcredentials|clusteroperators)/.*",
    ),
    Reviewed(
        "in manual mode what the cluster's own requests say moves warnings alone",
        sort="dump (CredentialsRequest|file)",
        flow=_BY_HAND,
        file=".*/credentialsrequests/.*",
    ),
    Reviewed(
        "where CCO makes the Secrets, and where their absence was acknowledged, nothing rests on what they are today",
        sort="dump (Secret|SecretList|Namespace|file)",
        flow=".*(mint|passthrough|default|acknowledged|without CCO|None|External).*",
        file=".*namespaces/openshift-.*",
    ),
    Reviewed(
        "a new request of another name asks for the same, and was judged by that name",
        sort="payload CredentialsRequest",
        shape=r"metadata\.(name|namespace)",
        kind="misspelt|cut-off|other-name|other-namespace",
    ),
    Reviewed(
        "a target that does not carry a request that it would add is as well formed as the first; CCO makes the rest",
        sort="payload CredentialsRequest",
        kind="file-deleted",
        flow="own/modes/mint adds a component",
    ),
    Reviewed(
        "where CCO makes the Secrets it makes another one as well, by the name that the target has for it",
        sort="payload CredentialsRequest",
        shape=r"spec\.secretRef\.namespace",
        kind="misspelt|cut-off|other-namespace",
        flow=".*(mint|passthrough|default).*",
    ),
    Reviewed(
        "a ConfigMap that does not say it leaves CCO on, as if it said so",
        sort="dump (ConfigMap|ConfigMapList|file)",
        file=".*/configmaps.yaml",
        flow=".*(says false|manual, whatever).*",
    ),
)
"""Faults after which a base that passes may pass although it knows less."""


def entry(fault: Fault, entries: Iterable[Reviewed] = PASSES) -> Reviewed | None:
    """Return why this fault may pass, None if nobody looked at it."""
    return next((one for one in entries if one.covers(fault)), None)

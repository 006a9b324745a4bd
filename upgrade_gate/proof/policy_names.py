"""Which Secret a policy is for, by its name: namespace and secret in it, as ccoctl and policy repositories write them.

`openshift-ingress-operator-cloud-credentials`, `c1-openshift-ingress-operator-cloud-credentials`,
`openshift_ingress_operator_cloud_credentials_policy`, `OpenshiftIngressOperatorCloudCredentialsRole` and
`openshift-ingress-operator/cloud-credentials` all carry one Secret.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_BREAKS = re.compile(r"[^a-z0-9]+")
_ENDINGS = ("policy", "policies", "role", "permissions", "permission", "iam")
"""Words that may follow: what the file holds, not whom it is for."""
_CUT_AT = 64
"""Letters at which AWS and ccoctl cut the name of a role (docs/facts/cco.md#names)."""


class Match(IntEnum):
    """How well a name carries a Secret; the best first."""

    WHOLE = 0
    """Nothing else is in it."""
    PREFIXED = 1
    """Something stands before it, such as the cluster's name."""


def match(name: str, secret: str) -> Match | None:
    """Return how a name carries `namespace/secret`, None where it does not."""
    key = _words(secret)
    words = _words(name)
    if len(name) == _CUT_AT and (cut := _cut(words, key, len(_words(secret.partition("/")[0])))) is not None:
        return cut
    squeezed, wanted = words.replace("-", ""), key.replace("-", "")
    for ending in ("", *_ENDINGS):
        if squeezed == wanted + ending:
            return Match.WHOLE
    words = plain(name)
    if words == key:
        return Match.WHOLE
    return Match.PREFIXED if words.endswith(f"-{key}") else None


def carried(names: Iterable[str], secret: str, secrets: Iterable[str]) -> Match | None:
    """Return how the best of several names carries a Secret.

    A name that carries another of `secrets`, whose own name ends like this one, is that one's; one that carries two of
    them alike (it was cut, or both are the same words) is nobody's.
    """
    key = _words(secret)
    others = [other for other in secrets if other != secret and not key.endswith(f"-{_words(other)}")]
    found = [
        one
        for name in names
        if (one := match(name, secret)) is not None and all(match(name, other) is None for other in others)
    ]
    return min(found, default=None)


def renamed(name: str, secret: str, other: str) -> str | None:
    """Return a name that carries one Secret and nothing before it with another Secret in its place, None for others."""
    if match(name, secret) is not Match.WHOLE:
        return None
    for joint in ("-", "_"):
        key = _words(secret).replace("-", joint)
        if name.startswith(key):
            return _words(other).replace("-", joint) + name.removeprefix(key)
    return None


def plain(name: str) -> str:
    """Return a name as two names are compared: without case, breaks, and what says that it is a policy."""
    return _without_endings(_words(name))


def _words(text: str) -> str:
    return _BREAKS.sub("-", text.casefold()).strip("-")


def _without_endings(words: str) -> str:
    while (ending := words.rpartition("-")[2]) in _ENDINGS and ending != words:
        words = words.removesuffix(f"-{ending}")
    return words


def _cut(words: str, key: str, namespace: int) -> Match | None:
    """Return a match where a name that was cut ends with the beginning of the Secret, its namespace (letters) whole."""
    for length in range(len(key) - 1, namespace + 1, -1):
        if words == key[:length]:
            return Match.WHOLE
        if words.endswith(f"-{key[:length]}"):
            return Match.PREFIXED
    return None

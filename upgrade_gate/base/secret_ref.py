"""Where a Secret lives: what requests ask for, clusters hold and identities serve; and what an object can be called."""

from __future__ import annotations

import re

from msgspec import Struct

OBJECT_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
"""What Kubernetes takes as the name of a Secret, ConfigMap or service account (RFC 1123 subdomain)."""

TOKEN_PATH = "/var/run/secrets/openshift/serviceaccount/token"  # noqa: S105 - a path
"""Where a component finds its service account's token unless its request names another path.

See docs/facts/cco.md#fields.
"""


class SecretRef(Struct, frozen=True, order=True):
    """Where a Secret lives."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"

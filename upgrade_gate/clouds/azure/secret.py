"""Azure: the keys of a Secret, by client secret or by token file."""

from __future__ import annotations

_CLIENT_SECRET = "azure_client_secret"  # noqa: S105 - the name of a key, not its value
_TOKEN_FILE = "azure_federated_token_file"  # noqa: S105 - likewise
_SHARED = ("azure_client_id", "azure_tenant_id", "azure_region", "azure_subscription_id")
_TOKEN_KEYS = (*_SHARED, _TOKEN_FILE)
_ALL_KEYS = (
    "azure_subscription_id",
    "azure_client_id",
    _CLIENT_SECRET,
    "azure_tenant_id",
    "azure_region",
    "azure_resourcegroup",
    "azure_resource_prefix",
)
_UNREAD = frozenset({"azure_resource_prefix"})
"""CCO writes it, no component needs it (docs/facts/cco.md#secret-keys)."""


def missing_keys(keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return the missing keys of the form asked for; a Secret complete in the other form lacks nothing.

    A component takes either a client secret or a token file (`azure-config-credentials-injector`).
    """
    del release
    by_token = tuple(k for k in _TOKEN_KEYS if k not in keys)
    by_secret = tuple(k for k in _ALL_KEYS if k not in keys and k not in _UNREAD)
    if not by_token or not by_secret:
        return ()
    return by_token if token else by_secret


def secret_keys(*, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return the keys of a Secret: what ccoctl writes in token form, what CCO writes otherwise."""
    del release
    return _TOKEN_KEYS if token else _ALL_KEYS


def conflicting_keys(keys: frozenset[str]) -> tuple[str, ...]:
    """Return client secret and token file where both are there: the cloud controller manager refuses to start."""
    pair = (_CLIENT_SECRET, _TOKEN_FILE)
    return pair if keys.issuperset(pair) else ()


def missing_root_keys(keys: frozenset[str]) -> tuple[str, ...]:
    """Return the missing keys: CCO passes on what is there, and every component logs in by client secret."""
    return tuple(k for k in _ALL_KEYS if k not in keys and k not in _UNREAD)


def missing_by_server(keys: frozenset[str], servers: tuple[str, ...]) -> tuple[str, ...]:
    """Return none: there is one place to log in to."""
    del keys, servers
    return ()

"""AWS: the keys of a Secret.

Source: cloud-credential-operator `pkg/aws/actuator`.
"""

from __future__ import annotations

_CREDENTIALS = "credentials"
_KEY_FIELDS = ("aws_access_key_id", "aws_secret_access_key")


def missing_keys(keys: frozenset[str], *, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return the missing keys: `credentials` in token form, else `credentials` or both key fields.

    Components read `credentials` from 4.6 on; before, only the two fields count.
    """
    if token:
        return () if _CREDENTIALS in keys else (_CREDENTIALS,)
    if _CREDENTIALS in keys and release >= (4, 6):
        return ()
    return tuple(k for k in _KEY_FIELDS if k not in keys)


def secret_keys(*, token: bool, release: tuple[int, int]) -> tuple[str, ...]:
    """Return the keys of a Secret: the INI file in token form, else both fields, and the file as well from 4.6."""
    if token:
        return (_CREDENTIALS,)
    return (*_KEY_FIELDS, _CREDENTIALS) if release >= (4, 6) else _KEY_FIELDS


def conflicting_keys(keys: frozenset[str]) -> tuple[str, ...]:
    """Return keys that must not stand together: none by their names alone."""
    del keys
    return ()


def missing_root_keys(keys: frozenset[str]) -> tuple[str, ...]:
    """Return the missing fields: of the root Secret CCO reads these two only (`pkg/operator/secretannotator/aws`)."""
    return tuple(k for k in _KEY_FIELDS if k not in keys)


def missing_by_server(keys: frozenset[str], servers: tuple[str, ...]) -> tuple[str, ...]:
    """Return none: there is one place to log in to."""
    del keys, servers
    return ()

"""Which certificate authorities a connection trusts.

`requests` lets REQUESTS_CA_BUNDLE win over the bundle that a program sets on its session; here an SSLContext of our
own is handed to every connection, so that the environment never beats `--certificate-authority`
(docs/using/rights-and-hosts.md#certificates).
"""

from __future__ import annotations

import functools
import logging
import os
import ssl
from pathlib import Path

from msgspec import Struct

from upgrade_gate.base.errors import UsageError
from upgrade_gate.reading.files import open_file

_logger = logging.getLogger(__name__)

BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""In the order in which requests and OpenSSL themselves would take them."""
FOLDER_VARIABLE = "SSL_CERT_DIR"
CERTIFICATE_SUFFIXES = frozenset({".crt", ".pem", ".cer"})


class Trust(Struct, frozen=True):
    """A context for TLS connections, and where its authorities came from, for `-v` and for errors."""

    context: ssl.SSLContext
    description: str


def trust(certificate_authority: Path | None) -> Trust:
    """Return the context for verified connections.

    Authorities of the user's file come on top of those that the environment or the system has: a mirror behind a
    company's own CA may redirect to a public host. Environment variables that name garbage are an error only where
    nothing else was given.
    """
    variables = tuple(os.environ.get(name, "") for name in (*BUNDLE_VARIABLES, FOLDER_VARIABLE))
    return _trust(certificate_authority, variables)


def trust_also(certificate_authority: Path | None, certificates: str) -> ssl.SSLContext:
    """Return a context of its own that trusts these PEM certificates too; raises ValueError where they are none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if certificate_authority is not None:
        _load_user_file(context, certificate_authority)
    variables = tuple(os.environ.get(name, "") for name in (*BUNDLE_VARIABLES, FOLDER_VARIABLE))
    _load_environment(context, variables, required=False)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if certificates:
        try:
            context.load_verify_locations(cadata=certificates.encode("ascii", "replace").decode())
        except ssl.SSLError as exc:
            raise ValueError("they are no PEM certificates") from exc
    return context


def unverified() -> Trust:
    """Return the context for a host that `--insecure` names."""
    return _unverified()


@functools.lru_cache(maxsize=1)
def _unverified() -> Trust:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return Trust(context, "not verified (--insecure)")


@functools.lru_cache(maxsize=8)
def _trust(certificate_authority: Path | None, variables: tuple[str, ...]) -> Trust:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if certificate_authority is None:
        return Trust(context, _load_environment(context, variables, required=True))
    _load_user_file(context, certificate_authority)
    # A bundle may hold only the issuing CA, without its root; Go, and so oc, accepts that as an anchor.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    others = _load_environment(context, variables, required=False)
    return Trust(context, f"{certificate_authority} and {others}")


def _load(context: ssl.SSLContext, path: Path) -> None:
    if path.is_dir():
        context.load_verify_locations(capath=path)
    else:
        _load_file(context, path)


def _load_file(context: ssl.SSLContext, path: Path) -> None:
    with open_file(path):  # OpenSSL itself would wait for a pipe
        context.load_verify_locations(cafile=path)


def _load_user_file(context: ssl.SSLContext, path: Path) -> None:
    try:
        files = [path]
        if path.is_dir():
            files = sorted(p for p in path.iterdir() if p.suffix in CERTIFICATE_SUFFIXES)
        for each in files:
            _load_file(context, each)
    except (OSError, ssl.SSLError) as exc:
        reason = "it holds no PEM certificate" if isinstance(exc, ssl.SSLError) else exc.strerror
        raise UsageError(
            f"--certificate-authority {path} cannot be used: {reason}",
            hint="give a file of PEM certificates, or a folder of .crt and .pem files",
        ) from exc
    if not files:
        raise UsageError(f"--certificate-authority {path} holds no .crt or .pem file")


def _load_environment(context: ssl.SSLContext, variables: tuple[str, ...], *, required: bool) -> str:
    """Load what the environment names, else the system's store, else certifi's; return its description."""
    *bundles, folder = variables
    for name, value in zip(BUNDLE_VARIABLES, bundles, strict=True):
        if not value:
            continue
        path = Path(value)
        try:
            _load(context, path)
        except (OSError, ssl.SSLError) as exc:
            if required:
                reason = "it holds no PEM certificate" if isinstance(exc, ssl.SSLError) else exc.strerror
                raise UsageError(
                    f"{name} names {value}, which cannot be used: {reason}",
                    hint=f"unset {name}, or name a bundle with --certificate-authority",
                ) from exc
            _logger.info("%s names %s, which cannot be used: left out", name, value)
            continue
        if folder and Path(folder).is_dir():
            context.load_verify_locations(capath=folder)
        return f"{value} ({name})"
    return _load_system(context, folder)


def _load_system(context: ssl.SSLContext, folder: str) -> str:
    paths = ssl.get_default_verify_paths()
    # Not load_default_certs(): it would take SSL_CERT_FILE once more, the very file that was just refused.
    system = Path(paths.openssl_cafile)
    system_folder = Path(folder or paths.openssl_capath)
    found = []
    if system.is_file():
        context.load_verify_locations(cafile=system)
        found.append(str(system))
    if system_folder.is_dir():
        # Looked up by hash when a chain is checked, so this costs nothing now.
        context.load_verify_locations(capath=system_folder)
        found.append(str(system_folder))
    if found:
        return f"{found[0]} (system)"
    import certifi

    context.load_verify_locations(cafile=certifi.where())
    return f"{certifi.where()} (certifi)"

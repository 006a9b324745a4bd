"""Certificates for servers on loopback, made with the openssl program."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.worlds.components import require

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """An authority of our own, and a server certificate for localhost and 127.0.0.1 that it signed."""

    authority: Path
    certificate: Path
    key: Path
    self_signed: Path
    """For the same names, signed by nobody; its key is `self_signed_key`."""
    self_signed_key: Path


def make(folder: Path) -> Certificates:
    """Make one authority and its certificates in a folder."""
    made = Certificates(
        folder / "ca.crt", folder / "server.crt", folder / "server.key", folder / "self.crt", folder / "self.key"
    )
    ca_key, request, extensions = folder / "ca.key", folder / "server.csr", folder / "extensions"
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    _openssl(
        "req",
        "-x509",
        *new_key,
        "-keyout",
        ca_key,
        "-out",
        made.authority,
        "-days",
        "30",
        "-subj",
        "/CN=test CA",
        "-addext",
        "basicConstraints=critical,CA:TRUE",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    )
    _openssl("req", *new_key, "-keyout", made.key, "-out", request, "-subj", "/CN=localhost")
    _openssl(
        "x509",
        "-req",
        "-in",
        request,
        "-CA",
        made.authority,
        "-CAkey",
        ca_key,
        "-CAcreateserial",
        "-out",
        made.certificate,
        "-days",
        "30",
        "-extfile",
        extensions,
    )
    _openssl(
        "req",
        "-x509",
        *new_key,
        "-keyout",
        made.self_signed_key,
        "-out",
        made.self_signed,
        "-days",
        "30",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1",
    )
    return made


def make_token_signer(folder: Path) -> tuple[Path, Path]:
    """Make the RSA key and certificate with which a token server signs; return certificate and key."""
    certificate, key = folder / "token.crt", folder / "token.key"
    _openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        key,
        "-out",
        certificate,
        "-days",
        "30",
        "-subj",
        "/CN=token signer",
    )
    return certificate, key


def sign(key: Path, data: bytes) -> bytes:
    """Return the RS256 signature of data."""
    return _openssl("dgst", "-sha256", "-sign", key, data=data)


def der(certificate: Path) -> bytes:
    """Return a certificate in DER."""
    return _openssl("x509", "-in", certificate, "-outform", "DER")


def _openssl(*arguments: str | Path, data: bytes | None = None) -> bytes:
    done = subprocess.run(
        [require("openssl"), *map(str, arguments)], input=data, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout

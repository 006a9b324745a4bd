"""Whether a release was signed by a key that the cluster, or the user, trusts.

The signatures are OpenPGP messages around the atomic container signature (containers/image `docs/atomic-signature.md`;
library-go `pkg/verify/verify.go`). Stricter than the cluster in three points: keys that have expired or were revoked
by now are refused even for signatures made before, SHA-1 is refused (sequoia's standard policy), and only the binary
inline form of at most 16 KiB is read.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.base.text import one_line
from upgrade_gate.payloads.image.digests import SHA256
from upgrade_gate.payloads.signatures.material import MAX_SIGNATURE, Signature, gather, is_signature
from upgrade_gate.reading.files import read_file
from upgrade_gate.reading.http.urls import shown_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from upgrade_gate.payloads.reference import Settings

_logger = logging.getLogger(__name__)

TYPE = "atomic container signature"
MAX_CONTENT = 64 * 2**10
MAX_NUMBER = 9
"""Signatures of one release in a store (library-go: maxSignatureSearch)."""
REASONS_TOLD = 3
DEFAULT_STORES = (
    "https://storage.googleapis.com/openshift-release/official/signatures/openshift/release",
    "https://mirror.openshift.com/pub/openshift-v4/signatures/openshift/release",
)


class _RefusedError(Exception):
    """A signature, or a key, does not count; the text says why."""


def verify(
    digest: str, settings: Settings, mirror_folder: Path | None = None, *, now: datetime | None = None
) -> tuple[bool, str]:
    """Return whether a valid signature of the release digest was found, and one sentence on who signed or why not.

    Every keyring must have a valid signature of its own. A signature store on the network is asked only under
    `--verify require`. An unsigned release is no error here: what it means is for the rules to say. Raises
    UsageError where a file of `--signatures` does not exist, or a check is required that cannot be made at all.
    """
    required = settings.verify == "require"
    if settings.verify == "off":
        return False, "signatures were not checked (--verify off)"
    if find_spec("pysequoia") is None:
        if required:
            raise UsageError(
                "--verify require needs the package pysequoia",
                hint="install it with: pip install 'upgrade-gate[verify]'",
            )
        return False, "signatures were not checked: the extra `verify` is not installed"
    if not SHA256.fullmatch(digest):
        return False, "there is no sha256 digest to check a signature for"
    material = gather(settings, mirror_folder)
    if not material.keyrings:
        unread = f"; of the cluster's own: {settings.signatures_unread}" if settings.signatures_unread else ""
        text = "signatures were not checked: no public key was given (--signatures, or a cluster's ConfigMap)"
        return False, f"{text}{unread}"
    check = _Check(digest, material.keyrings, now or datetime.now(UTC))
    complete = check.take(material.for_digest(digest))
    if not complete and required:
        if settings.offline:
            check.reasons.append("no signature store is asked under --offline")
        else:
            for signature in _from_stores(digest, material.stores or DEFAULT_STORES, settings, check.reasons):
                complete = check.take([signature])
                if complete:
                    break
    return complete, check.sentence()


class _Check:
    """One release digest against every keyring; takes signatures until each keyring has a valid one."""

    def __init__(self, digest: str, keyrings: dict[str, list[bytes]], now: datetime) -> None:
        self._digest = digest
        self._now = now
        self.reasons: list[str] = []
        self._signers: dict[str, str] = {}
        self._keyrings = {name: self._certificates(name, blocks) for name, blocks in sorted(keyrings.items())}

    def _complete(self) -> bool:
        return bool(self._keyrings) and len(self._signers) == len(self._keyrings)

    def take(self, signatures: Sequence[Signature]) -> bool:
        """Check signatures with the keyrings that still lack one; return whether every keyring has a valid one."""
        for signature in signatures:
            for name, certificates in self._keyrings.items():
                if name in self._signers:
                    continue
                try:
                    self._signers[name] = self._signer(signature.data, certificates)
                except _RefusedError as exc:
                    self.reasons.append(f"{signature.origin}: {exc}")
                    _logger.debug("keyring %s, %s: %s", name, signature.origin, exc)
        return self._complete()

    def sentence(self) -> str:
        """Say who signed, or why there is no verdict."""
        if self._complete():
            return f"signed by {' and '.join(dict.fromkeys(self._signers.values()))}"
        missing = ", ".join(name for name in self._keyrings if name not in self._signers)
        reasons = list(dict.fromkeys(self.reasons))
        told = "; ".join(reasons[:REASONS_TOLD]) or "none was found"
        more = f"; {len(reasons) - REASONS_TOLD} more" if len(reasons) > REASONS_TOLD else ""
        return f"no valid signature for keyring {missing}: {told}{more}"

    def _certificates(self, name: str, blocks: list[bytes]) -> list[Any]:
        from pysequoia import Cert

        found = []
        for block in blocks:
            try:
                found += _guarded(Cert.split_bytes, block)
            except _RefusedError as exc:
                self.reasons.append(f"a key of {name} cannot be read: {exc}")
        return found

    def _signer(self, data: bytes, certificates: list[Any]) -> str:
        """Return who signed this release with a key of the keyring; raises _RefusedError with the reason."""
        if len(data) > MAX_SIGNATURE:
            raise _RefusedError(f"it has {len(data)} bytes, more than the {MAX_SIGNATURE} that a signature may have")
        if not is_signature(data):
            raise _RefusedError("it is not a signed OpenPGP message in binary form")
        import pysequoia

        outcome = _guarded(pysequoia.verify, bytes=data, store=lambda _: certificates)
        # The payload of the first key that counts; others may have signed as well.
        reason = "no signer"
        for signer in outcome.valid_sigs:
            certificate = next((c for c in certificates if c.fingerprint == signer.certificate), None)
            reason = self._objection(certificate, signer.signing_key)
            if certificate is not None and not reason:
                _check_content(outcome.bytes, self._digest)
                return _describe(certificate)
        raise _RefusedError(reason)

    def _objection(self, certificate: Any, signing_key: str) -> str:
        """Return why a key does not count now, empty where it does."""
        if certificate is None:
            return "it was made by an unknown key"
        name = certificate.fingerprint[-16:].upper()
        if certificate.is_revoked:
            return f"key {name} was revoked"
        if certificate.expiration is not None and certificate.expiration <= self._now:
            return f"key {name} expired on {certificate.expiration:%Y-%m-%d}"
        if signing_key != certificate.fingerprint:
            return _subkey_objection(certificate, signing_key, self._now)
        return ""


def _subkey_objection(certificate: Any, signing_key: str, now: datetime) -> str:
    """Judge a signing subkey by its own newest binding: sequoia did so for the time of the signature, not for now."""
    from pysequoia.packet import PacketPile, SignatureType, Tag

    current, created, newest, until = "", None, None, None
    for packet in PacketPile.from_bytes(bytes(certificate)):
        if packet.tag in (Tag.PublicKey, Tag.PublicSubkey):
            current, created = packet.fingerprint, packet.key_created
        elif packet.tag == Tag.Signature and current == signing_key:
            if packet.signature_type == SignatureType.SubkeyRevocation:
                return f"subkey {signing_key[-16:].upper()} was revoked"
            made = packet.signature_created
            if packet.signature_type == SignatureType.SubkeyBinding and made and (newest is None or made >= newest):
                newest = made
                lifetime = packet.key_validity_period
                until = created + lifetime if lifetime and created else None
    if newest is None:
        return f"subkey {signing_key[-16:].upper()} is not bound to its key"
    if until is not None and until <= now:
        return f"subkey {signing_key[-16:].upper()} expired on {until:%Y-%m-%d}"
    return ""


def _guarded(call: Any, *args: Any, **kwargs: Any) -> Any:
    """Call into sequoia; its errors carry a trace in their text, of which the first line is told."""
    try:
        return call(*args, **kwargs)
    except (RuntimeError, ValueError, TypeError, OSError) as exc:
        first = str(exc).partition("\n")[0]
        raise _RefusedError(one_line(first)[:160] or type(exc).__name__) from exc
    except BaseException as exc:
        if type(exc).__name__ != "PanicException":  # pyo3's, for a panic in Rust: not an Exception
            raise
        raise _RefusedError("it cannot be parsed") from exc


def _check_content(content: bytes, digest: str) -> None:
    """Check the signed JSON: type, digest, identity, and that it holds nothing that a reader might miss."""
    if len(content) > MAX_CONTENT:
        raise _RefusedError("its content is too large")
    try:
        document = json.loads(content, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as exc:
        raise _RefusedError("its content is not valid JSON") from exc
    critical = _fields(document, {"critical", "optional"}).get("critical")
    critical = _fields(critical, {"type", "image", "identity"})
    image = _fields(critical.get("image"), {"docker-manifest-digest"})
    identity = _fields(critical.get("identity"), {"docker-reference"})
    optional = document.get("optional")
    if optional is not None:
        _fields(optional, {"creator", "timestamp"})
    if critical.get("type") != TYPE:
        raise _RefusedError(f"its type is not {TYPE!r}")
    name = identity.get("docker-reference")
    if not isinstance(name, str) or not name:
        raise _RefusedError("it names no image")
    if image.get("docker-manifest-digest") != digest:
        raise _RefusedError("it is of another digest")


def _fields(value: object, known: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _RefusedError("its content is not a container signature")
    if unknown := sorted(set(value) - known):
        raise _RefusedError(f"its content has the unknown field {unknown[0][:40]!r}")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key appears twice")
    return document


def _describe(certificate: Any) -> str:
    fingerprint = certificate.fingerprint[-16:].upper()
    names = [str(user) for user in certificate.user_ids[:1]]
    return f"{fingerprint} ({names[0]})" if names else fingerprint


def _from_stores(digest: str, stores: Sequence[str], settings: Settings, reasons: list[str]) -> Iterator[Signature]:
    """Yield the signatures of each store in turn: `<store>/sha256=<hex>/signature-<N>`, until one is missing."""
    folder = digest.replace(":", "=")
    for store in stores:
        scheme = urlsplit(store).scheme
        if scheme == "file":
            yield from _from_folder(Path(urlsplit(store).path) / folder)
        elif scheme in ("http", "https"):
            yield from _from_url(f"{store.rstrip('/')}/{folder}", settings, reasons)
        else:
            reasons.append(f"signature store {store} is not an address that can be read")


def _from_folder(folder: Path) -> Iterator[Signature]:
    for number in range(1, MAX_NUMBER + 1):
        path = folder / f"signature-{number}"
        try:
            yield Signature(read_file(path, MAX_SIGNATURE + 1), str(path))
        except OSError:
            return


def _from_url(base: str, settings: Settings, reasons: list[str]) -> Iterator[Signature]:
    from upgrade_gate.reading.http.client import Transport

    with Transport(settings) as transport:
        for number in range(1, MAX_NUMBER + 1):
            url = f"{base}/signature-{number}"
            try:
                response = transport.send(
                    "GET", url, f"signature store {shown_url(url)}", limit=MAX_SIGNATURE, plain=True
                )
            except SourceError as exc:
                reasons.append(exc.message)
                return
            content = response.read()
            if response.status != 200:
                if number == 1:
                    reasons.append(f"{response.host} has no signature of it ({response.status})")
                return
            yield Signature(content, shown_url(url))

"""Where release signatures and the keys to check them are found: ConfigMaps of the cluster, files, folders, mirrors.

Sources: library-go `pkg/verify/configmap.go` for the ConfigMap with keyrings and stores, and
`pkg/verify/store/configmap` for those with signatures; `oc adm release mirror` writes the latter into files.
Keys are taken only from what the user named and from the cluster, never from the mirror that holds the release.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from upgrade_gate.base.errors import ManifestError, UsageError
from upgrade_gate.base.paths import exists
from upgrade_gate.reading.files import read_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from upgrade_gate.payloads.reference import Settings

_logger = logging.getLogger(__name__)

MAX_SIGNATURE = 16 * 2**10
"""Bytes; a signed message may unpack to several hundred times its size (docs/facts/tests.md#signatures)."""
MAX_FILE = 4 * 2**20
MAX_FILES = 4096
MAX_DEPTH = 6
VERIFICATION_ANNOTATION = "release.openshift.io/verification-config-map"
KEY_PREFIX = "verifier-public-key-"
STORE_PREFIX = "store-"
MIRROR_FOLDERS = ("config", "signatures", "release-signatures")
NAMED_DIGEST = re.compile(r"sha256[=-]([0-9a-f]{64})")
ARMORED_KEY = b"-----BEGIN PGP PUBLIC KEY BLOCK-----"
ARMOR = b"-----BEGIN PGP "
DOCUMENT_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
KEY_TAGS = frozenset({5, 6})
MESSAGE_TAGS = frozenset({2, 4, 8})
"""OpenPGP packets that may begin a signed message: signature, one-pass signature, compressed data (RFC 4880 4.3)."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature that may be of the release."""

    data: bytes = field(repr=False)
    origin: str
    """File and name, for messages."""


@dataclass(slots=True)
class Material:
    """All that was found: keyrings by name, signatures by digest, addresses of signature stores."""

    keyrings: dict[str, list[bytes]] = field(default_factory=dict)
    """Every one of them must have signed (library-go: signature intersection)."""
    signatures: dict[str, list[Signature]] = field(default_factory=dict)
    """Under the hexadecimal digest; under `` those whose place does not say what they sign."""
    stores: list[str] = field(default_factory=list)

    def for_digest(self, digest: str) -> list[Signature]:
        """Return what may be a signature of `sha256:…`."""
        return [*self.signatures.get(digest.removeprefix("sha256:"), ()), *self.signatures.get("", ())]


def gather(settings: Settings, mirror_folder: Path | None) -> Material:
    """Collect keys, signatures and stores; keys that the user names in files replace those of the cluster."""
    cluster, named = Material(), Material()
    for each in settings.signature_configmaps:
        _take_object(each, cluster, "the cluster's ConfigMap")
    for path in settings.signatures:
        if not exists(path):
            raise UsageError(f"--signatures {path} does not exist", hint="name a file or folder of keys or signatures")
        _take_path(path, named)
    found = Material(named.keyrings or cluster.keyrings, named.signatures, [*named.stores, *cluster.stores])
    mirrored = Material()
    if mirror_folder is not None:
        _take_mirror(mirror_folder, mirrored)
    for other in (mirrored, cluster):
        for digest, signatures in other.signatures.items():
            found.signatures.setdefault(digest, []).extend(signatures)
    return found


def is_signature(data: bytes) -> bool:
    """Return whether bytes are a binary OpenPGP message that may be signed; armor and cleartext are not accepted."""
    return _packet_tag(data) in MESSAGE_TAGS


def _packet_tag(data: bytes) -> int | None:
    """Return the tag of the first OpenPGP packet, None where there is none (RFC 4880 4.2)."""
    if not data or not data[0] & 0x80:
        return None
    return data[0] & 0x3F if data[0] & 0x40 else (data[0] >> 2) & 0x0F


def _take_mirror(folder: Path, material: Material) -> None:
    for path in sorted(folder.glob("signature-*")):
        if path.is_file():
            _take_file(path, material)
    for name in MIRROR_FOLDERS:
        if (folder / name).is_dir():
            _take_path(folder / name, material)
    material.keyrings.clear()


def _take_path(path: Path, material: Material) -> None:
    if not path.is_dir():
        _take_file(path, material)
        return
    for count, file in enumerate(_walk(path)):
        if count == MAX_FILES:
            _logger.warning("%s holds more than %d files: the rest is not searched for signatures", path, MAX_FILES)
            return
        _take_file(file, material)


def _walk(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        if len(Path(root).relative_to(folder).parts) >= MAX_DEPTH:
            folders.clear()
        for name in sorted(names):
            path = Path(root) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _take_file(path: Path, material: Material) -> None:
    try:
        data = read_file(path, MAX_FILE + 1)
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}") from exc
    if len(data) > MAX_FILE:
        _logger.warning("%s is larger than %d MiB: neither key nor signature, left out", path, MAX_FILE >> 20)
        return
    if path.suffix in DOCUMENT_SUFFIXES:
        for document in _documents(path, data):
            _take_object(document, material, str(path))
    elif ARMORED_KEY in data or _packet_tag(data) in KEY_TAGS:
        # The user's own keys are one keyring: any of them may have signed.
        material.keyrings.setdefault("--signatures", []).extend(_split_armor(data))
    elif is_signature(data) or data.startswith(ARMOR) or path.name.startswith("signature-"):
        match = NAMED_DIGEST.search(path.name) or NAMED_DIGEST.search(path.parent.name)
        material.signatures.setdefault(match[1] if match else "", []).append(Signature(data, str(path)))
    else:
        _logger.debug("%s is neither key nor signature", path)


def _split_armor(data: bytes) -> list[bytes]:
    """Split concatenated armored blocks, which may have text between them; binary keyrings stay whole."""
    if ARMORED_KEY not in data:
        return [data]
    return [ARMORED_KEY + block for block in data.split(ARMORED_KEY)[1:]]


def _documents(path: Path, data: bytes) -> Iterator[Mapping[str, Any]]:
    from upgrade_gate.reading import yaml

    try:
        parsed = yaml.parse(data, str(path))
    except ManifestError as exc:
        raise UsageError(f"signatures: {exc.message}", hint="leave the file out of --signatures") from exc
    yield from (document.body for document in parsed if isinstance(document.body, dict))


def _take_object(document: Mapping[str, Any], material: Material, origin: str) -> None:
    if isinstance(document.get("items"), list):
        for item in document["items"]:
            if isinstance(item, dict):
                _take_object({"kind": "ConfigMap", **item}, material, origin)
        return
    if document.get("kind") != "ConfigMap":
        return
    metadata = _mapping(document.get("metadata"))
    if VERIFICATION_ANNOTATION in _mapping(metadata.get("annotations")):
        _take_trust(_mapping(document.get("data")), material)
    origin = f"{origin} {metadata.get('namespace', '')}/{metadata.get('name', '')}"
    for name, text in sorted(_mapping(document.get("binaryData")).items()):
        match = NAMED_DIGEST.match(name)
        if match is None or not isinstance(text, str):
            continue
        try:
            data = base64.b64decode(text)
        except (binascii.Error, ValueError):
            data = b""
        material.signatures.setdefault(match[1], []).append(Signature(data, f"{origin} {name}"))


def _take_trust(data: Mapping[str, Any], material: Material) -> None:
    """Take keyrings and stores from the ConfigMap that the cluster's own payload brings."""
    for name, text in sorted(data.items()):
        if not isinstance(text, str):
            continue
        if name.startswith(KEY_PREFIX):
            material.keyrings.setdefault(name, []).extend(_split_armor(text.encode()))
        elif name.startswith(STORE_PREFIX) and text.strip() not in material.stores:
            material.stores.append(text.strip())


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}

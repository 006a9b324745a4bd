"""Write the bill of materials of wheels (CycloneDX 1.6, JSON): what is in it, by which digest and licence, and why."""

from __future__ import annotations

import hashlib
import uuid
import zipfile
from email.parser import Parser
from typing import TYPE_CHECKING, NamedTuple

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename

from release.stamp import stamp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import Message
    from pathlib import Path

PRODUCT = canonicalize_name("upgrade-gate")


class Wheel(NamedTuple):
    """One wheel: its file, the digest of the file, and what its metadata says (PyPA's core metadata)."""

    path: Path
    name: NormalizedName
    version: str
    digest: str
    metadata: Message


def read(path: Path) -> Wheel:
    """Read a wheel's name and version from its file name, the rest from its METADATA."""
    name, version, _, _ = parse_wheel_filename(path.name)
    with zipfile.ZipFile(path) as archive:
        (metadata,) = (entry for entry in archive.namelist() if entry.endswith(".dist-info/METADATA"))
        said = Parser().parsestr(archive.read(metadata).decode())
    return Wheel(path, name, str(version), hashlib.sha256(path.read_bytes()).hexdigest(), said)


def bill(wheels: Iterable[Path], *, file: str, digest: str | None = None) -> str:
    """Return the bill of what holds these wheels, which is `file` with this SHA-256 (None for a folder).

    The same wheels give the same text: the serial number follows from their digests, the time is the release's.
    """
    read_wheels = sorted((read(path) for path in wheels), key=lambda wheel: wheel.name)
    parts = {wheel.name: _component(wheel) for wheel in read_wheels}
    (product,) = (wheel for wheel in read_wheels if wheel.name == PRODUCT)
    whole = Component(
        type=ComponentType.APPLICATION,
        name=file,
        version=product.version,
        bom_ref=file,
        hashes=[_hash(digest)] if digest else [],
    )
    seed = "\n".join([file, *(f"{wheel.digest} {wheel.path.name}" for wheel in read_wheels)])
    made = Bom(
        components=parts.values(),
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, seed),
        metadata=BomMetaData(component=whole, timestamp=stamp()),
    )
    made.register_dependency(whole, parts.values())
    for wheel in read_wheels:
        made.register_dependency(parts[wheel.name], [parts[name] for name in _needed(wheel) if name in parts])
    return str(JsonV1Dot6(made).output_as_string(indent=2)) + "\n"


def _component(wheel: Wheel) -> Component:
    purl = PackageURL("pypi", None, wheel.name, wheel.version)
    return Component(
        name=wheel.name,
        version=wheel.version,
        purl=purl,
        bom_ref=purl.to_string(),
        hashes=[_hash(wheel.digest)],
        licenses=[LicenseFactory().make_from_string(text) for text in _licence(wheel.metadata)],
        properties=[Property(name="upgrade-gate:file", value=wheel.path.name)],
    )


def _hash(digest: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=digest)


def _licence(metadata: Message) -> tuple[str, ...]:
    """Return the licence in the metadata's best form: an expression, a short word, else what the classifiers say."""
    stated = metadata["License-Expression"] or metadata["License"] or ""
    if stated and "\n" not in stated:
        return (stated,)
    classifiers = metadata.get_all("Classifier") or ()
    return tuple(text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License :: "))


def _needed(wheel: Wheel) -> set[NormalizedName]:
    """Return what a wheel may ask for; extras and markers are not weighed: what nobody wants is not in the bill."""
    lines = wheel.metadata.get_all("Requires-Dist") or ()
    return {canonicalize_name(Requirement(line).name) for line in lines}

"""A release payload: every document of every file, with its place, and the few that matter constructed whole."""

from __future__ import annotations

import gc
import logging
import re
from collections.abc import Mapping  # at run time too: the cache decodes into these types
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from upgrade_gate.base.errors import ManifestError
from upgrade_gate.base.text import nearly
from upgrade_gate.payloads.reference import IMAGE_REFERENCES, MANIFEST_SUFFIXES, RELEASE_METADATA
from upgrade_gate.reading.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from upgrade_gate.payloads.reference import ReleaseFiles
    from upgrade_gate.reading.yaml import Parsed

_logger = logging.getLogger(__name__)
_DEFAULT = Limits()
_VERSION = re.compile(r"\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")
_MATTERING = re.compile(
    r"credentials?-?requests?|cloudcredentials?\.openshift|featuregate|clusterversions\.config\.openshift\.io"
    r"|capability\.openshift\.io/name",
    re.IGNORECASE,
)
"""Text that a file must hold, in clear or in disguise, to hold an object that decides anything."""
REQUEST = ("cloudcredential.openshift.io", "v1", "CredentialsRequest")
"""Group, version and kind of what is asked for: another version, or a slip of the pen, is no other kind of object."""
_NO_MAPPING, _NOTHING = "the document is not a mapping", "the document is an empty mapping"
_DISGUISE = re.compile(r"\\(?:[xuU/]|\s|$)|(?:^|[\s,\[{:?-])!|[\x00\ufffd]", re.MULTILINE)
"""What could spell such text without its letters: an escape, a joined line, a tag (`!!binary`), damage."""


class Location(Struct, frozen=True, order=True):
    """Where a document stands: file name in the payload, document number from 0, first line from 1."""

    file: str
    document: int = 0
    line: int = 1


class Manifest(Struct, frozen=True):
    """One document of a payload."""

    group: str
    version: str
    kind: str
    namespace: str
    """Empty for cluster-scoped objects."""
    name: str
    annotations: Mapping[str, str] | None
    """None when the document has no annotations at all, which is not the same as an empty map.

    See docs/facts/releases.md#inclusion.
    """
    location: Location
    body: Mapping[str, Any] | None = None
    """The whole document, only for CredentialsRequests, FeatureGates and the ClusterVersion CRD."""
    duplicate_keys: tuple[str, ...] = ()
    """Paths of keys that stand twice with differing values; the last one won, as upstream."""


class Unreadable(Struct, frozen=True):
    """A file, or a document of it, that could not be parsed."""

    location: Location
    reason: str
    harmless: bool
    """True only where it provably holds no request, no feature gate and nothing that implicit enabling needs of
    this payload alone; see `may_define` for what the other payload needs of it."""
    text: str = ""
    """The unreadable text, only where it is harmless."""

    def may_define(self, name: str) -> bool:
        """Return whether an object of this name could stand in here.

        Implicit enabling of capabilities looks up the target's objects in the current payload
        (CVO GetImplicitlyEnabledCapabilities); an unreadable file there hides its partner.
        """
        return not self.harmless or name in self.text


class _Tag(Struct, frozen=True):
    name: str


class _StreamSpec(Struct, frozen=True):
    tags: tuple[_Tag, ...] = ()


class _ImageStream(Struct, frozen=True):
    """What counts of image-references."""

    spec: _StreamSpec = _StreamSpec()


class Payload(Struct, frozen=True):
    """One release payload, read."""

    reference: str
    version: str
    """From release-metadata; empty when that is missing (then `unreadable` says so)."""
    digest: str | None
    verified: bool
    manifests: tuple[Manifest, ...]
    unreadable: tuple[Unreadable, ...] = ()
    previous: tuple[str, ...] = ()
    """Versions that may update to this one, from release-metadata."""
    verification: str = ""
    pullspec: str | None = None
    notes: tuple[str, ...] = ()
    whole: bool = False
    """Whether digests prove that nothing of the release is missing; see `completeness`."""
    images: tuple[str, ...] | None = None
    """Names in image-references, sorted; None where that is missing or cannot be read."""
    empty: tuple[str, ...] = ()
    """Manifest files without any object, sorted."""
    damage: tuple[str, ...] = ()
    """What lies in the source where nobody reads it, one clause each."""
    foreign: tuple[tuple[str, str], ...] = ()
    """ClusterOperators of another release among those of this one: file and version, sorted."""

    @property
    def requests_only(self) -> bool:
        """Whether it holds requests and nothing about the release that they are of.

        So does what `oc adm release extract --credentials-requests` writes.
        """
        return self.images is None and not self.version and any(_asks(m) for m in self.manifests)

    @property
    def minor(self) -> tuple[int, int]:
        """Major and minor of the version; (0, 0) when it is not known."""
        parts = self.version.split(".")
        try:
            return int(parts[0]), int(parts[1])
        except (IndexError, ValueError):
            return 0, 0


def load(files: ReleaseFiles, limits: Limits = _DEFAULT) -> Payload:
    """Read every document of every YAML and JSON file; what cannot be read is in `unreadable`, never left out.

    Manifests come in the order of file name and document. `kind: List` is replaced by its items. Raises nothing
    about content: damage of any kind is recorded.
    """
    manifests: list[Manifest] = []
    unreadable: list[Unreadable] = []
    empty: list[str] = []
    collecting = gc.isenabled()
    gc.disable()  # nothing built here is a cycle; collecting costs 13 % (docs/facts/tests.md#yaml)
    try:
        version, previous = _release_metadata(files.files, unreadable)
        for name in sorted(files.files):
            if name.endswith(MANIFEST_SUFFIXES):
                found, unread = len(manifests), len(unreadable)
                for item in _read(files.files[name], name, limits):
                    if isinstance(item, Manifest):
                        manifests.append(item)
                    else:
                        _logger.debug("%s:%d: %s", item.location.file, item.location.line, item.reason)
                        unreadable.append(item)
                if len(manifests) == found and _holds_no_object(files.files[name], unreadable[unread:]):
                    empty.append(name)
    finally:
        if collecting:
            gc.enable()
    return Payload(
        reference=files.reference,
        version=version,
        digest=files.digest,
        verified=files.verified,
        manifests=tuple(manifests),
        unreadable=tuple(unreadable),
        previous=previous,
        verification=files.verification,
        pullspec=files.pullspec,
        notes=tuple(files.notes),
        whole=files.whole,
        images=_images(files.files),
        empty=tuple(empty),
        damage=tuple(files.damage),
        foreign=_foreign(files.files, version, manifests),
    )


def _holds_no_object(data: bytes, unread: Sequence[Unreadable]) -> bool:
    """Return whether a file without a manifest holds something else than objects, or nothing.

    Comments alone are somebody's word.
    """
    lines = (line.strip(b" \t\r\n-\xef\xbb\xbf") for line in data.splitlines())
    told = [line for line in lines if line]
    if unread and told:
        return all(item.reason in (_NO_MAPPING, _NOTHING) for item in unread)
    return not told or not all(line.startswith(b"#") for line in told)


def _asks(manifest: Manifest) -> bool:
    return (manifest.group, manifest.version, manifest.kind) == REQUEST


_OPERATOR_VERSION = re.compile(rb"""name: *["']?operator["']? *\r?\n +version: *["']?([^"'\s]+)""")


def _foreign(files: Mapping[str, bytes], version: str, manifests: Iterable[Manifest]) -> tuple[tuple[str, str], ...]:
    """Return the ClusterOperators that state another version, where the folder holds those of several releases.

    `oc adm release new` writes the release's version into every manifest where its repository has a placeholder: each
    of the 36 ClusterOperators of release 4.12.0 states it.
    """
    names = sorted({m.location.file for m in manifests if m.kind == "ClusterOperator"})
    stated = {
        (name, text.decode(errors="replace")) for name in names for text in _OPERATOR_VERSION.findall(files[name])
    }
    if not version or len({found for _, found in stated}) < 2:
        return ()
    return tuple(sorted((name, found) for name, found in stated if found != version))


def _images(files: Mapping[str, bytes]) -> tuple[str, ...] | None:
    """Return the images that a release says it consists of (an ImageStream), None where it does not say."""
    import msgspec

    from upgrade_gate.reading import decoding

    if IMAGE_REFERENCES not in files:
        return None
    try:
        stream = decoding.from_json(files[IMAGE_REFERENCES], _ImageStream)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return tuple(sorted({tag.name for tag in stream.spec.tags}))


def _release_metadata(files: Mapping[str, bytes], unreadable: list[Unreadable]) -> tuple[str, tuple[str, ...]]:
    """Return version and previous versions, or record why there is none (oc release new: cincinnati-metadata-v0)."""
    from upgrade_gate.reading import yaml  # a payload from the cache needs no YAML

    place = Location(RELEASE_METADATA)
    if RELEASE_METADATA not in files:
        unreadable.append(Unreadable(place, "the payload has no release-metadata, so its version is unknown", False))
        return "", ()
    try:
        body = yaml.parse_one(files[RELEASE_METADATA], RELEASE_METADATA).body
    except ManifestError as exc:
        unreadable.append(Unreadable(place, exc.message, False))
        return "", ()
    match body:
        case {"kind": "cincinnati-metadata-v0", "version": str(version)} if _VERSION.fullmatch(version):
            previous = body.get("previous")
            if previous is None:
                return version, ()
            if isinstance(previous, list) and all(isinstance(v, str) for v in previous):
                return version, tuple(previous)
            reason = "release-metadata: `previous` is not a list of versions"
        case {"kind": "cincinnati-metadata-v0"}:
            reason = "release-metadata: `version` is not a version"
        case _:
            reason = "release-metadata is not of the kind cincinnati-metadata-v0"
    unreadable.append(Unreadable(place, reason, False))
    return "", ()


def _read(data: bytes, file: str, limits: Limits) -> Iterator[Manifest | Unreadable]:
    """Yield the manifests of one file, each whole where it decides something and in outline where not."""
    from upgrade_gate.reading import yaml
    from upgrade_gate.reading.manifest_index import outline

    fits = len(data) <= limits.file
    found = outline(data) if fits else None
    if found is not None:
        listed: list[Manifest] = []
        for doc in found:
            place = Location(file, doc.document, doc.line)
            identity = _identity(doc.api_version, doc.kind, doc.metadata, place)
            if isinstance(identity, str) or _decides(identity):
                break
            listed.append(identity)
        else:
            yield from listed
            return
    try:
        parsed = yaml.parse(data, file, limits=limits)
    except yaml.DocumentError as exc:
        place = Location(file, exc.document, exc.line)
        yield _unreadable(data, place, exc.problem) if fits else Unreadable(place, exc.problem, harmless=False)
        return
    for one in parsed:
        yield from _expand(one, data, Location(file, one.document, one.line))


def _expand(parsed: Parsed, data: bytes, place: Location) -> Iterator[Manifest | Unreadable]:
    """Yield the manifest of a document, or those of a list."""
    body = parsed.body
    if not isinstance(body, dict):
        yield _unreadable(data, place, _NO_MAPPING)
        return
    if not body:
        yield _unreadable(data, place, _NOTHING)
        return
    kind, items = body.get("kind"), body.get("items")
    if not (isinstance(kind, str) and kind.endswith("List") and isinstance(items, list)):
        yield _whole(body, parsed.duplicate_keys, data, place)
        return
    for i, item in enumerate(items):
        prefix = f"items[{i}]."
        repeated = tuple(path.removeprefix(prefix) for path in parsed.duplicate_keys if path.startswith(prefix))
        if not isinstance(item, dict):
            yield _unreadable(data, place, f"items[{i}] is not a mapping")
        elif str(item.get("kind")).endswith("List") and "items" in item:
            yield _unreadable(data, place, f"items[{i}] is a list inside a list")
        else:
            yield _whole(item, repeated, data, place)


def _whole(body: dict[str, Any], repeated: tuple[str, ...], data: bytes, place: Location) -> Manifest | Unreadable:
    """Return the manifest of a document that was built in full; its body only where that decides something."""
    identity = _identity(body.get("apiVersion"), body.get("kind"), body.get("metadata"), place)
    if isinstance(identity, str):
        return _unreadable(data, place, identity)
    if not _decides(identity):
        return identity
    return replace(identity, body=body, duplicate_keys=repeated)


def _identity(api_version: object, kind: object, metadata: object, place: Location) -> Manifest | str:
    """Return the manifest without its body, or what its identity lacks (library-go ParseManifests: kind and name)."""
    if not isinstance(api_version, str) or not api_version or api_version.count("/") > 1:
        return "apiVersion is missing or no text"
    if not isinstance(kind, str) or not kind:
        return "kind is missing or no text"
    if not isinstance(metadata, dict):
        return "metadata is missing or no mapping"
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if not isinstance(name, str) or not name:
        return "metadata.name is missing or no text"
    if not isinstance(namespace, str | None):
        return "metadata.namespace is not text"
    group, _, version = api_version.rpartition("/")
    if (group, version, kind) != REQUEST and _almost_a_request(group, kind):
        return f"{kind} of {api_version} is almost a CredentialsRequest of {REQUEST[0]}/{REQUEST[1]}, and none"
    return Manifest(group, version, kind, namespace or "", name, _annotations(metadata.get("annotations")), place)


@cache
def _almost_a_request(group: str, kind: str) -> bool:
    """Return whether a request is meant: its group, or its kind, or one that differs from them by a slip.

    CVO would refuse such an object, or apply it to nobody; either way its component's need would be skipped here
    (docs/contract.md#releases).
    """
    return nearly(group, REQUEST[0]) or nearly(kind, REQUEST[2])


def _annotations(found: object) -> Mapping[str, str] | None:
    """Return the annotations as upstream sees them: one value that is no text hides them all.

    apimachinery Unstructured.GetAnnotations drops the error of NestedStringMap and with it the map.
    """
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        return None
    return found


def _decides(manifest: Manifest) -> bool:
    """Return whether somebody reads the body: requests, feature gates, the ClusterVersion CRD."""
    match manifest.group, manifest.kind:
        case "cloudcredential.openshift.io", "CredentialsRequest":
            return True
        case "config.openshift.io", "FeatureGate":
            return True
        case "apiextensions.k8s.io", "CustomResourceDefinition":
            return manifest.name == "clusterversions.config.openshift.io"
        case _:
            return False


def _unreadable(data: bytes, place: Location, reason: str) -> Unreadable:
    """Return the record of what could not be read, harmless only where its text rules out all that matters."""
    text = data.decode("utf-8", errors="replace")
    harmless = not _MATTERING.search(text) and not _DISGUISE.search(text)
    return Unreadable(place, reason, harmless, text if harmless else "")

"""Release references, and what a source gives for one: the files of a payload, with their digest.

A source is a plugin in `sources/` with `SCHEMES` (the prefixes it answers to) and `fetch`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from msgspec import Struct

from upgrade_gate.base import plugins
from upgrade_gate.base.errors import SourceError, UsageError
from upgrade_gate.base.paths import exists, expanded, is_dir, is_file
from upgrade_gate.reading.http.options import HttpOptions
from upgrade_gate.reading.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

RELEASE_MANIFESTS = "release-manifests"
"""The folder of an image that holds the payload."""
RELEASE_METADATA = "release-metadata"
IMAGE_REFERENCES = "image-references"
MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")
_LIKE_A_MANIFEST = re.compile(r"(\d{4}_.*?\.(?:ya?ml|json))(?:\W.*)?$", re.IGNORECASE)
"""oc and the CVO compare them with case."""

_PREFIXES = {
    "dir": "dir",
    "archive": "archive",
    "docker-archive": "archive",
    "oci-archive": "archive",
    "oci": "oci",
    "mirror": "mirror",
    "registry": "registry",
    "docker": "registry",
}
"""Prefix to scheme; skopeo's names of the same things are taken too."""
_ARCHITECTURES = frozenset({"aarch64", "amd64", "arm64", "multi", "ppc64le", "s390x", "x86_64"})
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?)")
_HOST = re.compile(r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+:\d+|\[[0-9A-Fa-f:]+\](?::\d+)?)")
_PORT = re.compile(r"\d{1,5}/")
"""What stands behind a host: `registry:5000/openshift/release` is no `registry:` form."""
_FORMS = (
    "a release is a pullspec (registry.example/repository:tag or @sha256:…), a version, a folder, dir:PATH, "
    "archive:FILE, oci:PATH[:TAG], mirror:PATH[:TAG], registry:PULLSPEC, or cluster"
)


class Reference(Struct, frozen=True):
    """A release reference as the user gave it, split into the source's scheme and the rest."""

    text: str
    scheme: str
    """Plugin prefix: `dir`, `archive`, `oci`, `mirror`, `registry`; `version` and `cluster` are resolved before."""
    target: str


class Settings(HttpOptions, frozen=True):
    """What the command line says about reading releases; every source takes what concerns it.

    See docs/contract.md#options.
    """

    registry_config: Path | None = None
    idms_files: tuple[Path, ...] = ()
    icsp_files: tuple[Path, ...] = ()
    mirror_policies: tuple[Mapping[str, object], ...] = ()
    """IDMS, ITMS and ICSP objects read from the cluster, on request."""
    pull_secret: bytes | None = None
    """The cluster's own pull secret (docker config JSON), on request; never printed."""
    verify: str = "auto"
    """`auto`, `require` or `off`."""
    signatures: tuple[Path, ...] = ()
    """Files and folders that hold signatures or keyrings."""
    signature_configmaps: tuple[Mapping[str, object], ...] = ()
    """Signature and verification ConfigMaps of the cluster."""
    signatures_unread: str = ""
    """Why those of the cluster were not read, and what would allow it."""
    graph: str | None = None
    channel: str | None = None
    architecture: str = "amd64"
    offline: bool = False
    cache_dir: Path | None = None
    """None: no cache."""
    limits: Limits = Limits()

    def __repr__(self) -> str:
        return "Settings(…)"  # it may hold the pull secret


class ReleaseFiles(Struct, frozen=True):
    """The files of one release payload, as a source found them."""

    reference: str
    """As given by the user, without credentials."""
    files: Mapping[str, bytes]
    """File name (relative to release-manifests, `/` between folders) to content; sorted by name."""
    digest: str | None = None
    """`sha256:…` of the manifest (for a list: of the list), None where the form has none."""
    verified: bool = False
    """Whether a valid release signature was checked."""
    verification: str = ""
    """One sentence: who signed, or why there is no verdict on the signature."""
    pullspec: str | None = None
    """Repository with digest, for `oc adm upgrade --to-image`; None where unknown."""
    notes: Sequence[str] = ()
    """What the user should know about the source, one sentence each."""
    whole: bool = False
    """Whether digests prove that these are all files of the release, each as it was made."""
    damage: Sequence[str] = ()
    """What lies in the source where nobody reads it, one clause each."""


class Source(Protocol):
    """A plugin module in `sources/`."""

    SCHEMES: tuple[str, ...]

    def fetch(self, reference: Reference, settings: Settings) -> ReleaseFiles:
        """Return the files of the payload.

        Raises UsageError where the path or tag form does not exist, SourceError (naming file or digest) where the
        release exists and cannot be read, is too large, or fails its digest.
        """
        ...


def is_called(name: str, wanted: str) -> bool:
    """Return whether a tag or folder is named so: exactly, or the version with the architecture that mirrors append."""
    return name == wanted or (name.startswith(f"{wanted}-") and name[len(wanted) + 1 :] in _ARCHITECTURES)


def is_payload_file(name: str) -> bool:
    """Return whether a file of release-manifests is read at all: manifests, and the two files about the release."""
    return name.endswith(MANIFEST_SUFFIXES) or name in (RELEASE_METADATA, IMAGE_REFERENCES)


def misnamed(names: Iterable[str]) -> Iterator[str]:
    """Yield, in a clause, files called as manifests but for case, space or an ending, whose own name no file has.

    The CVO goes by the ending alone, and so does whoever reads them: what is in them would be skipped.
    """
    names = list(names)
    read = {name.casefold() for name in names if is_payload_file(name)}
    for name in names:
        found = _LIKE_A_MANIFEST.match(name)
        if found and not is_payload_file(name) and found[1].casefold() not in read:
            yield f"{name} is not read because of its name"


def parse_reference(text: str) -> Reference:
    """Split a release reference into scheme and target (docs/contract.md#releases).

    A bare version is a version even where a folder has the same name, since a folder could be planted: `dir:` or
    `./` names the folder. Raises UsageError, listing the forms, for anything else.
    """
    if not text.strip():
        raise UsageError("an empty release reference", hint=_FORMS)
    if text == "cluster":
        return Reference(text, "cluster", "")
    prefix, colon, rest = text.partition(":")
    if colon and prefix in _PREFIXES and not _PORT.match(rest):
        target = rest.removeprefix("//") if prefix in ("docker", "registry") else rest
        if not target:
            raise UsageError(f"{text}: nothing follows the prefix", hint=_FORMS)
        return Reference(text, _PREFIXES[prefix], target)
    if version := _VERSION.fullmatch(text):
        return Reference(text, "version", version[1])
    path = expanded(text)
    if is_dir(path):
        return Reference(text, _kind_of_folder(path), str(path))
    if is_file(path):
        return Reference(text, "archive", str(path))
    if exists(path):
        raise UsageError(f"{text} is neither file nor folder", hint=_FORMS)
    host, slash, repository = text.partition("/")
    if slash and repository and _HOST.fullmatch(host) and not text.startswith((".", "/", "~")):
        return Reference(text, "registry", text)
    if slash:
        raise UsageError(f"{text}: no such file or folder, and no pullspec", hint=_FORMS)
    minor = re.fullmatch(r"\d+\.\d+", text)
    hint = f"write the whole version, such as {text}.3" if minor else _FORMS
    raise UsageError(f"{text}: not a release reference", hint=hint)


def _kind_of_folder(path: Path) -> str:
    """Return the scheme of a folder that was given without one."""
    if is_file(path / "oci-layout") and is_file(path / "index.json"):
        return "oci"
    if is_dir(path / "v2") and not is_dir(path / "release-manifests"):
        return "mirror"
    return "dir"


def fetch(reference: Reference, settings: Settings) -> ReleaseFiles:
    """Return the files of a release, read by the plugin of its scheme.

    `version` and `cluster` must have been resolved to a pullspec before. Raises UsageError and SourceError as
    `Source.fetch` says.
    """
    return _source(reference).fetch(reference, settings)


def _source(reference: Reference) -> Source:
    """Return the plugin that answers to a scheme, importing no other where the file names tell."""
    for plugin in plugins.load_likely_first("payloads.sources", reference.scheme):
        if reference.scheme in plugin.SCHEMES:
            return cast("Source", plugin)
    raise SourceError(f"{reference.text}: no source reads {reference.scheme!r}", hint=_FORMS)

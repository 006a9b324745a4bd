"""Release references, and what a source gives for one: the files of a payload, with their digest.

A source is a plugin in `sources/` with `SCHEMES` (the prefixes it answers to) and `fetch`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Limits", "Reference", "ReleaseFiles", "Settings", "Source"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps on what is read (design section 13); bytes unless said otherwise."""

    compressed: int = 256 * 2**20
    unpacked: int = 1024 * 2**20
    file: int = 32 * 2**20
    depth: int = 200
    """Levels of nesting in a document."""
    nodes: int = 1_000_000
    """Nodes of one document, aliases expanded."""
    entries: int = 200_000
    """Entries of one archive or layer."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A release reference as the user gave it, split into the source's scheme and the rest."""

    text: str
    scheme: str
    """Plugin prefix: `dir`, `archive`, `oci`, `mirror`, `registry`; `version` and `cluster` are resolved before."""
    target: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says about reading releases; every source takes what concerns it (design section 10)."""

    registry_config: Path | None = None
    certificate_authority: Path | None = None
    insecure: tuple[str, ...] = ()
    idms_files: tuple[Path, ...] = ()
    icsp_files: tuple[Path, ...] = ()
    mirror_policies: tuple[Mapping[str, object], ...] = ()
    """IDMS, ITMS and ICSP objects read from the cluster, on request."""
    pull_secret: bytes | None = field(default=None, repr=False)
    """The cluster's own pull secret (docker config JSON), on request; never printed."""
    verify: str = "auto"
    """`auto`, `require` or `off`."""
    signatures: tuple[Path, ...] = ()
    """Files and folders that hold signatures or keyrings."""
    signature_configmaps: tuple[Mapping[str, object], ...] = ()
    """Signature and verification ConfigMaps of the cluster."""
    graph: str | None = None
    channel: str | None = None
    architecture: str = "amd64"
    offline: bool = False
    timeout: float = 120.0
    """Total deadline of one download, seconds."""
    cache_dir: Path | None = None
    """None: no cache."""
    progress: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class ReleaseFiles:
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


class Source(Protocol):
    """A plugin module in `sources/`."""

    SCHEMES: tuple[str, ...]

    def fetch(self, reference: Reference, settings: Settings) -> ReleaseFiles:
        """Return the files of the payload.

        Raises UsageError where the path or tag form does not exist, SourceError (naming file or digest) where the
        release exists and cannot be read, is too large, or fails its digest.
        """
        ...

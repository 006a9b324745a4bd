"""The CredentialsRequest: what a component asks for, and its identity in a release.

Source: openshift/cloud-credential-operator `pkg/apis/cloudcredential/v1/types_credentialsrequest.go`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from upgrade_gate.base.errors import ManifestError
from upgrade_gate.base.platforms import PLATFORMS
from upgrade_gate.base.secret_ref import OBJECT_NAME, SecretRef
from upgrade_gate.base.text import nearly
from upgrade_gate.clouds.contract.grants import cloud_of
from upgrade_gate.requests.names import spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from upgrade_gate.clouds.contract.grants import Grant
    from upgrade_gate.payloads.payload import Location, Manifest

API_GROUP = "cloudcredential.openshift.io"


class CredentialsRequest(Struct, frozen=True, dict=True):
    """One request of one release payload."""

    namespace: str
    name: str
    provider_kind: str
    """Exact `spec.providerSpec.kind`."""
    provider_spec: Mapping[str, Any]
    secret: SecretRef
    """`spec.secretRef`."""
    service_accounts: tuple[str, ...]
    token_path: str | None
    spec: Mapping[str, Any]
    annotations: Mapping[str, str] | None
    location: Location

    @property
    def id(self) -> str:
        """`namespace/name`, the identity across releases; never the file name."""
        return f"{self.namespace}/{self.name}"

    @property
    def component(self) -> str:
        """Its component as people call it."""
        return spoken(self.name)

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """What it asks for, read once; nothing for a kind that nobody knows.

        Raises ValueError, naming the field, where the provider spec has a shape that is not understood.
        """
        cloud = cloud_of(self.provider_kind)
        return cloud.read_grants(self.provider_kind, self.provider_spec) if cloud else ()


def is_credentials_request(manifest: Manifest) -> bool:
    """Return whether a document is a CredentialsRequest, of any API version."""
    return manifest.kind == "CredentialsRequest" and manifest.group == API_GROUP


def _text(value: object, what: str, location: Location) -> str:
    if not isinstance(value, str):
        raise ManifestError(f"{location.file}:{location.line}: {what} is {type(value).__name__}, not a string")
    return value


def parse(manifest: Manifest) -> CredentialsRequest:
    """Build the model of a request from its document.

    Raises ManifestError, naming file and line, where a field that identifies the requirement is missing, has the wrong
    type or is a name that no object can have: half a requirement must not read as a small one, and CCO can make no such
    Secret. Delete manifests, which have no spec, are none.
    """
    where = manifest.location
    body = manifest.body or {}
    spec = body.get("spec")
    if not manifest.namespace:
        raise ManifestError(f"{where.file}:{where.line}: {manifest.name} names no namespace")
    if spec is None:
        spec = {}
    if not isinstance(spec, dict):
        raise ManifestError(f"{where.file}:{where.line}: spec of {manifest.name} is not a mapping")
    provider = spec.get("providerSpec")
    if provider is None:
        provider = {}
    if not isinstance(provider, dict):
        raise ManifestError(f"{where.file}:{where.line}: spec.providerSpec of {manifest.name} is not a mapping")
    accounts = spec.get("serviceAccountNames")
    if accounts is None:
        accounts = []
    if not isinstance(accounts, list) or not all(isinstance(a, str) and a for a in accounts):
        raise ManifestError(
            f"{where.file}:{where.line}: spec.serviceAccountNames of {manifest.name} is not a list of names"
        )
    token_path = _text(_or_empty(spec.get("cloudTokenPath")), "spec.cloudTokenPath", where)
    kind, secret = _kind(provider.get("kind"), where), _secret(spec.get("secretRef"), where)
    for name in (manifest.namespace, manifest.name, secret.namespace, secret.name, *accounts):
        if not OBJECT_NAME.fullmatch(name):
            raise ManifestError(f"{where.file}:{where.line}: {name[:60]!r} is not a legal Kubernetes name")
    return CredentialsRequest(
        namespace=manifest.namespace,
        name=manifest.name,
        provider_kind=kind,
        provider_spec=provider,
        secret=secret,
        service_accounts=tuple(sorted(set(accounts))),
        token_path=token_path or None,
        spec=spec,
        annotations=manifest.annotations,
        location=where,
    )


def _kind(given: object, where: Location) -> str:
    """Return the provider spec's kind; one that is missing, or is almost that of a cloud, was meant to be one.

    CCO finds the type of the spec by this very text (`pkg/apis/cloudcredential/v1/codec.go`).
    """
    kind = _text(given, "spec.providerSpec.kind", where)
    known = [p.kind for p in PLATFORMS.values() if p.kind is not None]
    meant = next((one for one in known if kind not in known and nearly(kind, one, slips=1)), None)
    if not kind.strip() or meant is not None:
        almost = f", almost {meant}, and none" if meant else ", which names no cloud"
        raise ManifestError(f"{where.file}:{where.line}: spec.providerSpec.kind is {kind[:60]!r}{almost}")
    return kind


def _or_empty(value: object) -> object:
    """Return a text field's value; null is none, as Go decodes it, and every other type stays what it is."""
    return "" if value is None else value


def _secret(reference: object, where: Location) -> SecretRef:
    if not isinstance(reference, dict):
        raise ManifestError(f"{where.file}:{where.line}: spec.secretRef is not a mapping")
    namespace = _text(reference.get("namespace", ""), "spec.secretRef.namespace", where)
    name = _text(reference.get("name", ""), "spec.secretRef.name", where)
    if not namespace or not name:
        raise ManifestError(f"{where.file}:{where.line}: spec.secretRef names no Secret")
    return SecretRef(namespace, name)
